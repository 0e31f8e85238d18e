/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which foreign routes take the traffic of declared ones because of a smaller metric.
 *
 * The kernel uses the route with the smallest metric. A declared route with a larger one may be intended: a floating static
 * route replaces a routing daemon's while there is none, and in a shared namespace metrics order the routes of several
 * programs. So only routes that somebody added by hand count, and only in namespaces that topod makes.
 */
#include "kind/protocol.h"
#include "kind/route_front.h"

#include <linux/rtnetlink.h>

static bool is_as_before(const struct ns_state *desired, const struct object *route) {
	const struct object *returning = ns_find(desired, route);

	return returning && returning->gone && !object_compare(returning, route);
}

bool route_takes_place(const struct ns_state *desired, struct route *route, const struct object *first) {
	if (first->owned || !(route->object.owned || is_as_before(desired, &route->object)))
		return false;
	route->front = first->kernel_made ? NULL : first;
	return true;
}

static int compare(const void *a, const void *b) {
	const struct route *x = *(const struct route *const *)a, *y = *(const struct route *const *)b;
	int r = memcmp(&x->to, &y->to, sizeof(x->to));

	if (r == 0)
		r = memcmp(&x->from, &y->from, sizeof(x->from));
	if (r == 0)
		r = (x->table > y->table) - (x->table < y->table);
	return r ? r : (int)x->tos - (int)y->tos;
}

bool route_precedes(const struct object *object, const struct object *desired) {
	const struct route *r = (const struct route *)object, *d = (const struct route *)desired;

	return compare(&r, &d) == 0 && r->metric < d->metric;
}

void fronts_done(struct fronts *fronts) {
	vec_done(&fronts->declared);
	vec_done(&fronts->found);
}

static void sort_declared(struct fronts *fronts, const struct ns_state *desired) {
	ns_foreach(object, desired) {
		const struct route *route = (const struct route *)object;

		if (object->kind == &kind_route && !object->gone && route->metric)
			vec_push(&fronts->declared, route);
	}
	if (fronts->declared.n)
		qsort(fronts->declared.items, fronts->declared.n, sizeof(fronts->declared.items[0]), compare);
	fronts->sorted = true;
}

void fronts_add(struct fronts *fronts, const struct ns_state *desired, const struct route *seen) {
	const struct route *const *at;

	if (!desired || ns_is_open(desired) || seen->object.owned || !protocol_is_by_hand(seen->protocol))
		return;
	if (!fronts->sorted)
		sort_declared(fronts, desired);
	at = fronts->declared.n ? bsearch(&seen, fronts->declared.items, fronts->declared.n, sizeof(seen), compare) : NULL;
	while (at && at > fronts->declared.items && compare(at - 1, &seen) == 0)
		at--;
	for (; at && at < fronts->declared.items + fronts->declared.n && compare(at, &seen) == 0; at++)
		if (seen->metric < (*at)->metric)
			vec_push(&fronts->found, ((struct front){ *at, seen }));
}

void fronts_apply(const struct fronts *fronts, struct ns_state *seen) {
	vec_foreach(front, &fronts->found) {
		struct route *route = (struct route *)ns_find(seen, &front->declared->object);
		const struct route *before = route ? (const struct route *)route->better : NULL;

		if (route && route->object.owned && (!before || front->better->metric < before->metric))
			route->better = &front->better->object;
	}
}
