/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is moved rather than made (an interface of the host) comes with a sign of its own. It is noted before the move, so
 * that after a crash in between it is told from what somebody else has put in its place meanwhile.
 */
#include "diff.h"

static const char *sign_of(struct arena *arena, const struct object *link) {
	for (size_t i = 0; i < link->kind->n_fields; i++) {
		const struct field *field = &link->kind->fields[i];
		_cleanup_text_ struct text text = {};

		if (!(field->flags & FIELD_SIGN) || !object_has(link, i))
			continue;
		field_print(field, link, &text);
		return arena_strdup(arena, text_str(&text));
	}
	return NULL;
}

static const struct object *signed_copy(struct diff *diff, const struct object *object, const struct object *link) {
	const char *sign = sign_of(&diff->plan->arena, link);
	struct object *copy = arena_memdup(&diff->plan->arena, object, object->kind->size);

	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (!(field->flags & FIELD_SIGN) || !(field->flags & FIELD_ONCE) || !sign)
			continue;
		*(const char **)field_of(field, copy) = sign;
		copy->set |= UINT64_C(1) << i;
	}
	return copy;
}

const struct object *diff_sign(struct diff *diff, const struct change *creation) {
	const struct object *object = creation->desired;
	const struct kind *kind = object->kind;

	if (!kind->is_made_of)
		return object;
	ns_foreach(seen, state_find(diff->input->observed, kind->sent_in(creation)))
		if (seen->kind->class == CLASS_LINK && kind->is_made_of(object, seen))
			return signed_copy(diff, object, seen);
	return object;
}
