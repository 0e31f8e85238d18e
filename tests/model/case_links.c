/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Foreign objects on the machine, the namespaces of a topology, its links and ports, and their attributes.
 */
#include "case_private.h"

/* Foreign objects. */

static const char *const foreign_names[] = { "f0", "f1", "f2", "f3" };

static const char *const cards[] = { "eth8", "eth9" }, *const other_names[] = { "enp8s0", "enp9s0" };

static void make_foreign_links(struct c_case *c, const char *ns) {
	struct op *op = case_add_before(c, OP_VETH, ns, "f0");

	op->ns2 = ns;
	op->name2 = "f1";
	if (case_chance(c, 50))
		case_add_before(c, OP_BRIDGE, ns, "f2");
	if (case_chance(c, 30))
		case_add_before(c, OP_VXLAN, ns, "f3")->number = 77;
	for (size_t i = 0; i < ARRAY_SIZE(foreign_names); i++)
		if (case_chance(c, 50))
			case_add_before(c, OP_UP, ns, foreign_names[i]);
	if (case_chance(c, 30))
		case_add_before(c, OP_MASTER, ns, "f1")->name2 = "f2";
	if (case_chance(c, 20))
		case_add_before(c, OP_MTU, ns, "f0")->number = 1390;
	if (case_chance(c, 20))
		case_add_before(c, OP_ALIAS, ns, foreign_names[case_draw(c, 4)])->text =
			case_chance(c, 50) ? "mine" : "topod:other";
}

static void make_foreign_addresses(struct c_case *c, const char *ns) {
	for (size_t i = 0; i < ARRAY_SIZE(foreign_names); i++) {
		if (!case_chance(c, 35))
			continue;
		case_add_before(c, OP_ADDRESS_ADD, ns, foreign_names[i])->text =
			arena_printf(&c->arena, "10.250.%zu.1/24", i);
		if (!case_chance(c, 50))
			continue;
		struct op *op = case_add_before(c, OP_ROUTE_ADD, ns, foreign_names[i]);
		op->text = arena_printf(&c->arena, "172.30.%zu.0/24", i);
		op->value = arena_printf(&c->arena, "10.250.%zu.2", i);
		op->number = (uint32_t)case_draw(c, 3);
	}
}

static void make_foreign(struct c_case *c) {
	make_foreign_links(c, NS_HOST);
	make_foreign_addresses(c, NS_HOST);
	if (case_chance(c, 40)) {
		case_add_before(c, OP_NS_ADD, "z0", NULL);
		make_foreign_links(c, "z0");
		make_foreign_addresses(c, "z0");
	}
	for (size_t i = 0; i < ARRAY_SIZE(cards); i++)
		if (!c->real && case_chance(c, 30))
			case_add_before(c, OP_HARDWARE, NS_HOST, cards[i])->text = other_names[i];
	if (case_chance(c, 30)) {
		struct op *op = case_add_before(c, OP_SETTING, NS_HOST, NULL);

		op->text = "net.ipv4.ip_forward";
		op->value = "1";
	}
	for (size_t i = 0; i < ARRAY_SIZE(foreign_names) - 2; i++)
		if (!c->real && case_chance(c, 15)) {
			struct op *op = case_add_before(c, OP_SETTING, NS_HOST, NULL);

			op->text = arena_printf(&c->arena, "net.ipv%d.conf.%s.forwarding", case_chance(c, 50) ? 4 : 6,
						foreign_names[i]);
			op->value = case_chance(c, 70) ? "1" : "0";
		}
}

/* Namespaces. */

static struct c_ns *add_ns(struct c_case *c, const char *name, struct part part) {
	struct c_ns *ns = arena_new(&c->arena, struct c_ns);

	ns->part = part;
	ns->name = name;
	vec_push(&c->spaces, ns);
	return ns;
}

