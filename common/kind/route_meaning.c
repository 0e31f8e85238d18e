/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mistakes with gateways: an address of the host itself, or one that no host on the segment has. */
#include "kind/link.h"
#include "kind/route.h"
#include "kind/route_wire.h"
#include "meaning/places.h"

enum { COVER_MAX = 2 * 1000 * 1000 }; /* limit of comparisons of gateways with addresses in one namespace */

/* A gateway that a route names. */
struct hop {
	struct ip via;
	const char *dev; /* NULL: found by the addresses */
	uint32_t table;  /* the VRF's in which it is looked up; 0: none */
	struct position position;
};

/* A network that a link reaches without a gateway. */
struct network {
	struct prefix prefix;
	const char *dev;
	uint32_t table; /* of its VRF; 0: none */
};

/* The gateways and addresses of a namespace. */
struct hops {
	vec(struct hop) list;
	vec(struct network) networks;
};

static void hops_done(struct hops *hops) {
	vec_done(&hops->list);
	vec_done(&hops->networks);
}

static int compare_hops(const void *a, const void *b) {
	const struct hop *x = a, *y = b;
	int r = memcmp(&x->via, &y->via, sizeof(x->via));

	if (r == 0)
		r = strcmp(x->dev ? x->dev : "", y->dev ? y->dev : "");
	if (r == 0)
		r = (x->table > y->table) - (x->table < y->table);
	return r ? r : place_compare_positions(x->position, y->position);
}

static void add_hop(struct hops *hops, const struct ns_state *ns, const struct route *route, struct hop hop) {
	hop.table = hop.dev ? link_table_of(ns, hop.dev) : route_made_table(route);
	if (hop.via.family && !ip_is_link_local(&hop.via))
		vec_push(&hops->list, hop);
}

static void find_hops(const struct ns_state *ns, struct hops *hops) {
	ns_foreach(object, ns) {
		const struct route *route = (const struct route *)object;
		struct prefix prefix;

		const char *dev = object_home_link(object);

		if (object->kind->reaches && object->kind->reaches(object, &prefix))
			vec_push(&hops->networks, (struct network){ prefix, dev, link_table_of(ns, dev) });
		if (object->kind != &kind_route)
			continue;
		add_hop(hops, ns, route,
			(struct hop){ route->via, route->dev, 0, object_position(object, &route_fields[ROUTE_VIA]) });
		for (size_t i = 0; i < route->nexthops.n; i++)
			add_hop(hops, ns, route,
				(struct hop){ route->nexthops.items[i].via, route->nexthops.items[i].dev, 0,
					      object_position(object, &route_fields[ROUTE_NEXTHOPS]) });
	}
	if (hops->list.n)
		qsort(hops->list.items, hops->list.n, sizeof(*hops->list.items), compare_hops);
}

/* The only interface whose addresses cover the gateway; NULL: none, or several. */
static const char *covering_dev(const struct hops *hops, const struct hop *hop) {
	const char *dev = NULL;

	vec_foreach(network, &hops->networks) {
		if (!prefix_contains(&network->prefix, &hop->via) || (network->table && network->table != hop->table))
			continue;
		if (dev && !streq(dev, network->dev))
			return NULL;
		dev = network->dev;
	}
	return dev;
}

static bool is_own(struct meaning *m, const struct ns_state *ns, const struct hop *hop) {
	char buf[IP_TEXT_MAX];

	place_foreach(place, m, &hop->via)
		if (place->ns == ns && link_table_of(ns, place->dev) == hop->table) {
			diag_warning(m->diags, hop->position,
				     "the gateway %s is an address of %s itself, on %s; write that of the "
				     "router, which is another host",
				     ip_format(&hop->via, buf), ns->name, place->dev);
			return true;
		}
	return false;
}

static void check_hop(struct meaning *m, const struct ns_state *ns, const struct hops *hops, const struct hop *hop) {
	const char *dev = hop->dev ? hop->dev : covering_dev(hops, hop);
	_cleanup_text_ struct text others = {};
	char buf[IP_TEXT_MAX];
	size_t segment;

	if (is_own(m, ns, hop) || !dev)
		return;
	segment = place_segment(m, ns, dev);
	if (place_is_answered(m, segment, &hop->via, ns))
		return;
	place_print_others(m, segment, &hop->via, ns, &others);
	diag_warning(m->diags, hop->position,
		     "no host on the segment of %s/%s has the gateway address %s; give it to the router "
		     "there, or write the router's address%s",
		     ns->name, dev, ip_format(&hop->via, buf), text_str(&others));
}

/* Warns once for all routes through one gateway. */
static void check_hops(struct meaning *m, const struct ns_state *ns) {
	_cleanup_(hops_done) struct hops hops = {};
	size_t budget = COVER_MAX;

	find_hops(ns, &hops);
	for (size_t i = 0; i < hops.list.n && budget > hops.networks.n; i++) {
		const struct hop *hop = &hops.list.items[i], *before = i ? hop - 1 : NULL;

		if (before && ip_equal(&before->via, &hop->via) && streq_ptr(before->dev, hop->dev) &&
		    before->table == hop->table)
			continue;
		budget -= hops.networks.n;
		check_hop(m, ns, &hops, hop);
	}
}

void route_warn(struct meaning *m) {
	state_foreach(ns, m->state)
		check_hops(m, ns);
}
