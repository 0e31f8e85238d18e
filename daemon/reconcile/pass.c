/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rounds of a pass. A round scans, plans and acts; the next round scans what was touched, until a scan finds nothing to
 * do.
 *
 * One round:
 *
 *  1. Scan. Dirty marks are taken at the beginning: the scan sees everything that happened before, and later events make
 *     namespaces dirty again. If the plan has consequences outside of what was scanned (scan_closure.c), or the ledger has
 *     to follow a renamed link, the plan is dropped and the scan repeated, wider.
 *  2. Judge. A scan that follows requests shows which of them the kernel acknowledged and ignored (pass_ignored.c). These
 *     fields are left out, and the plan is made again.
 *  3. Lock. If there is something to record, the lock of all topologies is taken and their ledgers are read again, so that
 *     two topologies cannot claim the same object at once. If a ledger has changed, the round ends and everything is scanned
 *     again.
 *  4. Record (carry_out.c) what is gone and what is declared, then choose (choose.c) which changes are left alone.
 *  5. Settle (settle.c) the namespaces that need no changes: they are verified now.
 *  6. Carry out (carry_out.c) the rest: intents go to the ledger, then requests to the kernel, then results to the ledger.
 *
 * A namespace is *touched* if something is done in it, or still has to be scanned; only those take part in the next round.
 * Drift is reported at the end of the pass, because consequences of one cause share a line (drift.c). If something changes
 * as fast as it is corrected, a pass gives up after PASS_ROUNDS, so that events and clients get their turn, and the rest
 * stays dirty.
 */
#include "reconcile/pass.h"

#include "reconcile/scan_closure.h"

enum {
	PASS_ROUNDS = 8,
	RESTLESS_NAMED = 3,
};

/* ---- which namespaces take part ---- */

bool pass_settled(const struct pass *pass, const struct ns_info *info) {
	return info && info->position > pass->n_touched;
}

struct scan_set *pass_add(struct pass *pass, struct ns_info *info) {
	if (!info->position) {
		vec_push(&pass->infos, info);
		info->position = pass->infos.n;
	}
	return &info->scanned;
}

void pass_remove(struct pass *pass, struct ns_info *info) {
	if (!info->position)
		return;
	struct ns_info *last = pass->infos.items[pass->infos.n - 1];
	pass->infos.items[info->position - 1] = last;
	last->position = info->position;
	pass->infos.n--;
	info->position = 0;
	scan_set_clear(&info->scanned);
}

static void forget_infos(struct pass *pass, size_t from) {
	for (size_t i = from; i < pass->infos.n; i++) {
		pass->infos.items[i]->position = 0;
		scan_set_clear(&pass->infos.items[i]->scanned);
	}
	pass->infos.n = from;
}

void pass_unlock_claims(struct pass *pass) {
	closep(&pass->claims_lock);
	pass->claims_lock = -1;
}

void pass_done(struct pass *pass) {
	forget_infos(pass, 0);
	vec_done(&pass->infos);
	stale_answers_done(&pass->stale_answers);
	ignored_done(&pass->ignored);
	drift_done(&pass->lines);
}

/* ---- scanning ---- */

struct scan_request pass_scan_of(const struct reconciler *r) {
	return (struct scan_request){ .desired = &r->spec.state, .ledger = r->ledger, .topology = r->spec.topology };
}

/* Moves dirty parts into the scan; `later` follows in the second round. A narrow scan is made only if everything else in the
 * namespace is known to be as declared. */
static void take_dirty(struct pass *pass, struct ns_info *info) {
	struct reconciler *r = pass->r;
	bool known = info->known && !failure_in(&r->failures, info->name);
	bool first = pass->n_rounds == 0 && !scan_set_is_empty(&info->dirty);

	if (!known)
		scan_set_add_whole(&info->scanned);
	if (pass->only_scans)
		return;
	scan_set_take(&info->scanned, &info->dirty);
	if (!first || info->scanned.whole)
		scan_set_take(&info->scanned, &info->later);
	worklist_relist(&r->work, info);
}

static struct scope scope_of(struct reconciler *r, const struct ns_info *info, struct arena *arena) {
	const struct scan_set *scanned = &info->scanned;
	struct scope scope = { .ns = info->name };

	if (scanned->whole) {
		r->status.counts.n_scans++;
		return scope;
	}
	r->status.counts.n_narrow_scans++;
	r->status.counts.n_scanned_for += scanned->objects.n;
	scope.n = scanned->objects.n;
	scope.objects = arena_memdup(arena, scanned->objects.items, scope.n * sizeof(scanned->objects.items[0]));
	return scope;
}

