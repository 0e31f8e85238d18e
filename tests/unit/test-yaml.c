/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The YAML reader: trees are compared as one line of text each (see dump()), errors by their full first line, so
 * that a place or a word that moves is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "yaml.h"

/* One text, read. */
struct reading {
	struct arena arena;
	struct diags diags;
	const struct node *root;
};

static void reading_done(struct reading *reading) {
	arena_done(&reading->arena);
	diags_done(&reading->diags);
}
#define _reading_ _cleanup_(reading_done) struct reading

static void read_bytes(struct reading *reading, const char *text, size_t size) {
	*reading = (struct reading){};
	uint8_t source = diags_add_source(&reading->diags, (struct source){.name = "f", .text = text, .size = size});
	reading->root = yaml_read(&reading->arena, &reading->diags, source);
	assert_true(reading->root || reading->diags.n_errors > 0);
}

static void read_text(struct reading *reading, const char *text) {
	read_bytes(reading, text, strlen(text));
}

/* [a 'b' {k: v}]: texts as they are, quoted ones in quotes. */
static void dump_node(FILE *out, const struct node *node) {
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

static char *dump(const struct node *node) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	dump_node(out, node);
	fclose(out);
	return text;
}

static void assert_tree(const char *text, const char *expected) {
	_reading_ reading;

	read_text(&reading, text);
	_cleanup_free_ char *errors = diags_format(&reading.diags, false);
	assert_string_equal(errors, "");
	_cleanup_free_ char *tree = dump(reading.root);
	assert_string_equal(tree, expected);
}

/* The lines without excerpts, each ending in a line break. */
static char *list_errors(const struct diags *diags) {
	char *all = xstrdup("");

	for (size_t i = 0; i < diags->list.n; i++) {
		_cleanup_free_ char *line = diag_format_line(diags, &diags->list.items[i]), *before = all;
		all = xasprintf("%s%s\n", before, line + strlen("f:"));
	}
	return all;
}

static void assert_errors(const char *text, const char *expected) {
	_reading_ reading;

	read_text(&reading, text);
	_cleanup_free_ char *errors = list_errors(&reading.diags);
	assert_string_equal(errors, expected);
}

/* Errors that can be read past, and the tree that is left. */
static void assert_errors_and_tree(const char *text, const char *expected, const char *expected_tree) {
	_reading_ reading;

	read_text(&reading, text);
	_cleanup_free_ char *errors = list_errors(&reading.diags);
	assert_string_equal(errors, expected);
	assert_non_null(reading.root);
	_cleanup_free_ char *tree = dump(reading.root);
	assert_string_equal(tree, expected_tree);
}

/* One error, and no tree. */
static void assert_refused(const char *text, const char *expected) {
	_reading_ reading;

	read_text(&reading, text);
	_cleanup_free_ char *errors = list_errors(&reading.diags);
	assert_string_equal(errors, expected);
	assert_null(reading.root);
}

static void test_trees(_unused_ void **state) {
	assert_tree("a: 1\nb: [x, \"y\", 'z']\nc: {d: e}\n", "{a: 1 b: [x 'y' 'z'] c: {d: e}}");
	assert_tree("- a\n- - b\n  - c\n-\n", "[a [b c] ]");
	assert_tree("a: |\n  x\n  y\nb: >\n  x\n  y\n", "{a: 'x\ny\n' b: 'x y\n'}");
	assert_tree("a: one\n  two\n", "{a: one two}");
	assert_tree("a: {}\nb: []\n", "{a: {} b: []}");
	assert_tree("plain\n", "plain");
	assert_tree("{\"a\":1, b : 2, c}", "{'a': 1 b: 2 c: }");
	assert_tree("a: fd00::1/64\nb: 02:00:00:00:00:01 # x\n", "{a: fd00::1/64 b: 02:00:00:00:00:01}");
}

static void test_empty_documents(_unused_ void **state) {
	static const char *const texts[] = {"", "\n\n", "# only this\n", "---\n", "---\n...\n", "~\n", "null", "\xef\xbb\xbf", "  "};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_tree(texts[i], "{}");
	_reading_ reading;
	read_bytes(&reading, NULL, 0);
	assert_int_equal(reading.root->mark.line, 1);
}

