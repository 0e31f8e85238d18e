/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a declared object may wait for, judged by the world alone and not by the reconciler: a carrier, an interface that
 * others move in, or a namespace that something else makes. So the reconciler cannot call anything else waiting.
 */
#include "check.h"
#include "kind/kinds.h"

enum { DEPTH_MAX = 8 };

static bool waits(struct run *run, const struct object *object, unsigned depth);

static const struct ns_state *desired_ns(const struct run *run, const char *name) {
	return state_find(run_desired(run), name);
}

static bool needs_waiting(struct run *run, const struct object *object, unsigned depth) {
	object_foreach_need(need, object) {
		const struct object *link = state_find_need(run_desired(run), &need);

		if (link && waits(run, link, depth + 1))
			return true;
	}
	return false;
}

static bool stands_on_waiting(struct run *run, const struct object *object, unsigned depth) {
	return needs_waiting(run, object, depth) || (object->twin && needs_waiting(run, object->twin, depth));
}

static bool address_waits(struct run *run, const struct object *object) {
	const struct address *a = (const struct address *)object;
	struct w_ns *ns = world_ns(run->w, object->ns);
	const struct w_link *link = ns_link(ns, a->dev);
	const struct w_address *there = link ? ns_address(ns, link, &a->address, &a->peer) : NULL;

	return there && !there->failed && address_is_tentative(there) && !link_has_carrier(link);
}

/* The kernel takes no next hop over a link without a carrier. */
static bool nexthop_waits(struct run *run, const struct object *object) {
	const struct w_ns *ns = world_ns(run->w, object->ns);

	object_foreach_need(need, object) {
		const struct w_link *link = need.name ? ns_link(ns, need.name) : NULL;

		if (link && !link_has_carrier(link))
			return true;
	}
	return false;
}

/* An address without a carrier cannot be a source address, but its network can be reached. */
static bool keeps_waiting(struct run *run, const struct object *other, const struct ip *ip, unsigned depth) {
	const struct kind *kind = other->kind;
	bool later;

	if (kind->provides && kind->provides(other, ip, &later) && waits(run, other, depth + 1))
		return true;
	return object_leads_to(other, ip) && stands_on_waiting(run, other, depth + 1);
}

/* Its gateway or source address depends on an address that waits, or a next hop on a link that waits. */
static bool route_waits(struct run *run, const struct object *object, unsigned depth) {
	const struct ns_state *ns = desired_ns(run, object->ns);
	const struct kind *kind = object->kind;
	const struct ip *ip;
	const char *dev;

	for (size_t i = 0; kind->depends(object, i, &dev, &ip); i++) {
		const struct object *link = dev ? ns_find_link(ns, dev) : NULL;

		if (link && waits(run, link, depth + 1))
			return true;
		ns_foreach(other, ip ? ns : NULL)
			if (other != object && keeps_waiting(run, other, ip, depth))
				return true;
	}
	return false;
}

bool check_is_absent(struct run *run, const char *name) {
	const struct object *self = ns_self(desired_ns(run, name));

	return self && self->awaited && !world_ns(run->w, name);
}

static bool waits(struct run *run, const struct object *object, unsigned depth) {
	if (depth > DEPTH_MAX)
		return false;
	if (check_is_absent(run, object->ns)) /* its files lie outside, and are made without it */
		return !object->kind->class->outlives_namespace;
	if (object_is_namespace(object))
		return false;
	if (object->twin && check_is_absent(run, object->twin->ns))
		return true;
	if (object->awaited && !ns_link(world_ns(run->w, object->ns), object_home_link(object)))
		return true;
	if (stands_on_waiting(run, object, depth))
		return true;
	if (object->kind->class == &class_address)
		return address_waits(run, object);
	if (object->kind->class == &class_nexthop && nexthop_waits(run, object))
		return true;
	return object->kind->class == &class_route && route_waits(run, object, depth);
}

bool check_may_wait(struct run *run, const struct object *object) {
	return waits(run, object, 0);
}

bool check_is_held_up(struct run *run, const struct object *object) {
	return object->kind->class == &class_address ? stands_on_waiting(run, object, 0) : waits(run, object, 0);
}
