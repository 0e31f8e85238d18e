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

uint64_t time_left(uint64_t until_usec) {
	uint64_t now = now_monotonic();

	return until_usec == UINT64_MAX ? UINT64_MAX : until_usec > now ? until_usec - now : 0;
}
