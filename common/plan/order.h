/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For plan.c only. */
#pragma once

#include "plan/plan.h"

/* Finds what each change needs and puts them all into an order in which they can be done: what goes, then
 * namespaces, settings that new links inherit, links from the lowest up (each up before others are made upon it), then namespace by namespace the rest;
 * last the namespaces that go. */
void plan_order(struct plan *plan, const struct plan_input *input);
