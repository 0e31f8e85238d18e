/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a difference becomes changes: fields that a create request cannot carry follow in updates, and each update is sent by
 * one protocol. What differs, and what to do about it, is decided elsewhere (diff.c).
 */
#include "model/kind_masks.h"
#include "plan/diff.h"

struct change *diff_add(struct diff *diff, enum change_type type, const struct object *desired,
			const struct object *observed, uint64_t fields) {
	struct change *change = arena_new(&diff->plan->arena, struct change);

	change->type = type;
	change->desired = desired;
	change->observed = observed;
	change->fields = fields;
	vec_push(&diff->plan->changes, change);
	return change;
}

void diff_point(struct diff *diff, struct object *object, struct change *change) {
	object->change = change;
	vec_push(&diff->plan->touched, object);
}

void diff_refuse(struct diff *diff, struct object *desired, const struct object *observed, int error, const char *text) {
	struct change *change = diff_add(diff, CHANGE_CREATE, desired, observed, 0);

	change->done = change->refused = true;
	change->error = error;
	change->text = text;
	diff_point(diff, desired, change); /* what depends on it is not tried */
}

uint64_t diff_all_fields(const struct object *object) {
	const struct kind_masks *masks = kind_masks(object->kind);

	return object->set & ~object->returning & ~(masks->keys | masks->once | masks->one_way);
}

/* Is a field declared that the kernel reads at the moment when the link comes up? */
static bool has_before_up(const struct object *object) {
	mask_foreach(i, object->set)
		if (object->kind->fields[i].flags & FIELD_BEFORE_UP)
			return true;
	return false;
}

/* The fields that follow in an update because the create request cannot carry them. For the second end of a pair, and for a
 * link that joins its controller while it is down, these include the flags and the controller. The flags also follow if
 * something has to be set before the link is up. */
static uint64_t following_fields(const struct object *object, bool second) {
	const struct kind *kind = object->kind;
	const struct kind_masks *masks = kind_masks(kind);
	bool joins = second || object->joins_down, flags_follow = joins || has_before_up(object);
	uint64_t mask = 0;

	mask_foreach(i, object->set & ~masks->keys & ~masks->once) {
		const struct field *field = &kind->fields[i];
		bool late = field->flags & FIELD_AFTER || kind->bare_create || kind->last & field_bit(i) ||
			    (flags_follow && (field->wire == WIRE_IFF || field->wire == WIRE_IFF_NOT)) ||
			    (joins && field->flags & FIELD_CONTROLLER);

		if (late)
			mask |= field_bit(i);
	}
	return mask;
}

uint64_t diff_take_fields(const struct object *object, uint64_t *left) {
	uint64_t part = 0;

	for (size_t i = 0; i < object->kind->n_fields; i++)
		if (object->kind->fields[i].wire != WIRE_GENERIC)
			part |= *left & field_bit(i);
	part = part ? part : *left;
	*left &= ~part;
	return part;
}

static void add_following(struct diff *diff, const struct object *object, struct change *creation, bool second) {
	for (uint64_t left = following_fields(object, second); left;) {
		struct change *change = diff_add(diff, CHANGE_UPDATE, object, NULL, diff_take_fields(object, &left));

		change->completes = true;
		change->recreates = creation->recreates;
		plan_add_need(diff->plan, change, creation);
	}
}

struct change *diff_create(struct diff *diff, struct object *object, bool recreates) {
	uint64_t later = following_fields(object, false);
	struct change *change = diff_add(diff, CHANGE_CREATE, object, NULL, object->set & ~later);

	change->desired = diff_sign(diff, change);
	change->recreates = recreates;
	diff_point(diff, object, change);
	add_following(diff, object, change, false);
	if (object->twin) {
		diff_point(diff, object->twin, change);
		add_following(diff, object->twin, change, true);
	}
	return change;
}

void diff_delete(struct diff *diff, struct object *observed, const struct object *desired, bool recreates) {
	if (observed->change)
		return;
	struct change *change = diff_add(diff, CHANGE_DELETE, desired, observed, 0);
	change->recreates = recreates;
	diff_point(diff, observed, change);
}
