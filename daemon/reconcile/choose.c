/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of a plan's changes are left alone for now, and why: what it takes is not there, it has failed or is fought over, it
 * is only to be reported, or there is a pause. It looks at nothing and changes nothing.
 */
#include "reconcile/pass_private.h"

enum {
	SEARCHES_MAX = 8, /* in one pass, each through all processes */
};

static void hold(struct change *change) {
	change->done = true;
	change->held = true;
	change->error = -EAGAIN;
}

/* Does the other one go first, so that this one can come with the next look? */
static bool goes_first(const struct change *change, const struct change *need) {
	return change->type != CHANGE_DELETE && need->type == CHANGE_DELETE && !need->recreates;
}

bool pass_comes_next(const struct change *change) {
	for (unsigned i = 0; i < change->n_needs; i++)
		if (goes_first(change, change->needs[i]) && !change->needs[i]->held)
			return true;
	return false;
}

/* Something that it cannot be done without is left alone, or cannot be, or goes first. */
static bool is_hindered(const struct change *change) {
	for (unsigned i = 0; i < change->n_needs; i++)
		if (change->needs[i]->held || change->needs[i]->refused || goes_first(change, change->needs[i]))
			return true;
	return false;
}

static bool is_held(struct pass *pass, const struct change *change, struct failure_record *record) {
	struct failures *failures = &pass->r->failures;

	if (pass_is_left_ignored(pass, change))
		return true;
	if (failure_may_try(failures, record, pass->now_usec))
		return false;
	failure_seen(failures, record, ignored_sight(change), pass_now(pass));
	return true;
}

/* What it waits for may come in a namespace of which no event tells the one that it is in itself. */
static void wait_for_others(struct pass *pass, const struct change *change, struct failure_record *record) {
	struct ns_info *info = pass_info(pass->r, change_object(change)->ns);

	if (info)
		info->hindered = true;
	if (record)
		failure_put_off(&pass->r->failures, record, pass->now_usec);
	record = pass_known_ignored(pass, change);
	if (record)
		failure_put_off(&pass->r->failures, record, pass->now_usec);
}

/* It was never there to drift: something that it stands on is made only now, or was made lately. */
static bool is_first_time(const struct pass *pass, const struct change *change) {
	for (unsigned i = 0; i < change->n_needs; i++)
		if (change->needs[i]->type == CHANGE_CREATE) /* which is not held: else it was hindered */
			return true;
	return change->type == CHANGE_CREATE && !ledger_find_object(pass->r->ledger, change->desired);
}

/* Drift that the file wants reported or ignored rather than repaired. */
static bool is_only_reported(struct pass *pass, struct plan *plan, struct change *change) {
	const struct object *object = change_object(change);
	const struct failure_record *record = failure_find(&pass->r->failures, object);

	/* What could not be made at first is no drift, nor is what waited for it, or for something outside. */
	if (pass_is_new(pass, object) || object->waits || object->drift == DRIFT_RESTORE || !change->desired ||
	    change->makes_room || change->completes || (record && record->state == FAILURE_FAILING) ||
	    pass_known_ignored(pass, change) || is_first_time(pass, change))
		return false;
	if (object->drift == DRIFT_REPORT && failure_left(&pass->r->failures, object, FAILURE_REPORTED, pass_now(pass))) {
		drift_note(&pass->lines, plan, change, OCCURRENCE_DRIFT_REPORTED);
		pass->r->status.n_drifts++;
	}
	return true;
}

/* While paused nothing is carried out. What already failed or is fought over was told then. */
static bool is_paused(struct pass *pass, struct plan *plan, struct change *change) {
	struct reconciler *r = pass->r;
	const struct failure_record *record = failure_find(&r->failures, change_object(change));

	if (!r->paused)
		return false;
	if ((change->type == CHANGE_DELETE && change->recreates) || change_object(change)->waits ||
	    (record && (record->state == FAILURE_FAILING || record->state == FAILURE_CONTENDED)))
		return true;
	if (failure_left(&r->failures, change_object(change), FAILURE_HELD, pass_now(pass))) {
		drift_note(&pass->lines, plan, change, OCCURRENCE_DRIFT_HELD);
		r->status.n_drifts++;
	}
	return true;
}

const char *pass_left_behind(struct pass *pass, const struct change *change) {
	const struct kernel_ops *ops = pass->r->kernel->ops;

	if (!change->former || !ops->left_behind || pass->n_searches++ >= SEARCHES_MAX)
		return NULL;
	return ops->left_behind(pass->r->kernel, &pass->lines.arena, change->former);
}

