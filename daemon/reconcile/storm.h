/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling a storm from contention.
 *
 * Contention is one object that somebody keeps undoing: the other side answers each repair and is silent until the next.
 * In a storm (a script gone wild, a boot that goes over everything) things go on changing while topod leaves them alone.
 * Pauses that grew during a storm would outlast it, so its end ends them all: see failures.h.
 *
 * What counts is what scans find to differ, not events: topod's own requests cause events too, up to seconds later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	STORM_COUNT = 5,                      /* so many disturbances while something is left alone are a storm, … */
	STORM_WINDOW_USEC = 10 * 1000 * 1000, /* … if each follows the one before within this time */
	STORM_QUIET_USEC = 250 * 1000,        /* without any disturbance: the storm is over */
};

/* Zeroed is calm. Times are CLOCK_MONOTONIC, in microseconds. */
struct storm {
	unsigned n;              /* disturbances */
	uint64_t disturbed_usec; /* the latest one … */
	uint64_t unrest_usec;    /* … that happened before the current pass: quiet is counted from it */
	uint64_t began_usec;     /* the current pass */
};

/* Nothing is left alone yet: what happened until now was simply repaired. */
void storm_reset(struct storm *storm);
/* Something differs that topod does not cause itself. */
void storm_disturbed(struct storm *storm, uint64_t now);
/* The other side undid a repair: this interrupts the quiet, but every contention has it, so it is no sign of a storm. */
void storm_answered(struct storm *storm, uint64_t now);

/* A pass begins. True where a storm ended before it. */
bool storm_begin_pass(struct storm *storm, uint64_t now);
/* What happened during the pass counts for the quiet from here on. */
void storm_end_pass(struct storm *storm);

bool storm_is_on(const struct storm *storm);
/* When the storm is over, unless something happens until then. */
uint64_t storm_end(const struct storm *storm);