static void assert_until(const char *text, const char *expected) {
	struct arena arena = {};
	struct diags diags = {};
	uint8_t source = diags_add_source(&diags, (struct source){.name = "f", .text = text, .size = strlen(text)});
	const struct node *root = yaml_read_until(&arena, &diags, source, "name");
	_cleanup_free_ char *tree = root ? dump(root) : NULL;

	assert_string_equal(tree ? tree : "(none)", expected);
	assert_int_equal(diags.n_errors > 0, !root);
	arena_done(&arena);
	diags_done(&diags);
}

/* What stands behind the key is not looked at, be it no YAML at all; what stands before it is. */
static void test_until_a_key(_unused_ void **state) {
	assert_until("name: a\nb: 1\n", "{name: a}");
	assert_until("b: {name: x}\nname: [a, {name: y}]\nc: }\n", "{b: {name: x} name: [a {name: y}]}");
	assert_until("{b: name, name: a, c: ]\n", "{b: name name: a}");
	assert_until("b: &x name\nc: *x\n", "{b: name c: name}");
	assert_until("b: }\nname: a\n", "(none)");
	assert_until("b: 1\nname", "(none)");
	assert_until("- name\n- a\n- b\n", "[name a b]");
	assert_until("", "{}");
}

static void test_plain_is_verbatim(_unused_ void **state) {
	assert_tree("[0x10, 010, 1_000, no, Yes, ~, 1e3, 22:22, 1.50]", "[0x10 010 1_000 no Yes ~ 1e3 22:22 1.50]");
}

static void test_tree_is_independent_of_the_text(_unused_ void **state) {
	char text[] = "a: [b, 'c']\n";
	_reading_ reading;

	read_text(&reading, text);
	memset(text, 'X', sizeof(text));
	_cleanup_free_ char *tree = dump(reading.root);
	assert_string_equal(tree, "{a: [b 'c']}");
}

static void assert_mark(const struct node *node, uint32_t line, uint16_t column, uint8_t width) {
	assert_int_equal(node->mark.line, line);
	assert_int_equal(node->mark.column, column);
	assert_int_equal(node->mark.width, width);
}

static const struct node *key_of(const struct node *mapping, size_t i) {
	return mapping->pairs[i].key;
}

static void test_marks(_unused_ void **state) {
	_reading_ reading;

	read_text(&reading, "first: word\n"
			    "\"ö\": 'ä ö'\n"
			    "list: [a, {b: c}]\n"
			    "none:\n"
			    "block: |  # x\n  text\n"
			    "lines: one\n  two\n"
			    "deep:\n  key: v\n");
	const struct node *root = reading.root, *list = node_get(root, "list");
	assert_mark(root, 1, 1, 1);
	assert_mark(key_of(root, 0), 1, 1, 5);
	assert_mark(node_get(root, "first"), 1, 8, 4);
	assert_mark(key_of(root, 1), 2, 1, 3);
	assert_mark(node_get(root, "ö"), 2, 6, 5);
	assert_mark(list, 3, 7, 1);
	assert_mark(list->items[0], 3, 8, 1);
	assert_mark(list->items[1], 3, 11, 1);
	assert_mark(node_get(list->items[1], "b"), 3, 15, 1);
	assert_mark(node_get(root, "none"), 4, 6, 1);
	assert_mark(node_get(root, "block"), 5, 8, 6);
	assert_mark(node_get(root, "lines"), 7, 8, 3);
	assert_mark(node_get(root, "deep"), 10, 3, 1);
	assert_mark(node_get(node_get(root, "deep"), "key"), 10, 8, 1);
}

static void test_marks_stand_behind_properties(_unused_ void **state) {
	_reading_ reading;

	read_text(&reading, "ö: &x word\nb: !!str &y 'q r'\nc: &z\n  # ö\n  k: v\nd: &w [1]\ne: &v |\n  t\nf: &u\ng: *y\n");
	assert_mark(node_get(reading.root, "ö"), 1, 7, 4);
	assert_mark(node_get(reading.root, "b"), 2, 13, 5);
	assert_mark(node_get(reading.root, "c"), 5, 3, 1);
	assert_mark(node_get(reading.root, "d"), 6, 7, 1);
	assert_mark(node_get(reading.root, "e"), 7, 7, 1);
	assert_mark(node_get(reading.root, "f"), 9, 4, 2);
	assert_mark(node_get(reading.root, "g"), 2, 13, 5); /* the anchor's place */
}

