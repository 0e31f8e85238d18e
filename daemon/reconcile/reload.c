/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replaces the desired state. A namespace whose part of the file has not changed keeps what is known about it; the others
 * are scanned again.
 */
#include "reconcile/reconcile_private.h"
#include "reconcile/waiting.h"

static bool same_object(const struct object *a, const struct object *b) {
	return b && a->kind == b->kind && a->drift == b->drift && a->external == b->external && a->gone == b->gone &&
	       a->returning == b->returning && object_same_fields(a, b);
}

/* Both have the same number of objects, and each object of one is in the other with the same fields: so they are equal. What
 * is to be restored counts too: fields that are returning, objects that are gone. */
static bool same_namespace(const struct ns_state *a, const struct ns_state *b) {
	if (!a || !b || HASH_COUNT(a->objects) != HASH_COUNT(b->objects) || a->adopt != b->adopt ||
	    a->exclusive != b->exclusive || a->required != b->required)
		return false;
	ns_foreach(object, a)
		if (!same_object(object, ns_find(b, object)))
			return false;
	return true;
}

/* Drops the records of objects that are declared differently now, or no longer: "is as declared again" would be
 * misleading. */
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

/* Removes namespaces that neither the file nor the ledger knows any more. */
static void forget_namespaces(struct reconciler *r) {
	struct ns_info *info, *next;
	struct failure_ns *ns;

	HASH_ITER(hh, r->work.all, info, next) {
		if (state_find(&r->spec.state, info->name))
			continue;
		while ((ns = failure_namespace(&r->failures, info->name)))
			failure_drop(&r->failures, ns->records);
		worklist_remove(&r->work, info);
	}
}

/* Failing objects are retried now, so that messages about them have positions in the new files. */
static void retry_failures(struct reconciler *r, uint64_t now) {
	for (struct failure_record *record = r->failures.records; record; record = record->hh.next) {
		struct ns_info *info = worklist_find(&r->work, record->ns);

		if (!info || (record->state != FAILURE_FAILING && record->state != FAILURE_CONTESTED))
			continue;
		record->backoff = (struct backoff){ .due_usec = now };
		worklist_mark(&r->work, info, now);
	}
}

void reconciler_forget_spared(struct reconciler *r) {
	vec_foreach(id, &r->spared)
		free(*id);
	vec_clear(&r->spared);
}

void reconciler_begin_applying(struct reconciler *r) {
	struct reconciler_status *status = &r->status;

	/* Records new positions of unchanged objects. If they cannot be written, the former lines stay. */
	if (ledger_add_returns(r->ledger, &r->spec.state))
		(void)ledger_file_set_head(r->file, r->ledger);
	status->counts.n_namespaces = status->counts.n_objects = 0;
	state_foreach(ns, &r->spec.state) {
		worklist_add(&r->work, ns->name);
		status->counts.n_namespaces += ns_self(ns) || HASH_COUNT(ns->objects);
		ns_foreach(object, ns)
			status->counts.n_objects += !object->gone;
	}
	status->n_created = status->n_changed = status->n_recreated = status->n_deleted = 0;
	r->applying = true;
	r->applying_since = reconciler_now(r);
	r->announced = false;
	r->n_applied = 0;
}

void reconciler_reload(struct reconciler *r, struct spec *spec) {
	struct spec before = r->spec;
	uint64_t now = reconciler_now(r);

	/* Scan sets contain objects of the former state. */
	for (struct ns_info *info = r->work.dirty; info; info = info->next) {
		scan_set_add_whole(&info->dirty);
		scan_set_clear(&info->later);
	}
	r->spec = *spec;
	*spec = (struct spec){};
	state_foreach(ns, &r->spec.state)
		ns->unchanged = same_namespace(ns, state_find(&before.state, ns->name));
	waiting_move(r);
	reconciler_forget_spared(r);
	reconciler_begin_applying(r);
	state_foreach(ns, &r->spec.state) {
		struct ns_info *info = worklist_find(&r->work, ns->name);

		if (ns->unchanged)
			continue;
		drop_reports(r, state_find(&before.state, ns->name), ns);
		worklist_mark_unverified(&r->work, info, now);
		info->known = false;
	}
	forget_namespaces(r);
	retry_failures(r, now);
	outages_hurry(r);
	worklist_mark_blocked(&r->work, now);
	spec_done(&before);
}
