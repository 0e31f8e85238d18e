/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledgers of the machine's other topologies, to know which objects they claim.
 *
 * It reads a ledger again when it has changed, never writes one, and uses only what ledgers say about objects. A ledger that
 * cannot be read claims nothing.
 */
#pragma once

#include "ledger/claims.h"

struct other_ledger;

/* Zeroed is valid and empty. */
struct other_ledgers {
	vec(struct other_ledger *) list;
	vec(struct claimant) claimants;
	struct claims claims; /* as they were last read */
};

/* Reads the ledgers that have changed since the last call. True if any has; then pointers into `claims` are invalid. */
bool other_ledgers_refresh(struct other_ledgers *others, const char *own);

/* Takes the lock that all topologies of the machine share, so that the others see what we record before they record
 * anything. Returns a descriptor: closing it unlocks. Waits half a second at most; -errno, -EWOULDBLOCK after that. */
int other_ledgers_lock(void);

void other_ledgers_done(struct other_ledgers *others);
