/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that the kernel acknowledges but does not carry out, or not exactly: it rounds a value, sorts a list, has one
 * attribute where the file has two, or makes the object elsewhere.
 *
 * Repeating such a request at once is useless, and nobody else is at fault. The scans of one pass show it: after each
 * acknowledgement the same object differs again, in the same way. If somebody else undoes changes, the object is seen as
 * requested sooner or later. This file only counts; pass_ignored.c acts on it.
 */
#pragma once

#include "plan/plan.h"

struct ignored_entry;

/* The counts of one pass. Zeroed is empty. */
struct ignored {
	struct ignored_entry *entries; /* by the object's id */
};

/* A number for how the object differs from its declaration; equal numbers mean the same difference. Never 0. */
uint32_t ignored_sight(const struct change *change);

/* The kernel acknowledged a change in this round. known: changes of the object were ignored in an earlier pass. */
void ignored_acknowledged(struct ignored *ignored, const struct change *change, int round, bool known);

/* The object was seen as declared; if it differs later, somebody else has changed it. */
void ignored_seen_well(struct ignored *ignored, const struct object *object);

/* Has a change of this object been acknowledged in this pass, and in vain? */
bool ignored_is_suspect(const struct ignored *ignored, const struct object *object);

/* This round's scan requires the change (again). True if the kernel has acknowledged it in vain so often that it must be
 * ignoring it. settled: the object was seen as declared before, so the kernel accepts the value and somebody else undoes it.
 * *ret_undone_by: the id of another declared object whose change undoes this one, or NULL. */
bool ignored_again(struct ignored *ignored, const struct change *change, int round, bool known, bool settled,
		   const char **ret_undone_by);

/* Says what the kernel has instead: "the kernel keeps 336, not 333". In arena. */
const char *ignored_text(struct arena *arena, const struct change *change);
/* The fields in which the object differs, also if it is to be recreated; 0: it does not exist, or must not. */
uint64_t ignored_fields(const struct change *change);

/* Frees; empty again. */
void ignored_done(struct ignored *ignored);
