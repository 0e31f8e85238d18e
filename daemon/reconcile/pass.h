/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass of the reconciler: look, plan, note, carry out, and look again at what was touched, until nothing differs.
 *
 * For reconcile.c only, which decides when and where; this decides what is left alone for now.
 */
#pragma once

#include "files/other_ledgers.h"
#include "reconcile/stale_answer.h"
#include "reconcile/drift.h"
#include "reconcile/scan_set.h"
#include "reconcile/ignored.h"
#include "reconcile/outage.h"
#include "reconcile/reconcile.h"
#include "reconcile/failures.h"

enum {
	RESTLESS_NAMED = 3,
	PASS_ROUNDS = 8,                 /* looks in one pass; what still differs then is left for the next */
	PENDING_LOOK_USEC = 1000 * 1000, /* a look at addresses in duplicate detection, if no event comes */
};

struct ns_info {
	char *name;
	struct scan_set dirty; /* what the next look is to look at */
	struct scan_set later; /* what the one after that is: what may have been lost along with what an event names */
	uint64_t since_usec;   /* when it became so */
	bool verified;         /* its last look found nothing to do */
	bool hindered;         /* something in it waits for what is not well elsewhere */
	bool known;            /* a look at all of it found nothing to do since its desired state last changed: what
				     differs from now on is where something happened, so that parts can be looked at */
	struct outage unseen;  /* it cannot be looked at */
	size_t n_pending;
	vec(struct waiting) waiting; /* for something outside; see waiting.h */
	uint64_t scan_again_usec;    /* where something is pending */
	uint64_t rest_until_usec;    /* before that no event has it looked at: see scan_rate.h */
	/* During a pass: */
	size_t position;                       /* in pass.infos, from 1; 0: not in the pass */
	struct scan_set looked;                /* how far this look goes */
	size_t n_found;                        /* pending objects of this look */
	struct ns_info *prev, *next;           /* in the list of the dirty ones */
	struct ns_info *wait_prev, *wait_next; /* in that of those where something is pending */
	UT_hash_handle hh;
};

struct reconciler {
	struct spec spec;
	struct kernel *kernel;
	struct ledger *ledger;
	struct ledger_file *file;
	struct reconciler_hooks hooks;
	struct ns_info *infos;           /* by name */
	struct ns_info *dirty, *waiting; /* lists: what is to be done costs no look at the rest */
	size_t n_unverified, n_pending;  /* namespaces; addresses */
	size_t n_waiting;                /* objects that wait for something outside */
	struct failures failures;
	bool applying;  /* after a start or reload, until all was tried: changes are no drift */
	bool announced; /* convergence was told since then */
	bool paused;    /* the kernel is only read */
	uint64_t applying_since;
	size_t n_applied;
	char *restless;            /* what the latest pass that did not come to rest was still changing, or NULL */
	struct outage whole, deaf; /* nothing can be looked at or noted; events cannot be heard */
	struct flood flood;
	uint64_t listen_usec; /* before that no events are read: see scan_rate.h */
	size_t n_unseen;      /* namespaces that cannot be looked at */
	struct own_marks own;
	struct other_ledgers others; /* of the machine's other topologies */
	vec(char *) spared;          /* what was told of as left to them since the last reload */
	bool files_silent;           /* changes of files are not told */
	struct reconciler_status status;
};

struct pass {
	struct reconciler *r;
	uint64_t now_usec, since_usec;
	bool only_scans; /* what was seen has no consequences: what is dirty stays so */
	bool looked;     /* what fails after that is the ledger */
	bool seen_again; /* a namespace that could not be looked at was */
	vec(struct ns_info *) infos;
	int n_rounds;        /* over */
	size_t n_touched;    /* of infos, in front: something is done there in this round, or left to be looked at */
	size_t n_changes;    /* of the plan being carried out */
	unsigned n_searches; /* for processes that are left in lost namespaces */
	size_t largest;      /* bytes of what the largest of its looks saw */
	struct stale_answers stale_answers;
	struct ignored ignored;
	int n_carried_out, n_judged; /* plans; those whose requests a look was asked about (ignored.h) */
	int claims_lock;             /* between the topologies, while claims are noted; -1: not held */
	struct drift_lines lines;
};

struct ns_info *pass_info(const struct reconciler *r, const char *name);
void pass_set_verified(struct reconciler *r, struct ns_info *info, bool verified);
/* How far the pass looks at the namespace; it takes part from now on. */
struct scan_set *pass_add(struct pass *pass, struct ns_info *info);
/* It takes no part any more. */
void pass_remove(struct pass *pass, struct ns_info *info);
/* It is dirty no more, or still: the list of the dirty ones follows its extent. */
void pass_relist(struct reconciler *r, struct ns_info *info);
/* Was the namespace looked at, and is nothing done there in this round? */
bool pass_settled(const struct pass *pass, const struct ns_info *info);
void pass_done(struct pass *pass);

/* Which processes are left in the namespace in whose place the change puts another, or finds one; NULL. */
const char *pass_left_behind(struct pass *pass, const struct change *change);

/* Appends lines to the ledger, where there are any. 0 or -errno. */
int pass_write(const struct reconciler *r, const struct text *lines);

/* Looks at the pass's namespaces, and at others that the plan asks for; fills both. 0 or -errno. */
int pass_scan(struct pass *pass, struct state *observed, struct plan *plan);

/* The whole. `verified` is called after each look, for the namespaces behind the touched ones: nothing is to be
 * done there. */
int pass_run(struct pass *pass, int (*verified)(struct reconciler *, struct pass *, const struct plan *));
