/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an event's hint to the objects that must be scanned.
 *
 * An event names one object, but the kernel may have changed others without an event. So each hint adds what could be
 * affected (common/model/dependents.c says what depends on what):
 *
 *     hint                 adds
 *     a link went down     the link, what is on it, routes through it and through its addresses: all may be gone
 *     a link is up         the link and its attributes as a port; everything else goes to `later`
 *     dependents           as a link that went down
 *     parts of a class     the objects of that class on the link, or those that belong to no link
 *     a detail of a link   the link, if the file declares that detail (the destinations of a VXLAN)
 *     an object            that object and its users; if the kernel made it, also its link
 *     a class              objects of the class that belong to no link; for a table with a name, only topod's own
 *     a namespace          everything
 *
 * A link with topod's mark and an undeclared name was renamed or moved, and only a full scan finds out from where: it adds
 * everything too.
 *
 * `later` makes repairs fast: the kernel sends an event for each flag of a link that changes, and usually nothing else is
 * lost. The link alone costs one request; its dependents are scanned in the second round of the same pass.
 *
 * Each added object brings along what it needs (scan_set_add_needing()): the plan must see whether that exists, and nothing
 * is remembered from earlier scans.
 */
#include "reconcile/scan_set.h"

#include "model/source.h"

static void forget_objects(struct scan_set *scan_set) {
	vec_foreach(object, &scan_set->objects)
		(*object)->scan_sets &= (uint8_t)~scan_set->bit;
	vec_clear(&scan_set->objects);
}

bool scan_set_add_whole(struct scan_set *scan_set) {
	bool grown = !scan_set->whole;

	forget_objects(scan_set);
	scan_set->whole = true;
	return grown;
}

bool scan_set_add(struct scan_set *scan_set, struct object *object) {
	if (scan_set->whole || object->scan_sets & scan_set->bit)
		return false;
	if (scan_set->objects.n == SCAN_SET_MAX)
		return scan_set_add_whole(scan_set);
	object->scan_sets |= scan_set->bit;
	vec_push(&scan_set->objects, object);
	return true;
}

/* The objects through which its gateway is reached: if they wait or fail, so does this one. */
static void add_reaching(struct scan_set *scan_set, struct ns_state *ns, const struct object *object) {
	const struct ip *ip;
	const char *dev;

	for (size_t i = 0; object->kind->depends && object->kind->depends(object, i, &dev, &ip); i++)
		ns_foreach(other, ip ? ns : NULL)
			if (other != object && object_leads_to(other, ip))
				scan_set_add_needing(scan_set, ns, other);
}

bool scan_set_add_needing(struct scan_set *scan_set, struct ns_state *ns, struct object *object) {
	if (!scan_set_add(scan_set, object))
		return false;
	object_foreach_need(need, object) {
		struct object *needed = streq(need.ns, ns->name) ? ns_find_need(ns, &need) : NULL;

		if (needed)
			scan_set_add_needing(scan_set, ns, needed);
	}
	add_reaching(scan_set, ns, object);
	return true;
}

static bool add_items(struct scan_set *scan_set, struct ns_state *ns, const struct object_item *item) {
	bool grown = false;

	for (; item && !scan_set->whole; item = item->next)
		grown |= scan_set_add_needing(scan_set, ns, item->object);
	return grown;
}

bool scan_set_add_link(struct scan_set *scan_set, struct state *desired, struct ns_state *ns, const char *link) {
	struct object *object = link ? ns_find_link(ns, link) : NULL;
	bool grown;

	if (!object || scan_set->whole)
		return false;
	struct dependents on = state_dependents(desired, ns, link);
	grown = scan_set_add_needing(scan_set, ns, object);
	grown |= add_items(scan_set, ns, on.parts);
	return grown | add_items(scan_set, ns, on.strays);
}

/* Objects that need this one may be lost with it, without an event. */
static bool add_users(struct scan_set *scan_set, struct state *desired, struct ns_state *ns, const struct object *needed) {
	bool grown = false;

	for (const struct object_item *item = state_users(desired, ns); item; item = item->next)
		object_foreach_need(need, item->object)
			if (!need.name && ns_find_need(ns, &need) == needed &&
			    scan_set_add_needing(scan_set, ns, item->object)) {
				add_users(scan_set, desired, ns, item->object);
				grown = true;
			}
	return grown;
}

/* The object that an event names, if it is declared. An object that the kernel makes belongs to its link or to a part of
 * that. */
static bool add_object(struct scan_set *scan_set, struct state *desired, struct ns_state *ns, const struct hint *hint,
		       const char *link) {
	struct object *found = ns_find(ns, hint->like);
	bool grown = found && scan_set_add_needing(scan_set, ns, found);

	grown |= found && add_users(scan_set, desired, ns, found);
	ns_foreach(object, hint->precedes && !ns_is_open(ns) ? ns : NULL)
		if (object->kind == hint->like->kind && object->kind->precedes(hint->like, object))
			grown |= scan_set_add_needing(scan_set, ns, object);

	return (hint->by_kernel && scan_set_add_link(scan_set, desired, ns, link)) | grown;
}

