/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's status: the reconciler's numbers, the latest drifts, the latest reload, and a sentence for the service
 * manager.
 *
 * It collects and formats these; it sends nothing.
 */
#pragma once

#include "reconcile/reconcile.h"
#include "report/report.h"

enum { STATUS_TROUBLES_MAX = 100 };

struct told_drift {
	struct arena arena; /* of the texts */
	struct report_drift drift;
};

/* Zeroed is empty; the counters begin with status_init(). */
struct status {
	char *file;                                  /* absolute, because a client may be in another directory */
	struct told_drift latest[REPORT_DRIFTS_MAX]; /* a ring */
	size_t n_noted;
	enum phase phase;
	uint64_t started_usec, since_usec, reloaded_usec; /* CLOCK_REALTIME */
	char *reload_error;
	uint64_t paused_until_usec; /* CLOCK_MONOTONIC; 0: not paused */
};

void status_init(struct status *status, const char *file);
void status_done(struct status *status);

/* Keeps the occurrence if it is a drift. */
void status_note(struct status *status, const struct occurrence *occurrence);

/* Sets the phase. True if it has changed. */
bool status_phase(struct status *status, enum phase phase);

/* A reload is over. error: the first error of the file; NULL: it was accepted. */
void status_reloaded(struct status *status, const char *error);

/* The status as report_status_json() formats it. The caller frees. */
json_t *status_json(const struct status *status, const struct reconciler *reconciler);

/* Adds why it is still converging: "duplicate detection of 2 addresses; 'nodad: true' skips it". Adds nothing if it is not
 * converging, or waits for nothing. */
void status_reason(const struct reconciler *reconciler, struct text *out);

/* "Converged: 12 objects in 4 namespaces", "Degraded: 1 failing (web: route 10.9.0.0/16: …)". */
void status_sentence(const struct status *status, const struct reconciler *reconciler, struct text *out);
