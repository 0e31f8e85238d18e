/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a mapping of the file by a table of fields, and reading, printing and comparing the value of one field. The
 * types of values are in type*.c.
 */
#include "model/field.h"

#include "yaml/other_words.h"

void field_print(const struct field *field, const void *base, struct text *out) {
	field->type->print(field, field_of(field, base), out);
}

/* In double quotes, unless it is a word or in brackets. */
static void print_quoted(const struct field *field, const void *base, struct text *out) {
	bool bare = field->type->item || field->type->is_list || field->type == &type_bool || field->type == &type_enum;
	_cleanup_text_ struct text value = {};

	field_print_exact(field, base, &value);
	text_add(out, bare ? "" : "\"");
	for (const char *c = text_str(&value); *c; c++)
		text_addf(out, "%s%c", !bare && (*c == '"' || *c == '\\') ? "\\" : "", *c);
	text_add(out, bare ? "" : "\"");
}

/* In YAML's flow style. */
static void print_items(const struct type *type, const void *value, struct text *out) {
	uint64_t set = 0;
	const void *item;

	text_add(out, type->is_mapping ? "" : "[");
	for (size_t i = 0; (item = type->item(value, i, &set)); i++) {
		const char *before = "{";

		text_add(out, i ? ", " : "");
		for (size_t k = 0; k < type->n_keys; k++) {
			if (!(set >> k & 1))
				continue;
			text_addf(out, "%s%s: ", before, type->keys[k].name);
			print_quoted(&type->keys[k], item, out);
			before = ", ";
		}
		text_add(out, "}");
	}
	text_add(out, type->is_mapping ? "" : "]");
}

void field_print_exact(const struct field *field, const void *base, struct text *out) {
	const struct type *type = field->type;
	const void *value = field_of(field, base);
	uint64_t set;

	if (type->item && type->item(value, 0, &set))
		print_items(type, value, out);
	else
		(type->exact ? type->exact : type->print)(field, value, out);
}

/* A list or mapping, as field_print_exact() prints it. */
static bool from_flow(struct parse *parse, const struct field *field, const char *text, void *base) {
	uint8_t source = diags_add_source(parse->diags, (struct source_text){ .text = text, .size = strlen(text) });
	const struct node *node = yaml_read(parse->arena, parse->diags, source);

	return node && field->type->parse(parse, field, node, field_of(field, base));
}

bool field_from_text(struct arena *arena, const char *ns, const struct field *field, const char *text, void *base) {
	struct diags quiet = {};
	struct parse parse = { .arena = arena, .diags = &quiet, .ns = ns };
	/* The text was not written by a user, so 52:54:00:12:34:56 is not a base-60 number. */
	struct node node = { .type = NODE_SCALAR, .n = strlen(text), .text = text, .quoted = field->type != &type_bool };
	bool good = true;

	/* Texts are taken verbatim: "" and words that a user would have to quote are valid. */
	if (field->type == &type_text || field->type == &type_link_name)
		*(const char **)field_of(field, base) = arena_strdup(arena, text);
	else if (*text == '[' || *text == '{')
		good = from_flow(&parse, field, text, base);
	else if (streq(text, "none") &&
		 (field->type->keys || field->type == &type_ip || field->type == &type_prefix || field->type == &type_mac ||
		  field->type == &type_link_ref || field->type == &type_underlay || field->type->is_key_file))
		memset(field_of(field, base), 0, field->type->size); /* as their print() writes it; not valid in a file */
	else
		good = field->type->parse(&parse, field, &node, field_of(field, base));
	diags_done(&quiet);
	return good;
}

bool field_equal(const struct field *field, const void *a, const void *b) {
	return field->type->equal(field_of(field, a), field_of(field, b));
}

static const struct field *find_field(const struct field *fields, size_t n, const char *name) {
	for (const struct field *f = fields; f < fields + n; f++)
		if (!(f->flags & FIELD_HIDDEN) && streq(f->name, name))
			return f;
	return NULL;
}

bool fields_has_key(const struct fields_parse *f, const char *name) {
	for (size_t i = 0; f->others && f->others[i]; i++)
		if (streq(f->others[i], name))
			return true;
	return find_field(f->fields, f->n, name) != NULL;
}

