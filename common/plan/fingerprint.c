/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MAC address by which a new link is recognised before it can be marked.
 *
 * topod may crash between creating a link and setting its alias. The ledger therefore records, before the request, the
 * MAC address that the link will have (FIELD_SIGN). Usually that is the one in the desired object. Two sorts of links
 * do not choose theirs: an interface that is moved in brings its own, and some links (ipvlan, a macvlan in passthru
 * mode) take that of their lower link. diff_sign() puts that address into the desired object, so that after a crash the link
 * can be distinguished from one that somebody else has put in its place.
 */
#include "plan/diff.h"

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

/* The lower link: as declared, if its MAC address is declared, otherwise as observed; NULL: there is none. */
static const struct object *find_below(const struct diff *diff, const struct object *object) {
	const struct need lower = object_lower(object);
	const struct object *declared = state_find_need(diff->input->desired, &lower);

	if (declared && sign_of(&diff->plan->arena, declared))
		return declared;
	return state_find_need(diff->input->observed, &lower);
}

/* The fields common to all links come first in each table, in the same order. */
static const struct object *copy_sign(struct diff *diff, const struct object *object, const struct object *below) {
	struct object *copy = arena_memdup(&diff->plan->arena, object, object->kind->size);

	for (size_t i = 0; i < MIN(object->kind->n_fields, below->kind->n_fields); i++) {
		const struct field *field = &object->kind->fields[i];

		if (!(field->flags & FIELD_SIGN) || field->type != below->kind->fields[i].type || !object_has(below, i))
			continue;
		memcpy(field_of(field, copy), field_of(field, below), field->type->size);
		copy->set |= field_bit(i);
	}
	return copy;
}

/* The link to be moved in: the one that was moved in before, if somebody has moved it back by hand, under any name;
 * otherwise the one that the file names. *ret_noted: the ledger's record of the former, or NULL. */
static struct object *find_source(struct diff *diff, const struct object *object, const struct ns_state *origin,
				  const struct object **ret_noted) {
	const struct ledger_entry *entry = ledger_find_object(diff->input->ledger, object);

	ns_foreach(seen, entry ? origin : NULL) {
		if (!object_is_link(seen) || !seen->owned || !ledger_is_signed(entry, seen))
			continue;
		*ret_noted = diff_noted_object(diff, seen);
		if (*ret_noted && object->kind->is_same_source(object, *ret_noted, seen))
			return seen;
	}
	*ret_noted = NULL;
	ns_foreach(seen, origin)
		if (object_is_link(seen) && object->kind->is_made_of(object, seen))
			return seen;
	return NULL;
}

const struct object *diff_sign(struct diff *diff, struct change *creation) {
	const struct object *object = creation->desired, *noted;
	const struct kind *kind = object->kind;
	const struct object *below = kind->shares_mac && kind->shares_mac(object) ? find_below(diff, object) : NULL;

	if (below)
		return copy_sign(diff, object, below);
	if (!kind->is_made_of)
		return object;
	struct object *seen = find_source(diff, object, state_find(diff->input->observed, kind->sent_in(creation)), &noted);
	if (!seen)
		return object;
	struct object *copy = arena_memdup(&diff->plan->arena, object, kind->size);
	kind->take(&diff->plan->arena, copy, seen, noted);
	diff_point(diff, seen, creation); /* so that it is not given back as undeclared */
	if (noted) {
		_cleanup_text_ struct text where = {};

		object_print_scope(seen, &where);
		creation->moved = arena_strdup(&diff->plan->arena, where.data);
	}
	return copy;
}
