/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of a plan's changes are left alone for now, and why: they need something that is missing, they failed or are
 * contested, they are only to be reported, or topod is paused. why_held() decides and changes nothing; apply() acts on the
 * decision.
 */
#include "reconcile/pass.h"

enum {
	SEARCHES_MAX = 8, /* per pass; each search reads all processes */
};

/* ---- why ---- */

enum hold {
	NOT_HELD,
	HELD_REFUSED,    /* the plan itself knows that it cannot be done */
	HELD_TOLD,       /* it is never done, only reported: something foreign is rightly in its place */
	HELD_REVIVAL,    /* the kernel gave up the object, and it is not due to be recreated */
	HELD_BLOCKED,    /* what it needs is left alone, cannot be made, or goes first */
	HELD_IGNORED,    /* the kernel acknowledges and ignores the change, and it is not due */
	HELD_FAILURE,    /* it failed or is contested, and it is not due */
	HELD_REPORTED,   /* `drift: report` */
	HELD_UNREPORTED, /* `drift: ignore` */
	HELD_PAUSED,     /* topod is paused, and the drift is reported … */
	HELD_SILENTLY,   /* … or was reported before, or is not drift */
};

/* Is `need` a deletion that must come first, so that this change follows after the next scan? */
static bool goes_first(const struct change *change, const struct change *need) {
	return change->type != CHANGE_DELETE && !change->completes && need->type == CHANGE_DELETE && !need->recreates;
}

bool pass_comes_next(const struct change *change) {
	for (unsigned i = 0; i < change->n_needs; i++)
		if (goes_first(change, change->needs[i]) && !change->needs[i]->held)
			return true;
	return false;
}

/* Objects that disappear with a link or a namespace are reported with it. A route that an address takes along is separate
 * drift. */
static bool carries(const struct change *need) {
	return object_is_link(change_object(need)) || object_is_namespace(change_object(need));
}

static bool is_paused(const struct pass *pass, const struct change *need) {
	const struct failure_record *record = pass->r->paused ? failure_find(&pass->r->failures, change_object(need)) : NULL;

	return record && record->state == FAILURE_HELD && !carries(need);
}

static bool is_blocked(const struct pass *pass, const struct change *change) {
	for (unsigned i = 0; i < change->n_needs; i++) {
		const struct change *need = change->needs[i];

		if ((need->held && !is_paused(pass, need)) || need->refused || goes_first(change, need))
			return true;
	}
	return false;
}

/* A change of an object that was never as declared is not drift: it was not made yet, it waited, or what it is made on is
 * only made now. */
static bool is_drift(const struct pass *pass, const struct change *change, const struct failure_record *record) {
	const struct object *object = change_object(change);

	if (pass_is_new(pass, object) || object_waits(object) || !change->desired || change->makes_room ||
	    change->completes || (record && record->state == FAILURE_FAILING) || pass_known_ignored(pass, change))
		return false;
	for (unsigned i = 0; i < change->n_needs; i++)
		/* It is not held, or this change would be blocked. */
		if (change->needs[i]->type == CHANGE_CREATE && carries(change->needs[i]))
			return false;
	return change->type != CHANGE_CREATE || ledger_find_object(pass->r->ledger, change->desired);
}

/* After a start or reload everything is made; later only drift that the file wants restored. */
static bool may_restore(const struct pass *pass, const struct object *object) {
	return object->drift == DRIFT_RESTORE || pass->r->applying;
}

static enum hold why_held(const struct pass *pass, const struct change *change, const struct failure_record *record) {
	const struct reconciler *r = pass->r;
	const struct object *object = change_object(change);
	const struct failure_record *ignored = pass_ignored_as_such(pass, change);

