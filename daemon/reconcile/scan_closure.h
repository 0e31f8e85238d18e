/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what a narrow look shows to what must be looked at along with it; for pass.c only. */
#pragma once

#include "reconcile/pass.h"

/* Lets the pass look at more, where the plan has consequences outside of what was looked at. True where it did: then
 * the plan counts for nothing, and the look is to be repeated. */
bool scan_closure(struct pass *pass, const struct plan *plan);
