/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/reconcile.h"

#include <malloc.h>
#include <utlist.h>

#include "reconcile/drift.h"
#include "kind/ruleset.h"
#include "kind/sysctl.h"
#include "reconcile/scan_rate.h"
#include "reconcile/pass.h"
#include "reconcile/failures.h"
#include "reconcile/waiting.h"

enum {
	LARGE_SCAN = 1024 * 1024, /* bytes seen: much more than a look at what an event names */
};

static uint64_t now(const struct reconciler *r) {
	return r->hooks.now(r->hooks.userdata);
}

/* Namespaces. */

static void add_info(struct reconciler *r, const char *name) {
	struct ns_info *info = pass_info(r, name);

	if (info)
		return;
	info = xmalloc(sizeof(*info));
	info->name = xstrdup(name);
	info->dirty.bit = SCAN_SET_NEXT;
	info->later.bit = SCAN_SET_LATER;
	info->looked.bit = SCAN_SET_NOW;
	r->n_unverified++;
	HASH_ADD_KEYPTR(hh, r->infos, info->name, strlen(info->name), info);
}

static void set_n_pending(struct reconciler *r, struct ns_info *info, size_t n) {
	if (n && !info->n_pending)
		DL_APPEND2(r->waiting, info, wait_prev, wait_next);
	else if (!n && info->n_pending)
		DL_DELETE2(r->waiting, info, wait_prev, wait_next);
	r->n_pending += n - info->n_pending;
	info->n_pending = n;
}

static void remove_info(struct reconciler *r, struct ns_info *info) {
	HASH_DEL(r->infos, info); /* NOLINT(clang-analyzer-core.NullDereference): it is in the table */
	scan_set_done(&info->dirty);
	scan_set_done(&info->later);
	scan_set_done(&info->looked);
	pass_relist(r, info);
	set_n_pending(r, info, 0);
	waiting_forget(r, info);
	outage_forget(r, &info->unseen);
	r->n_unverified -= !info->verified;
	free(info->name);
	free(info);
}

/* After its extent has grown. */
static void enlist(struct reconciler *r, struct ns_info *info, uint64_t when) {
	if (!info->prev)
		info->since_usec = when;
	pass_relist(r, info);
}

static void mark_dirty(struct reconciler *r, struct ns_info *info, uint64_t when) {
	if (scan_set_add_whole(&info->dirty))
		enlist(r, info, when);
}

void reconciler_dirty(struct reconciler *r, const char *ns) {
	struct ns_info *info = pass_info(r, ns);

	if (info)
		mark_dirty(r, info, now(r));
}

void reconciler_name_changed(struct reconciler *r, const char *name) {
	struct ns_info *info = pass_info(r, name);
	struct object *self = ns_self(state_find(&r->spec.state, name));
	bool grown;

	if (!info)
		return;
	if (!info->known || !self) {
		mark_dirty(r, info, now(r));
		return;
	}
	grown = scan_set_add(&info->dirty, self);
	grown |= scan_set_add_whole(&info->later);
	if (grown)
		enlist(r, info, now(r));
}

static void name_is_lost(void *userdata, const char *ns) {
	reconciler_name_changed(userdata, ns);
}

void reconciler_mounts_changed(struct reconciler *r) {
	r->kernel->ops->check_names(r->kernel, name_is_lost, r);
}

static const char *known_link(const struct reconciler *r, const char *ns, const struct hint *hint) {
	return hint->ifindex ? r->kernel->ops->link_of(r->kernel, ns, hint->ifindex) : NULL;
}

/* A neighbour is gone: what failed for it can perhaps be done now. Of one in a bridge no address is known. */
static void hear_neighbour(struct reconciler *r, const char *ns, const struct hint *hint) {
	uint64_t when = now(r);

	for (struct failure_record *t = r->failures.bad; t && !hint->to.address.family; t = t->next)
		failure_revive(t, when);
	ns_foreach(object, hint->to.address.family ? state_find(&r->spec.state, ns) : NULL) {
		bool later;
		struct failure_record *t =
			object->kind->provides && object->kind->provides(object, &hint->to.address, &later)
				? failure_find(&r->failures, object)
				: NULL;

		if (t)
			failure_revive(t, when);
	}
}

