/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a verb is: its arguments, options and help, and the exit statuses of all.
 */
#pragma once

#include "cli/options.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_DIFFERENCES = 2, /* of `plan` */
	EXIT_NOT_RUNNING = 3, /* of `status`, as are the next ones; 3 as in systemctl(1) and LSB */
	EXIT_DEGRADED = 4,
	EXIT_CONVERGING = 5,
	EXIT_PAUSED = 6,
	EXIT_USAGE = 64,
	EXIT_SPEC = 78, /* the spec is invalid */
};

struct verb {
	const char *name, *args; /* "plan", "SPEC" */
	const char *summary;     /* one line for the list of verbs */
	const char *help;        /* the rest of `topod help VERB`, in one line */
	unsigned options;        /* enum option_bit */
	size_t min_args, max_args;
	int (*run)(const struct options *options);
	bool runs_command; /* the words after max_args, or after `--`, are the command */
};
