/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens after a topology was applied: acts of others, faults, crashes, reloads, time.
 */
#include "case_private.h"

#include <linux/rtnetlink.h>

/* Somebody makes what topod only finds. */
static struct op bring_op(const struct c_link *link) {
	struct op op = { .type = OP_BRIDGE, .ns = link->ns->name, .name = link->name };

	if (streq(link->name, "f2"))
		return op;
	op.type = OP_VETH;
	op.ns2 = op.ns;
	op.name2 = streq(link->name, "f0") ? "f1" : "f0";
	return op;
}

static struct op fdb_op(struct c_case *c, const struct c_link *link) {
	return (struct op){ .type = case_chance(c, 50) ? OP_FDB_DELETE : OP_FDB_ADD,
			    .ns = link->ns->name,
			    .name = link->name,
			    .text = case_chance(c, 70) ? "02:ee:00:00:00:01" : "02:ee:00:00:00:02" };
}

static struct op link_op(struct c_case *c) {
	static const enum op_type types[] = { OP_LINK_DELETE, OP_DOWN,      OP_UP,          OP_MTU,    OP_TXQLEN,
					      OP_MAC,         OP_ALIAS,     OP_NOMASTER,    OP_MASTER, OP_RENAME,
					      OP_MOVE,        OP_PORT_COST, OP_LINK_DELETE, OP_DOWN,   OP_BRIDGE };
	struct c_link *link = case_pick(c, &c->links);
	struct op op = { .type = types[case_draw(c, ARRAY_SIZE(types))], .ns = link->ns->name, .name = link->name };

	/* Special to a vxlan: a forwarding table, and an id that stays in use where it was created. */
	if (link->kind && streq(link->kind, "vxlan") && case_chance(c, c->real ? 60 : 30)) {
		static const enum op_type of_vxlan[] = { OP_FLOOD_APPEND, OP_FLOOD_DELETE, OP_MOVE };

		op.type = of_vxlan[case_draw(c, ARRAY_SIZE(of_vxlan))];
	}
	if (link->bridge && case_chance(c, 20))
		return fdb_op(c, link);
	op.number = (uint32_t)(1300 + case_draw(c, 5) * 10);
	op.text = op.type == OP_MAC ? "02:bb:00:00:00:01" : op.type == OP_FLOOD_APPEND ? "10.240.0.9" : "";
	op.name2 = op.type == OP_MASTER ? case_pick(c, &c->links)->name : "moved";
	op.ns2 = case_chance(c, 20) ? "z0" : case_pick(c, &c->spaces)->name;
	/* The owner of a foreign link may recreate it. */
	if (op.type == OP_BRIDGE && link->kind && streq(link->kind, "existing"))
		op = bring_op(link);
	return op;
}

/* Another host takes the address, or gives it up. */
static struct op rival_op(struct c_case *c, const struct c_address *a) {
	if (case_chance(c, 50))
		return (struct op){ .type = OP_RIVAL_GONE, .ns = a->link->ns->name, .number = case_chance(c, 50) };
	return (struct op){ .type = OP_RIVAL, .ns = a->link->ns->name, .text = case_address(c, a) };
}

static struct op address_op(struct c_case *c) {
	struct c_address *a = case_pick(c, &c->addresses);
	struct op op = { .ns = a->link->ns->name, .name = a->link->name, .text = a->text };

	if (!c->real && a->ipv6 && !a->nodad[1] && case_chance(c, 40))
		return rival_op(c, a);
	switch (case_draw(c, 4)) {
	case 0:
		op.type = OP_ADDRESS_FLUSH;
		op.number = case_chance(c, 40); /* the link-local one, too */
		break;
	case 1:
		op.type = OP_ADDRESS_ADD; /* a foreign address */
		op.text = arena_printf(&c->arena, "10.251.%u.1/24", (unsigned)case_draw(c, 200));
		if (!a->ipv6 && case_chance(c, 50)) /* of the same subnet */
			op.text = arena_printf(&c->arena, "%.*s.77/24", (int)(strrchr(a->text, '.') - a->text), a->text);
		break;
	case 2:
		op.type = OP_ADDRESS_ADD; /* the same, without the mark */
		op.nodad = a->ipv6;
		break;
	default:
		op.type = OP_ADDRESS_DELETE;
		break;
	}
	return op;
}

