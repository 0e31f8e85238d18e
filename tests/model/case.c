/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "case.h"

#define BOTH 3U

/* Chance. */

static uint64_t draw(struct c_case *c, uint64_t n) {
	uint64_t x = c->random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31) % n;
}

static bool chance(struct c_case *c, unsigned percent) {
	return draw(c, 100) < percent;
}

#define pick(c, list) ((list)->items[draw(c, (list)->n)])

static struct part new_part(struct c_case *c) {
	unsigned in = BOTH;

	if (!c->minimal && chance(c, 25))
		in = 1U << draw(c, 2);
	return (struct part){ c->n_parts++, in };
}

static struct part whole_part(struct c_case *c) {
	return (struct part){ c->n_parts++, BOTH };
}

/* Values of the two versions: mostly the same. */
static void draw_values(struct c_case *c, const char *const *values, size_t n, const char *ret[VERSIONS]) {
	ret[0] = ret[1] = values[draw(c, n)];
	if (!c->minimal && chance(c, 30))
		ret[1] = values[draw(c, n)];
}

/* Foreign things. */

static struct op *add_before(struct c_case *c, enum op_type type, const char *ns, const char *name) {
	vec_push(&c->before, (struct step){ .id = c->n_parts++, .type = STEP_OP, .op = { .type = type, .ns = ns, .name = name } });
	return &c->before.items[c->before.n - 1].op;
}

static const char *const foreign_names[] = { "f0", "f1", "f2", "f3" };

static void make_foreign_links(struct c_case *c, const char *ns) {
	struct op *op = add_before(c, OP_VETH, ns, "f0");

	op->ns2 = ns;
	op->name2 = "f1";
	if (chance(c, 50))
		add_before(c, OP_BRIDGE, ns, "f2");
	if (chance(c, 30))
		add_before(c, OP_VXLAN, ns, "f3")->number = 77;
	for (size_t i = 0; i < ARRAY_SIZE(foreign_names); i++)
		if (chance(c, 50))
			add_before(c, OP_UP, ns, foreign_names[i]);
	if (chance(c, 30))
		add_before(c, OP_MASTER, ns, "f1")->name2 = "f2";
	if (chance(c, 20))
		add_before(c, OP_MTU, ns, "f0")->number = 1390;
	if (chance(c, 20))
		add_before(c, OP_ALIAS, ns, foreign_names[draw(c, 4)])->text = chance(c, 50) ? "mine" : "topod:other";
}

static void make_foreign_addresses(struct c_case *c, const char *ns) {
	for (size_t i = 0; i < ARRAY_SIZE(foreign_names); i++) {
		if (!chance(c, 35))
			continue;
		add_before(c, OP_ADDRESS_ADD, ns, foreign_names[i])->text = arena_printf(&c->arena, "10.250.%zu.1/24", i);
		if (!chance(c, 50))
			continue;
		struct op *op = add_before(c, OP_ROUTE_ADD, ns, foreign_names[i]);
		op->text = arena_printf(&c->arena, "172.30.%zu.0/24", i);
		op->value = arena_printf(&c->arena, "10.250.%zu.2", i);
		op->number = (uint32_t)draw(c, 3);
	}
}

