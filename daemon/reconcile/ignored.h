/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that the kernel acknowledges and does not carry out, or not as they were made: it rounds a value, sorts a list,
 * has one attribute where the file has two, or makes the object elsewhere.
 *
 * To repeat such a request at once leads nowhere, and nobody else is at fault. It is known by what the looks of one pass
 * see: after each acknowledgement the same object differs again, in the same way. What somebody else undoes is, sooner
 * or later, seen as it was asked for. This file only counts; what follows from it is up to choose.c.
 */
#pragma once

#include "plan/plan.h"

struct ignored_entry;

/* Of one pass. Zeroed is empty. */
struct ignored {
	struct ignored_entry *entries; /* by the object's id */
};

/* How the change's object differs from what is declared: equal numbers mean in the same way. Never 0. */
uint32_t ignored_sight(const struct change *change);

/* The kernel acknowledged a change in this round. known: changes of the object were ignored in an earlier pass. */
void ignored_acknowledged(struct ignored *ignored, const struct change *change, int round, bool known);

/* The object was seen as it is declared: what differs from now on is somebody else's doing. */
void ignored_seen_well(struct ignored *ignored, const struct object *object);

/* Has a change of this object been acknowledged in this pass, and in vain? */
bool ignored_is_suspect(const struct ignored *ignored, const struct object *object);

/* The change is asked for (again) by this round's look. True where the kernel has acknowledged it in vain often enough to say
 * that it ignores it. settled: the object was seen as declared before, so the kernel takes the value, and somebody else undoes
 * it. *ret_undone_by: the id of another declared object that undoes it when that one is set, or NULL. */
bool ignored_again(struct ignored *ignored, const struct change *change, int round, bool known, bool settled,
		   const char **ret_undone_by);

/* What the kernel has instead, in words: "the kernel keeps 336, not 333". In arena. */
const char *ignored_text(struct arena *arena, const struct change *change);
/* The fields in which the change's object differs, also where it is to be made anew; 0: it is not there, or not wanted. */
uint64_t ignored_fields(const struct change *change);

/* Frees; empty again. */
void ignored_done(struct ignored *ignored);
