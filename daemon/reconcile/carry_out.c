/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out a plan: records in the ledger what is about to be done, makes the requests, and records the results. choose.c
 * has decided which changes are made.
 *
 * The order makes a crash harmless: an intent is in the ledger before its request, and a deleted object leaves the ledger
 * only after its request. So the ledger always contains everything that topod may have made.
 */
#include "model/kind_masks.h"
#include "reconcile/pass.h"

#include "kind/link.h"

/* The ledger. */

int pass_write(const struct reconciler *r, const struct text *lines) {
	return lines->size ? ledger_file_append(r->file, lines->data, lines->size) : 0;
}

struct changes {
	vec(struct change *) list;
};

static bool is_setting(const struct change *change) {
	return change_object(change)->kind->transport == TRANSPORT_SYSCTL;
}

/* An object that topod found, and only recreates in another place or way, stays "found": it is restored later, not deleted.
 * Another link with the name is topod's. */
static bool is_made_by(const struct ledger *ledger, const struct change *change, const struct object *object) {
	const struct ledger_entry *entry = change->recreates ? ledger_find_object(ledger, object) : NULL;

	return !entry || entry->made || object_is_link(object);
}

static void note_creation(struct ledger *ledger, const struct change *change, const struct object *object,
			  struct text *lines) {
	ledger_note_creation(ledger, object, is_made_by(ledger, change, object), lines);
}

static void note_change(struct pass *pass, const struct change *change, struct text *lines) {
	struct ledger *ledger = pass->r->ledger;
	const struct object *object = change->desired;

	if (change->done || change->type == CHANGE_DELETE || object->gone)
		return;
	if (change->type == CHANGE_CREATE) {
		note_creation(ledger, change, object, lines);
		if (object->twin)
			note_creation(ledger, change, object->twin, lines);
		return;
	}
	/* The value of a setting in a new namespace is not known yet: it is read, and recorded, just before the change. */
	if (change->observed || !is_setting(change))
		ledger_note(ledger, object, change->observed, change->fields, false, lines);
}

/* Makes the ledger in memory equal to the file again. */
static int reread(struct reconciler *r) {
	struct ledger written = {};
	int err = ledger_file_read(r->file->topology, &written);

	ledger_set_files(&written, r->ledger->files.items, r->ledger->files.n);
	ledger_done(r->ledger);
	*r->ledger = written;
	return err;
}

/* A change that cannot be recorded is not made. Others are: changes of recorded objects need no new line. */
static int forgo(struct reconciler *r, const struct changes *changes, int error) {
	vec_foreach(at, &changes->list) {
		(*at)->done = true;
		(*at)->error = error;
		(*at)->text = "it cannot be recorded in " TOPOD_RUN_DIR;
	}
	return reread(r);
}

/* Records the index of a link that topod did not make, so that topod's objects on it are found again after a rename. */
static void note_places(struct pass *pass, const struct plan *plan, const struct change *change, struct text *lines) {
	const char *link = change->done || change->type == CHANGE_DELETE || change->desired->gone
				   ? NULL
				   : object_home_link(change->desired);

	for (size_t i = 0; link && i < plan->found.n; i++) {
		const struct found *found = &plan->found.items[i];

		if (streq(found->object->ns, change->desired->ns) && streq_ptr(object_home_link(found->object), link))
			ledger_note_index(pass->r->ledger, found->object, found->seen, lines);
	}
}

/* Does the ledger already say that topod made it? Then the entry survives a failed creation: a link that was made or moved
 * in before may be in another place now, where it is recognised by its entry. After a crash, the entry of a link to move in
 * may not say which one. */
static bool was_made(const struct ledger *ledger, const struct object *object) {
	const struct ledger_entry *entry = object ? ledger_find_object(ledger, object) : NULL;

	return entry && entry->made && (!entry->kind->bare_create || ledger_has_sign(entry));
}

static void note_intent(struct pass *pass, const struct plan *plan, struct change *change, struct text *lines,
			struct changes *noted) {
	const struct object *object = change->type == CHANGE_CREATE ? change->desired : NULL;
	const struct ledger *ledger = pass->r->ledger;
	bool is_new = object && !was_made(ledger, object) && !was_made(ledger, object->twin);
	size_t before = lines->size;

	note_change(pass, change, lines);
	note_places(pass, plan, change, lines);
	change->noted = is_new; /* perhaps by the line of a crash */
	if (lines->size != before)
		vec_push(&noted->list, change);
}