/* What the status says of it: which attribute of a link, too. */
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
	bool told = record && (record->state == FAILURE_HELD || record->state == FAILURE_REPORTED);
	struct failure_record *ignored = pass_known_ignored(pass, change);
	bool drift = !pass_is_new(pass, object) && !object->waits && !change->revives && !ignored &&
		     !(record && record->state == FAILURE_FAILING);
	struct occurrence *line;

	/* It is not acknowledged any more, and has the pauses of what fails. */
	if (ignored && change->done && !change->refused)
		failure_drop(&r->failures, ignored);
	/* Of an update of one field it is that one. */
	if (!change->culprit && change->type == CHANGE_UPDATE && change->fields && !(change->fields & (change->fields - 1)))
		change->culprit = &object->kind->fields[__builtin_ctzll(change->fields)];
	if (!failure_failed(&r->failures, object, change->done && !change->refused, remembered(plan, change, error),
			    object_position(object, change->culprit), pass_now(pass)))
		return;
	line = drift_note(&pass->lines, plan, change, drift ? OCCURRENCE_DRIFT_FAILED : OCCURRENCE_FAILING);
	if (!line)
		return;
	r->status.n_drifts += drift && !told;
	if (!change->refused || drift)
		line->error = arena_strdup(&pass->lines.arena, error); /* a refusal speaks for itself */
	record = failure_find(&r->failures, object);
	record->drifted |= drift;
	line->left = pass_left_behind(pass, change);
	line->pause_usec = record->backoff.pause_usec;
}

/* What the kernel has given up failed when it was last made, and is made again after a pause: that it is looked at tells
 * nothing, since making it again has events of its own. Where nothing can come of that yet, it is due as soon as it can. */
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
		record = failure_find(failures, failed->object);
		record->seen = failures->scan;
		failure_given_up(record, failed->idle);
	}
	/* Whether it is well again is not known before it is usable. */
	vec_foreach(pending, &plan->pending) {
		struct failure_record *record = failure_find(failures, pending->object);

		if (record && record->state == FAILURE_FAILING)
			record->seen = failures->scan;
	}
}

static bool may_revive(const struct pass *pass, const struct change *change, const struct failure_record *record) {
	return failure_is_due(record, pass->now_usec) &&
	       (change_object(change)->drift == DRIFT_RESTORE || pass->r->applying) && !pass->r->paused;
}

static void tell_only(struct pass *pass, struct plan *plan, struct change *change) {
	struct failures *failures = &pass->r->failures;
	const struct object *object = change->desired;

	hold(change);
	if (object->drift == DRIFT_IGNORE || !failure_left(failures, object, FAILURE_REPORTED, pass_now(pass)))
		return;
	failure_explain(failure_find(failures, object), change->text, object->position);
	drift_note(&pass->lines, plan, change, OCCURRENCE_DRIFT_REPORTED);
	pass->r->status.n_drifts++;
}

/* What has to go first may need what comes after it (reorder() in diff.c), of which only now it is known whether it is held. */
static void hold_with_later(struct pass *pass, const struct plan *plan) {
	vec_foreach(at, &plan->changes) {
		struct change *change = *at;

		if (change->done || !is_hindered(change))
			continue;
		wait_for_others(pass, change, failure_find(&pass->r->failures, change_object(change)));
		hold(change);
	}
}

void pass_choose(struct pass *pass, struct plan *plan) {
	vec_foreach(info, &pass->infos)
		(*info)->hindered = false;
	note_given_up(pass, plan);
	vec_foreach(at, &plan->changes) {
		struct change *change = *at;
		struct failure_record *record = failure_find(&pass->r->failures, change_object(change));

		if (record)
			record->seen = pass->r->failures.scan;
		if (change->done && change->error) {
			pass_note_failure(pass, plan, change); /* refused by the plan itself */
		} else if (change->told) {
			tell_only(pass, plan, change);
		} else if (change->revives) {
			if (!may_revive(pass, change, record))
				hold(change);
		} else if (is_hindered(change) || outage_hinders(pass, change)) {
			wait_for_others(pass, change, record);
			hold(change);
		} else if (is_held(pass, change, record) || is_only_reported(pass, plan, change) ||
			   is_paused(pass, plan, change)) {
			hold(change);
		}
	}
	hold_with_later(pass, plan);
}