static const char *network_of(struct c_case *c, const char *text, uint8_t *ret_family) {
	struct prefix prefix;
	char buf[PREFIX_TEXT_MAX];

	prefix_parse(text, &prefix);
	*ret_family = prefix.address.family;
	prefix = prefix_network(&prefix);
	return arena_strdup(&c->arena, prefix_format(&prefix, buf));
}

/* The entry of an address in the table local, or its broadcast. */
static struct op entry_op(struct c_case *c, const struct c_address *a) {
	size_t length = (size_t)(strchr(a->text, '/') - a->text);
	struct op op = { .type = OP_MADE_DELETE, .ns = a->link->ns->name, .name = a->link->name, .number = RTN_LOCAL };

	op.text = arena_printf(&c->arena, "%.*s/%u", (int)length, a->text, a->ipv6 ? 128 : 32);
	if (!a->ipv6 && case_chance(c, 40)) {
		op.number = RTN_BROADCAST;
		op.text = arena_printf(&c->arena, "%.*s.255/32", (int)(strrchr(a->text, '.') - a->text), a->text);
	}
	return op;
}

/* Somebody removes what the kernel made by itself. */
static struct op made_op(struct c_case *c) {
	static const char *const loopbacks[] = { "127.0.0.1/8", "::1/128" };
	const struct c_link *link = case_pick(c, &c->links);
	struct op op = { .ns = link->ns->name, .name = case_chance(c, 20) ? "lo" : link->name };
	uint8_t family;

	switch (case_draw(c, 7)) {
	case 0:
	case 1:
		op.type = OP_LOCAL_FLUSH;
		op.number = case_chance(c, 50) ? AF_INET : AF_INET6;
		return op;
	case 2:
		op.type = OP_MADE_DELETE;
		op.text = case_chance(c, 70) ? "fe80::/64" : "ff00::/8";
		op.number = op.text[1] == 'e' ? RTN_UNICAST : RTN_MULTICAST;
		return op;
	case 3:
		op.type = OP_ADDRESS_DELETE;
		op.name = "lo";
		op.text = loopbacks[case_draw(c, 2)];
		return op;
	case 4:
		if (c->addresses.n)
			return entry_op(c, case_pick(c, &c->addresses));
		break;
	case 5:
		if (c->addresses.n) {
			const struct c_address *a = case_pick(c, &c->addresses);
			const char *text = network_of(c, a->text, &family);

			return (struct op){ .type = OP_ROUTE_DELETE,
					    .ns = a->link->ns->name,
					    .text = text,
					    .number = family == AF_INET6 ? ADDRESS_IPV6_METRIC : 0 };
		}
		break;
	}
	op.type = OP_ADDRESS_FLUSH;
	op.number = 1;
	return op;
}

static struct op route_op(struct c_case *c) {
	struct c_route *r = &case_pick(c, &c->routes);
	struct op op = { .type = OP_ROUTE_DELETE, .ns = r->ns->name, .text = case_bare(c, r->to) };

	if (r->metric[1])
		op.number = (uint32_t)atoi(r->metric[1]);
	if (!r->by || r->gateway || r->bare)
		return op;
	op.name = r->by->link->name;
	if (case_chance(c, 40)) {
		static const enum op_type types[] = { OP_ROUTE_REPLACE, OP_ROUTE_PREPEND, OP_ROUTE_ADD };

		op.type = r->by->ipv6 ? OP_ROUTE_REPLACE : types[case_draw(c, ARRAY_SIZE(types))];
		op.by_hand = case_chance(c, 50);
		if (op.type == OP_ROUTE_ADD && op.number) /* it comes before the other in the list */
			op.number -= 10;
		op.value = r->by->ipv6 ? arena_printf(&c->arena, "%.*sfd", (int)strlen(r->by->gateway) - 2, r->by->gateway)
				       : arena_printf(&c->arena, "%.*s253", (int)strlen(r->by->gateway) - 3, r->by->gateway);
	} else if (case_chance(c, 20)) {
		op.type = OP_ROUTE_FLUSH;
	} else if (case_chance(c, 30)) {
		op.type = OP_ROUTE_DELETE; /* added by the kernel */
		uint8_t family;

		op.text = network_of(c, r->by->text, &family);
		op.number = family == AF_INET6 ? ADDRESS_IPV6_METRIC : 0;
	}
	return op;
}

