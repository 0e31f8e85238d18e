/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel would acknowledge but not keep, as far as the file shows it: two keys that are one setting in the kernel,
 * a link that it makes on another one than requested, a hardware address that two links share.
 */
#include "language/spec_check.h"

/* Two keys for one attribute, or for one bit of it: the kernel keeps the one that is sent last. */
static void check_attributes(struct reading *r, const struct object *object) {
	const struct field *fields = object->kind->fields;

	for (uint64_t left = object->set; left; left &= left - 1) {
		const struct field *a = &fields[__builtin_ctzll(left)];

		if (a->wire != WIRE_DATA || a->flags & FIELD_HIDDEN)
			continue;
		for (const struct field *b = a + 1; b < fields + object->kind->n_fields; b++) {
			if (!object_has(object, (size_t)(b - fields)) || b->wire != a->wire || b->attr != a->attr ||
			    !a->attr || b->bit != a->bit || b->flags & FIELD_HIDDEN)
				continue;
			diag_error(r->parse.diags, object_position(object, b),
				   "'%s' and '%s' are the same setting in the kernel: write only one of them", a->name,
				   b->name);
			diag_note(r->parse.diags, object_position(object, a), "the other is here");
		}
	}
}

/* The kernel stacks the new link on the parent's own parent (macvlan_common_newlink(), drivers/net/macvlan.c). */
static void check_stacked(struct reading *r, const struct object *object, const struct object *below,
			  const struct field *field) {
	const struct link *link = (const struct link *)below;
	const struct need lower = object_lower(below);

	if (!lower.field || state_find_need(r->state, &lower) == object)
		return; /* a loop, which is reported elsewhere */
	diag_error(r->parse.diags, object_position(object, field),
		   "%s/%s is itself of kind %s, and the kernel would stack this interface on its parent; "
		   "write '%s: %s%s%s'",
		   below->ns, link->name, below->kind->name, field->name, streq(lower.ns, object->ns) ? "" : lower.ns,
		   streq(lower.ns, object->ns) ? "" : ":", lower.name);
}

static void check_address(struct reading *r, const struct object *object, const struct object *below) {
	const struct link *link = (const struct link *)object, *parent = (const struct link *)below;

	if (!object_has(object, LINK_MAC) || !object_has(below, LINK_MAC) ||
	    !memcmp(&link->mac, &parent->mac, sizeof(link->mac)))
		return;
	diag_error(r->parse.diags, object_position(object, &object->kind->fields[LINK_MAC]),
		   "this %s has the hardware address of its parent: write 'mac-address' for %s/%s instead",
		   object->kind->name, below->ns, parent->name);
}

static void check_link(struct reading *r, const struct ns_state *ns _unused_, const struct object *object) {
	if (!object_is_link(object))
		return;
	check_attributes(r, object);
	const struct need lower = object_lower(object);
	const struct object *below = state_find_need(r->state, &lower);
	if (!below || below == object)
		return;
	if (object->kind->same_parent && streq_ptr(below->kind->same_parent, object->kind->same_parent))
		check_stacked(r, object, below, lower.field);
	if (object->kind->shares_mac && object->kind->shares_mac(object))
		check_address(r, object, below);
}

const struct check check_kept = { .object = check_link };
