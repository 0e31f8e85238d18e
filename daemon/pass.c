/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pass.h"

#include <utlist.h>

#include "widen.h"

static uint64_t now(const struct pass *pass) {
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

struct extent *pass_add(struct pass *pass, struct ns_info *info) {
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
	extent_clear(&info->looked);
}

void pass_relist(struct reconciler *r, struct ns_info *info) {
	bool listed = info->prev; /* the first one's points to the last */

	if (listed == (!extent_is_empty(&info->dirty) || !extent_is_empty(&info->later)))
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
		extent_clear(&pass->infos.items[i]->looked);
	}
	pass->infos.n = from;
}

void pass_done(struct pass *pass) {
	forget_infos(pass, 0);
	vec_done(&pass->infos);
	doubts_done(&pass->doubts);
	drift_done(&pass->lines);
}

static struct look look_of(const struct reconciler *r) {
	return (struct look){ .desired = &r->spec.state, .ledger = r->ledger, .topology = r->spec.topology };
}

/* What is looked at now is dirty no more: what happened before is seen, what happens from here on makes it dirty
 * again. What waits for the first look is in the second. */
static void clean(struct pass *pass) {
	if (pass->only_looks)
		return;
	vec_foreach(at, &pass->infos) {
		struct ns_info *info = *at;
		bool first = pass->n_rounds == 0 && !extent_is_empty(&info->dirty);

		extent_take(&info->looked, &info->dirty);
		if (!first || info->looked.whole)
			extent_take(&info->looked, &info->later);
		pass_relist(pass->r, info);
	}
}

/* Parts are looked at only where all the rest is known to be well. */
static void settle_extent(const struct pass *pass, struct ns_info *info) {
	if (info->known && !trouble_in(&pass->r->troubles, info->name))
		return;
	extent_add_whole(&info->looked);
	if (pass->only_looks)
		return;
	extent_clear(&info->later);
	pass_relist(pass->r, info);
}

static struct scope scope_of(struct reconciler *r, const struct ns_info *info, struct arena *arena) {
	const struct extent *looked = &info->looked;

	if (looked->whole) {
		r->status.n_looks++;
		return (struct scope){ .ns = info->name };
	}
	r->status.n_narrow_looks++;
	r->status.n_looked_for += looked->objects.n;
	size_t size = looked->objects.n * sizeof(looked->objects.items[0]);
	return (struct scope){ .ns = info->name, .objects = arena_memdup(arena, looked->objects.items, size),
			       .n = looked->objects.n };
}

static int observe(struct pass *pass, struct state *observed) {
	struct reconciler *r = pass->r;
	struct look look = look_of(r);
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
	if (err == 0 && !pass->only_looks)
		obstacle_sort_out(pass, observed);
	state_foreach(ns, observed)
		err = err ? err : ns->error; /* without consequences there is no second try */
	return err;
}

int pass_look(struct pass *pass, struct state *observed, struct plan *plan) {
	struct reconciler *r = pass->r;

	for (;;) {
		struct plan_input input = { .desired = &r->spec.state, .observed = observed, .ledger = r->ledger };

		clean(pass);
		int err = observe(pass, observed);
		if (err < 0)
			return err;
		plan_make(plan, &input);
		if (!widen(pass, plan))
			return 0;
		plan_done(plan);
		state_done(observed);
		*plan = (struct plan){};
		*observed = (struct state){};
	}
}

/* What is left alone for now. */

static void hold(struct change *change) {
	change->done = true;
	change->held = true;
	change->error = -EAGAIN;
}

/* Something that it cannot be done without is left alone, or cannot be. */
static bool is_hindered(const struct change *change) {
	for (unsigned i = 0; i < change->n_needs; i++)
		if (change->needs[i]->held || change->needs[i]->refused)
			return true;
	return false;
}

