/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What disappears with a namespace that this plan removes: the other end of a pair that has one end there, and a link
 * whose lower link is there. The kernel takes a namespace apart some time after its last name is gone, so the scan may
 * still show these objects, looking as declared.
 */
#include "plan/diff.h"

enum {
	DEPTH_MAX = 16, /* only a bound; loops are refused earlier */
};

static bool is_removed(const struct diff *diff, const char *name) {
	const struct object *self = ns_self(state_find(diff->input->observed, name));
	const struct ledger_entry *entry;

	if (!self || ns_self(state_find(diff->input->desired, name)))
		return false;
	entry = ledger_find_object(diff->input->ledger, self);
	return entry && entry->made && diff_is_as_made(entry, self);
}

static const char *goes_with(const struct diff *diff, const struct object *seen, unsigned depth);

/* The same for the link that the field refers to. */
static const char *goes_with_other(const struct diff *diff, const struct field *field, const struct link_ref *ref,
				   unsigned depth) {
	const struct ns_state *there;
	const struct object *other;

	if (!ref->ns)
		return NULL;
	if (is_removed(diff, ref->ns))
		return ref->ns;
	there = state_find(diff->input->observed, ref->ns);
	other = there && ref->name && !(field->flags & FIELD_PEER) ? ns_find_link(there, ref->name) : NULL;
	return other ? goes_with(diff, other, depth + 1) : NULL;
}

static const char *goes_with(const struct diff *diff, const struct object *seen, unsigned depth) {
	const char *ns = NULL;

	for (size_t i = 0; i < seen->kind->n_fields && !ns && depth < DEPTH_MAX; i++) {
		const struct field *field = &seen->kind->fields[i];

		if (field->flags & (FIELD_LOWER | FIELD_PEER | FIELD_UNDERLAY) && object_has(seen, i))
			ns = goes_with_other(diff, field, field_of(field, seen), depth);
	}
	return ns;
}

const char *diff_goes_with(const struct diff *diff, const struct object *seen) {
	return goes_with(diff, seen, 0);
}
