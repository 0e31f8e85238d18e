/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keeps topod from its work as a whole, or from a whole namespace: that it cannot be looked at, that events cannot be
 * heard, that the ledger cannot be written.
 *
 * For each there is a record, as there is for objects in failures.h: told once when it is met and once when it is over, tried
 * again with growing pauses. What one namespace is in the way of does not keep the others from being looked at.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/base.h"
#include "reconcile/backoff.h"

struct reconciler;
struct pass;
struct change;
struct state;
struct failure;

enum outage_sort {
	OUTAGE_NAMESPACE, /* it cannot be looked at */
	OUTAGE_NETWORK,   /* nothing can */
	OUTAGE_LEDGER,    /* it cannot be written */
	OUTAGE_EVENTS,    /* they cannot be heard */
};

/* Zeroed is none. */
struct outage {
	enum outage_sort sort;
	int error;     /* -errno; 0: there is none */
	char *problem; /* what it is, for the status; its own */
	bool told;
	size_t n_tries;
	struct backoff backoff; /* until the next try */
};

static inline bool outage_stands(const struct outage *outage) {
	return outage->error < 0;
}

/* Events that are lost again and again, each time that they are read. */
struct flood {
	size_t in_a_row;        /* overruns */
	uint64_t last_usec;     /* … the latest */
	struct backoff backoff; /* until it ends nothing is read */
	bool told;
};

/* For reconcile.c and pass.c. */

/* None stands any more, and what it held is freed. */
void outage_done(struct outage *outage);

/* Takes those namespaces out of the pass, and of what was seen, that could not be looked at; tells of them, and of those
 * that can be again. */
void outage_sort_out(struct pass *pass, struct state *observed);
/* The whole pass failed, or did not. */
void outage_of_pass(struct pass *pass, enum outage_sort sort, int error);
/* Does the change have to do with a namespace that cannot be looked at? */
bool outage_hinders(const struct pass *pass, const struct change *change);
/* Before a namespace is forgotten. */
void outage_forget(struct reconciler *r, struct outage *outage);
/* All of them are tried at once. */
void outages_hurry(struct reconciler *r);
size_t outages_count(const struct reconciler *r);
void outages_each(const struct reconciler *r, void (*fn)(void *userdata, const struct failure *), void *userdata);
