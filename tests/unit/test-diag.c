/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diagnostics: their exact form, their order, which characters they do not send to a terminal, and suggestions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "yaml/diag.h"
#include "base/utf8.h"

static uint8_t add_text(struct diags *diags, const char *name, const char *text) {
	return diags_add_source(diags, (struct source_text){ .name = name, .text = text, .size = strlen(text) });
}

static struct position at(uint32_t line, uint16_t column, uint8_t width) {
	return (struct position){ .line = line, .column = column, .width = width };
}

static void assert_format(struct diags *diags, const char *expected) {
	_cleanup_free_ char *text = diags_format(diags, false);

	assert_string_equal(text, expected);
	diags_done(diags);
}

static void test_form(_unused_ void **state) {
	struct diags diags = {};

	add_text(&diags, "office.yaml", "a:\n\n\n\n\n\n\n\n\n\n\n\n\n        adresses: [10.0.0.1/24]\n");
	diag_error(&diags, at(14, 9, 8), "unknown key '%s' in an interface; did you mean 'addresses'?", "adresses");
	assert_int_equal(diags.n_errors, 1);
	assert_format(&diags, "office.yaml:14:9: error: unknown key 'adresses' in an interface; did you mean 'addresses'?\n"
			      "  14 |         adresses: [10.0.0.1/24]\n"
			      "     |         ^^^^^^^^\n");
}

static void test_none(_unused_ void **state) {
	struct diags diags = {};

	assert_format(&diags, "");
}

static void test_one_line(_unused_ void **state) {
	_cleanup_(diags_done) struct diags diags = {};

	add_text(&diags, "a.yaml", "x: 1\n");
	diag_warning(&diags, at(1, 4, 1), "odd");
	_cleanup_free_ char *text = diag_format_line(&diags, &diags.list.items[0]);
	assert_string_equal(text, "a.yaml:1:4: warning: odd");
	assert_int_equal(diags.n_warnings, 1);
	assert_int_equal(diags.n_errors, 0);
}

static void test_without_place(_unused_ void **state) {
	struct diags diags = {};

	diag_error(&diags, (struct position){}, "no file at all");
	assert_format(&diags, "error: no file at all\n");
	add_text(&diags, "a.yaml", "x: 1\n");
	diag_error(&diags, (struct position){}, "too large");
	assert_format(&diags, "a.yaml: error: too large\n");
}

static void test_order(_unused_ void **state) {
	struct diags diags = {};

	add_text(&diags, "a", "1\n2\n3\n");
	uint8_t other = add_text(&diags, "b", "");
	diag_error(&diags, (struct position){ .line = 1, .column = 1, .source = other }, "last");
	diag_error(&diags, at(3, 1, 1), "third");
	diag_note(&diags, at(1, 1, 1), "of the third");
	diag_note(&diags, at(0, 0, 0), "of it too");
	diag_warning(&diags, at(2, 1, 1), "first");
	diag_error(&diags, at(2, 2, 1), "behind");
	diag_error(&diags, at(2, 1, 1), "second");
	assert_format(&diags, "a:2:1: warning: first\n   2 | 2\n     | ^\n"
			      "a:2:1: error: second\n   2 | 2\n     | ^\n"
			      "a:2:2: error: behind\n   2 | 2\n     |  ^\n"
			      "a:3:1: error: third\n   3 | 3\n     | ^\n"
			      "a:1:1: note: of the third\n   1 | 1\n     | ^\n"
			      "a: note: of it too\n"
			      "b:1:1: error: last\n");
}

/* The excerpt and the line of carets for one mark in a text. */
static void assert_excerpt(const char *source, struct position position, const char *expected) {
	struct diags diags = {};

	add_text(&diags, "f", source);
	diag_error(&diags, position, "x");
	_cleanup_free_ char *text = diags_format(&diags, false);
	assert_string_equal(strchr(text, '\n') + 1, expected);
	diags_done(&diags);
}