static int note_intents(struct pass *pass, const struct plan *plan) {
	_cleanup_text_ struct text lines = {};
	struct changes noted = {};
	int err;

	/* Settings that another change overwrites come after it: their former values are recorded before that change is
	 * made, or its effect would be taken for them. */
	for (size_t i = plan->changes.n; i-- > 0;)
		if (is_setting(plan->changes.items[i]))
			note_intent(pass, plan, plan->changes.items[i], &lines, &noted);
	vec_foreach(at, &plan->changes)
		if (!is_setting(*at))
			note_intent(pass, plan, *at, &lines, &noted);
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

static int note_reached(void *userdata, const struct change *change, const struct object *const *seen, size_t n) {
	struct pass *pass = userdata;
	_cleanup_text_ struct text lines = {};

	for (size_t i = 0; i < n; i++)
		ledger_note_reached(pass->r->ledger, change, seen[i], &lines);
	return pass_write(pass->r, &lines);
}

/* An object that could not be made is not ours; if it exists, it is somebody else's. If only the answer was lost, the next
 * scan decides by the mark or the MAC address. A link keeps its entry: it is always recognised by these, and the entry may
 * stand for one that somebody moved or renamed, which must still be deleted. */
static void take_back(struct pass *pass, const struct change *change, struct text *lines) {
	const struct object *ends[] = { change->desired, change->desired ? change->desired->twin : NULL };
	/* topod has deleted its own before, so this one is somebody else's. */
	bool replaced = change->recreates && change->error == -EEXIST && !object_is_link(change_object(change));

	if (change->type != CHANGE_CREATE || !change->error ||
	    (!replaced && (change->unsure || change->recreates || (!change->noted && object_is_link(change->desired)))))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		_cleanup_text_ struct text id = {};

		if (!ends[i])
			continue;
		object_print_id(ends[i], &id);
		ledger_forget(pass->r->ledger, ends[i]->ns, id.data, lines);
	}
}

/* In a namespace that topod made and gives up, the former state of lo (down) was only the kernel's default: lo stays up. If
 * the file declares lo, its current state counts as found. */
static void forget_lo(struct pass *pass, const char *name, struct text *lines) {
	const struct ns_state *ns = state_find(&pass->r->spec.state, name);
	const struct object *lo = ns && ns_self(ns) && ns_self(ns)->external ? ns_find_link(ns, "lo") : NULL;

	if (!lo)
		return;
	ledger_forget_fields(pass->r->ledger, lo, field_bit(LINK_UP), lines);
	if (lo->gone)
		return;
	ledger_note(pass->r->ledger, lo, lo, field_bit(LINK_UP), false, lines);
	ledger_declare(pass->r->ledger, lo, UINT64_MAX, lines);
}

static int note_lost(struct pass *pass, const struct plan *plan) {
	struct kernel *kernel = pass->r->kernel;
	_cleanup_text_ struct text lines = {};

	vec_foreach(lost, &plan->lost) {
		const struct ledger_entry *entry = ledger_find(pass->r->ledger, lost->ns, lost->id);

		/* Before it is forgotten, so that a crash here does no harm. */
		if (entry && (entry->made || kind_is_namespace(entry->kind)) && !lost->kept &&
		    kernel->ops->clear(kernel, entry->kind->transport, lost->ns) < 0)
			continue; /* the next pass tries again */
		if (entry && kind_is_namespace(entry->kind))
			forget_lo(pass, lost->ns, &lines);
		ledger_forget(pass->r->ledger, lost->ns, lost->id, &lines);
	}
	vec_foreach(released, &plan->released)
		ledger_forget_fields(pass->r->ledger, released->object, released->fields, &lines);
	vec_foreach(object, &plan->unnoted)
		ledger_note(pass->r->ledger, *object, NULL, (*object)->set, true, &lines);
	return pass_write(pass->r, &lines);
}

static void note_one(struct ledger *ledger, const struct note *note, struct text *lines) {
	const struct object *object = note->object;
	uint64_t fields = note->fields & object->set & ~object->returning;

	if (note->other && !object->gone)
		ledger_note_share(ledger, object, note->observed, fields, note->other, lines);
	else if (!object->gone)
		ledger_note(ledger, object, note->observed, fields, false, lines);
	/* A field that is no longer declared is not a claim any more, even before it is restored. */
	ledger_declare(ledger, object, note->fields, lines);
}

