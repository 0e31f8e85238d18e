/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/pass_private.h"

#include <utlist.h>

#include "reconcile/scan_closure.h"

uint64_t pass_now(const struct pass *pass) {
	return pass->r->hooks.now(pass->r->hooks.userdata);
}

struct ns_info *pass_info(const struct reconciler *r, const char *name) {
	struct ns_info *info = NULL;

	HASH_FIND_STR(r->infos, name, info);
	return info;
}

void pass_set_verified(struct reconciler *r, struct ns_info *info, bool verified) {
	r->n_unverified += info->verified;
	r->n_unverified -= verified;
	info->verified = verified;
}

bool pass_settled(const struct pass *pass, const struct ns_info *info) {
	return info && info->position > pass->n_touched;
}

struct scan_set *pass_add(struct pass *pass, struct ns_info *info) {
	if (!info->position) {
		vec_push(&pass->infos, info);
		info->position = pass->infos.n;
	}
	return &info->looked;
}

void pass_remove(struct pass *pass, struct ns_info *info) {
	if (!info->position)
		return;
	struct ns_info *last = pass->infos.items[pass->infos.n - 1];
	pass->infos.items[info->position - 1] = last;
	last->position = info->position;
	pass->infos.n--;
	info->position = 0;
	scan_set_clear(&info->looked);
}

void pass_relist(struct reconciler *r, struct ns_info *info) {
	bool listed = info->prev; /* the first one's points to the last */

	if (listed == (!scan_set_is_empty(&info->dirty) || !scan_set_is_empty(&info->later)))
		return;
	if (listed) {
		DL_DELETE(r->dirty, info);
		info->prev = info->next = NULL;
	} else {
		DL_APPEND(r->dirty, info);
	}
}

