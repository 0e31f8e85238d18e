/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes that the kernel acknowledges and ignores: finds them, reports them once, and leaves them alone until the next try
 * is due. The rest of the object, and everything made on it, is compared and repaired as if the kernel's values were
 * declared.
 */
#include "reconcile/pass.h"

static struct object *find_declared(const struct pass *pass, const struct object *like) {
	const struct ns_state *ns = state_find(&pass->r->spec.state, like->ns);

	return ns ? ns_find(ns, like) : NULL;
}

bool pass_is_new(const struct pass *pass, const struct object *object) {
	const struct object *declared = pass->r->applying ? find_declared(pass, object) : NULL;

	return pass->r->applying && !(declared && declared->settled);
}

uint64_t pass_kept(void *userdata, const struct object *object, uint64_t differs) {
	struct pass *pass = userdata;
	const struct failures *failures = &pass->r->failures;
	struct failure_record *record = failure_find_ignored(failures, object);

	if (!record || !(record->fields & differs))
		return 0;
	record->seen = failures->scan;
	return pass->r->paused || !failure_may_try(failures, record, pass->now_usec) ? record->fields & differs : 0;
}

/* The whole object is missing and requested. A setting is never created, so one that cannot be read is updated. */
static bool asks_for_all(const struct change *change) {
	return change->type != CHANGE_UPDATE || (!change->observed && !change->completes);
}

struct failure_record *pass_ignored_as_such(const struct pass *pass, const struct change *change) {
	struct failure_record *record = failure_find_ignored(&pass->r->failures, change_object(change));

	return record && !record->fields && asks_for_all(change) && !change->recreates ? record : NULL;
}

struct failure_record *pass_known_ignored(const struct pass *pass, const struct change *change) {
	struct failure_record *known = failure_find_ignored(&pass->r->failures, change_object(change));

	return known && (!known->fields || known->fields & ignored_fields(change)) ? known : NULL;
}

void pass_note_acknowledged(struct pass *pass, const struct change *change) {
	ignored_acknowledged(&pass->ignored, change, pass->n_carried_out,
			     failure_find_ignored(&pass->r->failures, change_object(change)));
}

/* ---- scanning at once ---- */

typedef vec(const struct object *) suspects;

static int by_namespace(const void *a, const void *b) {
	return strcmp((*(const struct object *const *)a)->ns, (*(const struct object *const *)b)->ns);
}

/* All suspects are scanned together: in a flood there are thousands in one namespace. */
static void scan_objects(struct pass *pass, suspects *found) {
	struct reconciler *r = pass->r;
	const struct scan_request request = pass_scan_of(r);
	vec(struct scope) scopes = {};
	struct state observed = {};

	qsort(found->items, found->n, sizeof(*found->items), by_namespace);
	vec_foreach(at, found) {
		struct scope *last = scopes.n ? &scopes.items[scopes.n - 1] : NULL;

		if (last && streq(last->ns, (*at)->ns))
			last->n++;
		else
			vec_push(&scopes, ((struct scope){ .ns = (*at)->ns, .objects = at, .n = 1 }));
	}
	if (r->kernel->ops->observe(r->kernel, &request, scopes.items, scopes.n, &observed) == 0)
		vec_foreach(at, found) {
			const struct object *object = *at, *seen = ns_find(state_find(&observed, object->ns), object);

			if (seen && (seen->kind == object->kind || object->kind->any_kind) && !object_compare(object, seen))
				ignored_seen_well(&pass->ignored, object);
		}
	state_done(&observed);
	vec_done(&scopes);
}

void pass_scan_suspects(struct pass *pass, const struct plan *plan) {
	suspects found = {};

	vec_foreach(at, &plan->changes) {
		const struct change *change = *at;
		const struct object *declared;

		if (change->held || change->error || !ignored_is_suspect(&pass->ignored, change_object(change)))
			continue;
		declared = find_declared(pass, change_object(change));
		if (declared)
			vec_push(&found, declared);
	}
	if (found.n)
		scan_objects(pass, &found);
	vec_done(&found);
}

/* ---- reporting ---- */

/* Objects counted as restored were not. */
static void retract(struct pass *pass, const struct object *object) {
	size_t n = drift_retract(&pass->lines, object);

	pass->r->status.counts.n_restored -= n;
	pass->r->status.counts.n_drifts -= n;
}

static const struct object *find_by_id(const struct pass *pass, const char *ns_name, const char *id) {
	_cleanup_text_ struct text text = {};

	ns_foreach(object, state_find(&pass->r->spec.state, ns_name)) {
		text_done(&text);
		object_print_id(object, &text);
		if (streq(text.data, id))
			return object;
	}
	return NULL;
}

static const char *explain(struct pass *pass, const struct change *change, const char *undone_by) {
	const struct object *other = undone_by ? find_by_id(pass, change_object(change)->ns, undone_by) : NULL;
	_cleanup_text_ struct text noun = {};

	if (!other)
		return ignored_text(&pass->lines.arena, change);
	retract(pass, other);
	object_print_noun(other, &noun);
	return arena_printf(&pass->lines.arena,
			    "it and %s (line %u) are the same in the kernel: setting one undoes the other", noun.data,
			    (unsigned)other->position.line);
}

static void note_ignored(struct pass *pass, const struct plan *plan, const struct change *change, const char *undone_by) {
	struct reconciler *r = pass->r;
	const struct object *object = change_object(change);
	uint64_t fields = ignored_fields(change);
	bool drift = !pass_is_new(pass, object) && !failure_find_ignored(&r->failures, object);
	const char *error = explain(pass, change, undone_by);
	const struct field *culprit = fields ? &object->kind->fields[__builtin_ctzll(fields)] : NULL;
	/* Even if the object is recreated for it, users want to know which fields differ. */
	struct change reported = { .type = fields ? CHANGE_UPDATE : change->type,
				   .desired = change->desired,
				   .observed = change->observed,
				   .fields = fields,
				   .culprit = culprit };
	struct occurrence *line;

	retract(pass, object);
	if (!failure_ignored(&r->failures, object, fields, change->recreates, error, object_position(object, culprit),
			     reconciler_now(pass->r)))
		return;
	line = drift_note(&pass->lines, plan, &reported, drift ? OCCURRENCE_DRIFT_FAILED : OCCURRENCE_FAILING);
	if (!line)
		return;
	r->status.counts.n_drifts += drift;
	line->error = error;
	line->pause_usec = failure_find_ignored(&r->failures, object)->backoff.pause_usec;
}

/* If an object did not exist after it was made, but exists now, the kernel ignores it in another way, if at all. */
static bool is_known(const struct pass *pass, const struct change *change) {
	const struct failure_record *record = failure_find_ignored(&pass->r->failures, change_object(change));

	return record && (record->fields || asks_for_all(change));
}

bool pass_note_ignored(struct pass *pass, const struct plan *plan) {
	bool any = false;

	vec_foreach(at, &plan->changes) {
		const struct change *change = *at;
		bool known = is_known(pass, change);
		const struct object *declared = find_declared(pass, change_object(change));
		const char *undone_by;

		if (change->done || !ignored_again(&pass->ignored, change, pass->n_carried_out, known,
						   declared && declared->settled, &undone_by))
			continue;
		note_ignored(pass, plan, change, undone_by);
		any = true;
	}
	return any;
}
