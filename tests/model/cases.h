/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that tries many cases and reduces those that fail. The tests of the model and of the real kernel share it.
 */
#pragma once

#include "case.h"

/* Defined by the program: runs a case without the parts that are off (n_off; NULL: with all parts). NULL on success, else
 * what failed, with the sort of failure before a colon; the caller frees. `telling`: prints the case and what happens. */
char *try_case(uint64_t seed, bool *off, int n_off, bool telling);
/* Defined by the program: for case_new(). */
extern const bool cases_real;
/* Defined by the program: how many are tried at once, each in its own process. */
extern const unsigned cases_jobs;

/* Options --seed, --count, --seconds, --case and --whole; without a count or time it runs for `limit` seconds. Returns the
 * exit code. */
int cases_main(int argc, char **argv, double limit);
