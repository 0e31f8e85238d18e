/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of a pass share. */
#pragma once

#include "reconcile/pass.h"

uint64_t pass_now(const struct pass *pass);
/* What the kernel needs to know of the reconciler to look and to carry out. */
struct scan_request pass_scan_of(const struct reconciler *r);

/* choose.c: marks what is not to be carried out, and notes why. */
void pass_choose(struct pass *pass, struct plan *plan);
/* Is it held only because something else goes first, in this very plan? */
bool pass_comes_next(const struct change *change);
/* A change that failed: told where that is new. */
void pass_note_failure(struct pass *pass, struct plan *plan, struct change *change);

/* What differs in an object is no drift before it was seen as declared since the file was put in force. */
bool pass_is_new(const struct pass *pass, const struct object *object);

/* pass_ignored.c: what the kernel acknowledges and ignores. True where the plan has such changes, which are told of: it is to be
 * made anew. */
bool pass_note_ignored(struct pass *pass, const struct plan *plan);
/* The fields of those in which the object differs that are left as the kernel keeps them. */
uint64_t pass_kept(void *pass, const struct object *object, uint64_t differs);
/* Is the change one of an object that as such is left as the kernel has it? */
bool pass_is_left_ignored(struct pass *pass, const struct change *change);
/* The record of what the kernel has ignored before, where the change tries that again; NULL. */
struct failure_record *pass_known_ignored(const struct pass *pass, const struct change *change);
void pass_note_acknowledged(struct pass *pass, const struct change *change);
/* Looks at once at what was ignored before in this pass, so that nobody else has the time to undo it. */
void pass_scan_suspects(struct pass *pass, const struct plan *plan);

/* carry_out.c: notes what has gone, what is there without a note, and what is declared of it; tells what is left to other
 * topologies. 0 or -errno of the ledger. */
int pass_note(struct pass *pass, struct plan *plan);
/* pass.c: other topologies may note their claims again. */
void pass_unlock_claims(struct pass *pass);
/* 0 or -errno of the ledger; what fails of the changes is noted with them. */
int pass_carry_out(struct pass *pass, struct plan *plan);
