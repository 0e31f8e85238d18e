/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When events are read, and what happens if they cannot be.
 *
 * If events cannot be read, everything is scanned periodically instead. If some are lost at each reading, reading on at once
 * would only lose more: they are left unread for a moment that grows to a quarter of a second. After either, everything is
 * scanned once more.
 *
 * reconcile.h has the functions (reconciler_deaf() and those below it).
 */
#pragma once

#include "reconcile/outage.h"

enum {
	HEARING_PAUSE_USEC = 10 * 1000, /* between two reads while a dirty namespace has to wait, see worklist_rest() */
};

/* Zeroed: all events are read. */
struct hearing {
	struct outage deaf;   /* events cannot be read */
	uint64_t listen_usec; /* no events are read before that, because the scans that they cause have to wait anyway */
	/* Overruns in a row: events are lost again and again. */
	unsigned n_overruns;
	uint64_t overrun_usec; /* the latest */
	struct backoff flood;  /* no events are read before it ends */
	bool flood_told;
};
