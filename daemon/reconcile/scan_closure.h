/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extends a narrow scan to everything that the resulting plan affects; for pass.c only. It knows no class of objects. */
#pragma once

#include "reconcile/pass.h"

/* Extends the pass if the plan has consequences outside the scan. True if it did: then drop the plan and repeat the scan. */
bool scan_closure(struct pass *pass, const struct plan *plan);
