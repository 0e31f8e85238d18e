/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manual page topod.yaml(5): the content of the reference page in the language of man(7). Tables are too wide for a
 * terminal, so each key is a tagged paragraph.
 */
#include <ctype.h>

#include "language/schema_private.h"

/* Prints plain text, escaping what roff would interpret. */
static void add_char(char c, struct text *out) {
	if (c == '\\')
		text_add(out, "\\e");
	else if (c == '-')
		text_add(out, "\\-");
	else if (c == '\'' || c == '.')
		/* Either one starts a request at the beginning of a line. */
		text_addf(out, "%s%c", !out->size || out->data[out->size - 1] == '\n' ? "\\&" : "", c);
	else
		text_addn(out, &c, 1);
}

/* Converts Markdown's inline form: `word` becomes bold, [text](#anchor) becomes the text. */
static void add_prose(const char *prose, struct text *out) {
	bool bold = false;

	for (const char *c = prose; *c; c++) {
		const char *end = !bold && startswith(c, "](") ? strchr(c, ')') : NULL;

		if (*c == '`') {
			bold = !bold;
			text_add(out, bold ? "\\fB" : "\\fR");
		} else if (end) {
			c = end;
		} else if (bold || *c != '[' || !strstr(c, "](")) {
			add_char(*c, out);
		}
	}
}

static void add_tag(const char *name, bool required, const char *value, struct text *out) {
	text_add(out, ".TP\n\\fB");
	add_prose(name, out);
	text_add(out, "\\fR: ");
	add_prose(value, out);
	text_add(out, required ? " (required)\n" : "\n");
}

static void add_change(const struct field *field, struct text *out) {
	if (field->flags & FIELD_ONCE)
		return;
	switch (field->class) {
	case FIELD_LIVE:
		if (field->flags & FIELD_WHEN_DOWN)
			text_add(out, "Changing it takes the interface down for a moment.\n");
		break;
	case FIELD_RECREATE:
		text_add(out, "Changing it recreates the object.\n");
		break;
	case FIELD_KEY:
		text_add(out, "It identifies the object: another value means another object.\n");
		break;
	}
	if (field->fallback && *field->fallback) {
		text_add(out, "If removed, it goes back to ");
		add_prose(field->fallback, out);
		text_add(out, ".\n");
	}
}

static void add_fields(const struct schema_mapping *m, bool object, struct text *out) {
	for (const struct field *field = m->is.fields; field < m->is.fields + m->is.n_fields; field++) {
		_cleanup_text_ struct text value = {};

		if (!schema_shows(&m->is, field))
			continue;
		schema_add_value(field, &value);
		add_tag(field->name, field->flags & FIELD_REQUIRED, text_str(&value), out);
		add_prose(field->doc ? field->doc : "", out);
		text_add(out, "\n");
		if (object)
			add_change(field, out);
	}
}

static void add_keys(const struct schema_mapping *m, struct text *out) {
	for (size_t i = 0; i < m->n_keys; i++) {
		_cleanup_text_ struct text value = {};

		schema_add_section_value(m->keys[i], &value);
		add_tag(m->keys[i]->key, m->keys[i]->required, text_str(&value), out);
		add_prose(m->keys[i]->doc, out);
		text_add(out, "\n");
	}
}

static void add_inner(const struct field *field, const struct schema_mapping *inner, struct text *out) {
	text_addf(out, ".SS %s\n%s %s%s.\n", field->name, streq(indefinite_article(field->type->name), "an") ? "An" : "A",
		  field->type->name, field->type->is_mapping ? "" : "; each is a mapping");
	add_fields(inner, false, out);
}

static void add_mapping(const struct schema_mapping *m, struct schema_shown *shown, struct text *out) {
	text_addf(out, "%s ", m->link ? ".SS" : ".SH");
	for (const char *c = m->is.title; *c; c++)
		text_addf(out, "%c", m->link || *c < 'a' || *c > 'z' ? *c : *c - 'a' + 'A');
	text_add(out, "\n");
	add_prose(m->is.doc, out);
	text_add(out, "\n");
	add_keys(m, out);
	add_fields(m, m->is.kind != NULL, out);
	schema_each_inner(&m->is, shown, add_inner, out);
}

