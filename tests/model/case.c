/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a case from a seed: random choices, texts, conflicts, and the order in which parts are made. The other case_*.c make
 * links, routes and steps; case_print.c prints them.
 */
#include "case_private.h"

#define BOTH 3U

/* Chance. */

uint64_t case_draw(struct c_case *c, uint64_t n) {
	uint64_t x = c->random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31) % n;
}

bool case_chance(struct c_case *c, unsigned percent) {
	return case_draw(c, 100) < percent;
}

struct part case_new_part(struct c_case *c) {
	unsigned in = BOTH;

	if (!c->minimal && case_chance(c, 25))
		in = 1U << case_draw(c, 2);
	return (struct part){ c->n_parts++, in };
}

struct part case_whole_part(struct c_case *c) {
	return (struct part){ c->n_parts++, BOTH };
}

void case_draw_values(struct c_case *c, const char *const *values, size_t n, const char *ret[VERSIONS]) {
	ret[0] = ret[1] = values[case_draw(c, n)];
	if (!c->minimal && case_chance(c, 30))
		ret[1] = values[case_draw(c, n)];
}

struct op *case_add_before(struct c_case *c, enum op_type type, const char *ns, const char *name) {
	vec_push(&c->before,
		 (struct step){ .id = c->n_parts++, .type = STEP_OP, .op = { .type = type, .ns = ns, .name = name } });
	return &c->before.items[c->before.n - 1].op;
}

/* The rest. */

static void add_text(struct c_case *c, struct c_ns *ns, struct c_link *link, const char *key, const char *const *values,
		     size_t n) {
	struct c_text t = { .part = case_new_part(c), .ns = ns, .link = link, .key = key, .values = values };

	case_draw_values(c, values, n, t.value);
	vec_push(&c->texts, t);
}

static bool has_ipv6_address(const struct c_case *c, const struct c_link *link) {
	vec_foreach(a, &c->addresses)
		if ((*a)->link == link && (*a)->ipv6)
			return true;
	return false;
}

static bool has_attribute(const struct c_case *c, const struct c_link *link, const char *key) {
	vec_foreach(a, &c->attributes)
		if (a->link == link && streq(a->key, key))
			return true;
	return false;
}

/* It cannot be read before it is written, and changes how the link makes its addresses. It stays as long as the link does. */
static void add_secret(struct c_case *c, struct c_link *link) {
	static const char *const secrets[] = { "\"2001:db8::1\"", "\"2001:db8:0:0:0:0:0:2\"" };

	if (c->real || (link->kind && (streq(link->kind, "existing") || streq(link->kind, "physical"))) ||
	    has_attribute(c, link, "ipv6-address-generation") || !case_chance(c, 8))
		return;
	add_text(c, link->ns, link, arena_printf(&c->arena, "net.ipv6.conf.%s.stable_secret", link->name), secrets, 2);
}

/* If IPv6 is off for all interfaces, it is on again for those with addresses. */
static void disable_ipv6(struct c_case *c, struct c_ns *ns) {
	static const char *const off[] = { "1", "01" }, *const on[] = { "0", "00" }, *const either[] = { "1", "0" };
	bool all = !streq(ns->name, NS_HOST) && case_chance(c, 8);

	if (all)
		add_text(c, ns, NULL, "net.ipv6.conf.all.disable_ipv6", off, 2);
	if (all)
		c->texts.items[c->texts.n - 1].part.in = BOTH;
	vec_foreach(at, &c->links) {
		const char *key = arena_printf(&c->arena, "net.ipv6.conf.%s.disable_ipv6", (*at)->name);
		bool has = has_ipv6_address(c, *at);

		if ((*at)->ns != ns || !((all && has) || case_chance(c, 6)))
			continue;
		add_text(c, ns, *at, key, has ? on : either, 2);
		if (has)
			c->texts.items[c->texts.n - 1].part.in = BOTH;
	}
}

