/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema and the reference page agree with the reader of the file. For this, the schema is interpreted here; a keyword
 * that this interpreter does not know fails the test.
 */
#include "spec-helper.h"

#include <dirent.h>
#include <regex.h>

#include "language/schema_private.h"
#include "kind/kinds.h"
#include "kind/qdisc.h"

/* Documents as an editor's YAML reader sees them. */

static json_t *scalar_json(const struct node *node) {
	uint32_t number;

	if (node_is_null(node))
		return json_null();
	if (!node->quoted && parse_u32(node->text, &number) == 0)
		return json_integer(number);
	if (node_is_bool_word(node))
		return json_boolean(strchr("tTyY", node->text[0]) || strcasecmp(node->text, "on") == 0);
	return json_string(node->text);
}

static json_t *node_json(const struct node *node) {
	if (node->type == NODE_SCALAR)
		return scalar_json(node);
	json_t *json = node->type == NODE_SEQUENCE ? json_array() : json_object();
	for (size_t i = 0; i < node->n; i++)
		if (node->type == NODE_SEQUENCE)
			json_array_append_new(json, node_json(node->items[i]));
		else
			json_object_set_new(json, node->pairs[i].key->text, node_json(node->pairs[i].value));
	return json;
}

static json_t *text_json(const char *text) {
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_(diags_done) struct diags diags = {};
	uint8_t source = diags_add_source(&diags, (struct source_text){ "f", text, strlen(text) });
	const struct node *root = yaml_read(&arena, &diags, source);

	assert_non_null(root);
	return node_json(root);
}

/* The interpreter. */

static bool is_valid(const json_t *root, const json_t *schema, const json_t *value);

static bool has_type(const json_t *value, const char *type) {
	return (streq(type, "object") && json_is_object(value)) || (streq(type, "array") && json_is_array(value)) ||
	       (streq(type, "string") && json_is_string(value)) || (streq(type, "integer") && json_is_integer(value)) ||
	       (streq(type, "boolean") && json_is_boolean(value)) || (streq(type, "null") && json_is_null(value));
}

static bool check_type(const json_t *type, const json_t *value) {
	bool any = json_is_string(type) && has_type(value, json_string_value(type));

	for (size_t i = 0; i < json_array_size(type); i++)
		any |= has_type(value, json_string_value(json_array_get(type, i)));
	return any;
}

static bool is_among(const json_t *list, const json_t *value) {
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), value))
			return true;
	return false;
}

static bool matches(const char *pattern, const char *text) {
	regex_t regex;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	int r = regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return r == 0;
}

static bool check_members(const json_t *root, const json_t *schema, const json_t *value) {
	const json_t *properties = json_object_get(schema, "properties"),
		     *more = json_object_get(schema, "additionalProperties");
	const json_t *names = json_object_get(schema, "propertyNames"), *required = json_object_get(schema, "required");
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)value, key, member) {
		const json_t *known = json_object_get(properties, key);
		json_t *name = json_string(key);
		bool good = !names || is_valid(root, names, name);

		json_decref(name);
		if (!good || (known && !is_valid(root, known, member)) || (!known && json_is_false(more)) ||
		    (!known && json_is_object(more) && !is_valid(root, more, member)))
			return false;
	}
	for (size_t i = 0; i < json_array_size(required); i++)
		if (!json_object_get(value, json_string_value(json_array_get(required, i))))
			return false;
	return true;
}

static bool check_items(const json_t *root, const json_t *schema, const json_t *value) {
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!is_valid(root, schema, json_array_get(value, i)))
			return false;
	return true;
}

static bool check_some(const json_t *root, const json_t *schemas, const json_t *value, bool all) {
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(schemas); i++)
		n += is_valid(root, json_array_get(schemas, i), value);
	return all ? n == json_array_size(schemas) : n > 0;
}

