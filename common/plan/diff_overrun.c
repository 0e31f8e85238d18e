/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Declared objects that another change of this plan would overwrite: the setting of one interface if `all` is written,
 * settings of an interface whose MTU changes. They do not differ now, but would after that change. So they are set
 * again in the same plan, and this does not count as drift.
 */
#include "plan/diff.h"

static bool is_planned(const struct diff *diff, const struct object *object) {
	vec_foreach(at, &diff->plan->changes)
		if ((*at)->desired == object)
			return true;
	return false;
}

static void overrun(struct diff *diff, struct change *change, struct ns_state *desired, struct ns_state *observed) {
	ns_foreach(object, desired) {
		if (!object->kind->overrun_by || object->gone || object == change->desired ||
		    !object->kind->overrun_by(object, change) || is_planned(diff, object))
			continue;
		const struct object *seen = ns_find(observed, object);
		if (!seen && !diff_was_scanned(observed, object))
			vec_push(&diff->plan->also, object);
		if (!seen)
			continue;
		struct change *again = arena_new(&diff->plan->arena, struct change);
		*again = (struct change){ .type = CHANGE_UPDATE,
					  .desired = object,
					  .observed = seen,
					  .fields = diff_all_fields(object),
					  .completes = true };
		vec_push(&diff->plan->changes, again);
		plan_add_need(diff->plan, again, change);
	}
}

static bool may_overrun(const struct change *change) {
	for (uint64_t left = change->type == CHANGE_UPDATE ? change->fields : 0; left; left &= left - 1)
		if (change->desired->kind->fields[__builtin_ctzll(left)].flags & FIELD_OVERRUNS)
			return true;
	return false;
}

void diff_overrun(struct diff *diff) {
	for (size_t i = 0, n = diff->plan->changes.n; i < n; i++) {
		struct change *change = diff->plan->changes.items[i];

		if (!may_overrun(change))
			continue;
		struct ns_state *desired = state_find(diff->input->desired, change->desired->ns);
		struct ns_state *observed = state_find(diff->input->observed, change->desired->ns);
		if (desired && observed)
			overrun(diff, change, desired, observed);
	}
}
