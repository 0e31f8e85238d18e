/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why an object is left as it is, for `topod plan --explain`. It repeats no decision: the plan is finished, and whatever
 * has no change in it was left alone for one of these reasons.
 *
 * Declared and observed. "Made" is diff_is_ours():
 *
 *     differs in a field                    another topology declares that differently, or the kernel does not change it
 *     made                                  it is as declared, and topod made it
 *     only configured                       it is as declared, and topod never makes or deletes such an object
 *     else                                  it is as declared, and somebody else made it
 *
 * Observed and not declared:
 *
 *     the kernel made it                    …
 *     the ledger says made, but it is not
 *     as topod made it                      somebody made it anew, or changed by what topod recognises it
 *     it is on a link that is deleted       it goes with that
 *     it has topod's mark                   another topology made it, or the ledger was lost
 *     else                                  it is not topod's
 */
#include "plan/diff.h"

static const char *why_differing(const struct diff *diff, const struct object *object, const struct object *seen,
				 uint64_t differs) {
	bool kept = diff->input->kept && diff->input->kept(diff->input->userdata, object, differs) == differs;
	_cleanup_text_ struct text fields = {};

	object_print_fields(object, seen, differs, &fields);
	return arena_printf(&diff->plan->arena, "differs (%s), and %s", text_str(&fields),
			    kept ? "the kernel is known not to change that" : "topod leaves that as it is");
}

static const char *why_declared(const struct diff *diff, const struct object *object, const struct object *seen) {
	uint64_t differs = object->kind == seen->kind ? object_compare(object, seen) : 0;

	if (differs)
		return why_differing(diff, object, seen, differs);
	if (object->kind->class->permanent)
		return "is as declared";
	if (diff_is_ours(diff, object, seen))
		return "is as declared, and topod made it";
	if (object->external || object->kind->found)
		return "is as declared; topod configures it, and never makes or deletes it";
	return seen->kernel_made ? "is as declared, and the kernel made it" : "is as declared, and somebody else made it";
}

static const char *why_undeclared(const struct diff *diff, const struct object *seen) {
	const struct ledger_entry *entry = ledger_find_object(diff->input->ledger, seen);

	if (seen->kernel_made)
		return "is not in the file; the kernel made it";
	if (diff_stands_on_deleted(diff, seen))
		return "goes with its interface";
	if (entry && entry->made)
		return "is not in the file; topod made one like it, but this one was made or changed by somebody else";
	if (seen->owned)
		return "is not in the file; it has topod's mark, but the record of this topology does not have it";
	return "is not in the file, and topod did not make it";
}

static bool is_explained(const struct plan *plan, const struct object *object) {
	vec_foreach(spared, &plan->spared)
		if (spared->object == object)
			return true;
	return object->change;
}

void diff_explain(struct diff *diff) {
	state_foreach(observed, diff->input->observed)
		ns_foreach(seen, observed) {
			const struct object *object = observed->desired ? ns_find(observed->desired, seen) : NULL;

			if (is_explained(diff->plan, seen) || (object && is_explained(diff->plan, object)))
				continue;
			const char *why =
				object && !object->gone ? why_declared(diff, object, seen) : why_undeclared(diff, seen);
			vec_push(&diff->plan->explained, (struct spared){ seen, why });
		}
}