bool reconciler_wants_neighbours(const struct reconciler *r) {
	return failures_given_up(&r->failures);
}

void reconciler_hint(struct reconciler *r, const char *name, const struct hint *hint) {
	struct ns_info *info = pass_info(r, name);
	struct ns_state *ns = info ? state_find(&r->spec.state, name) : NULL;
	bool grown;

	if (hint->type == HINT_NEIGHBOUR)
		hear_neighbour(r, name, hint);
	if (!ns || info->dirty.whole)
		return;
	/* Where not all the rest is known to be well, or where it counts that something was added, all is looked at. */
	if (!info->known || ns->exclusive)
		grown = scan_set_add_whole(&info->dirty);
	else
		grown = scan_set_add_hint(&info->dirty, &info->later, &r->spec.state, ns, hint, known_link(r, name, hint),
					  &r->own);
	if (grown)
		enlist(r, info, now(r));
}

void reconciler_hint_id(struct reconciler *r, int32_t nsid, const struct hint *hint) {
	const char *name = r->kernel->ops->name_of(r->kernel, nsid);

	if (name)
		reconciler_hint(r, name, hint);
}

void reconciler_dirty_all(struct reconciler *r) {
	uint64_t when = now(r);

	for (struct ns_info *info = r->infos; info; info = info->hh.next)
		mark_dirty(r, info, when);
}

static bool is_silent(const struct reconciler *r, const struct object *object) {
	if (object->kind->transport == TRANSPORT_FILE)
		return r->files_silent;
	return object->kind == &kind_sysctl && !sysctl_has_event((const struct sysctl *)object);
}

bool reconciler_dirty_periodic(struct reconciler *r) {
	uint64_t when = now(r);
	bool any = false;

	state_foreach(ns, &r->spec.state) {
		struct ns_info *info = pass_info(r, ns->name);

		ns_foreach(object, ns) {
			if (!info || !is_silent(r, object))
				continue;
			any = true;
			if (scan_set_add(&info->dirty, object))
				enlist(r, info, when);
		}
	}
	return any;
}

bool reconciler_has_silent(const struct reconciler *r) {
	state_foreach(ns, &r->spec.state)
		ns_foreach(object, ns)
			if (is_silent(r, object))
				return true;
	return false;
}

void reconciler_files_silent(struct reconciler *r) {
	r->files_silent = true;
}

/* Where something waited for another object, it can perhaps be made now. */
static void scan_hindered(struct reconciler *r) {
	for (struct ns_info *info = r->infos; info; info = info->hh.next) {
		if (!info->hindered)
			continue;
		reconciler_dirty(r, info->name);
		pass_set_verified(r, info, false);
	}
}

/* Taking a spec into use. */

static bool same_object(const struct object *a, const struct object *b) {
	return b && a->kind == b->kind && a->drift == b->drift && a->external == b->external && a->gone == b->gone &&
	       a->returning == b->returning && object_same_fields(a, b);
}

/* As many, and each of the one is in the other with the same fields set: so it is the other way round. */
static bool same_namespace(const struct ns_state *a, const struct ns_state *b) {
	if (!a || !b || HASH_COUNT(a->objects) != HASH_COUNT(b->objects) || a->adopt != b->adopt ||
	    a->exclusive != b->exclusive)
		return false;
	ns_foreach(object, a)
		if (!same_object(object, ns_find(b, object)))
			return false;
	return true;
}

/* What is to go back differs from what was before, too: fields that are returning, objects that are gone. */
static void find_unchanged(struct state *after, const struct state *before) {
	state_foreach(ns, after)
		ns->unchanged = same_namespace(ns, state_find(before, ns->name));
}

/* What was told of an object that is declared differently now, or no more, is over: that it is well again would be news of
 * something else. */
static void drop_reports(struct reconciler *r, const struct ns_state *before, const struct ns_state *after) {
	ns_foreach(object, before) {
		const struct object *other = after ? ns_find(after, object) : NULL;
		struct failure_record *records[] = { failure_find(&r->failures, object),
						     failure_find_ignored(&r->failures, object) };

		for (size_t i = 0; i < ARRAY_SIZE(records); i++)
			if (records[i] && (!other || !same_object(object, other)))
				failure_drop(&r->failures, records[i]);
	}
}

