/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state machine that makes the kernel agree with the file: which namespaces to scan, what to change, when to retry.
 *
 * A pass scans the dirty namespaces, plans, records intents in the ledger, carries out the plan, and scans again until
 * nothing differs. Failed changes are retried with growing pauses; changes that others keep undoing are left alone for a
 * while. It knows neither sockets nor the clock: the caller passes the kernel and the time, so that tests can replace them.
 */
#pragma once

#include "model/hint.h"
#include "kernel/kernel.h"
#include "files/ledger_file.h"
#include "language/spec.h"
#include "reconcile/occurrence.h"
#include "report/counts.h"

enum phase {
	PHASE_CONVERGING, /* not verified yet, or addresses are in duplicate detection */
	PHASE_CONVERGED,  /* the kernel was read back and is as declared */
	PHASE_DEGRADED,   /* something failed, is contested, or is only reported */
};

struct reconciler_status {
	enum phase phase;
	struct report_counts counts;
	size_t n_created, n_changed, n_recreated, n_deleted; /* changes since the start or last reload */
	uint64_t converged_usec;                             /* when it was last verified, CLOCK_MONOTONIC; 0: never */
};

/* An object that is not as declared, for the status. */
struct failure {
	const char *scope, *noun, *state; /* state: "failing", "fought over", "reported", "held"; "waiting" */
	const char *ns;                   /* NULL: it is about the topology */
	struct object_parts parts;        /* as in an occurrence */
	const char *error;
	size_t n_tries;
	uint64_t next_try_usec; /* CLOCK_MONOTONIC */
	struct position position;
	const char *file; /* as in an occurrence */
};

struct reconciler_hooks {
	void *userdata;
	void (*occurred)(void *userdata, const struct occurrence *occurrence);
	/* A long pass makes progress: for STATUS= and EXTEND_TIMEOUT_USEC=. */
	void (*progress)(void *userdata, size_t n_done, size_t n_all);
	/* A change was tried, see struct execute_hooks. May be NULL. */
	void (*asked)(void *userdata, const struct change *change, const char *how);
	/* Reads the events that topod's own requests caused, before the next scan; calls reconciler_hint() and its siblings.
	 * May be NULL. */
	void (*drain)(void *userdata);
	uint64_t (*now)(void *userdata); /* CLOCK_MONOTONIC, microseconds */
};

struct reconciler;

/* Adds what the reconciler waits for before it is settled: "duplicate detection of 2 addresses; …"; nothing if it is just
 * working. */
void reconciler_pending_text(const struct reconciler *r, struct text *out);

/* Takes ownership of spec and zeroes the caller's. kernel, ledger and file belong to the caller and must outlive it.
 * Everything is dirty at first. Free with reconciler_free(). */
struct reconciler *reconciler_new(struct spec *spec, struct kernel *kernel, struct ledger *ledger, struct ledger_file *file,
				  const struct reconciler_hooks *hooks);
void reconciler_free(struct reconciler *r);

/* An event gives a hint where to scan, in a namespace given by its name or by the id in the event. Unknown names and ids are
 * ignored. */
void reconciler_hint(struct reconciler *r, const char *ns, const struct hint *hint);
void reconciler_hint_id(struct reconciler *r, int32_t nsid, const struct hint *hint);
/* The name appeared in /run/netns or disappeared: the namespace itself is scanned first, then its contents. */
void reconciler_name_changed(struct reconciler *r, const char *ns);
/* Mounts have changed, so names may be gone. */
void reconciler_mounts_changed(struct reconciler *r);
/* Are events of neighbours that are gone (HINT_NEIGHBOUR) useful now? */
bool reconciler_wants_neighbours(const struct reconciler *r);
/* The whole namespace is to be scanned; all of them. */
void reconciler_dirty(struct reconciler *r, const char *ns);
void reconciler_dirty_all(struct reconciler *r);
/* Makes objects dirty that cause no events (most settings); false if none is declared. */
bool reconciler_dirty_periodic(struct reconciler *r);
bool reconciler_has_silent(const struct reconciler *r);
/* From now on there are no events of changed files: they are scanned periodically too. */
void reconciler_files_silent(struct reconciler *r);
/* The namespace was attached: an observed object of it, with its birth and the link to it. It is recorded before its name is
 * made, and nothing is inherited from the former one. 0, -ENOENT if there is no such namespace, -errno of the ledger. */
int reconciler_attach(struct reconciler *r, const struct object *netns);
/* Did it exist, and was it as declared, in the last scan? */
bool reconciler_is_verified(const struct reconciler *r, const char *ns);
/* Events were lost: everything is to be scanned. */
void reconciler_overrun(struct reconciler *r);
/* Events cannot be read (-errno), until reconciler_heard() is called. */
void reconciler_deaf(struct reconciler *r, int error);
/* Events were read; lost: some had been dropped before. */
void reconciler_heard(struct reconciler *r, bool lost);
/* Events must not be read before this time (CLOCK_MONOTONIC, microseconds), because that would only lose more of them. 0:
 * read them whenever there are some. */
uint64_t reconciler_listen_usec(const struct reconciler *r);

/* Makes one pass over everything that is dirty or due. What could not be scanned or recorded is reported, and due again
 * later. */
void reconciler_pass(struct reconciler *r);

/* When the next pass is due by time alone, CLOCK_MONOTONIC microseconds; UINT64_MAX: never; 0: now. */
uint64_t reconciler_due(const struct reconciler *r);

/* Puts a new spec into force and takes ownership of it; unchanged parts are not touched. */
void reconciler_reload(struct reconciler *r, struct spec *spec);

/* Between these two calls the kernel is scanned but not changed. Drift is reported once, as held, and repaired afterwards,
 * when everything is scanned again. Changes of an unfinished start or reload wait too, and are not scanned. Calling one of
 * them twice has no effect. */
void reconciler_pause(struct reconciler *r);
void reconciler_resume(struct reconciler *r);

/* Plans the changes that would be made now, without making any. Fills both; the caller frees them. 0 or -errno. */
int reconciler_plan(struct reconciler *r, bool explains, struct plan *ret, struct state *ret_observed);

void reconciler_status(const struct reconciler *r, struct reconciler_status *ret);
/* Calls fn for each object that is not as declared, except those that wait. */
void reconciler_failures(const struct reconciler *r, void (*fn)(void *userdata, const struct failure *), void *userdata);
/* … for each object that waits for something outside topod; error says what it waits for ("for a carrier"). Texts are in
 * arena. */
void reconciler_waits(const struct reconciler *r, struct arena *arena, void (*fn)(void *userdata, const struct failure *),
		      void *userdata);
/* Adds "1 address waits for a carrier, 2 interfaces wait to be moved in", or nothing. */
void reconciler_waits_text(const struct reconciler *r, struct text *out);
const struct spec *reconciler_spec(const struct reconciler *r);
/* Has everything been tried, and verified as far as possible (converged, or degraded with only retries left)? */
bool reconciler_settled(const struct reconciler *r);
/* What the latest pass was still changing when it gave up after its last round, as text; NULL: every pass finished. The
 * string belongs to the reconciler. */
const char *reconciler_restless(const struct reconciler *r);
/* How often scanning, hearing or recording has failed since it last worked, and the error. 0: all of them work. */
size_t reconciler_obstructed(const struct reconciler *r, int *ret_error);