static void add_values(struct text *out) {
	text_add(out, ".SH VALUES\n");
	for (const struct schema_value *v = schema_values; v->name; v++) {
		text_addf(out, ".TP\n%s\n", v->name);
		add_prose(v->written, out);
		text_add(out, "\n");
	}
	text_add(out, ".P\n");
	add_prose(schema_values_rest, out);
	text_add(out, "\n");
}

static void add_chapter(const struct schema_chapter *chapter, struct text *out) {
	text_add(out, ".SH ");
	for (const char *c = chapter->title; *c; c++)
		add_char((char)toupper((unsigned char)*c), out);
	text_add(out, "\n");
	for (const char *const *paragraph = chapter->paragraphs; *paragraph; paragraph++) {
		const char *item = startswith(*paragraph, "- ");

		if (paragraph != chapter->paragraphs)
			text_add(out, item ? ".IP \\(bu 2\n" : ".P\n");
		add_prose(item ? item : *paragraph, out);
		text_add(out, "\n");
	}
}

static const char example[] = ".SH EXAMPLE\n"
			      "Two namespaces on a bridge of the host, with access to the outside:\n"
			      ".P\n.nf\n"
			      "namespaces:\n"
			      "  host:\n"
			      "    forwarding: ipv4\n"
			      "    interfaces:\n"
			      "      br0: {kind: bridge, ports: [c1, c2], addresses: [10.0.0.1/24]}\n"
			      "    nat:\n"
			      "      \\- {action: masquerade, source: 10.0.0.0/24, out: not br0}\n"
			      "  web:\n"
			      "    interfaces:\n"
			      "      eth0: {addresses: [10.0.0.11/24], mtu: 1400}\n"
			      "    routes:\n"
			      "      \\- {to: default, via: 10.0.0.1}\n"
			      "  db:\n"
			      "    interfaces:\n"
			      "      eth0: {addresses: [10.0.0.12/24]}\n"
			      "    routes:\n"
			      "      \\- {to: default, via: 10.0.0.1}\n"
			      "\n"
			      "links:\n"
			      "  \\- [web:eth0, host:c1]\n"
			      "  \\- [db:eth0, host:c2]\n"
			      ".fi\n";

void schema_man(struct text *out) {
	_schema_mappings_ mappings = {};
	struct schema_shown shown = {};

	schema_collect(&mappings);
	text_add(out, ".\\\" Made by `topod schema --man` from the tables that also read the file.\n"
		      ".TH TOPOD.YAML 5 \"" TOPOD_DATE "\" \"topod " TOPOD_VERSION "\" \"File formats\"\n"
		      ".SH NAME\ntopod.yaml \\- a topology of network namespaces, for topod\n"
		      ".SH SYNOPSIS\n\\fI/etc/topod/NAME.yaml\\fR\n.br\n\\fI/etc/topod/NAME.d/*.yaml\\fR\n"
		      ".SH DESCRIPTION\nA topology is a YAML file that declares namespaces, links, addresses, routes and "
		      "rules.\n\\fBtopod\\fR(8) creates them and keeps them as declared.\n.P\n");
	add_prose(schema_intro, out);
	text_add(out, "\n");
	vec_foreach(m, &mappings.list)
		add_mapping(m, &shown, out);
	add_values(out);
	for (const struct schema_chapter *chapter = schema_chapters; chapter->title; chapter++)
		add_chapter(chapter, out);
	text_add(out, example);
	text_add(out, ".SH SEE ALSO\n\\fBtopod\\fR(8), \\fBip\\-netns\\fR(8), \\fBip\\-link\\fR(8), \\fBnft\\fR(8)\n");
}