/* Namespaces that neither the file nor the ledger knows any more. */
static void forget_namespaces(struct reconciler *r) {
	struct ns_info *info, *next;
	struct failure_ns *ns;

	HASH_ITER(hh, r->infos, info, next) {
		if (state_find(&r->spec.state, info->name))
			continue;
		while ((ns = failure_namespace(&r->failures, info->name)))
			failure_drop(&r->failures, ns->records);
		remove_info(r, info);
	}
}

/* What fails is tried again now, so that what is told of it has its places in the new files. */
static void retry_failed(struct reconciler *r, uint64_t when) {
	for (struct failure_record *t = r->failures.records; t; t = t->hh.next) {
		struct ns_info *info = pass_info(r, t->ns);

		if (!info || (t->state != FAILURE_FAILING && t->state != FAILURE_CONTENDED))
			continue;
		t->backoff = (struct backoff){ .due_usec = when };
		mark_dirty(r, info, when);
	}
}

static void count_declared(struct reconciler *r) {
	r->status.n_namespaces = r->status.n_objects = 0;
	state_foreach(ns, &r->spec.state) {
		r->status.n_namespaces += ns_self(ns) || HASH_COUNT(ns->objects);
		ns_foreach(object, ns)
			r->status.n_objects += !object->gone;
	}
}

static void begin_applying(struct reconciler *r) {
	r->applying = true;
	r->applying_since = now(r);
	r->announced = false;
	r->n_applied = 0;
	r->status.n_created = r->status.n_changed = r->status.n_deleted = 0;
}

/* Where the same things stand in the file by now. Without room for it the former lines stay. */
static void renew_places(struct reconciler *r) {
	if (ledger_renew_places(r->ledger, &r->spec.state))
		(void)ledger_file_set_head(r->file, r->ledger);
}

static void forget_spared(struct reconciler *r) {
	vec_foreach(id, &r->spared)
		free(*id);
	vec_clear(&r->spared);
}

struct reconciler *reconciler_new(struct spec *spec, struct kernel *kernel, struct ledger *ledger, struct ledger_file *file,
				  const struct reconciler_hooks *hooks) {
	struct reconciler *r = xmalloc(sizeof(*r));

	r->kernel = kernel;
	r->ledger = ledger;
	r->file = file;
	r->hooks = *hooks;
	r->spec = *spec;
	*spec = (struct spec){};
	r->own.nat_table = nat_table_name(r->spec.topology);
	r->own.alias = xasprintf("topod:%s", r->spec.topology);
	renew_places(r);
	ledger_add_returns(ledger, &r->spec.state);
	state_foreach(ns, &r->spec.state)
		add_info(r, ns->name);
	reconciler_dirty_all(r);
	count_declared(r);
	begin_applying(r);
	return r;
}

void reconciler_reload(struct reconciler *r, struct spec *spec) {
	struct spec before = r->spec;
	uint64_t when = now(r);

	/* What was to be looked at belonged to the former state. */
	for (struct ns_info *info = r->dirty; info; info = info->next) {
		scan_set_add_whole(&info->dirty);
		scan_set_clear(&info->later);
	}
	r->spec = *spec;
	*spec = (struct spec){};
	find_unchanged(&r->spec.state, &before.state);
	waiting_move(r);
	renew_places(r);
	forget_spared(r);
	ledger_add_returns(r->ledger, &r->spec.state);
	state_foreach(ns, &r->spec.state) {
		add_info(r, ns->name);
		if (ns->unchanged)
			continue;
		drop_reports(r, state_find(&before.state, ns->name), ns);
		mark_dirty(r, pass_info(r, ns->name), when);
		pass_set_verified(r, pass_info(r, ns->name), false);
		pass_info(r, ns->name)->known = false;
	}
	forget_namespaces(r);
	retry_failed(r, when);
	scan_rate_hurry(r);
	outages_hurry(r);
	scan_hindered(r);
	count_declared(r);
	begin_applying(r);
	spec_done(&before);
}

void reconciler_pause(struct reconciler *r) {
	r->paused = true;
}

void reconciler_resume(struct reconciler *r) {
	if (!r->paused)
		return;
	r->paused = false;
	reconciler_dirty_all(r);
	scan_rate_hurry(r);
	outages_hurry(r);
	failures_hurry(&r->failures, now(r));
}