/* If the declared values of existing objects cannot be recorded, changes are made anyway: the next scan tries again. */
static int note_declared(struct pass *pass, struct plan *plan) {
	_cleanup_text_ struct text lines = {};

	vec_foreach(note, &plan->notes) {
		size_t before = lines.size;

		note_one(pass->r->ledger, note, &lines);
		note->news = lines.size != before;
	}
	return pass_write(pass->r, &lines) < 0 ? reread(pass->r) : 0;
}

/* Reported once: objects of other topologies stay as long as those exist. */
static void tell_spared(struct pass *pass, const struct spared *spared) {
	struct reconciler *r = pass->r;
	_cleanup_text_ struct text scope = {}, noun = {};
	struct occurrence occurrence = { .type = OCCURRENCE_SPARED, .ns = spared->object->ns, .what = spared->why };
	struct text id = {};

	object_print_id(spared->object, &id);
	vec_foreach(reported, &r->spared)
		if (streq(*reported, id.data)) {
			text_done(&id);
			return;
		}
	vec_push(&r->spared, text_take(&id));
	object_print_scope(spared->object, &scope);
	object_print_noun(spared->object, &noun);
	occurrence.scope = text_str(&scope);
	occurrence.noun = text_str(&noun);
	occurrence.parts = object_parts(spared->object, occurrence.scope, occurrence.noun);
	r->hooks.occurred(r->hooks.userdata, &occurrence);
}

int pass_note(struct pass *pass, struct plan *plan) {
	struct reconciler *r = pass->r;
	int err = note_lost(pass, plan);

	/* Giving something up counts as a change, although the kernel is not changed. */
	r->n_applied += err == 0 ? plan->n_given_up : 0;
	r->status.n_changed += err == 0 ? plan->n_given_up : 0;
	if (err == 0)
		err = note_declared(pass, plan);
	vec_foreach(spared, &plan->spared)
		tell_spared(pass, spared);
	return err;
}

/* As how many changes it is counted in the plan (report/report_items.c), while it is carried out, and in the result: a
 * recreation is one, the creation of a pair is two, and an update that only completes a creation is not counted. */
static size_t counts_as(const struct change *change) {
	if (change->completes || (change->type == CHANGE_DELETE && change->recreates))
		return 0;
	return change->type == CHANGE_CREATE && change->desired->twin ? 2 : 1;
}

static size_t count_changes(const struct plan *plan, size_t from, size_t end) {
	size_t n = 0;

	for (size_t i = from; i < end; i++)
		n += counts_as(plan->changes.items[i]);
	return n;
}

/* Results. */

static void count(struct reconciler *r, const struct change *change) {
	size_t n = counts_as(change);
	bool updates = change->type == CHANGE_UPDATE && change->observed;

	r->n_applied += n;
	if (change->recreates)
		r->status.n_recreated += n;
	else if (change->type == CHANGE_DELETE)
		r->status.n_deleted += n;
	else if (updates)
		r->status.n_changed += n;
	else
		r->status.n_created += n;
}

/* Did it fail before, or wait for something that failed, or for something outside topod? Then it never existed, and cannot
 * have drifted. */
static bool was_awaited(const struct pass *pass, const struct change *change) {
	const struct failure_record *record = failure_find(&pass->r->failures, change_object(change));

	if ((record && record->state == FAILURE_FAILING) || object_waits(change_object(change)))
		return true;
	for (unsigned i = 0; i < change->n_needs; i++)
		if (was_awaited(pass, change->needs[i]))
			return true;
	return false;
}

/* A namespace that disappeared while topod did not run is not reported as drift; but the processes left in it are. */
static void tell_left(struct pass *pass, struct plan *plan, const struct change *change) {
	const char *left = pass_left_behind(pass, change);
	struct occurrence *line = left ? drift_note(&pass->lines, plan, change, OCCURRENCE_DRIFT_RESTORED) : NULL;

	if (!line)
		return;
	line->left = left;
	line->latency_usec = reconciler_now(pass->r) - pass->since_usec;
}

