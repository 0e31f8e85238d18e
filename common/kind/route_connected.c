/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Declared routes to networks to which an address already leads: the kernel makes a route for the address, and cannot
 * hold another with the same destination, table and metric. A declared route that equals the kernel's stands for it; one
 * that differs is an error.
 */
#include <linux/rtnetlink.h>

#include "kind/link.h"
#include "kind/route.h"
#include "model/section.h"

struct connected {
	struct prefix network, address;
	uint32_t table;
	const struct object *object; /* gives the link the address */
};

struct connections {
	vec(struct connected) list; /* sorted */
};

static void connections_done(struct connections *connections) {
	vec_done(&connections->list);
}

static int compare_networks(const struct prefix *a, const struct prefix *b) {
	int r = memcmp(&a->address, &b->address, sizeof(a->address));

	return r ? r : a->length - b->length;
}

static int compare_connected(const void *a, const void *b) {
	const struct connected *x = a, *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	return compare_networks(&x->network, &y->network);
}

static void find_connections(const struct ns_state *ns, struct connections *ret) {
	ns_foreach(object, ns) {
		struct connected c = { .object = object };

		if (!object->kind->connects || !object->kind->connects(object, &c.network) ||
		    !object->kind->assigns(object, &c.address))
			continue;
		const struct link *link = (const struct link *)ns_find_link(ns, object_home_link(object));
		if (!link || link_made_table(ns, link, &c.table))
			vec_push(&ret->list, c);
	}
	if (ret->list.n)
		qsort(ret->list.items, ret->list.n, sizeof(*ret->list.items), compare_connected);
}

/* Does the route have the table and metric of those that come with addresses? */
static bool competes_with_connected(const struct route *route) {
	uint32_t metric = route->to.address.family == AF_INET6 ? ADDRESS_IPV6_METRIC : 0;

	return !route->tos && !route->from.length && route->metric == metric;
}

/* Does the file declare more than the destination and interface? */
static bool has_attributes(const struct object *route) {
	for (size_t i = 0; i < route->kind->n_fields; i++)
		if (route->kind->fields[i].wire == WIRE_METRIC && object_has(route, i))
			return true;
	return object_has(route, ROUTE_PREFERENCE) || ((const struct route *)route)->encap.type;
}

static bool is_same_route(const struct route *route, const struct connected *c) {
	return route->type == RTN_UNICAST && !route->via.family && !route->nexthops.n &&
	       streq_ptr(route->dev, object_home_link(c->object)) &&
	       (!route->src.family || ip_equal(&route->src, &c->address.address)) && !has_attributes(&route->object);
}

static void check_route(struct reading *r, const struct connections *connections, const struct route *route) {
	const struct connected key = { .network = route->to, .table = route_made_table(route) },
			       *list = connections->list.items, *found;
	const struct object *object = &route->object;
	char network[PREFIX_TEXT_MAX], address[PREFIX_TEXT_MAX];

	found = bsearch(&key, list, connections->list.n, sizeof(key), compare_connected);
	if (!found)
		return;
	while (found > list && compare_connected(&found[-1], &key) == 0)
		found--;
	for (const struct connected *c = found; c < list + connections->list.n && compare_connected(c, &key) == 0; c++)
		if (is_same_route(route, c))
			return;
	prefix_format(&found->address, address);
	diag_error(
		r->parse.diags, object_position(object, &object->kind->fields[ROUTE_TO]),
		"the address %s of %s already adds a route to %s; give this one another 'metric', or write that address as "
		"{address: %s, noprefixroute: true}",
		address, object_home_link(found->object), prefix_format(&route->to, network), address);
	diag_note(r->parse.diags, found->object->position, "the address is here");
}

void route_check_connected(struct reading *r, const struct ns_state *ns) {
	_cleanup_(connections_done) struct connections connections = {};

	bool known = false;

	ns_foreach(object, ns) {
		const struct route *route = (const struct route *)object;

		if (object->kind != &kind_route || !competes_with_connected(route))
			continue;
		if (!known)
			find_connections(ns, &connections);
		known = true;
		if (connections.list.n)
			check_route(r, &connections, route);
	}
}
