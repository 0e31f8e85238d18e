/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon behind `topod run`: the event loop around one topology. Its inputs are the kernel's events, signals, timers
 * and the control socket; its outputs are the journal, the service manager, and answers on the socket.
 *
 * It decides nothing about the network. It calls the reconciler when there is a reason to, and reports the result.
 */
#pragma once

#include "files/spec_file.h"

enum {
	LOOP_PERIODIC_USEC = 30 * 1000 * 1000,
	LOOP_PAUSE_SEC = 10 * 60,          /* the default of a pause … */
	LOOP_PAUSE_MAX_SEC = 24 * 60 * 60, /* … and the longest: a forgotten one ends within a day */
};

struct loop_options {
	const char *path; /* of the spec; read again at each reload */
	unsigned flags;   /* enum spec_file_flags */
	bool replaces;    /* the topology may have been made from another file before: --replace */
	/* Reports requests to the kernel, see struct execute_hooks; or NULL. */
	void (*asked)(void *userdata, const struct change *change, const char *how);
	uint64_t periodic_usec; /* between scans of objects that cause no events; 0: LOOP_PERIODIC_USEC */
};

/* Runs until it is told to stop. The caller must have blocked SIGTERM, SIGINT, SIGHUP and SIGUSR1 in all threads. loaded is
 * the file as it was read from the path; its spec is taken. 0, or -errno if it could not start or continue, after a message
 * to the journal. */
int loop_run(const struct loop_options *options, struct loaded_spec *loaded);
