/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types of values: what each reads from a file, how it is printed, the messages for refused values, and that an attribute
 * gives back the value that was put into it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/field.h"

static const struct enum_name colors[] = { { "red", 1 }, { "green", 2 }, {} };
static const struct name_number tables[] = { { "blue", 100 }, {} };

/* Large enough, and aligned, for any value. */
union any {
	uint64_t align;
	char bytes[64];
};

struct outcome {
	struct arena arena;
	struct diags diags;
	union any value;
	bool good;
};

static void outcome_done(struct outcome *o) {
	arena_done(&o->arena);
	diags_done(&o->diags);
}
#define _outcome_ _cleanup_(outcome_done) struct outcome

/* Reads the value of the key `k`. */
static void read_value(struct outcome *o, const struct field *field, const char *text) {
	struct parse p = { .arena = &o->arena, .diags = &o->diags, .ns = "here", .tables = tables };
	_cleanup_free_ char *document = xasprintf("k: %s", text);

	uint8_t source = diags_add_source(&o->diags, (struct source_text){ "f", document, strlen(document) });
	const struct node *root = yaml_read(&o->arena, &o->diags, source);
	assert_non_null(root);
	assert_true(field->type->size <= sizeof(o->value));
	o->good = field->type->parse(&p, field, node_get(root, "k"), &o->value);
	assert_int_equal(o->good, o->diags.n_errors == 0);
}

/* Checks how the value is printed; NULL: it must be refused. Reading what was printed must give the same value. */
static void check_value(const struct field *field, const char *text, const char *expected) {
	_outcome_ o = {}, recreates = {};
	_cleanup_text_ struct text printed = {};

	read_value(&o, field, text);
	assert_true(o.good);
	field->type->print(field, &o.value, &printed);
	assert_string_equal(text_str(&printed), expected);
	_cleanup_free_ char *quoted = xasprintf("\"%s\"", printed.data);
	read_value(&recreates, field, field->type == &type_bool ? printed.data : quoted);
	assert_true(field->type->equal(&o.value, &recreates.value));
}

static void check_error(const struct field *field, const char *text, const char *expected) {
	_outcome_ o = {};

	read_value(&o, field, text);
	assert_false(o.good);
	assert_int_equal(o.diags.list.n, 1);
	assert_string_equal(o.diags.list.items[0].text, expected);
	assert_int_equal(o.diags.list.items[0].position.line, 1);
}

/* The message of every type about lists and mappings. */
static void check_shape(const struct field *field, const char *name) {
	_cleanup_free_ char *list = xasprintf("'k' takes one %s, not a list", name);
	_cleanup_free_ char *mapping = xasprintf("'k' takes one %s, not a mapping", name);
	_cleanup_free_ char *nothing = xasprintf("'k' has no value; it takes one %s", name);

	check_error(field, "[1]", list);
	check_error(field, "{a: 1}", mapping);
	check_error(field, "", nothing);
	check_error(field, "~", nothing);
}

static void test_integer(void **state _unused_) {
	static const struct field any = { .name = "k", .type = &type_integer };
	static const struct field some = { .name = "k", .type = &type_integer, .min = 68, .max = 65535 };
	static const struct field one = { .name = "k", .type = &type_integer, .min = 1, .max = 1 };

	check_value(&any, "0", "0");
	check_value(&any, "4294967295", "4294967295");
	check_value(&any, "0x10", "16");
	check_value(&some, "68", "68");
	check_value(&some, "65535", "65535");
	check_error(&some, "67", "'k' must be from 68 to 65535, not 67");
	check_error(&some, "65536", "'k' must be from 68 to 65535, not 65536");
	check_error(&any, "4294967296", "'k' must be from 0 to 4294967295, not 4294967296");
	check_error(&any, "99999999999999999999", "'k' must be from 0 to 4294967295, not 99999999999999999999");
	check_error(&one, "2", "'k' must be 1, not 2");
	check_error(&any, "-1", "'k' takes an integer, not '-1'");
	check_error(&any, "+1", "'k' takes an integer, not '+1'");
	check_error(&any, "1.5", "'k' takes an integer, not '1.5'");
	check_error(&any, "0x", "'k' takes an integer, not '0x'");
	check_error(&any, "1k", "'k' takes an integer, not '1k'");
	check_error(&any, "\" 1\"", "'k' takes an integer, not ' 1'");
	check_shape(&any, "integer");
}