static bool check_word(const json_t *root, const json_t *schema, const char *word, const json_t *rule, const json_t *value) {
	static const char *const passive[] = { "description",
					       "title",
					       "$schema",
					       "$defs",
					       "then",
					       "properties",
					       "additionalProperties",
					       "propertyNames",
					       "required",
					       "patternErrorMessage",
					       "examples" };
	json_int_t limit = json_integer_value(rule);
	const char *text = json_string_value(value);

	for (size_t i = 0; i < ARRAY_SIZE(passive); i++)
		if (streq(word, passive[i]))
			return true;
	if (streq(word, "$ref"))
		return is_valid(
			root, json_object_get(json_object_get(root, "$defs"), json_string_value(rule) + strlen("#/$defs/")),
			value);
	if (streq(word, "type"))
		return check_type(rule, value);
	if (streq(word, "enum"))
		return is_among(rule, value);
	if (streq(word, "const"))
		return json_equal(rule, value);
	if (streq(word, "items"))
		return check_items(root, rule, value);
	if (streq(word, "anyOf") || streq(word, "allOf"))
		return check_some(root, rule, value, streq(word, "allOf"));
	if (streq(word, "not"))
		return !is_valid(root, rule, value);
	if (streq(word, "if"))
		return !is_valid(root, rule, value) || is_valid(root, json_object_get(schema, "then"), value);
	if (streq(word, "minimum"))
		return !json_is_integer(value) || json_integer_value(value) >= limit;
	if (streq(word, "maximum"))
		return !json_is_integer(value) || json_integer_value(value) <= limit;
	if (streq(word, "minItems"))
		return !json_is_array(value) || (json_int_t)json_array_size(value) >= limit;
	if (streq(word, "maxItems"))
		return !json_is_array(value) || (json_int_t)json_array_size(value) <= limit;
	if (streq(word, "minLength"))
		return !text || (json_int_t)strlen(text) >= limit;
	if (streq(word, "maxLength"))
		return !text || (json_int_t)strlen(text) <= limit;
	if (streq(word, "pattern"))
		return !text || matches(json_string_value(rule), text);
	fail_msg("the schema says '%s'", word);
	return false;
}

static bool is_valid(const json_t *root, const json_t *schema, const json_t *value) {
	const char *word;
	json_t *rule;

	assert_true(json_is_object(schema)); /* the reference must lead to something */
	json_object_foreach((json_t *)(uintptr_t)schema, word, rule)
		if (!check_word(root, schema, word, rule, value))
			return false;
	return check_members(root, schema, value);
}

static bool schema_takes(const char *text) {
	json_t *schema = schema_json(), *document = text_json(text);
	bool valid = is_valid(schema, schema, document);

	json_decref(schema);
	json_decref(document);
	return valid;
}

/* Tests. */

/* What the reader accepts, the schema must accept. */
static void check_good(const char *text) {
	_spec_ r;

	good_spec(&r, text);
	if (!schema_takes(text))
		fail_msg("the schema refuses what the reader takes: %s", text);
}

