/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reconciler's state, for the files of this room only.
 */
#pragma once

#include "files/other_ledgers.h"
#include "reconcile/failures.h"
#include "reconcile/hearing.h"
#include "reconcile/reconcile.h"
#include "reconcile/worklist.h"

struct reconciler {
	struct spec spec;
	struct kernel *kernel;
	struct ledger *ledger;
	struct ledger_file *file;
	struct other_ledgers others; /* of the machine's other topologies */
	struct own_marks own;
	struct reconciler_hooks hooks;
	struct worklist work;
	struct failures failures;
	struct outage whole; /* nothing can be scanned, or the ledger cannot be written */
	struct hearing hearing;
	bool applying;  /* after a start or reload, until everything was tried: differences are not drift */
	bool announced; /* "converged" was reported since then */
	bool paused;    /* the kernel is scanned but not changed */
	uint64_t applying_since;
	size_t n_applied;   /* changes since then */
	char *restless;     /* see reconciler_restless() */
	vec(char *) spared; /* ids that were reported as left to other topologies since the last reload */
	bool files_silent;  /* there are no events of changed files */
	struct reconciler_status status;
};

static inline uint64_t reconciler_now(const struct reconciler *r) {
	return r->hooks.now(r->hooks.userdata);
}

static inline void reconciler_tell(const struct reconciler *r, const struct occurrence *occurrence) {
	r->hooks.occurred(r->hooks.userdata, occurrence);
}

/* reload.c: a new desired state is in r->spec and must be applied. */
void reconciler_begin_applying(struct reconciler *r);
void reconciler_forget_spared(struct reconciler *r);
