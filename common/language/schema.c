/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The language as a JSON Schema: each mapping is in "$defs", the file itself at the top. */
#include "language/schema_private.h"
#include "model/type_pattern.h"

static void add_keys(const struct schema_mapping *m, json_t *properties, json_t *required) {
	for (size_t i = 0; i < m->n_keys; i++) {
		const struct section *section = m->keys[i];
		json_t *schema = schema_of_section(section);

		if (section->required)
			json_array_append_new(required, json_string(section->key));
		schema_describe(schema, section->key, section->doc);
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

static json_t *all_kinds(const struct schema_mappings *mappings) {
	json_t *names = schema_pack("[s,s]", "existing", "veth");

	vec_foreach(m, &mappings->list)
		if (m->link)
			json_array_append_new(names, json_string(m->link->name));
	return names;
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
	/* Editors offer the examples before a kind is written. */
	return schema_pack("{s:{s:{s:o}}, s:o}", "properties", "kind", "examples", all_kinds(mappings), "allOf", cases);
}

static json_t *link_name_schema(void) {
	json_t *name = schema_pack("{s:i, s:s, s:s}", "maxLength", 15, "pattern", "^[^/:% ]+$", "patternErrorMessage",
				   "the name of an interface, without '/', ':', '%' and spaces");

	return schema_pack("{s:s, s:i, s:[o, {s:s}]}", "type", "string", "minLength", 1, "anyOf", name, "pattern", "[[{]");
}

/* Texts of a form, or with an expression. Editors show the message instead of the pattern. */
static void define_texts(json_t *defs) {
	static const struct {
		const char *name, *pattern, *message;
	} texts[] = {
		{ "computed", "[{]", "an expression in braces, such as {n}" },
		{ "ip", "^" PATTERN_IP "$|[{]", "an address, such as 10.0.0.1 or \"fd00::1\"" },
		{ "prefix", "^" PATTERN_PREFIX "$|[{]", "a prefix, such as 10.0.0.0/24 or \"fd00::/64\"" },
		{ "destination", "^(default|" PATTERN_PREFIX ")$|[{]",
		  "`default` or a prefix, such as 10.0.0.0/24 or \"fd00::/64\"" },
		{ "mac", "^" PATTERN_MAC "$|[{]", "a MAC address, such as \"02:00:00:00:00:01\"" },
		{ "unicast-mac", "^" PATTERN_UNICAST_MAC "$|[{]",
		  "the MAC address of one interface, such as \"02:00:00:00:00:01\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		schema_set(defs, texts[i].name,
			   schema_pack("{s:s, s:s, s:s}", "type", "string", "pattern", texts[i].pattern,
				       "patternErrorMessage", texts[i].message));
}

json_t *schema_json(void) {
	_schema_mappings_ mappings = {};
	const struct schema_mapping *common = NULL;
	json_t *schema, *kind, *defs = json_object();

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
	/* If the kind is missing or wrong, an interface has only the keys of all kinds. */
	kind = json_object_get(json_object_get(json_object_get(defs, mapping_interface.name), "properties"), "kind");
	schema_set(kind, "enum", all_kinds(&mappings));
	schema_set(defs, "interface-name", link_name_schema());
	define_texts(defs);
	schema_set(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	schema_set(schema, "title", json_string("A topology of topod"));
	schema_set(schema, "$defs", defs);
	return schema;
}
