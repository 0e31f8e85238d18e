/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's log: one line per occurrence. If standard error is the journal, lines go there with fields to filter by; else
 * to standard error, coloured on a terminal.
 *
 * This is the only file that writes there while the daemon runs. The first lines of a storm are written, the others counted,
 * so that nothing is lost to full disks or journald's rate limit. It does not know what a line is about. Not thread-safe.
 */
#pragma once

#include <syslog.h>

#include "reconcile/reconcile.h"

enum {
	JOURNAL_BURST = 100,               /* this many lines are written … */
	JOURNAL_WINDOW_USEC = 5 * 1000000, /* … within this time; the others are only counted */
	JOURNAL_FIELDS_MAX = 16,
};

/* One line to write. */
struct journal_line {
	int priority;                           /* LOG_ERR … */
	const char *text;                       /* the message, without a line break */
	const char *fields[JOURNAL_FIELDS_MAX]; /* "TOPOD_NAMESPACE=web"; MESSAGE and PRIORITY are not among them */
	size_t n_fields;
};

/* Finds out where lines go. Before this call they go to standard error without colours. */
void journal_open(void);

/* Is standard error the journal of a topod service, as for ExecReload=? Then the daemon's messages are there already. */
bool journal_is_services(void);

/* Passes lines to a function instead, for tests; NULL: back to normal. */
void journal_redirect(void (*fn)(void *userdata, const struct journal_line *line), void *userdata);

/* Sets TOPOD_TOPOLOGY= of all lines; the text is copied. NULL: none. */
void journal_topology(const char *topology);

/* Logs an occurrence; now_usec is CLOCK_MONOTONIC. */
void journal_occurrence(const struct occurrence *occurrence, uint64_t now_usec);

/* Writes the counts if their window is over; with UINT64_MAX in any case (before the end). */
void journal_flush(uint64_t now_usec);
/* When journal_flush() has something to do, CLOCK_MONOTONIC; UINT64_MAX: never. */
uint64_t journal_due(void);

/* Writes another line, which is never only counted. */
void journal_log(int priority, const char *format, ...) _printf_(2, 3);

/* The same with a MESSAGE_ID= of messages.h. */
void journal_message(int priority, const char *id, const char *format, ...) _printf_(3, 4);

/* Writes each error and warning about a file as a line, with TOPOD_FILE= and TOPOD_LINE=. */
void journal_diags(const struct diags *diags);
