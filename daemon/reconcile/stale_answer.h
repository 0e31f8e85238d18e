/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers of the kernel that contradict what was seen: what was to be made is there, what was to be changed is not, or
 * nothing leads to the gateway of a route.
 *
 * What is seen is not of one moment: something may happen between a look and the request, and a dump that goes on
 * while others delete may leave out what stays, without being marked as interrupted (the kernel takes an address out of
 * its list before it counts the change that would tell). Such an answer is therefore no failure the first time in a
 * pass: the look that follows anyhow decides what is to be done.
 */
#pragma once

#include "plan/plan.h"

struct stale_answer;

/* Zeroed is empty. */
struct stale_answers {
	struct stale_answer *met; /* by the object's id */
};

/* Is the answer to the failed change to be doubted? True once for each object, whatever comes later. round: the number of the
 * look that it belongs to. */
bool stale_answer(struct stale_answers *stale_answers, const struct change *change, int round);

/* Frees; empty again. */
void stale_answers_done(struct stale_answers *stale_answers);
