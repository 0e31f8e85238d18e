/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only shows across objects, by subject: each spec_check_*.c has one, and is a row of the table in spec_check.c.
 *
 * A file of 100,000 lines is checked in a fraction of a second, so a check costs a look-up or two for each object;
 * what compares objects with each other sorts them first.
 */
#pragma once

#include "language/spec_private.h"

/* Functions of a subject, each NULL where there is nothing to do. They only add diagnostics. */
struct check {
	void (*object)(struct reading *r, const struct ns_state *ns, const struct object *object);
	void (*ns)(struct reading *r, const struct ns_state *ns);
	void (*whole)(struct reading *r);
};

extern const struct check check_references, check_stacks, check_kept, check_ports, check_claims, check_ipv6;

/* Which of the two stands first in the files, as qsort() asks. */
static inline int check_compare_places(const struct object *a, const struct object *b) {
	const struct position *m = &a->position, *n = &b->position;
	int r = m->source - n->source;

	if (r == 0)
		r = (m->line > n->line) - (m->line < n->line);
	return r ? r : m->column - n->column;
}

/* The largest MTU that a link can have by what is declared: its own, that of the link below less the outer headers, or the
 * smallest of its ports'. 0: not known. */
struct known_mtu {
	uint32_t mtu;
	const struct object *by; /* whose `mtu` decides; NULL: it is the kernel's default */
};
struct known_mtu check_known_mtu(struct reading *r, const struct object *link);
