/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * topod at work in a world: its reconciler, ledger and ledger file, fed with events and with time, stopped, killed and
 * started again. What should hold is looked at by check.c; the first thing that does not is noted.
 */
#pragma once

#include "case.h"
#include "fake.h"
#include "reconcile/reconcile.h"

struct scheduled {
	size_t at;
	bool look; /* after a look; else before a request */
	struct op op;
};

struct run {
	const struct c_case *c;
	const char *topology; /* its name, which is its file's, too */
	struct run *beside;   /* another topod at work in the same world, or NULL: whoever hears of an event tells it */
	struct world *w;
	struct fake fake;
	struct ledger ledger;
	struct ledger_file file;
	struct reconciler *r; /* NULL: topod does not run */
	int version;          /* that is in force; -1: an empty file */
	bool whole;           /* every hint is taken for the whole namespace */
	bool disturbed;       /* something happened since all was as declared */
	const char *faulted;  /* id of what always fails, or NULL */
	vec(struct scheduled) scheduled;
	vec(char *) ill; /* objects told of as failing or fought over, and not as recovered since; NULL: recovered */
	char *rescued;   /* the ledger as it is found after the crash */
	char *failure;   /* the first thing that does not hold; NULL: all is well */
	struct text story;
	bool telling;
	size_t n_passes, n_converged, n_degraded, n_crashes;
};

/* A folder for ledgers, which is used from now on; the caller removes it. */
void run_make_place(char place[64]);

void run_init(struct run *run, const struct c_case *c, bool telling);
/* Another topology in the world of the first, which must not be done before it. */
void run_init_beside(struct run *run, struct run *first, const struct c_case *c, const char *topology);
void run_done(struct run *run);

void run_fail(struct run *run, const char *format, ...) _printf_(2, 3);

/* topod is started on a version of the file (-1: none), as `run` and `apply` do; or stopped. */
void run_start(struct run *run, int version);
void run_stop(struct run *run);
/* A crash: what it left is on the disk. Started again. */
void run_die(struct run *run);
void run_restart(struct run *run);
/* Stopped, and started again without the ledger. */
void run_lose_ledger(struct run *run);
void run_reload(struct run *run, int version);

/* Hands out what was heard, and passes as long as something is due now. */
void run_settle(struct run *run);
/* And as long as something is due at any time: until it is at rest, or tries in vain for a while. */
void run_quiesce(struct run *run);

void run_op(struct run *run, const struct op *op);
void run_step(struct run *run, const struct step *step);
/* Of a step STEP_CRASH: topod dies there. */
void run_plan_crash(struct run *run, const struct step *step);

/* The ledger as the other topod reads it: also while this one does not run. The caller frees. */
void run_read_ledger(const struct run *run, struct ledger *ret);

/* Reads a version into a spec; false (and noted) where it is refused. */
bool run_read(struct run *run, int version, struct spec *ret);