/* Splits a key in which the space after ':' is missing. False: it is something else. */
static bool split_key(struct parse *p, const struct fields_parse *f, const struct node_pair *pair, struct node_pair *ret) {
	size_t n = node_is_null(pair->value) ? node_joined_key(pair->key) : 0;
	struct node *key, *value;

	if (!n || !fields_has_key(f, arena_strndup(p->arena, pair->key->text, n)))
		return false;
	node_refuse_joined(p->diags, pair->key);
	key = arena_memdup(p->arena, pair->key, sizeof(*key));
	key->text = arena_strndup(p->arena, pair->key->text, key->n = n);
	value = arena_memdup(p->arena, pair->key, sizeof(*value));
	value->text += n + 1;
	value->n -= n + 1;
	value->position.column += (uint16_t)(n + 1);
	value->position.width -= (uint8_t)MIN(n + 1, (size_t)value->position.width - 1);
	*ret = (struct node_pair){ key, value };
	return true;
}

bool fields_mend_key(struct parse *p, const struct fields_parse *f, const struct node *mapping, const struct node_pair *pair,
		     struct node_pair *ret) {
	struct suggestion near = suggest_for_in(pair->key->text, f->what);
	struct node *key;

	if (split_key(p, f, pair, ret))
		return !node_get(mapping, ret->key->text);
	for (size_t i = 0; i < f->n; i++)
		if (!(f->fields[i].flags & FIELD_HIDDEN))
			suggest(&near, f->fields[i].name);
	for (const char *const *other = f->others; other && *other; other++)
		suggest(&near, *other);
	diag_unknown(p->diags, pair->key->position, &near,
		     p->elsewhere ? p->elsewhere(p->arena, pair->key->text, f->what) : NULL, "unknown key '%s' in %s",
		     pair->key->text, f->what);
	if (!near.near || node_get(mapping, near.near))
		return false;
	key = arena_memdup(p->arena, pair->key, sizeof(*key));
	key->text = near.near;
	key->n = strlen(near.near);
	*ret = (struct node_pair){ key, pair->value };
	return true;
}

/* Stores the value of a key that is not a field; false: it is another key. */
static bool take_other(const struct fields_parse *f, const struct node_pair *pair) {
	for (size_t i = 0; f->others && f->others[i]; i++)
		if (streq(f->others[i], pair->key->text)) {
			f->values[i] = pair->value;
			return true;
		}
	return false;
}

static bool take_field(struct parse *p, const struct fields_parse *f, const struct node_pair *pair, uint64_t *seen) {
	const struct field *field = find_field(f->fields, f->n, pair->key->text);

	if (!field)
		return false;
	size_t i = (size_t)(field - f->fields);
	*seen |= UINT64_C(1) << i;
	if (f->positions) /* a list or mapping may begin on the line after its key */
		f->positions[i] = pair->value->type == NODE_SCALAR ? pair->value->position : pair->key->position;
	if (field->type->parse(p, field, pair->value, field_of(field, f->base)))
		*f->set |= UINT64_C(1) << i;
	return true;
}

static bool take_pair(struct parse *p, const struct fields_parse *f, const struct node_pair *pair, uint64_t *seen) {
	return take_other(f, pair) || take_field(p, f, pair, seen);
}

bool fields_parse(struct parse *p, const struct node *mapping, const struct fields_parse *f) {
	size_t errors = p->diags->n_errors;
	struct parse quiet = *p;
	struct diags unseen = {};
	struct node_pair meant;
	uint64_t seen = 0;

	if (node_is_null(mapping) && f->may_be_empty) {
		diag_error(p->diags, mapping->position,
			   "%s must be a mapping of keys, not a string; an empty one is written {}", f->what);
		return false;
	}
	if (!node_check_mapping(p->diags, mapping, f->what, "keys"))
		return false;
	for (size_t i = 0; i < mapping->n; i++) {
		const struct node_pair *pair = &mapping->pairs[i];

		if (take_pair(p, f, pair, &seen) || !fields_mend_key(p, f, mapping, pair, &meant))
			continue;
		/* With another tool's key its value is also in that tool's format. */
		quiet.diags = other_word_rank(pair->key->text, meant.key->text) < SIZE_MAX ? &unseen : p->diags;
		take_pair(&quiet, f, &meant, &seen);
	}
	diags_done(&unseen);
	for (size_t i = 0; i < f->n; i++) {
		const char *unless = f->fields[i].unless;

		if (f->fields[i].flags & FIELD_REQUIRED && !(seen >> i & 1) && !(unless && node_get(mapping, unless)))
			diag_error(p->diags, mapping->position, "%s needs '%s'%s%s%s", f->what, f->fields[i].name,
				   unless ? " or '" : "", unless ? unless : "", unless ? "'" : "");
	}
	return p->diags->n_errors == errors;
}
