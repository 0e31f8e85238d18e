/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which links are on one segment: they hear each other's broadcasts, as far as the file tells.
 *
 * The ends of a veth pair are, a bridge and its ports, a macvlan and its parent. A segment is open where it goes on behind
 * what the file declares: behind an interface that topod does not make, or a tunnel.
 */
#pragma once

#include "base/vec.h"
#include "model/state.h"

enum { SEGMENT_NONE = SIZE_MAX }; /* of lo, and of links that nobody declares */

struct segment_member {
	const struct object *link;
	size_t parent;  /* of the same segment; its own index: the one that stands for all */
	bool open;      /* of that one: so is the segment */
	bool ported;    /* is a bridge with ports */
	bool addressed; /* has an address of its own */
	UT_hash_handle hh;
};

struct segments {
	vec(struct segment_member) members;
	struct segment_member *by_link; /* the same by their links */
};

void segments_find(struct segments *ret, const struct state *state);
void segments_done(struct segments *segments);

/* The segment of a link; link may be NULL. Equal numbers are one segment. */
size_t segment_of(struct segments *segments, const struct object *link);
/* Is it of those that topod makes on an Ethernet, where there are others? */
bool segment_is_ethernet(const struct object *link);
/* SEGMENT_NONE is open. */
bool segment_is_open(const struct segments *segments, size_t segment);
