/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of the language for the manual page topod.yaml(5), in the format of scdoc(5): the content of the reference page.
 * Tables are too wide for a terminal, so each key is a line with a paragraph below it. docs/topod.yaml.5.scd has the rest of
 * the page.
 */
#include <ctype.h>

#include "language/schema_private.h"

/* Prints plain text, escaping what scdoc would interpret: some characters anywhere, others where a line begins. */
static void add_char(char c, struct text *out) {
	char last = out->size ? out->data[out->size - 1] : '\n';
	bool begins = last == '\n' || last == '\t';

	text_addf(out, "%s%c", strchr("\\*_", c) || (begins && strchr("#-.|[]:;", c)) ? "\\" : "", c);
}

/* Converts Markdown's inline form: `word` becomes bold, [text](#anchor) becomes the text. */
static void add_prose(const char *prose, struct text *out) {
	bool bold = false;

	for (const char *c = prose; *c; c++) {
		const char *end = !bold && startswith(c, "](") ? strchr(c, ')') : NULL;

		if (*c == '`') {
			bold = !bold;
			text_add(out, "*");
		} else if (end) {
			c = end;
		} else if (bold || *c != '[' || !strstr(c, "](")) {
			add_char(*c, out);
		}
	}
}

static void add_key(const char *name, bool required, const char *value, const char *more, const char *doc,
		    struct text *out) {
	text_addf(out, "\n*%s*: ", name);
	add_prose(value, out);
	text_addf(out, "%s%s\n\t", required ? " (required)" : "", more);
	add_prose(doc, out);
	text_add(out, "\n");
}

/* The value that applies again when the key is removed, and what changing it costs. */
static void describe_change(const struct field *field, struct text *out) {
	if (field->flags & FIELD_ONCE)
		return;
	if (field->fallback && *field->fallback) {
		text_add(out, " [");
		add_prose(field->fallback, out);
		text_add(out, "]");
	}
	switch (field->class) {
	case FIELD_LIVE:
		text_add(out, field->flags & FIELD_WHEN_DOWN ? ", down for a moment" : "");
		break;
	case FIELD_RECREATE:
		text_add(out, ", recreates");
		break;
	case FIELD_KEY:
		text_add(out, ", identity");
		break;
	}
}

static void add_fields(const struct schema_mapping *m, bool object, struct text *out) {
	for (const struct field *field = m->is.fields; field < m->is.fields + m->is.n_fields; field++) {
		_cleanup_text_ struct text value = {}, more = {};

		if (!schema_shows(&m->is, field))
			continue;
		schema_add_value(field, &value);
		if (object)
			describe_change(field, &more);
		add_key(field->name, field->flags & FIELD_REQUIRED, text_str(&value), text_str(&more),
			field->doc ? field->doc : "", out);
	}
}

static void add_keys(const struct schema_mapping *m, struct text *out) {
	for (size_t i = 0; i < m->n_keys; i++) {
		_cleanup_text_ struct text value = {};

		schema_add_section_value(m->keys[i], &value);
		add_key(m->keys[i]->key, m->keys[i]->required, text_str(&value), "", m->keys[i]->doc, out);
	}
}

static void add_inner(const struct field *field, const struct schema_mapping *inner, struct text *out) {
	text_addf(out, "\n## %s\n\n", field->name);
	schema_add_inner_doc(field, out);
	add_fields(inner, false, out);
}

/* A section of the page; its title is in capitals. */
static void add_title(const char *title, struct text *out) {
	text_add(out, "\n# ");
	for (const char *c = title; *c; c++)
		add_char((char)toupper((unsigned char)*c), out);
	text_add(out, "\n\n");
}

static void add_mapping(const struct schema_mapping *m, struct schema_shown *shown, struct text *out) {
	if (m->link || m->is_case) {
		text_add(out, "\n## ");
		add_prose(m->is.title, out);
		text_add(out, "\n\n");
	} else {
		add_title(m->is.title, out);
	}
	add_prose(m->is.doc, out);
	text_add(out, "\n");
	if (!m->is_case)
		add_keys(m, out);
	add_fields(m, m->is.kind != NULL, out);
	schema_each_inner(&m->is, shown, add_inner, out);
}

static void add_values(struct text *out) {
	add_title("Values", out);
	for (const struct schema_value *v = schema_values; v->name; v++) {
		text_addf(out, "%s\n\t", v->name);
		add_prose(v->written, out);
		text_add(out, "\n\n");
	}
	add_prose(schema_values_rest, out);
	text_add(out, "\n");
}

static void add_chapter(const struct schema_chapter *chapter, struct text *out) {
	add_title(chapter->title, out);
	for (const char *const *paragraph = chapter->paragraphs; *paragraph; paragraph++) {
		const char *item = startswith(*paragraph, "- ");
		bool follows = item && paragraph != chapter->paragraphs && startswith(paragraph[-1], "- ");

		text_add(out, paragraph == chapter->paragraphs || follows ? "" : "\n");
		text_add(out, item ? "- " : "");
		add_prose(item ? item : *paragraph, out);
		text_add(out, "\n");
	}
}

void schema_man(struct text *out) {
	_schema_mappings_ mappings = {};
	struct schema_shown shown = {};

	schema_collect(&mappings);
	add_prose(schema_intro, out);
	text_add(out, "\n");
	vec_foreach(m, &mappings.list)
		add_mapping(m, &shown, out);
	add_values(out);
	for (const struct schema_chapter *chapter = schema_chapters; chapter->title; chapter++)
		add_chapter(chapter, out);
}
