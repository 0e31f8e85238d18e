/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files schema*.c share. */
#pragma once

#include "language/schema.h"
#include "language/sections.h"

/* A mapping of the language, as shown in the schema and on the pages. */
struct schema_mapping {
	struct mapping is; /* name, texts and fields */
	const struct section *const *keys;
	size_t n_keys;
	bool is_case;            /* of the mapping before it, whose keys it also has */
	const struct kind *link; /* an interface of this kind, which also has the keys of all interfaces; or NULL */
};

/* Zeroed is empty. */
struct schema_mappings {
	struct arena arena;
	vec(struct schema_mapping) list;
};

/* All mappings in the order of the page, the file itself first. */
void schema_collect(struct schema_mappings *ret);
void schema_mappings_done(struct schema_mappings *mappings);
#define _schema_mappings_ _cleanup_(schema_mappings_done) struct schema_mappings

/* schema_value.c: values as JSON Schema. The caller owns the returned values. */
json_t *schema_of_field(const struct field *field);
json_t *schema_of_section(const struct section *section);
/* An object with the keys of a table of fields. */
json_t *schema_of_fields(const struct field *fields, size_t n);
/* Adds the names of required keys to `required`, and [name, other] where one of two is required. */
void schema_add_fields(const struct mapping *mapping, json_t *properties, json_t *required);
json_t *schema_of_object(json_t *properties, json_t *required);

/* Is the row a key of the language in this mapping? */
static inline bool schema_shows(const struct mapping *m, const struct field *field) {
	return !(field->flags & FIELD_HIDDEN) && !streq_ptr(m->without, field->name);
}

/* What the pages share; all texts are in Markdown's inline form (`word`, [text](#anchor)). */

/* Print what may be written as the value of a field, or of a section. */
void schema_add_value(const struct field *field, struct text *out);
void schema_add_section_value(const struct section *section, struct text *out);
/* Prints what the value of a field with inner mappings is: "A list of …; each is a mapping." */
void schema_add_inner_doc(const struct field *field, struct text *out);
/* The mappings inside values, at any depth. `fn` is called once for each, even if several fields have it, and gets the
 * mappings that came before. */
struct schema_shown {
	const struct type *types[16]; /* ended by NULL */
};
typedef void (*schema_inner_fn)(const struct field *field, const struct schema_mapping *inner, struct text *out);
void schema_each_inner(const struct mapping *m, struct schema_shown *shown, schema_inner_fn fn, struct text *out);
/* How to write values for which the tables show only the name of the type; ended by a NULL name. */
struct schema_value {
	const char *name, *written;
};
extern const struct schema_value schema_values[];
extern const char schema_values_rest[]; /* about all values */
/* A chapter about the language as a whole. */
struct schema_chapter {
	const char *title;
	const char *const *paragraphs; /* also list items ("- …"); ended by NULL */
};
extern const struct schema_chapter schema_chapters[]; /* ended by a NULL title */
extern const char schema_intro[];                     /* about all keys */

/* A new value from a format of json_pack(3), which fails only if memory is exhausted or the format is wrong. */
json_t *schema_pack(const char *format, ...);
/* Editors show the key as the head of its explanation. doc may be NULL. */
void schema_describe(json_t *schema, const char *key, const char *doc);
/* {"$ref": "#/$defs/NAME"} */
json_t *schema_ref(const char *name);
void schema_set(json_t *object, const char *key, json_t *value);
