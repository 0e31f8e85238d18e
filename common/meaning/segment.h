/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which links are on one segment, that is, receive each other's broadcasts, as far as the file shows.
 *
 * The ends of a veth pair are on one segment, so are a bridge and its ports, and a macvlan and its parent. A segment is
 * open if it continues beyond what the file declares: behind an interface that topod does not make, or through a
 * tunnel.
 */
#pragma once

#include "base/vec.h"
#include "model/state.h"

enum { SEGMENT_NONE = SIZE_MAX }; /* for lo and for undeclared links */

struct segment_member {
	const struct object *link;
	size_t parent;  /* another member of the segment; its own index: it represents the segment */
	bool open;      /* of the representative: the segment is open */
	bool ported;    /* is a bridge with ports */
	bool addressed; /* has an address */
	UT_hash_handle hh;
};

struct segments {
	vec(struct segment_member) members;
	struct segment_member *by_link; /* the same members, by link */
};

void segments_find(struct segments *ret, const struct state *state);
void segments_done(struct segments *segments);

/* The segment of a link, which may be NULL. Equal numbers mean the same segment. */
size_t segment_of(struct segments *segments, const struct object *link);
/* Does topod make the link on an Ethernet segment with other hosts? */
bool segment_is_ethernet(const struct object *link);
/* SEGMENT_NONE is open. */
bool segment_is_open(const struct segments *segments, size_t segment);
