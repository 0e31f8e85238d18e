/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions about finished nodes, such as spellings that other YAML readers take for something else.
 */
#include "yaml/yaml.h"

#include <strings.h>

static const struct node_pair *find_pair(const struct node *mapping, const char *key) {
	size_t n = strlen(key);

	if (mapping->type != NODE_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->n; i++)
		if (mapping->pairs[i].key->n == n && memcmp(mapping->pairs[i].key->text, key, n) == 0)
			return &mapping->pairs[i];
	return NULL;
}

const struct node *node_get(const struct node *mapping, const char *key) {
	const struct node_pair *pair = find_pair(mapping, key);

	return pair ? pair->value : NULL;
}

struct position node_key_position(const struct node *mapping, const char *key) {
	const struct node_pair *pair = find_pair(mapping, key);

	return pair ? pair->key->position : mapping->position;
}

const char *node_type_name(const struct node *node) {
	switch (node->type) {
	case NODE_SCALAR:
		return "a string";
	case NODE_SEQUENCE:
		return "a list";
	case NODE_MAPPING:
		return "a mapping";
	}
	abort();
}

static bool is_plain(const struct node *node) {
	return node->type == NODE_SCALAR && !node->quoted;
}

size_t node_joined_key(const struct node *node) {
	const char *text = is_plain(node) ? node->text : "";
	size_t n = strcspn(text, ":,[]{}'\" \t");

	if (!n || text[n] != ':' || !text[n + 1] || strchr(": \t", text[n + 1]))
		return 0;
	return strchr(" \t", text[strspn(text, "0123456789abcdefABCDEF:./")]) ? 0 : n; /* an address is a value */
}

void node_refuse_joined(struct diags *diags, const struct node *node) {
	struct position position = node->position;
	size_t n = node_joined_key(node);
	struct yaml_quote quote = yaml_quote(node->text, n + 1);

	position.width = (uint8_t)MIN(n + 1, (size_t)UINT8_MAX);
	diag_error(diags, position, "a space is missing after '%s'", quote.text);
}

bool node_refuse_joined_name(struct diags *diags, const struct node *key) {
	size_t n = node_joined_key(key);

	if (!n || !strchr("{[", key->text[n + 1]))
		return false;
	node_refuse_joined(diags, key);
	return true;
}

bool node_check_mapping(struct diags *diags, const struct node *node, const char *what, const char *of) {
	if (node->type == NODE_MAPPING)
		return true;
	if (node_joined_key(node))
		node_refuse_joined(diags, node);
	else
		diag_error(diags, node->position, "%s must be a mapping of %s, not %s", what, of, node_type_name(node));
	return false;
}

static bool is_one_of(const char *text, const char *const *words, size_t n) {
	for (size_t i = 0; i < n; i++)
		if (streq(text, words[i]))
			return true;
	return false;
}

bool node_is_null(const struct node *node) {
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	return is_plain(node) && strchr("~nN", *node->text) && is_one_of(node->text, words, ARRAY_SIZE(words));
}

bool node_is_bool_word(const struct node *node) {
	static const char *const words[] = {
		"y", "Y", "yes", "Yes", "YES", "on",  "On",  "ON",  "true",  "True",  "TRUE",
		"n", "N", "no",  "No",  "NO",  "off", "Off", "OFF", "false", "False", "FALSE",
	};

	return is_plain(node) && is_one_of(node->text, words, ARRAY_SIZE(words));
}

/* Those for true begin with t or y, or are "on". */
bool node_is_true(const struct node *node) {
	return strchr("tTyY", node->text[0]) || strcasecmp(node->text, "on") == 0;
}

/* Skips one digit of a base-60 number: 0 to 59, in one or two characters. Returns what follows it, or NULL. */
static const char *skip_sixtieth(const char *p) {
	size_t digits = strspn(p, "0123456789");

	if (digits == 0 || digits > 2 || (digits == 2 && p[0] > '5'))
		return NULL;
	return p + digits;
}

bool node_is_sexagesimal(const struct node *node) {
	if (!is_plain(node))
		return false;
	const char *p = node->text + strspn(node->text, "+-");
	size_t digits = strspn(p, "0123456789_");
	if (p - node->text > 1 || digits == 0 || p[0] == '_' || p[digits] != ':')
		return false;

	bool zero = p[0] == '0'; /* then it is a number only with a fraction */
	for (p += digits; p && *p == ':';)
		p = skip_sixtieth(p + 1);
	if (!p || (zero && *p != '.'))
		return false;
	return *p == 0 || (*p == '.' && p[1 + strspn(p + 1, "0123456789_")] == 0);
}
