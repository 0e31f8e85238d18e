/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens, as the objects that org.topod.Watch() streams (type Event of org.topod.varlink).
 *
 * Every json_t returned is the parameters of a reply, {"event": …}, and the caller's.
 */
#pragma once

#include <jansson.h>

#include "reconcile/reconcile.h"

/* Drift, failures, recoveries, convergence: in the journal's words. */
json_t *event_occurrence(const struct occurrence *occurrence);

/* Something about the daemon itself: "state", "reloaded", "refused", "paused", "resumed", "stopping". */
json_t *event_of(const char *type, const char *text);

json_t *event_progress(size_t n_done, size_t n_all);

/* n events were not sent, because this client reads too slowly. */
json_t *event_lost(size_t n);