static void make_namespaces(struct c_case *c) {
	static const char *const names[] = { "n0", "n1", "n2" };
	size_t n = 1 + case_draw(c, 3);

	add_ns(c, NS_HOST, case_whole_part(c));
	for (size_t i = 0; i < n; i++) {
		struct c_ns *ns = add_ns(c, names[i], case_new_part(c));

		ns->exclusive = case_chance(c, 10);
		if (case_chance(c, 8))
			ns->drift = case_chance(c, 50) ? "report" : "ignore";
	}
	if (case_chance(c, 25)) {
		case_add_before(c, OP_NS_ADD, "a0", NULL);
		make_foreign_links(c, "a0");
		add_ns(c, "a0", case_new_part(c))->adopt = true;
	}
	if (!c->real && case_chance(c, 20)) {
		struct c_ns *ns = add_ns(c, "w0", case_new_part(c));

		ns->adopt = ns->attach = true;
		if (case_chance(c, 50))
			case_add_before(c, OP_ATTACH, "w0", NULL);
	}
}

/* Links. */

static bool is_free(const struct c_case *c, const struct c_ns *ns, const char *name) {
	vec_foreach(at, &c->links)
		if ((*at)->ns == ns && streq((*at)->name, name))
			return false;
	return true;
}

static const char *free_name(struct c_case *c, const struct c_ns *ns, const char *stem) {
	for (unsigned i = 0;; i++) {
		const char *name = arena_printf(&c->arena, "%s%u", stem, i);

		if (is_free(c, ns, name))
			return name;
	}
}

static struct c_link *add_link(struct c_case *c, struct c_ns *ns, const char *name, const char *kind, struct part part) {
	struct c_link *link = arena_new(&c->arena, struct c_link);

	link->ns = ns;
	link->name = name;
	link->kind = kind;
	link->part = part;
	vec_push(&c->links, link);
	return link;
}

static void add_pair(struct c_case *c) {
	struct part part = case_new_part(c);
	struct c_ns *a = case_pick(c, &c->spaces), *b = case_pick(c, &c->spaces);
	struct c_link *x = add_link(c, a, free_name(c, a, "e"), NULL, part);
	struct c_link *y = add_link(c, b, free_name(c, b, "e"), NULL, part);

	x->peer = y;
	y->peer = x;
}

/* A link with others on it must not be made on one that was chosen here. */
static struct c_link *find_lower(struct c_case *c) {
	struct c_link *link = c->links.n ? case_pick(c, &c->links) : NULL;

	if (!link || link->lower || link->bridge || (link->kind && !streq(link->kind, "existing")) ||
	    streq(link->name, "f1")) /* which may be a port */
		return NULL;
	return link;
}

static const char *const ids[] = { "11", "12", "13" };

static void add_single(struct c_case *c) {
	struct c_ns *ns = case_pick(c, &c->spaces);
	struct c_link *lower, *link;

	switch (case_draw(c, 5)) {
	case 0:
		add_link(c, ns, free_name(c, ns, "br"), "bridge", case_new_part(c));
		return;
	case 1:
		lower = find_lower(c);
		if (!lower)
			return;
		link = add_link(c, ns, free_name(c, ns, "mv"), "macvlan", case_new_part(c));
		link->lower = lower;
		return;
	case 2:
		add_link(c, ns, free_name(c, ns, "fb"), "ifb", case_new_part(c));
		return;
	default:
		lower = case_chance(c, 40) ? find_lower(c) : NULL;
		link = add_link(c, ns, free_name(c, ns, "vx"), "vxlan", case_new_part(c));
		link->lower = lower;
		if (lower) { /* ids are unique in the namespace of the lower link */
			link->id[0] = link->id[1] = arena_printf(&c->arena, "%zu", 200 + c->links.n);
			return;
		}
		case_draw_values(c, ids, ARRAY_SIZE(ids), link->id);
		vec_foreach(at, &c->links) /* ids are unique in a namespace */
			if (*at != link && (*at)->ns == ns && (*at)->id[0] && !(*at)->lower)
				link->id[0] = link->id[1] = arena_printf(&c->arena, "%zu", 100 + c->links.n);
		return;
	}
}

/* Found by name, alternative name or MAC address; mostly in the same way in both versions. */
static void name_source(struct c_case *c, struct c_link *link, const size_t card[VERSIONS]) {
	size_t how = case_draw(c, 3);

	for (int v = 0; v < VERSIONS; v++) {
		struct mac mac = op_mac(NS_HOST, cards[card[v]]);
		char buf[MAC_TEXT_MAX];

		if (v && !c->minimal && case_chance(c, 30))
			how = case_draw(c, 3);
		link->source[v] = how == 0   ? cards[card[v]]
				  : how == 1 ? other_names[card[v]]
					     : arena_printf(&c->arena, "\"%s\"", mac_format(&mac, buf));
	}
}

