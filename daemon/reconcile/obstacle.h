/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keeps topod from its work as a whole, or from a whole namespace: that it cannot be looked at, that events cannot be
 * heard, that the ledger cannot be written.
 *
 * For each there is a record, as there is for objects in trouble.h: told once when it is met and once when it is over, tried
 * again with growing pauses. What one namespace is in the way of does not keep the others from being looked at.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/base.h"

struct reconciler;
struct pass;
struct change;
struct state;
struct trouble;

enum obstacle_sort {
	OBSTACLE_NAMESPACE, /* it cannot be looked at */
	OBSTACLE_NETWORK,   /* nothing can */
	OBSTACLE_LEDGER,    /* it cannot be written */
	OBSTACLE_EVENTS,    /* they cannot be heard */
};

/* Zeroed is none. */
struct obstacle {
	enum obstacle_sort sort;
	int error;       /* -errno; 0: there is none */
	char *problem;   /* what it is, for the status; its own */
	bool told;
	size_t n_tries;
	uint64_t pause_usec, next_try_usec;
};

static inline bool obstacle_stands(const struct obstacle *obstacle) {
	return obstacle->error < 0;
}

/* Events that are lost again and again, each time that they are read. */
struct flood {
	size_t in_a_row;     /* overruns */
	uint64_t last_usec;  /* … the latest */
	uint64_t pause_usec, until_usec; /* nothing is read until then */
	bool told;
};

/* For reconcile.c and pass.c. */

/* None stands any more, and what it held is freed. */
void obstacle_done(struct obstacle *obstacle);

/* Takes those namespaces out of the pass, and of what was seen, that could not be looked at; tells of them, and of those
 * that can be again. */
void obstacle_sort_out(struct pass *pass, struct state *observed);
/* The whole pass failed, or did not. */
void obstacle_of_pass(struct pass *pass, enum obstacle_sort sort, int error);
/* Does the change have to do with a namespace that cannot be looked at? */
bool obstacle_hinders(const struct pass *pass, const struct change *change);
/* Before a namespace is forgotten. */
void obstacle_forget(struct reconciler *r, struct obstacle *obstacle);
/* All of them are tried at once. */
void obstacles_hurry(struct reconciler *r);
size_t obstacles_count(const struct reconciler *r);
void obstacles_each(const struct reconciler *r, void (*fn)(void *userdata, const struct trouble *), void *userdata);
