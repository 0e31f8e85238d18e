/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A namespace that something else makes has come. Everything that the reconciler and the ledger knew about the former one
 * of that name ends: failures and their pauses, contention, what was recorded of its inside. What is declared in it has been
 * waiting, so making it is not the repair of a drift.
 */
#include "reconcile/pass.h"

/* The kernel may have the former one still, and topod may not have seen it go. */
static void begin_anew(struct reconciler *r, const char *name) {
	struct ns_info *info = worklist_find(&r->work, name);
	struct failure_ns *failures;

	while ((failures = failure_namespace(&r->failures, name)))
		failure_drop(&r->failures, failures->records);
	ns_foreach(object, state_find(&r->spec.state, name)) {
		struct failure_record *record = object->twin ? failure_find(&r->failures, object->twin) : NULL;

		if (record)
			failure_drop(&r->failures, record);
		object->waits = !object->kind->class->outlives_namespace;
	}
	info->known = false;
}

int reconciler_attach(struct reconciler *r, const struct object *netns) {
	const struct ledger_entry *entry = ledger_find_object(r->ledger, netns);
	struct ns_info *info = worklist_find(&r->work, netns->ns);
	_cleanup_text_ struct text lines = {};

	if (!info)
		return -ENOENT;
	if (!entry || !ledger_is_same(entry, netns))
		begin_anew(r, netns->ns);
	ledger_note_attached(r->ledger, netns, &lines);
	worklist_mark_unverified(&r->work, info, reconciler_now(r));
	return pass_write(r, &lines);
}

bool reconciler_is_verified(const struct reconciler *r, const char *ns) {
	const struct ns_info *info = worklist_find(&r->work, ns);
	const struct object *self = ns_self(state_find(&r->spec.state, ns));

	return info && info->verdict == NS_VERIFIED && !info->n_pending && !(self && self->waits);
}
