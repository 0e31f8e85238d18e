/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settles the namespaces in which a scan found nothing to do: those after the touched ones in the pass (pass.n_touched).
 *
 * In each of them: addresses in duplicate detection and waiting objects are counted; the namespace counts as verified, and
 * perhaps as known well enough for narrow scans; objects that are as declared again have recovered; and restored objects of
 * an earlier file are forgotten.
 */
#include "reconcile/pass.h"
#include "reconcile/waiting.h"

enum {
	PENDING_SCAN_USEC = 1000 * 1000, /* between two scans of addresses in duplicate detection, if no event comes */
};

static void note_pending(struct pass *pass, const struct plan *plan) {
	struct worklist *w = &pass->r->work;
	uint64_t now = reconciler_now(pass->r);

	for (size_t i = pass->n_touched; i < pass->infos.n; i++)
		pass->infos.items[i]->n_found = 0;
	vec_foreach(pending, &plan->pending) {
		struct ns_info *info = worklist_find(w, pending->object->ns);

		/* An object that waits for another change is not pending while that change is held. */
		if (info && !(pending->by && pending->by->held))
			info->n_found++;
	}
	for (size_t i = pass->n_touched; i < pass->infos.n; i++) {
		struct ns_info *info = pass->infos.items[i];

		worklist_set_pending(w, info, info->n_found);
		info->scan_again_usec = now + PENDING_SCAN_USEC;
	}
}

/* Once a namespace is as declared, differences are drift; but not while changes are still to be made there, because these
 * may delete other objects too (an address its secondaries), and not for objects that wait. */
static void note_as_declared(struct pass *pass, const struct plan *plan) {
	const struct reconciler *r = pass->r;

	for (size_t i = pass->n_touched; i < pass->infos.n; i++) {
		const struct ns_info *info = pass->infos.items[i];

		if (info->scanned.whole && !info->blocked && !failure_in(&r->failures, info->name))
			ns_foreach(object, state_find(&r->spec.state, info->name))
				object->settled = !object->waits;
	}
	vec_foreach(pending, &plan->pending) {
		const struct ns_state *ns = state_find(&r->spec.state, pending->object->ns);
		struct object *declared = ns ? ns_find(ns, pending->object) : NULL;

		if (declared == pending->object) /* otherwise it exists, but is not usable yet */
			declared->settled = false;
	}
}

static void note_verdict(struct pass *pass, struct ns_info *info) {
	struct reconciler *r = pass->r;

	worklist_set_verdict(&r->work, info, info->blocked ? NS_BLOCKED : NS_VERIFIED);
	info->known = (info->known || info->scanned.whole) && !info->n_pending && !info->blocked;
	if (pass->n_rounds == 0 && !r->applying && failure_in(&r->failures, info->name))
		worklist_rest(info, pass->now_usec, reconciler_now(r));
}

/* Is the namespace itself missing, or another one in its place? */
static bool is_lost(const struct reconciler *r, const char *name) {
	const struct object *self = ns_self(state_find(&r->spec.state, name));
	const struct failure_record *record = self ? failure_find(&r->failures, self) : NULL;

	return record && record->state == FAILURE_FAILING && record->seen == r->failures.scan;
}

/* Ends the failures of objects that are as declared again. Contention ends when the object has stayed so for the length of
 * its pause. Objects in a lost namespace disappeared with it, and have not recovered. True if any object has recovered. */
static bool end_failures(struct pass *pass, const struct ns_info *info) {
	struct reconciler *r = pass->r;
	struct failure_ns *ns = info->scanned.whole ? failure_namespace(&r->failures, info->name) : NULL;
	bool lost = is_lost(r, info->name), any = false;

	for (struct failure_record *record = ns ? ns->records : NULL, *next; record; record = next) {
		struct occurrence occurrence = {
			.type = OCCURRENCE_RECOVERED,
			.ns = record->ns,
			.scope = record->scope,
			.noun = record->noun,
			.parts = record->parts,
			.what = "is as declared again",
			.position = record->position,
		};

		next = record->ns_next;
		if (record->state == FAILURE_WATCHED || record->seen == r->failures.scan ||
		    (!lost && record->state == FAILURE_CONTESTED &&
		     !failure_may_try(&r->failures, record, reconciler_now(r))))
			continue;
		if (lost) {
			failure_drop(&r->failures, record);
			continue;
		}
		/* The line about its failure may not be reported yet. */
		drift_tell(&pass->lines, r->hooks.occurred, r->hooks.userdata);
		reconciler_tell(r, &occurrence);
		failure_drop(&r->failures, record);
		any = true;
	}
	return any;
}

static void forget_returned(struct ledger *ledger, struct ns_state *ns, struct text *lines) {
	for (struct object *object = ns->objects, *next; object; object = next) {
		next = object->hh.next;
		if (!object->returning)
			continue;
		ledger_forget_fields(ledger, object, object->returning, lines);
		object->set &= ~object->returning;
		object->returning = 0;
		if (object->gone)
			ns_remove(ns, object);
	}
}

/* Forgets objects that were restored, and then namespaces of earlier files with nothing left. */
static int forget_earlier_files(struct pass *pass) {
	struct reconciler *r = pass->r;
	_cleanup_text_ struct text lines = {};

	for (size_t i = pass->infos.n; i-- > pass->n_touched;) {
		struct ns_info *info = pass->infos.items[i];
		struct ns_state *ns = state_find(&r->spec.state, info->name);

		if (!ns || !info->scanned.whole || r->paused || failure_in(&r->failures, info->name))
			continue;
		forget_returned(r->ledger, ns, &lines);
		if (ns->declared || ns->objects || ledger_namespace(r->ledger, ns->name) || streq(ns->name, NS_HOST))
			continue;
		pass->infos.items[i] = pass->infos.items[--pass->infos.n];
		worklist_remove(&r->work, info);
	}
	return pass_write(r, &lines);
}

int pass_settle(struct pass *pass, const struct plan *plan) {
	struct reconciler *r = pass->r;
	bool recovered = false;

	note_pending(pass, plan);
	waiting_take(pass, plan);
	if (r->applying)
		note_as_declared(pass, plan);
	for (size_t i = pass->n_touched; i < pass->infos.n; i++)
		note_verdict(pass, pass->infos.items[i]);
	for (size_t i = pass->n_touched; i < pass->infos.n; i++)
		recovered |= end_failures(pass, pass->infos.items[i]);
	if (recovered || pass->reachable_again)
		worklist_mark_blocked(&r->work, reconciler_now(r));
	return forget_earlier_files(pass);
}
