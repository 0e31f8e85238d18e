/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of changes. For plan.c only. */
#pragma once

#include "plan/plan.h"

/* Finds what each change needs, and sorts plan->changes into the order of execution; see order.c. */
void plan_order(struct plan *plan, const struct plan_input *input);
