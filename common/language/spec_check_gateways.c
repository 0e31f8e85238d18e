/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: can their gateways be reached? */
#include "kind/address.h"
#include "kind/route.h"
#include "language/spec_check.h"

enum {
	REACH_MAX = 10 * 1000 * 1000, /* comparisons of gateways with prefixes in one namespace */
};

/* What can reach a gateway: the addresses of a namespace, and its routes that have no gateway themselves. */
struct reach {
	vec(const struct address *) addresses;
	vec(const struct route *) direct;
	size_t n_routes; /* with a gateway */
};

static void reach_done(struct reach *reach) {
	vec_done(&reach->addresses);
	vec_done(&reach->direct);
}

/* How many links declare a prefix that covers the gateway. */
static size_t count_covering(const struct reach *reach, const struct ip *via, const char *dev) {
	const char *counted = NULL;
	size_t n = 0;

	vec_foreach(at, &reach->addresses) {
		const struct address *a = *at;

		/* The addresses of one link stand together. */
		if ((dev && !streq(dev, a->dev)) || streq_ptr(counted, a->dev))
			continue;
		if (!prefix_contains(a->peer.address.family ? &a->peer : &a->address, via))
			continue;
		counted = a->dev;
		n++;
	}
	return n;
}

static bool routed(const struct reach *reach, const struct ip *via) {
	vec_foreach(route, &reach->direct)
		if (prefix_contains(&(*route)->to, via))
			return true;
	return false;
}

static void check_gateway(struct reading *r, const struct ns_state *ns, const struct reach *reach,
			  const struct object *object) {
	const struct route *route = (const struct route *)object;
	char buf[IP_TEXT_MAX];

	if (!route->via.family || check_is_open(ns) || (object_has(object, ROUTE_ON_LINK) && route->on_link) ||
	    ip_is_link_local(&route->via) || routed(reach, &route->via))
		return;
	struct mark mark = object_mark(object, &object->kind->fields[ROUTE_VIA]);
	size_t n = count_covering(reach, &route->via, route->dev);
	if (n == 0)
		diag_warning(r->parse.diags, mark, "no declared address of %s covers the gateway %s", ns->name,
			     ip_format(&route->via, buf));
	else if (n > 1 && !route->dev)
		diag_warning(r->parse.diags, mark,
			     "%zu interfaces of %s could reach the gateway %s; 'dev' would say which is meant", n, ns->name,
			     ip_format(&route->via, buf));
}

/* A help, which is not worth minutes: where there is too much of both, nothing is said. */
static void check_all_gateways(struct reading *r, const struct ns_state *ns) {
	_cleanup_(reach_done) struct reach reach = {};

	ns_foreach(object, ns) {
		if (object->kind == &kind_address)
			vec_push(&reach.addresses, (const struct address *)object);
		else if (object->kind == &kind_route && ((const struct route *)object)->via.family)
			reach.n_routes++;
		else if (object->kind == &kind_route)
			vec_push(&reach.direct, (const struct route *)object);
	}
	if (reach.n_routes > REACH_MAX / (reach.addresses.n + reach.direct.n + 1))
		return;
	ns_foreach(object, ns)
		if (object->kind == &kind_route)
			check_gateway(r, ns, &reach, object);
}

const struct check check_gateways = { .ns = check_all_gateways };
