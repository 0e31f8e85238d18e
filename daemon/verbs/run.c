/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod run`: prepares the process, loads the spec and starts the loop (run/loop.h). */
#include <malloc.h>
#include <signal.h>

#include "cli/process.h"
#include "run/journal.h"
#include "run/loop.h"
#include "verbs/verbs.h"

/* The loop reads signals as events. They are blocked from the beginning, so that an early one waits for the loop. */
static void block_signals(void) {
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Arenas allocate chunks of this size (arena.c), which should be mappings of their own, so that freeing returns them to the
 * system. After the first such free glibc raises its threshold and takes them from the heap (mallopt(3)); small objects
 * that live long, allocated in between, would then keep a fifth of the heap from being returned. */
static void map_chunks(void) {
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

/* On a terminal with the line and a caret, in the journal with fields. */
static void report_diags(const struct loaded_spec *loaded, const struct options *options) {
	if (isatty(STDERR_FILENO))
		print_diags(&loaded->diags, options);
	else
		journal_diags(&loaded->diags);
}

int verb_run(const struct options *options) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	_cleanup_free_ char *path = spec_argument(options->args[0]);
	const struct loop_options loop = {
		.path = path,
		.flags = trusted_flags(options),
		.asked = options->verbose ? print_asked : NULL,
		.periodic_usec = options->periodic_usec,
		.replaces = options->replaces,
	};
	bool good;

	map_chunks();
	block_signals();
	journal_open();
	raise_limits();
	good = spec_file_load(loop.path, loop.flags, &loaded);
	report_diags(&loaded, options);
	if (!good) {
		hint_about_argument(options->args[0]);
		return EXIT_SPEC;
	}
	return loop_run(&loop, &loaded) < 0 ? EXIT_FAILED : EXIT_DONE;
}
