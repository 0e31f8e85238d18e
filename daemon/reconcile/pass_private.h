/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of a pass share. */
#pragma once

#include "reconcile/pass.h"

uint64_t pass_now(const struct pass *pass);
/* What the kernel needs to know of the reconciler to look and to carry out. */
struct look pass_look_of(const struct reconciler *r);

/* pass_choose.c: marks what is not to be carried out, and notes why. */
void pass_choose(struct pass *pass, struct plan *plan);
/* A change that failed: told where that is new. */
void pass_note_failure(struct pass *pass, struct plan *plan, struct change *change);

/* pass_carry_out.c: notes what has gone and what is there without a note. 0 or -errno of the ledger. */
int pass_note_lost(struct pass *pass, const struct plan *plan);
/* 0 or -errno of the ledger; what fails of the changes is noted with them. */
int pass_carry_out(struct pass *pass, struct plan *plan);
