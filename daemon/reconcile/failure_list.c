/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is the matter just now, one entry for each: for `topod status` and the result of `topod apply`.
 */
#include "reconcile/failures.h"
#include "reconcile/pass.h"
#include "reconcile/reconcile.h"

void reconciler_failures(const struct reconciler *r, void (*fn)(void *userdata, const struct failure *), void *userdata) {
	static const char *const names[] = {
		[FAILURE_FAILING] = "failing",
		[FAILURE_CONTENDED] = "fought over",
		[FAILURE_REPORTED] = "reported",
		[FAILURE_HELD] = "held",
	};

	outages_each(r, fn, userdata);
	for (const struct failure_record *t = r->failures.records; t; t = t->hh.next) {
		struct failure failure = {
			.scope = t->scope,
			.noun = t->noun,
			.state = names[t->state],
			.error = t->error,
			.n_tries = t->n_tries,
			.next_try_usec = failure_next(&r->failures, t),
			.position = t->position,
			.file = spec_file_of(&r->spec, t->position),
		};

		if (t->state != FAILURE_WATCHED)
			fn(userdata, &failure);
	}
}
