/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon says while it runs: one line per occurrence, to the journal with fields to filter by where
 * standard error is the journal, else to standard error (coloured on a terminal).
 *
 * The only file that writes there once the daemon runs. A storm is told by its first lines and then by counts, so
 * that neither disks nor journald's own limits decide what is lost: nothing is. Not for several threads.
 */
#pragma once

#include <syslog.h>

#include "reconcile/reconcile.h"

enum {
	JOURNAL_BURST = 100,               /* lines told one by one … */
	JOURNAL_WINDOW_USEC = 5 * 1000000, /* … within this time; the others are counted */
	JOURNAL_FIELDS_MAX = 16,
};

/* One line as it goes out. */
struct journal_line {
	int priority;                           /* LOG_ERR … */
	const char *text;                       /* the message, one line without its break */
	const char *fields[JOURNAL_FIELDS_MAX]; /* "TOPOD_NAMESPACE=web"; MESSAGE and PRIORITY are not among them */
	size_t n_fields;
};

/* Finds out where lines go. Before it is called they go to standard error, plain. */
void journal_open(void);

/* Sends lines to a function instead (tests, and a command that runs in the foreground); NULL: back to where
 * journal_open() said. */
void journal_redirect(void (*fn)(void *userdata, const struct journal_line *line), void *userdata);

/* The topology that is served (TOPOD_TOPOLOGY=), copied; NULL: none. */
void journal_topology(const char *topology);

/* One occurrence; now_usec is CLOCK_MONOTONIC. */
void journal_occurrence(const struct occurrence *occurrence, uint64_t now_usec);

/* Tells what was only counted, where its time is over; with UINT64_MAX in any case (before the end). */
void journal_flush(uint64_t now_usec);
/* When journal_flush() has something to do, CLOCK_MONOTONIC; UINT64_MAX: never. */
uint64_t journal_due(void);

/* Another line. Never counted away. */
void journal_log(int priority, const char *format, ...) _printf_(2, 3);

/* The same with a MESSAGE_ID= of messages.h. */
void journal_message(int priority, const char *id, const char *format, ...) _printf_(3, 4);

/* Each diagnostic of a refused (or warned of) file as a line, with TOPOD_FILE= and TOPOD_LINE=. */
void journal_diags(const struct diags *diags);
