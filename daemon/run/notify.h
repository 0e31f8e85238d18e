/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notifications to the service manager (sd_notify(3)). Without one, none of these functions does anything.
 */
#pragma once

#include "base/base.h"

/* READY=1 with a sentence for STATUS=. Sent after the first verified convergence and after each reload. */
void notify_ready(const char *format, ...) _printf_(1, 2);

/* RELOADING=1 with the time at which the reload began, CLOCK_MONOTONIC. notify_ready() ends it, also if the new file was
 * refused. */
void notify_reloading(uint64_t now_usec);

/* The sentence that `systemctl status` shows. */
void notify_status(const char *format, ...) _printf_(1, 2);

void notify_stopping(const char *format, ...) _printf_(1, 2);

/* Asks for this much more time to start, reload or stop, while a large topology makes progress. */
void notify_extend(uint64_t usec);

/* How often the watchdog expects a notification, in microseconds; 0: there is none. An event loop sends them by itself
 * (sd_event_set_watchdog()); notify_alive() is for long work between two of its turns. */
uint64_t notify_watchdog_usec(void);
/* WATCHDOG=1, at most as often as needed; now_usec is CLOCK_MONOTONIC. */
void notify_alive(uint64_t now_usec);
