/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose an object is, from its mark, its sign and the ledger. It changes nothing. */
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
	return observed->owned || (entry && entry->made && ledger_is_signed(entry, observed));
}

bool diff_may_go(const struct diff *diff, const struct object *desired, const struct object *observed) {
	const struct ledger_entry *entry = ledger_find_object(diff->input->ledger, desired);

	return diff_is_ours(diff, desired, observed) && (!object_is_link(observed) || diff_bears_mark(entry, observed));
}

bool diff_is_never_made(const struct object *desired) {
	return desired->external || desired->gone || desired->kind->class->permanent;
}

bool diff_is_found(const struct ns_state *desired_ns, const struct object *desired) {
	return diff_is_never_made(desired) || desired_ns->adopt;
}