static void make_settings(struct c_case *c) {
	static const char *const values[] = { "1", "2", "0x1", "02" }, *const switches[] = { "1", "0", "01" };

	vec_foreach(at, &c->spaces) {
		if (case_chance(c, 25))
			add_text(c, *at, NULL, case_chance(c, 70) ? "net.ipv4.ip_forward" : "net.ipv4.conf.all.forwarding",
				 switches, 3);
		if (!c->real && case_chance(c, 15))
			add_text(c, *at, NULL, "net.ipv6.conf.all.forwarding", switches, 3);
		/* A card that returns to the host meanwhile inherits the setting there permanently. */
		if (!c->real && !streq((*at)->name, NS_HOST) && case_chance(c, 8))
			add_text(c, *at, NULL,
				 case_chance(c, 50) ? "net.ipv6.conf.default.forwarding"
						    : "net.ipv4.conf.default.forwarding",
				 switches, 3);
		if (!c->real && !streq((*at)->name, NS_HOST) && case_chance(c, 10))
			add_text(c, *at, NULL, "net.ipv4.conf.default.rp_filter", values, 4);
	}
	vec_foreach(at, &c->links) {
		add_secret(c, *at);
		if (case_chance(c, 12))
			add_text(c, (*at)->ns, *at, arena_printf(&c->arena, "net.ipv4.conf.%s.rp_filter", (*at)->name),
				 values, 4);
		if (!c->real && case_chance(c, 12))
			add_text(c, (*at)->ns, *at,
				 arena_printf(&c->arena, "net.ipv%d.conf.%s.forwarding", case_chance(c, 50) ? 4 : 6,
					      (*at)->name),
				 switches, 3);
	}
}

/* Static neighbours on a link of the namespace. */
static void add_neighbors(struct c_case *c, struct c_ns *ns) {
	struct c_link *link = c->links.n ? case_pick(c, &c->links) : NULL;
	const char *values[3];

	if (!link || link->ns != ns || !case_chance(c, 50))
		return;
	values[0] =
		arena_printf(&c->arena, "[{dev: %s, address: 10.77.0.9, mac-address: \"02:cc:00:00:00:01\"}]", link->name);
	values[1] =
		arena_printf(&c->arena, "[{dev: %s, address: 10.77.0.9, mac-address: \"02:cc:00:00:00:02\"}]", link->name);
	values[2] = arena_printf(&c->arena,
				 "[{dev: %s, address: 10.77.0.9, mac-address: \"02:cc:00:00:00:01\"},\n"
				 "      {dev: %s, address: 10.77.0.8, proxy: true}]",
				 link->name, link->name);
	add_text(c, ns, link, "neighbors", arena_memdup(&c->arena, values, sizeof(values)), ARRAY_SIZE(values));
}

/* Next hops over a link, of which the file's version 1 may have another kind, and a group. */
static void add_nexthops(struct c_case *c, struct c_ns *ns) {
	struct c_link *link = c->links.n ? case_pick(c, &c->links) : NULL;
	const char *values[3];

	if (!link || link->ns != ns || link->down)
		return;
	values[0] = arena_printf(&c->arena, "[{id: 5, dev: %s}]", link->name);
	values[1] = arena_printf(&c->arena, "[{id: 5, blackhole: true}]");
	values[2] = arena_printf(&c->arena, "[{id: 6, group: [5]}, {id: 5, dev: %s}]", link->name);
	add_text(c, ns, link, "nexthops", arena_memdup(&c->arena, values, sizeof(values)), ARRAY_SIZE(values));
}