/* What differs, as a number: another one means that it was changed again. */
static uint32_t sight_of(const struct change *change) {
	_cleanup_text_ struct text text = {};

	text_addf(&text, "%d %d ", change->type, change->again);
	if (change->observed)
		object_print_fields(change->observed, NULL, (change->fields ? change->fields : UINT64_MAX) & change->observed->set,
				    &text);
	return hash_bytes(text.data, text.size) | 1;
}

static bool is_held(struct pass *pass, const struct change *change, struct trouble_record *record) {
	struct troubles *troubles = &pass->r->troubles;

	if (trouble_may_try(troubles, record, pass->now_usec))
		return false;
	trouble_sight(troubles, record, sight_of(change), now(pass));
	return true;
}

/* What it waits for may come in a namespace of which no event tells the one that it is in itself. */
static void wait_for_others(struct pass *pass, const struct change *change, struct trouble_record *record) {
	struct ns_info *info = pass_info(pass->r, change_object(change)->ns);

	if (info)
		info->hindered = true;
	if (record)
		trouble_put_off(&pass->r->troubles, record, pass->now_usec);
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
	const struct trouble_record *record = trouble_find(&pass->r->troubles, object);

	/* What could not be made at first is no drift, nor is what waited for it. */
	if (pass->r->applying || object->drift == DRIFT_RESTORE || !change->desired ||
	    (record && record->state == TROUBLE_FAILING) || is_first_time(pass, change))
		return false;
	if (object->drift == DRIFT_REPORT && trouble_left(&pass->r->troubles, object, TROUBLE_REPORTED, now(pass))) {
		drift_note(&pass->lines, plan, change, OCCURRENCE_DRIFT_REPORTED);
		pass->r->status.n_drifts++;
	}
	return true;
}

/* While paused nothing is carried out. What already failed or is fought over was told then. */
static bool is_paused(struct pass *pass, struct plan *plan, struct change *change) {
	struct reconciler *r = pass->r;
	const struct trouble_record *record = trouble_find(&r->troubles, change_object(change));

	if (!r->paused)
		return false;
	if (change->follows || (change->type == CHANGE_DELETE && change->again) ||
	    (record && (record->state == TROUBLE_FAILING || record->state == TROUBLE_FIGHT)))
		return true;
	if (trouble_left(&r->troubles, change_object(change), TROUBLE_HELD, now(pass))) {
		drift_note(&pass->lines, plan, change, OCCURRENCE_DRIFT_HELD);
		r->status.n_drifts++;
	}
	return true;
}

static void note_failure(struct pass *pass, struct plan *plan, struct change *change) {
	struct reconciler *r = pass->r;
	const struct object *object = change_object(change);
	const char *error = change_error(&plan->arena, change);
	struct trouble_record *record = trouble_find(&r->troubles, object);
	bool told = record && (record->state == TROUBLE_HELD || record->state == TROUBLE_REPORTED);
	bool drift = !r->applying && !(record && record->state == TROUBLE_FAILING);
	struct occurrence *line;

	if (!trouble_failed(&r->troubles, object, error, object_mark(object, change->culprit), now(pass)))
		return;
	line = drift_note(&pass->lines, plan, change, drift ? OCCURRENCE_DRIFT_FAILED : OCCURRENCE_FAILING);
	if (!line)
		return;
	r->status.n_drifts += drift && !told;
	if (!change->refused || drift)
		line->error = arena_strdup(&pass->lines.arena, error); /* a refusal speaks for itself */
	record = trouble_find(&r->troubles, object);
	record->drifted |= drift;
	line->pause_usec = record->pause_usec;
}

