/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keeps topod from its work as a whole, or from a whole namespace: it cannot be scanned, events cannot be heard, the
 * ledger cannot be written.
 *
 * Each is told once when it begins and once when it ends, and is retried with growing pauses, as failing objects are
 * (failures.h). A namespace that cannot be scanned does not keep the others from being scanned.
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
	OUTAGE_NAMESPACE, /* it cannot be scanned */
	OUTAGE_NETWORK,   /* nothing can */
	OUTAGE_LEDGER,    /* it cannot be written */
	OUTAGE_EVENTS,    /* they cannot be heard */
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

/* Frees; there is none then. */
void outage_done(struct outage *outage);

/* Tells that it began or ended. scope: a namespace, or the topology; n_others: as many other namespaces likewise. */
void outage_tell(struct reconciler *r, const struct outage *outage, const char *scope, size_t n_others, bool over);
/* The topology's: it begins or goes on. Told once. */
void outage_begin(struct reconciler *r, struct outage *outage, enum outage_sort sort, int error);
/* It is over, if there was one: true, and told. */
bool outage_end(struct reconciler *r, struct outage *outage);

/* Takes the namespaces that could not be scanned out of the pass and out of what was observed. Tells of them, and of those
 * that can be scanned again. */
void outage_sort_out(struct pass *pass, struct state *observed);
/* Does the change depend on a namespace that cannot be scanned? */
bool outage_blocks(const struct pass *pass, const struct change *change);

/* All of them are retried at once. */
void outages_hurry(struct reconciler *r);
size_t outages_count(const struct reconciler *r);
void outages_each(const struct reconciler *r, void (*fn)(void *userdata, const struct failure *), void *userdata);