/* What differs after a start or reload is no drift, and there is nothing else to be told of it. */
static bool waits_for_resumption(const struct reconciler *r) {
	return r->paused && r->applying;
}

void reconciler_free(struct reconciler *r) {
	struct ns_info *info, *next;

	if (!r)
		return;
	HASH_ITER(hh, r->infos, info, next)
	remove_info(r, info);
	outage_done(&r->whole);
	outage_done(&r->deaf);
	failures_done(&r->failures);
	spec_done(&r->spec);
	other_ledgers_done(&r->others);
	forget_spared(r);
	vec_done(&r->spared);
	free(r->own.nat_table);
	free(r->own.alias);
	free(r->restless);
	free(r);
}

/* A pass. */

static void take_namespaces(struct reconciler *r, struct pass *pass) {
	for (struct ns_info *info = r->dirty; info; info = info->next) {
		if (info->unseen.backoff.due_usec > pass->now_usec || scan_rate_rests(r, info, pass->now_usec))
			continue;
		pass_add(pass, info); /* what is dirty in it is taken with the look */
		pass->since_usec = MIN(pass->since_usec, info->since_usec);
	}
	for (struct failure_record *t = r->failures.bad; t; t = t->next)
		if (failure_next(&r->failures, t) <= pass->now_usec && pass_info(r, t->ns))
			scan_set_add_whole(pass_add(pass, pass_info(r, t->ns)));
	for (struct ns_info *info = r->waiting; info; info = info->wait_next)
		if (info->scan_again_usec <= pass->now_usec)
			scan_set_add_whole(pass_add(pass, info));
}

/* A fight is over when its object has been left alone for as long as topod left it. */
static bool is_over(const struct reconciler *r, const struct failure_record *record) {
	return record->state != FAILURE_CONTENDED || failure_may_try(&r->failures, record, now(r));
}

static void tell_recovery(struct reconciler *r, const struct failure_record *record) {
	struct object object = { .ns = record->ns };
	struct occurrence occurrence = {
		.type = OCCURRENCE_RECOVERED,
		.object = &object,
		.scope = record->scope,
		.noun = record->noun,
		.what = "is as declared again",
		.position = record->position,
	};

	r->hooks.occurred(r->hooks.userdata, &occurrence);
}

/* Objects of a namespace that was looked at as a whole, which differ no more. True where something was not well. */
static bool end_failures(struct reconciler *r, struct pass *pass, const struct ns_info *info) {
	struct failure_ns *ns = failure_namespace(&r->failures, info->name);
	struct failure_record *record, *next;
	bool any = false;

	for (record = ns ? ns->records : NULL; record; record = next) {
		next = record->ns_next;
		if (record->state == FAILURE_WATCHED || record->seen == r->failures.scan || !is_over(r, record))
			continue;
		/* That it failed may still wait to be told. */
		drift_tell(&pass->lines, r->hooks.occurred, r->hooks.userdata);
		tell_recovery(r, record);
		failure_drop(&r->failures, record);
		any = true;
	}
	return any;
}

static void set_pending(struct reconciler *r, const struct pass *pass, const struct plan *plan) {
	for (size_t i = pass->n_touched; i < pass->infos.n; i++)
		pass->infos.items[i]->n_found = 0;
	vec_foreach(pending, &plan->pending) {
		struct ns_info *info = pass_info(r, pending->object->ns);

		/* What comes once something else is made does not come while that is left alone. */
		if (info && !(pending->by && pending->by->held))
			info->n_found++;
	}
	for (size_t i = pass->n_touched; i < pass->infos.n; i++) {
		struct ns_info *info = pass->infos.items[i];

		set_n_pending(r, info, info->n_found);
		info->scan_again_usec = now(r) + PENDING_LOOK_USEC; /* in case its event was missed */
	}
}

/* What has gone back to what it was is forgotten, and so is what vanished. */
static void forget_returned(struct reconciler *r, struct ns_state *ns, struct text *lines) {
	struct object *object = ns ? ns->objects : NULL, *next;

	for (; object; object = next) {
		next = object->hh.next;
		if (!object->returning)
			continue;
		ledger_forget_fields(r->ledger, object, object->returning, lines);
		object->set &= ~object->returning;
		object->returning = 0;
		if (object->gone)
			ns_remove(ns, object);
	}
}