/* Marks what is not to be carried out, and notes why. */
static void choose(struct pass *pass, struct plan *plan) {
	vec_foreach(info, &pass->infos)
		(*info)->hindered = false;
	vec_foreach(at, &plan->changes) {
		struct change *change = *at;
		struct trouble_record *record = trouble_find(&pass->r->troubles, change_object(change));

		if (record)
			record->seen = pass->r->troubles.look;
		if (change->done && change->error) {
			note_failure(pass, plan, change); /* refused by the plan itself */
		} else if (is_hindered(change) || obstacle_hinders(pass, change)) {
			wait_for_others(pass, change, record);
			hold(change);
		} else if (is_held(pass, change, record) || is_only_reported(pass, plan, change) ||
			   is_paused(pass, plan, change)) {
			hold(change);
		}
	}
	vec_foreach(object, &plan->failed) {
		struct change change = { .type = CHANGE_UPDATE, .desired = *object, .error = -EADDRINUSE,
					 .text = "duplicate address detection found another host with it" };

		note_failure(pass, plan, &change);
	}
}

/* The ledger. */

int pass_write(const struct reconciler *r, const struct text *lines) {
	return lines->size ? ledger_file_append(r->file, lines->data, lines->size) : 0;
}

struct changes {
	vec(struct change *) list;
};

static void note_change(struct pass *pass, const struct change *change, struct text *lines) {
	struct ledger *ledger = pass->r->ledger;
	const struct object *object = change->desired;

	if (change->done || change->type == CHANGE_DELETE || object->gone)
		return;
	if (change->type == CHANGE_CREATE) {
		ledger_note(ledger, object, NULL, object->set, true, lines);
		if (object->twin)
			ledger_note(ledger, object->twin, NULL, object->twin->set, true, lines);
		return;
	}
	/* A setting in a new namespace has no known value yet: that is noted when it is read, just before the change. */
	if (change->observed || object->kind->transport != TRANSPORT_SYSCTL)
		ledger_note(ledger, object, change->observed, change->fields, false, lines);
}

/* What cannot be noted is not done, and the rest is: what is there already needs no new line. The ledger in memory is
 * again what is written. */
static int forgo(struct reconciler *r, const struct changes *changes, int error) {
	ledger_done(r->ledger);
	*r->ledger = (struct ledger){};
	vec_foreach(at, &changes->list) {
		(*at)->done = true;
		(*at)->error = error;
		(*at)->text = "it cannot be noted in " TOPOD_RUN_DIR;
	}
	return ledger_file_read(r->file->topology, r->ledger);
}

static int note_intents(struct pass *pass, const struct plan *plan) {
	_cleanup_text_ struct text lines = {};
	struct changes noted = {};
	int err;

	vec_foreach(at, &plan->changes) {
		size_t before = lines.size;

		note_change(pass, *at, &lines);
		if (lines.size == before)
			continue;
		(*at)->noted = (*at)->type == CHANGE_CREATE;
		vec_push(&noted.list, *at);
	}
	err = pass_write(pass->r, &lines);
	if (err < 0)
		err = forgo(pass->r, &noted, err);
	vec_done(&noted.list);
	return err;
}

static int note_former(void *userdata, const struct change *change, const struct object *former) {
	struct pass *pass = userdata;
	_cleanup_text_ struct text lines = {};

	ledger_note(pass->r->ledger, change->desired, former, change->fields, false, &lines);
	return pass_write(pass->r, &lines);
}

/* What could not be made is not ours; should it exist, it is somebody else's. Where only the answer was lost, what is
 * found by the next look decides: it bears a mark or sign, or it is not ours. */
static void take_back(struct pass *pass, const struct change *change, struct text *lines) {
	const struct object *ends[] = { change->desired, change->desired ? change->desired->twin : NULL };

	if (change->type != CHANGE_CREATE || !change->error || change->unsure || change->held || change->again)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		_cleanup_text_ struct text id = {};

		if (!ends[i])
			continue;
		object_print_id(ends[i], &id);
		ledger_forget(pass->r->ledger, ends[i]->ns, id.data, lines);
	}
}

