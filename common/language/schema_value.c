/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as JSON Schema: a field's by its type, a section's by its shape. What a schema cannot express (references, keys
 * that exclude each other) is left to `topod check`; the schema must never be stricter than that.
 */
#include <stdarg.h>

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

/* Parses a schema that a table has as text. */
static json_t *parse_schema(const char *text) {
	json_t *schema = json_loads(text, 0, NULL);

	if (!schema)
		abort();
	return schema;
}

void schema_describe(json_t *schema, const char *key, const char *doc) {
	schema_set(schema, "title", json_string(key));
	if (doc)
		schema_set(schema, "description", json_string(doc));
}

/* Fields. */

static json_t *word_schema(const struct field *field) {
	json_t *words = json_array();

	for (const struct enum_name *e = field->names; e && e->name; e++)
		json_array_append_new(words, json_string(e->name));
	return schema_pack("{s:o}", "enum", words);
}

static json_t *integer_schema(const struct field *field) {
	json_t *number = schema_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)field->min, "maximum",
				     (json_int_t)(field->max ? field->max : UINT32_MAX));

	return field->names ? schema_pack("{s:[o,o]}", "anyOf", number, word_schema(field)) : number;
}

json_t *schema_of_field(const struct field *field) {
	const struct type *type = field->type;

	if (type == &type_integer)
		return integer_schema(field);
	if (type == &type_enum)
		return word_schema(field);
	if (type == &type_words)
		return schema_pack("{s:[o, {s:s, s:o}]}", "anyOf", word_schema(field), "type", "array", "items",
				   word_schema(field));
	if (type->is_mapping)
		return schema_of_fields(type->keys, type->n_keys);
	if (type->keys && !type->schema)
		return schema_pack("{s:s, s:o, s:i}", "type", "array", "items", schema_of_fields(type->keys, type->n_keys),
				   "minItems", 1);
	return parse_schema(type->schema ? type->schema : "{\"type\": \"string\"}");
}

void schema_add_fields(const struct mapping *m, json_t *properties, json_t *required) {
	for (const struct field *f = m->fields; f < m->fields + m->n_fields; f++) {
		if (!schema_shows(m, f))
			continue;
		json_t *schema = schema_of_field(f), *type = json_object_get(schema, "type");
		/* What a "$ref" leads to is a text, which may be an expression anyway. */
		if (!json_object_get(schema, "$ref") &&
		    (!type || (json_is_string(type) && !streq(json_string_value(type), "string"))))
			schema = schema_pack("{s:[o,o]}", "anyOf", schema, schema_ref("computed"));
		schema_describe(schema, f->name, f->doc);
		schema_set(properties, f->name, schema);
		if (f->flags & FIELD_REQUIRED)
			json_array_append_new(required,
					      f->unless ? schema_pack("[s,s]", f->name, f->unless) : json_string(f->name));
	}
}

json_t *schema_of_object(json_t *properties, json_t *required) {
	json_t *schema =
		schema_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);

	for (size_t i = 0; i < json_array_size(required);) {
		json_t *either = json_array_get(required, i);

		if (!json_is_array(either)) {
			i++;
			continue;
		}
		schema_set(schema, "anyOf",
			   schema_pack("[{s:[O]}, {s:[O]}]", "required", json_array_get(either, 0), "required",
				       json_array_get(either, 1)));
		json_array_remove(required, i);
	}
	if (json_array_size(required))
		json_object_set(schema, "required", required);
	json_decref(required);
	return schema;
}

json_t *schema_of_fields(const struct field *fields, size_t n) {
	const struct mapping m = { .fields = fields, .n_fields = n };
	json_t *properties = json_object(), *required = json_array();

	schema_add_fields(&m, properties, required);
	return schema_of_object(properties, required);
}

/* Sections. */

/* Names of namespaces and networks: file_name_valid(). */
#define FILE_NAME_PATTERN "^[^-./: ][^/: ]*$"

/* What a plain value may be that stands for one key of the mapping. */
static json_t *bare_schema(const struct mapping *m) {
	for (size_t i = 0; i < m->n_fields; i++)
		if (streq(m->fields[i].name, m->bare))
			return schema_of_field(&m->fields[i]);
	return schema_pack("{s:s}", "type", "string");
}

/* A list, a single item without brackets, or nothing. */
static json_t *list_schema(const struct mapping *m) {
	json_t *item =
		m->bare ? schema_pack("{s:[o,o]}", "anyOf", bare_schema(m), schema_ref(m->name)) : schema_ref(m->name);
	json_t *list = schema_pack("{s:s, s:O}", "type", "array", "items", item);

	return schema_pack("{s:[o,o,{s:s}]}", "anyOf", list, item, "type", "null");
}

static json_t *shape_schema(const struct section *section) {
	switch (section->shape) {
	case SECTION_LIST:
		return list_schema(section->mapping);
	case SECTION_MAP:
		return schema_pack("{s:s, s:o, s:{s:s, s:s}}", "type", "object", "additionalProperties",
				   schema_ref(section->mapping->name), "propertyNames", "pattern", FILE_NAME_PATTERN,
				   "patternErrorMessage", "a name without '/', ':' and spaces");
	case SECTION_MAPPING:
		return schema_ref(section->mapping->name);
	case SECTION_VALUE:
		break;
	}
	return schema_of_field(section->field);
}

json_t *schema_of_section(const struct section *section) {
	json_t *schema = section->schema ? parse_schema(section->schema) : shape_schema(section);

	if (section->may_be_empty && (section->schema || section->shape != SECTION_LIST))
		schema = schema_pack("{s:[o,{s:s}]}", "anyOf", schema, "type", "null");
	return schema;
}