/* One card or two, which may swap places. */
static void add_physical(struct c_case *c, struct c_ns *ns) {
	size_t one = case_draw(c, 2), first[VERSIONS] = { one, one ^ (!c->minimal && case_chance(c, 15)) };

	name_source(c, add_link(c, ns, "wan", "physical", case_new_part(c)), first);
	if (case_chance(c, 60))
		return;
	name_source(c, add_link(c, ns, "lan", "physical", case_new_part(c)), (const size_t[]){ !first[0], !first[1] });
}

/* Links that exist already, and links that are moved in. */
static void add_found(struct c_case *c) {
	vec_foreach(at, &c->spaces) {
		struct c_ns *ns = *at;

		/* In a namespace that topod makes, it waits until others move it there. */
		if (!case_chance(c, !streq(ns->name, NS_HOST) && !ns->adopt ? 10 : 50))
			continue;
		add_link(c, ns, foreign_names[case_draw(c, 3)], "existing", case_new_part(c));
	}
	if (!c->real && case_chance(c, 20)) {
		struct c_ns *ns = case_pick(c, &c->spaces);

		if (!streq(ns->name, NS_HOST))
			add_physical(c, ns);
	}
}

static bool is_lower(const struct c_case *c, const struct c_link *link) {
	vec_foreach(at, &c->links)
		if ((*at)->lower == link)
			return true;
	return false;
}

static void add_attribute(struct c_case *c, struct c_link *link, const char *key, const char *const *values, size_t n) {
	struct c_attribute a = { .part = case_new_part(c), .link = link, .key = key, .n_values = n };

	a.values = arena_memdup(&c->arena, values, n * sizeof(*values));
	case_draw_values(c, values, n, a.value);
	vec_push(&c->attributes, a);
}

static void make_ports(struct c_case *c) {
	static const char *const fdb[] = { "[{mac-address: \"02:ee:00:00:00:01\"}]",
					   "[{mac-address: \"02:ee:00:00:00:01\", sticky: true}]",
					   "[{mac-address: \"02:ee:00:00:00:02\"}]" };
	static const char *const words[] = { NULL,
					     NULL,
					     "cost: 7",
					     "cost: 9",
					     "priority: 8",
					     "hairpin: true, cost: 9",
					     "isolated: true",
					     "learning: false",
					     "flood: false, cost: 7" };

	vec_foreach(at, &c->links) {
		struct c_link *bridge = *at;

		bool has_fdb = false;

		if (!bridge->kind || !streq(bridge->kind, "bridge"))
			continue;
		vec_foreach(other, &c->links) {
			struct c_link *link = *other;

			if (link->ns != bridge->ns || link->bridge || is_lower(c, link) || !case_chance(c, 60) ||
			    (link->kind && (streq(link->kind, "bridge") || streq(link->kind, "macvlan"))) ||
			    streq(link->name, "f2"))
				continue;
			link->bridge = bridge;
			link->port = case_new_part(c);
			case_draw_values(c, words, ARRAY_SIZE(words), link->as_port);
			/* The bridge has an address only once. */
			if (!has_fdb && case_chance(c, 30)) {
				add_attribute(c, link, "fdb", fdb, ARRAY_SIZE(fdb));
				has_fdb = true;
			}
		}
	}
}

#define add_attribute_of(c, link, key, ...)                                \
	do {                                                               \
		static const char *const _values[] = { __VA_ARGS__ };      \
		add_attribute(c, link, key, _values, ARRAY_SIZE(_values)); \
	} while (0)

struct maybe {
	int percent;
	const char *key, *values[2];
};

static void add_some(struct c_case *c, struct c_link *link, const struct maybe *list, size_t n) {
	for (size_t i = 0; i < n; i++)
		if (case_chance(c, list[i].percent))
			add_attribute(c, link, list[i].key, list[i].values, ARRAY_SIZE(list[i].values));
}

static void make_bridge_attributes(struct c_case *c, struct c_link *link) {
	static const struct maybe list[] = {
		{ 30, "ageing-time", { "100s", "20s" } },      { 30, "priority", { "4096", "8192" } },
		{ 20, "mcast-snooping", { "false", "true" } }, { 15, "forward-delay", { "10s", "4s" } },
		{ 10, "hello-time", { "1s", "3s" } },          { 10, "max-age", { "10s", "30s" } },
		{ 10, "group-fwd-mask", { "8", "0x18" } },
	};

	add_some(c, link, list, ARRAY_SIZE(list));
}

