/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes: whether they are possible, and with which objects they are deleted.
 */
#include "world_private.h"

#include <linux/rtnetlink.h>

bool leads_over(const struct w_route *route, const struct w_link *link) {
	for (size_t i = 0; i < route->n_hops; i++)
		if (route->hops[i].dev == link)
			return true;
	return false;
}

/* A multipath route exists as long as one of its links is up (fib_sync_down_dev()). */
static bool is_cut(const struct w_route *route, const struct w_link *link, bool gone) {
	if (!leads_over(route, link))
		return false;
	for (size_t i = 0; !gone && i < route->n_hops; i++)
		if (route->hops[i].dev != link && route->hops[i].dev->values->up)
			return false;
	return true;
}

/* IPv4 routes are deleted without an event (fib_flush()), IPv6 ones with the event of the link. */
void cut_routes(struct w_link *link, uint8_t family, bool gone) {
	drop_where(&link->ns->routes, route, (!family || route->to.address.family == family) && is_cut(route, link, gone));
}

struct w_route *ns_route_by(struct w_ns *ns, const struct w_route *like, uint32_t protocol) {
	vec_foreach(route, &ns->routes)
		if (prefix_equal(&route->to, &like->to) && prefix_equal(&route->from, &like->from) &&
		    route->table == like->table && route->tos == like->tos && route->metric == like->metric &&
		    (!protocol || route->protocol == protocol))
			return route;
	return NULL;
}

struct w_route *ns_route(struct w_ns *ns, const struct w_route *like) {
	return ns_route_by(ns, like, 0);
}

/* The link that reaches a gateway: the longest prefix decides, and that route must not have a gateway itself. */
static struct w_link *reach(struct w_ns *ns, const struct ip *via, const struct w_link *dev) {
	const struct w_route *best = NULL;

	vec_foreach(route, &ns->routes)
		if (route->table == RT_TABLE_MAIN && prefix_contains(&route->to, via) &&
		    (!dev || !route->n_hops || leads_over(route, dev)) &&
		    (!best || route->to.length > best->to.length ||
		     (route->to.length == best->to.length && route->metric < best->metric)))
			best = route;
	if (!best || best->n_hops != 1 || best->hops[0].via.family || best->type != RTN_UNICAST ||
	    !best->hops[0].dev->values->up)
		return NULL;
	return best->hops[0].dev;
}

static int check_hop(struct w_ns *ns, const struct w_route *route, struct w_hop *hop) {
	bool ipv4 = route->to.address.family == AF_INET;

	if (hop->dev && !hop->dev->values->up)
		return -ENETDOWN;
	if (!hop->via.family || route->on_link)
		return hop->dev ? 0 : -ENODEV;
	hop->dev = reach(ns, &hop->via, hop->dev);
	return hop->dev ? 0 : ipv4 ? -ENETUNREACH : -EHOSTUNREACH;
}

/* fib_valid_prefsrc() asks the table local, ip6_validate_gw() the addresses. */
static bool is_usable_source(struct w_ns *ns, const struct ip *ip) {
	if (ip->family == AF_INET)
		return ns_is_local(ns, ip);
	vec_foreach(a, &ns->addresses)
		if (ip_equal(&a->address.address, ip))
			return !address_is_tentative(a);
	return false;
}

static bool leads_alike(const struct w_route *a, const struct w_route *b) {
	if (a->type != b->type || a->protocol != b->protocol || a->n_hops != b->n_hops)
		return false;
	for (size_t i = 0; i < a->n_hops; i++)
		if (a->hops[i].dev != b->hops[i].dev || !ip_equal(&a->hops[i].via, &b->hops[i].via))
			return false;
	return true;
}

/* Before the first one with its identity or after the last, unless an identical one exists (fib_table_insert()). */
static int insert(struct world *w, struct w_ns *ns, size_t at, const struct w_route *route, enum route_how how) {
	vec_foreach(other, &ns->routes)
		if (ns_route(ns, other) == ns->routes.items + at && leads_alike(other, route))
			return -EEXIST;
	vec_push(&ns->routes, *route);
	for (size_t i = ns->routes.n - 1; how == ROUTE_PREPEND && i > at; i--)
		ns->routes.items[i] = ns->routes.items[i - 1];
	if (how == ROUTE_PREPEND)
		ns->routes.items[at] = *route;
	route_changed(w, ns, route);
	return 0;
}

int route_add(struct world *w, struct w_ns *ns, struct w_route route, enum route_how how) {
	struct w_route *before;
	int r = 0;

	for (size_t i = 0; i < route.n_hops && r == 0; i++)
		r = check_hop(ns, &route, &route.hops[i]);
	if (r == 0 && route.src.family && !is_usable_source(ns, &route.src))
		r = -EINVAL;
	if (r < 0)
		return r;
	before = ns_route(ns, &route);
	if (before && how == ROUTE_ADD)
		return -EEXIST;
	route.external = !w->by_topod;
	if (before && how != ROUTE_REPLACE)
		return insert(w, ns, (size_t)(before - ns->routes.items), &route, how);
	if (before)
		*before = route;
	else
		vec_push(&ns->routes, route);
	route_changed(w, ns, &route);
	return 0;
}

int route_delete(struct world *w, struct w_ns *ns, const struct w_route *like) {
	struct w_route *route = ns_route_by(ns, like, like->protocol), gone;

	if (!route)
		return -ESRCH;
	gone = *route;
	drop_where(&ns->routes, r, r == route);
	route_changed(w, ns, &gone);
	return 0;
}
