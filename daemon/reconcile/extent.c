/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/extent.h"

#include <linux/rtnetlink.h>

#include "kind/route.h"

static void forget_objects(struct extent *extent) {
	vec_foreach(object, &extent->objects)
		(*object)->extents &= (uint8_t)~extent->bit;
	vec_clear(&extent->objects);
}

bool extent_add_whole(struct extent *extent) {
	bool grown = !extent->whole;

	forget_objects(extent);
	extent->whole = true;
	return grown;
}

bool extent_add(struct extent *extent, struct object *object) {
	if (extent->whole || object->extents & extent->bit)
		return false;
	if (extent->objects.n == EXTENT_MAX)
		return extent_add_whole(extent);
	object->extents |= extent->bit;
	vec_push(&extent->objects, object);
	return true;
}

struct adding {
	struct extent *extent;
	struct ns_state *ns;
	bool grown;
};

static void add_needed(void *userdata, const struct field *field, const char *ns, const char *name) {
	struct adding *adding = userdata;
	struct object *link = streq(ns, adding->ns->name) && !(field->flags & FIELD_PEER)
				      ? ns_find_link(adding->ns, name)
				      : NULL;

	if (link)
		adding->grown |= extent_add_needing(adding->extent, adding->ns, link);
}

bool extent_add_needing(struct extent *extent, struct ns_state *ns, struct object *object) {
	struct adding adding = { .extent = extent, .ns = ns };

	if (!extent_add(extent, object))
		return false;
	object_links(object, add_needed, &adding);
	return true;
}

static bool add_items(struct extent *extent, struct ns_state *ns, const struct object_item *item) {
	bool grown = false;

	for (; item && !extent->whole; item = item->next)
		grown |= extent_add_needing(extent, ns, item->object);
	return grown;
}

bool extent_add_link(struct extent *extent, struct state *desired, struct ns_state *ns, const char *link) {
	struct object *object = link ? ns_find_link(ns, link) : NULL;
	bool grown;

	if (!object || extent->whole)
		return false;
	struct standing_on on = state_standing_on(desired, ns, link);
	grown = extent_add_needing(extent, ns, object);
	grown |= add_items(extent, ns, on.parts);
	return grown | add_items(extent, ns, on.strays);
}

/* The route that an event names, where it is declared; one that the kernel makes belongs to an address of its link. */
static bool add_route(struct extent *extent, struct state *desired, struct ns_state *ns, const struct hint *hint,
		      const char *link) {
	struct arena arena = {};
	struct route *like = (struct route *)object_new(&arena, &kind_route, ns->name);
	struct object *found;

	like->to = hint->to;
	like->table = hint->route_table;
	like->tos = hint->tos;
	like->metric = hint->metric;
	object_seal(&arena, &like->object);
	found = ns_find(ns, &like->object);
	arena_done(&arena);
	if (found)
		return extent_add_needing(extent, ns, found);
	return hint->by_kernel && (hint->route_table == RT_TABLE_MAIN || hint->route_table == RT_TABLE_LOCAL) &&
	       extent_add_link(extent, desired, ns, link);
}

/* Those of a class that are a part of the link. */
static bool add_parts(struct extent *extent, struct state *desired, struct ns_state *ns, const char *link,
		      enum object_class class) {
	struct standing_on on = state_standing_on(desired, ns, link);
	bool grown = false;

	for (const struct object_item *item = on.parts; item; item = item->next)
		if (item->object->kind->class == class)
			grown |= extent_add_needing(extent, ns, item->object);
	return grown;
}

static bool add_settings(struct extent *extent, struct state *desired, struct ns_state *ns, const char *link) {
	return link ? add_parts(extent, desired, ns, link, CLASS_SYSCTL)
		    : add_items(extent, ns, state_settings(desired, ns));
}

static bool add_class(struct extent *extent, const struct ns_state *ns, enum object_class class) {
	const char key[] = { (char)class }; /* of what a namespace has one of */
	struct object *object = ns_find_key(ns, key, sizeof(key));

	return object && extent_add(extent, object);
}

static bool add_forwarding(struct extent *extent, struct ns_state *ns, const char *link) {
	struct object *object = link ? ns_find_link(ns, link) : NULL;
	bool declares = object && object->kind->declares_forwarding && object->kind->declares_forwarding(object);

	return declares && extent_add_needing(extent, ns, object);
}

/* A link of ours that is not declared here was renamed, or moved here from its place: it is not to stay. */
static bool is_stray(const struct ns_state *ns, const struct hint *hint, const struct own_marks *own) {
	return hint->link && streq_ptr(hint->alias, own->alias) && !ns_find_link(ns, hint->link);
}

/* A link that is up and known by its name is there with all that is on it, as a rule: it alone is looked at first. What
 * it says of itself as a port comes in the same answer. */
static bool add_standing_link(struct extent *extent, struct extent *later, struct state *desired, struct ns_state *ns,
			      const char *link) {
	struct object *object = ns_find_link(ns, link);
	bool grown;

	if (!object)
		return false;
	grown = extent_add_needing(extent, ns, object);
	grown |= add_parts(extent, desired, ns, link, CLASS_PORT);
	return grown | extent_add_link(later, desired, ns, link);
}

static bool add_heard_link(struct extent *extent, struct extent *later, struct state *desired, struct ns_state *ns,
			   const struct hint *hint, const char *link) {
	bool grown;

	if (!hint->down && link && streq_ptr(link, hint->link))
		return add_standing_link(extent, later, desired, ns, link);
	grown = extent_add_link(extent, desired, ns, link);
	return grown | (!streq_ptr(link, hint->link) && extent_add_link(extent, desired, ns, hint->link));
}

bool extent_add_hint(struct extent *extent, struct extent *later, struct state *desired, struct ns_state *ns,
		     const struct hint *hint, const char *link, const struct own_marks *own) {
	if (extent->whole)
		return false;
	switch (hint->type) {
	case HINT_NAMESPACE:
		return extent_add_whole(extent);
	case HINT_LINK:
		return is_stray(ns, hint, own) ? extent_add_whole(extent)
					       : add_heard_link(extent, later, desired, ns, hint, link);
	case HINT_PORT:
		return add_parts(extent, desired, ns, link ? link : hint->link, CLASS_PORT);
	case HINT_NEIGHBOUR: /* says nothing of where to look, see reconciler_hint() */
		return false;
	case HINT_FORWARDING:
		return add_forwarding(extent, ns, link);
	case HINT_ADDRESS:
		return extent_add_link(extent, desired, ns, link);
	case HINT_ROUTE:
		return add_route(extent, desired, ns, hint, link);
	case HINT_SETTING:
		return (link || !hint->ifindex) && add_settings(extent, desired, ns, link);
	case HINT_NAT:
		return (!hint->table || streq(hint->table, own->nat_table)) && add_class(extent, ns, CLASS_NAT);
	case HINT_FILE:
		return add_class(extent, ns, CLASS_DNS);
	}
	return false;
}

bool extent_take(struct extent *extent, struct extent *from) {
	bool grown = from->whole && extent_add_whole(extent);

	vec_foreach(object, &from->objects)
		grown |= extent_add(extent, *object);
	extent_clear(from);
	return grown;
}

void extent_clear(struct extent *extent) {
	forget_objects(extent);
	extent->whole = false;
}

void extent_done(struct extent *extent) {
	extent_clear(extent);
	vec_done(&extent->objects);
}
