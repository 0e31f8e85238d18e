/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's clocks in microseconds. */
#pragma once

#include <stdint.h>
#include <time.h>

uint64_t clock_usec(clockid_t clock);
/* CLOCK_MONOTONIC and CLOCK_REALTIME. */
uint64_t now_monotonic(void);
uint64_t now_realtime(void);
/* The time until a moment of CLOCK_MONOTONIC, 0 if it is over; UINT64_MAX is never. */
uint64_t time_left(uint64_t until_usec);
