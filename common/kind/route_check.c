/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes of a namespace: can their gateways be reached, and does an interface have their source address? Errors within a
 * single route are reported by route.c. Hooks of the kinds tell which objects give a link an address, and in which network.
 *
 * Most checks are only for namespaces that topod makes: in others, somebody else may add addresses and routes. The
 * kernel looks up a gateway in the route's own table and then in main, and accepts only what is on a link
 * (fib_check_nh(), net/ipv4/fib_semantics.c; ip6_route_check_nh(), net/ipv6/route.c).
 */
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "kind/link.h"
#include "kind/route.h"
#include "model/section.h"

enum { LINKS_COUNTED = 16 }; /* links that may reach a gateway; it only matters whether there are several */

/* How a network can be reached. */
enum way {
	WAY_ADDRESS, /* it is the network of a link's address */
	WAY_LINK,    /* a route leads to it directly over a link */
	WAY_GATEWAY, /* a route leads to it through a gateway */
	WAY_DOWN,    /* it is the network of an address on a link that the file keeps down */
};

struct network {
	struct prefix prefix;
	enum way way;
	const char *dev;           /* of an address (WAY_ADDRESS, WAY_DOWN); else "" */
	uint32_t table;            /* a route's table; an address's VRF table, or 0 */
	const struct route *route; /* or NULL */
};

/* Sorted networks, and the prefix lengths that occur, so that a gateway is looked up once for each length. */
struct reach {
	vec(struct network) networks;
	vec(struct ip) own;   /* the namespace's addresses, sorted */
	bool lengths[2][129]; /* of IPv4, of IPv6 */
	bool ways[4];         /* that occur; indexed by enum way */
	bool host_scope;      /* some route has scope host */
	bool unsure;          /* a link is awaited, and it may bring addresses */
};

static void reach_done(struct reach *reach) {
	vec_done(&reach->networks);
	vec_done(&reach->own);
}

static int compare_ips(const void *a, const void *b) {
	return memcmp(a, b, sizeof(struct ip));
}

/* Compares the prefix and then how it is reached. */
static int compare_prefixes(const void *a, const void *b) {
	const struct network *x = a, *y = b;
	int r = compare_ips(&x->prefix.address, &y->prefix.address);

	if (r == 0)
		r = x->prefix.length - y->prefix.length;
	return r ? r : (int)x->way - (int)y->way;
}

static int compare_networks(const void *a, const void *b) {
	const struct network *x = a, *y = b;
	int r = compare_prefixes(x, y);

	if (r == 0)
		r = strcmp(x->dev, y->dev);
	return r ? r : (x->table > y->table) - (x->table < y->table);
}

static void add_network(struct reach *reach, struct network network) {
	network.prefix = prefix_network(&network.prefix);
	reach->lengths[network.prefix.address.family == AF_INET6][network.prefix.length] = true;
	reach->ways[network.way] = true;
	vec_push(&reach->networks, network);
}

static bool has_gateway(const struct route *route) {
	bool any = route->via.family;

	for (size_t i = 0; i < route->nexthops.n; i++)
		any |= route->nexthops.items[i].via.family != 0;
	return any;
}

static void add_route(struct reach *reach, const struct route *route) {
	bool ipv4 = route->to.address.family == AF_INET;

	reach->host_scope |= ipv4 && route->scope >= RT_SCOPE_HOST;
	if ((route->type != RTN_UNICAST && route->type != RTN_LOCAL) ||
	    route->from.length) /* a gateway is looked up for any source */
		return;
	if (has_gateway(route))
		add_network(reach, (struct network){ route->to, WAY_GATEWAY, "", route->table, route });
	else if (!ipv4 || route->scope >= RT_SCOPE_LINK)
		add_network(reach, (struct network){ route->to, WAY_LINK, "", route->table, route });
}

/* The link, if the file keeps it down; or NULL. */
static const struct object *find_down(const struct ns_state *ns, const char *dev) {
	const struct object *link = dev ? ns_find_link(ns, dev) : NULL;

	return link && link_is_kept_down(link) ? link : NULL;
}

