/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conditions that keep topod from working at all, or on a whole namespace: it cannot be scanned, events cannot be read, the
 * ledger cannot be written.
 *
 * Each is reported once when it begins and once when it ends, and is retried with growing pauses, like failing objects
 * (failures.h). A namespace that cannot be scanned does not affect the others.
 */
#pragma once

#include <stdbool.h>
#include <stdlib.h>

#include "reconcile/backoff.h"

struct reconciler;
struct pass;
struct change;
struct state;
struct failure;

enum outage_sort {
	OUTAGE_NAMESPACE, /* a namespace cannot be scanned */
	OUTAGE_NETWORK,   /* nothing can be scanned */
	OUTAGE_LEDGER,    /* the ledger cannot be written */
	OUTAGE_EVENTS,    /* events cannot be read */
};

/* Zeroed: there is none. */
struct outage {
	enum outage_sort sort;
	int error;     /* -errno; 0: there is none */
	char *problem; /* in words, for the status */
	bool announced;
	size_t n_tries;
	struct backoff backoff; /* until the next try */
};

static inline bool outage_stands(const struct outage *outage) {
	return outage->error < 0;
}

/* Frees it; afterwards there is none. */
void outage_done(struct outage *outage);

/* Reports that it began or ended. scope: a namespace, or the topology; n_others: the number of other namespaces that share
 * it. */
void outage_tell(struct reconciler *r, const struct outage *outage, const char *scope, size_t n_others, bool over);
/* An outage of the whole topology begins or continues. Reported once. */
void outage_begin(struct reconciler *r, struct outage *outage, enum outage_sort sort, int error);
/* It is over: if there was one, reports its end and returns true. */
bool outage_end(struct reconciler *r, struct outage *outage);

/* Removes the namespaces that could not be scanned from the pass and from what was observed. Reports them, and those that
 * can be scanned again. */
void outage_sort_out(struct pass *pass, struct state *observed);
/* Does the change depend on a namespace that cannot be scanned? */
bool outage_blocks(const struct pass *pass, const struct change *change);

/* All of them are retried at once. */
void outages_hurry(struct reconciler *r);
size_t outages_count(const struct reconciler *r);
void outages_each(const struct reconciler *r, void (*fn)(void *userdata, const struct failure *), void *userdata);
