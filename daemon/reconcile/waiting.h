/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Declared objects that wait for something outside of topod: an address for a carrier, an interface until somebody moves
 * it in. That is no failure and no drift; nothing is tried again and nobody is kept waiting for it. An event of what they
 * wait for has them looked at again.
 *
 * That an awaited interface goes or comes is told. Which they are is found by each look (plan.waiting) and kept by namespace. It does nothing with them; choose.c and
 * carry_out.c ask object_waits() whether a change is the end of a wait rather than drift.
 */
#pragma once

#include "reconcile/pass.h"

/* After a look in which nothing was to be done: those looked for wait, or do so no longer. Where one that was not there has
 * come, the namespaces in which others are awaited are looked at again: they may stand on it. */
void waiting_take(struct pass *pass, const struct plan *plan);
/* Another desired state is in place, and the former still there: notes go over to its objects. */
void waiting_move(struct reconciler *r);