static void test_good(void **state _unused_) {
	check_good("namespaces: {}");
	check_good(
		"version: 1\ntopology: office\ndrift: report\non-stop: remove\n"
		"defaults: {link: {mtu: 1400, queues: 1}, interface: {arp: true}}\n"
		"namespaces:\n"
		"  host: {forwarding: true, sysctl: {net.ipv4.ip_forward: 1, net/core/somaxconn: \"4096\"}}\n"
		"  a: {adopt: false, exclusive: yes, drift: ignore, forwarding: ipv6,\n"
		"      dns: {servers: [10.0.0.1, \"fd00::1\"], search: example.org}, interfaces: {}}\n"
		"  b:\n"
		"    interfaces:\n"
		"      lo:\n"
		"      one: {mtu: 1400, mac-address: \"02:00:00:00:00:01\", accept-ra: 2, drift: restore,\n"
		"            ipv6-address-generation: none, addresses: [10.0.0.1/8, {address: \"fd00::1/64\", nodad: true}]}\n"
		"      two: {kind: veth, accept-ra: false, addresses: 10.1.0.1/16}\n"
		"      br: {kind: bridge, ports: [two, {name: m, cost: 5, hairpin: true}], forward-delay: 15s, max-age: 20,\n"
		"           vlan-protocol: 802.1ad, priority: 0x8000}\n"
		"      m: {kind: macvlan, link: one, mode: private}\n"
		"      vx: {kind: vxlan, id: 7, dev: \"b:one\", remote: 10.0.0.2, port: 4789, ageing-time: 5m}\n"
		"    routes:\n"
		"      - {to: default, via: 10.0.0.9, dev: one, metric: 5, table: blue, scope: global, on-link: true}\n"
		"      - {to: 10.9.0.0/16, nexthops: [{via: 10.0.0.3, weight: 2}, {via: 10.0.0.4, dev: one}], table: 77}\n"
		"      - {to: \"fd01::/64\", type: blackhole}\n"
		"    nat:\n"
		"      - {action: masquerade, source: [10.0.0.0/8, 192.168.0.0/16], out: not one}\n"
		"      - {action: dnat, protocol: tcp, port: 80, to: \"10.0.0.9:8080\", in: [one, two]}\n"
		"      - {action: dnat, protocol: [tcp, udp], port: [53, 100-200], to: 10.0.0.9, hook: output}\n"
		"      - {action: redirect, protocol: 6, to: 8080}\n"
		"  c: {interfaces: {nic: {kind: physical, source: enp3s0}}, routes: {to: 10.0.0.0/8, type: throw}}\n"
		"links:\n"
		"  - [b:one, host:c1]\n"
		"  - {endpoints: [b:two, host:c2], mtu: 1400, queues: 1, txqueuelen: 500}\n");
	check_good(
		"namespaces:\n"
		"  host: {interfaces: {\"b[1-2]\": {kind: bridge, stp: true, priority: \"{n*4096}\", ports: \"c{n}-[a-b]\"}}}\n"
		"  \"n[1-2]\": {interfaces: {\"interface[1-3]\": {mtu: \"{n+1400}\", kind: bridge}}}\n"
		"links: [[\"n[1-2]:x\", \"host:c{n}-a\"], [\"n[1-2]:y\", \"host:c{n}-b\"]]");
}

static void test_examples(void **state _unused_) {
	DIR *directory = opendir(TOPOD_SOURCE "/specs");
	const struct dirent *entry;
	size_t n = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		static char text[65536];
		size_t size = strlen(entry->d_name);

		if (size < 5 || !streq(entry->d_name + size - 5, ".yaml"))
			continue;
		_cleanup_free_ char *path = xasprintf("%s/specs/%s", TOPOD_SOURCE, entry->d_name);
		_cleanup_fclose_ FILE *file = fopen(path, "re");
		assert_non_null(file);
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		check_good(text);
		n++;
	}
	closedir(directory);
	assert_true(n >= 5);
}