/* A namespace of an earlier file of which nothing is left. */
static bool is_over_and_done(const struct reconciler *r, const struct ns_state *ns) {
	return !ns->declared && !ns->objects && !ledger_namespace(r->ledger, ns->name) && !streq(ns->name, NS_HOST);
}

/* What is known to be well after this look. What is pending is waited for, and then all is looked at once more. */
static void note_known(struct reconciler *r, struct ns_info *info) {
	pass_set_verified(r, info, true);
	if (info->looked.whole)
		info->known = true;
	info->known &= !info->n_pending && !info->hindered;
}

/* Where all is as declared, what differs from now on is drift. Not where something is still to be done: that may take along
 * what is there (an address its secondaries), and not what waits for something else. */
static void note_settled(struct reconciler *r, const struct pass *pass, const struct plan *plan) {
	for (size_t i = pass->n_touched; i < pass->infos.n; i++) {
		const struct ns_info *info = pass->infos.items[i];

		if (info->looked.whole && !failure_in(&r->failures, info->name) && !info->hindered)
			ns_foreach(object, state_find(&r->spec.state, info->name))
				object->settled = !object->waits;
	}
	vec_foreach(pending, &plan->pending) {
		const struct ns_state *ns = state_find(&r->spec.state, pending->object->ns);
		struct object *declared = ns ? ns_find(ns, pending->object) : NULL;

		if (declared == pending->object) /* else it is there, and only not usable yet */
			declared->settled = false;
	}
}

static int verified(struct reconciler *r, struct pass *pass, const struct plan *plan) {
	_cleanup_text_ struct text lines = {};
	bool any = false;

	set_pending(r, pass, plan);
	waiting_take(pass, plan);
	if (r->applying)
		note_settled(r, pass, plan);
	for (size_t i = pass->n_touched; i < pass->infos.n; i++) {
		note_known(r, pass->infos.items[i]);
		scan_rate_scanned(pass, pass->infos.items[i]);
	}
	for (size_t i = pass->n_touched; i < pass->infos.n; i++)
		if (pass->infos.items[i]->looked.whole)
			any |= end_failures(r, pass, pass->infos.items[i]);
	if (any || pass->seen_again)
		scan_hindered(r);
	for (size_t i = pass->infos.n; i-- > pass->n_touched;) {
		struct ns_info *info = pass->infos.items[i];
		struct ns_state *ns = state_find(&r->spec.state, info->name);

		if (!ns || !info->looked.whole || r->paused || failure_in(&r->failures, info->name))
			continue;
		forget_returned(r, ns, &lines);
		if (!is_over_and_done(r, ns))
			continue;
		pass->infos.items[i] = pass->infos.items[--pass->infos.n];
		remove_info(r, info);
	}
	return pass_write(r, &lines);
}

static void tell_converged(struct reconciler *r) {
	_cleanup_text_ struct text waits = {};
	struct occurrence occurrence = {
		.type = OCCURRENCE_CONVERGED,
		.n_changes = r->n_applied,
		.latency_usec = now(r) - r->applying_since,
	};

	reconciler_waits_text(r, &waits);
	occurrence.waits = waits.size ? waits.data : NULL;

	r->announced = true;
	r->hooks.occurred(r->hooks.userdata, &occurrence);
}

/* After each pass: has everything been verified? */
static void assess(struct reconciler *r) {
	size_t bad = failure_count(&r->failures, FAILURE_FAILING) + failure_count(&r->failures, FAILURE_CONTENDED) +
		     failure_count(&r->failures, FAILURE_REPORTED) + failure_count(&r->failures, FAILURE_HELD) +
		     outages_count(r);

	failure_expire(&r->failures, now(r));
	if (r->n_unverified || r->waiting || r->n_unseen || outage_stands(&r->whole)) {
		r->status.phase = bad ? PHASE_DEGRADED : PHASE_CONVERGING;
		return;
	}
	r->status.phase = bad ? PHASE_DEGRADED : PHASE_CONVERGED;
	r->applying = false;                     /* all was tried: what differs from here on is drift */
	ledger_file_compact(r->file, r->ledger); /* one that cannot be compacted is only longer */
	if (bad)
		return;
	r->status.converged_usec = now(r);
	if (!r->announced)
		tell_converged(r);
}