static void test_marks_with_other_line_ends(_unused_ void **state) {
	_reading_ crlf, cr, bom;

	read_text(&crlf, "a: 1\r\n\r\nb: &x\r\n  c\r\n");
	assert_mark(node_get(crlf.root, "b"), 4, 3, 1);
	read_text(&cr, "a: 1\r\rb: &x\r  c\r");
	assert_mark(node_get(cr.root, "b"), 4, 3, 1);
	read_text(&bom, "\xef\xbb\xbf" "a: &x c\n");
	assert_mark(key_of(bom.root, 0), 1, 1, 1);
	assert_mark(node_get(bom.root, "a"), 1, 7, 1);
}

static void test_marks_are_capped(_unused_ void **state) {
	_cleanup_free_ char *text = xmalloc(80001);
	_reading_ reading;

	memset(text, 'a', 80000);
	memcpy(text, "[", 1);
	memcpy(text + 70000, ",b]", 4);
	read_text(&reading, text);
	assert_mark(reading.root->items[0], 1, 2, 255);
	assert_mark(reading.root->items[1], 1, UINT16_MAX, 1);
}

static void test_aliases(_unused_ void **state) {
	assert_tree("a: &x [1, 2]\nb: *x\nc: {d: *x}\n", "{a: [1 2] b: [1 2] c: {d: [1 2]}}");
	assert_tree("a: &x [&x b, *x]\nc: *x\n", "{a: [b b] c: b}"); /* the newer anchor holds */
	assert_tree("a: &x 1\nb: &x 2\nc: *x\n", "{a: 1 b: 2 c: 2}");
	assert_tree("a: &x k\n*x : v\n", "{a: k k: v}");
	assert_tree("a: &x\nb: *x\n", "{a:  b: }");

	_reading_ reading;
	read_text(&reading, "a: &x [1]\nb: *x\n");
	assert_ptr_equal(node_get(reading.root, "a"), node_get(reading.root, "b"));
}

static void test_alias_errors(_unused_ void **state) {
	assert_errors_and_tree("a: *x\nb: [*yy, 1]\nc: {*z : 2}\nd: 3\n",
			       "1:4: error: nothing before this is anchored as &x; quote it if no alias is meant\n"
			       "2:5: error: nothing before this is anchored as &yy; quote it if no alias is meant\n"
			       "3:5: error: nothing before this is anchored as &z; quote it if no alias is meant\n",
			       "{b: [1] c: {} d: 3}");
	assert_errors_and_tree("a: &x [b, *x]\n", "1:11: error: *x stands inside of what it stands for\n", "{a: [b]}");
	assert_errors_and_tree("- &x 1\n- &x [*x]\n", "2:7: error: *x stands inside of what it stands for\n", "[1 []]");
	assert_errors_and_tree("&x\na: *x\n", "2:4: error: *x stands inside of what it stands for\n", "{}");
	assert_errors_and_tree("*x", "1:1: error: nothing before this is anchored as &x; quote it if no alias is meant\n",
			       "{}");
}

