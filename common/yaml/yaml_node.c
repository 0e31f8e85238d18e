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
