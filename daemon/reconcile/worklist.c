/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/worklist.h"

#include <utlist.h>

#include "reconcile/failures.h"

enum {
	REST_FACTOR = 100,          /* a namespace rests for this many times the duration of its scan, … */
	REST_MAX_USEC = 250 * 1000, /* … but not longer than this, so that other repairs are not late */
};

struct ns_info *worklist_find(const struct worklist *w, const char *ns) {
	struct ns_info *info = NULL;

	HASH_FIND_STR(w->all, ns, info);
	return info;
}

void worklist_add(struct worklist *w, const char *ns) {
	struct ns_info *info = worklist_find(w, ns);

	if (info)
		return;
	info = xmalloc(sizeof(*info));
	info->name = xstrdup(ns);
	info->dirty.bit = SCAN_SET_NEXT;
	info->later.bit = SCAN_SET_LATER;
	info->scanned.bit = SCAN_SET_NOW;
	w->n_unverified++;
	HASH_ADD_KEYPTR(hh, w->all, info->name, strlen(info->name), info);
}

void worklist_remove(struct worklist *w, struct ns_info *info) {
	HASH_DEL(w->all, info); /* NOLINT(clang-analyzer-core.NullDereference): it is in the table */
	scan_set_done(&info->dirty);
	scan_set_done(&info->later);
	scan_set_done(&info->scanned);
	worklist_relist(w, info);
	worklist_set_pending(w, info, 0);
	worklist_set_verdict(w, info, NS_VERIFIED);
	w->n_unreachable -= outage_stands(&info->outage);
	outage_done(&info->outage);
	vec_foreach(waiting, &info->waiting) {
		waiting->object->waits = false;
		w->n_waiting -= waiting->why != NULL;
	}
	vec_done(&info->waiting);
	free(info->name);
	free(info);
}

void worklist_done(struct worklist *w) {
	struct ns_info *info, *next;

	HASH_ITER(hh, w->all, info, next)
		worklist_remove(w, info);
}

/* ---- dirty ---- */

void worklist_relist(struct worklist *w, struct ns_info *info) {
	bool listed = info->prev; /* the first one's points to the last */

	if (listed == (!scan_set_is_empty(&info->dirty) || !scan_set_is_empty(&info->later)))
		return;
	if (listed) {
		DL_DELETE(w->dirty, info);
		info->prev = info->next = NULL;
	} else {
		DL_APPEND(w->dirty, info);
	}
}

void worklist_grown(struct worklist *w, struct ns_info *info, uint64_t now) {
	if (!info->prev)
		info->since_usec = now;
	worklist_relist(w, info);
}

void worklist_mark(struct worklist *w, struct ns_info *info, uint64_t now) {
	if (scan_set_add_whole(&info->dirty))
		worklist_grown(w, info, now);
}

void worklist_mark_all(struct worklist *w, uint64_t now) {
	for (struct ns_info *info = w->all; info; info = info->hh.next)
		worklist_mark(w, info, now);
}

/* ---- what scans found ---- */

void worklist_set_verdict(struct worklist *w, struct ns_info *info, enum ns_verdict verdict) {
	w->n_unverified -= info->verdict == NS_UNVERIFIED;
	w->n_unverified += verdict == NS_UNVERIFIED;
	info->verdict = verdict;
}

void worklist_set_pending(struct worklist *w, struct ns_info *info, size_t n) {
	if (n && !info->n_pending)
		DL_APPEND2(w->pending, info, pending_prev, pending_next);
	else if (!n && info->n_pending)
		DL_DELETE2(w->pending, info, pending_prev, pending_next);
	w->n_pending += n - info->n_pending;
	info->n_pending = n;
}

void worklist_mark_unverified(struct worklist *w, struct ns_info *info, uint64_t now) {
	worklist_mark(w, info, now);
	worklist_set_verdict(w, info, NS_UNVERIFIED);
}

void worklist_mark_blocked(struct worklist *w, uint64_t now) {
	for (struct ns_info *info = w->all; info; info = info->hh.next)
		if (info->verdict == NS_BLOCKED)
			worklist_mark_unverified(w, info, now);
}

/* ---- when ---- */

void worklist_rest(struct ns_info *info, uint64_t began, uint64_t now) {
	info->rest_until_usec = now + MIN((now - began) * REST_FACTOR, (uint64_t)REST_MAX_USEC);
}

uint64_t worklist_ns_due(const struct ns_info *info, const struct failures *failures) {
	bool rests = info->rest_until_usec && failure_in(failures, info->name);

	return MAX(info->outage.backoff.due_usec, rests ? info->rest_until_usec : 0);
}

uint64_t worklist_due(const struct worklist *w, const struct failures *failures) {
	uint64_t due = UINT64_MAX;

	for (const struct ns_info *info = w->dirty; info && due; info = info->next)
		due = MIN(due, worklist_ns_due(info, failures));
	for (const struct ns_info *info = w->pending; info; info = info->pending_next)
		due = MIN(due, info->scan_again_usec);
	return due;
}

void worklist_hurry(struct worklist *w) {
	for (struct ns_info *info = w->all; info; info = info->hh.next) {
		info->rest_until_usec = 0;
		info->outage.backoff.due_usec = 0;
	}
}
