/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who owns an object, judged by its mark, its MAC address and the ledger. This file decides only; it changes nothing.
 *
 *     ledger says made   same birth   marked or MAC   diff_is_ours   diff_may_go
 *     yes                yes          yes             yes            yes
 *     yes                yes          no              yes            not if it is a link: somebody took its name
 *     yes                no           any             no             no: recreated by somebody else
 *     no                 -            marked          yes            yes: the ledger was lost, the mark counts
 *     no                 -            not marked      no             no
 *
 * "Same birth" (ledger_is_same()) is true of kinds for which the kernel shows no birth, such as routes. Independent of
 * all this, an object is "found" if topod only configures it: it is `kind: existing`, a setting, or in an adopted
 * namespace. Then its fields may be changed and it is never deleted.
 */
#include "plan/diff.h"

bool diff_is_ours_by(const struct ledger_entry *entry, const struct object *observed) {
	if (entry && entry->made)
		return ledger_is_same(entry, observed);
	return observed->owned;
}

bool diff_is_ours(const struct diff *diff, const struct object *desired, const struct object *observed) {
	return diff_is_ours_by(ledger_find_object(diff->input->ledger, desired), observed);
}

bool diff_bears_mark(const struct ledger_entry *entry, const struct object *observed) {
	return observed->owned || (entry && entry->made && (observed->stamped || ledger_is_signed(entry, observed)));
}

bool diff_may_go(const struct diff *diff, const struct object *desired, const struct object *observed) {
	const struct ledger_entry *entry = ledger_find_object(diff->input->ledger, desired);

	return diff_is_ours_by(entry, observed) && (!object_is_link(observed) || diff_bears_mark(entry, observed));
}

bool diff_is_never_made(const struct object *desired) {
	return desired->external || desired->gone || desired->kind->class->permanent;
}

bool diff_is_found(const struct ns_state *desired_ns, const struct object *desired) {
	return diff_is_never_made(desired) || desired_ns->adopt;
}

/* What comes with a link, such as its link-local addresses, is left to its maker; an address without its route is not the
 * declared one. */
uint64_t diff_signs(const struct object *object) {
	uint64_t mask = 0;

	for (size_t i = 0; object->kind->markable && i < object->kind->n_fields; i++)
		if (!(object->kind->fields[i].flags & FIELD_UNPRINTED) &&
		    (object_is_link(object) || object->kind->fields[i].flags & FIELD_MARK ||
		     !(object->kind->fields[i].flags & FIELD_ONE_WAY)) &&
		    diff_fills_in(object, i))
			mask |= field_bit(i);
	return mask & ~object->returning;
}

bool diff_is_others(const struct ns_state *desired_ns, const struct object *object, const struct object *observed) {
	return object->kind == observed->kind && (desired_ns->adopt || observed->kernel_made);
}