static void test_merge(_unused_ void **state) {
	const char *anchors = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\n";
	static const struct { const char *text, *expected; } cases[] = {
		{"{<<: *x, a: 9}", "{a: 9 b: 2}"},
		{"{a: 9, <<: *x}", "{a: 9 b: 2}"},
		{"{<<: [*x, *y], c: 5, d: 6}", "{c: 5 d: 6 a: 1 b: 2}"},
		{"{<<: [*y, *x]}", "{b: 3 c: 4 a: 1}"},
		{"{<<: {a: 7}, b: 8}", "{b: 8 a: 7}"},
		{"{<<: []}", "{}"},
		{"{'<<': 1}", "{'<<': 1}"},
		{"[<<]", "[<<]"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = xasprintf("%sz: %s\n", anchors, cases[i].text);
		_reading_ reading;
		read_text(&reading, text);
		assert_int_equal(reading.diags.n_errors, 0);
		_cleanup_free_ char *tree = dump(node_get(reading.root, "z"));
		assert_string_equal(tree, cases[i].expected);
	}
	assert_tree("a: &a {k: 1}\nb: &b {<<: *a, l: 2}\nc: {<<: *b, m: 3}\n",
		    "{a: {k: 1} b: {l: 2 k: 1} c: {m: 3 l: 2 k: 1}}");
}

static void test_merge_errors(_unused_ void **state) {
	assert_errors_and_tree("a: {<<: 1, b: 2}\n",
			       "1:5: error: '<<' takes a mapping or a list of mappings; this is a text\n", "{a: {b: 2}}");
	assert_errors_and_tree("a: {<<: [{c: 1}, [d]], b: 2}\n",
			       "1:5: error: '<<' takes a mapping or a list of mappings; this is a list\n",
			       "{a: {b: 2 c: 1}}");
	assert_errors_and_tree("a: {<<: {c: 1}, <<: {d: 1}}\n",
			       "1:17: error: the key '<<' stands here a second time; write '<<: [*one, *other]'\n"
			       "1:5: note: first here\n",
			       "{a: {c: 1}}");
	assert_errors_and_tree("x: &x {a: 1}\ny: {<<: *x, a: 2, a: 3}\n",
			       "2:19: error: the key 'a' stands here a second time\n2:13: note: first here\n",
			       "{x: {a: 1} y: {a: 2}}");
}

static void test_duplicate_keys(_unused_ void **state) {
	assert_errors_and_tree("a: 1\nb: 2\n'a': 3\na: 4\nc: {d: 1, d: 2}\n",
			       "5:11: error: the key 'd' stands here a second time\n5:5: note: first here\n"
			       "3:1: error: the key 'a' stands here a second time\n1:1: note: first here\n"
			       "4:1: error: the key 'a' stands here a second time\n1:1: note: first here\n",
			       "{a: 1 b: 2 c: {d: 1}}");
}

static void append(char **text, const char *format, int i) _printf_(2, 0);
static void append(char **text, const char *format, int i) {
	_cleanup_free_ char *before = *text;
	_cleanup_free_ char *more = NULL;

	_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wformat-nonliteral\"")
	more = xasprintf(format, i);
	_Pragma("GCC diagnostic pop")
	*text = xasprintf("%s%s", before, more);
}

/* Above a certain number of keys, duplicates are found in another way. */
static void test_duplicate_keys_of_many(_unused_ void **state) {
	_cleanup_free_ char *text = xstrdup("x: &x {k7: m, n: m}\n<<: *x\n");
	_reading_ reading;

	for (int i = 0; i < 100; i++)
		append(&text, "k%d: v\n", i);
	append(&text, "k%d: again\n", 30);
	append(&text, "k%d: and again\n", 30);
	read_text(&reading, text);
	_cleanup_free_ char *errors = list_errors(&reading.diags);
	assert_string_equal(errors, "103:1: error: the key 'k30' stands here a second time\n33:1: note: first here\n"
				    "104:1: error: the key 'k30' stands here a second time\n33:1: note: first here\n");
	assert_int_equal(reading.root->n, 102);
	assert_string_equal(node_get(reading.root, "k30")->text, "v");
	assert_string_equal(node_get(reading.root, "k7")->text, "v");
	assert_string_equal(key_of(reading.root, 1)->text, "k0");
	assert_string_equal(key_of(reading.root, 100)->text, "k99");
	assert_string_equal(key_of(reading.root, 101)->text, "n");
}

static void test_keys_must_be_scalars(_unused_ void **state) {
	assert_errors_and_tree("a: {{ b }}\nc: {[d]: e, f: g}\n",
			       "1:5: error: a key must be a word or a quoted text, not a mapping\n"
			       "2:5: error: a key must be a word or a quoted text, not a list\n",
			       "{a: {} c: {f: g}}");
	assert_errors_and_tree("? \n: a\n? ''\n: b\n", "1:2: error: a key is missing here\n", "{'': b}");
}

