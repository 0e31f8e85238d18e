/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages on standard error while a verb takes long: progress, and the reason for a wait of more than PATIENCE_USEC.
 *
 * It knows neither daemons nor topologies: its callers pass on what they hear.
 */
#pragma once

#include <jansson.h>

#include "cli/options.h"

enum {
	PATIENCE_USEC = 300 * 1000,
	PATIENCE_AGAIN_USEC = 5 * 1000 * 1000, /* between two reasons, which may differ only in a number that counts down */
};

struct patience {
	const char *topology; /* borrowed */
	const struct options *options;
	uint64_t speak_usec;       /* not before, CLOCK_MONOTONIC; 0: at once */
	char *reason;              /* the latest one; NULL: none is known */
	bool told, progress_shown; /* told: the reason was printed */
};

/* On a terminal, prints one line that overwrites the former one; elsewhere nothing. */
void patience_progress(struct patience *p, size_t n_done, size_t n_all);
/* Sets the reason for the wait ("duplicate detection of 2 addresses"); NULL: nothing is known. Each reason is printed once,
 * not before speak_usec. */
void patience_reason(struct patience *p, const char *reason);
/* Takes the reason or the progress from an event of org.topod.Watch(); ignores other events. */
void patience_event(struct patience *p, const json_t *event);

/* When patience_speak() will print something, CLOCK_MONOTONIC; UINT64_MAX: it has nothing to print. */
uint64_t patience_due(const struct patience *p);
void patience_speak(struct patience *p);

/* Removes the line of progress, and frees. */
void patience_end(struct patience *p);
#define _cleanup_patience_ _cleanup_(patience_end)
