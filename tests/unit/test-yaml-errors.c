/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the YAML reader refuses: the message, its position, and what is still read; and the limits. */
#include "yaml-helper.h"

static void test_alias_errors(_unused_ void **state) {
	assert_errors_and_tree("a: *x\nb: [*yy, 1]\nc: {*z : 2}\nd: 3\n",
			       "1:4: error: there is no anchor &x above; quote the value if no alias is meant\n"
			       "2:5: error: there is no anchor &yy above; quote the value if no alias is meant\n"
			       "3:5: error: there is no anchor &z above; quote the value if no alias is meant\n",
			       "{b: [1] c: {} d: 3}");
	assert_errors_and_tree("a: &x [b, *x]\n", "1:11: error: alias *x refers to a node that contains it\n", "{a: [b]}");
	assert_errors_and_tree("- &x 1\n- &x [*x]\n", "2:7: error: alias *x refers to a node that contains it\n", "[1 []]");
	assert_errors_and_tree("&x\na: *x\n", "2:4: error: alias *x refers to a node that contains it\n", "{}");
	assert_errors_and_tree("*x", "1:1: error: there is no anchor &x above; quote the value if no alias is meant\n",
			       "{}");
}

static void test_merge_errors(_unused_ void **state) {
	assert_errors_and_tree("a: {<<: 1, b: 2}\n",
			       "1:5: error: '<<' takes a mapping or a list of mappings; this is a string\n", "{a: {b: 2}}");
	assert_errors_and_tree("a: {<<: [{c: 1}, [d]], b: 2}\n",
			       "1:5: error: '<<' takes a mapping or a list of mappings; this is a list\n",
			       "{a: {b: 2 c: 1}}");
	assert_errors_and_tree("a: {<<: {c: 1}, <<: {d: 1}}\n",
			       "1:17: error: duplicate key '<<'; write '<<: [*one, *other]'\n"
			       "1:5: note: first here\n",
			       "{a: {c: 1}}");
	assert_errors_and_tree("x: &x {a: 1}\ny: {<<: *x, a: 2, a: 3}\n",
			       "2:19: error: duplicate key 'a'\n"
			       "2:13: note: first here\n",
			       "{x: {a: 1} y: {a: 2}}");
}

static void test_duplicate_keys(_unused_ void **state) {
	assert_errors_and_tree("a: 1\nb: 2\n'a': 3\na: 4\nc: {d: 1, d: 2}\n",
			       "5:11: error: duplicate key 'd'\n"
			       "5:5: note: first here\n"
			       "3:1: error: duplicate key 'a'\n"
			       "1:1: note: first here\n"
			       "4:1: error: duplicate key 'a'\n"
			       "1:1: note: first here\n",
			       "{a: 1 b: 2 c: {d: 1}}");
}

/* With many keys, duplicates are found by another algorithm. */
static void test_duplicate_keys_of_many(_unused_ void **state) {
	_cleanup_free_ char *text = xstrdup("x: &x {k7: m, n: m}\n<<: *x\n");
	_reading_ reading;

	for (int i = 0; i < 100; i++)
		append(&text, "k%d: v\n", i);
	append(&text, "k%d: again\n", 30);
	append(&text, "k%d: and again\n", 30);
	read_text(&reading, text);
	_cleanup_free_ char *errors = list_errors(&reading.diags);
	assert_string_equal(errors, "103:1: error: duplicate key 'k30'\n"
				    "33:1: note: first here\n"
				    "104:1: error: duplicate key 'k30'\n"
				    "33:1: note: first here\n");
	assert_int_equal(reading.root->n, 102);
	assert_string_equal(node_get(reading.root, "k30")->text, "v");
	assert_string_equal(node_get(reading.root, "k7")->text, "v");
	assert_string_equal(key_of(reading.root, 1)->text, "k0");
	assert_string_equal(key_of(reading.root, 100)->text, "k99");
	assert_string_equal(key_of(reading.root, 101)->text, "n");
}

static void test_keys_must_be_scalars(_unused_ void **state) {
	assert_errors_and_tree("a: {{ b }}\nc: {[d]: e, f: g}\n",
			       "1:5: error: a key must be a word or a quoted string, not a mapping\n"
			       "2:5: error: a key must be a word or a quoted string, not a list\n",
			       "{a: {} c: {f: g}}");
	assert_errors_and_tree("? \n: a\n? ''\n: b\n", "1:2: error: a key is missing here\n", "{'': b}");
}

