/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user is told, on standard error, while a verb takes its time: progress, and the reason of a wait that is longer than
 * PATIENCE_USEC.
 *
 * It knows neither daemons nor topologies: its callers pass on what they hear.
 */
#pragma once

#include <jansson.h>

#include "cli/options.h"

enum {
	PATIENCE_USEC = 300 * 1000,
	PATIENCE_AGAIN_USEC =
		5 * 1000 * 1000, /* from one reason to the next: they may differ in a number that counts down */
};

struct patience {
	const char *topology; /* borrowed */
	const struct options *options;
	uint64_t speak_usec;       /* not before, CLOCK_MONOTONIC; 0: at once */
	char *reason;              /* the latest one; NULL: none is known */
	bool told, progress_shown; /* told: the reason was printed */
};

/* One line on a terminal that is overwritten each time, elsewhere nothing. */
void patience_progress(struct patience *p, size_t n_done, size_t n_all);
/* This is what it waits for now ("duplicate detection of 2 addresses"), or nothing any more (NULL). It is printed when it is time,
 * and each reason once. */
void patience_reason(struct patience *p, const char *reason);
/* An event of org.topod.Watch(): the state or progress; ignores others. */
void patience_event(struct patience *p, const json_t *event);

/* When patience_speak() has something to print, CLOCK_MONOTONIC; UINT64_MAX: never, as far as it knows. */
uint64_t patience_due(const struct patience *p);
void patience_speak(struct patience *p);

/* Removes the line of progress, and frees. */
void patience_end(struct patience *p);
#define _cleanup_patience_ _cleanup_(patience_end)
