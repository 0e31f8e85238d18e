/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass of the reconciler: scan, plan, record, carry out, and scan again what was touched, until nothing differs.
 *
 * For the files of this room. reconcile.c decides when there is a pass and which namespaces take part. A pass is a loop of
 * rounds (pass.c), each of which is one scan and what it asks for: choose.c says which changes are left alone for now,
 * carry_out.c records and makes the others, settle.c deals with the namespaces in which nothing is to be done.
 */
#pragma once

#include "reconcile/drift.h"
#include "reconcile/ignored.h"
#include "reconcile/reconcile_private.h"
#include "reconcile/stale_answer.h"

struct pass {
	struct reconciler *r;
	uint64_t now_usec;           /* when the round began */
	uint64_t since_usec;         /* what the pass takes up has been dirty since then */
	bool only_scans;             /* what is seen has no consequences: what is dirty stays so */
	bool scanned;                /* the round's scan succeeded: what fails after that is the ledger */
	bool reachable_again;        /* a namespace that could not be scanned was */
	vec(struct ns_info *) infos; /* those that take part: first the touched ones, then those to be settled */
	size_t n_touched;            /* something is done there in this round, or left to be scanned */
	int n_rounds;                /* that are over */
	size_t n_changes;            /* in the plan being carried out */
	unsigned n_searches;         /* for processes that are left in lost namespaces */
	size_t largest;              /* bytes that the largest of its scans took */
	struct stale_answers stale_answers;
	struct ignored ignored;
	int n_carried_out;        /* plans … */
	int n_judged;             /* … and those whose requests a scan has answered for, see ignored.h */
	int claims_lock;          /* between the topologies, while claims are recorded; -1: not held */
	struct drift_lines lines; /* told at the end */
};

/* ---- pass.c ---- */

/* The namespace takes part from now on: what is scanned of it. */
struct scan_set *pass_add(struct pass *pass, struct ns_info *info);
/* It does no longer. */
void pass_remove(struct pass *pass, struct ns_info *info);
/* Was the namespace scanned, and is nothing done there in this round? */
bool pass_settled(const struct pass *pass, const struct ns_info *info);
/* What the kernel needs to know of the reconciler to scan and to carry out. */
struct scan_request pass_scan_of(const struct reconciler *r);
/* Scans the pass's namespaces, and others that the plan asks for; fills both. 0 or -errno. */
int pass_scan(struct pass *pass, struct state *observed, struct plan *plan);
/* Other topologies may record their claims again. */
void pass_unlock_claims(struct pass *pass);
/* All rounds. 0; -errno where a scan or the ledger failed: then everything that took part must be scanned again. */
int pass_run(struct pass *pass);
void pass_done(struct pass *pass);

/* ---- choose.c ---- */

/* Marks what is not to be carried out, and notes why. */
void pass_choose(struct pass *pass, struct plan *plan);
/* Is the change held only because another one goes first, in this very plan? */
bool pass_comes_next(const struct change *change);
/* A change failed: told where that is news. */
void pass_note_failure(struct pass *pass, struct plan *plan, struct change *change);
/* Which processes are left in the namespace that the change replaces with another, or finds replaced; NULL. */
const char *pass_left_behind(struct pass *pass, const struct change *change);

/* ---- pass_ignored.c ---- */

/* What differs in an object is no drift before it was seen as declared since the file was put in force. */
bool pass_is_new(const struct pass *pass, const struct object *object);
/* Tells of changes in the plan that the kernel acknowledges and ignores. True where there are: the plan is to be made again. */
bool pass_note_ignored(struct pass *pass, const struct plan *plan);
/* Of the fields in which the object differs, those that are left as the kernel keeps them (plan_input.kept). */
uint64_t pass_kept(void *pass, const struct object *object, uint64_t differs);
/* The record that the kernel ignores this making or removal of the object as such; NULL. */
struct failure_record *pass_ignored_as_such(const struct pass *pass, const struct change *change);
/* The record of what the kernel has ignored before, where the change tries that again; NULL. */
struct failure_record *pass_known_ignored(const struct pass *pass, const struct change *change);
void pass_note_acknowledged(struct pass *pass, const struct change *change);
/* Scans at once what was ignored before in this pass, so that nobody else has the time to undo it. */
void pass_scan_suspects(struct pass *pass, const struct plan *plan);

/* ---- carry_out.c ---- */

/* Appends lines to the ledger, where there are any. 0 or -errno. */
int pass_write(const struct reconciler *r, const struct text *lines);
/* Before anything is done: records what is gone, what is there without a record, and what is declared of it; tells what is
 * left to other topologies. 0 or -errno of the ledger. */
int pass_note(struct pass *pass, struct plan *plan);
/* 0 or -errno of the ledger; a change that fails says so itself. */
int pass_carry_out(struct pass *pass, struct plan *plan);

/* ---- settle.c ---- */

/* Nothing is to be done in the namespaces behind the touched ones. 0 or -errno of the ledger. */
int pass_settle(struct pass *pass, const struct plan *plan);