static void test_tags(_unused_ void **state) {
	assert_tree("[!!str 1, !!int '2', !!bool x, !!null '', !!float 1, !!seq [a], !!map {}]", "['1' 2 x  1 [a] {}]");
	assert_errors_and_tree("a: !br0\nb: {out: !10.0.0.0/8, in: ! x}\nc: &c !br2\n",
			       "1:4: error: an unquoted '!' begins a tag; write 'not br0', or quote it\n"
			       "2:10: error: an unquoted '!' begins a tag; write 'not 10.0.0.0/8', or quote it\n"
			       "2:27: error: an unquoted '!' begins a tag; write 'not x', or quote it\n"
			       "3:7: error: an unquoted '!' begins a tag; write 'not br2', or quote it\n",
			       "{a: not br0 b: {out: not 10.0.0.0/8 in: not x} c: not br2}");
	assert_errors_and_tree("[!!binary a, !!str [b], !!seq {}, !x [c], !<y> d]",
			       "1:2: error: the tag !!binary has no meaning here; remove it\n"
			       "1:14: error: the tag !!str has no meaning here; remove it\n"
			       "1:25: error: the tag !!seq has no meaning here; remove it\n"
			       "1:35: error: the tag !x has no meaning here; remove it\n"
			       "1:43: error: the tag !<y> has no meaning here; remove it\n",
			       "[a [b] {} [c] d]");
	assert_errors("a: !b c\n", "1:4: error: an unquoted '!' begins a tag; write 'not …', or quote the value\n");
	assert_refused("a: !\"b\"\n", "1:4: error: an unquoted '!' begins a tag; write 'not …', or quote the value\n");
	assert_refused("a: !b!c d\n", "1:4: error: an unquoted '!' begins a tag; write 'not …', or quote the value\n");
}

static void test_second_document(_unused_ void **state) {
	assert_errors_and_tree("a: 1\n---\nb: 2\n",
			       "2:1: error: a second document begins here; a file must contain only one\n", "{a: 1}");
	assert_tree("---\na: 1\n...\n", "{a: 1}");
	assert_tree("%YAML 1.1\n---\na: 1\n", "{a: 1}");
}

static void test_what_was_found_before_stays(_unused_ void **state) {
	assert_refused("a: {b: 1, b: 2}\nc: @\n", "1:11: error: duplicate key 'b'\n"
						  "1:5: note: first here\n"
						  "2:4: error: a value cannot begin with '@'; quote it\n");
}

static void test_scanner_errors(_unused_ void **state) {
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "a:\n\tb: 1\n", "2:1: error: a tab is used for indentation; YAML requires spaces\n" },
		{ "a:\n  b: 1\n  \tc: 2\n", "3:3: error: a tab is used for indentation; YAML requires spaces\n" },
		{ "a: |\n\tb\n", "2:1: error: a tab is used for indentation; YAML requires spaces\n" },
		{ "a: `b`\n", "1:4: error: a value cannot begin with '`'; quote it\n" },
		{ "a: %b\n", "1:4: error: a value cannot begin with '%'; quote it\n" },
		{ "a: ? b\n", "1:4: error: a value cannot begin with '? '; quote it\n" },
		{ "a: b: c\n", "1:5: error: a second ':' in one line; quote the value that contains it\n" },
		{ "a: 1\n  b: 2\n", "2:3: error: a key is not allowed here: its line is indented too far, or the key above "
				    "lacks its ':'\n" },
		{ "a: 1\nmtu 1400\nb: 2\n", "2:1: error: expected 'key: value'; a ':' and a space are missing\n" },
		{ "a:\n  - b\n  -c\n  - d\n", "3:3: error: the '-' of a list entry needs a space after it\n" },
		{ "a: - b\n", "1:4: error: a list must begin on a line of its own, not after its key or an anchor\n" },
		{ "a: 1\nb: 'c\nd: e\n", "2:4: error: this quote is never closed\n" },
		{ "a: \"b\n---\n", "1:4: error: this quote is never closed\n" },
		{ "a: \"ö\\q\"\n", "1:6: error: unknown escape '\\q' in a double-quoted string; write '\\\\' or use single "
				   "quotes\n" },
		{ "a: \"\\ud800\"\n", "1:7: error: this escape does not name a character\n" },
		{ "a: *.b\n", "1:4: error: an unquoted '*' begins an alias; quote the value if none is meant\n" },
		{ "a: & b\n", "1:4: error: an unquoted '&' begins an anchor; quote the value if none is meant\n" },
		{ "a: >b\n", "1:4: error: '>' begins a block of text that starts on the next line; quote the value if "
			     "none is meant\n" },
		{ "a:\n    b: 1\n  c: 2\n", "3:3: error: the indentation of this line does not match any line above it\n" },
		{ "a: x\n- b\n", "2:1: error: a list entry between keys; indent it like the list that it belongs to\n" },
		{ "- a\nb: 1\n", "2:1: error: a list entry begins with '- '; check the indentation of this line\n" },
		{ "a: 'b' c\n", "1:8: error: unexpected text after a value; quote the whole value, or remove this\n" },
		{ "- 'b' c\n", "1:7: error: unexpected text after a value; quote the whole value, or remove this\n" },
		{ "a: [b]]\n", "1:7: error: this ']' is unmatched\n" },
		{ "{a: b}}\n", "1:7: error: this '}' is unmatched\n" },
		{ "a: ]\n", "1:4: error: this ']' is unmatched\n" },
		{ "a: 1\nb: [c,\n\n", "2:4: error: this '[' is never closed\n" },
		{ "a: {b: [c]\n# end\n", "1:4: error: this '{' is never closed\n" },
		{ "a: [b, c\nd: e\n", "2:2: error: expected ',' or ']' before this\n1:4: note: for the '[' here\n" },
		{ "a: {b: 1 c: 2}\n", "1:11: error: expected ',' or '}' before this\n1:4: note: for the '{' here\n" },
		{ "a: [b, , c]\n", "1:8: error: a value is missing before this\n1:4: note: for the '[' here\n" },
		{ "a: [::1]\n", "1:5: error: a value that begins with ':' must be quoted inside brackets\n"
				"1:4: note: for the '[' here\n" },
		{ "a: [b, fd00::]\n", "1:8: error: a value that ends with ':' must be quoted inside brackets\n" },
		{ "a: 1\n...\nb\n", "3:1: error: the document ended before this; check the indentation\n" },
		{ "%YAML 2.0\n---\na: 1\n", "1:1: error: a line that begins with '%' is a YAML directive; remove it\n" },
		{ "%X\n---\na: 1\n", "1:1: error: a line that begins with '%' is a YAML directive; remove it\n" },
		{ "a: 1\n%TAG ! x\n", "2:1: error: tags are not supported; remove this line\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].text, cases[i].expected);
}