static void test_excerpts(_unused_ void **state) {
	assert_excerpt("a: 1", at(1, 4, 1), "   1 | a: 1\n     |    ^\n");
	assert_excerpt("\ta:\x1b[0m 1\x7f\n", at(1, 2, 1), "   1 |  a:?[0m 1?\n     |  ^\n");
	assert_excerpt("a\r\nbc\r\n", at(2, 2, 1), "   2 | bc\n     |  ^\n");
	assert_excerpt("a\rbc\rd", at(2, 2, 1), "   2 | bc\n     |  ^\n");
	assert_excerpt("\xef\xbb\xbf"
		       "abc\n",
		       at(1, 2, 1), "   1 | abc\n     |  ^\n");
	assert_excerpt("abc\n", at(1, 2, 100), "   1 | abc\n     |  ^^\n");
	assert_excerpt("abc\n", at(1, 2, 0), "   1 | abc\n     |  ^\n");
	assert_excerpt("a:\n", at(1, 3, 1), "   1 | a:\n     |   ^\n");
	assert_excerpt("a:\n", at(1, 60000, 1), "   1 | a:\n     |   ^\n");
	assert_excerpt("a:\n", at(2, 1, 1), "");
	assert_excerpt("a:\n", at(7, 1, 1), "");
}

static void test_columns_are_characters(_unused_ void **state) {
	assert_excerpt("äöü: ß x\n", at(1, 6, 1), "   1 | äöü: ß x\n     |      ^\n");
	assert_excerpt("a\xff"
		       "b\n",
		       at(1, 3, 1), "   1 | a?b\n     |   ^\n");
	assert_excerpt("網: x\n", at(1, 4, 1), "   1 | 網: x\n     |     ^\n");              /* two cells wide */
	assert_excerpt("a\xcc\x88: x\n", at(1, 5, 1), "   1 | a\xcc\x88: x\n     |    ^\n"); /* no cell */
	assert_excerpt("a\xc2\x9b"
		       "31mb\xe2\x80\xae"
		       "c\n",
		       at(1, 6, 1), "   1 | a?31mb?c\n     |      ^\n");
}

static void test_long_lines(_unused_ void **state) {
	char line[1001] = {}, expected[400];

	memset(line, 'a', 1000);
	line[499] = 'X';
	snprintf(expected, sizeof(expected), "   1 | …%.*sX%.*s…\n     | %*s^\n", 49, line, 49, line, 50, "");
	assert_excerpt(line, at(1, 500, 1), expected);
	snprintf(expected, sizeof(expected), "   1 | %.*s…\n     |   ^^\n", 100, line);
	assert_excerpt(line, at(1, 3, 2), expected);
}

static void test_line_numbers_widen(_unused_ void **state) {
	char text[100001] = {};

	memset(text, '\n', 100000);
	memcpy(text + 99998, "x", 1);
	assert_excerpt(text, at(99999, 1, 1), "99999 | x\n      | ^\n");
}

static void test_messages_are_escaped(_unused_ void **state) {
	struct diags diags = {};

	add_text(&diags, "f\n", "");
	diag_error(&diags, (struct position){}, "key '%s'", "\x1b[2J\r\xff ö \xc2\x9b \xe2\x80\xae");
	assert_format(&diags, "f\\x0a: error: key '\\x1b[2J\\x0d\\xff ö \\u009b \\u202e'\n");
}

static void test_color(_unused_ void **state) {
	_cleanup_(diags_done) struct diags diags = {};

	add_text(&diags, "f", "abc\n");
	diag_error(&diags, at(1, 2, 1), "x");
	_cleanup_free_ char *plain = diags_format(&diags, false);
	_cleanup_free_ char *color = diags_format(&diags, true);
	assert_null(strchr(plain, '\033'));
	assert_string_equal(color, "\033[1mf:1:2:\033[0m \033[1;31merror:\033[0m x\n"
				   "   1 | abc\n     |  \033[1;31m^\033[0m\n");
}