static void make_rules(struct c_case *c) {
	static const char *const rules[] = {
		"[{from: 10.66.0.0/16, table: 100, priority: 90}]",
		"[{from: 10.66.0.0/16, table: 101, priority: 90}]",
		"[{from: 10.66.0.0/16, table: 100, priority: 90}, {to: \"fd66::/64\", table: 100, priority: 80}]",
		"[{from: 10.66.0.0/16, table: 100}, {fwmark: 7, family: ipv4, type: blackhole, priority: 70}]",
	};

	vec_foreach(at, &c->spaces)
		if (case_chance(c, 12)) {
			add_text(c, *at, NULL, "rules", rules, ARRAY_SIZE(rules));
			if (!case_chance(c, 30) || !(streq((*at)->name, NS_HOST) || (*at)->adopt))
				continue;
			struct op *op = case_add_before(c, OP_RULE_ADD, (*at)->name, NULL);
			op->text = "10.66.0.0/16";
			op->number = 90;
			op->value = case_chance(c, 50) ? "100" : "102";
		}
	vec_foreach(at, &c->spaces)
		if (case_chance(c, 20))
			add_neighbors(c, *at);
	vec_foreach(at, &c->spaces)
		if (case_chance(c, 30))
			add_nexthops(c, *at);
}

static void make_texts(struct c_case *c) {
	static const char *const nat[] = {
		"[{action: masquerade, source: 10.0.0.0/8}]",
		"[{action: masquerade, source: 10.0.0.0/8}, {action: dnat, protocol: tcp, port: 80, to: \"10.1.0.2:8080\"}]",
	};
	static const char *const filter[] = {
		"{input: {rules: [{source: 10.0.0.0/8, action: accept}]}}",
		"{input: {policy: drop, rules: [{source: 10.0.0.0/8, action: accept}]}}",
	};
	static const char *const dns[] = { "{servers: [10.1.0.53]}",
					   "{servers: [10.1.0.54, \"fe80::35%lo\"], search: [example.org]}" };

	make_settings(c);
	make_rules(c);
	vec_foreach(at, &c->spaces)
		if (!c->real)
			disable_ipv6(c, *at);
	vec_foreach(at, &c->spaces) {
		if (case_chance(c, 15))
			add_text(c, *at, NULL, "nat", nat, 2);
		if (case_chance(c, 15))
			add_text(c, *at, NULL, "filter", filter, 2);
		if (case_chance(c, 15) && !streq((*at)->name, NS_HOST) && !c->real)
			add_text(c, *at, NULL, "dns", dns, 2);
	}
}

const char *case_bare(struct c_case *c, const char *quoted) {
	size_t n = strlen(quoted);

	return *quoted == '"' ? arena_strndup(&c->arena, quoted + 1, n - 2) : quoted;
}

const char *case_address(struct c_case *c, const struct c_address *a) {
	return arena_strndup(&c->arena, a->text, strcspn(a->text, "/"));
}

/* Another host has one of the addresses. */
static void make_rival(struct c_case *c) {
	struct c_address *a = c->addresses.n && !c->real && case_chance(c, 20) ? case_pick(c, &c->addresses) : NULL;

	if (a && a->ipv6 && !a->nodad[1])
		case_add_before(c, OP_RIVAL, a->link->ns->name, NULL)->text = case_address(c, a);
}

