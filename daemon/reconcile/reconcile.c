/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state machine from outside: when a pass is due, which namespaces take part, and which phase has been reached.
 *
 * Everything that happens becomes one of two things: a mark "dirty" in the worklist (hearing.c, from events), or a time at
 * which something is retried (failures.c, outage.c). A pass (pass.c) takes what is dirty or due, and repeats scan, plan and
 * change until a scan finds nothing to do. So nothing depends on the order of events, and duplicate or late events do no
 * harm.
 *
 *     event, timer ──▶ dirty / due ──▶ pass: scan ─▶ plan ─▶ record ─▶ carry out ─┐
 *                                            ▲                                   │ until nothing is to be done
 *                                            └───────────────────────────────────┘
 *
 * After each pass, assess() computes the phase from counters alone. DEGRADED: an object is failing, contested, reported or
 * held, or there is an outage. Else CONVERGING: a namespace is not verified, an address is in duplicate detection, or a
 * namespace with `wait: required` is not attached. Else CONVERGED. The phase can change from any of them to any other.
 *
 * `applying` is true from a start or reload until everything was tried once. During that time differences are the task, not
 * drift, and nothing is reported about them unless it fails. A pause delays this task; drift is then reported as held.
 *
 * reconciler_due() is the only timer: the earliest of all these times. It does not poll; with nothing dirty, failing or
 * pending, it is never due.
 */
#include "reconcile/reconcile.h"

#include <malloc.h>

#include "kind/ruleset.h"
#include "reconcile/pass.h"

enum {
	LARGE_SCAN = 1024 * 1024, /* bytes; much more than a scan after one event takes */
};

struct reconciler *reconciler_new(struct spec *spec, struct kernel *kernel, struct ledger *ledger, struct ledger_file *file,
				  const struct reconciler_hooks *hooks) {
	struct reconciler *r = xmalloc(sizeof(*r));

	r->kernel = kernel;
	r->ledger = ledger;
	r->file = file;
	r->hooks = *hooks;
	r->spec = *spec;
	*spec = (struct spec){};
	r->own.nft_table = nft_table_name(r->spec.topology);
	r->own.alias = xasprintf("topod:%s", r->spec.topology);
	reconciler_begin_applying(r);
	reconciler_dirty_all(r);
	return r;
}

void reconciler_free(struct reconciler *r) {
	if (!r)
		return;
	worklist_done(&r->work);
	outage_done(&r->whole);
	outage_done(&r->hearing.deaf);
	failures_done(&r->failures);
	spec_done(&r->spec);
	other_ledgers_done(&r->others);
	reconciler_forget_spared(r);
	vec_done(&r->spared);
	free(r->own.nft_table);
	free(r->own.alias);
	free(r->restless);
	free(r);
}

void reconciler_pause(struct reconciler *r) {
	r->paused = true;
}

void reconciler_resume(struct reconciler *r) {
	if (!r->paused)
		return;
	r->paused = false;
	reconciler_dirty_all(r);
	outages_hurry(r);
	failures_hurry(&r->failures, reconciler_now(r));
}

/* Differences after a start or a reload are not drift, so there is nothing to report about them during a pause. */
static bool waits_for_resumption(const struct reconciler *r) {
	return r->paused && r->applying;
}

static size_t count_unwell(const struct reconciler *r) {
	const struct failures *f = &r->failures;

	return failure_count(f, FAILURE_FAILING) + failure_count(f, FAILURE_CONTESTED) + failure_count(f, FAILURE_REPORTED) +
	       failure_count(f, FAILURE_HELD) + outages_count(r);
}

static void tell_converged(struct reconciler *r) {
	_cleanup_text_ struct text waits = {};
	struct occurrence occurrence = {
		.type = OCCURRENCE_CONVERGED,
		.n_changes = r->n_applied,
		.latency_usec = reconciler_now(r) - r->applying_since,
	};

	reconciler_waits_text(r, &waits);
	occurrence.waits = waits.size ? waits.data : NULL;
	r->announced = true;
	reconciler_tell(r, &occurrence);
}

/* After each pass: has everything been verified? */
static void assess(struct reconciler *r) {
	const struct worklist *w = &r->work;
	size_t n_unwell = count_unwell(r);

	failure_expire(&r->failures, reconciler_now(r));
	if (w->n_unverified || w->pending || w->n_unreachable || outage_stands(&r->whole)) {
		r->status.phase = n_unwell ? PHASE_DEGRADED : PHASE_CONVERGING;
		return;
	}
	r->status.phase = n_unwell ? PHASE_DEGRADED : w->n_required ? PHASE_CONVERGING : PHASE_CONVERGED;
	r->applying = false;                     /* everything was tried: later differences are drift */
	ledger_file_compact(r->file, r->ledger); /* if this fails, the file is only longer */
	if (n_unwell || w->n_required)
		return;
	r->status.converged_usec = reconciler_now(r);
	if (!r->announced)
		tell_converged(r);
}

/* Adds to the pass: dirty namespaces that may be scanned now, objects due for a retry, and pending addresses whose event may
 * have been missed. */
static void take_namespaces(struct pass *pass) {
	struct reconciler *r = pass->r;
	struct worklist *w = &r->work;

	for (struct ns_info *info = w->dirty; info; info = info->next) {
		if (worklist_ns_due(info, &r->failures) > pass->now_usec) {
			if (!outage_stands(&info->outage))
				r->hearing.listen_usec = pass->now_usec + HEARING_PAUSE_USEC;
			continue;
		}
		pass_add(pass, info); /* the scan takes its dirty parts, see take_dirty() */
		pass->since_usec = MIN(pass->since_usec, info->since_usec);
	}
	for (struct failure_record *record = r->failures.bad; record; record = record->next) {
		bool due = failure_next(&r->failures, record) <= pass->now_usec;
		struct ns_info *info = due ? worklist_find(w, record->ns) : NULL;

		if (info)
			scan_set_add_whole(pass_add(pass, info));
	}
	for (struct ns_info *info = w->pending; info; info = info->pending_next)
		if (info->scan_again_usec <= pass->now_usec)
			scan_set_add_whole(pass_add(pass, info));
}

