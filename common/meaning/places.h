/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kinds need to find mistakes (kind->warn): which namespace has which address on which segment.
 *
 * The warnings themselves are beside the kinds: kind/address_meaning.c, route_meaning.c and so on.
 */
#pragma once

#include "meaning/meaning.h"
#include "meaning/segment.h"

/* An address and where it is. */
struct place {
	struct ip ip;
	size_t segment;
	const struct ns_state *ns;
	const struct object *address; /* the object that assigns it, see kind->assigns */
	const char *dev;
};

/* A namespace with an interface on the segment. */
struct presence {
	size_t segment;
	const struct ns_state *ns;
};

struct meaning {
	const struct state *state;
	struct diags *diags;
	struct segments segments;
	vec(struct place) places;       /* sorted by address, then segment, then place in the file */
	vec(struct presence) presences; /* sorted */
};

/* The first place with this address, or the first after it; place_end(): there is none. */
const struct place *place_first(const struct meaning *m, const struct ip *ip);
static inline const struct place *place_end(const struct meaning *m) {
	return m->places.items + m->places.n;
}
#define place_foreach(p, m, ip_) \
	for (const struct place *p = place_first(m, ip_); p < place_end(m) && ip_equal(&p->ip, ip_); p++)

/* The segment of an interface, by its name. */
size_t place_segment(struct meaning *m, const struct ns_state *ns, const char *dev);

/* Does a host answer for the address on the segment, other than the namespace (NULL: any host)? True if that
 * cannot be known. */
bool place_is_answered(const struct meaning *m, size_t segment, const struct ip *ip, const struct ns_state *but);

/* Prints which addresses of the family other hosts on the segment have: "; there are: 10.0.0.1 (host/br0), 10.0.0.12
 * (db/eth0)". */
void place_print_others(const struct meaning *m, size_t segment, const struct ip *ip, const struct ns_state *but,
			struct text *out);

/* Compares two positions in the files, like memcmp(). */
int place_compare_positions(struct position a, struct position b);