static int observe(struct pass *pass, struct state *observed) {
	struct reconciler *r = pass->r;
	struct scan_request request = pass_scan_of(r);
	struct scope *scopes = arena_newn(&observed->arena, struct scope, pass->infos.n);
	int err;

	for (size_t i = 0; i < pass->infos.n; i++) {
		take_dirty(pass, pass->infos.items[i]);
		scopes[i] = scope_of(r, pass->infos.items[i], &observed->arena);
	}
	err = r->kernel->ops->observe(r->kernel, &request, scopes, pass->infos.n, observed);
	for (size_t i = 0; err == 0 && i < pass->infos.n; i++)
		state_namespace(observed, scopes[i].ns)->scope = scopes[i].objects ? &scopes[i] : NULL;
	if (err == 0 && !pass->only_scans)
		outage_sort_out(pass, observed);
	state_foreach(ns, observed)
		err = err ? err : ns->error; /* only `plan` gets here: outage_sort_out() has dealt with the others */
	return err;
}

/* Objects left to another topology may be free now, and are tried at once. True if another ledger has changed. */
static bool refresh_claims(struct pass *pass) {
	struct reconciler *r = pass->r;
	bool changed = other_ledgers_refresh(&r->others, r->spec.topology);

	if (changed && !pass->only_scans)
		failures_hurry(&r->failures, reconciler_now(r));
	return changed;
}

static void make_plan(struct pass *pass, struct state *observed, struct plan *plan) {
	struct reconciler *r = pass->r;
	struct plan_input input = {
		.desired = &r->spec.state,
		.observed = observed,
		.ledger = r->ledger,
		.claims = &r->others.claims,
		.kept = pass_kept,
		.userdata = pass,
		.explains = pass->explains,
	};

	plan_make(plan, &input);
}

/* Makes the ledger follow renamed links. True if there are any: then plan again. */
static bool follow_renamed(struct pass *pass, const struct plan *plan, int *ret_error) {
	struct reconciler *r = pass->r;
	_cleanup_text_ struct text lines = {};

	vec_foreach(renamed, &plan->renamed) {
		struct ns_state *ns = state_namespace(&r->spec.state, renamed->ns);

		ledger_rename(r->ledger, renamed->ns, renamed->from, renamed->to, &lines);
		/* Objects to be restored were recorded with the link's former name. */
		for (struct object *object = ns->objects, *next; object; object = next) {
			const char *home = object_home_link(object);

			next = object->hh.next;
			if (object->gone && home && streq(home, renamed->from))
				ns_remove(ns, object);
		}
		ns->unchanged = false;
	}
	if (plan->renamed.n)
		ledger_add_returns(r->ledger, &r->spec.state);
	*ret_error = pass->only_scans ? 0 : pass_write(r, &lines);
	return plan->renamed.n;
}

/* A namespace that would be deleted stays, because another topology uses it, so the objects in it must be deleted one by
 * one. True if this is new: then plan again. */
static bool follow_left(struct pass *pass, const struct plan *plan) {
	struct reconciler *r = pass->r;
	bool any = false;

	vec_foreach(lost, &plan->lost) {
		struct ledger_entry *entry = lost->kept ? ledger_find(r->ledger, lost->ns, lost->id) : NULL;

		if (!entry || !kind_is_namespace(entry->kind) || entry->left)
			continue;
		entry->left = any = true;
		state_namespace(&r->spec.state, lost->ns)->unchanged = false;
	}
	if (any)
		ledger_add_returns(r->ledger, &r->spec.state);
	return any;
}

int pass_scan(struct pass *pass, struct state *observed, struct plan *plan) {
	for (;;) {
		int err;

		refresh_claims(pass);
		err = observe(pass, observed);
		if (err < 0)
			return err;
		make_plan(pass, observed, plan);
		if (!pass_follow_born(pass, plan) && !follow_renamed(pass, plan, &err) && !follow_left(pass, plan) &&
		    !scan_closure(pass, plan))
			return 0;
		if (err < 0)
			return err;
		plan_done(plan);
		state_done(observed);
		*plan = (struct plan){};
		*observed = (struct state){};
	}
}

/* ---- acting on a scan ---- */

/* Moves the namespace to the touched ones, which come first. */
static void touch(struct pass *pass, struct ns_info *info) {
	struct ns_info *other;

	if (!info || info->position <= pass->n_touched)
		return;
	worklist_set_verdict(&pass->r->work, info, NS_UNVERIFIED);
	other = pass->infos.items[pass->n_touched];
	pass->infos.items[info->position - 1] = other;
	other->position = info->position;
	pass->infos.items[pass->n_touched++] = info;
	info->position = pass->n_touched;
}

/* Finds the namespaces to scan once more: those in which something is done, and those with parts left for the second
 * scan. */