static size_t count_lines(const char *text, const char *part) {
	size_t n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

/* The message for the last line of text, at its first column. */
static void check_secret(const char *text, const char *shown) {
	static const char *const keys[] = { "secret", "key", NULL };
	struct diags diags = {};
	uint32_t line = 1;

	diags_add_source(&diags, (struct source_text){ "f", text, strlen(text), keys });
	for (const char *c = text; *c; c++)
		line += *c == '\n';
	diag_error(&diags, at(line, 1, 1), "'%s' and what is not", strstr(text, ",") ? "x" : "hush1");
	_cleanup_free_ char *all = diags_format(&diags, false), *one = diag_format_line(&diags, diags.list.items);
	assert_null(strstr(all, "hush"));
	assert_null(strstr(one, "hush"));
	assert_non_null(strstr(all, shown));
	diags_done(&diags);
}

static void test_secrets(_unused_ void **state) {
	check_secret("a.secret: hush1", "a.secret: *****\n");
	check_secret("{\"a.secret\": \"hush1\", mtu: 1}", "{\"a.secret\": \"*****\", mtu: 1}");
	check_secret("{a.secret : hush1, mtu: 1} # all", "{a.secret : *****, mtu: 1} # all");
	check_secret("'a.key': 'hush1'  # mine", "'a.key': '*****'  # mine");
	check_secret("key: !!str hush1", "key: !!str *****");
	check_secret("key: &k hush1", "key: &k *****");
	check_secret("a: hush1, key: hush1", "a: *****, key: *****"); /* wherever it is */
	check_secret("key: *k\nother: [*k2, *k]\nx: {y: &k2 z, z: &k hush1}", "x: {y: &k2 z, z: &k *****}");
	check_secret("secret: |\n  hush1", "  *****\n");
	check_secret("secret:\n  hush1", "  *****\n");
	check_secret("key: \"hush1", "key: \"*****\n"); /* no end */
	check_secret("key: x,hush1\na: hush1\nkey: hush1,x", "key: *******\n");
}

static void test_limit(_unused_ void **state) {
	_cleanup_(diags_done) struct diags diags = {};

	add_text(&diags, "f", "");
	for (int i = 0; i < DIAGS_MAX + 7; i++) {
		diag_error(&diags, at(1, 1, 1), "bad %d", i);
		diag_note(&diags, at(1, 1, 1), "beside %d", i);
	}
	assert_int_equal(diags.n_errors, DIAGS_MAX + 7);
	diag_warning(&diags, at(1, 1, 1), "odd");
	diag_note(&diags, at(1, 1, 1), "oddly");

	_cleanup_free_ char *text = diags_format(&diags, false);
	assert_int_equal(count_lines(text, "error: bad"), DIAGS_MAX);
	assert_int_equal(count_lines(text, "note: beside"), DIAGS_MAX);
	assert_int_equal(count_lines(text, "warning: odd\n"), 1);
	assert_int_equal(count_lines(text, "note: oddly\n"), 1);
	assert_string_equal(strstr(text, "… and"), "… and 7 more errors\n");
}

static void test_limit_of_notes(_unused_ void **state) {
	_cleanup_(diags_done) struct diags diags = {};

	diag_error(&diags, at(0, 0, 0), "bad");
	for (int i = 0; i < 100 * DIAGS_MAX; i++)
		diag_note(&diags, at(0, 0, 0), "beside");
	assert_true(diags.list.n <= 4 * DIAGS_MAX);
	diag_error(&diags, at(0, 0, 0), "worse");
	_cleanup_free_ char *text = diags_format(&diags, false);
	assert_int_equal(count_lines(text, "error: worse\n"), 1);
}

static void test_one_more(_unused_ void **state) {
	_cleanup_(diags_done) struct diags diags = {};

	for (int i = 0; i <= DIAGS_MAX; i++)
		diag_warning(&diags, at(0, 0, 0), "odd");
	_cleanup_free_ char *text = diags_format(&diags, false);
	assert_string_equal(strstr(text, "… and"), "… and 1 more warning\n");
}

static void test_strict(_unused_ void **state) {
	_cleanup_(diags_done) struct diags diags = {};

	add_text(&diags, "f", "a\n");
	for (int i = 0; i <= DIAGS_MAX; i++)
		diag_warning(&diags, at(1, 1, 1), "odd");
	diag_note(&diags, at(1, 1, 1), "dropped with its warning");
	diag_error(&diags, at(1, 1, 1), "bad");
	diags_be_strict(&diags);
	assert_int_equal(diags.n_errors, DIAGS_MAX + 2);
	assert_int_equal(diags.n_warnings, 0);
	_cleanup_free_ char *text = diags_format(&diags, false);
	assert_int_equal(count_lines(text, "error: odd\n"), DIAGS_MAX);
	assert_int_equal(count_lines(text, "error: bad\n"), 1);
	assert_int_equal(count_lines(text, "warning"), 0);
	assert_string_equal(strstr(text, "… and"), "… and 1 more error\n");
}

static const char *nearest(const char *text, const char *const *names, size_t n) {
	struct suggestion suggestion = suggest_for(text);

	for (size_t i = 0; i < n; i++)
		suggest(&suggestion, names[i]);
	return suggestion.near;
}

static void test_suggest(_unused_ void **state) {
	static const char *const names[] = { "addresses", "mtu",  "mac-address", "ports",
					     "up",        "kind", "via",         "vlan-filtering" };
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "adresses", "addresses" },
		{ "addressses", "addresses" },
		{ "addersses", "addresses" },
		{ "mut", "mtu" },
		{ "MTU", "mtu" },
		{ "mac_address", "mac-address" },
		{ "macAddress", "mac-address" },
		{ "port", "ports" },
		{ "prots", "ports" },
		{ "vlan-fliterng", "vlan-filtering" },
		{ "knd", "kind" },
		{ "stp", NULL },
		{ "", NULL },
		{ "x", NULL },
		{ "routes", NULL },
		{ "adrsss", NULL },
		{ "completely-else", NULL },
		{ "ab", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *found = nearest(cases[i].text, names, ARRAY_SIZE(names));
		if (!streq_ptr(found, cases[i].expected))
			fail_msg("for '%s': %s", cases[i].text, found ?: "(none)");
	}
	assert_null(nearest("mtu", NULL, 0));
}

