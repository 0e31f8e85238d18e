/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "files/clock.h"

uint64_t clock_usec(clockid_t clock) {
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t now_monotonic(void) {
	return clock_usec(CLOCK_MONOTONIC);
}

uint64_t now_realtime(void) {
	return clock_usec(CLOCK_REALTIME);
}
