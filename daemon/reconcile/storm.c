/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/storm.h"

#include "base/base.h"

void storm_reset(struct storm *storm) {
	storm->n = 0;
}

void storm_disturbed(struct storm *storm, uint64_t now) {
	if (now > storm->disturbed_usec + STORM_WINDOW_USEC)
		storm->n = 0;
	storm->n++;
	storm->disturbed_usec = now;
}

void storm_answered(struct storm *storm, uint64_t now) {
	storm->disturbed_usec = now;
}

bool storm_is_on(const struct storm *storm) {
	return storm->n >= STORM_COUNT;
}

uint64_t storm_end(const struct storm *storm) {
	return storm->unrest_usec + STORM_QUIET_USEC;
}

bool storm_begin_pass(struct storm *storm, uint64_t now) {
	bool over = storm_is_on(storm) && now >= storm_end(storm);

	storm->began_usec = now;
	if (over)
		storm->n = STORM_COUNT - 1; /* a single disturbance soon afterwards continues the storm */
	return over;
}

void storm_end_pass(struct storm *storm) {
	storm->unrest_usec = MAX(storm->unrest_usec, storm->disturbed_usec);
}
