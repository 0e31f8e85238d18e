/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values and mappings as JSON Schema. What a schema cannot say (references, what excludes what) is for
 * `topod check`; what it says must never be stricter than that.
 */
#include <stdarg.h>

#include "kind/ruleset.h"
#include "language/schema_private.h"

json_t *schema_pack(const char *format, ...) {
	va_list args;

	va_start(args, format);
	json_t *value = json_vpack_ex(NULL, 0, format, args);
	va_end(args);
	if (!value)
		abort();
	return value;
}

void schema_set(json_t *object, const char *key, json_t *value) {
	if (json_object_set_new(object, key, value) < 0)
		abort();
}

json_t *schema_ref(const char *name) {
	_cleanup_free_ char *ref = xasprintf("#/$defs/%s", name);

	return schema_pack("{s:s}", "$ref", ref);
}

/* Values. */

static json_t *integer_value(const struct field *field) {
	return schema_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)field->min, "maximum",
			   (json_int_t)(field->max ? field->max : UINT32_MAX));
}

static json_t *bool_value(const struct field *field _unused_) {
	return schema_pack("{s:s}", "type", "boolean");
}

static json_t *word_value(const struct field *field) {
	json_t *words = json_array();

	for (const struct enum_name *e = field->names; e && e->name; e++)
		json_array_append_new(words, json_string(e->name));
	return schema_pack("{s:o}", "enum", words);
}

static json_t *duration_value(const struct field *field _unused_) {
	return schema_pack("{s:[s,s], s:i, s:s}", "type", "integer", "string", "minimum", 0, "pattern",
			   "^[0-9]+(us|ms|s|m|h)?$");
}

static json_t *text_value(const struct field *field _unused_) {
	return schema_pack("{s:s}", "type", "string");
}

static json_t *link_name_value(const struct field *field _unused_) {
	return schema_ref("interface-name");
}

static json_t *table_value(const struct field *field _unused_) {
	return schema_pack("{s:[s,s], s:i}", "type", "integer", "string", "minimum", 1);
}

static json_t *one_or_list(json_t *one) {
	json_t *list = schema_pack("{s:s, s:O, s:i}", "type", "array", "items", one, "minItems", 1);

	return schema_pack("{s:[o,o]}", "anyOf", one, list);
}

static json_t *texts_value(const struct field *field _unused_) {
	return one_or_list(schema_pack("{s:s}", "type", "string"));
}

static json_t *numbers_value(const struct field *field _unused_) {
	return one_or_list(schema_pack("{s:[s,s], s:i, s:i}", "type", "string", "integer", "minimum", 1, "maximum", 65535));
}

static json_t *target_value(const struct field *field _unused_) {
	return schema_pack("{s:[s,s], s:i, s:i}", "type", "string", "integer", "minimum", 1, "maximum", 65535);
}

static json_t *table_of_fields(const struct field *fields, size_t n);

static json_t *list_value(const struct field *field) {
	return schema_pack("{s:s, s:o, s:i}", "type", "array", "items",
			   table_of_fields(field->type->keys, field->type->n_keys), "minItems", 1);
}

/* A type that stands in no row is one of text: an address, a prefix, a MAC address. */
static const struct {
	const struct type *type;
	json_t *(*value)(const struct field *field);
} values[] = {
	{ &type_integer, integer_value },       { &type_bool, bool_value },           { &type_enum, word_value },
	{ &type_duration, duration_value },     { &type_link_name, link_name_value }, { &type_table, table_value },
	{ &type_nat_prefixes, texts_value },    { &type_nat_links, texts_value },     { &type_nat_ports, numbers_value },
	{ &type_nat_protocols, numbers_value }, { &type_nat_target, target_value },
};

static json_t *mapping_value(const struct field *field _unused_) {
	return schema_pack("{s:[s,s], s:{s:[s,s]}}", "type", "object", "string", "additionalProperties", "type", "integer",
			   "string");
}

static json_t *field_schema(const struct field *field) {
	json_t *(*value)(const struct field *) = field->type->keys      ? list_value
						 : field->type->mapping ? mapping_value
									: text_value;
	json_t *schema;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i].type == field->type)
			value = values[i].value;
	schema = value(field);
	if (field->doc)
		schema_set(schema, "description", json_string(field->doc));
	return schema;
}

