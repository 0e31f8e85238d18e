/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod run`: what must be so before the loop begins. */
#include <malloc.h>
#include <signal.h>

#include "run/journal.h"
#include "run/loop.h"
#include "cli/verbs.h"

/* The loop takes them as events. Blocked from the beginning: a signal that comes early waits for it. */
static void block_signals(void) {
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* What a file, a ledger or a look at everything needs for a moment comes in chunks of this size (arena.c), in mappings of
 * their own that go back whole. By itself glibc would take them from the heap after the first of them was freed, and what
 * lives long, allocated in between, would keep a fifth of the heap for nothing. */
static void give_back_chunks(void) {
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

/* A person sees the line under a caret, the journal gets fields. */
static void tell_diags(const struct loaded_spec *loaded, const struct options *options) {
	if (isatty(STDERR_FILENO))
		print_diags(&loaded->diags, options);
	else
		journal_diags(&loaded->diags);
}

int verb_run(const struct options *options) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	const struct loop_options loop = {
		.path = options->args[0],
		.flags = trusted_flags(options),
		.periodic_usec = options->periodic_usec,
		.replaces = options->replaces,
	};
	bool good;

	give_back_chunks();
	block_signals();
	journal_open();
	raise_limits();
	good = spec_file_load(loop.path, loop.flags, &loaded);
	tell_diags(&loaded, options);
	if (!good)
		return EXIT_SPEC;
	return loop_run(&loop, &loaded) < 0 ? EXIT_FAILED : EXIT_DONE;
}