static void test_bool(void **state _unused_) {
	static const struct field field = { .name = "k", .type = &type_bool };

	check_value(&field, "true", "true");
	check_value(&field, "Yes", "true");
	check_value(&field, "on", "true");
	check_value(&field, "false", "false");
	check_value(&field, "no", "false");
	check_value(&field, "OFF", "false");
	check_error(&field, "1", "'k' must be true or false, not '1'");
	check_error(&field, "\"true\"", "'k' must be true or false, not \"true\"");
	check_error(&field, "maybe", "'k' must be true or false, not 'maybe'");
	check_shape(&field, "boolean");
}

static void test_enum(void **state _unused_) {
	static const struct field field = { .name = "k", .type = &type_enum, .names = colors };
	_cleanup_text_ struct text text = {};
	uint32_t unknown = 7;

	check_value(&field, "green", "green");
	check_error(&field, "gren", "unknown k 'gren'; did you mean 'green'?");
	check_error(&field, "blue", "unknown k 'blue'; it is one of: red, green");
	check_shape(&field, "word");
	type_enum.print(&field, &unknown, &text); /* as the kernel may report it */
	assert_string_equal(text.data, "7");
}

static void test_duration(void **state _unused_) {
	static const struct field bridge = { .name = "k", .type = &type_duration, .unit = 100, .max = 3000 };
	static const struct field fine = { .name = "k", .type = &type_duration, .unit = 1000000 };
	static const struct field coarse = { .name = "k", .type = &type_duration, .unit = 1 };

	check_value(&bridge, "15s", "15s");
	check_value(&bridge, "15", "15s");
	check_value(&bridge, "200ms", "200ms");
	check_value(&bridge, "0", "0s");
	check_value(&fine, "14us", "14us");
	check_value(&coarse, "120s", "2m");
	check_value(&coarse, "7200", "2h");
	check_value(&coarse, "90m", "90m");
	check_error(&bridge, "31s", "'k' must be from 0s to 30s in steps of 10ms, not 31s");
	check_error(&bridge, "5ms", "'k' must be from 0s to 30s in steps of 10ms, not 5ms");
	check_error(&coarse, "500ms", "'k' must be from 0s to 4294967295s in steps of 1s, not 500ms");
	check_error(&bridge, "fast", "'k' takes a duration, not 'fast', for example 15s or 200ms");
	check_error(&bridge, "5 s", "'k' takes a duration, not '5 s', for example 15s or 200ms");
	check_error(&bridge, "1.5s", "'k' takes a duration, not '1.5s', for example 15s or 200ms");
	check_error(&bridge, "-1s", "'k' takes a duration, not '-1s', for example 15s or 200ms");
	check_shape(&bridge, "duration");
}

static void test_table(void **state _unused_) {
	static const struct field field = { .name = "k", .type = &type_table };

	check_value(&field, "main", "main");
	check_value(&field, "254", "main");
	check_value(&field, "local", "local");
	check_value(&field, "default", "default");
	check_value(&field, "blue", "100");
	check_value(&field, "4294967295", "4294967295");
	check_error(&field, "green",
		    "'green' is not a routing table; write a number from 1, main, local, default, or a name "
		    "in /etc/iproute2/rt_tables");
	check_error(&field, "0",
		    "'0' is not a routing table; write a number from 1, main, local, default, or a name in "
		    "/etc/iproute2/rt_tables");
	check_shape(&field, "routing table");
}

static void test_text(void **state _unused_) {
	static const struct field field = { .name = "k", .type = &type_text };

	check_value(&field, "some words", "some words");
	check_value(&field, "\"no\"", "no");
	check_error(&field, "no", "YAML reads an unquoted 'no' as a boolean or null; write \"no\"");
	check_error(&field, "On", "YAML reads an unquoted 'On' as a boolean or null; write \"On\"");
	check_error(&field, "22:22", "YAML reads an unquoted '22:22' as a base-60 number; write \"22:22\"");
	check_shape(&field, "text");
}

