/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a daemon counts, as one table: the reconciler counts in struct report_counts, and the status in JSON, in lines and in
 * a sentence is made from the table. To add a count, add a row, and its key to daemon/control/org.topod.varlink.
 */
#pragma once

#include "base/base.h"

/* The line of `topod status` that shows the count if it is not 0. */
enum count_line {
	COUNT_UNLISTED,
	COUNT_OBJECTS,
	COUNT_DRIFT,
};

/* Member, key in JSON, line, the words after 1 and after other numbers, the words in "Degraded: 1 failing" (NULL:
 * not shown), whether it only grows since the daemon's start, and the sentence of `topod status --prometheus`. */
#define REPORT_COUNTS(COUNT)                                                                                           \
	/* declared */                                                                                                 \
	COUNT(n_namespaces, "namespaces", UNLISTED, NULL, NULL, NULL, false, "Declared namespaces.")                   \
	COUNT(n_objects, "objects", UNLISTED, NULL, NULL, NULL, false, "Declared objects.")                            \
	/* objects, now; a namespace that cannot be scanned counts as one */                                           \
	COUNT(n_failing, "failing", OBJECTS, "failing", "failing", "failing", false, "Objects that cannot be made.")   \
	COUNT(n_fights, "fought_over", OBJECTS, "fought over", "fought over", "fought over", false,                    \
	      "Objects that something else keeps changing.")                                                           \
	COUNT(n_reported, "reported", OBJECTS, "drifted and only reported", "drifted and only reported",               \
	      "different, only reported", false, "Objects that drifted and are only reported.")                        \
	COUNT(n_held, "held", OBJECTS, "drifted and left while paused", "drifted and left while paused",               \
	      "different, left while paused", false, "Objects that drifted and are left during a pause.")              \
	COUNT(n_pending, "pending", OBJECTS, "in duplicate address detection", "in duplicate address detection", NULL, \
	      false, "Addresses in duplicate address detection.")                                                      \
	/* for something outside topod */                                                                              \
	COUNT(n_waiting, "waiting", OBJECTS, "waiting", "waiting", NULL, false,                                        \
	      "Objects that wait for something outside topod.")                                                        \
	/* since the start */                                                                                          \
	COUNT(n_drifts, "drifts", UNLISTED, NULL, NULL, NULL, true, "Drift that was noticed.")                         \
	COUNT(n_restored, "restored", UNLISTED, NULL, NULL, NULL, true, "Drift that was undone.")                      \
	COUNT(n_only_reported, "only_reported", DRIFT, "only reported", "only reported", NULL, true,                   \
	      "Drift that was only reported.")                                                                         \
	COUNT(n_retries, "retries", DRIFT, "retry", "retries", NULL, true, "Retries of failed changes.")               \
	COUNT(n_overruns, "overruns", DRIFT, "overrun of events", "overruns of events", NULL, true,                    \
	      "Overruns of the event socket.")                                                                         \
	COUNT(n_scans, "looks", UNLISTED, NULL, NULL, NULL, true, "Scans of whole namespaces.")                        \
	/* scans of parts of one, and their objects */                                                                 \
	COUNT(n_narrow_scans, "narrow_looks", UNLISTED, NULL, NULL, NULL, true, "Scans of parts of a namespace.")      \
	COUNT(n_scanned_for, "looked_for", UNLISTED, NULL, NULL, NULL, true, "Objects in these scans.")

#define REPORT_COUNT_MEMBER(member, ...) size_t member;
#define REPORT_COUNT_ONE(...) +1

enum { N_REPORT_COUNTS = 0 REPORT_COUNTS(REPORT_COUNT_ONE) };

struct report_counts {
	REPORT_COUNTS(REPORT_COUNT_MEMBER)
};

struct report_count {
	const char *key;
	size_t offset;
	enum count_line line;
	const char *one, *several, *degraded;
	bool grows;
	const char *help;
};

extern const struct report_count report_count_table[N_REPORT_COUNTS];

static inline size_t *report_count_of(const struct report_count *row, struct report_counts *counts) {
	return (size_t *)(void *)((char *)counts + row->offset);
}

static inline size_t report_count(const struct report_count *row, const struct report_counts *counts) {
	return *(const size_t *)(const void *)((const char *)counts + row->offset);
}
