/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matching objects when the kernel has chosen a part of their identity.
 *
 * A rule may be declared without a priority; the kernel then chooses one. It is recognised by the rest of its identity:
 * the observed rule is re-keyed here with the identity by which the file or the ledger knows it, and is then found like
 * any other object. Of several candidates, one that topod made is preferred to one that only looks the same. An
 * observed object that is declared or recorded with its full identity is left alone.
 */
#include "plan/diff.h"

static bool is_known(const struct diff *diff, const struct ns_state *desired, const struct object *object) {
	return ns_find(desired, object) || ledger_find_object(diff->input->ledger, object);
}

static void identify(struct diff *diff, const struct ns_state *desired, struct ns_state *observed, struct object *seen) {
	struct arena *arena = &diff->input->observed->arena;
	struct object *loose = arena_memdup(arena, seen, seen->kind->size);

	if (!seen->kind->loosen(loose))
		return;
	loose->hh = (UT_hash_handle){};
	object_seal(arena, loose);
	if (is_known(diff, desired, seen) || !is_known(diff, desired, loose) || ns_find(observed, loose))
		return;
	ns_remove(observed, seen);
	ns_add(observed, loose);
}

void diff_identify(struct diff *diff, struct ns_state *observed) {
	const struct ns_state *desired = observed->desired;

	for (int owned = 1; owned >= 0; owned--)
		for (struct object *seen = observed->objects, *next; seen; seen = next) {
			next = seen->hh.next;
			if (seen->kind->loosen && seen->owned == owned)
				identify(diff, desired, observed, seen);
		}
}
