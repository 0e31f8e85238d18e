/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told about the changes of one pass: a repair with everything that followed from it is one line, not many.
 *
 * A deleted link takes addresses and routes along; that they came back with it is counted in the link's line. So lines wait
 * until the pass is over.
 */
#pragma once

#include "base/vec.h"
#include "reconcile/reconcile.h"

/* Where an object belongs. Zeroed: nowhere. */
struct drift_place {
	const char *ns, *link; /* link is NULL for what belongs to none */
};

struct drift_line {
	struct occurrence occurrence;
	const struct class *class;
	const char *id;                 /* the object's */
	struct drift_place place, twin; /* the object, and the other end of its pair */
	bool alone;                     /* it takes nothing along */
};

/* Zeroed is empty. */
struct drift_lines {
	struct arena arena;
	vec(struct drift_line) list;
};

/* Notes a change that was made, failed or is left; texts are copied. Follow-up updates, and what came back with a link or a
 * namespace, are counted in the line of that. Returns the new line, valid until the next call; NULL where there is none. */
struct occurrence *drift_note(struct drift_lines *lines, const struct plan *plan, const struct change *change,
			      enum occurrence_type type);

/* What was noted as restored was not: takes the object's lines out again. Returns how many drifts they told of, including what
 * came back with the object. */
size_t drift_retract(struct drift_lines *lines, const struct object *object);

/* Tells them all, in order, and forgets them. */
void drift_tell(struct drift_lines *lines, void (*fn)(void *userdata, const struct occurrence *), void *userdata);

/* Why the change failed: topod's own words, or the kernel's with the error ("Mandatory attribute missing (Invalid
 * argument)"). In arena. */
const char *change_error(struct arena *arena, const struct change *change);

void drift_done(struct drift_lines *lines);