static void make_foreign(struct c_case *c) {
	make_foreign_links(c, NS_HOST);
	make_foreign_addresses(c, NS_HOST);
	if (chance(c, 40)) {
		add_before(c, OP_NS_ADD, "z0", NULL);
		make_foreign_links(c, "z0");
		make_foreign_addresses(c, "z0");
	}
	if (!c->real && chance(c, 30))
		add_before(c, OP_HARDWARE, NS_HOST, "eth9");
	if (chance(c, 30)) {
		struct op *op = add_before(c, OP_SETTING, NS_HOST, NULL);

		op->text = "net.ipv4.ip_forward";
		op->value = "1";
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
	size_t n = 1 + draw(c, 3);

	add_ns(c, NS_HOST, whole_part(c));
	for (size_t i = 0; i < n; i++) {
		struct c_ns *ns = add_ns(c, names[i], new_part(c));

		ns->exclusive = chance(c, 10);
		if (chance(c, 8))
			ns->drift = chance(c, 50) ? "report" : "ignore";
	}
	if (chance(c, 25)) {
		add_before(c, OP_NS_ADD, "a0", NULL);
		make_foreign_links(c, "a0");
		add_ns(c, "a0", new_part(c))->adopt = true;
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
	struct part part = new_part(c);
	struct c_ns *a = pick(c, &c->spaces), *b = pick(c, &c->spaces);
	struct c_link *x = add_link(c, a, free_name(c, a, "e"), NULL, part);
	struct c_link *y = add_link(c, b, free_name(c, b, "e"), NULL, part);

	x->peer = y;
	y->peer = x;
}

/* What others stand on must not stand on one that was looked for here. */
static struct c_link *find_lower(struct c_case *c) {
	struct c_link *link = c->links.n ? pick(c, &c->links) : NULL;

	if (!link || link->lower || link->bridge || (link->kind && !streq(link->kind, "existing")) ||
	    streq(link->name, "f1")) /* which may be a port */
		return NULL;
	return link;
}

static const char *const ids[] = { "11", "12", "13" };

static void add_single(struct c_case *c) {
	struct c_ns *ns = pick(c, &c->spaces);
	struct c_link *lower, *link;

	switch (draw(c, 3)) {
	case 0:
		add_link(c, ns, free_name(c, ns, "br"), "bridge", new_part(c));
		return;
	case 1:
		lower = find_lower(c);
		if (!lower)
			return;
		link = add_link(c, ns, free_name(c, ns, "mv"), "macvlan", new_part(c));
		link->lower = lower;
		return;
	default:
		lower = chance(c, 40) ? find_lower(c) : NULL;
		link = add_link(c, ns, free_name(c, ns, "vx"), "vxlan", new_part(c));
		link->lower = lower;
		if (lower) { /* one id where the lower link is */
			link->id[0] = link->id[1] = arena_printf(&c->arena, "%zu", 200 + c->links.n);
			return;
		}
		draw_values(c, ids, ARRAY_SIZE(ids), link->id);
		vec_foreach(at, &c->links) /* one id a namespace */
			if (*at != link && (*at)->ns == ns && (*at)->id[0] && !(*at)->lower)
				link->id[0] = link->id[1] = arena_printf(&c->arena, "%zu", 100 + c->links.n);
		return;
	}
}

/* What is there already, and what is moved in. */
static void add_found(struct c_case *c) {
	vec_foreach(at, &c->spaces) {
		struct c_ns *ns = *at;

		if ((!streq(ns->name, NS_HOST) && !ns->adopt) || !chance(c, 50))
			continue;
		add_link(c, ns, foreign_names[draw(c, 3)], "existing", new_part(c));
	}
	if (!c->real && chance(c, 20)) {
		struct c_ns *ns = pick(c, &c->spaces);

		if (!streq(ns->name, NS_HOST))
			add_link(c, ns, "wan", "physical", new_part(c))->source = "eth9";
	}
}

static bool is_lower(const struct c_case *c, const struct c_link *link) {
	vec_foreach(at, &c->links)
		if ((*at)->lower == link)
			return true;
	return false;
}

static void make_ports(struct c_case *c) {
	static const char *const words[] = { NULL, NULL, "cost: 7", "cost: 9", "priority: 8", "hairpin: true, cost: 9",
					     "isolated: true", "learning: false", "flood: false, cost: 7" };

	vec_foreach(at, &c->links) {
		struct c_link *bridge = *at;

		if (!bridge->kind || !streq(bridge->kind, "bridge"))
			continue;
		vec_foreach(other, &c->links) {
			struct c_link *link = *other;

			if (link->ns != bridge->ns || link->bridge || is_lower(c, link) || !chance(c, 60) ||
			    (link->kind && (streq(link->kind, "bridge") || streq(link->kind, "macvlan"))) ||
			    streq(link->name, "f2"))
				continue;
			link->bridge = bridge;
			link->port = new_part(c);
			draw_values(c, words, ARRAY_SIZE(words), link->as_port);
		}
	}
}

static void add_attribute(struct c_case *c, struct c_link *link, const char *key, const char *const *values, size_t n) {
	struct c_attribute a = { .part = new_part(c), .link = link, .key = key, .n_values = n };

	a.values = arena_memdup(&c->arena, values, n * sizeof(*values));
	draw_values(c, values, n, a.value);
	vec_push(&c->attributes, a);
}

#define add_attribute_of(c, link, key, ...)                                                  \
	do {                                                                                 \
		static const char *const _values[] = { __VA_ARGS__ };                        \
		add_attribute(c, link, key, _values, ARRAY_SIZE(_values));                   \
	} while (0)

static void make_bridge_attributes(struct c_case *c, struct c_link *link) {
	if (chance(c, 30))
		add_attribute_of(c, link, "ageing-time", "100s", "20s");
	if (chance(c, 30))
		add_attribute_of(c, link, "priority", "4096", "8192");
	if (chance(c, 20))
		add_attribute_of(c, link, "mcast-snooping", "false", "true");
	if (chance(c, 15))
		add_attribute_of(c, link, "forward-delay", "10s", "4s");
	if (chance(c, 10))
		add_attribute_of(c, link, "hello-time", "1s", "3s");
	if (chance(c, 10))
		add_attribute_of(c, link, "max-age", "10s", "30s");
	if (chance(c, 10))
		add_attribute_of(c, link, "group-fwd-mask", "8", "0x18");
}

static void make_vxlan_attributes(struct c_case *c, struct c_link *link) {
	if (chance(c, 50))
		add_attribute_of(c, link, "ttl", "3", "8");
	if (chance(c, 30))
		add_attribute_of(c, link, "ageing-time", "60s", "90s");
	if (chance(c, 20))
		add_attribute_of(c, link, "tos", "4", "8");
	if (chance(c, 20))
		add_attribute_of(c, link, "learning", "false", "true");
	if (chance(c, 15))
		add_attribute_of(c, link, "remote", "10.240.0.1", "10.240.0.2");
}

/* The only macvlan of its lower link: it may have that for itself. */
static bool is_alone(const struct c_case *c, const struct c_link *link) {
	if (!link->kind || !streq(link->kind, "macvlan"))
		return false;
	vec_foreach(at, &c->links)
		if (*at != link && (*at)->lower == link->lower && streq((*at)->kind, "macvlan"))
			return false;
	return true;
}

static void add_mode(struct c_case *c, struct c_link *link) {
	if (is_alone(c, link) && chance(c, 40))
		add_attribute_of(c, link, "mode", "passthru", "bridge");
	else
		add_attribute_of(c, link, "mode", "bridge", "private", "vepa");
}

static void make_attributes(struct c_case *c, struct c_link *link) {
	bool made = !link->kind || (!streq(link->kind, "existing") && !streq(link->kind, "physical"));
	bool stands = link->lower || (link->kind && streq(link->kind, "vxlan"));

	/* What was set on a card that is moved in stays when it is given back. */
	if (link->kind && streq(link->kind, "physical"))
		return;
	if (!stands && !is_lower(c, link) && chance(c, 25))
		add_attribute_of(c, link, "mtu", "1400", "1450", "1330");
	if (chance(c, 20))
		add_attribute_of(c, link, "txqueuelen", "500", "77", "2000");
	if (chance(c, 15))
		add_attribute_of(c, link, "multicast", "false", "true");
	if (made && !is_alone(c, link) && chance(c, 10))
		add_attribute(c, link, "mac-address", (const char *[]){ arena_printf(&c->arena, "\"02:aa:00:00:00:%02zx\"", c->links.n),
			arena_printf(&c->arena, "\"02:aa:00:00:01:%02x\"", link->part.id & 255) }, 2);
	if (made && !is_lower(c, link) && chance(c, 8)) {
		link->down = true;
		add_attribute_of(c, link, "up", "false", "true");
	}
	if (chance(c, 8))
		add_attribute_of(c, link, "arp", "false", "true");
	if (made && chance(c, 8))
		add_attribute_of(c, link, "promiscuous", "true", "false");
	if (made && chance(c, 8))
		add_attribute_of(c, link, "ipv6-address-generation", "none", "eui64");
	if (!link->kind && chance(c, 12))
		add_attribute_of(c, link, "queues", "1", "2");
	if (chance(c, 6))
		link->drift = chance(c, 50) ? "report" : "ignore";
	if (link->kind && streq(link->kind, "bridge"))
		make_bridge_attributes(c, link);
	if (link->kind && streq(link->kind, "macvlan") && chance(c, 60))
		add_mode(c, link);
	if (link->kind && streq(link->kind, "vxlan"))
		make_vxlan_attributes(c, link);
}

/* Addresses and routes. */

/* The other end of a point-to-point link: in the network of the address, or in another. */
static void add_peer(struct c_case *c, struct c_address *a, size_t number) {
	const char *const ipv6[] = { arena_printf(&c->arena, "peer: \"fd00:%zx::fe/64\"", number),
				     arena_printf(&c->arena, "peer: \"fd00:%zx::fd/64\"", number), NULL };
	const char *const ipv4[] = { arena_printf(&c->arena, "peer: 10.%zu.0.254/24", number),
				     arena_printf(&c->arena, "peer: 10.%zu.0.253/24", number),
				     arena_printf(&c->arena, "peer: 10.%zu.0.254/24", 100 + number), NULL };

	draw_values(c, a->ipv6 ? ipv6 : ipv4, a->ipv6 ? ARRAY_SIZE(ipv6) : ARRAY_SIZE(ipv4), a->rest);
	for (int v = 0; v < VERSIONS; v++) {
		a->elsewhere |= !a->ipv6 && streq_ptr(a->rest[v], ipv4[2]);
		a->nodad[v] |= a->ipv6;
	}
}

static void add_address(struct c_case *c, struct c_link *link, size_t number, bool ipv6, unsigned host) {
	struct c_address *a = arena_new(&c->arena, struct c_address);

	a->part = new_part(c);
	a->link = link;
	a->ipv6 = ipv6;
	a->text = ipv6 ? arena_printf(&c->arena, "fd00:%zx::%x/64", number, host)
		       : arena_printf(&c->arena, "10.%zu.0.%u/24", number, host);
	a->gateway = ipv6 ? arena_printf(&c->arena, "fd00:%zx::fe", number) : arena_printf(&c->arena, "10.%zu.0.254", number);
	for (int v = 0; v < VERSIONS; v++) {
		a->nodad[v] = v && (c->minimal || chance(c, 85)) ? a->nodad[0] : ipv6 && (c->real || link->down || chance(c, 50));
		a->noprefixroute[v] = v && (c->minimal || chance(c, 85)) ? a->noprefixroute[0] : chance(c, 12);
	}
	/* Two of one prefix have one route, which comes with the first. */
	if (!ipv6 && c->addresses.n && c->addresses.items[c->addresses.n - 1]->link == link)
		for (int v = 0; v < VERSIONS; v++)
			a->noprefixroute[v] = c->addresses.items[c->addresses.n - 1]->noprefixroute[v] = false;
	/* … and one scope. */
	if (!ipv6 && c->addresses.n && c->addresses.items[c->addresses.n - 1]->link == link)
		c->addresses.items[c->addresses.n - 1]->rest[0] = c->addresses.items[c->addresses.n - 1]->rest[1] = NULL;
	if (link->down || c->real)
		a->nodad[0] = a->nodad[1] = ipv6;
	if (!ipv6 && host == 1 && chance(c, 15)) {
		const char *const rests[] = { NULL, arena_printf(&c->arena, "label: \"%s:x\"", link->name), "scope: link",
					      arena_printf(&c->arena, "broadcast: 10.%zu.0.255", number) };

		draw_values(c, rests, ARRAY_SIZE(rests), a->rest);
	}
	if (host == 1 && !a->rest[0] && !a->rest[1] && !c->minimal && chance(c, 12))
		add_peer(c, a, number);
	vec_push(&c->addresses, a);
}

static void make_addresses(struct c_case *c) {
	for (size_t i = 0; i < c->links.n; i++) {
		struct c_link *link = c->links.items[i];

		if (chance(c, 45))
			add_address(c, link, i + 1, false, 1);
		if (chance(c, 12))
			add_address(c, link, i + 1, false, 9); /* of the same prefix */
		if (chance(c, 30))
			add_address(c, link, i + 1, true, 1);
	}
}

/* One by which a gateway can be reached in every version in which it stands. */
static struct c_address *find_way(struct c_case *c, const struct c_ns *ns, bool ipv4_only) {
	struct c_address *a = c->addresses.n ? pick(c, &c->addresses) : NULL;

	if (!a || a->link->down || a->elsewhere || a->noprefixroute[0] || a->noprefixroute[1] || (ns && a->link->ns != ns) ||
	    (ipv4_only && a->ipv6) || a->link->bridge || a->link->lower)
		return NULL;
	return a;
}

static void add_route(struct c_case *c) {
	static const char *const metrics[] = { NULL, "50", "60" }, *const mtus[] = { NULL, "1300", "1350" },
			*const rests[] = { NULL, "table: 100", "advmss: 1000", "advmss: 1100" };
	struct c_route r = { .by = find_way(c, NULL, false) };

	if (!r.by)
		return;
	r.part = new_part(c);
	r.ns = r.by->link->ns;
	r.to = r.by->ipv6 ? arena_printf(&c->arena, "\"fd10:%zx::/64\"", c->routes.n)
			  : arena_printf(&c->arena, "172.16.%zu.0/24", c->routes.n);
	draw_values(c, metrics, ARRAY_SIZE(metrics), r.metric);
	draw_values(c, mtus, ARRAY_SIZE(mtus), r.mtu);
	r.dev = chance(c, 30);
	r.src = chance(c, 20);
	if (chance(c, 20))
		draw_values(c, rests, ARRAY_SIZE(rests), r.rest);
	if (!r.by->ipv6 && chance(c, 15)) {
		r.second = find_way(c, r.ns, true);
		if (r.second && r.second->link == r.by->link)
			r.second = NULL;
	}
	vec_push(&c->routes, r);
}

/* A network on a link, and a gateway in it to another: in whichever order they are written. */
static void add_network(struct c_case *c) {
	struct c_route net = { .by = find_way(c, NULL, false), .bare = true, .dev = true }, r;
	size_t n = c->routes.n;
	bool first = chance(c, 50);

	if (!net.by)
		return;
	net.part = new_part(c);
	net.ns = net.by->link->ns;
	net.to = net.by->ipv6 ? arena_printf(&c->arena, "\"fd77:%zx::/64\"", n) : arena_printf(&c->arena, "10.77.%zu.0/24", n);
	r = net;
	r.part = new_part(c);
	r.bare = r.dev = false;
	r.to = net.by->ipv6 ? arena_printf(&c->arena, "\"fd78:%zx::/64\"", n) : arena_printf(&c->arena, "172.18.%zu.0/24", n);
	r.gateway = net.by->ipv6 ? arena_printf(&c->arena, "fd77:%zx::fe", n) : arena_printf(&c->arena, "10.77.%zu.254", n);
	r.base = n + (first ? 1 : 2);
	if (first)
		vec_push(&c->routes, net);
	vec_push(&c->routes, r);
	if (!first)
		vec_push(&c->routes, net);
}

static void add_blackhole(struct c_case *c) {
	static const char *const types[] = { "blackhole", "unreachable", "prohibit", "throw" };
	struct c_route r = { .part = new_part(c), .ns = pick(c, &c->spaces), .type = types[draw(c, ARRAY_SIZE(types))] };

	r.to = arena_printf(&c->arena, "172.17.%zu.0/24", c->routes.n);
	vec_push(&c->routes, r);
}

/* The rest. */

static void add_text(struct c_case *c, struct c_ns *ns, struct c_link *link, const char *key, const char *const *values,
		     size_t n) {
	struct c_text t = { .part = new_part(c), .ns = ns, .link = link, .key = key, .values = values };

	draw_values(c, values, n, t.value);
	vec_push(&c->texts, t);
}

static void make_settings(struct c_case *c) {
	static const char *const values[] = { "1", "2" }, *const switches[] = { "1", "0" };

	vec_foreach(at, &c->spaces) {
		if (chance(c, 25))
			add_text(c, *at, NULL, "net.ipv4.ip_forward", switches, 2);
		if (!c->real && !streq((*at)->name, NS_HOST) && chance(c, 10))
			add_text(c, *at, NULL, "net.ipv4.conf.default.rp_filter", values, 2);
	}
	vec_foreach(at, &c->links)
		if (chance(c, 12))
			add_text(c, (*at)->ns, *at, arena_printf(&c->arena, "net.ipv4.conf.%s.rp_filter", (*at)->name), values, 2);
}

static void make_texts(struct c_case *c) {
	static const char *const nat[] = {
		"[{action: masquerade, source: 10.0.0.0/8}]",
		"[{action: masquerade, source: 10.0.0.0/8}, {action: dnat, protocol: tcp, port: 80, to: \"10.1.0.2:8080\"}]",
	};
	static const char *const dns[] = { "{servers: [10.1.0.53]}", "{servers: [10.1.0.54], search: [example.org]}" };

	make_settings(c);
	vec_foreach(at, &c->spaces) {
		if (chance(c, 15))
			add_text(c, *at, NULL, "nat", nat, 2);
		if (chance(c, 15) && !streq((*at)->name, NS_HOST) && !c->real)
			add_text(c, *at, NULL, "dns", dns, 2);
	}
}

static const char *bare(struct c_case *c, const char *quoted) {
	size_t n = strlen(quoted);

	return *quoted == '"' ? arena_strndup(&c->arena, quoted + 1, n - 2) : quoted;
}

/* Foreign things in the way of declared ones. */
static void make_conflicts(struct c_case *c) {
	if (chance(c, 8)) {
		struct c_ns *ns = pick(c, &c->spaces);

		if (!streq(ns->name, NS_HOST) && !ns->adopt)
			add_before(c, chance(c, 80) ? OP_NS_ADD : OP_NS_STALE, ns->name, NULL);
	}
	if (c->links.n && chance(c, 15)) {
		struct c_link *link = pick(c, &c->links);

		if (streq(link->ns->name, NS_HOST) || link->ns->adopt)
			add_before(c, OP_BRIDGE, link->ns->name, link->name);
	}
	if (c->addresses.n && chance(c, 10)) {
		struct c_address *a = pick(c, &c->addresses);

		if (a->link->kind && streq(a->link->kind, "existing") && !a->ipv6)
			add_before(c, OP_ADDRESS_ADD, a->link->ns->name, a->link->name)->text = a->text;
	}
	if (c->routes.n && chance(c, 10)) {
		struct c_route *r = &pick(c, &c->routes);

		if (r->by && r->by->link->kind && streq(r->by->link->kind, "existing")) {
			/* Not the last address, which would take the route along. */
			add_before(c, OP_ADDRESS_ADD, r->ns->name, r->by->link->name)->text = "10.252.0.1/24";
			struct op *op = add_before(c, OP_ROUTE_ADD, r->ns->name, r->by->link->name);

			op->text = bare(c, r->to);
			op->number = r->metric[1] ? (uint32_t)atoi(r->metric[1]) : 0;
		}
	}
	if (!c->real && chance(c, 5))
		add_before(c, OP_FILE_WRITE, "n0", NULL)->text = "nameserver 9.9.9.9";
}

/* What happens. */

static struct op link_op(struct c_case *c) {
	static const enum op_type types[] = { OP_LINK_DELETE, OP_DOWN, OP_UP, OP_MTU, OP_TXQLEN, OP_MAC, OP_ALIAS, OP_NOMASTER,
					      OP_MASTER, OP_RENAME, OP_MOVE, OP_PORT_COST, OP_LINK_DELETE, OP_DOWN, OP_BRIDGE };
	struct c_link *link = pick(c, &c->links);
	struct op op = { .type = types[draw(c, ARRAY_SIZE(types))], .ns = link->ns->name, .name = link->name };

	/* A vxlan keeps its id occupied where it was made, under any name: the model knows nothing of that. */
	if (c->real && link->kind && streq(link->kind, "vxlan") && (op.type == OP_RENAME || op.type == OP_MOVE))
		op.type = OP_DOWN;
	op.number = (uint32_t)(1300 + draw(c, 5) * 10);
	op.text = op.type == OP_MAC ? "02:bb:00:00:00:01" : "";
	op.name2 = op.type == OP_MASTER ? pick(c, &c->links)->name : "moved";
	op.ns2 = pick(c, &c->spaces)->name;
	/* What somebody else has made may be made by him again. */
	if (op.type == OP_BRIDGE && link->kind && streq(link->kind, "existing") && !streq(link->name, "f2")) {
		op.type = OP_VETH;
		op.ns2 = op.ns;
		op.name2 = streq(link->name, "f0") ? "f1" : "f0";
	}
	return op;
}

static struct op address_op(struct c_case *c) {
	struct c_address *a = pick(c, &c->addresses);
	struct op op = { .ns = a->link->ns->name, .name = a->link->name, .text = a->text };

	switch (draw(c, 4)) {
	case 0:
		op.type = OP_ADDRESS_FLUSH;
		break;
	case 1:
		op.type = OP_ADDRESS_ADD; /* one of one's own */
		op.text = arena_printf(&c->arena, "10.251.%u.1/24", (unsigned)draw(c, 200));
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

static struct op route_op(struct c_case *c) {
	struct c_route *r = &pick(c, &c->routes);
	struct op op = { .type = OP_ROUTE_DELETE, .ns = r->ns->name, .text = bare(c, r->to) };

	if (r->metric[1])
		op.number = (uint32_t)atoi(r->metric[1]);
	if (!r->by || r->gateway || r->bare)
		return op;
	op.name = r->by->link->name;
	if (chance(c, 30)) {
		op.type = OP_ROUTE_REPLACE;
		op.value = r->by->ipv6 ? arena_printf(&c->arena, "%.*sfd", (int)strlen(r->by->gateway) - 2, r->by->gateway)
				       : arena_printf(&c->arena, "%.*s253", (int)strlen(r->by->gateway) - 3, r->by->gateway);
	} else if (chance(c, 20)) {
		op.type = OP_ROUTE_FLUSH;
	} else if (chance(c, 30)) {
		op.type = OP_ROUTE_DELETE; /* the kernel's own */
		struct prefix prefix;
		char buf[PREFIX_TEXT_MAX];
		prefix_parse(r->by->text, &prefix);
		prefix = prefix_network(&prefix);
		op.text = arena_strdup(&c->arena, prefix_format(&prefix, buf));
		op.number = r->by->ipv6 ? ADDRESS_IPV6_METRIC : 0;
	}
	return op;
}

static struct op text_op(struct c_case *c) {
	struct c_text *t = &pick(c, &c->texts);
	struct op op = { .ns = t->ns->name };

	if (streq(t->key, "nat")) {
		op.type = chance(c, 50) ? OP_NAT_DELETE : OP_NAT_CHANGE;
	} else if (streq(t->key, "dns")) {
		op.type = chance(c, 50) ? OP_FILE_DELETE : OP_FILE_WRITE;
		op.text = "nameserver 1.1.1.1";
	} else {
		op.type = OP_SETTING;
		op.text = t->key;
		op.value = streq(t->key, "net.ipv4.ip_forward") ? "0" : "3";
	}
	return op;
}

static struct op ns_op(struct c_case *c) {
	static const enum op_type types[] = { OP_NS_DELETE, OP_NS_DELETE, OP_NS_ADD, OP_NS_REPLACE, OP_NS_STALE };
	struct c_ns *ns = pick(c, &c->spaces);

	if (streq(ns->name, NS_HOST))
		return (struct op){ .type = OP_NS_ADD, .ns = "z1" };
	return (struct op){ .type = types[draw(c, c->real ? 4 : 5)], .ns = ns->name };
}

static struct op any_op(struct c_case *c) {
	switch (draw(c, 10)) {
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
	static const int errors[] = { ENOMEM, EBUSY, EPERM, ENOBUFS };
	static const enum step_type types[] = { STEP_OP, STEP_OP, STEP_OP, STEP_OP, STEP_OP_UNHEARD, STEP_OP_REQUEST, STEP_OP_LOOK,
						STEP_WAIT, STEP_RELOAD, STEP_FAIL_REQUEST, STEP_FAIL_LOOK, STEP_CRASH,
						STEP_RESTART, STEP_DIRTY, STEP_PAUSE };
	struct step step = { .id = c->n_parts++, .type = types[draw(c, c->real ? 4 : ARRAY_SIZE(types))] };

	step.op = any_op(c);
	step.n = 1 + draw(c, 6);
	step.error = errors[draw(c, ARRAY_SIZE(errors))];
	step.after = chance(c, 50);
	step.torn = chance(c, 50);
	/* Who renames a link between topod's look and its request may find it marked; a namespace is held open then. */
	if ((step.type == STEP_OP_REQUEST || step.type == STEP_OP_LOOK) &&
	    (step.op.type == OP_RENAME || step.op.type == OP_MOVE || step.op.type == OP_NS_REPLACE))
		step.op.type = step.op.type == OP_NS_REPLACE ? OP_NS_DELETE : OP_DOWN;
	switch (step.type) {
	case STEP_WAIT:
		step.n = 1000 * (1 + draw(c, 40000));
		break;
	case STEP_RELOAD:
		step.n = draw(c, 2);
		break;
	default:
		break;
	}
	return step;
}

static void make_steps(struct c_case *c) {
	size_t n = c->minimal || chance(c, 30) ? 0 : 1 + draw(c, c->real ? 4 : 8);

	while (n--)
		vec_push(&c->steps, any_step(c));
}

static void make_crashes(struct c_case *c) {
	for (size_t i = 0; i < ARRAY_SIZE(c->crashes); i++)
		c->crashes[i] = (struct step){ .id = c->n_parts++, .type = STEP_CRASH,
					       .n = !c->real && !c->minimal && chance(c, 15) ? 1 + draw(c, 40) : 0,
					       .after = chance(c, 50), .torn = chance(c, 50) };
}

/* One value of one part differs. */
static void differ(struct c_case *c) {
	if (c->attributes.n && chance(c, 50)) {
		struct c_attribute *a = &pick(c, &c->attributes);

		/* What is set down takes others along. */
		if (!streq(a->key, "up")) {
			a->value[0] = a->values[0];
			a->value[1] = a->values[1];
			return;
		}
	}
	if (c->texts.n && chance(c, 40)) {
		struct c_text *t = &pick(c, &c->texts);

		if (t->link || !strstr(t->key, "default")) {
			t->value[0] = t->values[0];
			t->value[1] = t->values[1];
			return;
		}
	}
	if (c->routes.n && chance(c, 40)) {
		struct c_route *r = &pick(c, &c->routes);

		if (r->by) {
			r->mtu[0] = "1280";
			r->mtu[1] = "1281";
			return;
		}
	}
	if (c->links.n && chance(c, 40)) {
		struct c_link *link = pick(c, &c->links);

		if (link->bridge) {
			link->as_port[0] = "cost: 7";
			link->as_port[1] = "cost: 9";
			return;
		}
	}
	if (c->addresses.n) {
		struct c_address *a = pick(c, &c->addresses);

		a->part.in = strstr(a->text, ".9/") ? 1U << draw(c, 2) : a->part.in;
	}
}

static void make(struct c_case *c) {
	size_t n;

	c->upgrade = chance(c, 50);
	c->minimal = chance(c, 15);
	c->upgrade |= c->minimal;
	make_foreign(c);
	make_namespaces(c);
	for (n = draw(c, 5); n; n--)
		add_pair(c);
	add_found(c);
	for (n = draw(c, 4); n; n--)
		add_single(c);
	make_ports(c);
	for (n = 0; n < c->links.n; n++)
		make_attributes(c, c->links.items[n]);
	make_addresses(c);
	for (n = draw(c, 5); n; n--)
		add_route(c);
	if (chance(c, 30))
		add_network(c);
	if (chance(c, 30))
		add_blackhole(c);
	make_texts(c);
	if (!c->minimal)
		make_conflicts(c);
	make_steps(c);
	make_crashes(c);
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

/* Telling. */

bool case_has(const struct c_case *c, int id) {
	return !c->off || !c->off[id];
}

static bool has(const struct c_case *c, const struct part *part, int v) {
	return case_has(c, part->id) && part->in >> v & 1;
}

static bool has_ns(const struct c_case *c, const struct c_ns *ns, int v) {
	return has(c, &ns->part, v);
}

static bool has_link(const struct c_case *c, const struct c_link *link, int v) {
	return has(c, &link->part, v) && has_ns(c, link->ns, v) && (!link->peer || has_ns(c, link->peer->ns, v)) &&
	       (!link->lower || has_link(c, link->lower, v));
}

static bool has_address(const struct c_case *c, const struct c_address *a, int v) {
	return has(c, &a->part, v) && has_link(c, a->link, v);
}

static bool has_route(const struct c_case *c, const struct c_route *r, int v) {
	return has(c, &r->part, v) && has_ns(c, r->ns, v) && (!r->by || has_address(c, r->by, v)) &&
	       (!r->base || has_route(c, &c->routes.items[r->base - 1], v));
}

static void print_route(const struct c_case *c, const struct c_route *r, int v, struct text *out) {
	text_addf(out, "      - {to: %s", r->to);
	if (r->type)
		text_addf(out, ", type: %s", r->type);
	if (r->second && has_address(c, r->second, v))
		text_addf(out, ", nexthops: [{via: %s, dev: %s}, {via: %s, dev: %s, weight: 2}]", r->by->gateway,
			  r->by->link->name, r->second->gateway, r->second->link->name);
	else if (r->by && !r->bare)
		text_addf(out, ", via: \"%s\"", r->gateway ? r->gateway : r->by->gateway);
	if (r->dev && !(r->second && has_address(c, r->second, v)))
		text_addf(out, ", dev: %s", r->by->link->name);
	if (r->src)
		text_addf(out, ", src: \"%.*s\"", (int)strcspn(r->by->text, "/"), r->by->text);
	if (r->metric[v])
		text_addf(out, ", metric: %s", r->metric[v]);
	if (r->mtu[v])
		text_addf(out, ", mtu: %s", r->mtu[v]);
	if (r->rest[v])
		text_addf(out, ", %s", r->rest[v]);
	text_add(out, "}\n");
}

static void print_ports(const struct c_case *c, const struct c_link *bridge, int v, struct text *out) {
	size_t n = 0;

	vec_foreach(at, &c->links) {
		const struct c_link *link = *at;

		if (link->bridge != bridge || !has_link(c, link, v) || !has(c, &link->port, v))
			continue;
		text_add(out, n++ ? ", " : ", ports: [");
		if (link->as_port[v])
			text_addf(out, "{name: %s, %s}", link->name, link->as_port[v]);
		else
			text_add(out, link->name);
	}
	text_add(out, n ? "]" : "");
}

static void print_addresses(const struct c_case *c, const struct c_link *link, int v, struct text *out) {
	size_t n = 0;

	vec_foreach(at, &c->addresses) {
		const struct c_address *a = *at;

		if (a->link != link || !has_address(c, a, v))
			continue;
		text_addf(out, "%s{address: \"%s\"", n++ ? ", " : ", addresses: [", a->text);
		text_addf(out, "%s%s%s%s}", a->nodad[v] ? ", nodad: true" : "", a->noprefixroute[v] ? ", noprefixroute: true" : "",
			  a->rest[v] ? ", " : "", a->rest[v] ? a->rest[v] : "");
	}
	text_add(out, n ? "]" : "");
}

static void print_link(const struct c_case *c, const struct c_link *link, int v, struct text *out) {
	struct text rest = {};

	if (link->kind)
		text_addf(&rest, ", kind: %s", link->kind);
	if (link->lower)
		text_addf(&rest, ", %s: \"%s:%s\"", streq(link->kind, "vxlan") ? "dev" : "link", link->lower->ns->name, link->lower->name);
	if (link->id[v])
		text_addf(&rest, ", id: %s", link->id[v]);
	if (link->source)
		text_addf(&rest, ", source: %s", link->source);
	if (link->drift)
		text_addf(&rest, ", drift: %s", link->drift);
	vec_foreach(a, &c->attributes)
		if (a->link == link && has(c, &a->part, v))
			text_addf(&rest, ", %s: %s", a->key, a->value[v]);
	print_ports(c, link, v, &rest);
	print_addresses(c, link, v, &rest);
	if (rest.size)
		text_addf(out, "      %s: {%s}\n", link->name, rest.data + 2);
	text_done(&rest);
}

static void print_ns(const struct c_case *c, const struct c_ns *ns, int v, struct text *out) {
	size_t n = 0;

	text_addf(out, "  %s:\n    interfaces:\n      lo: {}\n", ns->name);
	vec_foreach(at, &c->links)
		if ((*at)->ns == ns && has_link(c, *at, v))
			print_link(c, *at, v, out);
	if (ns->adopt)
		text_add(out, "    adopt: true\n");
	if (ns->exclusive)
		text_add(out, "    exclusive: true\n");
	if (ns->drift)
		text_addf(out, "    drift: %s\n", ns->drift);
	vec_foreach(r, &c->routes)
		if (r->ns == ns && has_route(c, r, v)) {
			text_add(out, n++ ? "" : "    routes:\n");
			print_route(c, r, v, out);
		}
	n = 0;
	vec_foreach(t, &c->texts)
		if (t->ns == ns && has(c, &t->part, v) && (!t->link || has_link(c, t->link, v)) && strchr(t->key, '.'))
			text_addf(out, "%s      %s: %s\n", n++ ? "" : "    sysctl:\n", t->key, t->value[v]);
	vec_foreach(t, &c->texts)
		if (t->ns == ns && has(c, &t->part, v) && !strchr(t->key, '.'))
			text_addf(out, "    %s: %s\n", t->key, t->value[v]);
}

char *case_yaml(const struct c_case *c, int v) {
	struct text out = {};

	if (c->yaml[v])
		return xstrdup(c->yaml[v]);
	text_add(&out, "topology: t\nnamespaces:\n");
	vec_foreach(at, &c->spaces)
		if (has_ns(c, *at, v))
			print_ns(c, *at, v, &out);
	for (size_t i = 0, n = 0; i < c->links.n; i++) {
		const struct c_link *x = c->links.items[i], *y = x->peer;

		if (y && i + 1 < c->links.n && c->links.items[i + 1] == y && has_link(c, x, v))
			text_addf(&out, "%s  - [%s:%s, %s:%s]\n", n++ ? "" : "links:\n", x->ns->name, x->name, y->ns->name, y->name);
	}
	return text_take(&out);
}

void step_print(const struct step *step, struct text *out) {
	static const char *const words[] = {
		[STEP_OP] = "", [STEP_OP_UNHEARD] = "unheard: ", [STEP_OP_REQUEST] = "before a request: ",
		[STEP_OP_LOOK] = "after a look: ", [STEP_WAIT] = "wait", [STEP_RELOAD] = "reload", [STEP_FAIL_REQUEST] = "fail request",
		[STEP_FAIL_LOOK] = "fail look", [STEP_CRASH] = "crash", [STEP_RESTART] = "restart", [STEP_DIRTY] = "dirty",
		[STEP_PAUSE] = "in a pause: ",
	};

	text_add(out, words[step->type]);
	if (step->type <= STEP_OP_LOOK || step->type == STEP_PAUSE)
		op_print(&step->op, out);
	if (step->type > STEP_OP_UNHEARD)
		text_addf(out, " (%zu%s%s%s%s)", step->n, step->type == STEP_FAIL_REQUEST || step->type == STEP_FAIL_LOOK ? " " : "",
			  step->type == STEP_FAIL_REQUEST || step->type == STEP_FAIL_LOOK ? strerrorname_np(step->error) : "",
			  step->type == STEP_CRASH && step->after ? " after" : "",
			  step->type == STEP_CRASH && step->torn ? " torn" : "");
	text_addf(out, "   # part %d\n", step->id);
}

void case_print(const struct c_case *c, struct text *out) {
	bool both = c->upgrade;

	text_add(out, "# Before:\n");
	vec_foreach(step, &c->before)
		if (case_has(c, step->id))
			step_print(step, out);
	vec_foreach(step, &c->steps)
		both |= step->type == STEP_RELOAD && case_has(c, step->id);
	for (int v = both ? 0 : 1; v < VERSIONS; v++) {
		_cleanup_free_ char *yaml = case_yaml(c, v);

		text_addf(out, "# Version %d:\n%s", v, yaml);
		if (c->crashes[v].n && case_has(c, c->crashes[v].id))
			step_print(&c->crashes[v], out);
	}
	text_add(out, "# Then:\n");
	vec_foreach(step, &c->steps)
		if (case_has(c, step->id))
			step_print(step, out);
	text_add(out, "# Then down:\n");
	if (c->crashes[VERSIONS].n && case_has(c, c->crashes[VERSIONS].id))
		step_print(&c->crashes[VERSIONS], out);
}
