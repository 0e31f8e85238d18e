/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One object by its kind's table: which fields have to be written, and their values as nodes.
 *
 * A value is printed by its type, whose parse() reads that text again.
 */
#include "export/export_private.h"

#include "kind/link.h"

static bool is_text(const struct field *field) {
	return field->type == &type_text || field->type == &type_link_name;
}

/* Is the text a number or a boolean, rather than a string that looks like one? */
static bool is_plain_value(const struct field *field, const char *text) {
	uint32_t number;

	if (is_text(field) || field->type == &type_link_ref)
		return false;
	return streq(text, "true") || streq(text, "false") || parse_u32(*text == '-' ? text + 1 : text, &number) == 0;
}

static const struct node *text_node(struct export *x, const struct field *field, const char *text) {
	const char *kept = arena_strdup(x->arena, text);

	return is_plain_value(field, text) ? build_word(x->arena, (struct position){}, kept)
					   : build_text(x->arena, (struct position){}, kept);
}

static const struct node *value_node(struct export *x, const char *ns, const struct field *field, const void *base);

static const struct node *list_node(struct export *x, const char *ns, const struct field *field, const void *value) {
	const struct type *type = field->type;
	node_items items = {};
	const void *item;
	uint64_t set;

	for (size_t i = 0; (item = type->item(value, i, &set)); i++) {
		node_pairs pairs = {};

		for (size_t k = 0; k < type->n_keys; k++)
			if (set >> k & 1)
				pairs_add(x, &pairs, type->keys[k].name, value_node(x, ns, &type->keys[k], item));
		if (type->is_mapping)
			return pairs_finish(x, &pairs);
		vec_push(&items, pairs_finish(x, &pairs));
	}
	return items_finish(x, &items);
}

const struct node *export_flow(struct export *x, const struct text *text) {
	_cleanup_(diags_done) struct diags quiet = {};

	return yaml_read(x->arena, &quiet,
			 diags_add_source(&quiet, (struct source_text){ .text = text_str(text), .size = text->size }));
}

/* "10 20-29" as [10, 20-29]. */
static const struct node *words_node(struct export *x, const struct field *field, const char *text) {
	char *rest = arena_strdup(x->arena, text), *word;
	node_items items = {};

	while ((word = strsep(&rest, " ")))
		vec_push(&items, text_node(x, field, word));
	return items_finish(x, &items);
}

static const struct node *value_node(struct export *x, const char *ns, const struct field *field, const void *base) {
	const struct link_ref *ref = field->type == &type_link_ref ? field_of(field, base) : NULL;
	_cleanup_text_ struct text text = {};

	if (field->type->is_list) { /* without keys, as its type prints it */
		field_print_exact(field, base, &text);
		return export_flow(x, &text);
	}
	if (field->type->item)
		return list_node(x, ns, field, field_of(field, base));
	if (ref && ref->name && streq_ptr(ref->ns, ns))
		text_add(&text, ref->name);
	else
		field_print(field, base, &text);
	if (field->type->words)
		return words_node(x, field, text_str(&text));
	return text_node(x, field, text_str(&text));
}

const struct node *export_value(struct export *x, const struct object *object, const struct field *field) {
	_cleanup_text_ struct text text = {};

	if (field->type->exact && object->kind->needs_exact && object->kind->needs_exact(object)) {
		field->type->exact(field, field_of(field, object), &text);
		return text_node(x, field, text_str(&text));
	}
	return value_node(x, object->ns, field, object);
}

/* A value that no file needs: none, false, a number below the minimum. */
static bool is_nothing(const struct field *field, const void *base) {
	const void *value = field_of(field, base);
	_cleanup_text_ struct text text = {};

	if (is_text(field))
		return !*(const char *const *)value || !**(const char *const *)value;
	if (field->type == &type_bool || field->type == &type_integer)
		return *(const uint32_t *)value == 0 && (field->type == &type_bool || field->min || field->names);
	field_print(field, base, &text);
	return !text.size || streq(text.data, "none");
}

static bool is_default(const struct object *object, const struct field *field, const char *text) {
	_cleanup_(arena_done) struct arena arena = {};
	void *base = arena_alloc(&arena, object->kind->size);

	return field_from_text(&arena, object->ns, field, text, base) && field_equal(field, base, object);
}

/* Does the topology's file declare this field, one of those of all links? If the export left it out, it would go back to its
 * default. Everything else is changed as a whole, or follows from other keys. */
static bool is_declared(const struct export *x, const struct object *object, size_t i) {
	bool kept = x->options->ledger && object_is_link(object) && i < LINK_N_FIELDS;
	const struct ledger_entry *entry = kept ? ledger_find_object(x->options->ledger, object) : NULL;
	int at = entry ? ledger_counterpart(entry, object->kind, i) : -1;

	return at >= 0 && ledger_value(entry, (size_t)at);
}

bool export_says(const struct export *x, const struct object *object, const struct field *field, size_t i) {
	const char *text = field->initial ? field->initial : field->fallback;

	if (!(object_has(object, i) || field->class == FIELD_KEY) ||
	    field->flags & (FIELD_HIDDEN | FIELD_ONCE | FIELD_UNPRINTED))
		return false;
	if (object->kind->is_usual && object->kind->is_usual(x->seen, object, i) && !is_declared(x, object, i))
		return false;
	return text ? !is_default(object, field, text) : !is_nothing(field, object);
}

void export_fields(struct export *x, const struct object *object, const struct field *fields, size_t n, uint64_t skip,
		   node_pairs *pairs) {
	for (size_t i = 0; i < n && i < object->kind->n_fields; i++)
		if (!(skip & field_bit(i)) && export_says(x, object, &fields[i], i))
			pairs_add(x, pairs, fields[i].name, export_value(x, object, &fields[i]));
}

const struct node *export_entry(struct export *x, const struct object *object, const struct mapping *mapping) {
	node_pairs pairs = {};

	export_fields(x, object, object->kind->fields, object->kind->n_fields, 0, &pairs);
	if (mapping->bare && pairs.n == 1 && streq(pairs.items[0].key->text, mapping->bare)) {
		const struct node *value = pairs.items[0].value;

		vec_done(&pairs);
		return value;
	}
	return pairs_finish(x, &pairs);
}
