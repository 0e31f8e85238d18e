/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/waiting.h"

#include "report/report.h"

static void tell(struct reconciler *r, const struct object *object, enum occurrence_type type, const char *what) {
	_cleanup_text_ struct text scope = {}, noun = {};

	object_print_scope(object, &scope);
	object_print_noun(object, &noun);
	reconciler_tell(r, &(struct occurrence){ .type = type,
						 .ns = object->ns,
						 .scope = text_str(&scope),
						 .noun = text_str(&noun),
						 .parts = object_parts(object, text_str(&scope), text_str(&noun)),
						 .what = what,
						 .position = object->position });
}

/* Reports objects that existed and are missing. */
static void note_gone(struct reconciler *r, struct object *object) {
	if (object->came)
		tell(r, object, OCCURRENCE_GONE,
		     object_is_namespace(object)
			     ? "is gone; its contents and objects that need it wait until it is attached again"
			     : "is gone; it and objects that need it wait until somebody moves it in again");
	object->came = false;
}

static void note_come(struct reconciler *r, struct object *object) {
	if (object->waits)
		tell(r, object, OCCURRENCE_ARRIVED, "has come");
	object->came = true;
	object->waits = false; /* otherwise it would be reported again while something in it fails */
}

static void add(struct reconciler *r, struct ns_info *info, const struct waiting *waiting) {
	if (waiting->absent && waiting->object->awaited)
		note_gone(r, waiting->object);
	waiting->object->waits = waiting->absent;
	vec_push(&info->waiting, *waiting);
	r->work.n_waiting += waiting->why != NULL;
	r->work.n_required += waiting->absent && waiting->object->required;
}

static void forget(struct reconciler *r, const struct waiting *waiting) {
	r->work.n_waiting -= waiting->why != NULL;
	r->work.n_required -= waiting->absent && waiting->object->required;
}

static bool was_scanned(const struct ns_info *info, const struct waiting *waiting) {
	return info->scanned.whole || waiting->object->scan_sets & SCAN_SET_NOW;
}

/* Objects that the scan did not cover still wait. */
static void keep_unseen(struct reconciler *r, struct ns_info *info) {
	size_t n = 0;

	vec_foreach(waiting, &info->waiting)
		if (!was_scanned(info, waiting))
			info->waiting.items[n++] = *waiting;
		else
			forget(r, waiting);
	info->waiting.n = n;
}

static bool is_listed(const struct plan *plan, const struct object *object) {
	vec_foreach(waiting, &plan->waiting)
		if (waiting->object == object)
			return true;
	return false;
}

/* Has something appeared on which others may be made? */
static bool end_waits(struct ns_info *info, const struct plan *plan) {
	bool any = false;

	vec_foreach(waiting, &info->waiting) {
		if (!was_scanned(info, waiting) || is_listed(plan, waiting->object))
			continue;
		waiting->object->waits = false;
		any |= waiting->absent && (object_is_link(waiting->object) || object_is_namespace(waiting->object));
	}
	return any;
}

/* Its namespace, or that of its other end, has not come. Only that can end its wait. */
static bool waits_for_namespace(const struct reconciler *r, const struct object *object) {
	const struct object *self = ns_self(state_find(&r->spec.state, object->ns));
	const struct object *there = object->twin ? ns_self(state_find(&r->spec.state, object->twin->ns)) : NULL;

	return (self && self->waits) || (there && there->waits);
}

/* Without looking at what each waits for, the start of n containers would cost n scans of everything. */
static void scan_others(struct reconciler *r) {
	for (struct ns_info *info = r->work.all; info; info = info->hh.next) {
		bool any = false;

		vec_foreach(waiting, &info->waiting)
			any |= waiting->absent && !waits_for_namespace(r, waiting->object);
		if (!any)
			continue;
		reconciler_dirty(r, info->name);
		worklist_set_verdict(&r->work, info, NS_UNVERIFIED);
	}
}

void waiting_take(struct pass *pass, const struct plan *plan) {
	struct reconciler *r = pass->r;
	bool any = false;

	vec_foreach(found, &plan->found)
		if (found->object->awaited && pass_settled(pass, worklist_find(&r->work, found->object->ns)))
			note_come(r, found->object);
	for (size_t i = pass->n_touched; i < pass->infos.n; i++) {
		any |= end_waits(pass->infos.items[i], plan);
		keep_unseen(r, pass->infos.items[i]);
	}
	vec_foreach(waiting, &plan->waiting) {
		struct ns_info *info = worklist_find(&r->work, waiting->object->ns);

		if (pass_settled(pass, info))
			add(r, info, waiting);
	}
	if (any)
		scan_others(r);
}

void waiting_move(struct reconciler *r) {
	for (struct ns_info *info = r->work.all; info; info = info->hh.next) {
		const struct ns_state *ns = state_find(&r->spec.state, info->name);
		size_t n = 0;

		vec_foreach(waiting, &info->waiting) {
			struct object *object = ns ? ns_find(ns, waiting->object) : NULL;

			forget(r, waiting);
			if (!object)
				continue;
			r->work.n_waiting += waiting->why != NULL;
			r->work.n_required += waiting->absent && object->required;
			object->waits = waiting->absent;
			info->waiting.items[n++] = (struct waiting){ object, waiting->why, waiting->absent };
		}
		info->waiting.n = n;
	}
}

/* Texts. */

void reconciler_waits(const struct reconciler *r, struct arena *arena, void (*fn)(void *userdata, const struct failure *),
		      void *userdata) {
	for (const struct ns_info *info = r->work.n_waiting ? r->work.all : NULL; info; info = info->hh.next)
		vec_foreach(waiting, &info->waiting) {
			_cleanup_text_ struct text scope = {}, noun = {};
			struct position position = waiting->object->position;

			if (!waiting->why)
				continue;
			object_print_scope(waiting->object, &scope);
			object_print_noun(waiting->object, &noun);
			const char *place = arena_strdup(arena, text_str(&scope)),
				   *what = arena_strdup(arena, text_str(&noun));
			fn(userdata, &(struct failure){ .scope = place,
							.noun = what,
							.state = "waiting",
							.ns = waiting->object->ns,
							.parts = object_parts(waiting->object, place, what),
							.error = waiting->why,
							.position = position,
							.file = spec_file_of(&r->spec, position) });
		}
}

void reconciler_waits_text(const struct reconciler *r, struct text *out) {
	vec(struct waiting) all = {};

	for (const struct ns_info *info = r->work.n_waiting ? r->work.all : NULL; info; info = info->hh.next)
		vec_foreach(waiting, &info->waiting)
			vec_push(&all, *waiting);
	report_waiting_text(all.items, all.n, out);
	vec_done(&all);
}