static void find_touched(struct pass *pass, const struct plan *plan) {
	const struct worklist *w = &pass->r->work;

	pass->n_touched = 0;
	vec_foreach(at, &plan->changes) {
		const struct change *change = *at;

		if ((change->held && !pass_comes_next(change)) || change->refused)
			continue;
		touch(pass, worklist_find(w, change_object(change)->ns));
		if (change->desired && change->desired->twin)
			touch(pass, worklist_find(w, change->desired->twin->ns));
	}
	/* A shared object may have been deleted between the scan and the record. */
	vec_foreach(note, &plan->notes)
		if (note->other && note->news)
			touch(pass, worklist_find(w, note->object->ns));
	for (size_t i = pass->n_touched; i < pass->infos.n; i++)
		if (!scan_set_is_empty(&pass->infos.items[i]->later))
			touch(pass, pass->infos.items[i]);
}

/* Only one topology at a time records its claims. False: another one has recorded something since the scan, and everything
 * must be scanned again. If the lock cannot be taken, the pass continues without it: a conflict is corrected by the next
 * scan. */
static bool lock_claims(struct pass *pass, const struct plan *plan) {
	if (!plan->changes.n && !plan->notes.n && !plan->lost.n && !plan->released.n && !plan->unnoted.n)
		return true; /* nothing that others must know or must not change meanwhile */
	pass->claims_lock = other_ledgers_lock();
	if (!refresh_claims(pass))
		return true;
	for (size_t i = 0; i < pass->infos.n; i++)
		worklist_set_verdict(&pass->r->work, pass->infos.items[i], NS_UNVERIFIED);
	pass->n_touched = pass->infos.n;
	return false;
}

/* 1: nothing is left to do; 0: scan again; -errno: the ledger failed. */
static int act(struct pass *pass, struct plan *plan) {
	int err;

	if (!lock_claims(pass, plan))
		return 0;
	err = pass_note(pass, plan);
	if (err < 0)
		return err;
	pass_choose(pass, plan);
	find_touched(pass, plan);
	err = pass_settle(pass, plan);
	if (err < 0)
		return err;
	return pass->n_touched ? pass_carry_out(pass, plan) : 1;
}

/* Lists the first few objects that the last round still changes, for reconciler_restless(). */
static void note_restless(struct reconciler *r, const struct plan *plan) {
	_cleanup_text_ struct text text = {};
	size_t n = 0;

	vec_foreach(at, &plan->changes) {
		const struct change *change = *at;

		if (change->held || change->refused || change->completes ||
		    (change->type == CHANGE_CREATE && change->recreates))
			continue;
		if (n++ < RESTLESS_NAMED) {
			text_add(&text, text.size ? ", " : "");
			object_print_id(change_object(change), &text);
		}
	}
	if (n > RESTLESS_NAMED)
		text_addf(&text, " and %zu more", n - RESTLESS_NAMED);
	free(r->restless);
	r->restless = text_take(&text);
}

/* One round; returns as act(). */
static int run_round(struct pass *pass) {
	struct plan plan = {};
	struct state observed = {};
	int err;

	pass->r->failures.scan++;
	err = pass_scan(pass, &observed, &plan);
	pass->scanned = err == 0;
	/* Only a scan that follows requests shows whether the kernel ignored them. */
	if (err == 0 && pass->n_carried_out > pass->n_judged && pass_note_ignored(pass, &plan)) {
		plan_done(&plan);
		plan = (struct plan){};
		make_plan(pass, &observed, &plan);
	}
	pass->n_judged = pass->n_carried_out;
	if (err == 0)
		err = act(pass, &plan);
	pass_unlock_claims(pass);
	if (err == 0 && pass->n_rounds == PASS_ROUNDS - 1)
		note_restless(pass->r, &plan);
	if (err >= 0) /* after an error all of them are scanned again */
		forget_infos(pass, pass->n_touched);
	pass->largest = MAX(pass->largest, observed.arena.used);
	plan_done(&plan);
	state_done(&observed);
	return err;
}

int pass_run(struct pass *pass) {
	struct reconciler *r = pass->r;
	int err = 0;

	for (; pass->n_rounds < PASS_ROUNDS && err == 0; pass->n_rounds++) {
		err = run_round(pass);
		if (err == 0 && r->hooks.drain)
			r->hooks.drain(r->hooks.userdata);
		pass->now_usec = reconciler_now(r);
	}
	for (size_t i = 0; err == 0 && i < pass->infos.n; i++)
		worklist_mark(&r->work, pass->infos.items[i], pass->now_usec);
	drift_tell(&pass->lines, r->hooks.occurred, r->hooks.userdata);
	return err < 0 ? err : 0;
}
