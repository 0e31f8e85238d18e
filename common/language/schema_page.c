/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference page: a table for each mapping of the language. */
#include <inttypes.h>

#include "language/schema_private.h"

void schema_add_value(const struct field *field, struct text *out) {
	if (field->type == &type_bool) {
		text_add(out, "true, false");
	} else if (field->type == &type_enum || field->type == &type_words) {
		text_add(out, field->type == &type_words ? "list of " : "");
		for (const struct enum_name *e = field->names; e->name; e++)
			text_addf(out, "%s`%s`", e == field->names ? "" : ", ", e->name);
	} else if (field->type == &type_integer && (field->min || field->max)) {
		text_addf(out, "%" PRIu32 " to %" PRIu32, field->min, field->max ? field->max : UINT32_MAX);
		for (const struct enum_name *e = field->names; e && e->name; e++)
			text_addf(out, ", `%s`", e->name);
	} else if (field->type == &type_duration && field->max) {
		type_duration.print(field, &field->min, out);
		text_add(out, " to ");
		type_duration.print(field, &field->max, out);
	} else if (field->type->keys) {
		text_addf(out, "[%s](#%s)", field->type->name, field->name);
	} else {
		text_add(out, field->type->name);
	}
}

void schema_add_section_value(const struct section *section, struct text *out) {
	if (section->value)
		text_add(out, section->value);
	else
		schema_add_value(section->field, out);
}

void schema_add_inner_doc(const struct field *field, struct text *out) {
	text_addf(out, "%s %s%s.\n", streq(indefinite_article(field->type->name), "an") ? "An" : "A", field->type->name,
		  field->type->is_mapping ? "" : "; each is a mapping");
}

static void add_change(const struct field *field, struct text *out) {
	if (field->flags & FIELD_ONCE) {
		text_add(out, "–");
		return;
	}
	switch (field->class) {
	case FIELD_LIVE:
		text_add(out, field->flags & FIELD_WHEN_DOWN ? "in place, down for a moment" : "in place");
		return;
	case FIELD_RECREATE:
		text_add(out, "recreated");
		return;
	case FIELD_KEY:
		text_add(out, "new object");
		return;
	}
	abort();
}

static void add_field(const struct field *field, bool object, struct text *out) {
	text_addf(out, "| `%s`%s | ", field->name, field->flags & FIELD_REQUIRED ? " (required)" : "");
	schema_add_value(field, out);
	text_add(out, " | ");
	if (object) {
		add_change(field, out);
		text_addf(out, " | %s | ", field->fallback && *field->fallback ? field->fallback : "");
	}
	text_addf(out, "%s |\n", field->doc ? field->doc : "");
}

static void add_fields(const struct schema_mapping *m, bool object, struct text *out) {
	bool any = false;

	for (size_t i = 0; i < m->is.n_fields; i++)
		any |= schema_shows(&m->is, &m->is.fields[i]);
	if (!any)
		return;
	text_add(out, object ? "\n| key | value | when changed | when removed, goes back to | |\n|---|---|---|---|---|\n"
			     : "\n| key | value | |\n|---|---|---|\n");
	for (size_t i = 0; i < m->is.n_fields; i++)
		if (schema_shows(&m->is, &m->is.fields[i]))
			add_field(&m->is.fields[i], object, out);
}

static void add_keys(const struct schema_mapping *m, struct text *out) {
	if (m->n_keys)
		text_add(out, "\n| key | value | |\n|---|---|---|\n");
	for (size_t i = 0; i < m->n_keys; i++) {
		text_addf(out, "| `%s`%s | ", m->keys[i]->key, m->keys[i]->required ? " (required)" : "");
		schema_add_section_value(m->keys[i], out);
		text_addf(out, " | %s |\n", m->keys[i]->doc);
	}
}

static bool is_shown(struct schema_shown *shown, const struct type *type) {
	size_t n = 0;

	while (n < ARRAY_SIZE(shown->types) && shown->types[n])
		if (shown->types[n++] == type)
			return true;
	if (n < ARRAY_SIZE(shown->types) && type->is_mapping)
		shown->types[n] = type;
	return false;
}

void schema_each_inner(const struct mapping *m, struct schema_shown *shown, schema_inner_fn fn, struct text *out) {
	for (const struct field *field = m->fields; field < m->fields + m->n_fields; field++) {
		const struct schema_mapping inner = { .is = { .fields = field->type->keys,
							      .n_fields = field->type->n_keys } };

		if (!field->type->keys || is_shown(shown, field->type))
			continue;
		fn(field, &inner, out);
		schema_each_inner(&inner.is, shown, fn, out);
	}
}

static void add_inner(const struct field *field, const struct schema_mapping *inner, struct text *out) {
	text_addf(out, "\n### `%s`\n\n", field->name);
	schema_add_inner_doc(field, out);
	add_fields(inner, false, out);
}

static void add_mapping(const struct schema_mapping *m, struct schema_shown *shown, struct text *out) {
	text_addf(out, "\n<a id=\"%s\"></a>\n%s %s\n\n%s\n", m->is.name, m->link || m->is_case ? "###" : "##", m->is.title,
		  m->is.doc);
	if (!m->is_case)
		add_keys(m, out);
	add_fields(m, m->is.kind != NULL, out);
	schema_each_inner(&m->is, shown, add_inner, out);
}