static void test_garbage(_unused_ void **state) {
	assert_refused("a: 1\nö: x\xffy\n", "2:5: error: the byte 0xff is not UTF-8 text; is this a text file?\n");
	assert_refused("a: \xc3", "1:4: error: the byte 0xc3 is not UTF-8 text; is this a text file?\n");
	assert_refused("a: \xed\xa0\x80", "1:4: error: the byte 0xed is not UTF-8 text; is this a text file?\n");
	assert_refused("# \x1b[0m\n",
		       "1:3: error: the control character U+001B is not allowed in YAML; is this a text file?\n");
	assert_refused("a: x\xe2\x80\xa8y\n", "1:5: error: invisible line break (U+2028) here; remove it\n");
	assert_refused("a: x\xc2\x85y\n", "1:5: error: invisible line break (U+0085) here; remove it\n");
	assert_refused("\xef\xbb\xbf"
		       "a: \xef\xbb\xbf\n",
		       "1:4: error: the control character U+FEFF is not allowed in YAML; is this a text file?\n");
	assert_bytes_refused("a\r\nb\0c", 6,
			     "2:2: error: the control character U+0000 is not allowed in YAML; is this a text file?\n");
	assert_bytes_refused("\xff\xfe"
			     "a\0",
			     4, " error: the file is UTF-16; save it as UTF-8\n");
	assert_bytes_refused("\x7f"
			     "ELF\2\1\1\0",
			     8, "1:1: error: the control character U+007F is not allowed in YAML; is this a text file?\n");
	assert_errors_and_tree("a: \"x\\0y\"\n", "1:4: error: this string contains a NUL character (\\0)\n", "{a: 'x'}");
}

static void test_size_limit(_unused_ void **state) {
	_cleanup_free_ char *text = xmalloc(YAML_MAX_SIZE + 1);

	assert_bytes_refused(text, YAML_MAX_SIZE + 1, " error: the file has 64 MiB; at most 64 are read\n");
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
	_cleanup_free_ char *text = xasprintf("- &a %s%s\n- &b [*a]\n- %.23s*a%.23s\n- %.22s*b%.22s\n- %.23s*b%.23s\n",
					      opening, closing, opening, closing, opening, closing, opening, closing);

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

/* `<<` copies pairs: the number of copies must be limited too. */
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

static void test_long_words_are_cut_in_messages(_unused_ void **state) {
	_cleanup_free_ char *word = repeat("ö", 1000), *text = xasprintf("%s: 1\n%s: 2\n", word, word);
	_cleanup_free_ char *expected = xasprintf("2:1: error: duplicate key '%.60s…'\n"
						  "1:1: note: first here\n",
						  word);

	assert_errors(text, expected);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alias_errors),
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
		cmocka_unit_test(test_long_words_are_cut_in_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