static void make_vxlan_attributes(struct c_case *c, struct c_link *link) {
	static const struct maybe list[] = {
		{ 50, "ttl", { "3", "8" } },
		{ 30, "ageing-time", { "60s", "90s" } },
		{ 20, "tos", { "4", "8" } },
		{ 20, "learning", { "false", "true" } },
	};

	add_some(c, link, list, ARRAY_SIZE(list));
	if (case_chance(c, c->real ? 40 : 15))
		add_attribute_of(c, link, "remote", "10.240.0.1", "10.240.0.2");
}

/* The only macvlan of its lower link may use passthru mode. */
static bool is_alone(const struct c_case *c, const struct c_link *link) {
	if (!link->kind || !streq(link->kind, "macvlan"))
		return false;
	vec_foreach(at, &c->links)
		if (*at != link && (*at)->lower == link->lower && streq((*at)->kind, "macvlan"))
			return false;
	return true;
}

static void add_mode(struct c_case *c, struct c_link *link) {
	if (is_alone(c, link) && case_chance(c, 40))
		add_attribute_of(c, link, "mode", "passthru", "bridge");
	else
		add_attribute_of(c, link, "mode", "bridge", "private", "vepa");
}

static void make_attributes(struct c_case *c, struct c_link *link) {
	bool made = !link->kind || (!streq(link->kind, "existing") && !streq(link->kind, "physical"));
	bool stands = link->lower || (link->kind && streq(link->kind, "vxlan"));

	/* Other attributes of a card that is moved in stay when it is given back. */
	if (link->kind && streq(link->kind, "physical")) {
		if (case_chance(c, 30))
			add_attribute_of(c, link, "mtu", "1400", "1450", "1330");
		if (case_chance(c, 20))
			add_attribute_of(c, link, "mac-address", "\"02:aa:00:00:02:01\"", "\"02:aa:00:00:02:02\"");
		return;
	}
	if (!stands && !is_lower(c, link) && case_chance(c, 25))
		add_attribute_of(c, link, "mtu", "1400", "1450", "1330");
	if (case_chance(c, 20))
		add_attribute_of(c, link, "txqueuelen", "500", "77", "2000");
	if (case_chance(c, 15))
		add_attribute_of(c, link, "multicast", "false", "true");
	if (made && !is_alone(c, link) && case_chance(c, 10))
		add_attribute(c, link, "mac-address",
			      (const char *[]){ /* macvlans of one link must differ */
						arena_printf(&c->arena, "\"02:aa:00:00:00:%02x\"", link->part.id & 255),
						arena_printf(&c->arena, "\"02:aa:00:00:01:%02x\"", link->part.id & 255) },
			      2);
	if (made && !is_lower(c, link) && case_chance(c, 8)) {
		link->down = true;
		add_attribute_of(c, link, "up", "false", "true");
	}
	if (case_chance(c, 8))
		add_attribute_of(c, link, "arp", "false", "true");
	if (made && case_chance(c, 8))
		add_attribute_of(c, link, "promiscuous", "true", "false");
	if (made && case_chance(c, 8))
		add_attribute_of(c, link, "ipv6-address-generation", "none", "eui64");
	if (!link->kind && case_chance(c, 12))
		add_attribute_of(c, link, "queues", "1", "2");
	if (case_chance(c, 6))
		link->drift = case_chance(c, 50) ? "report" : "ignore";
	if (link->kind && streq(link->kind, "bridge"))
		make_bridge_attributes(c, link);
	if (link->kind && streq(link->kind, "macvlan") && case_chance(c, 60))
		add_mode(c, link);
	if (link->kind && streq(link->kind, "vxlan"))
		make_vxlan_attributes(c, link);
}

void case_make_links(struct c_case *c) {
	size_t n;

	make_foreign(c);
	make_namespaces(c);
	for (n = case_draw(c, 5); n; n--)
		add_pair(c);
	add_found(c);
	for (n = case_draw(c, 4); n; n--)
		add_single(c);
	make_ports(c);
	for (n = 0; n < c->links.n; n++)
		make_attributes(c, c->links.items[n]);
}
