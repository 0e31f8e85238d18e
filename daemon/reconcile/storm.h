/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distinguishes a storm from contention.
 *
 * In contention somebody undoes each repair of an object, and does nothing between two repairs. In a storm (a script gone
 * wild, a boot that reconfigures everything) objects keep changing while topod leaves them alone. Pauses that grew during a
 * storm would outlast it, so the end of the storm ends them: see failures.c.
 *
 * So disturbances are counted while something is left alone: new drift of objects that are not contested, and further
 * changes of contested ones. Five in a row are a storm; 250 ms without one is its end. They are counted from what scans find
 * to differ, not from events, because topod's own requests cause events too, up to seconds later. It knows no objects and no
 * clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	STORM_COUNT = 5,                      /* this many disturbances are a storm, … */
	STORM_WINDOW_USEC = 10 * 1000 * 1000, /* … if each follows the previous one within this time */
	STORM_QUIET_USEC = 250 * 1000,        /* after this time without a disturbance, it is over */
};

/* Zeroed: no storm. Times are CLOCK_MONOTONIC, in microseconds. */
struct storm {
	unsigned n;              /* disturbances */
	uint64_t disturbed_usec; /* time of the latest one */
	uint64_t unrest_usec;    /* time of the latest one before the current pass: quiet is counted from here */
	uint64_t began_usec;     /* when the current pass began */
};

/* Starts counting again: until now nothing was left alone, and everything was simply repaired. */
void storm_reset(struct storm *storm);
/* Something differs, and topod did not cause it. */
void storm_disturbed(struct storm *storm, uint64_t now);
/* Somebody undid a repair. This interrupts the quiet, but it happens in every contention, so it does not indicate a
 * storm. */
void storm_answered(struct storm *storm, uint64_t now);

/* A pass begins. True if a storm ended before it. */
bool storm_begin_pass(struct storm *storm, uint64_t now);
/* A pass ends: what happened during it interrupts the quiet from now on. */
void storm_end_pass(struct storm *storm);

bool storm_is_on(const struct storm *storm);
/* When the storm is over if nothing happens until then. */
uint64_t storm_end(const struct storm *storm);