static int note_lost(struct pass *pass, const struct plan *plan) {
	struct kernel *kernel = pass->r->kernel;
	_cleanup_text_ struct text lines = {};

	vec_foreach(lost, &plan->lost) {
		const struct ledger_entry *entry = ledger_find(pass->r->ledger, lost->ns, lost->id);

		if (entry && entry->made) /* before it is forgotten: a crash here is made good, too */
			kernel->ops->clear(kernel, entry->kind->class, lost->ns);
		ledger_forget(pass->r->ledger, lost->ns, lost->id, &lines);
	}
	vec_foreach(object, &plan->unnoted)
		ledger_note(pass->r->ledger, *object, NULL, (*object)->set, true, &lines);
	return pass_write(pass->r, &lines);
}

/* Results. */

static void count(struct reconciler *r, const struct change *change) {
	if (change->follows || (change->type == CHANGE_DELETE && change->again))
		return;
	r->n_applied++;
	r->status.n_deleted += change->type == CHANGE_DELETE;
	r->status.n_created += change->type == CHANGE_CREATE && !change->again;
	r->status.n_changed += change->type == CHANGE_UPDATE || change->again;
}

/* Did it fail before, or wait for something that did? Then it was never there to drift. */
static bool was_awaited(const struct pass *pass, const struct change *change) {
	const struct trouble_record *record = trouble_find(&pass->r->troubles, change_object(change));

	if (record && record->state == TROUBLE_FAILING)
		return true;
	for (unsigned i = 0; i < change->n_needs; i++)
		if (was_awaited(pass, change->needs[i]))
			return true;
	return false;
}

static void note_success(struct pass *pass, struct plan *plan, const struct change *change) {
	struct reconciler *r = pass->r;
	const struct object *object = change_object(change);
	struct trouble_record *record = trouble_find(&r->troubles, object);
	bool told = record && (record->state == TROUBLE_HELD || record->drifted), awaited = was_awaited(pass, change);
	struct occurrence *line;

	count(r, change);
	if (r->applying || change->follows || (change->type == CHANGE_DELETE && change->again))
		return;
	if (awaited && !told)
		return;
	r->status.n_restored++;
	r->status.n_drifts += !told; /* else it was counted when it was told of */
	if (record)
		record->drifted = false;
	if (awaited)
		return; /* its recovery is told once it is verified */
	line = drift_note(&pass->lines, plan, change, OCCURRENCE_DRIFT_RESTORED);
	if (!line)
		return; /* a consequence of something else, and nobody's quarrel */
	line->latency_usec = now(pass) - pass->since_usec;
	if (!trouble_repaired(&r->troubles, object, now(pass))) {
		trouble_stir(&r->troubles, now(pass));
		return;
	}
	line->type = OCCURRENCE_BACKED_OFF;
	line->pause_usec = trouble_find(&r->troubles, object)->pause_usec;
	if (change->observed && object->kind->opponent)
		line->opponent = object->kind->opponent(&pass->lines.arena, change->observed);
}

static int note_results(struct pass *pass, struct plan *plan) {
	_cleanup_text_ struct text lines = {};

	vec_foreach(at, &plan->changes) {
		struct change *change = *at;

		if (change->held || change->refused)
			continue;
		if (!change->error)
			note_success(pass, plan, change);
		else if (doubt_answer(&pass->doubts, change, pass->n_rounds))
			change->unsure = !change->noted; /* what was topod's before may be so still */
		else if (!change->blocked)
			note_failure(pass, plan, change);
		take_back(pass, change, &lines);
	}
	return pass_write(pass->r, &lines);
}

/* A request with several fields fails as a whole: then each is tried alone, so that one bad value does not keep the
 * others from being set. */
static bool can_be_split(const struct change *change) {
	enum object_class class = change_object(change)->kind->class;

	return change->type == CHANGE_UPDATE && change->error && !change->held && !change->refused && !change->blocked &&
	       change->fields & (change->fields - 1) && (class == CLASS_LINK || class == CLASS_PORT);
}

