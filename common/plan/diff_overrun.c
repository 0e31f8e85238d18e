/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Declared objects that another change of this plan would overwrite: the setting of one interface if `all` is written,
 * settings of an interface whose MTU changes. They do not differ now, but would after that change. So the same plan sets
 * them again, and this does not count as drift.
 *
 * The same goes for undeclared objects that the kernel deletes together with one of topod's: with a primary IPv4 address it
 * deletes the secondary ones of its subnet (unless promote_secondaries is set). Those of others are made again.
 */
#include "model/kind_masks.h"
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
	mask_foreach(i, change->type == CHANGE_UPDATE ? change->fields : 0)
		if (change->desired->kind->fields[i].flags & FIELD_OVERRUNS)
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

static bool is_first(const struct object *seen) {
	return !seen->kind->out_of_order(seen, seen);
}

/* Unchanged, and not recorded as topod's. */
static void restore_after(struct diff *diff, struct change *deletion, const struct object *seen) {
	struct object *same = arena_memdup(&diff->plan->arena, seen, seen->kind->size);
	struct change *change = arena_new(&diff->plan->arena, struct change);

	same->gone = true;
	*change = (struct change){ .type = CHANGE_UPDATE,
				   .desired = same,
				   .observed = seen,
				   .fields = seen->kind->out_of_order(seen, seen),
				   .completes = true };
	vec_push(&diff->plan->changes, change);
	plan_add_need(diff->plan, change, deletion);
}

/* The new object and the one that would be taken along cannot both exist, so neither half of the recreation is done. */
static void keep(struct diff *diff, struct change *deletion, const struct object *seen) {
	struct change *creation = deletion->desired->change;
	_cleanup_text_ struct text noun = {};

	object_print_noun(seen, &noun);
	creation->text =
		arena_printf(&diff->plan->arena,
			     "cannot be changed: %s, which is somebody else's, would be lost, because the kernel refuses "
			     "it beside the new one",
			     text_str(&noun));
	creation->error = deletion->error = -EEXIST;
	creation->done = creation->refused = deletion->done = deletion->refused = true;
	ns_find(state_find(diff->input->observed, deletion->observed->ns), deletion->observed)->change = NULL;
}

void diff_taken_along(struct diff *diff) {
	for (size_t i = 0, n = diff->plan->changes.n; i < n; i++) {
		struct change *change = diff->plan->changes.items[i];
		const struct object *gone = change->type == CHANGE_DELETE ? change->observed : NULL;
		const struct ns_state *desired = gone ? state_find(diff->input->desired, gone->ns) : NULL;

		if (!gone || !gone->kind->comes_behind || !is_first(gone))
			continue;
		ns_foreach(seen, state_find(diff->input->observed, gone->ns))
			if (seen->kind != gone->kind || seen->change || seen->kernel_made || change->refused ||
			    ns_find(desired, seen) || !gone->kind->comes_behind(seen, gone) || is_first(seen))
				continue;
			else if (change->recreates && change->desired->kind->excludes(change->desired, seen))
				keep(diff, change, seen);
			else
				restore_after(diff, change, seen);
	}
}
