/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which fields of a kind have a property, as masks: most objects set a few of some forty fields, and are handled field by
 * field in many places. The tables of kinds are constant, so the masks are worked out once, in each thread for itself.
 */
#include "model/kind_masks.h"

static bool is_needing(const struct field *field) {
	return (field->flags & FIELD_DEV || field->needs) && !(field->flags & FIELD_PEER);
}

static void add_field(struct kind_masks *masks, size_t i) {
	const struct field *field = &masks->kind->fields[i];
	const uint64_t bit = field_bit(i);
	const bool key = field->class == FIELD_KEY;

	masks->all |= bit;
	masks->keys |= key ? bit : 0;
	masks->identity |= key || field->flags & FIELD_IDENTITY ? bit : 0;
	masks->needing |= is_needing(field) ? bit : 0;
	masks->once |= field->flags & FIELD_ONCE ? bit : 0;
	masks->birth |= field->flags & FIELD_BIRTH ? bit : 0;
	masks->one_way |= field->flags & FIELD_ONE_WAY ? bit : 0;
	masks->ledger |= field->flags & FIELD_LEDGER ? bit : 0;
	masks->sign |= field->flags & FIELD_SIGN ? bit : 0;
	if (key && field->type == &type_link_name && masks->home < 0)
		masks->home = (int)i;
}

_Thread_local struct kind_masks kind_masks_slots[1 << KIND_MASKS_LOG2];

const struct kind_masks *kind_masks_fill(struct kind_masks *slot, const struct kind *kind) {
	*slot = (struct kind_masks){ .kind = kind, .home = -1 };
	for (size_t i = 0; i < kind->n_fields; i++)
		add_field(slot, i);
	return slot;
}
