/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What disappears with something that this plan removes: the other end of a pair, and a link whose lower link goes. A
 * namespace takes its links along; the kernel destroys it some time after its last name is gone, so the scan may still show
 * these objects as declared.
 */
#include "plan/diff.h"

enum {
	DEPTH_MAX = 16, /* only a bound; loops are refused earlier */
};

/* Is it no longer declared, and topod's? */
static bool is_removed(const struct diff *diff, const struct object *seen) {
	const struct ledger_entry *entry;

	if (!seen || ns_find(state_find(diff->input->desired, seen->ns), seen))
		return false;
	entry = ledger_find_object(diff->input->ledger, seen);
	return entry && entry->made && diff_is_as_made(entry, seen);
}

static const char *goes_with(const struct diff *diff, const struct object *seen, unsigned depth);

/* The same for the link that the field refers to. */
static const char *goes_with_other(const struct diff *diff, const struct field *field, const struct link_ref *ref,
				   unsigned depth) {
	const struct ns_state *there = ref->ns ? state_find(diff->input->observed, ref->ns) : NULL;
	const struct object *other = there && ref->name ? ns_find_link(there, ref->name) : NULL;

	if (!there)
		return NULL;
	if (is_removed(diff, ns_self(there)) || is_removed(diff, other))
		return ref->ns;
	return other && !(field->flags & FIELD_PEER) ? goes_with(diff, other, depth + 1) : NULL;
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
