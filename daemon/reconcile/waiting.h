/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Declared objects that wait for something outside topod: an address for a carrier, an interface until somebody moves it in.
 * This is neither a failure nor drift; nothing is retried, and nothing else is delayed by it. The awaited event causes a
 * scan.
 *
 * Each scan finds them (plan.waiting), and they are kept by namespace. An awaited interface that disappears or appears is
 * reported here. Nothing else is done with them; choose.c and carry_out.c ask object_waits() whether a change is the end of
 * a wait, not drift.
 */
#pragma once

#include "reconcile/pass.h"

/* After a scan with nothing to do: updates which of the scanned objects wait. If a missing one has appeared, namespaces with
 * other waiting objects are scanned again, because those may depend on it. */
void waiting_take(struct pass *pass, const struct plan *plan);
/* During a reload, while both desired states exist: moves the notes to the objects of the new one. */
void waiting_move(struct reconciler *r);