static void test_tags(_unused_ void **state) {
	assert_tree("[!!str 1, !!int '2', !!bool x, !!null '', !!float 1, !!seq [a], !!map {}]",
		    "['1' 2 x  1 [a] {}]");
	assert_errors_and_tree("a: !br0\nb: {out: !10.0.0.0/8, in: ! x}\nc: &c !br2\n",
			       "1:4: error: an unquoted '!' begins a tag; write 'not br0', or quote it\n"
			       "2:10: error: an unquoted '!' begins a tag; write 'not 10.0.0.0/8', or quote it\n"
			       "2:27: error: an unquoted '!' begins a tag; write 'not x', or quote it\n"
			       "3:7: error: an unquoted '!' begins a tag; write 'not br2', or quote it\n",
			       "{a: not br0 b: {out: not 10.0.0.0/8 in: not x} c: not br2}");
	assert_errors_and_tree("[!!binary a, !!str [b], !!seq {}, !x [c], !<y> d]",
			       "1:2: error: the tag !!binary has no meaning here; leave it out\n"
			       "1:14: error: the tag !!str has no meaning here; leave it out\n"
			       "1:25: error: the tag !!seq has no meaning here; leave it out\n"
			       "1:35: error: the tag !x has no meaning here; leave it out\n"
			       "1:43: error: the tag !<y> has no meaning here; leave it out\n",
			       "[a [b] {} [c] d]");
	assert_errors("a: !b c\n", "1:4: error: an unquoted '!' begins a tag; write 'not …', or quote the value\n");
	assert_refused("a: !\"b\"\n", "1:4: error: an unquoted '!' begins a tag; write 'not …', or quote the value\n");
	assert_refused("a: !b!c d\n", "1:4: error: an unquoted '!' begins a tag; write 'not …', or quote the value\n");
}

static void test_second_document(_unused_ void **state) {
	assert_errors_and_tree("a: 1\n---\nb: 2\n", "2:1: error: a second document begins here; a file holds one\n", "{a: 1}");
	assert_tree("---\na: 1\n...\n", "{a: 1}");
	assert_tree("%YAML 1.1\n---\na: 1\n", "{a: 1}");
}

static void test_what_was_found_before_stays(_unused_ void **state) {
	assert_refused("a: {b: 1, b: 2}\nc: @\n",
		       "1:11: error: the key 'b' stands here a second time\n1:5: note: first here\n"
		       "2:4: error: a value cannot begin with '@'; quote it\n");
}