void reconciler_pass(struct reconciler *r) {
	uint64_t began = reconciler_now(r);
	struct pass pass = { .r = r, .now_usec = began, .since_usec = UINT64_MAX, .claims_lock = -1 };
	int err;

	if (waits_for_resumption(r) || r->whole.backoff.due_usec > began)
		return;
	take_namespaces(&pass);
	if (!pass.infos.n) {
		if (r->applying)
			assess(r); /* with nothing to do, everything is done */
		return;
	}
	if (pass.since_usec == UINT64_MAX)
		pass.since_usec = pass.now_usec;
	failures_begin(&r->failures, began);
	err = pass_run(&pass);
	if (err < 0)
		outage_begin(r, &r->whole, pass.scanned ? OUTAGE_LEDGER : OUTAGE_NETWORK, err);
	else
		outage_end(r, &r->whole);
	for (size_t i = 0; err < 0 && i < pass.infos.n; i++)
		worklist_mark(&r->work, pass.infos.items[i], reconciler_now(r));
	pass_done(&pass);
	failures_postpone(&r->failures, began, reconciler_now(r));
	failures_settle(&r->failures);
	r->kernel->ops->rest(r->kernel);
	/* The next scans will be narrow: return the memory of a large one to the system. */
	if (pass.largest >= LARGE_SCAN)
		malloc_trim(0);
	assess(r);
}

uint64_t reconciler_due(const struct reconciler *r) {
	if (waits_for_resumption(r))
		return UINT64_MAX;
	if (outage_stands(&r->whole))
		return r->whole.backoff.due_usec;
	if (r->applying && !r->work.dirty && !r->work.pending)
		return 0; /* a file that declares nothing, or nothing new */
	return MIN(worklist_due(&r->work, &r->failures), r->paused ? UINT64_MAX : failure_due(&r->failures));
}

bool reconciler_settled(const struct reconciler *r) {
	const struct worklist *w = &r->work;
	size_t n_left = w->n_unverified;

	if (outage_stands(&r->whole))
		return true;
	for (const struct ns_info *info = w->n_unreachable ? w->all : NULL; info; info = info->hh.next)
		n_left -= info->verdict == NS_UNVERIFIED && outage_stands(&info->outage);
	return !n_left && !w->pending;
}

int reconciler_plan(struct reconciler *r, bool explains, struct plan *ret, struct state *ret_observed) {
	struct pass pass = {
		.r = r, .now_usec = reconciler_now(r), .only_scans = true, .explains = explains, .claims_lock = -1
	};
	int err;

	*ret = (struct plan){};
	*ret_observed = (struct state){};
	for (struct ns_info *info = r->work.all; info; info = info->hh.next)
		scan_set_add_whole(pass_add(&pass, info));
	err = pass_scan(&pass, ret_observed, ret);
	pass_done(&pass);
	r->kernel->ops->rest(r->kernel);
	return err;
}

/* ---- the status ---- */

void reconciler_status(const struct reconciler *r, struct reconciler_status *ret) {
	*ret = r->status;
	ret->counts.n_failing = failure_count(&r->failures, FAILURE_FAILING) + outages_count(r);
	ret->counts.n_fights = failure_count(&r->failures, FAILURE_CONTESTED);
	ret->counts.n_reported = failure_count(&r->failures, FAILURE_REPORTED);
	ret->counts.n_held = failure_count(&r->failures, FAILURE_HELD);
	ret->counts.n_pending = r->work.n_pending;
	ret->counts.n_waiting = r->work.n_waiting;
	ret->counts.n_retries = r->failures.n_retries;
	if (waits_for_resumption(r))
		ret->phase = PHASE_CONVERGING;
}

void reconciler_failures(const struct reconciler *r, void (*fn)(void *userdata, const struct failure *), void *userdata) {
	static const char *const names[] = {
		[FAILURE_FAILING] = "failing",
		[FAILURE_CONTESTED] = "fought over",
		[FAILURE_REPORTED] = "reported",
		[FAILURE_HELD] = "held",
	};

	outages_each(r, fn, userdata);
	for (const struct failure_record *record = r->failures.records; record; record = record->hh.next) {
		struct failure failure = {
			.scope = record->scope,
			.noun = record->noun,
			.ns = record->ns,
			.parts = record->parts,
			.state = names[record->state],
			.error = record->error,
			.n_tries = record->n_tries,
			.next_try_usec = failure_next(&r->failures, record),
			.position = record->position,
			.file = spec_file_of(&r->spec, record->position),
		};

		if (record->state != FAILURE_WATCHED)
			fn(userdata, &failure);
	}
}

void reconciler_pending_text(const struct reconciler *r, struct text *out) {
	if (r->work.n_pending)
		text_addf(out, "duplicate detection of %zu address%s; 'nodad: true' skips it", r->work.n_pending,
			  r->work.n_pending == 1 ? "" : "es");
	else if (r->restless)
		text_addf(out, "something else keeps changing the network (%s)", r->restless);
}

const char *reconciler_restless(const struct reconciler *r) {
	return r->restless;
}

const struct spec *reconciler_spec(const struct reconciler *r) {
	return &r->spec;
}