/* Foreign objects in the way of declared ones. */
static void make_conflicts(struct c_case *c) {
	make_rival(c);
	if (case_chance(c, 8)) {
		struct c_ns *ns = case_pick(c, &c->spaces);

		if (!streq(ns->name, NS_HOST) && !ns->adopt)
			case_add_before(c,
					case_chance(c, 80)   ? OP_NS_ADD
					: case_chance(c, 50) ? OP_NS_FILE
							     : OP_NS_STALE,
					ns->name, NULL);
	}
	if (c->links.n && case_chance(c, 15)) {
		struct c_link *link = case_pick(c, &c->links);

		if ((streq(link->ns->name, NS_HOST) || link->ns->adopt) &&
		    !(link->kind && streq(link->kind, "existing"))) /* that one is found, and may be a port */
			case_add_before(c, OP_BRIDGE, link->ns->name, link->name);
	}
	if (c->addresses.n && case_chance(c, 10)) {
		struct c_address *a = case_pick(c, &c->addresses);

		if (a->link->kind && streq(a->link->kind, "existing") && !a->ipv6)
			case_add_before(c, OP_ADDRESS_ADD, a->link->ns->name, a->link->name)->text = a->text;
	}
	if (c->routes.n && case_chance(c, 10)) {
		struct c_route *r = &case_pick(c, &c->routes);

		if (r->by && r->by->link->kind && streq(r->by->link->kind, "existing")) {
			/* Not the last address, because the route would disappear with it. */
			case_add_before(c, OP_ADDRESS_ADD, r->ns->name, r->by->link->name)->text = "10.252.0.1/24";
			struct op *op = case_add_before(c, OP_ROUTE_ADD, r->ns->name, r->by->link->name);

			op->text = case_bare(c, r->to);
			op->number = r->metric[1] ? (uint32_t)atoi(r->metric[1]) : 0;
		}
	}
	if (!c->real && case_chance(c, 5))
		case_add_before(c, OP_FILE_WRITE, "n0", NULL)->text = "nameserver 9.9.9.9";
}

/* Makes the versions differ in one value of one part. */
static void differ(struct c_case *c) {
	if (c->attributes.n && case_chance(c, 50)) {
		struct c_attribute *a = &case_pick(c, &c->attributes);

		/* A link that is set down affects others. */
		if (!streq(a->key, "up")) {
			a->value[0] = a->values[0];
			a->value[1] = a->values[1];
			return;
		}
	}
	if (c->texts.n && case_chance(c, 40)) {
		struct c_text *t = &case_pick(c, &c->texts);

		if (t->link || !strstr(t->key, "default")) {
			t->value[0] = t->values[0];
			t->value[1] = t->values[1];
			return;
		}
	}
	if (c->routes.n && case_chance(c, 40)) {
		struct c_route *r = &case_pick(c, &c->routes);

		if (r->by) {
			r->mtu[0] = "1280";
			r->mtu[1] = "1281";
			return;
		}
	}
	if (c->links.n && case_chance(c, 40)) {
		struct c_link *link = case_pick(c, &c->links);

		if (link->bridge) {
			link->as_port[0] = "cost: 7";
			link->as_port[1] = "cost: 9";
			return;
		}
	}
	if (c->addresses.n) {
		struct c_address *a = case_pick(c, &c->addresses);

		a->part.in = strstr(a->text, ".9/") ? 1U << case_draw(c, 2) : a->part.in;
	}
}

static void make(struct c_case *c) {
	c->upgrade = case_chance(c, 50);
	c->minimal = case_chance(c, 15);
	c->upgrade |= c->minimal;
	case_make_links(c);
	case_make_routes(c);
	make_texts(c);
	if (!c->minimal)
		make_conflicts(c);
	case_make_steps(c);
	case_make_crashes(c);
	vec_foreach(at, &c->spaces)
		(*at)->adopt_later = !c->real && !c->minimal && !streq((*at)->name, NS_HOST) && case_chance(c, 5);
	vec_foreach(at, &c->links)
		(*at)->found_later =
			!c->real && !c->minimal && (*at)->kind && streq((*at)->kind, "bridge") && case_chance(c, 10);
	if (c->minimal)
		differ(c);
}

struct c_case *case_new(uint64_t seed, bool real, bool *off, int n_off) {
	struct c_case *c = xmalloc(sizeof(*c));

	c->seed = c->random = seed;
	c->real = real;
	make(c);
	c->off = off && n_off >= c->n_parts ? off : NULL;
	return c;
}

void case_free(struct c_case *c) {
	vec_done(&c->spaces);
	vec_done(&c->links);
	vec_done(&c->attributes);
	vec_done(&c->addresses);
	vec_done(&c->routes);
	vec_done(&c->texts);
	vec_done(&c->before);
	vec_done(&c->steps);
	arena_done(&c->arena);
	free(c);
}
