/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects: identity, comparing, printing, and what an object needs. The life of an object is described in object.h.
 *
 * A key is the class (a pointer) followed by the values of the KEY fields, byte by byte, and by what kind->key() adds:
 * a lookup is one comparison of bytes, and objects of different classes never meet. The printed id (object_print_id())
 * is the same identity for people and for the ledger, where it must survive a restart.
 */
#include "model/object.h"
#include "model/kind_masks.h"

enum {
	KEY_GUESS = 128, /* bytes; enough for nearly all keys */
};

struct object *object_new(struct arena *arena, const struct kind *kind, const char *ns) {
	struct object *object = arena_alloc(arena, kind->size);

	object->kind = kind;
	object->ns = ns;
	return object;
}

/* Equal values must give equal bytes: texts are added with their terminating zero, structs byte by byte. The types of KEY
 * fields must not have padding. */
static const void *key_of_field(const struct object *object, const struct field *field, size_t *ret_size) {
	const void *value = field_of(field, object);

	*ret_size = field->type->size;
	if (field->type != &type_text && field->type != &type_link_name)
		return value;
	const char *text = *(const char *const *)value ? *(const char *const *)value : "";
	*ret_size = strlen(text) + 1;
	return text;
}

void object_seal(struct arena *arena, struct object *object) {
	const struct kind *kind = object->kind;
	char buffer[KEY_GUESS];
	_cleanup_text_ struct text key = TEXT_IN(buffer);
	size_t size;

	text_addn(&key, (const char *)&kind->class, sizeof(kind->class));
	const struct kind_masks *masks = kind_masks(kind);
	mask_foreach(i, masks->keys) {
		const void *value = key_of_field(object, &kind->fields[i], &size);

		text_addn(&key, value, size);
	}
	object->needing = masks->needing;
	if (kind->key)
		kind->key(object, &key);
	object->hh.key = arena_memdup(arena, key.data, key.size);
	object->hh.keylen = (unsigned)key.size;
	object->hh.hashv = hash_bytes(key.data, key.size);
}

uint64_t object_compare(const struct object *desired, const struct object *observed) {
	const struct kind *kind = desired->kind;
	uint64_t differs = 0;

	const struct kind_masks *masks = kind_masks(kind);

	mask_foreach(i, desired->set & ~masks->keys & ~masks->once)
		if (!object_has(observed, i) || !field_equal(&kind->fields[i], desired, observed))
			differs |= field_bit(i);
	return differs;
}

bool object_same_fields(const struct object *a, const struct object *b) {
	if (a->set != b->set)
		return false;
	mask_foreach(i, a->set)
		if (!field_equal(&a->kind->fields[i], a, b))
			return false;
	return true;
}

const char *object_home_link(const struct object *object) {
	int home = kind_masks(object->kind)->home;

	return home < 0 ? NULL : *(const char *const *)field_of(&object->kind->fields[home], object);
}

bool object_leads_to(const struct object *object, const struct ip *ip) {
	const struct kind *kind = object->kind;
	struct lead lead = {};

	return ((kind->reaches && kind->reaches(object, &lead.to)) ||
		(kind->leads && kind->leads(object, &lead) && lead.direct)) &&
	       prefix_contains(&lead.to, ip);
}

void object_print_scope(const struct object *object, struct text *out) {
	const char *link = object_home_link(object);

	text_add(out, object->ns);
	if (link) {
		text_add(out, "/");
		text_add(out, link);
	}
}

void object_print_noun(const struct object *object, struct text *out) {
	if (object->kind->noun)
		object->kind->noun(object, out);
	else
		text_add(out, object->kind->name);
}

struct object_parts object_parts(const struct object *object, const char *scope, const char *noun) {
	/* The noun of a link is only its kind, and a topology has one table of each kind. */
	bool single = object_is_link(object) || object->kind->class->per_topology;
	const char *interface = strchr(scope, '/'), *key = single ? NULL : strchr(noun, ' ');

	return (struct object_parts){ .interface = interface ? interface + 1 : NULL,
				      .kind = object->kind->name,
				      .key = key ? key + 1 : NULL };
}

void object_print_id(const struct object *object, struct text *out) {
	object_print_scope(object, out);
	text_add(out, " ");
	/* Links of all kinds share one name space. */
	if (object_is_link(object))
		text_add(out, "link");
	else if (object->kind->id)
		object->kind->id(object, out);
	else
		object_print_noun(object, out);
}

void object_print_fields(const struct object *desired, const struct object *observed, uint64_t mask, struct text *out) {
	const struct kind *kind = desired->kind;
	bool first = true;

	for (size_t i = 0; i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];

		if (!(mask >> i & 1) || field->class == FIELD_KEY)
			continue;
		text_addf(out, "%s%s", first ? "" : ", ", field->name);
		first = false;
		if (field->flags & FIELD_UNPRINTED)
			continue;
		text_add(out, " ");
		if (observed && object_has(observed, i)) {
			field_print(field, observed, out);
			text_add(out, " -> ");
		}
		field_print(field, desired, out);
	}
}

struct position object_position(const struct object *object, const struct field *field) {
	if (field && object->positions && field >= object->kind->fields &&
	    field < object->kind->fields + object->kind->n_fields) {
		struct position position = object->positions[field - object->kind->fields];

		if (position.line)
			return position;
	}
	return object->position;
}

/* The next object named inside the value; false: there are no more. */
static bool next_item(const struct object *object, const struct field *field, size_t i, size_t item, struct need *need) {
	*need = (struct need){ .field = field, .class = field->needs, .ns = object->ns, .next = i, .item = item + 1 };
	return field->type->names_key(field_of(field, object), item, &need->key, &need->size);
}

bool object_next_need(const struct object *object, struct need *need) {
	size_t item = need->item;
	uint64_t named = object->needing ? object->needing & (object->set | kind_masks(object->kind)->keys) : 0;

	for (uint64_t left = named >> need->next << need->next; left; left &= left - 1, item = 0) {
		size_t i = (size_t)__builtin_ctzll(left);
		const struct field *field = &object->kind->fields[i];

		const struct class *class = field->flags & FIELD_DEV ? &class_link : field->needs;
		const struct link_ref *ref = field->type == &type_link_ref ? field_of(field, object) : NULL;

		if (field->type->names_key) {
			if (next_item(object, field, i, item, need))
				return true;
			continue;
		}
		*need = (struct need){ .field = field, .class = class, .ns = ref ? ref->ns : object->ns, .next = i + 1 };
		need->key = ref ? ref->name : key_of_field(object, field, &need->size);
		if (ref && ref->name)
			need->size = strlen(ref->name) + 1;
		if (class == &class_link)
			need->name = need->key;
		if (need->name ? *need->name : need->key && !is_all_zeros(need->key, need->size))
			return true;
	}
	return false;
}

struct need object_lower(const struct object *object) {
	object_foreach_need(need, object)
		if (need.field->flags & FIELD_LOWER)
			return need;
	return (struct need){};
}
