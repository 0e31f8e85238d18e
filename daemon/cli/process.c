/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/process.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/base.h"

static const int ignored[] = { SIGPIPE, SIGXFSZ };
static sighandler_t before[ARRAY_SIZE(ignored)];

void ignore_signals(void) {
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		before[i] = signal(ignored[i], SIG_IGN);
}

static struct rlimit descriptors; /* before raise_limits(); zeroed: not raised */

void restore_process(void) {
	if (descriptors.rlim_max)
		(void)setrlimit(RLIMIT_NOFILE, &descriptors);
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], before[i]);
}

void raise_limits(void) {
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	descriptors = limit;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* the former limit is enough for most topologies */
}
