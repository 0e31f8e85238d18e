/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which fields of an observed route can be left out when it is written to a file. */
#include "kind/protocol.h"
#include "kind/route.h"

const char *route_left_out(struct arena *arena, const struct object *observed) {
	const struct route *r = (const struct route *)observed;
	const char *why = encap_left_out(&r->encap);

	for (size_t i = 0; i < r->nexthops.n && !why; i++)
		why = encap_left_out(&r->nexthops.items[i].encap);
	return why ? why : protocol_keeper(arena, observed, r->protocol);
}

/* Is the gateway on the link of this route, and on no other? */
static bool is_found_by_gateway(const struct state *seen, const struct route *r) {
	bool found = false;

	if (!r->via.family || r->on_link || ip_is_link_local(&r->via))
		return false;
	ns_foreach(object, state_find(seen, r->object.ns)) {
		struct prefix network;

		if (!object->kind->reaches || !object->kind->reaches(object, &network) ||
		    !prefix_contains(&network, &r->via))
			continue;
		if (!streq_ptr(object_home_link(object), r->dev))
			return false;
		found = true;
	}
	return found;
}

bool route_is_usual(const struct state *seen, const struct object *observed, size_t field) {
	const struct route *r = (const struct route *)observed;
	bool ipv6 = r->to.address.family == AF_INET6;

	if (field == ROUTE_TABLE)
		return r->table == RT_TABLE_MAIN;
	if (field == ROUTE_TOS)
		return !r->tos || ipv6;
	if (field == ROUTE_METRIC)
		return r->metric == (ipv6 ? 1024 : 0);
	if (field == ROUTE_TYPE)
		return r->type == RTN_UNICAST;
	if (field == ROUTE_SCOPE)
		return ipv6 || r->scope == route_usual_scope(r);
	if (field == ROUTE_FROM)
		return !r->from.length;
	/* The kernel shows lo for an IPv6 route of type blackhole, unreachable or prohibit. */
	return field == ROUTE_DEV && (!route_has_device_type(r) || is_found_by_gateway(seen, r));
}

bool route_needs_exact(const struct object *observed) {
	return !route_known_family((const struct route *)observed);
}
