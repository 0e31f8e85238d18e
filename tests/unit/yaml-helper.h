/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For unit tests of the YAML reader: trees are compared as one line of text each (see dump()), errors by their full first
 * line, so that every change of a position or a word shows.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "yaml/yaml.h"

/* One text, read. */
struct reading {
	struct arena arena;
	struct diags diags;
	const struct node *root;
};

static inline void reading_done(struct reading *reading) {
	arena_done(&reading->arena);
	diags_done(&reading->diags);
}
#define _reading_ _cleanup_(reading_done) struct reading

static inline void read_bytes(struct reading *reading, const char *text, size_t size) {
	*reading = (struct reading){};
	uint8_t source = diags_add_source(&reading->diags, (struct source_text){ .name = "f", .text = text, .size = size });
	reading->root = yaml_read(&reading->arena, &reading->diags, source);
	assert_true(reading->root || reading->diags.n_errors > 0);
}

static inline void read_text(struct reading *reading, const char *text) {
	read_bytes(reading, text, strlen(text));
}

static inline const struct node *key_of(const struct node *mapping, size_t i) {
	return mapping->pairs[i].key;
}

/* [a 'b' {k: v}]: plain texts as they are, quoted ones in quotes. */
static inline void dump_node(FILE *out, const struct node *node) {
	switch (node->type) {
	case NODE_SCALAR:
		assert_int_equal(strlen(node->text), node->n);
		fprintf(out, node->quoted ? "'%s'" : "%s", node->text);
		break;
	case NODE_SEQUENCE:
		fputc('[', out);
		for (size_t i = 0; i < node->n; i++) {
			fputs(i ? " " : "", out);
			dump_node(out, node->items[i]);
		}
		fputc(']', out);
		break;
	case NODE_MAPPING:
		fputc('{', out);
		for (size_t i = 0; i < node->n; i++) {
			fputs(i ? " " : "", out);
			dump_node(out, node->pairs[i].key);
			fputs(": ", out);
			dump_node(out, node->pairs[i].value);
		}
		fputc('}', out);
		break;
	}
}

static inline char *dump(const struct node *node) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	dump_node(out, node);
	fclose(out);
	return text;
}

static inline void assert_tree(const char *text, const char *expected) {
	_reading_ reading;

	read_text(&reading, text);
	_cleanup_free_ char *errors = diags_format(&reading.diags, false);
	assert_string_equal(errors, "");
	_cleanup_free_ char *tree = dump(reading.root);
	assert_string_equal(tree, expected);
}

/* The diagnostics without excerpts, one line each. */
static inline char *list_errors(const struct diags *diags) {
	char *all = xstrdup("");

	for (size_t i = 0; i < diags->list.n; i++) {
		_cleanup_free_ char *line = diag_format_line(diags, &diags->list.items[i]), *before = all;
		all = xasprintf("%s%s\n", before, line + strlen("f:"));
	}
	return all;
}

static inline void assert_errors(const char *text, const char *expected) {
	_reading_ reading;

	read_text(&reading, text);
	_cleanup_free_ char *errors = list_errors(&reading.diags);
	assert_string_equal(errors, expected);
}

/* Checks the errors after which reading continues, and the tree that remains. */
static inline void assert_errors_and_tree(const char *text, const char *expected, const char *expected_tree) {
	_reading_ reading;

	read_text(&reading, text);
	_cleanup_free_ char *errors = list_errors(&reading.diags);
	assert_string_equal(errors, expected);
	assert_non_null(reading.root);
	_cleanup_free_ char *tree = dump(reading.root);
	assert_string_equal(tree, expected_tree);
}

/* The text gives one error and no tree. */
static inline void assert_refused(const char *text, const char *expected) {
	_reading_ reading;

	read_text(&reading, text);
	_cleanup_free_ char *errors = list_errors(&reading.diags);
	assert_string_equal(errors, expected);
	assert_null(reading.root);
}

static inline void append(char **text, const char *format, int i) _printf_(2, 0);
static inline void append(char **text, const char *format, int i) {
	_cleanup_free_ char *before = *text;
	_cleanup_free_ char *more = NULL;

	_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wformat-nonliteral\"") more = xasprintf(format, i);
	_Pragma("GCC diagnostic pop") *text = xasprintf("%s%s", before, more);
}

static inline void assert_bytes_refused(const char *text, size_t size, const char *expected) {
	_reading_ reading;

	read_bytes(&reading, text, size);
	assert_null(reading.root);
	_cleanup_free_ char *errors = list_errors(&reading.diags);
	assert_string_equal(errors, expected);
}

static inline char *repeat(const char *text, size_t n) {
	size_t size = strlen(text);
	char *all = xmalloc(size * n + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(all + i * size, text, size + 1);
	return all;
}