void reconciler_pass(struct reconciler *r) {
	uint64_t began = now(r);
	struct pass pass = { .r = r, .now_usec = began, .since_usec = UINT64_MAX, .claims_lock = -1 };
	int err;

	if (waits_for_resumption(r) || r->whole.backoff.due_usec > began)
		return;
	take_namespaces(r, &pass);
	if (!pass.infos.n) {
		if (r->applying)
			assess(r); /* nothing to do is done */
		return;
	}
	if (pass.since_usec == UINT64_MAX)
		pass.since_usec = pass.now_usec;
	r->status.n_passes++;
	failures_begin(&r->failures, began);
	err = pass_run(&pass, verified);
	outage_of_pass(&pass, pass.looked ? OUTAGE_LEDGER : OUTAGE_NETWORK, err);
	for (size_t i = 0; err < 0 && i < pass.infos.n; i++)
		reconciler_dirty(r, pass.infos.items[i]->name);
	pass_done(&pass);
	failures_postpone(&r->failures, began, now(r));
	failures_settle(&r->failures);
	r->kernel->ops->rest(r->kernel);
	/* The next looks will be narrow: what a large one needed is given back to the system. */
	if (pass.largest >= LARGE_SCAN)
		malloc_trim(0);
	assess(r);
}

static uint64_t dirty_due(const struct reconciler *r) {
	uint64_t due = UINT64_MAX;

	for (const struct ns_info *info = r->dirty; info && due; info = info->next)
		due = MIN(due, MAX(info->unseen.backoff.due_usec, scan_rate_due(r, info)));
	return due;
}

uint64_t reconciler_due(const struct reconciler *r) {
	uint64_t due = r->paused ? UINT64_MAX : failure_due(&r->failures);

	if (waits_for_resumption(r))
		return UINT64_MAX;
	if (outage_stands(&r->whole))
		return r->whole.backoff.due_usec;
	if (r->applying && !r->dirty && !r->waiting)
		return 0; /* a file that declares nothing, or nothing new */
	due = MIN(due, dirty_due(r));
	for (const struct ns_info *info = r->waiting; info; info = info->wait_next)
		due = MIN(due, info->scan_again_usec);
	return due;
}

bool reconciler_settled(const struct reconciler *r) {
	size_t n_left = r->n_unverified;

	if (outage_stands(&r->whole))
		return true;
	for (const struct ns_info *info = r->n_unseen ? r->infos : NULL; info; info = info->hh.next)
		n_left -= !info->verified && outage_stands(&info->unseen);
	return !n_left && !r->waiting;
}

int reconciler_plan(struct reconciler *r, struct plan *ret, struct state *ret_observed) {
	struct pass pass = { .r = r, .now_usec = now(r), .only_scans = true, .claims_lock = -1 };
	int err;

	*ret = (struct plan){};
	*ret_observed = (struct state){};
	for (struct ns_info *info = r->infos; info; info = info->hh.next)
		scan_set_add_whole(pass_add(&pass, info));
	err = pass_scan(&pass, ret_observed, ret);
	pass_done(&pass);
	r->kernel->ops->rest(r->kernel);
	return err;
}

void reconciler_status(const struct reconciler *r, struct reconciler_status *ret) {
	*ret = r->status;
	ret->n_failing = failure_count(&r->failures, FAILURE_FAILING) + outages_count(r);
	ret->n_fights = failure_count(&r->failures, FAILURE_CONTENDED);
	ret->n_reported = failure_count(&r->failures, FAILURE_REPORTED);
	ret->n_held = failure_count(&r->failures, FAILURE_HELD);
	ret->n_pending = r->n_pending;
	ret->n_waiting = r->n_waiting;
	ret->n_retries = r->failures.n_retries;
	if (waits_for_resumption(r))
		ret->phase = PHASE_CONVERGING;
}

const char *reconciler_restless(const struct reconciler *r) {
	return r->restless;
}

const struct spec *reconciler_spec(const struct reconciler *r) {
	return &r->spec;
}