/* Mappings. */

static void add_fields(const struct schema_mapping *m, json_t *properties, json_t *required) {
	for (const struct field *f = m->fields; f < m->fields + m->n_fields; f++) {
		if (!schema_shows(m, f))
			continue;
		schema_set(properties, f->name, field_schema(f));
		if (f->flags & FIELD_REQUIRED)
			json_array_append_new(required, json_string(f->name));
	}
}

static void add_keys(const struct schema_mapping *m, json_t *properties, json_t *required) {
	for (const struct schema_key *k = m->keys; k < m->keys + m->n_keys; k++) {
		json_t *schema = k->schema();

		if (k->required)
			json_array_append_new(required, json_string(k->name));
		schema_set(schema, "description", json_string(k->doc));
		schema_set(properties, k->name, schema);
	}
}

static json_t *object_schema(json_t *properties, json_t *required) {
	json_t *schema =
		schema_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);

	if (json_array_size(required))
		json_object_set(schema, "required", required);
	json_decref(required);
	return schema;
}

static json_t *table_of_fields(const struct field *fields, size_t n) {
	const struct schema_mapping m = { .fields = fields, .n_fields = n };
	json_t *properties = json_object(), *required = json_array();

	add_fields(&m, properties, required);
	return object_schema(properties, required);
}

static json_t *mapping_schema(const struct schema_mapping *m) {
	const struct schema_mapping common = schema_interface();
	json_t *properties = json_object(), *required = json_array(), *schema;

	if (m->link) {
		add_keys(&common, properties, required);
		add_fields(&common, properties, required);
		schema_set(properties, "kind", schema_pack("{s:s}", "const", m->link->name));
	}
	add_keys(m, properties, required);
	add_fields(m, properties, required);
	schema = object_schema(properties, required);
	if (streq(m->name, common.name)) /* "eth0:" with nothing behind it is one, too */
		schema_set(schema, "type", schema_pack("[s,s]", "object", "null"));
	return schema;
}

/* An interface is what its kind says; without one it is what all have in common. Each case is complete by itself,
 * so that an editor's message names the wrong key and no alternatives. */
static json_t *interface_schema(const struct schema_mapping *mappings, size_t n) {
	json_t *cases = json_array(), *names = json_array(), *is;

	for (const struct schema_mapping *m = mappings; m < mappings + n; m++) {
		if (!m->link)
			continue;
		is = schema_pack("{s:s, s:[s], s:{s:{s:s}}}", "type", "object", "required", "kind", "properties", "kind",
				 "const", m->link->name);
		json_array_append_new(cases, schema_pack("{s:o, s:o}", "if", is, "then", schema_ref(m->name)));
		json_array_append_new(names, json_string(m->link->name));
	}
	is = schema_pack("{s:s, s:[s], s:{s:{s:o}}}", "type", "object", "required", "kind", "properties", "kind", "enum",
			 names);
	is = schema_pack("{s:o}", "not", is);
	json_array_append_new(cases, schema_pack("{s:o, s:o}", "if", is, "then", schema_ref(schema_interface().name)));
	return schema_pack("{s:o}", "allOf", cases);
}

static json_t *link_name_schema(void) {
	return schema_pack("{s:s, s:i, s:i, s:s}", "type", "string", "minLength", 1, "maxLength", 15, "pattern",
			   "^[^/:% ]+$");
}

json_t *schema_json(void) {
	struct schema_mapping mappings[SCHEMA_MAPPINGS_MAX];
	size_t n = schema_mappings(mappings);
	json_t *schema = mapping_schema(&mappings[0]), *defs = json_object();

	for (size_t i = 1; i < n; i++)
		schema_set(defs, mappings[i].name, mapping_schema(&mappings[i]));
	schema_set(defs, "any-interface", interface_schema(mappings, n));
	schema_set(defs, "interface-name", link_name_schema());
	schema_set(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	schema_set(schema, "title", json_string("A topology of topod"));
	schema_set(schema, "$defs", defs);
	return schema;
}