/* Mistakes that an editor can show while typing. */
static void test_bad(void **state _unused_) {
	static const char *const texts[] = {
		"[]",
		"version: 2",
		"versoin: 1",
		"drift: repair",
		"namespaces: {a: }",
		"namespaces: [a]",
		"namespaces: {a: {interface: {}}}",
		"namespaces: {a: {forwarding: both}}",
		"namespaces: {a: {sysctl: {kernel.panic: 1}}}",
		"namespaces: {a: {dns: {server: 10.0.0.1}}}",
		"namespaces: {a: {interfaces: {averyveryverylongname: {}}}}",
		"namespaces: {a: {interfaces: {a b: {}}}}",
		"namespaces: {a: {interfaces: {x: {kind: brigde}}}}",
		"namespaces: {a: {interfaces: {x: {kind: vxlan}}}}",
		"namespaces: {a: {interfaces: {x: {stp: true}}}}",
		"namespaces: {a: {interfaces: {x: {mtu: 12}}}}",
		"namespaces: {a: {interfaces: {x: {kind: bridge, sttp: true}}}}",
		"namespaces: {a: {interfaces: {x: {kind: bridge, stp: 1}}}}",
		"namespaces: {a: {interfaces: {x: {kind: bridge, forward-delay: fast}}}}",
		"namespaces: {a: {interfaces: {x: {kind: bridge, ports: [{cost: 3}]}}}}",
		"namespaces: {a: {interfaces: {x: {kind: macvlan, link: e, mode: bridg}}}}",
		"namespaces: {a: {interfaces: {x: {alias: topod}}}}",
		"namespaces: {a: {interfaces: {x: {master: br0}}}}",
		"namespaces: {a: {interfaces: {x: {addresses: [{peer: 10.0.0.1}]}}}}",
		"namespaces: {a: {routes: [{via: 10.0.0.1}]}}",
		"namespaces: {a: {routes: default}}",
		"namespaces: {a: {routes: [{to: default, nexthops: []}]}}",
		"namespaces: {a: {routes: [{to: default, nexthops: [{weight: 300}]}]}}",
		"namespaces: {a: {nat: [{source: 10.0.0.0/8}]}}",
		"namespaces: {a: {nat: [{action: masq}]}}",
		"namespaces: {a: {nat: [{action: dnat, port: 70000}]}}",
		"namespaces: {a: {nat: x}}",
		"namespaces: {a: {filter: [{action: accept}]}}",
		"namespaces: {a: {filter: {forwards: {}}}}",
		"namespaces: {a: {filter: {forward: {policy: reject}}}}",
		"namespaces: {a: {filter: {forward: {rules: [{action: log}]}}}}",
		"namespaces: {a: {filter: {forward: {rules: [{state: old, action: drop}]}}}}",
		"namespaces: {a: {filter: {forward: {rules: [{log: {prefix: a, levels: info}}]}}}}",
		"links: [[a:x]]",
		"links: [[x, a:z]]",
		"links: {a: b}",
		"links: [{mtu: 1400}]",
		"links: [{endpoints: [a:x, a:z], mtu: 12}]",
		"defaults: {links: {}}",
		"defaults: {link: {mtu: 12}}",
		"defaults: {interface: {mac-address: \"02:00:00:00:00:01\"}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_spec_ r;

		spec_from_text(&r, texts[i]);
		if (r.good)
			fail_msg("the reader takes %s", texts[i]);
		if (schema_takes(texts[i]))
			fail_msg("the schema takes %s", texts[i]);
	}
}

/* Every key of the schema is one that the reader knows. */
static void check_keys(const json_t *schema, const char *def, const char *frame) {
	const json_t *mapping = def ? json_object_get(json_object_get(schema, "$defs"), def) : schema;
	const json_t *properties = json_object_get(mapping, "properties");
	const char *key;
	json_t *value;

	assert_non_null(properties);
	json_object_foreach((json_t *)(uintptr_t)properties, key, value) {
		_cleanup_text_ struct text text = {};
		const char *gap = strchr(frame, '@');
		_spec_ r;

		assert_true(json_object_get(value, "description") || json_object_get(value, "const"));
		text_addn(&text, frame, (size_t)(gap - frame));
		text_addf(&text, "%s: []%s", key, gap + 1);
		spec_from_text(&r, text.data);
		vec_foreach(diag, &r.diags.list)
			if (strstr(diag->text, "unknown key"))
				fail_msg("%s", diag->text);
	}
}

