/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass of the reconciler: scan, plan, record, carry out, and scan the touched namespaces again, until nothing differs.
 *
 * For the files of this room. reconcile.c decides when there is a pass and which namespaces take part. A pass is a loop of
 * rounds (pass.c), each of which is one scan and its changes: choose.c decides which changes are left alone for now,
 * carry_out.c records and makes the others, settle.c handles the namespaces that need no changes.
 */
#pragma once

#include "reconcile/drift.h"
#include "reconcile/ignored.h"
#include "reconcile/reconcile_private.h"
#include "reconcile/stale_answer.h"

struct pass {
	struct reconciler *r;
	uint64_t now_usec;              /* when the round began */
	uint64_t since_usec;            /* since when the pass's namespaces have been dirty */
	bool only_scans;                /* `plan`: nothing is changed, and what is dirty stays dirty */
	bool explains;                  /* `plan --explain`: also why the rest is left as it is */
	bool scanned;                   /* the round's scan succeeded: a later error is the ledger's */
	bool reachable_again;           /* a namespace that could not be scanned can be again */
	vec(struct ns_info *) infos;    /* the namespaces that take part: the touched ones first, then those to be settled */
	size_t n_touched;               /* something is done there in this round, or is still to be scanned */
	int n_rounds;                   /* finished rounds */
	const struct plan *carried_out; /* the plan being carried out, or NULL … */
	size_t n_changes, n_done;       /* … as users count its changes, and those that were tried … */
	size_t n_tried;                 /* … and how many of the list that are */
	unsigned n_searches;            /* searches for processes in lost namespaces */
	size_t largest;                 /* bytes of its largest scan */
	struct stale_answers stale_answers;
	struct ignored ignored;
	int n_carried_out;        /* plans that were carried out, … */
	int n_judged;             /* … and those whose results a scan has seen, see ignored.h */
	int claims_lock;          /* the lock that topologies share, while claims are recorded; -1: not held */
	struct drift_lines lines; /* reported at the end */
};

/* ---- pass.c ---- */

/* Makes the namespace take part. Returns the set of what is scanned in it. */
struct scan_set *pass_add(struct pass *pass, struct ns_info *info);
/* The namespace no longer takes part. */
void pass_remove(struct pass *pass, struct ns_info *info);
/* Was the namespace scanned, and is nothing done there in this round? */
bool pass_settled(const struct pass *pass, const struct ns_info *info);
/* The request that the kernel needs to scan and to carry out. */
struct scan_request pass_scan_of(const struct reconciler *r);
/* Scans the pass's namespaces, and more if the plan needs it; fills both. 0 or -errno. */
int pass_scan(struct pass *pass, struct state *observed, struct plan *plan);
/* Releases the lock, so that other topologies can record their claims. */
void pass_unlock_claims(struct pass *pass);
/* Runs all rounds. 0; -errno if a scan or the ledger failed: then everything that took part must be scanned again. */
int pass_run(struct pass *pass);
void pass_done(struct pass *pass);

/* ---- attach.c ---- */

/* Makes the ledger follow namespaces that others make: entries for the former one of that name are forgotten. True if there
 * were any: then plan again. */
bool pass_follow_born(struct pass *pass, const struct plan *plan);

/* ---- choose.c ---- */

/* Marks the changes that are not carried out now, and records why. */
void pass_choose(struct pass *pass, struct plan *plan);
/* Is the change held only because another change of this plan goes first? */
bool pass_comes_next(const struct change *change);
/* A change failed: reports it if that is new. */
void pass_note_failure(struct pass *pass, struct plan *plan, struct change *change);
/* The processes that are left in the namespace that the change replaces, or finds replaced; NULL: none. */
const char *pass_left_behind(struct pass *pass, const struct change *change);

/* ---- pass_ignored.c ---- */

/* True until the object was seen as declared under the current file: before that, differences are not drift. */
bool pass_is_new(const struct pass *pass, const struct object *object);
/* Reports changes of the plan that the kernel acknowledges and ignores. True if there are any: then plan again. */
bool pass_note_ignored(struct pass *pass, const struct plan *plan);
/* Of the fields in which the object differs, those that stay as the kernel keeps them (plan_input.kept). */
uint64_t pass_kept(void *pass, const struct object *object, uint64_t differs);
/* The record that the kernel ignores creating or deleting this object, or NULL. */
struct failure_record *pass_ignored_as_such(const struct pass *pass, const struct change *change);
/* The record of what the kernel has ignored before, if the change tries that again; NULL. */
struct failure_record *pass_known_ignored(const struct pass *pass, const struct change *change);
void pass_note_acknowledged(struct pass *pass, const struct change *change);
/* Scans at once what was ignored before in this pass, before somebody else could undo it. */
void pass_scan_suspects(struct pass *pass, const struct plan *plan);

/* ---- carry_out.c ---- */

/* Appends lines to the ledger, if there are any. 0 or -errno. */
int pass_write(const struct reconciler *r, const struct text *lines);
/* Before anything is done: records what is gone, what exists without a record, and what is declared; reports what is left to
 * other topologies. 0 or -errno of the ledger. */
int pass_note(struct pass *pass, struct plan *plan);
/* Records and makes the changes that are not held. 0 or -errno of the ledger; a failed change has its own error. */
int pass_carry_out(struct pass *pass, struct plan *plan);

/* ---- settle.c ---- */

/* Settles the namespaces that need no changes: those after the touched ones. 0 or -errno of the ledger. */
int pass_settle(struct pass *pass, const struct plan *plan);
