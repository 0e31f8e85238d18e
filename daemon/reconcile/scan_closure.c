/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a link is recreated, everything made on it disappears, in this namespace and in others; when a namespace is,
 * everything in it. Both ends of a pair are created and deleted together. All of these must be in the same scan as their
 * cause, so that one plan restores them. They are found in the desired state, not by events, which may be lost.
 */
#include "reconcile/scan_closure.h"

enum {
	HEIGHT_MAX = 16, /* a safeguard: loops are refused when the file is read */
};

struct place {
	struct ns_info *info;
	struct ns_state *ns;
};

static bool find_place(const struct pass *pass, const char *name, struct place *ret) {
	ret->info = worklist_find(&pass->r->work, name);
	ret->ns = state_find(&pass->r->spec.state, name);
	return ret->info && ret->ns && !outage_stands(&ret->info->outage);
}

/* If the namespace's scan set has grown, the namespace takes part in the pass. */
static bool join(struct pass *pass, const struct place *place, bool grown) {
	if (grown)
		pass_add(pass, place->info);
	return grown;
}

static bool closure_link(struct pass *pass, const char *ns_name, const char *link, unsigned height);

/* The link of an object on the recreated one, or of one of its ports. */
static bool closure_upper(struct pass *pass, const struct object *object, unsigned height) {
	const char *link = object_home_link(object);

	return link && closure_link(pass, object->ns, link, height + 1);
}

static bool crosses_to(const struct object *object, const char *ns, const char *link) {
	object_foreach_need(need, object)
		if (streq(need.ns, ns) && streq_ptr(need.name, link))
			return true;
	return false;
}

static bool closure_crossings(struct pass *pass, const char *ns, const char *link, unsigned height) {
	bool grown = false;

	for (const struct object_item *item = state_crossings(&pass->r->spec.state); item; item = item->next)
		if (crosses_to(item->object, ns, link))
			grown |= closure_upper(pass, item->object, height);
	return grown;
}

static bool closure_link(struct pass *pass, const char *ns_name, const char *link, unsigned height) {
	struct state *desired = &pass->r->spec.state;
	struct place place;
	bool grown;

	if (!find_place(pass, ns_name, &place) || height > HEIGHT_MAX)
		return false;
	grown = join(pass, &place, scan_set_add_link(&place.info->scanned, desired, place.ns, link));
	grown |= closure_crossings(pass, ns_name, link, height);
	if (place.info->scanned.whole)
		return grown;
	struct dependents on = state_dependents(desired, place.ns, link);
	for (const struct object_item *item = on.links; item; item = item->next)
		grown |= closure_upper(pass, item->object, height);
	return grown;
}

static bool closure_object(struct pass *pass, const struct object *object) {
	struct place place;
	struct object *declared;

	if (!find_place(pass, object->ns, &place))
		return false;
	if (object_is_namespace(object))
		return join(pass, &place, scan_set_add_whole(&place.info->scanned));
	if (object_is_link(object))
		return closure_link(pass, object->ns, object_home_link(object), 0);
	declared = ns_find(place.ns, object);
	return declared && join(pass, &place, scan_set_add_needing(&place.info->scanned, place.ns, declared));
}

/* A link that is moved in is searched for among all links of the namespace that it comes from. */
static bool closure_source(struct pass *pass, const struct change *change) {
	struct place place;

	if (change->type != CHANGE_CREATE || !change->desired->kind->bare_create || !change->desired->kind->sent_in ||
	    !find_place(pass, change->desired->kind->sent_in(change), &place))
		return false;
	return join(pass, &place, scan_set_add_whole(&place.info->scanned));
}

/* Adds objects in other namespaces that this one needs: do they still exist? Those in its own namespace are already in the
 * scan. */
static bool closure_needs(struct pass *pass, const struct change *change) {
	struct place place;
	bool grown = false;

	if (!change->desired || change->type == CHANGE_DELETE)
		return false;
	object_foreach_need(need, change->desired) {
		struct object *object = state_find_need(&pass->r->spec.state, &need);

		if (object && !streq(need.ns, change->desired->ns) && find_place(pass, need.ns, &place))
			grown |= join(pass, &place, scan_set_add_needing(&place.info->scanned, place.ns, object));
	}
	return grown;
}

/* Objects that are created or deleted. Consequences of an update cause their own events. */
static bool closure_change(struct pass *pass, const struct change *change) {
	const struct object *object = change_object(change);
	bool grown = closure_needs(pass, change);

	if (change->type == CHANGE_UPDATE || !(object_is_link(object) || object_is_namespace(object)))
		return grown;
	grown |= closure_object(pass, object) | closure_source(pass, change);
	if (change->desired && change->desired->twin)
		grown |= closure_object(pass, change->desired->twin);
	return grown;
}

/* Does the scan cover everything anyway? */
static bool is_all(const struct pass *pass) {
	vec_foreach(info, &pass->infos)
		if (!(*info)->scanned.whole)
			return false;
	return pass->infos.n == HASH_COUNT(pass->r->work.all);
}

bool scan_closure(struct pass *pass, const struct plan *plan) {
	bool grown = false;

	if (is_all(pass))
		return false;
	vec_foreach(object, &plan->also)
		grown |= closure_object(pass, *object);
	vec_foreach(change, &plan->changes)
		grown |= closure_change(pass, *change);
	return grown;
}
