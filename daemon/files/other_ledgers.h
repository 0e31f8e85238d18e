/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledgers of the machine's other topologies, for whoever has to know what is theirs.
 *
 * They are only read, again when they have changed, and nothing more is believed of them than what they say of objects. What
 * cannot be read claims nothing.
 */
#pragma once

#include "plan/claims.h"

struct other_ledger;

/* Zeroed is empty. */
struct other_ledgers {
	vec(struct other_ledger *) list;
	vec(struct claimant) claimants;
	struct claims claims; /* of what was read last */
};

/* Reads what has changed since the last time. True where anything has: what was taken from `claims` is void then. */
bool other_ledgers_refresh(struct other_ledgers *others, const char *own);

/* A descriptor that holds the lock between all topologies of the machine until it is closed: what is noted meanwhile is seen by all
 * others before they note anything. Nobody is waited for longer than half a second; -errno, also then. */
int other_ledgers_lock(void);

void other_ledgers_done(struct other_ledgers *others);
