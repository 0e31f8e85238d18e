/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a look at a namespace goes: all of it, or some declared objects.
 *
 * Hints are gathered here until the next pass. A hint about something that nobody declared asks for no look at
 * all; many hints ask for the whole. What a change of one thing may have done to others silently is added along with
 * it, by what the desired state says stands on what.
 */
#pragma once

#include "model/hint.h"
#include "model/state.h"

enum {
	SCAN_SET_MAX = 128,      /* objects; a look at more costs more than one at all */
	SCAN_SET_NEXT = 1 << 0,  /* the extents in which an object can be at once: of the next look … */
	SCAN_SET_LATER = 1 << 1, /* … of the one after that … */
	SCAN_SET_NOW = 1 << 2,   /* … and of the current one */
};

/* Zeroed but for the bit is empty. Objects belong to the desired state, which must outlive it. */
struct scan_set {
	uint8_t bit;
	bool whole;
	vec(struct object *) objects; /* each once */
};

static inline bool scan_set_is_empty(const struct scan_set *scan_set) {
	return !scan_set->whole && !scan_set->objects.n;
}

/* Each returns whether it has grown. */
bool scan_set_add_whole(struct scan_set *scan_set);
bool scan_set_add(struct scan_set *scan_set, struct object *object);
/* … with the links of its namespace that a change of it would need: whether they are there is not known from before. */
bool scan_set_add_needing(struct scan_set *scan_set, struct ns_state *ns, struct object *object);
/* The link and what stands on it alone, likewise. */
bool scan_set_add_link(struct scan_set *scan_set, struct state *desired, struct ns_state *ns, const char *link);
/* By what topod's own things are known in events. */
struct own_marks {
	char *alias;     /* of links */
	char *nat_table; /* name */
};
/* What the hint is about; `link` is the name by which its index was known (or NULL). What may have been lost along with
 * it, and probably was not, goes to `later`: the cause is put right without waiting for a look at that. */
bool scan_set_add_hint(struct scan_set *scan_set, struct scan_set *later, struct state *desired, struct ns_state *ns,
		       const struct hint *hint, const char *link, const struct own_marks *own);
/* All of from, which is empty afterwards. */
bool scan_set_take(struct scan_set *scan_set, struct scan_set *from);

/* Empties it, so that it can be used again. */
void scan_set_clear(struct scan_set *scan_set);
void scan_set_done(struct scan_set *scan_set);
