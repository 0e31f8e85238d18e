/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a plan: calls the functions of diff*.c in the right order, with the reason at each step. They decide what to
 * change; order.c puts the changes into the order of execution.
 */
#include "plan/plan.h"

#include "plan/diff.h"
#include "plan/order.h"

enum {
	NEEDS_FIRST = 4, /* initial room, a power of two; doubled when full */
};

void plan_make(struct plan *plan, const struct plan_input *input) {
	struct diff diff = { .plan = plan, .input = input };

	state_foreach(observed, input->observed)
		observed->desired = state_find(input->desired, observed->name);
	state_foreach(observed, input->observed)
		diff_identify(&diff, observed);
	state_foreach(observed, input->observed)
		diff_namespace(&diff, observed);
	/* What depends on something awaited waits with it, so the awaited objects come first. */
	state_foreach(observed, input->observed)
		diff_awaited(&diff, observed);
	/* Links of all namespaces come before what depends on them, because a pair has its ends in two namespaces.
	 * Links that are recreated come before those that are changed, because deleting one end of a pair deletes
	 * the other. */
	state_foreach(observed, input->observed)
		diff_class(&diff, observed, &class_link, true);
	for (const struct class *const *class = classes + 1; *class;
	     class ++) /* the first class, namespaces, is done above */
		state_foreach(observed, input->observed)
			diff_class(&diff, observed, *class, false);
	diff_overrun(&diff);
	state_foreach(observed, input->observed)
		diff_extra(&diff, observed);
	diff_taken_along(&diff);
	diff_pointless(&diff);
	state_foreach(observed, input->observed)
		if (!observed->scope)
			diff_renamed(&diff, observed);
	state_foreach(observed, input->observed)
		if (!observed->scope)
			diff_lost(&diff, observed);
	plan_order(plan, input);
	plan->explains = input->explains;
	if (plan->explains)
		diff_explain(&diff);
}

void plan_add_need(struct plan *plan, struct change *change, struct change *need) {
	unsigned n = change->n_needs;

	if (!need || need == change)
		return;
	for (unsigned i = 0; i < n; i++)
		if (change->needs[i] == need)
			return;
	if (n == 0 || (n >= NEEDS_FIRST && !(n & (n - 1)))) { /* full */
		struct change **more = arena_newn(&plan->arena, struct change *, MAX(2 * n, (unsigned)NEEDS_FIRST));

		if (n)
			memcpy(more, change->needs, n * sizeof(change->needs[0]));
		change->needs = more;
	}
	change->needs[change->n_needs++] = need;
}

void plan_done(struct plan *plan) {
	vec_foreach(object, &plan->touched)
		(*object)->change = NULL;
	vec_done(&plan->touched);
	vec_done(&plan->changes);
	vec_done(&plan->also);
	vec_done(&plan->pending);
	vec_done(&plan->waiting);
	vec_done(&plan->failed);
	vec_done(&plan->renamed);
	vec_done(&plan->found);
	vec_done(&plan->born);
	vec_done(&plan->lost);
	vec_done(&plan->unnoted);
	vec_done(&plan->notes);
	vec_done(&plan->released);
	vec_done(&plan->spared);
	vec_done(&plan->explained);
	arena_done(&plan->arena);
}