	if (change->done && change->error)
		return HELD_REFUSED;
	if (change->report_only)
		return HELD_TOLD;
	if (change->revives) {
		bool wanted = may_restore(pass, object) && !r->paused;

		return wanted && failure_is_due(record, pass->now_usec) ? NOT_HELD : HELD_REVIVAL;
	}
	if (is_blocked(pass, change) || outage_blocks(pass, change))
		return HELD_BLOCKED;
	if (ignored && (r->paused || !failure_may_try(&r->failures, ignored, pass->now_usec)))
		return HELD_IGNORED;
	if (!failure_may_try(&r->failures, record, pass->now_usec))
		return HELD_FAILURE;
	if (object->drift != DRIFT_RESTORE && is_drift(pass, change, record))
		return object->drift == DRIFT_REPORT ? HELD_REPORTED : HELD_UNREPORTED;
	if (!r->paused)
		return NOT_HELD;
	if ((change->type == CHANGE_DELETE && change->recreates) || object_waits(object) ||
	    (record && (record->state == FAILURE_FAILING || record->state == FAILURE_CONTESTED)))
		return HELD_SILENTLY;
	return HELD_PAUSED;
}

/* ---- acting on the decision ---- */

/* What the change needs may be in another namespace, whose events do not concern its own. */
static void note_blocked(struct pass *pass, const struct change *change, struct failure_record *record) {
	struct failures *failures = &pass->r->failures;
	struct ns_info *info = worklist_find(&pass->r->work, change_object(change)->ns);
	struct failure_record *ignored = pass_known_ignored(pass, change);

	if (info)
		info->blocked = true;
	if (record)
		failure_put_off(failures, record, pass->now_usec);
	if (ignored)
		failure_put_off(failures, ignored, pass->now_usec);
}

/* Drift that is left alone: reported if it is new. */
static void note_left(struct pass *pass, const struct plan *plan, const struct change *change, enum failure_state state,
		      enum occurrence_type type) {
	struct failures *failures = &pass->r->failures;
	const struct object *object = change_object(change);

	if (!failure_left(failures, object, state, reconciler_now(pass->r)))
		return;
	if (change->report_only)
		failure_explain(failure_find(failures, object), change->text, object->position);
	drift_note(&pass->lines, plan, change, type);
	pass->r->status.counts.n_drifts++;
	pass->r->status.counts.n_only_reported += type == OCCURRENCE_DRIFT_REPORTED;
}

static void apply(struct pass *pass, struct plan *plan, struct change *change, enum hold why,
		  struct failure_record *record) {
	struct failures *failures = &pass->r->failures;

	switch (why) {
	case NOT_HELD:
		return;
	case HELD_REFUSED:
		pass_note_failure(pass, plan, change);
		return;
	case HELD_BLOCKED:
		note_blocked(pass, change, record);
		break;
	case HELD_FAILURE:
		failure_seen(failures, record, ignored_sight(change), reconciler_now(pass->r));
		break;
	case HELD_TOLD:
		if (change->desired->drift == DRIFT_IGNORE)
			break;
		note_left(pass, plan, change, FAILURE_REPORTED, OCCURRENCE_DRIFT_REPORTED);
		break;
	case HELD_REPORTED:
		note_left(pass, plan, change, FAILURE_REPORTED, OCCURRENCE_DRIFT_REPORTED);
		break;
	case HELD_PAUSED:
		note_left(pass, plan, change, FAILURE_HELD, OCCURRENCE_DRIFT_HELD);
		break;
	case HELD_REVIVAL:
	case HELD_IGNORED:
	case HELD_UNREPORTED:
	case HELD_SILENTLY:
		break;
	}
	change->done = true;
	change->held = true;
	change->error = -EAGAIN;
}

/* ---- failures ---- */

const char *pass_left_behind(struct pass *pass, const struct change *change) {
	const struct kernel_ops *ops = pass->r->kernel->ops;

	if (!change->former || !ops->left_behind || pass->n_searches++ >= SEARCHES_MAX)
		return NULL;
	return ops->left_behind(pass->r->kernel, &pass->lines.arena, change->former);
}

/* The text for the status, which also names the attribute of a link. */
static const char *remembered(struct plan *plan, const struct change *change, const char *error) {
	const struct field *culprit = change->type == CHANGE_UPDATE ? change->culprit : NULL;

	if (!culprit || culprit->flags & FIELD_HIDDEN || !change_object(change)->kind->class->splits)
		return error;
	return arena_printf(&plan->arena, "%s: %s", culprit->name, error);
}

