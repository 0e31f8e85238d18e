/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A class of objects: those that share one name space. A bridge and a veth of one name are the same link, so all kinds
 * of links are one class; most other classes have one kind.
 *
 * A class describes itself to the planner, the reconciler, the ledger and the reports. These loop over classes[] or ask an
 * object's class; they name no class. Two classes are known to everybody, because all other objects are in a namespace and
 * most are on a link: see object_is_namespace() and object_is_link() in model/kind.h.
 *
 * A class is defined in the file of its kind, and listed in kind/kinds.h.
 */
#pragma once

#include "base/base.h"

struct change;
struct object;
struct section;
struct source;

/* The steps of a plan, in order. Changes of one stage are ordered by class as in classes[], deletions in reverse. */
enum stage {
	STAGE_GIVE_BACK, /* settings of `all` and `default`: interfaces that are given back inherit some */
	STAGE_DELETE,
	STAGE_NAMESPACE,
	STAGE_DEFAULTS, /* the same: new links inherit some */
	STAGE_LINK,
	STAGE_INSIDE,
	STAGE_CARRIER, /* what the kernel accepts only when a link has a carrier, which may come from another link */
	STAGE_DELETE_NAMESPACE,
};

struct class {
	const char *name, *plural; /* in messages: "interface", "interfaces" */
	/* The keys of the language under which such objects are declared, ended by one without a key; see
	 * model/section.h. NULL: they are declared as a part of something else. */
	const struct section *sections;
	const struct source *source; /* how it is read from the kernel; NULL: with something else (a port with its link) */
	/* The class of the object that takes such an object along when it disappears, without a separate event: its link, an
	 * address used by a route, or just its namespace. NULL: there is no such class. */
	const struct class *part_of;
	/* The stage of a change. NULL: STAGE_DELETE for deletions, STAGE_INSIDE for the rest. */
	enum stage (*stage)(const struct change *change);
	/* Only one topology can own such an object; this is what others write to use it: "kind: existing". NULL:
	 * several topologies may declare the same object if they agree. */
	const char *share_by;
	/* Does the kernel send no event when the object changes? Then it is scanned from time to time. NULL: every
	 * change has an event. */
	bool (*silent)(const struct object *object);
	bool splits;             /* fields can be set one by one: if an update fails, each is tried alone */
	bool permanent;          /* never created nor deleted: only its fields change and go back (a setting, a port) */
	bool outlives_namespace; /* a file outside */
	bool membership;         /* describes a link as a port, and ends when the link leaves the controller */
	bool per_topology;       /* each topology has its own (a table with its name) */
	bool moves_along;        /* stays on its link when that is moved to another namespace */
	bool exact;              /* on a link that topod made, the file lists all of them: others are removed */
	bool single_value;       /* has a single value, which messages need not name ("was changed from 0 to 1") */
	/* Whose this observed object is, by its name; NULL: not known. A NULL function: the same. */
	const char *(*topology)(const struct object *observed);
};

/* All classes, in the order in which their objects are made; ended by NULL. */
extern const struct class *const classes[];

/* The two classes that the model itself uses. */
extern const struct class class_netns, class_link;

/* Is the class part of the other one, directly or indirectly? */
static inline bool class_goes_with(const struct class *class, const struct class *other) {
	for (class = class->part_of; class; class = class->part_of)
		if (class == other)
			return true;
	return false;
}

/* Are undeclared objects of the class removed from an exclusive namespace? */
static inline bool class_is_pruned(const struct class *class) {
	return !class->permanent && !class->outlives_namespace && !class->per_topology;
}

/* The position of the class in classes[]. */
static inline unsigned class_rank(const struct class *class) {
	unsigned rank = 0;

	while (classes[rank] && classes[rank] != class)
		rank++;
	return rank;
}
