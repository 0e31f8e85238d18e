/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon behind `topod run`: the event loop around one session, with what goes in (the kernel's events, signals,
 * time, the control socket) and what goes out (the journal, the supervisor, the answers).
 *
 * It decides nothing about the network; it only calls the reconciler when there is a reason to, and tells what came
 * of it.
 */
#pragma once

#include "files/spec_file.h"

enum {
	LOOP_PERIODIC_USEC = 30 * 1000 * 1000,
	LOOP_PAUSE_SEC = 10 * 60,          /* a pause, where nothing else is asked for … */
	LOOP_PAUSE_MAX_SEC = 24 * 60 * 60, /* … and the longest: what is forgotten ends within a day */
};

struct loop_options {
	const char *path;       /* of the spec; read again at each reload */
	unsigned flags;         /* enum spec_file_flags */
	bool replaces;          /* another file of which the topology was made before is given up */
	uint64_t periodic_usec; /* between looks at what no event tells of; 0: LOOP_PERIODIC_USEC */
};

/* SIGTERM, SIGINT and SIGHUP must be blocked by the caller, in all threads. loaded is the file as it was read from the
 * path (its spec is taken over). Returns when it is told to stop: 0, or -errno where it could not begin or go on, which
 * was told to the journal. */
int loop_run(const struct loop_options *options, struct loaded_spec *loaded);
