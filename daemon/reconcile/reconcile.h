/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one state machine: which namespaces to look at, what to do about what is seen, when to try again.
 *
 * A pass looks at the dirty namespaces, plans, notes intents in the ledger, carries out, and looks again until
 * nothing differs. What fails is retried with growing pauses; what others keep undoing is left for a while.
 * It knows no socket and no clock of its own: the kernel and the time are given to it, so that tests can.
 */
#pragma once

#include "model/hint.h"
#include "kernel/kernel.h"
#include "files/ledger_file.h"
#include "language/spec.h"
#include "reconcile/occurrence.h"
#include "report/counts.h"

enum phase {
	PHASE_CONVERGING, /* not verified yet, or waiting for addresses to become usable */
	PHASE_CONVERGED,  /* the kernel was read back and found equal */
	PHASE_DEGRADED,   /* something failed, is fought over, or is only reported */
};

struct reconciler_status {
	enum phase phase;
	struct report_counts counts;
	size_t n_created, n_changed, n_deleted; /* changes since the start or last reload */
	uint64_t converged_usec;                /* when it was last verified, CLOCK_MONOTONIC; 0: never */
};

/* An object that is not well, for the status. */
struct failure {
	const char *scope, *noun, *state; /* state: "failing", "fought over", "reported", "held"; "waiting" */
	const char *error;
	size_t n_tries;
	uint64_t next_try_usec; /* CLOCK_MONOTONIC */
	struct position position;
	const char *file; /* as in an occurrence */
};

struct reconciler_hooks {
	void *userdata;
	void (*occurred)(void *userdata, const struct occurrence *occurrence);
	/* A long pass goes on: for STATUS= and EXTEND_TIMEOUT_USEC=. */
	void (*progress)(void *userdata, size_t n_done, size_t n_all);
	/* Events that topod's own requests caused are to be read now, before it looks again: calls
	 * reconciler_dirty() and friends. May be NULL. */
	void (*drain)(void *userdata);
	uint64_t (*now)(void *userdata); /* CLOCK_MONOTONIC, microseconds */
};

struct reconciler;

/* Takes over spec (zeroed in the caller); kernel, ledger and file stay the caller's and must outlive it.
 * Everything is dirty at first. */

struct reconciler *reconciler_new(struct spec *spec, struct kernel *kernel, struct ledger *ledger, struct ledger_file *file,
				  const struct reconciler_hooks *hooks);
void reconciler_free(struct reconciler *r);

/* Hints where to look, heard of in an event: in a namespace by its name, or by the id in the event. Unknown names and
 * ids are ignored. */
void reconciler_hint(struct reconciler *r, const char *ns, const struct hint *hint);
void reconciler_hint_id(struct reconciler *r, int32_t nsid, const struct hint *hint);
/* Its name in /run/netns came or went: first the namespace itself is looked at, then all of it. */
void reconciler_name_changed(struct reconciler *r, const char *ns);
/* Mounts have changed, which may have taken names away. */
void reconciler_mounts_changed(struct reconciler *r);
/* Would events of neighbours that are gone (HINT_NEIGHBOUR) be of use now? */
bool reconciler_wants_neighbours(const struct reconciler *r);
/* The whole namespace is looked at. */
void reconciler_dirty(struct reconciler *r, const char *ns);
void reconciler_dirty_all(struct reconciler *r);
/* What no event tells of is looked at (most settings); false where nothing such is declared. */
bool reconciler_dirty_periodic(struct reconciler *r);
bool reconciler_has_silent(const struct reconciler *r);
/* Nobody can tell of changed files from now on: they are looked at from time to time, too. */
void reconciler_files_silent(struct reconciler *r);
/* Events were lost: everything is looked at. */
void reconciler_overrun(struct reconciler *r);
/* They cannot be heard (-errno), which is not known to be over before reconciler_heard(). */
void reconciler_deaf(struct reconciler *r, int error);
/* They were read, and perhaps some had been lost. */
void reconciler_heard(struct reconciler *r, bool lost);
/* When they are to be read again, CLOCK_MONOTONIC microseconds: until then it would lead to nothing. 0: whenever there
 * are some. */
uint64_t reconciler_listen_usec(const struct reconciler *r);

/* One pass over what is dirty or due. What could not be looked at or noted is told, and due again later. */
void reconciler_pass(struct reconciler *r);

/* When the next pass is due by time alone, CLOCK_MONOTONIC microseconds; UINT64_MAX: never; 0: now. */
uint64_t reconciler_due(const struct reconciler *r);

/* Puts another spec in place (taken over); what did not change is not touched. */
void reconciler_reload(struct reconciler *r, struct spec *spec);

/* Between the two the kernel is read and nothing in it is changed. Drift is told once, as held, and put right
 * after the resumption, when everything is looked at again. What a start or a reload has still to make waits as
 * well, and is not looked at. Each may be called again: nothing happens then. */
void reconciler_pause(struct reconciler *r);
void reconciler_resume(struct reconciler *r);

/* The changes that would be made now, without making any; both are filled, and freed by the caller. 0 or
 * -errno. */

int reconciler_plan(struct reconciler *r, struct plan *ret, struct state *ret_observed);

void reconciler_status(const struct reconciler *r, struct reconciler_status *ret);
/* Calls fn for each object that is not well. */
void reconciler_failures(const struct reconciler *r, void (*fn)(void *userdata, const struct failure *), void *userdata);
/* … for each that waits for something outside of topod: error says for what ("for a carrier"). Texts are in arena. */
void reconciler_waits(const struct reconciler *r, struct arena *arena, void (*fn)(void *userdata, const struct failure *),
		      void *userdata);
/* Adds "1 address waits for a carrier, 2 interfaces wait to be moved in"; nothing where none does. */
void reconciler_waits_text(const struct reconciler *r, struct text *out);
const struct spec *reconciler_spec(const struct reconciler *r);
/* Has everything been tried and verified that can be (converged, or degraded with nothing but retries left)? */
bool reconciler_settled(const struct reconciler *r);
/* What was still being changed when a pass last ended without coming to rest, for people; NULL: each did. The
 * reconciler's own. */
const char *reconciler_restless(const struct reconciler *r);
/* How often it was tried in vain to look, to hear or to note what cannot be, and why. 0: nothing is in the way. */
size_t reconciler_obstructed(const struct reconciler *r, int *ret_error);