static void note_success(struct pass *pass, struct plan *plan, const struct change *change) {
	struct reconciler *r = pass->r;
	const struct object *object = change_object(change);
	struct failure_record *record = failure_find(&r->failures, object);
	bool reported = record && (record->state == FAILURE_HELD || record->drifted), awaited = was_awaited(pass, change);
	struct occurrence *line;

	count(r, change);
	if (record && record->state == FAILURE_FAILING && !change->completes)
		failure_retried(&r->failures);
	if (change->revives) {
		if (change->type == CHANGE_CREATE && record)
			failure_tried(record, reconciler_now(pass->r)); /* the kernel does not know the result yet */
		return;
	}
	pass_note_acknowledged(pass, change);
	if (change->former && pass_is_new(pass, object))
		tell_left(pass, plan, change);
	if (pass_known_ignored(pass, change) || pass_is_new(pass, object) || change->completes ||
	    (change->type == CHANGE_DELETE && change->recreates))
		return;
	if (awaited && !reported)
		return;
	r->status.counts.n_restored++;
	r->status.counts.n_drifts += !reported; /* otherwise it was counted when it was reported */
	if (record)
		record->drifted = false;
	if (awaited)
		return; /* its recovery is reported once it is verified */
	line = drift_note(&pass->lines, plan, change, OCCURRENCE_DRIFT_RESTORED);
	if (!line)
		return; /* a consequence of something else, not contention */
	line->latency_usec = reconciler_now(pass->r) - pass->since_usec;
	line->left = pass_left_behind(pass, change);
	if (!failure_repaired(&r->failures, object, reconciler_now(pass->r))) {
		storm_disturbed(&r->failures.storm, reconciler_now(pass->r));
		return;
	}
	line->type = OCCURRENCE_BACKED_OFF;
	line->pause_usec = failure_find(&r->failures, object)->backoff.pause_usec;
	if (change->observed && object->kind->opponent)
		line->opponent = object->kind->opponent(&pass->lines.arena, change->observed);
}

static bool finds_links(const struct ns_state *ns) {
	ns_foreach(object, ns)
		if (object->external && !object->gone && object_is_link(object) && !streq(object_home_link(object), "lo"))
			return true;
	return false;
}

/* A link that topod did not make may have disappeared with a removed namespace, even if the plan did not foresee that: it is
 * scanned once more, now that the namespace is destroyed. */
static void scan_found(struct pass *pass, const struct plan *plan) {
	bool removed = false;

	vec_foreach(at, &plan->changes)
		removed |= (*at)->type == CHANGE_DELETE && !(*at)->error && object_is_namespace((*at)->observed);
	state_foreach(ns, &pass->r->spec.state) {
		struct ns_info *info = removed && finds_links(ns) ? worklist_find(&pass->r->work, ns->name) : NULL;

		if (!info)
			continue;
		worklist_set_verdict(&pass->r->work, info, NS_UNVERIFIED);
		reconciler_dirty(pass->r, ns->name);
	}
}

static int note_results(struct pass *pass, struct plan *plan) {
	_cleanup_text_ struct text lines = {};

	scan_found(pass, plan);

	vec_foreach(at, &plan->changes) {
		struct change *change = *at;

		if (change->held || change->refused)
			continue;
		if (!change->error && change->desired && change->type != CHANGE_DELETE)
			ledger_note_set(pass->r->ledger, change->desired, change->fields, &lines);
		if (!change->error)
			note_success(pass, plan, change);
		else if (stale_answer(&pass->stale_answers, change, pass->n_rounds))
			change->unsure |= !change->noted; /* if it was topod's before, it may still be */
		else if (!change->blocked)
			pass_note_failure(pass, plan, change);
		take_back(pass, change, &lines);
	}
	return pass_write(pass->r, &lines);
}

/* A request with several fields fails as a whole. Then each field is tried separately, so that one bad value does not
 * prevent the others. */
static bool can_be_split(const struct change *change) {
	return change->type == CHANGE_UPDATE && change->error && !change->held && !change->refused && !change->blocked &&
	       change->fields & (change->fields - 1) && change_object(change)->kind->class->splits;
}

static struct change *add_part(struct plan *plan, const struct change *from, uint64_t fields, struct change *whole,
			       struct plan *parts) {
	struct change *part = arena_memdup(&plan->arena, from, sizeof(*from));

	part->fields = fields;
	part->done = false;
	part->error = 0;
	part->text = NULL;
	part->culprit = NULL;
	part->blocked = NULL;
	part->n_needs = 0; /* they are done already */
	part->whole = whole;
	vec_push(&parts->changes, part);
	return part;
}

static void split(struct plan *plan, const struct change *from, uint64_t fields, struct change *whole, struct plan *parts) {
	mask_foreach(i, fields)
		add_part(plan, from, field_bit(i), whole, parts)->type = CHANGE_UPDATE;
}

/* The fields that creation must set: those without which a link cannot be made or recognised, or that no update can set
 * later. */
