/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is tried with a topology besides its own history: what fails for good, who keeps undoing a repair, what cannot be
 * looked at, a ledger that is lost.
 */
#pragma once

#include "run.h"

struct totals {
	size_t n_cases, n_requests, n_scans, n_partial, n_failed, n_passes, n_converged, n_degraded, n_steps, n_minimal,
		n_faults, n_ignored, n_fights, n_lost, n_blind;
};

extern struct totals totals;

/* Of the case's seed; salt: another for each question. */
uint64_t luck(const struct run *run, unsigned salt, uint64_t n);

/* Starts version 1, of which one object always fails. */
void fail_one(struct run *run);
/* The same, of which the kernel acknowledges something and does not do it. */
void ignore_one(struct run *run);
/* At rest: each does nothing where it is not. */
void fight(struct run *run);
void be_blind(struct run *run);
void be_locked_out(struct run *run);
void lose_ledger(struct run *run);