static void test_scanner_errors(_unused_ void **state) {
	static const struct { const char *text, *expected; } cases[] = {
		{"a:\n\tb: 1\n", "2:1: error: a tab indents here; YAML wants spaces\n"},
		{"a:\n  b: 1\n  \tc: 2\n", "3:3: error: a tab indents here; YAML wants spaces\n"},
		{"a: |\n\tb\n", "2:1: error: a tab indents here; YAML wants spaces\n"},
		{"a: `b`\n", "1:4: error: a value cannot begin with '`'; quote it\n"},
		{"a: %b\n", "1:4: error: a value cannot begin with '%'; quote it\n"},
		{"a: ? b\n", "1:4: error: a value cannot begin with '? '; quote it\n"},
		{"a: b: c\n", "1:5: error: a second ':' in one line; quote the value that holds it\n"},
		{"a: 1\n  b: 2\n", "2:3: error: a key cannot stand here: its line is indented too far, or the key above lacks "
				   "its ':'\n"},
		{"a: 1\nmtu 1400\nb: 2\n", "2:1: error: this line has no 'key: value'; a ':' and a space are missing\n"},
		{"a:\n  - b\n  -c\n  - d\n", "3:3: error: the '-' of a list's entry wants a space behind it\n"},
		{"a: - b\n", "1:4: error: a list begins on a line of its own, not behind its key or an anchor\n"},
		{"a: 1\nb: 'c\nd: e\n", "2:4: error: this quote is never closed\n"},
		{"a: \"b\n---\n", "1:4: error: this quote is never closed\n"},
		{"a: \"ö\\q\"\n", "1:6: error: '\\q' is no escape of a text in double quotes; write '\\\\' or use single "
				"quotes\n"},
		{"a: \"\\ud800\"\n", "1:7: error: this escape names no character\n"},
		{"a: *.b\n", "1:4: error: an unquoted '*' begins an alias; quote the value if none is meant\n"},
		{"a: & b\n", "1:4: error: an unquoted '&' begins an anchor; quote the value if none is meant\n"},
		{"a: >b\n", "1:4: error: '>' begins a text of several lines, which starts on the next line; quote the value "
			    "if none is meant\n"},
		{"a:\n    b: 1\n  c: 2\n", "3:3: error: the indentation of this line fits none above it\n"},
		{"a: x\n- b\n", "2:1: error: a list's entry among keys; indent it as the list to which it belongs\n"},
		{"- a\nb: 1\n", "2:1: error: a list's entry begins with '- '; check this line's indentation\n"},
		{"a: 'b' c\n", "1:8: error: unexpected behind a value; quote the whole value, or remove this\n"},
		{"- 'b' c\n", "1:7: error: unexpected behind a value; quote the whole value, or remove this\n"},
		{"a: [b]]\n", "1:7: error: this ']' closes nothing\n"},
		{"{a: b}}\n", "1:7: error: this '}' closes nothing\n"},
		{"a: ]\n", "1:4: error: this ']' closes nothing\n"},
		{"a: 1\nb: [c,\n\n", "2:4: error: this '[' is never closed\n"},
		{"a: {b: [c]\n# end\n", "1:4: error: this '{' is never closed\n"},
		{"a: [b, c\nd: e\n", "2:2: error: expected ',' or ']' before this\n1:4: note: for the '[' here\n"},
		{"a: {b: 1 c: 2}\n", "1:11: error: expected ',' or '}' before this\n1:4: note: for the '{' here\n"},
		{"a: [b, , c]\n", "1:8: error: a value is missing before this\n1:4: note: for the '[' here\n"},
		{"a: [::1]\n", "1:5: error: a value that begins with ':' must be quoted between brackets\n"
			       "1:4: note: for the '[' here\n"},
		{"a: [b, fd00::]\n", "1:8: error: a value that ends with ':' must be quoted between brackets\n"},
		{"a: 1\n...\nb\n", "3:1: error: the document ended before this; check the indentation\n"},
		{"%YAML 2.0\n---\na: 1\n", "1:1: error: a line that begins with '%' is a directive to YAML; none is needed "
					   "here\n"},
		{"%X\n---\na: 1\n", "1:1: error: a line that begins with '%' is a directive to YAML; none is needed here\n"},
		{"a: 1\n%TAG ! x\n", "2:1: error: tags have no use here; remove this line\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].text, cases[i].expected);
}

static void assert_bytes_refused(const char *text, size_t size, const char *expected) {
	_reading_ reading;

	read_bytes(&reading, text, size);
	assert_null(reading.root);
	_cleanup_free_ char *errors = list_errors(&reading.diags);
	assert_string_equal(errors, expected);
}

static void test_garbage(_unused_ void **state) {
	assert_refused("a: 1\nö: x\xffy\n", "2:5: error: the byte 0xff is not UTF-8 text; is this a text file?\n");
	assert_refused("a: \xc3", "1:4: error: the byte 0xc3 is not UTF-8 text; is this a text file?\n");
	assert_refused("a: \xed\xa0\x80", "1:4: error: the byte 0xed is not UTF-8 text; is this a text file?\n");
	assert_refused("# \x1b[0m\n", "1:3: error: the control character U+001B cannot stand in YAML; is this a text file?\n");
	assert_refused("a: x\xe2\x80\xa8y\n", "1:5: error: an invisible line break (U+2028) stands here; remove it\n");
	assert_refused("a: x\xc2\x85y\n", "1:5: error: an invisible line break (U+0085) stands here; remove it\n");
	assert_refused("\xef\xbb\xbf" "a: \xef\xbb\xbf\n",
		       "1:4: error: the control character U+FEFF cannot stand in YAML; is this a text file?\n");
	assert_bytes_refused("a\r\nb\0c", 6,
			     "2:2: error: the control character U+0000 cannot stand in YAML; is this a text file?\n");
	assert_bytes_refused("\xff\xfe" "a\0", 4, " error: the file is UTF-16; save it as UTF-8\n");
	assert_bytes_refused("\x7f" "ELF\2\1\1\0", 8,
			     "1:1: error: the control character U+007F cannot stand in YAML; is this a text file?\n");
	assert_errors_and_tree("a: \"x\\0y\"\n", "1:4: error: this text has a NUL character (\\0) in it\n", "{a: 'x'}");
}

static void test_size_limit(_unused_ void **state) {
	_cleanup_free_ char *text = xmalloc(YAML_MAX_SIZE + 1);

	assert_bytes_refused(text, YAML_MAX_SIZE + 1, " error: the file has 64 MiB; at most 64 are read\n");
}

static char *repeat(const char *text, size_t n) {
	size_t size = strlen(text);
	char *all = xmalloc(size * n + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(all + i * size, text, size + 1);
	return all;
}

static void assert_depth(const char *open, const char *middle, const char *close, size_t n, const char *expected) {
	_cleanup_free_ char *opening = repeat(open, n), *closing = repeat(close, n);
	_cleanup_free_ char *text = xasprintf("%s%s%s", opening, middle, closing);

	assert_errors(text, expected);
}

static void test_depth_limit(_unused_ void **state) {
	assert_depth("[", "", "]", YAML_MAX_DEPTH, "");
	assert_depth("{a: ", "1", "}", YAML_MAX_DEPTH, "");
	assert_depth("- ", "a", "", YAML_MAX_DEPTH, "");
	assert_depth("[", "", "]", YAML_MAX_DEPTH + 1,
		     "1:65: error: more than 64 levels are nested here; the rest is not read\n");
	assert_depth("[", "", "", 10000, "1:65: error: more than 64 levels are nested here; the rest is not read\n");
	assert_depth("{a: ", "", "", 10000, "1:257: error: more than 64 levels are nested here; the rest is not read\n");
	assert_depth("- ", "", "", 10000, "1:129: error: more than 64 levels are nested here; the rest is not read\n");
	assert_depth("? ", "", "", 10000, "1:129: error: more than 64 levels are nested here; the rest is not read\n");
}

static void test_depth_limit_through_aliases(_unused_ void **state) {
	_cleanup_free_ char *opening = repeat("[", 40), *closing = repeat("]", 40);
	_cleanup_free_ char *text = xasprintf("- &a %s%s\n- &b [*a]\n- %.23s*a%.23s\n- %.22s*b%.22s\n- %.23s*b%.23s\n", opening,
					      closing, opening, closing, opening, closing, opening, closing);

	assert_refused(text, "5:26: error: more than 64 levels are nested through this alias; the rest is not read\n");
}

static void test_alias_bomb(_unused_ void **state) {
	_cleanup_free_ char *text = xstrdup("- &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	_reading_ reading;

	for (int i = 1; i < 30; i++) {
		append(&text, "- &a%d [", i);
		for (int j = 0; j < 10; j++)
			append(&text, "*a%d, ", i - 1);
		append(&text, "]\n", 0);
	}
	read_text(&reading, text);
	assert_null(reading.root);
	assert_int_equal(reading.diags.n_errors, 1);
	assert_non_null(strstr(reading.diags.list.items[0].text, "more than 100000 nodes are repeated through aliases"));
	assert_true(reading.arena.used < 10000);
}

/* Through `<<` the pairs are copied: what is copied must be bounded too. */
static void test_merge_bomb(_unused_ void **state) {
	_cleanup_free_ char *text = xstrdup("a0: &a0 {k: 1, l: 2}\n");
	_reading_ reading;

	for (int i = 1; i < 40; i++) {
		append(&text, "a%d: ", i);
		append(&text, "&a%d {<<: [", i);
		for (int j = 0; j < 10; j++)
			append(&text, "*a%d, ", i - 1);
		append(&text, "], m%d: 1}\n", i);
	}
	read_text(&reading, text);
	assert_null(reading.root);
	assert_int_equal(reading.diags.n_errors, 1);
	assert_true(reading.arena.used < 100000);
}

static void test_alias_limit_is_exact(_unused_ void **state) {
	_cleanup_free_ char *aliases = repeat("*a,", YAML_MAX_ALIASED / 10 - 1);
	_cleanup_free_ char *good = xasprintf("[&a [1,2,3,4,5,6,7,8,9],%s*a]", aliases);
	_cleanup_free_ char *bad = xasprintf("[&b x,&a [1,2,3,4,5,6,7,8,9],%s*a,*b]", aliases);
	_reading_ reading;

	assert_errors(good, "");
	read_text(&reading, bad);
	assert_null(reading.root);
	assert_int_equal(reading.diags.n_errors, 1);
}

static void test_node_limit(_unused_ void **state) {
	_cleanup_free_ char *good = repeat("- \n", YAML_MAX_NODES - 1), *bad = repeat("- \n", YAML_MAX_NODES);
	_reading_ reading;

	read_text(&reading, good);
	assert_int_equal(reading.diags.n_errors, 0);
	assert_int_equal(reading.root->n, YAML_MAX_NODES - 1);
	assert_refused(bad, "4000001:1: error: more than 4000000 nodes are in this file; the rest is not read\n");
}

static struct node scalar(const char *text, bool quoted) {
	return (struct node){.type = NODE_SCALAR, .text = text, .n = strlen(text), .quoted = quoted};
}

static void assert_judged(bool (*judge)(const struct node *), const char *yes, const char *no) {
	_reading_ good, bad;

	read_text(&good, yes);
	for (size_t i = 0; i < good.root->n; i++)
		if (!judge(good.root->items[i]))
			fail_msg("'%s' was not recognised", good.root->items[i]->text);
	read_text(&bad, no);
	for (size_t i = 0; i < bad.root->n; i++)
		if (judge(bad.root->items[i]))
			fail_msg("'%s' was taken for what it is not", bad.root->items[i]->text);
}

static void test_surprising_spellings(_unused_ void **state) {
	assert_judged(node_is_null, "[~, null, NULL]", "['', '~', nul, 0, [], {}, nULL]");
	assert_judged(node_is_bool_word, "[no, Yes, on, OFF, y, true, False]", "['no', yES, 0, 1, none, [], {}]");
	assert_judged(node_is_sexagesimal, "[22:22, 190:20:30, 12:34:56:12:34:56, 0:1.5, -1:30, +1:2:3.]",
		      "['22:22', 22:60, 22:222, 02:00:00:00:00:01, aa:22, 22, 8080:80, '', 0:1, 1:2x, --1:2, [], {}]");
	struct node empty = scalar("", false), quoted = scalar("", true);
	assert_true(node_is_null(&empty));
	assert_false(node_is_null(&quoted));
}

static void test_accessors(_unused_ void **state) {
	_reading_ reading;

	read_text(&reading, "a: x\nab: [y]\nc: {d: z}\n");
	assert_string_equal(node_get(reading.root, "a")->text, "x");
	assert_null(node_get(reading.root, "b"));
	assert_null(node_get(node_get(reading.root, "a"), "a"));
	assert_null(node_get(node_get(reading.root, "ab"), "y"));
	assert_string_equal(node_type_name(node_get(reading.root, "a")), "a text");
	assert_string_equal(node_type_name(node_get(reading.root, "ab")), "a list");
	assert_string_equal(node_type_name(node_get(reading.root, "c")), "a mapping");
}

static void test_long_words_are_cut_in_messages(_unused_ void **state) {
	_cleanup_free_ char *word = repeat("ö", 1000), *text = xasprintf("%s: 1\n%s: 2\n", word, word);
	_cleanup_free_ char *expected = xasprintf("2:1: error: the key '%.60s…' stands here a second time\n"
						  "1:1: note: first here\n", word);

	assert_errors(text, expected);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_empty_documents),
		cmocka_unit_test(test_until_a_key),
		cmocka_unit_test(test_plain_is_verbatim),
		cmocka_unit_test(test_tree_is_independent_of_the_text),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_marks_stand_behind_properties),
		cmocka_unit_test(test_marks_with_other_line_ends),
		cmocka_unit_test(test_marks_are_capped),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_alias_errors),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_merge_errors),
		cmocka_unit_test(test_duplicate_keys),
		cmocka_unit_test(test_duplicate_keys_of_many),
		cmocka_unit_test(test_keys_must_be_scalars),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_second_document),
		cmocka_unit_test(test_what_was_found_before_stays),
		cmocka_unit_test(test_scanner_errors),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_depth_limit),
		cmocka_unit_test(test_depth_limit_through_aliases),
		cmocka_unit_test(test_alias_bomb),
		cmocka_unit_test(test_merge_bomb),
		cmocka_unit_test(test_alias_limit_is_exact),
		cmocka_unit_test(test_node_limit),
		cmocka_unit_test(test_surprising_spellings),
		cmocka_unit_test(test_accessors),
		cmocka_unit_test(test_long_words_are_cut_in_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
