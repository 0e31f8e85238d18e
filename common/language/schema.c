/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The language as a JSON Schema: each mapping is in "$defs", the file itself at the top. */
#include "language/schema_private.h"

static void add_keys(const struct schema_mapping *m, json_t *properties, json_t *required) {
	for (size_t i = 0; i < m->n_keys; i++) {
		const struct section *section = m->keys[i];
		json_t *schema = schema_of_section(section);

		if (section->required)
			json_array_append_new(required, json_string(section->key));
		schema_set(schema, "description", json_string(section->doc));
		schema_set(properties, section->key, schema);
	}
	schema_add_fields(&m->is, properties, required);
}

/* common: the mapping of all interfaces. */
static json_t *mapping_schema(const struct schema_mapping *m, const struct schema_mapping *common) {
	json_t *properties = json_object(), *required = json_array(), *schema;

	if (m->link && common) {
		struct schema_mapping shared = *common;

		if (m->link->no_mac)
			shared.is.without = "mac-address";
		add_keys(&shared, properties, required);
		schema_set(properties, "kind", schema_pack("{s:s}", "const", m->link->name));
	}
	add_keys(m, properties, required);
	if (m->is_case)
		schema_set(properties, "kind", schema_pack("{s:s}", "const", m->is.title));
	schema = schema_of_object(properties, required);
	if (m == common) /* "eth0:" without a value is valid too */
		schema_set(schema, "type", schema_pack("[s,s]", "object", "null"));
	return schema;
}

/* A mapping that has further keys by its kind, or a kind alone. */
static json_t *schema_of_cases(const struct mapping *mapping) {
	json_t *cases = json_array();
	struct mapping one;

	for (size_t i = 0; mapping->case_of(i, &one); i++) {
		json_t *is = schema_pack("{s:s, s:[s], s:{s:{s:s}}}", "type", "object", "required", "kind", "properties",
					 "kind", "const", one.title);

		json_array_append_new(cases, schema_pack("{s:o, s:o}", "if", is, "then", schema_ref(one.name)));
	}
	return schema_pack("{s:[s,s], s:o}", "type", "object", "string", "allOf", cases);
}

/* An interface has the keys of its kind, or without a kind those of all interfaces. Each case is complete in itself,
 * so that an editor's message names the wrong key and no alternatives. */
static json_t *interface_schema(const struct schema_mappings *mappings) {
	json_t *cases = json_array(), *names = json_array(), *is;

	vec_foreach(m, &mappings->list) {
		if (!m->link)
			continue;
		is = schema_pack("{s:s, s:[s], s:{s:{s:s}}}", "type", "object", "required", "kind", "properties", "kind",
				 "const", m->link->name);
		json_array_append_new(cases, schema_pack("{s:o, s:o}", "if", is, "then", schema_ref(m->is.name)));
		json_array_append_new(names, json_string(m->link->name));
	}
	is = schema_pack("{s:s, s:[s], s:{s:{s:o}}}", "type", "object", "required", "kind", "properties", "kind", "enum",
			 names);
	is = schema_pack("{s:o}", "not", is);
	json_array_append_new(cases, schema_pack("{s:o, s:o}", "if", is, "then", schema_ref(mapping_interface.name)));
	return schema_pack("{s:o}", "allOf", cases);
}

/* Where no kind is written, or one that does not exist, an editor offers all of them. */
static void list_kinds(const json_t *interface, const struct schema_mappings *mappings) {
	json_t *kind = json_object_get(json_object_get(interface, "properties"), "kind");

	vec_foreach(m, &mappings->list)
		if (m->link)
			json_array_append_new(json_object_get(kind, "enum"), json_string(m->link->name));
}

static json_t *link_name_schema(void) {
	json_t *name = schema_pack("{s:i, s:s}", "maxLength", 15, "pattern", "^[^/:% ]+$");

	return schema_pack("{s:s, s:i, s:[o, {s:s}]}", "type", "string", "minLength", 1, "anyOf", name, "pattern", "[[{]");
}

json_t *schema_json(void) {
	_schema_mappings_ mappings = {};
	const struct schema_mapping *common = NULL;
	json_t *schema, *defs = json_object();

	schema_collect(&mappings);
	vec_foreach(m, &mappings.list)
		if (streq(m->is.name, mapping_interface.name))
			common = m;
	schema = mapping_schema(&mappings.list.items[0], common);
	for (size_t i = 1; i < mappings.list.n; i++) {
		const struct schema_mapping *m = &mappings.list.items[i];

		schema_set(defs, m->is.name,
			   m->is.case_of && !m->is_case ? schema_of_cases(&m->is) : mapping_schema(m, common));
	}
	schema_set(defs, "any-interface", interface_schema(&mappings));
	list_kinds(json_object_get(defs, mapping_interface.name), &mappings);
	schema_set(defs, "interface-name", link_name_schema());
	schema_set(defs, "computed", schema_pack("{s:s, s:s}", "type", "string", "pattern", "[{]"));
	schema_set(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	schema_set(schema, "title", json_string("A topology of topod"));
	schema_set(schema, "$defs", defs);
	return schema;
}