static void test_link_name(void **state _unused_) {
	static const struct field field = { .name = "k", .type = &type_link_name };

	check_value(&field, "eth0", "eth0");
	check_value(&field, "abcdefghijklmno", "abcdefghijklmno");
	check_value(&field, "net0.10", "net0.10");
	check_error(&field, "abcdefghijklmnop", "the interface name 'abcdefghijklmnop' is longer than 15 bytes");
	check_error(&field, "éééééééé", "the interface name 'éééééééé' is longer than 15 bytes");
	check_error(&field, "\"\"", "the interface name '' is empty");
	check_error(&field, "..", "the interface name '..' is not a file name");
	check_error(&field, "a/b", "the interface name 'a/b' contains '/', ':' or white space");
	check_error(&field, "a:b", "the interface name 'a:b' contains '/', ':' or white space");
	check_error(&field, "a b", "the interface name 'a b' contains '/', ':' or white space");
	check_error(&field, "\"a\\x01b\"", "the interface name 'a\001b' contains a control character");
	check_error(&field, "eth%d", "the interface name 'eth%d' contains '%', which the kernel reads as a pattern");
	check_shape(&field, "interface name");
}

static void test_link_ref(void **state _unused_) {
	static const struct field field = { .name = "k", .type = &type_link_ref };
	_cleanup_text_ struct text text = {};

	check_value(&field, "web:eth0", "web:eth0");
	check_value(&field, "eth0", "here:eth0");
	check_error(&field, "a/b:eth0", "the namespace name 'a/b' contains '/', ':' or white space");
	check_error(&field, "\":eth0\"", "':eth0' is not an endpoint; write namespace:interface");
	check_error(&field, "\"web:\"", "'web:' is not an endpoint; write namespace:interface");
	check_error(&field, "web:a/b", "the interface name 'a/b' contains '/', ':' or white space");
	check_error(&field, "22:22", "YAML reads an unquoted '22:22' as a base-60 number; write \"22:22\"");
	check_shape(&field, "interface");
	type_link_ref.print(&field, &(struct link_ref){ .ifindex = 5 }, &text);
	text_add(&text, " | ");
	type_link_ref.print(&field, &(struct link_ref){}, &text);
	assert_string_equal(text.data, "an interface elsewhere (index 5) | none");
}

static void test_mac(void **state _unused_) {
	static const struct field field = { .name = "k", .type = &type_mac };

	check_value(&field, "02:00:00:00:00:aB", "02:00:00:00:00:ab");
	check_error(&field, "02:00:00:00:00:01",
		    "YAML reads an unquoted '02:00:00:00:00:01' as a base-60 number; write \"02:00:00:00:00:01\"");
	check_error(&field, "02:00", "YAML reads an unquoted '02:00' as a base-60 number; write \"02:00\"");
	check_error(&field, "\"02:00\"", "'k' takes a MAC address, not '02:00', for example \"02:00:00:00:00:01\"");
	check_error(&field, "\"01:00:00:00:00:01\"",
		    "01:00:00:00:00:01 is not the address of one interface (the multicast bit is set)");
	check_error(&field, "\"00:00:00:00:00:00\"",
		    "00:00:00:00:00:00 is not the address of one interface (it is all zero)");
	check_shape(&field, "MAC address");
}

static void test_addresses(void **state _unused_) {
	static const struct field ip = { .name = "k", .type = &type_ip }, prefix = { .name = "k", .type = &type_prefix },
				  network = { .name = "k", .type = &type_network };

	check_value(&ip, "10.0.0.1", "10.0.0.1");
	check_value(&ip, "fd00:0::1", "fd00::1");
	check_error(&ip, "10.0.0.1/24", "'k' takes an address, not '10.0.0.1/24', for example 10.0.0.1, without a length");
	check_error(&ip, "10.0.0", "'k' takes an address, not '10.0.0', for example 10.0.0.1 or \"fd00::1\"");
	check_shape(&ip, "address");
	check_value(&prefix, "10.0.0.1/24", "10.0.0.1/24");
	check_value(&prefix, "10.0.0.1", "10.0.0.1/32");
	check_error(&prefix, "10.0.0.1/33",
		    "'k' takes a prefix, not '10.0.0.1/33', for example 10.0.0.1/24 or \"fd00::1/64\"");
	check_shape(&prefix, "prefix");
	check_value(&network, "10.0.0.0/24", "10.0.0.0/24");
	check_value(&network, "fd00::/64", "fd00::/64");
	check_error(&network, "10.0.0.1/24", "'10.0.0.1/24' has host bits set; the prefix is 10.0.0.0/24");
	check_error(&network, "fd00::1/64", "'fd00::1/64' has host bits set; the prefix is fd00::/64");
}

/* In the kernel's messages. */

