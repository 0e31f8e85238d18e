/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a look at a namespace goes: all of it, or some declared objects.
 *
 * Hints are gathered here until the next pass. A hint about something that nobody declared asks for no look at
 * all; many hints ask for the whole. What a change of one thing may have done to others silently is added along with
 * it, by what the desired state says stands on what.
 */
#pragma once

#include "kernel/hint.h"
#include "model/state.h"

enum {
	EXTENT_MAX = 128,     /* objects; a look at more costs more than one at all */
	EXTENT_NEXT = 1 << 0, /* the extents in which an object can be at once: of the next look … */
	EXTENT_LATER = 1 << 1, /* … of the one after that … */
	EXTENT_NOW = 1 << 2,  /* … and of the current one */
};

/* Zeroed but for the bit is empty. Objects belong to the desired state, which must outlive it. */
struct extent {
	uint8_t bit;
	bool whole;
	vec(struct object *) objects; /* each once */
};

static inline bool extent_is_empty(const struct extent *extent) {
	return !extent->whole && !extent->objects.n;
}

/* Each returns whether it has grown. */
bool extent_add_whole(struct extent *extent);
bool extent_add(struct extent *extent, struct object *object);
/* … with the links of its namespace that a change of it would need: whether they are there is not known from before. */
bool extent_add_needing(struct extent *extent, struct ns_state *ns, struct object *object);
/* The link and what stands on it alone, likewise. */
bool extent_add_link(struct extent *extent, struct state *desired, struct ns_state *ns, const char *link);
/* By what topod's own things are known in events. */
struct own_marks {
	char *alias;     /* of links */
	char *nat_table; /* name */
};
/* What the hint is about; `link` is the name by which its index was known (or NULL). What may have been lost along with
 * it, and probably was not, goes to `later`: the cause is put right without waiting for a look at that. */
bool extent_add_hint(struct extent *extent, struct extent *later, struct state *desired, struct ns_state *ns,
		     const struct hint *hint, const char *link, const struct own_marks *own);
/* All of from, which is empty afterwards. */
bool extent_take(struct extent *extent, struct extent *from);

/* Empties it, so that it can be used again. */
void extent_clear(struct extent *extent);
void extent_done(struct extent *extent);
