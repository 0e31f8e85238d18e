/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A class of objects: those that share one name space. A bridge and a veth of one name are the same link, so all kinds of
 * links are one class; most other classes have one kind.
 *
 * A class says of itself what the planner, the reconciler, the ledger and the reports have to know of it. They loop over
 * classes[] or ask the class of an object, and name none. Everybody knows two of them, because all other objects
 * stand in a namespace and most on a link: see object_is_namespace() and object_is_link() in model/kind.h.
 *
 * A class is defined in the file of its kind, and listed in kind/kinds.h.
 */
#pragma once

#include "base/base.h"

struct change;
struct object;
struct section;
struct source;

/* The steps of a plan, in their order. Changes of one stage are ordered by class, as classes[] has them, deletions the other
 * way round. */
enum stage {
	STAGE_GIVE_BACK, /* settings of no one link: interfaces that are given back inherit some */
	STAGE_DELETE,
	STAGE_NAMESPACE,
	STAGE_DEFAULTS, /* settings of no one link: new links inherit some */
	STAGE_LINK,
	STAGE_INSIDE,
	STAGE_CARRIER, /* what the kernel takes only once a link has a carrier, which may come with another one */
	STAGE_DELETE_NAMESPACE,
};

struct class {
	const char *name, *plural; /* as people say: "interface", "interfaces" */
	/* The keys of the language under which such objects are declared, ended by one without a key; see model/section.h. NULL:
	 * the language declares them along with something else. */
	const struct section *sections;
	const struct source *source; /* how the kernel is asked for it; NULL: with something else (a port with its link) */
	/* What takes an object of this class along when it goes, without an event of its own: the object's link, an address by
	 * which a route leads, or just its namespace. NULL: nothing does. */
	const struct class *part_of;
	/* The stage of a change. NULL: STAGE_DELETE for deletions, STAGE_INSIDE for the rest. */
	enum stage (*stage)(const struct change *change);
	/* Only one topology can make such an object; this is what the others write to use it: "kind: existing". NULL: several
	 * may declare the same object, as long as they agree. */
	const char *share_by;
	/* Has a change of it no event? Then it is scanned from time to time. NULL: all have. */
	bool (*silent)(const struct object *object);
	bool splits;             /* each field is set by itself: where an update fails its fields are tried one by one */
	bool permanent;          /* is never created nor deleted: only its fields change and go back (a setting, a port) */
	bool outlives_namespace; /* a file outside */
	bool membership;         /* is what its link is at a controller, and ends with that (a port) */
	bool per_topology;       /* each topology has one of its own (a table under its name) */
	bool single_value;       /* has one value, which needs no name in messages ("was changed from 0 to 1") */
};

/* Every class, in the order in which their objects are made; ended by NULL. */
extern const struct class *const classes[];

/* The two that the model itself is made of. */
extern const struct class class_netns, class_link;

/* Is the class part of the other one, directly or by way of a third? */
static inline bool class_goes_with(const struct class *class, const struct class *other) {
	for (class = class->part_of; class; class = class->part_of)
		if (class == other)
			return true;
	return false;
}

/* Is what nobody declared of it removed where a namespace is exclusive? */
static inline bool class_is_pruned(const struct class *class) {
	return !class->permanent && !class->outlives_namespace && !class->per_topology;
}

/* The place of the class in classes[]. */
static inline unsigned class_rank(const struct class *class) {
	unsigned rank = 0;

	while (classes[rank] && classes[rank] != class)
		rank++;
	return rank;
}