const struct schema_value schema_values[] = {
	{ "duration", "`10s`, `30ms`, `14us`, `2m`, `1h`; a bare number is seconds" },
	{ "rate", "`800bit`, `10mbit`, `1.5gbit`: bits per second, powers of ten" },
	{ "size", "`1500`, `32k`, `2m`: bytes, k = 1024" },
	{ "percentage", "`40%`, `0.5%`" },
	{ "prefix", "`10.0.0.0/24`, `\"fd00::/64\"`; a bare address is /32 or /128. In the prefix of a network, host bits "
		    "are an error" },
	{ "address", "`10.0.0.1`, `\"fd00::1\"`" },
	{ "tunnel key", "a number, the same as a dotted quad, or `none`" },
	{ "MAC address", "`\"02:00:00:00:00:01\"`" },
	{ "interface name", "as the kernel accepts it: up to 15 bytes without `/`, `:` and white space" },
	{ "interface", "a name in the same namespace, or `NAMESPACE:NAME`" },
	{ "routing table", "a number from 1, `main`, `local`, `default`, or a name of rt_tables" },
	{},
};

const char schema_values_rest[] =
	"Integers are decimal or hexadecimal (`0x10`). A list of one item may be written without brackets. Values that YAML "
	"would read as something else (`no`, `22:22`, many IPv6 and MAC addresses) must be quoted.";

const char schema_intro[] =
	"All keys and their values. A key that is left out is not managed: the kernel's value stays as it is. There are three "
	"exceptions: a declared interface is brought up, `lo` is brought up in every namespace that topod makes, and a link "
	"that topod makes gets a stable MAC address.";

static void add_values(struct text *out) {
	text_add(out, "\n## Values\n\n| value | written |\n|---|---|\n");
	for (const struct schema_value *v = schema_values; v->name; v++)
		text_addf(out, "| %s | %s |\n", v->name, v->written);
	text_addf(out, "\n%s\n", schema_values_rest);
}

static const char *const ranges[] = {
	"A name may stand for many: `h[1-100]`, `h[01-20]` (with leading zeros), `sw[1,3,7-9]`, `port[a-d]`. A range can "
	"stand in a key of `namespaces` and of `interfaces`, in `ports`, and in the two ends of an entry of `links`. The "
	"entry then stands for one entry for each number. Inside brackets, and where YAML would read something else, such a "
	"name must be quoted: `[\"h[1-9]:eth0\", \"host:c[1-9]\"]`.",
	"Two ranges in one entry run in step and must be equally long: `[\"r[1-99]:right\", \"r[2-100]:left\"]` makes a "
	"chain.",
	"In the values of such an entry `{n}` is the number or letter, of the first range if there are several. It can be "
	"part of an expression with integers, `+ - * / %` and parentheses: `\"10.0.{n/250}.{n%250+1}/16\"`. A format may "
	"follow after a colon: `{n:02}` has at least two digits, `{n:02x}` is hexadecimal. `{{` is one `{`. A value with "
	"`{n}` should be quoted. In an entry inside another entry with a range, `{n}` is the number of the inner one, "
	"except in the inner name itself: `\"br[1-3]\": {kind: bridge, ports: \"c{n}-[1-8]\"}`.",
	"Entries for the same thing, for example `h[1-20]` and `h7`, are merged like [drop-ins](#drop-ins): their keys are "
	"combined, and a contradiction is an error that shows both places.",
	"A file may stand for at most 100,000 entries. `topod check --expand FILE` prints the file with everything written out.",
	NULL,
};

static const char *const dropins[] = {
	"The files `NAME.d/*.yaml` beside `NAME.yaml` are read in the order of their names (except hidden files and editors' "
	"backups) and merged with it into one topology, for every verb and at every reload. They are in the same language:",
	"- Mappings are merged: a drop-in may add namespaces, interfaces, settings, or keys to those that another file has.",
	"- Lists are appended. Addresses, ports, routes and links are sets: an entry in two files counts once. "
	"Entries of `nat` keep their order, those of `NAME.yaml` first.",
	"- No file overrides another. The same value twice is fine; a different one is an error that shows both places.",
	"If a drop-in cannot be read or has an error, the whole topology has an error, and nothing is changed.",
	NULL,
};

const struct schema_chapter schema_chapters[] = {
	{ "Ranges", ranges },
	{ "Drop-ins", dropins },
	{},
};

static void add_chapter(const struct schema_chapter *chapter, struct text *out) {
	bool in_list = false;

	text_addf(out, "\n## %s\n", chapter->title);
	for (const char *const *paragraph = chapter->paragraphs; *paragraph; paragraph++) {
		bool item = startswith(*paragraph, "- ");

		text_addf(out, "%s%s\n", item && in_list ? "" : "\n", *paragraph);
		in_list = item;
	}
}

void schema_markdown(struct text *out) {
	_schema_mappings_ mappings = {};
	struct schema_shown shown = {};

	schema_collect(&mappings);
	text_addf(out,
		  "# The language of a topology file\n\n"
		  "<!-- Made by `topod schema --markdown` from the tables that also read the file. -->\n\n%s\n",
		  schema_intro);
	vec_foreach(m, &mappings.list)
		add_mapping(m, &shown, out);
	add_values(out);
	for (const struct schema_chapter *chapter = schema_chapters; chapter->title; chapter++)
		add_chapter(chapter, out);
}
