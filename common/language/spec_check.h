/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks that need several objects, by subject: each spec_check_*.c has one subject, which is a row of the table in
 * spec_check.c.
 *
 * A file of 100,000 lines is checked in a fraction of a second. So a check may cost a lookup or two for each object;
 * checks that compare objects with each other sort them first.
 */
#pragma once

#include "language/spec_private.h"

/* The functions of a subject, each may be NULL. They only add diagnostics. */
struct check {
	void (*object)(struct reading *r, const struct ns_state *ns, const struct object *object);
	void (*ns)(struct reading *r, const struct ns_state *ns);
	void (*whole)(struct reading *r);
};

extern const struct check check_references, check_stacks, check_kept, check_ports, check_claims, check_ipv6;

/* Compares the positions of two objects in the files, for qsort(). */
static inline int check_compare_places(const struct object *a, const struct object *b) {
	const struct position *m = &a->position, *n = &b->position;
	int r = m->source - n->source;

	if (r == 0)
		r = (m->line > n->line) - (m->line < n->line);
	return r ? r : m->column - n->column;
}

/* The largest MTU that a link can have according to the file: its own, that of its lower link less the outer
 * headers, or the smallest one of its ports. 0: not known. */
struct known_mtu {
	uint32_t mtu;
	const struct object *by; /* the object whose `mtu` decides; NULL: the kernel's default */
};
struct known_mtu check_known_mtu(struct reading *r, const struct object *link);
