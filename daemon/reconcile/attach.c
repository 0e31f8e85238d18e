/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A name now stands for another namespace. Everything that the reconciler and the ledger knew about the former one ends:
 * failures and their pauses, contention, values recorded inside it that would go back. Objects declared in an attached
 * namespace were waiting, so making them is not the repair of drift.
 */
#include "reconcile/pass.h"

/* Drops objects that would go back in the former one. */
static void forget_returns(struct ns_state *ns) {
	for (struct object *object = ns ? ns->objects : NULL, *next; object; object = next) {
		next = object->hh.next;
		if (object->kind->class->outlives_namespace || object->kind->bare_create)
			continue;
		object->set &= ~object->returning;
		object->returning = 0;
		if (object->gone)
			ns_remove(ns, object);
	}
}

/* The kernel may still have the former one, and topod may not have seen it disappear. */
static void begin_anew(struct reconciler *r, const char *name) {
	struct ns_info *info = worklist_find(&r->work, name);
	struct failure_ns *failures = failure_namespace(&r->failures, name);
	const struct object *self = ns_self(state_find(&r->spec.state, name));
	const struct failure_record *own = self ? failure_find(&r->failures, self) : NULL;

	worklist_mark(&r->work, info, reconciler_now(r)); /* the sets refer to objects that are removed here */
	scan_set_clear(&info->later);
	forget_returns(state_find(&r->spec.state, name));
	for (struct failure_record *record = failures ? failures->records : NULL, *next; record; record = next) {
		next = record->ns_next;
		if (record != own) /* the return of the namespace itself is still to be reported */
			failure_drop(&r->failures, record);
	}
	ns_foreach(object, state_find(&r->spec.state, name)) {
		struct failure_record *record = object->twin ? failure_find(&r->failures, object->twin) : NULL;

		if (record)
			failure_drop(&r->failures, record);
	}
	info->known = false;
}

static void begin_waiting(struct ns_state *ns) {
	ns_foreach(object, ns)
		object->waits = !object->kind->class->outlives_namespace;
}

bool pass_follow_born(struct pass *pass, const struct plan *plan) {
	struct reconciler *r = pass->r;
	_cleanup_text_ struct text lines = {};
	bool any = false;

	vec_foreach(born, &plan->born) {
		bool another = ledger_find_object(r->ledger, *born);

		ledger_note_adopted(r->ledger, *born, &lines);
		if (!another)
			continue;
		any = true;
		begin_anew(r, (*born)->ns);
		scan_set_add_whole(pass_add(pass, worklist_find(&r->work, (*born)->ns)));
	}
	if (!pass->only_scans)
		(void)pass_write(r, &lines); /* if it cannot be written, the next daemon detects the same */
	return any;
}

int reconciler_attach(struct reconciler *r, const struct object *netns) {
	const struct ledger_entry *entry = ledger_find_object(r->ledger, netns);
	struct ns_info *info = worklist_find(&r->work, netns->ns);
	_cleanup_text_ struct text lines = {};

	if (!info)
		return -ENOENT;
	if (!entry || !ledger_is_same(entry, netns)) {
		begin_anew(r, netns->ns);
		begin_waiting(state_find(&r->spec.state, netns->ns));
	}
	ledger_note_attached(r->ledger, netns, &lines);
	worklist_mark_unverified(&r->work, info, reconciler_now(r));
	return pass_write(r, &lines);
}

bool reconciler_is_verified(const struct reconciler *r, const char *ns) {
	const struct ns_info *info = worklist_find(&r->work, ns);
	const struct object *self = ns_self(state_find(&r->spec.state, ns));

	return info && info->verdict == NS_VERIFIED && !info->n_pending && !(self && self->waits);
}
