/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Special tests with each topology, in addition to its history: an object that always fails, repairs that are undone, a
 * namespace that cannot be scanned, a lost ledger.
 */
#pragma once

#include "run.h"

struct totals {
	size_t n_cases, n_requests, n_scans, n_partial, n_failed, n_passes, n_converged, n_degraded, n_steps, n_minimal,
		n_faults, n_ignored, n_fights, n_lost, n_blind;
};

extern struct totals totals;

/* A random number from the case's seed; use another salt for each question. */
uint64_t luck(const struct run *run, unsigned salt, uint64_t n);

/* Starts version 1, with one object that always fails. */
void fail_one(struct run *run);
/* The same, with something that the kernel acknowledges but does not do. */
void ignore_one(struct run *run);
/* To be called when nothing is left to do; else they do nothing. */
void fight(struct run *run);
void be_blind(struct run *run);
void be_locked_out(struct run *run);
void lose_ledger(struct run *run);
