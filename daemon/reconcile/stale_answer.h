/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers of the kernel that contradict the scan: an object to create exists, one to change does not, or the gateway of a
 * route is unreachable.
 *
 * A scan does not show a single moment. Something may happen between the scan and the request; and a dump during which
 * others delete may leave out objects that stay, without being marked as interrupted (the kernel removes an address from its
 * list before it counts the change). So the first such answer for an object in a pass is not a failure: the next scan, which
 * follows anyway, decides.
 */
#pragma once

#include "plan/plan.h"

struct stale_answer;

/* Zeroed is empty. */
struct stale_answers {
	struct stale_answer *met; /* by the object's id */
};

/* Should the answer to the failed change be doubted? True only once for each object. round: the number of its scan. */
bool stale_answer(struct stale_answers *stale_answers, const struct change *change, int round);

/* Frees it; afterwards it is empty. */
void stale_answers_done(struct stale_answers *stale_answers);
