/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * topod at work in a world: its reconciler, ledger and ledger file, driven by events and time, stopped, killed and started
 * again. check.c checks what should hold; the first violation is recorded.
 */
#pragma once

#include "case.h"
#include "fake.h"
#include "reconcile/reconcile.h"

struct scheduled {
	size_t at;
	bool scan; /* after a scan; else before a request */
	struct op op;
};

/* Of objects, "SCOPE NOUN"; NULL: taken out again. */
struct told_names {
	vec(char *) list;
};

struct run {
	const struct c_case *c;
	const char *topology; /* its name, and that of its file */
	struct run *beside; /* another topod in the same world, or NULL: each passes the events that it reads to the other */
	struct world *w;
	struct fake fake;
	struct ledger ledger;
	struct ledger_file file;
	struct reconciler *r; /* NULL: topod does not run */
	int version;          /* the version in force; -1: an empty file */
	bool whole;           /* every hint causes a scan of the whole namespace */
	bool disturbed;       /* something happened since everything was as declared */
	const char *faulted;  /* id of the object that always fails, or NULL */
	vec(struct scheduled) scheduled;
	vec(const char *) to_attach;     /* namespaces that came since the last pass */
	struct told_names ill;           /* objects reported as failing or contested, and not yet as recovered */
	struct told_names gone, arrived; /* interfaces of which this was reported last */
	char *rescued;                   /* the ledger as it will be found after the crash */
	char *failure;                   /* the first violation; NULL: none */
	struct text story;
	bool telling;
	size_t n_passes, n_converged, n_degraded, n_crashes;
};

/* Creates a directory for ledgers and uses it from now on; the caller removes it. */
void run_make_place(char place[64]);

void run_init(struct run *run, const struct c_case *c, bool telling);
/* Another topology in the world of the first, which must outlive it. */
void run_init_beside(struct run *run, struct run *first, const struct c_case *c, const char *topology);
void run_done(struct run *run);

/* Is the object one of them? */
bool run_was_told(const struct told_names *names, const char *scope, const char *noun);
void run_fail(struct run *run, const char *format, ...) _printf_(2, 3);

/* Starts topod on a version of the file (-1: an empty one), as `run` and `apply` do; or stops it. */
void run_start(struct run *run, int version);
void run_stop(struct run *run);
/* After a crash: starts topod again with what was left on disk. */
void run_die(struct run *run);
void run_restart(struct run *run);
/* Stops topod and starts it again without the ledger. */
void run_lose_ledger(struct run *run);
void run_reload(struct run *run, int version);

/* Delivers the events, and makes passes as long as something is due now. */
void run_settle(struct run *run);
/* The same as long as something is due at any time: until nothing is left to do, or retries have failed for a while. */
void run_quiesce(struct run *run);

void run_op(struct run *run, const struct op *op);
void run_step(struct run *run, const struct step *step);
/* topod dies as the step STEP_CRASH says. */
void run_plan_crash(struct run *run, const struct step *step);

/* The ledger as the other topod reads it, also while this one does not run. The caller frees. */
void run_read_ledger(const struct run *run, struct ledger *ret);

/* Reads a version into a spec; false, and recorded, if it is refused. */
bool run_read(struct run *run, int version, struct spec *ret);

/* What the spec that topod runs on declares; topod runs. */
static inline const struct state *run_desired(const struct run *run) {
	return &reconciler_spec(run->r)->state;
}
