/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files schema*.c share; not for others. */
#pragma once

#include "model/kind.h"
#include "language/schema.h"

/* A key whose value has a structure of its own; the others are rows of a table of fields. */
struct schema_key {
	const char *name;
	const char *value; /* for people: "list of addresses" */
	const char *doc;
	json_t *(*schema)(void);
	bool required;
};

/* A mapping of the language: its structural keys and its fields. */
struct schema_mapping {
	const char *name;        /* in "$defs", and the page's anchor */
	const char *title, *doc; /* for the page */
	const struct schema_key *keys;
	size_t n_keys;
	const struct field *fields;
	size_t n_fields;
	const char *without;     /* the field that is no key here, or NULL */
	const struct kind *link; /* an interface of that kind: it has all that interfaces have in common as well */
};

enum { SCHEMA_MAPPINGS_MAX = 64 };

/* All of them in the page's order, the file itself first; returns how many. */
size_t schema_mappings(struct schema_mapping ret[SCHEMA_MAPPINGS_MAX]);
/* What every interface has. */
struct schema_mapping schema_interface(void);

/* Is the row a key of the language, in this mapping (NULL: in any)? */
static inline bool schema_shows(const struct schema_mapping *m, const struct field *field) {
	return !(field->flags & FIELD_HIDDEN) && !(m && streq_ptr(m->without, field->name));
}

/* What the pages have in common; all texts in Markdown's inline form (`word`, [text](#anchor)). */

/* What may be written as the field's value. */
void schema_add_value(const struct field *field, struct text *out);
/* Do its rows belong to an object of their own, so that a change of them says something? */
bool schema_is_object(const struct schema_mapping *m);

/* How values are written whose type is only named in the tables; ended by a NULL name. */
struct schema_value {
	const char *name, *written;
};
extern const struct schema_value schema_values[];
extern const char schema_values_rest[];    /* what is to be said of all values */
extern const char *const schema_dropins[]; /* paragraphs, and items of a list ("- …"); ended by NULL */
extern const char schema_intro[];          /* … and of all keys */

/* A new value from a format of json_pack(3), which fails only without memory or for a mistake in the format. */
json_t *schema_pack(const char *format, ...);
/* {"$ref": "#/$defs/NAME"} */
json_t *schema_ref(const char *name);
void schema_set(json_t *object, const char *key, json_t *value);
