/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses, and routes through gateways that they reach.
 */
#include "case_private.h"

/* The other end of a point-to-point link: in the network of the address, or in another. */
static void add_peer(struct c_case *c, struct c_address *a, size_t number) {
	const char *const ipv6[] = { arena_printf(&c->arena, "peer: \"fd00:%zx::fe/64\"", number),
				     arena_printf(&c->arena, "peer: \"fd00:%zx::fd/64\"", number), NULL };
	const char *const ipv4[] = { arena_printf(&c->arena, "peer: 10.%zu.0.254/24", number),
				     arena_printf(&c->arena, "peer: 10.%zu.0.253/24", number),
				     arena_printf(&c->arena, "peer: 10.%zu.0.254/24", 100 + number), NULL };

	case_draw_values(c, a->ipv6 ? ipv6 : ipv4, a->ipv6 ? ARRAY_SIZE(ipv6) : ARRAY_SIZE(ipv4), a->rest);
	for (int v = 0; v < VERSIONS; v++) {
		a->elsewhere |= !a->ipv6 && streq_ptr(a->rest[v], ipv4[2]);
		a->nodad[v] |= a->ipv6;
	}
}

static void add_address(struct c_case *c, struct c_link *link, size_t number, bool ipv6, unsigned host) {
	struct c_address *a = arena_new(&c->arena, struct c_address);

	a->part = case_new_part(c);
	a->link = link;
	a->ipv6 = ipv6;
	a->text = ipv6 ? arena_printf(&c->arena, "fd00:%zx::%x/64", number, host)
		       : arena_printf(&c->arena, "10.%zu.0.%u/24", number, host);
	a->gateway =
		ipv6 ? arena_printf(&c->arena, "fd00:%zx::fe", number) : arena_printf(&c->arena, "10.%zu.0.254", number);
	for (int v = 0; v < VERSIONS; v++) {
		a->nodad[v] =
			v && (c->minimal || case_chance(c, 85)) ? a->nodad[0] : ipv6 && (c->real || case_chance(c, 50));
		a->noprefixroute[v] = v && (c->minimal || case_chance(c, 85)) ? a->noprefixroute[0] : case_chance(c, 12);
	}
	/* Two addresses of one prefix share a route, which is added with the first. */
	if (!ipv6 && c->addresses.n && c->addresses.items[c->addresses.n - 1]->link == link)
		for (int v = 0; v < VERSIONS; v++)
			a->noprefixroute[v] = c->addresses.items[c->addresses.n - 1]->noprefixroute[v] = false;
	/* … and one scope. */
	if (!ipv6 && c->addresses.n && c->addresses.items[c->addresses.n - 1]->link == link)
		c->addresses.items[c->addresses.n - 1]->rest[0] = c->addresses.items[c->addresses.n - 1]->rest[1] = NULL;
	if (c->real)
		a->nodad[0] = a->nodad[1] = ipv6;
	if (!ipv6 && host == 1 && case_chance(c, 15)) {
		const char *const rests[] = { NULL, arena_printf(&c->arena, "label: \"%s:x\"", link->name), "scope: link",
					      arena_printf(&c->arena, "broadcast: 10.%zu.0.255", number) };

		case_draw_values(c, rests, ARRAY_SIZE(rests), a->rest);
	}
	if (host == 1 && !a->rest[0] && !a->rest[1] && !c->minimal && case_chance(c, 12))
		add_peer(c, a, number);
	vec_push(&c->addresses, a);
}

static void make_addresses(struct c_case *c) {
	for (size_t i = 0; i < c->links.n; i++) {
		struct c_link *link = c->links.items[i];

		if (case_chance(c, 45))
			add_address(c, link, i + 1, false, 1);
		if (case_chance(c, 12))
			add_address(c, link, i + 1, false, 9); /* of the same prefix */
		if (case_chance(c, 30))
			add_address(c, link, i + 1, true, 1);
	}
}

/* An address that reaches a gateway in every version that it is in. */
static struct c_address *find_way(struct c_case *c, const struct c_ns *ns, bool ipv4_only) {
	struct c_address *a = c->addresses.n ? case_pick(c, &c->addresses) : NULL;

	if (!a || a->link->down || a->elsewhere || a->noprefixroute[0] || a->noprefixroute[1] || (ns && a->link->ns != ns) ||
	    (ipv4_only && a->ipv6) || a->link->bridge || a->link->lower)
		return NULL;
	return a;
}

static void add_route(struct c_case *c) {
	static const char *const metrics[] = { NULL, "50", "60" }, *const mtus[] = { NULL, "1300", "1350" },
				 *const rests[] = { NULL,
						    "table: 100",
						    "advmss: 1000",
						    "advmss: 1100",
						    "initcwnd: 20",
						    "rto-min: 300ms",
						    "features: ecn, hoplimit: 9",
						    "quickack: true" },
				 *const ipv6[] = { NULL, "from: \"fd20::/16\"", "from: \"fd21::/16\"", "preference: high" };
	struct c_route r = { .by = find_way(c, NULL, false) };

	if (!r.by)
		return;
	r.part = case_new_part(c);
	r.ns = r.by->link->ns;
	r.to = r.by->ipv6 ? arena_printf(&c->arena, "\"fd10:%zx::/64\"", c->routes.n)
			  : arena_printf(&c->arena, "172.16.%zu.0/24", c->routes.n);
	case_draw_values(c, metrics, ARRAY_SIZE(metrics), r.metric);
	case_draw_values(c, mtus, ARRAY_SIZE(mtus), r.mtu);
	r.dev = case_chance(c, 30);
	r.src = case_chance(c, 20);
	if (case_chance(c, 20))
		case_draw_values(c, rests, ARRAY_SIZE(rests), r.rest);
	else if (r.by->ipv6 && case_chance(c, 20))
		case_draw_values(c, ipv6, ARRAY_SIZE(ipv6), r.rest);
	if (!r.by->ipv6 && case_chance(c, 15)) {
		r.second = find_way(c, r.ns, true);
		if (r.second && r.second->link == r.by->link)
			r.second = NULL;
	}
	vec_push(&c->routes, r);
}

/* A network on a link, and a gateway in it to another network, in any order in the file. */
static void add_network(struct c_case *c) {
	struct c_route net = { .by = find_way(c, NULL, false), .bare = true, .dev = true }, r;
	size_t n = c->routes.n;
	bool first = case_chance(c, 50);

	if (!net.by)
		return;
	net.part = case_new_part(c);
	net.ns = net.by->link->ns;
	net.to = net.by->ipv6 ? arena_printf(&c->arena, "\"fd77:%zx::/64\"", n)
			      : arena_printf(&c->arena, "10.77.%zu.0/24", n);
	r = net;
	r.part = case_new_part(c);
	r.bare = r.dev = false;
	r.to = net.by->ipv6 ? arena_printf(&c->arena, "\"fd78:%zx::/64\"", n)
			    : arena_printf(&c->arena, "172.18.%zu.0/24", n);
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
	struct c_route r = { .part = case_new_part(c),
			     .ns = case_pick(c, &c->spaces),
			     .type = types[case_draw(c, ARRAY_SIZE(types))] };

	r.to = arena_printf(&c->arena, "172.17.%zu.0/24", c->routes.n);
	vec_push(&c->routes, r);
}

void case_make_routes(struct c_case *c) {
	make_addresses(c);
	for (size_t n = case_draw(c, 5); n; n--)
		add_route(c);
	if (case_chance(c, 30))
		add_network(c);
	if (case_chance(c, 30))
		add_blackhole(c);
}
