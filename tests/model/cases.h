/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that tries case after case, and makes small what fails: the part that the model and the real kernel share.
 */
#pragma once

#include "case.h"

/* By the program: does a case, without the parts that are off (n_off of them; NULL: with all). NULL where all is well,
 * else what failed, the sort of failure before a colon; the caller frees. With telling it prints the case and what came
 * of it. */
char *try_case(uint64_t seed, bool *off, int n_off, bool telling);
/* By the program: for case_new(). */
extern const bool cases_real;
/* By the program: how many are tried at once, each in a process of its own. */
extern const unsigned cases_jobs;

/* Options --seed, --count, --seconds, --case and --whole; without a count or time it works `limit` seconds. Returns the
 * exit code. */
int cases_main(int argc, char **argv, double limit);