/* The objects of a class that are part of the link. */
static bool add_parts(struct scan_set *scan_set, struct state *desired, struct ns_state *ns, const char *link,
		      const struct class *class) {
	struct dependents on = state_dependents(desired, ns, link);
	bool grown = false;

	for (const struct object_item *item = on.parts; item; item = item->next)
		if (item->object->kind->class == class)
			grown |= scan_set_add_needing(scan_set, ns, item->object);
	return grown;
}

/* All objects of a class whose objects belong to links. */
static bool add_all(struct scan_set *scan_set, struct ns_state *ns, const struct class *class) {
	bool grown = false;

	ns_foreach(object, ns)
		if (object->kind->class == class)
			grown |= scan_set_add_needing(scan_set, ns, object);
	return grown;
}

/* The objects of a class that belong to no link. */
static bool add_linkless(struct scan_set *scan_set, struct state *desired, struct ns_state *ns, const struct class *class) {
	bool grown = false;

	for (const struct object_item *item = state_linkless(desired, ns); item; item = item->next)
		if (item->object->kind->class == class)
			grown |= scan_set_add_needing(scan_set, ns, item->object);
	return grown;
}

static bool add_if_detailed(struct scan_set *scan_set, struct ns_state *ns, struct object *object) {
	const struct source *source = object ? object->kind->source : NULL;

	return source && source->declares && source->declares(object) && scan_set_add_needing(scan_set, ns, object);
}

/* The link and its attributes as a port, as far as their kinds read more. */
static bool add_detail(struct scan_set *scan_set, struct state *desired, struct ns_state *ns, const char *link) {
	bool grown = link && add_if_detailed(scan_set, ns, ns_find_link(ns, link));

	for (const struct object_item *item = link ? state_dependents(desired, ns, link).parts : NULL; item;
	     item = item->next)
		grown |= add_if_detailed(scan_set, ns, item->object);
	return grown;
}

/* A link that is up and has its declared name has usually lost nothing, so only the link is scanned first. Its attributes as
 * a port come in the same answer. */
static bool add_standing_link(struct scan_set *scan_set, struct scan_set *later, struct state *desired, struct ns_state *ns,
			      const char *link) {
	struct object *object = ns_find_link(ns, link);
	bool grown;

	if (!object)
		return false;
	grown = scan_set_add_needing(scan_set, ns, object);
	for (const struct class *const *class = classes; *class; class ++)
		if ((*class)->membership)
			grown |= add_parts(scan_set, desired, ns, link, *class);
	return grown | scan_set_add_link(later, desired, ns, link);
}

static bool add_heard_link(struct scan_set *scan_set, struct scan_set *later, struct state *desired, struct ns_state *ns,
			   const struct hint *hint, const char *link) {
	bool grown;

	if (!hint->down && link && streq_ptr(link, hint->link))
		return add_standing_link(scan_set, later, desired, ns, link);
	grown = scan_set_add_link(scan_set, desired, ns, link);
	return grown | (!streq_ptr(link, hint->link) && scan_set_add_link(scan_set, desired, ns, hint->link));
}

bool scan_set_add_hint(struct scan_set *scan_set, struct scan_set *later, struct state *desired, struct ns_state *ns,
		       const struct hint *hint, const char *link, const struct own_marks *own) {
	if (scan_set->whole)
		return false;
	switch (hint->type) {
	case HINT_NAMESPACE:
		return scan_set_add_whole(scan_set);
	case HINT_LINK:
		/* A link with our mark that is not declared here was renamed, or moved here: it must be deleted. */
		if (hint->link && streq_ptr(hint->alias, own->alias) && !ns_find_link(ns, hint->link))
			return scan_set_add_whole(scan_set);
		return add_heard_link(scan_set, later, desired, ns, hint, link);
	case HINT_DEPENDENTS:
		return scan_set_add_link(scan_set, desired, ns, link);
	case HINT_PARTS:
		if (link || hint->link)
			return add_parts(scan_set, desired, ns, link ? link : hint->link, hint->class);
		return !hint->ifindex && add_linkless(scan_set, desired, ns, hint->class);
	case HINT_DETAIL:
		return add_detail(scan_set, desired, ns, link);
	case HINT_OBJECT:
		return add_object(scan_set, desired, ns, hint, link);
	case HINT_CLASS:
		if (hint->name && hint->class->per_topology && !streq(hint->name, own->nft_table))
			return false; /* a table with another name belongs to another topology */
		return class_goes_with(hint->class, &class_link) ? add_all(scan_set, ns, hint->class)
								 : add_linkless(scan_set, desired, ns, hint->class);
	case HINT_NEIGHBOUR: /* does not say where to scan, see reconciler_hint() */
		return false;
	}
	return false;
}

bool scan_set_take(struct scan_set *scan_set, struct scan_set *from) {
	bool grown = from->whole && scan_set_add_whole(scan_set);

	vec_foreach(object, &from->objects)
		grown |= scan_set_add(scan_set, *object);
	scan_set_clear(from);
	return grown;
}

void scan_set_clear(struct scan_set *scan_set) {
	forget_objects(scan_set);
	scan_set->whole = false;
}

void scan_set_done(struct scan_set *scan_set) {
	scan_set_clear(scan_set);
	vec_done(&scan_set->objects);
}