void pass_note_failure(struct pass *pass, struct plan *plan, struct change *change) {
	struct reconciler *r = pass->r;
	const struct object *object = change_object(change);
	const char *error = change_error(&plan->arena, change);
	struct failure_record *record = failure_find(&r->failures, object);
	bool reported = record && (record->state == FAILURE_HELD || record->state == FAILURE_REPORTED);
	struct failure_record *ignored = pass_known_ignored(pass, change);
	bool drift = !pass_is_new(pass, object) && !object_waits(object) && !change->revives && !ignored &&
		     !(record && record->state == FAILURE_FAILING);
	struct occurrence *line;

	/* It is no longer acknowledged: from now on it has the pauses of a failure. */
	if (ignored && change->done && !change->refused)
		failure_drop(&r->failures, ignored);
	/* If the update has one field, that is the one at fault. */
	if (!change->culprit && change->type == CHANGE_UPDATE && change->fields && !(change->fields & (change->fields - 1)))
		change->culprit = &object->kind->fields[__builtin_ctzll(change->fields)];
	if (!failure_failed(&r->failures, object, change->done && !change->refused, remembered(plan, change, error),
			    change_position(change), reconciler_now(pass->r)))
		return;
	line = drift_note(&pass->lines, plan, change, drift ? OCCURRENCE_DRIFT_FAILED : OCCURRENCE_FAILING);
	if (!line)
		return;
	r->status.counts.n_drifts += drift && !reported;
	if (!change->refused || drift)
		line->error = arena_strdup(&pass->lines.arena, error); /* a refusal speaks for itself */
	record = failure_find(&r->failures, object);
	record->drifted |= drift;
	line->left = pass_left_behind(pass, change);
	line->pause_usec = record->backoff.pause_usec;
}

/* An object that the kernel gave up failed when it was last made, and is recreated after a pause. A scan of it is not a
 * reason to try, because recreating it causes events. Without a carrier a try is useless, so it waits for one. */
static void note_given_up(struct pass *pass, struct plan *plan) {
	struct failures *failures = &pass->r->failures;

	vec_foreach(failed, &plan->failed) {
		struct change change = { .type = CHANGE_UPDATE,
					 .desired = failed->object,
					 .error = -EADDRINUSE,
					 .text = "duplicate address detection found another host with it",
					 .revives = true };
		struct failure_record *record = failure_find(failures, failed->object);

		if (!record || record->state != FAILURE_FAILING)
			pass_note_failure(pass, plan, &change);
		else /* the latest try may have failed for another reason */
			failure_explain(record, change_error(&plan->arena, &change), failed->object->position);
		record = failure_find(failures, failed->object);
		record->seen = failures->scan;
		failure_given_up(record, failed->idle || !may_restore(pass, failed->object));
	}
	/* It has recovered only once it is usable. */
	vec_foreach(pending, &plan->pending) {
		struct failure_record *record = failure_find(failures, pending->object);

		if (record && record->state == FAILURE_FAILING)
			record->seen = failures->scan;
		/* A route that waits for its source address is not tried, and would stay due otherwise. */
		if (record && pending->by)
			failure_put_off(failures, record, pass->now_usec);
	}
}

void pass_choose(struct pass *pass, struct plan *plan) {
	struct failures *failures = &pass->r->failures;

	vec_foreach(info, &pass->infos)
		(*info)->blocked = false;
	note_given_up(pass, plan);
	vec_foreach(at, &plan->changes) {
		struct failure_record *record = failure_find(failures, change_object(*at));
		struct failure_record *ignored = pass_ignored_as_such(pass, *at);

		if (record)
			record->seen = failures->scan;
		if (ignored)
			ignored->seen = failures->scan;
		apply(pass, plan, *at, why_held(pass, *at, record), record);
	}
	/* A deletion that must come first may depend on changes after it, and only now is it known whether they are held. */
	vec_foreach(at, &plan->changes)
		if (!(*at)->done && is_blocked(pass, *at))
			apply(pass, plan, *at, HELD_BLOCKED, failure_find(failures, change_object(*at)));
}
