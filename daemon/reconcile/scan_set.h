/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of a namespace a scan covers: all of it, or some declared objects.
 *
 * Hints are collected here until the next pass. A hint about something undeclared adds nothing; many hints add up to the
 * whole namespace. It knows what the desired state declares and how its objects depend on each other, but neither the kernel
 * nor what was observed.
 */
#pragma once

#include "model/hint.h"
#include "model/state.h"

enum {
	SCAN_SET_MAX = 128,      /* objects; scanning more of them costs more than scanning everything */
	SCAN_SET_NEXT = 1 << 0,  /* bits for the sets that an object can be in at once: that of the next scan, … */
	SCAN_SET_LATER = 1 << 1, /* … of the one after that, … */
	SCAN_SET_NOW = 1 << 2,   /* … and of the current one */
};

/* Zeroed except `bit`: empty. The objects belong to the desired state, which must outlive the set. */
struct scan_set {
	uint8_t bit;
	bool whole;
	vec(struct object *) objects; /* each once */
};

static inline bool scan_set_is_empty(const struct scan_set *scan_set) {
	return !scan_set->whole && !scan_set->objects.n;
}

/* These functions return whether the set has grown. */
bool scan_set_add_whole(struct scan_set *scan_set);
bool scan_set_add(struct scan_set *scan_set, struct object *object);
/* … with everything in its namespace that a change of it needs, and the objects that reach its gateway, because their
 * existence is never remembered. */
bool scan_set_add_needing(struct scan_set *scan_set, struct ns_state *ns, struct object *object);
/* The link and its dependents, in the same way. */
bool scan_set_add_link(struct scan_set *scan_set, struct state *desired, struct ns_state *ns, const char *link);
/* How topod recognises its own objects in events. */
struct own_marks {
	char *alias;     /* of links */
	char *nft_table; /* name */
};
/* Adds what the hint is about. `link` is the last known name of its index, or NULL. Objects that may have been lost with it,
 * but probably were not, go to `later`, so that the cause is repaired without waiting for them. */
bool scan_set_add_hint(struct scan_set *scan_set, struct scan_set *later, struct state *desired, struct ns_state *ns,
		       const struct hint *hint, const char *link, const struct own_marks *own);
/* Moves everything out of `from`. */
bool scan_set_take(struct scan_set *scan_set, struct scan_set *from);

/* Empties it, so that it can be used again. */
void scan_set_clear(struct scan_set *scan_set);
void scan_set_done(struct scan_set *scan_set);
