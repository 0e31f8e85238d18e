/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growing pauses: after each failed try the next pause is twice as long, up to a limit.
 *
 * Failing objects, outages and the reading of events all use this one rule, each with its own limits. It knows no clock: the
 * caller passes the time, and decides what counts as a try.
 */
#pragma once

#include <stdint.h>

#include "base/base.h"

struct backoff_limits {
	uint64_t first_usec, max_usec;
};

/* Zeroed: no pause. Times are CLOCK_MONOTONIC, in microseconds. */
struct backoff {
	uint64_t pause_usec; /* the length of the latest pause; 0: there was none */
	uint64_t due_usec;   /* when it ends; UINT64_MAX: time alone does not end it */
};

static inline uint64_t backoff_next(const struct backoff_limits *limits, uint64_t pause_usec) {
	return pause_usec ? MIN(pause_usec * 2, limits->max_usec) : limits->first_usec;
}

/* Begins a pause: the first one, or one twice as long as the previous. */
static inline void backoff_start(struct backoff *backoff, const struct backoff_limits *limits, uint64_t now) {
	backoff->pause_usec = backoff_next(limits, backoff->pause_usec);
	backoff->due_usec = now + backoff->pause_usec;
}