static void forget_infos(struct pass *pass, size_t from) {
	for (size_t i = from; i < pass->infos.n; i++) {
		pass->infos.items[i]->position = 0;
		scan_set_clear(&pass->infos.items[i]->looked);
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

struct scan_request pass_scan_of(const struct reconciler *r) {
	return (struct scan_request){ .desired = &r->spec.state, .ledger = r->ledger, .topology = r->spec.topology };
}

/* What is looked at now is dirty no more: what happened before is seen, what happens from here on makes it dirty
 * again. What waits for the first look is in the second. */
static void clean(struct pass *pass) {
	if (pass->only_scans)
		return;
	vec_foreach(at, &pass->infos) {
		struct ns_info *info = *at;
		bool first = pass->n_rounds == 0 && !scan_set_is_empty(&info->dirty);

		scan_set_take(&info->looked, &info->dirty);
		if (!first || info->looked.whole)
			scan_set_take(&info->looked, &info->later);
		pass_relist(pass->r, info);
	}
}

/* Parts are looked at only where all the rest is known to be well. */
static void settle_extent(const struct pass *pass, struct ns_info *info) {
	if (info->known && !failure_in(&pass->r->failures, info->name))
		return;
	scan_set_add_whole(&info->looked);
	if (pass->only_scans)
		return;
	scan_set_clear(&info->later);
	pass_relist(pass->r, info);
}

static struct scope scope_of(struct reconciler *r, const struct ns_info *info, struct arena *arena) {
	const struct scan_set *looked = &info->looked;

	if (looked->whole) {
		r->status.n_scans++;
		return (struct scope){ .ns = info->name };
	}
	r->status.n_narrow_scans++;
	r->status.n_scanned_for += looked->objects.n;
	size_t size = looked->objects.n * sizeof(looked->objects.items[0]);
	return (struct scope){ .ns = info->name,
			       .objects = arena_memdup(arena, looked->objects.items, size),
			       .n = looked->objects.n };
}

static int observe(struct pass *pass, struct state *observed) {
	struct reconciler *r = pass->r;
	struct scan_request look = pass_scan_of(r);
	struct scope *scopes = arena_newn(&observed->arena, struct scope, pass->infos.n);

	for (size_t i = 0; i < pass->infos.n; i++) {
		settle_extent(pass, pass->infos.items[i]);
		scopes[i] = scope_of(r, pass->infos.items[i], &observed->arena);
	}
	int err = r->kernel->ops->observe(r->kernel, &look, scopes, pass->infos.n, observed);
	for (size_t i = 0; err == 0 && i < pass->infos.n; i++) {
		struct ns_state *ns = state_namespace(observed, scopes[i].ns);

		ns->scope = scopes[i].objects ? &scopes[i] : NULL;
	}
	if (err == 0 && !pass->only_scans)
		outage_sort_out(pass, observed);
	state_foreach(ns, observed)
		err = err ? err : ns->error; /* without consequences there is no second try */
	return err;
}

/* What was left to another topology may be free now: it is tried at once. */
static bool refresh_claims(struct pass *pass) {
	struct reconciler *r = pass->r;
	bool changed = other_ledgers_refresh(&r->others, r->spec.topology);

	if (changed && !pass->only_scans)
		failures_hurry(&r->failures, pass_now(pass));
	return changed;
}

static void make_plan(struct pass *pass, const struct state *observed, struct plan *plan) {
	struct reconciler *r = pass->r;
	struct plan_input input = {
		.desired = &r->spec.state,
		.observed = observed,
		.ledger = r->ledger,
		.claims = &r->others.claims,
		.kept = pass_kept,
		.userdata = pass,
	};

	plan_make(plan, &input);
}

/* What goes back was said of the link's former name. */
static void forget_gone(struct ns_state *ns, const char *link) {
	for (struct object *object = ns->objects, *next; object; object = next) {
		const char *home = object_home_link(object);

		next = object->hh.next;
		if (object->gone && home && streq(home, link))
			ns_remove(ns, object);
	}
}

/* The ledger follows links that were given another name. True where there are such: then another plan is to be made. */
static bool follow_renamed(struct pass *pass, const struct plan *plan, int *ret_error) {
	struct reconciler *r = pass->r;
	_cleanup_text_ struct text lines = {};

	vec_foreach(renamed, &plan->renamed) {
		struct ns_state *ns = state_namespace(&r->spec.state, renamed->ns);

		ledger_rename(r->ledger, renamed->ns, renamed->from, renamed->to, &lines);
		forget_gone(ns, renamed->from);
		ns->unchanged = false;
	}
	if (plan->renamed.n)
		ledger_add_returns(r->ledger, &r->spec.state);
	*ret_error = pass->only_scans ? 0 : pass_write(r, &lines);
	return plan->renamed.n;
}

int pass_scan(struct pass *pass, struct state *observed, struct plan *plan) {
	for (;;) {
		clean(pass);
		refresh_claims(pass);
		int err = observe(pass, observed);
		if (err < 0)
			return err;
		make_plan(pass, observed, plan);
		if (!follow_renamed(pass, plan, &err) && !scan_closure(pass, plan))
			return 0;
		if (err < 0)
			return err;
		plan_done(plan);
		state_done(observed);
		*plan = (struct plan){};
		*observed = (struct state){};
	}
}

/* The touched ones stand in front. */
static void touch(struct pass *pass, struct ns_info *info) {
	struct ns_info *other;

	if (!info || info->position <= pass->n_touched)
		return;
	pass_set_verified(pass->r, info, false);
	other = pass->infos.items[pass->n_touched];
	pass->infos.items[info->position - 1] = other;
	other->position = info->position;
	pass->infos.items[pass->n_touched++] = info;
	info->position = pass->n_touched;
}

/* Where something is done is looked at once more, and so is what waited for this look; the rest is settled by it. */
static void find_touched(struct pass *pass, const struct plan *plan) {
	pass->n_touched = 0;
	vec_foreach(at, &plan->changes) {
		const struct change *change = *at;

		if ((change->held && !pass_comes_next(change)) || change->refused)
			continue;
		touch(pass, pass_info(pass->r, change_object(change)->ns));
		if (change->desired && change->desired->twin)
			touch(pass, pass_info(pass->r, change->desired->twin->ns));
	}
	/* What was found to be shared may have gone between the look and the note. */
	vec_foreach(note, &plan->notes)
		if (note->other && note->news)
			touch(pass, pass_info(pass->r, note->object->ns));
	for (size_t i = pass->n_touched; i < pass->infos.n; i++)
		if (!scan_set_is_empty(&pass->infos.items[i]->later))
			touch(pass, pass->infos.items[i]);
}

/* Is there anything that other topologies are to know, or must not change in between? */
static bool concerns_others(const struct plan *plan) {
	return plan->changes.n || plan->notes.n || plan->lost.n || plan->released.n || plan->unnoted.n;
}

/* Topologies note what they claim one after the other. False: another one has noted something since the look, and all of it
 * is to be looked at again. Where the lock is not to be had, things go on without it: what two do at the same moment is put
 * right by the next look of either. */
static bool lock_claims(struct pass *pass, const struct plan *plan) {
	struct reconciler *r = pass->r;

	if (!concerns_others(plan))
		return true;
	pass->claims_lock = other_ledgers_lock();
	if (!refresh_claims(pass))
		return true;
	for (size_t i = 0; i < pass->infos.n; i++)
		pass_set_verified(r, pass->infos.items[i], false);
	pass->n_touched = pass->infos.n;
	return false;
}

/* What was done for a look that is to count. */
static int act(struct pass *pass, struct plan *plan,
	       int (*verified)(struct reconciler *, struct pass *, const struct plan *)) {
	int err;

	if (!lock_claims(pass, plan))
		return 0;
	err = pass_note(pass, plan);
	if (err == 0) {
		pass_choose(pass, plan);
		find_touched(pass, plan);
		err = verified(pass->r, pass, plan);
	}
	if (err < 0)
		return err;
	return pass->n_touched ? pass_carry_out(pass, plan) : 1;
}

/* What is still being changed in the last round of a pass, for people: the first few. */
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

/* One look and what it asks for. 1: done, nothing is left; 0: look again; -errno. */
static int run_round(struct pass *pass, int (*verified)(struct reconciler *, struct pass *, const struct plan *)) {
	struct plan plan = {};
	struct state observed = {};
	int err;

	pass->r->failures.scan++;
	err = pass_scan(pass, &observed, &plan);
	pass->looked = err == 0;
	/* A look that follows no requests tells nothing of them. */
	if (err == 0 && pass->n_carried_out > pass->n_judged && pass_note_ignored(pass, &plan)) {
		plan_done(&plan);
		plan = (struct plan){};
		make_plan(pass, &observed, &plan); /* without these it is another one */
	}
	pass->n_judged = pass->n_carried_out;
	if (err == 0)
		err = act(pass, &plan, verified);
	pass_unlock_claims(pass);
	if (err == 0 && pass->n_rounds == PASS_ROUNDS - 1)
		note_restless(pass->r, &plan);
	if (err >= 0) /* else all of them are to be looked at again */
		forget_infos(pass, pass->n_touched);
	pass->largest = MAX(pass->largest, observed.arena.used);
	plan_done(&plan);
	state_done(&observed);
	return err;
}

int pass_run(struct pass *pass, int (*verified)(struct reconciler *, struct pass *, const struct plan *)) {
	struct reconciler *r = pass->r;
	int err = 0;

	for (; pass->n_rounds < PASS_ROUNDS && err == 0; pass->n_rounds++) {
		err = run_round(pass, verified);
		if (err == 0 && r->hooks.drain)
			r->hooks.drain(r->hooks.userdata);
		pass->now_usec = pass_now(pass);
	}
	/* Still not at rest: something changes as fast as it is corrected. The next pass goes on. */
	for (size_t i = 0; err == 0 && i < pass->infos.n; i++)
		reconciler_dirty(r, pass->infos.items[i]->name);
	drift_tell(&pass->lines, r->hooks.occurred, r->hooks.userdata);
	return err < 0 ? err : 0;
}