static struct op rule_op(struct c_case *c, const struct c_text *t) {
	return (struct op){ .type = case_chance(c, 60) ? OP_RULE_DELETE : OP_RULE_ADD,
			    .ns = t->ns->name,
			    .text = case_chance(c, 80) ? "10.66.0.0/16" : "fd66::/64",
			    .number = case_chance(c, 80) ? 90 : 32765,
			    .value = case_chance(c, 70) ? "100" : "101" };
}

static struct op neighbor_op(struct c_case *c, const struct c_text *t) {
	bool proxy = case_chance(c, 20);

	return (struct op){ .type = case_chance(c, 50) ? OP_NEIGHBOR_DELETE : OP_NEIGHBOR_ADD,
			    .ns = t->ns->name,
			    .name = t->link->name,
			    .text = proxy ? "10.77.0.8" : "10.77.0.9",
			    .value = case_chance(c, 50) ? "02:cc:00:00:00:01" : "02:dd:00:00:00:01",
			    .number = proxy };
}

static struct op nexthop_op(struct c_case *c, const struct c_text *t) {
	return (struct op){ .type = case_chance(c, 70) ? OP_NEXTHOP_DELETE : OP_NEXTHOP_ADD,
			    .ns = t->ns->name,
			    .number = case_chance(c, 80) ? 5 : 6 };
}

static struct op text_op(struct c_case *c) {
	struct c_text *t = &case_pick(c, &c->texts);
	struct op op = { .ns = t->ns->name };

	if (streq(t->key, "rules"))
		return rule_op(c, t);
	if (streq(t->key, "neighbors"))
		return neighbor_op(c, t);
	if (streq(t->key, "nexthops"))
		return nexthop_op(c, t);
	if (streq(t->key, "nat") || streq(t->key, "filter")) {
		op.type = case_chance(c, 50) || *t->key == 'f' ? OP_NAT_DELETE : OP_NAT_CHANGE;
	} else if (streq(t->key, "dns")) {
		op.type = case_chance(c, 50) ? OP_FILE_DELETE : OP_FILE_WRITE;
		op.text = "nameserver 1.1.1.1";
	} else {
		op.type = OP_SETTING;
		op.text = t->key;
		op.value = streq(t->key, "net.ipv4.ip_forward") ? "0" : strstr(t->key, "secret") ? "2001:db8::3" : "3";
	}
	return op;
}

static struct op ns_op(struct c_case *c) {
	static const enum op_type types[] = { OP_NS_DELETE, OP_NS_DELETE, OP_NS_ADD,  OP_NS_REPLACE, OP_NS_STALE,
					      OP_NS_FILE,   OP_PROCESS,   OP_PROCESS, OP_PROCESS_END };
	struct c_ns *ns = case_pick(c, &c->spaces);

	if (streq(ns->name, NS_HOST))
		return (struct op){ .type = OP_NS_ADD, .ns = "z1" };
	if (ns->attach)
		return (struct op){ .type = case_chance(c, 60) ? OP_ATTACH : OP_NS_DELETE,
				    .ns = ns->name,
				    .value = case_chance(c, 30) ? "1" : NULL };
	return (struct op){ .type = types[case_draw(c, c->real ? 4 : ARRAY_SIZE(types))], .ns = ns->name };
}

static struct op any_op(struct c_case *c) {
	switch (case_draw(c, 12)) {
	case 10:
	case 11:
		if (c->links.n)
			return made_op(c);
		break;
	case 0:
	case 1:
	case 2:
	case 3:
		if (c->links.n)
			return link_op(c);
		break;
	case 4:
	case 5:
		if (c->addresses.n)
			return address_op(c);
		break;
	case 6:
	case 7:
		if (c->routes.n)
			return route_op(c);
		break;
	case 8:
		if (c->texts.n)
			return text_op(c);
		break;
	}
	return ns_op(c);
}