static void check_attribute(const struct field *field, const char *text, size_t size, const void *bytes) {
	_outcome_ o = {}, recreates = {};
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	const struct nlattr *tb[16];

	read_value(&o, field, text);
	assert_true(o.good);
	nl_begin(&w, 1, 0, 0);
	field->type->put(&w, field, &o.value);
	nl_parse(w.message, 0, tb, 15);
	assert_non_null(tb[field->attr]);
	assert_int_equal(mnl_attr_get_payload_len(tb[field->attr]), size);
	assert_memory_equal(mnl_attr_get_payload(tb[field->attr]), bytes, size);
	assert_true(field->type->get(&recreates.arena, field, tb[field->attr], &recreates.value));
	assert_true(field->type->equal(&o.value, &recreates.value));
}

static void test_attributes(void **state _unused_) {
	struct field field = { .name = "k", .attr = 5, .type = &type_integer };

	check_attribute(&field, "258", 4, (uint32_t[]){ 258 });
	field.form = FORM_U16;
	check_attribute(&field, "258", 2, (uint16_t[]){ 258 });
	field.form = FORM_BE16;
	check_attribute(&field, "258", 2, "\1\2");
	field.form = FORM_U8;
	check_attribute(&field, "2", 1, "\2");
	check_attribute(&(struct field){ .name = "k", .attr = 5, .type = &type_bool, .form = FORM_PRESENT }, "true", 0, "");
	check_attribute(&(struct field){ .name = "k", .attr = 5, .type = &type_text }, "abc", 4, "abc");
	check_attribute(&(struct field){ .name = "k", .attr = 5, .type = &type_mac }, "02:00:00:00:00:a1", 6,
			"\2\0\0\0\0\xa1");
	check_attribute(&(struct field){ .name = "k", .attr = 5, .type = &type_ip }, "10.0.0.1", 4, "\n\0\0\1");
}

static void test_attribute_of_family(void **state _unused_) {
	static const struct field field = { .name = "k", .attr = 5, .attr6 = 6, .type = &type_ip };
	_outcome_ o = {};
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	const struct nlattr *tb[16];

	read_value(&o, &field, "fd00::1");
	nl_begin(&w, 1, 0, 0);
	type_ip.put(&w, &field, &o.value);
	nl_parse(w.message, 0, tb, 15);
	assert_null(tb[5]);
	assert_int_equal(mnl_attr_get_payload_len(tb[6]), 16);
}

/* Attributes shorter than the kernel would send are not read past their end. */
static void test_short_attributes(void **state _unused_) {
	struct field field = { .name = "k", .attr = 5, .type = &type_integer };
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	const struct nlattr *tb[16];
	union any value;

	nl_begin(&w, 1, 0, 0);
	nl_put(&w, 5, "ab", 2);
	nl_parse(w.message, 0, tb, 15);
	assert_false(type_integer.get(&arena, &field, tb[5], &value));
	field.form = FORM_U16;
	assert_true(type_integer.get(&arena, &field, tb[5], &value));
	assert_false(type_text.get(&arena, &field, tb[5], &value)); /* without an end */
	assert_false(type_mac.get(&arena, &field, tb[5], &value));
	assert_false(type_ip.get(&arena, &field, tb[5], &value));
}

static void test_parse_u32(void **state _unused_) {
	uint32_t value = 1;

	assert_int_equal(parse_u32("0xffffffff", &value), 0);
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(parse_u32("0x100000000", &value), -ERANGE);
	assert_int_equal(parse_u32("", &value), -EINVAL);
	assert_int_equal(parse_u32("0x-1", &value), -EINVAL);
	assert_int_equal(parse_u32("ff", &value), -EINVAL);
}

static void test_file_name(void **state _unused_) {
	char longest[202];
	const char *why;

	memset(longest, 'a', sizeof(longest));
	longest[200] = '\0';
	assert_true(file_name_valid(longest, &why));
	assert_null(why);
	longest[200] = 'a', longest[201] = '\0';
	assert_false(file_name_valid(longest, &why));
	assert_string_equal(why, "is longer than 200 bytes");
	assert_false(file_name_valid("..", &why));
	assert_false(file_name_valid("a/b", &why));
	assert_false(file_name_valid("a\n", &why));
	assert_false(file_name_valid("", &why));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integer),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_enum),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_link_name),
		cmocka_unit_test(test_link_ref),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_attribute_of_family),
		cmocka_unit_test(test_short_attributes),
		cmocka_unit_test(test_parse_u32),
		cmocka_unit_test(test_file_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
