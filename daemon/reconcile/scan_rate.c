/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pause is so many times as long as the look, which bounds what looks cost to a part of the time. It ends before somebody
 * would notice that something else in the namespace waits for its repair. The first event after a quiet time finds no pause.
 */
#include "reconcile/scan_rate.h"

enum {
	REST_FACTOR = 100, /* looks take at most a hundredth of the time */
	REST_MAX_USEC = 250 * 1000,
	LISTEN_USEC = 10 * 1000, /* between two readings of events while there is one that has to wait */
};

void scan_rate_scanned(const struct pass *pass, struct ns_info *info) {
	uint64_t now = pass->r->hooks.now(pass->r->hooks.userdata);

	if (pass->n_rounds == 0 && !pass->r->applying && failure_in(&pass->r->failures, info->name))
		info->rest_until_usec = now + MIN((now - pass->now_usec) * REST_FACTOR, (uint64_t)REST_MAX_USEC);
}

uint64_t scan_rate_due(const struct reconciler *r, const struct ns_info *info) {
	return info->rest_until_usec && failure_in(&r->failures, info->name) ? info->rest_until_usec : 0;
}

bool scan_rate_rests(struct reconciler *r, const struct ns_info *info, uint64_t now_usec) {
	bool rests = scan_rate_due(r, info) > now_usec;

	if (rests)
		r->listen_usec = now_usec + LISTEN_USEC;
	return rests;
}

void scan_rate_hurry(struct reconciler *r) {
	for (struct ns_info *info = r->infos; info; info = info->hh.next)
		info->rest_until_usec = 0;
}