static void test_keys_are_known(void **state _unused_) {
	static const struct {
		const char *def, *frame;
	} rows[] = {
		{ NULL, "{@}" },
		{ "namespace", "namespaces: {a: {@}}" },
		{ "interface", "namespaces: {a: {interfaces: {lo: {@}}}}" },
		{ "port", "namespaces: {a: {interfaces: {x: {kind: bridge, ports: [{@}]}}}}" },
		{ "bond-port", "namespaces: {a: {interfaces: {x: {kind: bond, ports: [{@}]}}}}" },
		{ "vrf-port", "namespaces: {a: {interfaces: {x: {kind: vrf, table: 10, ports: [{@}]}}}}" },
		{ "address", "namespaces: {a: {interfaces: {lo: {addresses: [{@}]}}}}" },
		{ "link", "links: [{@}]" },
		{ "network", "networks: {a: {@}}" },
		{ "member", "networks: {a: {prefix: 10.0.0.0/24, members: [{@}]}}" },
		{ "route", "namespaces: {a: {routes: [{@}]}}" },
		{ "rule", "namespaces: {a: {rules: [{@}]}}" },
		{ "neighbor", "namespaces: {a: {neighbors: [{@}]}}" },
		{ "peer", "namespaces: {a: {interfaces: {x: {kind: wireguard, peers: [{@}]}}}}" },
		{ "nexthop", "namespaces: {a: {nexthops: [{@}]}}" },
		{ "fdb", "namespaces: {a: {interfaces: {x: {kind: dummy, fdb: [{@}]}}}}" },
		{ "impair", "namespaces: {a: {interfaces: {x: {kind: dummy, impair: {@}}}}}" },
		{ "police", "namespaces: {a: {interfaces: {x: {kind: dummy, police: {@}}}}}" },
		{ "qdisc-class", "namespaces: {a: {interfaces: {x: {kind: dummy, qdisc: {kind: htb, classes: [{@}]}}}}}" },
		{ "qdisc-filter", "namespaces: {a: {interfaces: {x: {kind: dummy, qdisc: {kind: prio, filters: [{@}]}}}}}" },
		{ "nat-entry", "namespaces: {a: {nat: [{@}]}}" },
		{ "filter", "namespaces: {a: {filter: {@}}}" },
		{ "filter-chain", "namespaces: {a: {filter: {forward: {@}}}}" },
		{ "filter-rule", "namespaces: {a: {filter: {forward: {rules: [{@}]}}}}" },
		{ "alternative-name", "namespaces: {a: {interfaces: {x: {kind: bridge, alternative-names: [{@}]}}}}" },
		{ "dns", "namespaces: {a: {dns: {@}}}" },
		{ "attach", "namespaces: {a: {attach: {@}}}" },
		{ "defaults", "defaults: {@}" },
		{ "default-values", "defaults: {link: {@}}" },
	};
	json_t *schema = schema_json();
	size_t n = ARRAY_SIZE(rows) - 1; /* the file itself is not in "$defs" */

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_keys(schema, rows[i].def, rows[i].frame);
	for (const struct kind *const *k = kinds; *k; k++) {
		if ((*k)->class != &class_link || (*k)->unnamed || (*k)->found)
			continue;
		_cleanup_free_ char *frame = xasprintf("namespaces: {a: {interfaces: {x: {kind: %s, @}}}}", (*k)->name);
		check_keys(schema, (*k)->name, frame);
		n++;
	}
	for (const struct qdisc_kind *const *k = qdisc_kinds; *k; k++) {
		_cleanup_free_ char *frame =
			xasprintf("namespaces: {a: {interfaces: {x: {kind: dummy, qdisc: {kind: %s, @}}}}}", (*k)->name);
		check_keys(schema, (*k)->anchor, frame);
		n++;
	}
	/* Nine more are not mappings of keys. */
	assert_int_equal(json_object_size(json_object_get(schema, "$defs")), n + 9);
	json_decref(schema);
}