static void collect(const struct ns_state *ns, struct reach *reach) {
	size_t n = 0;

	ns_foreach(object, ns) {
		const struct kind *kind = object->kind;
		struct prefix own, network;

		if (kind->assigns && kind->assigns(object, &own) && kind->reaches(object, &network)) {
			const char *dev = object_home_link(object);

			add_network(reach, (struct network){ network, find_down(ns, dev) ? WAY_DOWN : WAY_ADDRESS, dev,
							     link_table_of(ns, dev), NULL });
			vec_push(&reach->own, own.address);
		} else if (object->kind == &kind_route) {
			add_route(reach, (const struct route *)object);
		} else {
			reach->unsure |= object->awaited;
		}
	}
	if (reach->own.n)
		qsort(reach->own.items, reach->own.n, sizeof(*reach->own.items), compare_ips);
	if (!reach->networks.n)
		return;
	qsort(reach->networks.items, reach->networks.n, sizeof(*reach->networks.items), compare_networks);
	/* Removes duplicates, so that no lookup walks over many equal networks. */
	for (size_t i = 1; i < reach->networks.n; i++)
		if (compare_networks(&reach->networks.items[n], &reach->networks.items[i]) != 0)
			reach->networks.items[++n] = reach->networks.items[i];
	reach->networks.n = n + 1;
}