static void split(struct plan *plan, struct change *whole, struct plan *parts) {
	for (uint64_t left = whole->fields; left; left &= left - 1) {
		struct change *part = arena_memdup(&plan->arena, whole, sizeof(*whole));

		part->fields = left & -left;
		part->done = false;
		part->error = 0;
		part->text = NULL;
		part->culprit = NULL;
		part->whole = whole;
		vec_push(&parts->changes, part);
	}
	whole->error = 0; /* unless a part says otherwise */
}

/* The first field at fault stands for the whole. */
static void join(struct plan *plan, const struct change *part) {
	struct change *whole = part->whole;

	if (!part->error || whole->error)
		return;
	whole->error = part->error;
	whole->fields = part->fields;
	whole->culprit = &whole->desired->kind->fields[__builtin_ctzll(part->fields)];
	whole->text = part->text ? arena_strdup(&plan->arena, part->text) : NULL;
}

static void split_failed(struct pass *pass, struct plan *plan, const struct look *look,
			 const struct execute_hooks *hooks) {
	struct plan parts = {};

	vec_foreach(at, &plan->changes)
		if (can_be_split(*at))
			split(plan, *at, &parts);
	if (parts.changes.n)
		pass->r->kernel->ops->execute(pass->r->kernel, look, &parts, hooks);
	vec_foreach(at, &parts.changes)
		join(plan, *at);
	plan_done(&parts);
}

static int note_birth(void *userdata, const struct object *made) {
	struct pass *pass = userdata;
	_cleanup_text_ struct text lines = {};

	ledger_note_birth(pass->r->ledger, made, &lines);
	return pass_write(pass->r, &lines);
}

static void report_progress(void *userdata, size_t n) {
	struct pass *pass = userdata;

	if (pass->r->hooks.progress)
		pass->r->hooks.progress(pass->r->hooks.userdata, n, pass->n_changes);
}

static int carry_out(struct pass *pass, struct plan *plan) {
	struct reconciler *r = pass->r;
	struct look look = look_of(r);
	struct execute_hooks hooks = { .userdata = pass, .former = note_former, .born = note_birth,
				       .progress = report_progress };
	int err = note_intents(pass, plan);

	if (err < 0)
		return err;
	pass->n_changes = plan->changes.n;
	r->kernel->ops->execute(r->kernel, &look, plan, &hooks);
	split_failed(pass, plan, &look, &hooks);
	return note_results(pass, plan);
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

		if (change->held || change->refused)
			continue;
		touch(pass, pass_info(pass->r, change_object(change)->ns));
		if (change->desired && change->desired->twin)
			touch(pass, pass_info(pass->r, change->desired->twin->ns));
	}
	for (size_t i = pass->n_touched; i < pass->infos.n; i++)
		if (!extent_is_empty(&pass->infos.items[i]->later))
			touch(pass, pass->infos.items[i]);
}

/* One look and what it asks for. 1: done, nothing is left; 0: look again; -errno. */
static int run_round(struct pass *pass, int (*verified)(struct reconciler *, struct pass *, const struct plan *)) {
	struct plan plan = {};
	struct state observed = {};
	int err;

	pass->r->troubles.look++;
	err = pass_look(pass, &observed, &plan);
	pass->looked = err == 0;
	if (err == 0)
		err = note_lost(pass, &plan);
	if (err == 0) {
		choose(pass, &plan);
		find_touched(pass, &plan);
		err = verified(pass->r, pass, &plan);
	}
	if (err == 0 && pass->n_touched)
		err = carry_out(pass, &plan);
	else if (err == 0)
		err = 1;
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
		pass->now_usec = now(pass);
	}
	/* Still not at rest: something changes as fast as it is corrected. The next pass goes on. */
	for (size_t i = 0; err == 0 && i < pass->infos.n; i++)
		reconciler_dirty(r, pass->infos.items[i]->name);
	drift_tell(&pass->lines, r->hooks.occurred, r->hooks.userdata);
	return err < 0 ? err : 0;
}