static struct step any_step(struct c_case *c) {
	static const int errors[] = { ENOMEM, EBUSY, EPERM, ENOBUFS, EINVAL };
	static const enum step_type types[] = { STEP_OP,         STEP_OP,      STEP_OP,      STEP_OP,     STEP_OP_UNHEARD,
						STEP_OP_REQUEST, STEP_OP_LOOK, STEP_WAIT,    STEP_RELOAD, STEP_FAIL_REQUEST,
						STEP_FAIL_LOOK,  STEP_CRASH,   STEP_RESTART, STEP_DIRTY,  STEP_PAUSE };
	struct step step = { .id = c->n_parts++, .type = types[case_draw(c, c->real ? 4 : ARRAY_SIZE(types))] };

	step.op = any_op(c);
	step.n = 1 + case_draw(c, 6);
	step.error = errors[case_draw(c, ARRAY_SIZE(errors))];
	step.after = case_chance(c, 50);
	step.torn = case_chance(c, 50);
	/* A link that is renamed between topod's scan and its request may get marked; a namespace is held open then. */
	if ((step.type == STEP_OP_REQUEST || step.type == STEP_OP_LOOK) &&
	    (step.op.type == OP_RENAME || step.op.type == OP_MOVE || step.op.type == OP_NS_REPLACE))
		step.op.type = step.op.type == OP_NS_REPLACE ? OP_NS_DELETE : OP_DOWN;
	switch (step.type) {
	case STEP_WAIT:
		step.n = 1000 * (1 + case_draw(c, 40000));
		break;
	case STEP_RELOAD:
		step.n = case_draw(c, 2);
		break;
	default:
		break;
	}
	return step;
}

/* Awaited objects come, go, and come again. */
static void add_visits(struct c_case *c) {
	vec_foreach(at, &c->links) {
		const struct c_link *link = *at;

		if (!link->kind || !streq(link->kind, "existing") || streq(link->ns->name, NS_HOST) || link->ns->adopt)
			continue;
		for (size_t n = case_draw(c, 4), i = 0; i < n; i++) {
			struct op gone = { .type = OP_LINK_DELETE, .ns = link->ns->name, .name = link->name };

			vec_push(&c->steps, (struct step){ .id = c->n_parts++,
							   .type = case_chance(c, 80) ? STEP_OP : STEP_OP_REQUEST,
							   .op = i % 2 ? gone : bring_op(link),
							   .n = 1 });
		}
	}
}

/* Somebody adds a route that the kernel prefers to a declared one. */
static void add_preferred(struct c_case *c) {
	vec_foreach(r, &c->routes) {
		struct op op = { .type = OP_ROUTE_ADD, .ns = r->ns->name, .text = case_bare(c, r->to) };

		if (!r->by || r->gateway || r->bare || !r->metric[1] || !case_chance(c, 30))
			continue;
		op.name = r->by->link->name;
		op.number = (uint32_t)atoi(r->metric[1]) - 10;
		op.value = arena_printf(&c->arena, "%.*sfd", (int)strlen(r->by->gateway) - 2, r->by->gateway);
		if (!r->by->ipv6)
			op.value = arena_printf(&c->arena, "%.*s253", (int)strlen(r->by->gateway) - 3, r->by->gateway);
		op.by_hand = case_chance(c, 70);
		vec_push(&c->steps, (struct step){ .id = c->n_parts++, .type = STEP_OP, .op = op, .n = 1 });
	}
}

void case_make_steps(struct c_case *c) {
	size_t n = c->minimal || case_chance(c, 30) ? 0 : 1 + case_draw(c, c->real ? 4 : 8);

	while (n--)
		vec_push(&c->steps, any_step(c));
	if (c->minimal)
		return;
	add_visits(c);
	add_preferred(c);
}

void case_make_crashes(struct c_case *c) {
	for (size_t i = 0; i < ARRAY_SIZE(c->crashes); i++)
		c->crashes[i] = (struct step){ .id = c->n_parts++,
					       .type = STEP_CRASH,
					       .n = !c->real && !c->minimal && case_chance(c, 15) ? 1 + case_draw(c, 40) : 0,
					       .after = case_chance(c, 50),
					       .torn = case_chance(c, 50) };
}