static void test_suggest_nearest(_unused_ void **state) {
	static const char *const names[] = { "abcdxx", "abcdex", "abcdef" };

	assert_string_equal(nearest("abcdeg", names, 3), "abcdex"); /* of two at the same distance, the first */
	assert_string_equal(nearest("abcdefg", names, 3), "abcdef");
}

static void test_suggest_is_bounded(_unused_ void **state) {
	static const char *const names[] = { "mtu" };
	_cleanup_free_ char *text = xmalloc(100001);

	memset(text, 'm', 100000);
	assert_null(nearest(text, names, 1));
	assert_null(nearest("mtv", (const char *const[]){ text }, 1));
}

static void assert_decodes(const char *text, size_t size, size_t expected_size, uint32_t expected) {
	uint32_t code;

	assert_int_equal(utf8_decode(text, size, &code), expected_size);
	assert_int_equal(code, expected);
}

static void test_utf8(_unused_ void **state) {
	assert_decodes("a", 1, 1, 'a');
	assert_decodes("\xc3\xb6", 2, 2, 0xf6);
	assert_decodes("\xe2\x82\xac", 3, 3, 0x20ac);
	assert_decodes("\xf0\x9f\x98\x80", 4, 4, 0x1f600);
	assert_decodes("\xc3\xb6", 1, 0, 0xc3);         /* cut off */
	assert_decodes("\xc0\x80", 2, 0, 0xc0);         /* overlong */
	assert_decodes("\xe0\x80\x80", 3, 0, 0xe0);     /* overlong */
	assert_decodes("\xed\xa0\x80", 3, 0, 0xed);     /* a surrogate */
	assert_decodes("\xf4\x90\x80\x80", 4, 0, 0xf4); /* beyond the last */
	assert_decodes("\xf8\x88\x80\x80", 4, 0, 0xf8);
	assert_decodes("\x80", 1, 0, 0x80);
	assert_decodes("\xc3"
		       "a",
		       2, 0, 0xc3);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_without_place),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_excerpts),
		cmocka_unit_test(test_columns_are_characters),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_line_numbers_widen),
		cmocka_unit_test(test_messages_are_escaped),
		cmocka_unit_test(test_color),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_of_notes),
		cmocka_unit_test(test_one_more),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_suggest_nearest),
		cmocka_unit_test(test_suggest_is_bounded),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
