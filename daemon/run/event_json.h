/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events as the JSON objects that org.topod.Watch() streams (type Event of org.topod.varlink).
 *
 * Every function returns the parameters of a reply, {"event": …}; the caller frees them.
 */
#pragma once

#include <jansson.h>

#include "reconcile/reconcile.h"

/* Drift, failures, recoveries, convergence, with the journal's text. */
json_t *event_occurrence(const struct occurrence *occurrence);

/* The event "state"; reason as of status_reason(). */
json_t *event_state(const char *sentence, const char *reason);

/* Something else about the daemon itself: "reloaded", "refused", "paused", "resumed", "stopping". */
json_t *event_of(const char *type, const char *text);

json_t *event_progress(size_t n_done, size_t n_all);

/* n events were dropped, because this client reads too slowly. */
json_t *event_lost(size_t n);