/* The index of the first network that is not before the key; their number if there is none. */
static size_t find_from(const struct reach *reach, const struct network *key, int (*compare)(const void *, const void *)) {
	size_t low = 0, high = reach->networks.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&reach->networks.items[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Moves to the next shorter length that occurs; false: there is none. Start with bits + 1. */
static bool shorter(const struct reach *reach, const struct ip *ip, unsigned *length) {
	while (*length > 0)
		if (reach->lengths[ip->family == AF_INET6][--*length])
			return true;
	return false;
}

static const struct network *find_network(const struct reach *reach, const struct network *key) {
	size_t at = find_from(reach, key, compare_networks);

	return at < reach->networks.n && compare_networks(&reach->networks.items[at], key) == 0 ? &reach->networks.items[at]
												: NULL;
}

/* The first network with the key's prefix and way, or NULL. */
static const struct network *find_first(const struct reach *reach, const struct network *key) {
	size_t at = find_from(reach, key, compare_prefixes);

	return at < reach->networks.n && compare_prefixes(&reach->networks.items[at], key) == 0 ? &reach->networks.items[at]
												: NULL;
}

static size_t count_new(const struct reach *reach, const struct network *key, const char **counted, size_t n_counted) {
	for (size_t i = find_from(reach, key, compare_prefixes); i < reach->networks.n && n_counted < LINKS_COUNTED; i++) {
		const struct network *network = &reach->networks.items[i];
		size_t at = 0;

		if (compare_prefixes(network, key) != 0)
			break;
		if (network->table && network->table != key->table)
			continue;
		while (at < n_counted && !streq(counted[at], network->dev))
			at++;
		if (at == n_counted)
			counted[n_counted++] = network->dev;
	}
	return n_counted;
}

/* How many links outside VRFs, or in the VRF with this table, have an address whose network contains the gateway; with dev,
 * 1 if that link has one. */
static size_t count_covering(const struct reach *reach, const struct ip *via, const char *dev, uint32_t table) {
	const char *counted[LINKS_COUNTED];
	size_t n = 0;

	for (unsigned length = ip_bits(via->family) + 1U; shorter(reach, via, &length);) {
		struct prefix prefix = { *via, (uint8_t)length };
		struct network key = { prefix_network(&prefix), WAY_ADDRESS, dev, table, NULL };

		if (!dev)
			n = count_new(reach, &key, counted, n);
		else if (find_network(reach, &key))
			return 1;
	}
	return n;
}

/* A link that would reach the gateway if it were not kept down; or NULL. */
static const char *find_way_down(const struct reach *reach, const struct ip *via) {
	const struct network *found = NULL;

	if (!reach->ways[WAY_DOWN])
		return NULL;
	for (unsigned length = ip_bits(via->family) + 1U; !found && shorter(reach, via, &length);) {
		struct prefix prefix = { *via, (uint8_t)length };

		found = find_first(reach, &(struct network){ prefix_network(&prefix), WAY_DOWN, "", 0, NULL });
	}
	return found ? found->dev : NULL;
}

/* A route to the gateway, in the given table or in main, that reaches it in the given way; not a default route. */
static const struct route *find_route(const struct reach *reach, const struct ip *via, uint32_t table, enum way way) {
	if (!reach->ways[way])
		return NULL;
	for (unsigned length = ip_bits(via->family) + 1U; shorter(reach, via, &length) && length > 0;) {
		struct prefix prefix = { *via, (uint8_t)length };
		struct network key = { prefix_network(&prefix), way, "", table, NULL };
		const struct network *found = find_network(reach, &key);

		key.table = RT_TABLE_MAIN;
		found = found ? found : find_network(reach, &key);
		if (found)
			return found->route;
	}
	return NULL;
}

static bool is_own(const struct reach *reach, const struct ip *ip) {
	return reach->own.n && bsearch(ip, reach->own.items, reach->own.n, sizeof(*reach->own.items), compare_ips);
}

/* Reports an error, or only a warning if somebody else may supply what is missing. */
typedef void (*diag_fn)(struct diags *diags, struct position position, const char *format, ...) _printf_(3, 4);

static diag_fn refuse(bool unless_others) {
	return unless_others ? diag_warning : diag_error;
}

struct gateway {
	const struct object *object;
	const struct ip *via;
	const char *dev;
	bool on_link;
	struct position position;
};

static void note_down(struct reading *r, const struct object *link) {
	diag_note(r->parse.diags, object_position(link, &link->kind->fields[LINK_UP]), "it is kept down here");
}

/* The interface must be up: fib_check_nh_v4_gw() and fib_check_nh_nongw(), net/ipv4/fib_semantics.c; fib6_nh_init(),
 * net/ipv6/route.c. */
static void check_device(struct reading *r, const struct ns_state *ns, const char *dev, struct position position) {
	const struct object *link = find_down(ns, dev);

	if (!link)
		return;
	diag_error(
		r->parse.diags, position,
		"the kernel refuses a route over an interface that is down, and %s has 'up: false'; remove that, or the route",
		dev);
	note_down(r, link);
}

/* An IPv4 route of type local does not need its link up (fib_create_info(): RT_SCOPE_HOST). */
static void check_devices(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const struct route *route = (const struct route *)object;

	if (route->to.address.family == AF_INET && route->scope == RT_SCOPE_HOST)
		return;
	check_device(r, ns, route->dev, object_position(object, &object->kind->fields[ROUTE_DEV]));
	for (size_t i = 0; i < route->nexthops.n; i++)
		check_device(r, ns, route->nexthops.items[i].dev,
			     object_position(object, &object->kind->fields[ROUTE_NEXTHOPS]));
}

static void check_gateway(struct reading *r, const struct ns_state *ns, const struct reach *reach, const struct gateway *g) {
	const struct route *behind, *route = (const struct route *)g->object;
	const char *down;
	char buf[IP_TEXT_MAX], next[IP_TEXT_MAX];
	size_t n;

	if (!g->via->family || g->on_link || find_down(ns, g->dev) ||
	    (g->via->family == AF_INET6 && ip_is_link_local(g->via)) || find_route(reach, g->via, route->table, WAY_LINK))
		return;
	n = count_covering(reach, g->via, g->dev, g->dev ? link_table_of(ns, g->dev) : route_made_table(route));
	behind = n ? NULL : find_route(reach, g->via, route->table, WAY_GATEWAY);
	down = n || behind ? NULL : find_way_down(reach, g->via);
	if (down) {
		refuse(reach->unsure)(
			r->parse.diags, g->position,
			"only %s reaches the gateway %s, and has 'up: false': the kernel refuses the route; remove "
			"that, or the route",
			down, ip_format(g->via, buf));
		note_down(r, ns_find_link(ns, down));
	} else if (behind && behind->via.family) {
		refuse(reach->unsure)(
			r->parse.diags, g->position,
			"the gateway %s is itself behind a gateway, which the kernel refuses; the next gateway "
			"on the path is %s",
			ip_format(g->via, buf), ip_format(&behind->via, next));
		diag_note(r->parse.diags, behind->object.position, "by this route");
	} else if (n == 0 && !is_own(reach, g->via)) { /* our own address gets a better warning (route_meaning.c) */
		diag_warning(r->parse.diags, g->position, "no declared address of %s covers the gateway %s", ns->name,
			     ip_format(g->via, buf));
	} else if (n > 1 && !g->dev) {
		diag_warning(r->parse.diags, g->position,
			     "%s%zu interfaces of %s could reach the gateway %s; write 'dev' to say which one",
			     n == LINKS_COUNTED ? "at least " : "", n, ns->name, ip_format(g->via, buf));
	}
}

static void check_route_gateways(struct reading *r, const struct ns_state *ns, const struct reach *reach,
				 const struct object *object) {
	const struct route *route = (const struct route *)object;
	bool on_link = object_has(object, ROUTE_ON_LINK) && route->on_link;
	struct gateway own = { object, &route->via, route->dev, on_link,
			       object_position(object, &object->kind->fields[ROUTE_VIA]) };

	check_gateway(r, ns, reach, &own);
	for (size_t i = 0; i < route->nexthops.n; i++) {
		const struct nexthop *hop = &route->nexthops.items[i];
		struct position position = object_position(object, &object->kind->fields[ROUTE_NEXTHOPS]);

		check_gateway(r, ns, reach, &(struct gateway){ object, &hop->via, hop->dev, hop->on_link, position });
	}
}

/* fib_valid_prefsrc() accepts any local address, also one in 127.0.0.0/8 or in a route of type local. For IPv6, a
 * router may have advertised the prefix of an undeclared address. */
static void check_source(struct reading *r, const struct ns_state *ns, const struct reach *reach,
			 const struct object *object) {
	const struct route *route = (const struct route *)object, *local;
	struct position position = object_position(object, &object->kind->fields[ROUTE_SRC]);
	bool ipv4 = route->src.family == AF_INET;
	char buf[IP_TEXT_MAX];

	if (!route->src.family || is_own(reach, &route->src) || (ipv4 && route->src.bytes[0] == 127) ||
	    (ipv4 && route->type != RTN_UNICAST) || (!ipv4 && ip_is_link_local(&route->src)))
		return;
	local = ipv4 ? find_route(reach, &route->src, RT_TABLE_LOCAL, WAY_LINK) : NULL;
	if (local && local->type == RTN_LOCAL)
		return;
	refuse(!ipv4 || reach->unsure)(r->parse.diags, position,
				       "no interface of %s has the address %s; without it the kernel "
				       "refuses the route",
				       ns->name, ip_format(&route->src, buf));
}

/* The IPv6 address of a link that is down stays tentative, and a route with this source waits (plan/diff_waiting.c). */
static void check_source_up(struct reading *r, const struct ns_state *ns, const struct reach *reach,
			    const struct object *route) {
	const struct ip *src = &((const struct route *)route)->src;
	bool any = src->family == AF_INET6 && find_way_down(reach, src), later;
	char buf[IP_TEXT_MAX];

	ns_foreach(object, any ? ns : NULL) {
		const struct object *link = find_down(ns, object_home_link(object));

		if (!link || !object->kind->provides || !object->kind->provides(object, src, &later) || !later)
			continue;
		diag_warning(r->parse.diags, object_position(route, &route->kind->fields[ROUTE_SRC]),
			     "the route waits for the duplicate address detection of %s, which does not end while %s has "
			     "'up: false'; remove that, or write 'nodad: true' with the address",
			     ip_format(src, buf), object_home_link(object));
		note_down(r, link);
	}
}

/* An IPv4 gateway must have a narrower scope than the destination. */
static void check_scope(struct reading *r, const struct reach *reach, const struct object *object) {
	const struct route *route = (const struct route *)object;
	struct position position = object_position(object, &object->kind->fields[ROUTE_SCOPE]);
	static const char text[] =
		"with 'scope: link' the destination is on the link itself and has no gateway; leave 'scope' out";

	if (route->via.family != AF_INET || !object_has(object, ROUTE_SCOPE) || route->scope != RT_SCOPE_LINK)
		return;
	refuse(reach->host_scope || is_own(reach, &route->via))(r->parse.diags, position, "%s", text);
}

void route_check_all(struct reading *r, const struct ns_state *ns) {
	_cleanup_(reach_done) struct reach reach = {};
	bool open = ns_is_open(ns);

	route_check_connected(r, ns);
	collect(ns, &reach);
	reach.host_scope |= open; /* others may have such routes */
	ns_foreach(object, ns) {
		if (object->kind != &kind_route)
			continue;
		check_scope(r, &reach, object);
		check_devices(r, ns, object);
		check_source_up(r, ns, &reach, object);
		if (open)
			continue;
		check_route_gateways(r, ns, &reach, object);
		check_source(r, ns, &reach, object);
	}
}
