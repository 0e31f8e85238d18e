/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told about the changes of one pass: a repair with what followed from it is one line, not many.
 *
 * A deleted link takes addresses and routes along; that they come back with it is said in the link's line. So
 * lines wait until the pass is over.
 */
#pragma once

#include "reconcile/reconcile.h"
#include "base/vec.h"

struct drift_line {
	struct occurrence occurrence;
	const struct class *class;
	const char *ns;
	const char *twin_ns, *twin_scope; /* of the other end of a pair, or NULL */
	bool alone;                       /* it takes nothing along */
};

/* Zeroed is empty. */
struct drift_lines {
	struct arena arena;
	vec(struct drift_line) list;
};

/* Notes a change that was made, failed or is left; texts are copied. Follow-up updates and what came back with a
 * link or a namespace are counted with that. Returns the line, valid until the next call; NULL where there is
 * none of its own. */
struct occurrence *drift_note(struct drift_lines *lines, const struct plan *plan, const struct change *change,
			      enum occurrence_type type);

/* What was noted as restored was not: takes the object's lines out again. How many drifts they told of, what came back with it
 * included. */
size_t drift_retract(struct drift_lines *lines, const struct object *object);

/* Tells them all, in order, and forgets them. */
void drift_tell(struct drift_lines *lines, void (*fn)(void *userdata, const struct occurrence *), void *userdata);

/* "the kernel's words (No such device)". In arena. */
const char *change_error(struct arena *arena, const struct change *change);

void drift_done(struct drift_lines *lines);
