/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a daemon can tell of itself when it is asked: the reconciler's numbers, the latest drifts, the latest
 * reload, and a sentence for its supervisor.
 *
 * It only collects and words; nothing here is sent.
 */
#pragma once

#include "reconcile/reconcile.h"
#include "report/report.h"

enum { STATUS_TROUBLES_MAX = 100 };

struct told_drift {
	uint64_t when_usec; /* CLOCK_REALTIME */
	char *text, *scope, *noun;
};

/* Zeroed is empty; the counters begin with status_init(). */
struct status {
	char *file;                                  /* absolute: who asks may be in another folder */
	struct told_drift latest[REPORT_DRIFTS_MAX]; /* a ring */
	size_t n_noted;
	enum phase phase;
	uint64_t started_usec, since_usec, reloaded_usec; /* CLOCK_REALTIME */
	char *reload_error;
	uint64_t paused_until_usec; /* CLOCK_MONOTONIC; 0: not paused */
};

void status_init(struct status *status, const char *file);
void status_done(struct status *status);

/* Keeps it where it is a drift. */
void status_note(struct status *status, const struct occurrence *occurrence);

/* Takes note of the phase that was reached. True where it is another than before. */
bool status_phase(struct status *status, enum phase phase);

/* A reload is over; error is its first one, NULL where the file was taken. */
void status_reloaded(struct status *status, const char *error);

/* As report_status_json(), the caller's. */
json_t *status_json(const struct status *status, const struct reconciler *reconciler);

/* "Converged: 12 objects in 4 namespaces", "Degraded: 1 failing (web: route 10.9.0.0/16: …)". */
void status_sentence(const struct status *status, const struct reconciler *reconciler, struct text *out);