/* An editor that does not know the kind yet can offer all of them. */
static void test_kinds_are_offered(void **state _unused_) {
	json_t *schema = schema_json(), *defs = json_object_get(schema, "$defs"), *kind, *offered, *item;
	size_t i, n;

	kind = json_object_get(json_object_get(json_object_get(defs, "interface"), "properties"), "kind");
	offered = json_object_get(kind, "enum");
	for (const struct kind *const *k = kinds; *k; k++) {
		n = 0;
		json_array_foreach(offered, i, item)
			n += streq(json_string_value(item), (*k)->name);
		if ((*k)->class == &class_link && !(*k)->unnamed)
			assert_int_equal(n, 1);
	}
	json_decref(schema);
}

/* Every kind of link and each of its keys is in both. */
static void test_every_kind(void **state _unused_) {
	_cleanup_text_ struct text page = {};
	json_t *schema = schema_json();

	schema_markdown(&page);
	for (const struct kind *const *k = kinds; *k; k++) {
		json_t *def = json_object_get(json_object_get(schema, "$defs"), (*k)->name);

		if ((*k)->class != &class_link || (*k)->unnamed || *k == &kind_existing)
			continue;
		assert_non_null(def);
		for (size_t i = 0; i < (*k)->n_fields; i++) {
			const struct field *field = &(*k)->fields[i];
			_cleanup_free_ char *row = xasprintf("\n| `%s`", field->name);
			bool hidden = field->flags & FIELD_HIDDEN || (i == LINK_MAC && (*k)->no_mac);

			assert_int_equal(json_object_get(json_object_get(def, "properties"), field->name) == NULL, hidden);
			if (!hidden) {
				assert_non_null(strstr(page.data, row));
				assert_non_null(field->doc);
			}
		}
	}
	json_decref(schema);
}

static void test_page_is_current(void **state _unused_) {
	_cleanup_text_ struct text page = {};
	static char committed[262144];
	_cleanup_fclose_ FILE *file = fopen(TOPOD_SOURCE "/docs/reference.md", "re");

	assert_non_null(file);
	committed[fread(committed, 1, sizeof(committed) - 1, file)] = '\0';
	schema_markdown(&page);
	if (!streq(page.data, committed))
		fail_msg("docs/reference.md is old: topod schema --markdown >docs/reference.md");
}

/* The manual page. */

/* Bold text ends on its line, and nothing of Markdown is left; scdoc itself reads the page when it is built. */
static void test_man_is_scdoc(void **state _unused_) {
	_cleanup_text_ struct text page = {};

	schema_man(&page);
	assert_true(page.data[page.size - 1] == '\n');
	for (const char *line = page.data; *line; line = strchr(line, '\n') + 1) {
		size_t n_bold = 0;

		for (const char *c = line; *c != '\n'; c++) {
			n_bold += *c == '*';
			assert_true(*c != '`' && !startswith(c, "]("));
			assert_true(*c != '_'); /* an escaped one is skipped below */
			c += *c == '\\';
		}
		assert_int_equal(n_bold % 2, 0);
	}
}

static void check_is_told(const struct text *page, const char *name) {
	_cleanup_text_ struct text tag = {};

	text_addf(&tag, "\n*%s*: ", name);
	if (!strstr(page->data, text_str(&tag)))
		fail_msg("the page does not tell of '%s'", name);
}

static void test_man_tells_of_each_key(void **state _unused_) {
	_schema_mappings_ mappings = {};
	_cleanup_text_ struct text page = {};
	size_t n_keys = 0;

	schema_collect(&mappings);
	schema_man(&page);
	vec_foreach(m, &mappings.list) {
		for (size_t k = 0; k < m->n_keys; k++, n_keys++)
			check_is_told(&page, m->keys[k]->key);
		for (size_t k = 0; k < m->is.n_fields; k++)
			if (schema_shows(&m->is, &m->is.fields[k])) {
				check_is_told(&page, m->is.fields[k].name);
				n_keys++;
			}
	}
	assert_true(n_keys > 50);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_keys_are_known),
		cmocka_unit_test(test_kinds_are_offered),
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_page_is_current),
		cmocka_unit_test(test_man_is_scdoc),
		cmocka_unit_test(test_man_tells_of_each_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
