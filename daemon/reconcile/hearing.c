/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What events do: they make namespaces, or parts of them, dirty. A hint makes a part dirty only if everything else in the
 * namespace is known to be as declared; else the whole namespace is scanned.
 */
#include "reconcile/hearing.h"

#include "reconcile/reconcile_private.h"

enum {
	FLOOD_IN_A_ROW = 8,           /* so many overruns, … */
	FLOOD_GAP_USEC = 1000 * 1000, /* … each within this time after the previous one, are a flood */
};

static const struct backoff_limits flood_limits = { 10 * 1000, 250 * 1000 };

/* ---- hints ---- */

void reconciler_dirty(struct reconciler *r, const char *ns) {
	struct ns_info *info = worklist_find(&r->work, ns);

	if (info)
		worklist_mark(&r->work, info, reconciler_now(r));
}

void reconciler_dirty_all(struct reconciler *r) {
	worklist_mark_all(&r->work, reconciler_now(r));
}

void reconciler_name_changed(struct reconciler *r, const char *ns) {
	struct ns_info *info = worklist_find(&r->work, ns);
	struct object *self = ns_self(state_find(&r->spec.state, ns));
	bool grown;

	if (!info)
		return;
	if (info->known && self) {
		grown = scan_set_add(&info->dirty, self);
		grown |= scan_set_add_whole(&info->later);
	} else {
		grown = scan_set_add_whole(&info->dirty);
	}
	if (grown)
		worklist_grown(&r->work, info, reconciler_now(r));
}

static void name_is_lost(void *userdata, const char *ns) {
	reconciler_name_changed(userdata, ns);
}

void reconciler_mounts_changed(struct reconciler *r) {
	r->kernel->ops->check_names(r->kernel, name_is_lost, r);
}

/* A neighbour is gone: an address that failed because of it may be usable now. The event of a bridge names no address. */
static void hear_neighbour(struct reconciler *r, const char *ns, const struct ip *address) {
	uint64_t now = reconciler_now(r);
	bool later;

	for (struct failure_record *record = r->failures.bad; record && !address->family; record = record->next)
		failure_revive(record, now);
	ns_foreach(object, address->family ? state_find(&r->spec.state, ns) : NULL) {
		bool provides = object->kind->provides && object->kind->provides(object, address, &later);
		struct failure_record *record = provides ? failure_find(&r->failures, object) : NULL;

		if (record)
			failure_revive(record, now);
	}
}

bool reconciler_wants_neighbours(const struct reconciler *r) {
	return failures_given_up(&r->failures);
}

void reconciler_hint(struct reconciler *r, const char *name, const struct hint *hint) {
	struct ns_info *info = worklist_find(&r->work, name);
	struct ns_state *ns = info ? state_find(&r->spec.state, name) : NULL;
	bool grown;

	if (hint->type == HINT_NEIGHBOUR)
		hear_neighbour(r, name, &hint->address);
	if (!ns || info->dirty.whole)
		return;
	/* In an exclusive namespace, undeclared objects count too. */
	if (!info->known || ns->exclusive) {
		grown = scan_set_add_whole(&info->dirty);
	} else {
		const char *link = hint->ifindex ? r->kernel->ops->link_of(r->kernel, name, hint->ifindex) : NULL;

		grown = scan_set_add_hint(&info->dirty, &info->later, &r->spec.state, ns, hint, link, &r->own);
	}
	if (grown)
		worklist_grown(&r->work, info, reconciler_now(r));
}

void reconciler_hint_id(struct reconciler *r, int32_t nsid, const struct hint *hint) {
	const char *name = r->kernel->ops->name_of(r->kernel, nsid);

	if (name)
		reconciler_hint(r, name, hint);
}

/* ---- what causes no events ---- */

static bool is_silent(const struct reconciler *r, const struct object *object) {
	if (object->kind->transport == TRANSPORT_FILE)
		return r->files_silent;
	return object->kind->class->silent && object->kind->class->silent(object);
}

bool reconciler_dirty_periodic(struct reconciler *r) {
	uint64_t now = reconciler_now(r);
	bool any = false;

	state_foreach(ns, &r->spec.state) {
		struct ns_info *info = worklist_find(&r->work, ns->name);

		ns_foreach(object, ns) {
			if (!info || !is_silent(r, object))
				continue;
			any = true;
			if (scan_set_add(&info->dirty, object))
				worklist_grown(&r->work, info, now);
		}
	}
	return any;
}

bool reconciler_has_silent(const struct reconciler *r) {
	state_foreach(ns, &r->spec.state)
		ns_foreach(object, ns)
			if (is_silent(r, object))
				return true;
	return false;
}

void reconciler_files_silent(struct reconciler *r) {
	r->files_silent = true;
}

/* ---- lost and unreadable events ---- */

void reconciler_deaf(struct reconciler *r, int error) {
	reconciler_dirty_all(r);
	outage_begin(r, &r->hearing.deaf, OUTAGE_EVENTS, error);
}

void reconciler_overrun(struct reconciler *r) {
	struct hearing *h = &r->hearing;
	uint64_t now = reconciler_now(r);
	bool in_a_row = h->n_overruns && now - h->overrun_usec <= FLOOD_GAP_USEC;
	struct occurrence occurrence = { .type = OCCURRENCE_OVERRUN };

	r->status.counts.n_overruns++;
	reconciler_dirty_all(r);
	h->n_overruns = in_a_row ? h->n_overruns + 1 : 1;
	h->overrun_usec = now;
	if (h->n_overruns >= FLOOD_IN_A_ROW) {
		backoff_start(&h->flood, &flood_limits, now);
		occurrence.pause_usec = h->flood.pause_usec;
		if (h->flood_told)
			return;
		h->flood_told = true;
	}
	reconciler_tell(r, &occurrence);
}

void reconciler_heard(struct reconciler *r, bool lost) {
	struct hearing *h = &r->hearing;

	if (!lost && h->flood_told) {
		outage_tell(r, &(struct outage){ .sort = OUTAGE_EVENTS }, r->spec.topology, 0, true);
		h->n_overruns = 0;
		h->flood = (struct backoff){};
		h->flood_told = false;
	}
	if (outage_end(r, &h->deaf))
		reconciler_dirty_all(r);
}

uint64_t reconciler_listen_usec(const struct reconciler *r) {
	const struct hearing *h = &r->hearing;

	return MAX(h->listen_usec, MAX(h->flood.due_usec, h->deaf.backoff.due_usec));
}
