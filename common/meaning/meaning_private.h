/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this room share; not for others. */
#pragma once

#include "kind/address.h"
#include "kind/sysctl.h"
#include "meaning/meaning.h"
#include "meaning/segment.h"

/* An address and where it is. */
struct place {
	struct ip ip;
	size_t segment;
	const struct ns_state *ns;
	const struct address *address;
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

/* The first place with this address, or behind it; the end where there is none. */
const struct place *place_first(const struct meaning *m, const struct ip *ip);
static inline const struct place *place_end(const struct meaning *m) {
	return m->places.items + m->places.n;
}
#define place_foreach(p, m, ip_) \
	for (const struct place *p = place_first(m, ip_); p < place_end(m) && ip_equal(&p->ip, ip_); p++)

/* The segment of an interface by its name. */
size_t place_segment(struct meaning *m, const struct ns_state *ns, const char *dev);

/* Does anybody answer for the address on the segment, other than the namespace (NULL: than nobody)? Where that cannot be known,
 * he does. */
bool place_is_answered(const struct meaning *m, size_t segment, const struct ip *ip, const struct ns_state *but);

/* "; there are 10.0.0.1 (host/br0) and 10.0.0.12 (db/eth0)": who else is on the segment, in that family. */
void place_print_others(const struct meaning *m, size_t segment, const struct ip *ip, const struct ns_state *but,
			struct text *out);

/* Which of two places in the files comes first; as memcmp(). */
int place_compare_positions(struct position a, struct position b);

/* A setting that is declared, by its path, and its value; NULL. */
const struct sysctl *setting_object(const struct ns_state *ns, const char *path);
const char *setting_of(const struct ns_state *ns, const char *path);

/* The subjects. */
void meaning_addresses(struct meaning *m);
void meaning_gateways(struct meaning *m);
void meaning_translations(struct meaning *m);
void meaning_settings(struct meaning *m);
