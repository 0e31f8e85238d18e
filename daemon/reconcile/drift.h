/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines about the changes of one pass: a repair and everything that followed from it is one line, not many.
 *
 * When a link is deleted, its addresses and routes disappear with it; their repairs are counted in the link's line. So lines
 * wait until the pass is over. It only describes: it knows neither why a change was made nor where lines go.
 */
#pragma once

#include "base/vec.h"
#include "reconcile/reconcile.h"

/* Where an object belongs. Zeroed: nowhere. */
struct drift_place {
	const char *ns, *link; /* link is NULL if the object belongs to none */
};

struct drift_line {
	struct occurrence occurrence;
	const struct class *class;
	const char *id;                 /* the object's */
	struct drift_place place, twin; /* the object, and the other end of its pair */
	bool alone;                     /* nothing else is a consequence of it */
};

/* Zeroed is empty. */
struct drift_lines {
	struct arena arena;
	vec(struct drift_line) list;
};

/* Adds a line for a change that was made, failed or is left alone; texts are copied. If it is only a consequence of another
 * line, it is counted there. Returns the new line, valid until the next call, or NULL. */
struct occurrence *drift_note(struct drift_lines *lines, const struct plan *plan, const struct change *change,
			      enum occurrence_type type);

/* The object was not restored after all: removes its lines. Returns how many drifts they counted, including consequences. */
size_t drift_retract(struct drift_lines *lines, const struct object *object);

/* Passes all lines to fn, in order, and empties the list. */
void drift_tell(struct drift_lines *lines, void (*fn)(void *userdata, const struct occurrence *), void *userdata);

/* Why the change failed: topod's own words, or the kernel's with the error ("Mandatory attribute missing (Invalid
 * argument)"). In arena. */
const char *change_error(struct arena *arena, const struct change *change);

void drift_done(struct drift_lines *lines);