static uint64_t fields_of_birth(const struct change *change) {
	const struct kind *kind = change->desired->kind;
	uint64_t mask = 0;

	for (size_t i = 0; i < kind->n_fields; i++)
		if (kind->fields[i].class != FIELD_LIVE || kind->fields[i].flags & (FIELD_REQUIRED | FIELD_SIGN | FIELD_DEV))
			mask |= field_bit(i);
	return change->fields & mask;
}

/* Did the kernel refuse a link because of one of its attributes, without saying which? */
static bool can_be_reduced(const struct change *change) {
	return change->type == CHANGE_CREATE && !change->held && !change->refused && !change->blocked && !change->unsure &&
	       change->desired->kind->class->splits && !change->desired->twin &&
	       (change->error == -EOPNOTSUPP || change->error == -EINVAL || change->error == -ERANGE) &&
	       fields_of_birth(change) != change->fields;
}

/* Creates it without the fields that can follow, and sets these one by one. The next scan finds that the one at fault
 * differs, and its update fails with the reason. */
static void reduce(struct plan *plan, struct change *whole, struct plan *parts) {
	uint64_t birth = fields_of_birth(whole);

	add_part(plan, whole, birth, whole, parts);
	split(plan, whole, whole->fields & ~birth, whole, parts);
	vec_foreach(at, &plan->changes)
		if ((*at)->completes && (*at)->blocked == whole)
			split(plan, *at, (*at)->fields, whole, parts);
}

/* The first failing field gives the whole change its error. An object that was made with fewer fields counts as made. */
static void join(struct plan *plan, const struct change *part) {
	struct change *whole = part->whole;

	if (part->type == CHANGE_CREATE && !part->error) {
		whole->error = 0;
		whole->fields = part->fields;
	}
	if (whole->type == CHANGE_CREATE || !part->error || whole->error)
		return;
	whole->error = part->error;
	whole->fields = part->fields;
	whole->culprit = &whole->desired->kind->fields[__builtin_ctzll(part->fields)];
	whole->text = part->text ? arena_strdup(&plan->arena, part->text) : NULL;
}

static void split_failed(struct pass *pass, struct plan *plan, const struct scan_request *request,
			 const struct execute_hooks *hooks) {
	struct plan parts = {};

	vec_foreach(at, &plan->changes)
		if (can_be_split(*at)) {
			split(plan, *at, (*at)->fields, *at, &parts);
			(*at)->error = 0; /* unless a part says otherwise */
		} else if (can_be_reduced(*at)) {
			reduce(plan, *at, &parts);
		}
	if (parts.changes.n)
		pass->r->kernel->ops->execute(pass->r->kernel, request, &parts, hooks);
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

	if (!pass->carried_out) /* parts of a change are not counted */
		return;
	pass->n_done += count_changes(pass->carried_out, pass->n_tried, n);
	pass->n_tried = n;
	if (pass->r->hooks.progress)
		pass->r->hooks.progress(pass->r->hooks.userdata, pass->n_done, pass->n_changes);
}

static void pass_on_asked(void *userdata, const struct change *change, const char *how) {
	struct pass *pass = userdata;

	pass->r->hooks.asked(pass->r->hooks.userdata, change, how);
}

/* Does the plan delete or restore anything that another topology could begin to share meanwhile? Only then is the lock kept:
 * creating takes longer, and nobody has to wait for it. */
static bool takes_away(const struct plan *plan) {
	vec_foreach(at, &plan->changes) {
		const struct change *change = *at;

		if (!change->held && !change->refused &&
		    (change->type == CHANGE_DELETE ? !change->recreates : change->desired->returning != 0))
			return true;
	}
	return false;
}

int pass_carry_out(struct pass *pass, struct plan *plan) {
	struct reconciler *r = pass->r;
	struct scan_request request = pass_scan_of(r);
	struct execute_hooks hooks = { .userdata = pass,
				       .former = note_former,
				       .reached = note_reached,
				       .born = note_birth,
				       .progress = report_progress,
				       .asked = r->hooks.asked ? pass_on_asked : NULL };
	int err = note_intents(pass, plan);

	if (err < 0)
		return err;
	if (!takes_away(plan))
		pass_unlock_claims(pass);
	pass->n_changes = count_changes(plan, 0, plan->changes.n);
	pass->n_done = pass->n_tried = 0;
	pass->carried_out = plan;
	r->kernel->ops->execute(r->kernel, &request, plan, &hooks);
	pass->carried_out = NULL;
	split_failed(pass, plan, &request, &hooks);
	pass_scan_suspects(pass, plan);
	err = note_results(pass, plan);
	pass->n_carried_out++;
	return err;
}
