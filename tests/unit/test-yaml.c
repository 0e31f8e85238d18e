/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The YAML reader with valid documents: trees, positions, aliases and merge keys. */
#include "yaml-helper.h"

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
	static const char *const texts[] = { "",    "\n\n", "# only this\n", "---\n", "---\n...\n",
					     "~\n", "null", "\xef\xbb\xbf",  "  " };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_tree(texts[i], "{}");
	_reading_ reading;
	read_bytes(&reading, NULL, 0);
	assert_int_equal(reading.root->position.line, 1);
}

static void assert_until(const char *text, const char *expected) {
	struct arena arena = {};
	struct diags diags = {};
	uint8_t source = diags_add_source(&diags, (struct source_text){ .name = "f", .text = text, .size = strlen(text) });
	const struct node *root = yaml_read_until(&arena, &diags, source, "name");
	_cleanup_free_ char *tree = root ? dump(root) : NULL;

	assert_string_equal(tree ? tree : "(none)", expected);
	assert_int_equal(diags.n_errors > 0, !root);
	arena_done(&arena);
	diags_done(&diags);
}

/* Text after the key is not read, even if it is not YAML; text before it is. */
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

static void assert_position(const struct node *node, uint32_t line, uint16_t column, uint8_t width) {
	assert_int_equal(node->position.line, line);
	assert_int_equal(node->position.column, column);
	assert_int_equal(node->position.width, width);
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
	assert_position(root, 1, 1, 1);
	assert_position(key_of(root, 0), 1, 1, 5);
	assert_position(node_get(root, "first"), 1, 8, 4);
	assert_position(key_of(root, 1), 2, 1, 3);
	assert_position(node_get(root, "ö"), 2, 6, 5);
	assert_position(list, 3, 7, 1);
	assert_position(list->items[0], 3, 8, 1);
	assert_position(list->items[1], 3, 11, 1);
	assert_position(node_get(list->items[1], "b"), 3, 15, 1);
	assert_position(node_get(root, "none"), 4, 6, 1);
	assert_position(node_get(root, "block"), 5, 8, 6);
	assert_position(node_get(root, "lines"), 7, 8, 3);
	assert_position(node_get(root, "deep"), 10, 3, 1);
	assert_position(node_get(node_get(root, "deep"), "key"), 10, 8, 1);
}

static void test_marks_stand_behind_properties(_unused_ void **state) {
	_reading_ reading;

	read_text(&reading, "ö: &x word\nb: !!str &y 'q r'\nc: &z\n  # ö\n  k: v\nd: &w [1]\ne: &v |\n  t\nf: &u\ng: *y\n");
	assert_position(node_get(reading.root, "ö"), 1, 7, 4);
	assert_position(node_get(reading.root, "b"), 2, 13, 5);
	assert_position(node_get(reading.root, "c"), 5, 3, 1);
	assert_position(node_get(reading.root, "d"), 6, 7, 1);
	assert_position(node_get(reading.root, "e"), 7, 7, 1);
	assert_position(node_get(reading.root, "f"), 9, 4, 2);
	assert_position(node_get(reading.root, "g"), 2, 13, 5); /* the position of the anchor */
}

static void test_marks_with_other_line_ends(_unused_ void **state) {
	_reading_ crlf, cr, bom;

	read_text(&crlf, "a: 1\r\n\r\nb: &x\r\n  c\r\n");
	assert_position(node_get(crlf.root, "b"), 4, 3, 1);
	read_text(&cr, "a: 1\r\rb: &x\r  c\r");
	assert_position(node_get(cr.root, "b"), 4, 3, 1);
	read_text(&bom, "\xef\xbb\xbf"
			"a: &x c\n");
	assert_position(key_of(bom.root, 0), 1, 1, 1);
	assert_position(node_get(bom.root, "a"), 1, 7, 1);
}

static void test_marks_are_capped(_unused_ void **state) {
	_cleanup_free_ char *text = xmalloc(80001);
	_reading_ reading;

	memset(text, 'a', 80000);
	memcpy(text, "[", 1);
	memcpy(text + 70000, ",b]", 4);
	read_text(&reading, text);
	assert_position(reading.root->items[0], 1, 2, 255);
	assert_position(reading.root->items[1], 1, UINT16_MAX, 1);
}

static void test_aliases(_unused_ void **state) {
	assert_tree("a: &x [1, 2]\nb: *x\nc: {d: *x}\n", "{a: [1 2] b: [1 2] c: {d: [1 2]}}");
	assert_tree("a: &x [&x b, *x]\nc: *x\n", "{a: [b b] c: b}"); /* the newer anchor counts */
	assert_tree("a: &x 1\nb: &x 2\nc: *x\n", "{a: 1 b: 2 c: 2}");
	assert_tree("a: &x k\n*x : v\n", "{a: k k: v}");
	assert_tree("a: &x\nb: *x\n", "{a:  b: }");

	_reading_ reading;
	read_text(&reading, "a: &x [1]\nb: *x\n");
	assert_ptr_equal(node_get(reading.root, "a"), node_get(reading.root, "b"));
}

static void test_merge(_unused_ void **state) {
	const char *anchors = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\n";
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "{<<: *x, a: 9}", "{a: 9 b: 2}" },
		{ "{a: 9, <<: *x}", "{a: 9 b: 2}" },
		{ "{<<: [*x, *y], c: 5, d: 6}", "{c: 5 d: 6 a: 1 b: 2}" },
		{ "{<<: [*y, *x]}", "{b: 3 c: 4 a: 1}" },
		{ "{<<: {a: 7}, b: 8}", "{b: 8 a: 7}" },
		{ "{<<: []}", "{}" },
		{ "{'<<': 1}", "{'<<': 1}" },
		{ "[<<]", "[<<]" },
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

static struct node scalar(const char *text, bool quoted) {
	return (struct node){ .type = NODE_SCALAR, .text = text, .n = strlen(text), .quoted = quoted };
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
	assert_string_equal(node_type_name(node_get(reading.root, "a")), "a string");
	assert_string_equal(node_type_name(node_get(reading.root, "ab")), "a list");
	assert_string_equal(node_type_name(node_get(reading.root, "c")), "a mapping");
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
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_surprising_spellings),
		cmocka_unit_test(test_accessors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
