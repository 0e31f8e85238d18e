/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The maps of priorities of a VLAN: both notations, refused values, and that a change also tells the kernel which pairs to
 * remove, because it keeps those that a message does not name.
 */
#include "spec-helper.h"

#include <linux/if_link.h>
#include <linux/if_vlan.h>

#include "net/nl_message.h"
#include "plan/plan.h"

#define VLAN(rest) "namespaces: {host: {interfaces: {e: {kind: existing}, v: {kind: vlan, link: e, id: 5, " rest "}}}}"
#define ID "host/v link"

static const struct field *map_field(const struct object *object, const char *name) {
	return &object->kind->fields[kind_field(object->kind, name)];
}

static void check_map(const char *text, const char *expected) {
	_spec_ r;
	_cleanup_text_ struct text out = {};

	good_spec(&r, text);
	const struct object *v = get_object(&r.spec.state, ID);
	field_print(map_field(v, "ingress-qos-map"), v, &out);
	assert_string_equal(text_str(&out), expected);
}

static void test_notations(void **state _unused_) {
	check_map(VLAN("ingress-qos-map: {7: 10, 1: 5}"), "1:5 7:10");
	check_map(VLAN("ingress-qos-map: \"7:10 1:5\""), "1:5 7:10");
	check_map(VLAN("ingress-qos-map: \"2:0 1:5\""), "1:5"); /* 0 is the default */
	check_map(VLAN("ingress-qos-map: none"), "none");
	check_map(VLAN("ingress-qos-map: {}"), "none");
}

static void test_refused(void **state _unused_) {
	static const char *const bad[] = { "{8: 1}", "{1: x}", "\"1\"", "\"1:2:3\"", "{1: [2]}", "[1]" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *text = xasprintf(VLAN("ingress-qos-map: %s"), bad[i]);
		_spec_ r;

		spec_from_text(&r, text);
		assert_int_equal(r.diags.n_errors, 1);
	}
	check_diags(
		VLAN("egress-qos-map: {10: 8}"),
		"f:1:103: error: 'egress-qos-map' maps the priority of the packet to the tag's (0 to 7 in a tag), for example "
		"{10: 7}");
}

static uint32_t ifindex(void *userdata _unused_, const char *ns _unused_, const char *name _unused_) {
	return 5;
}

static const struct nlattr *find(const struct nlattr *nest, unsigned type) {
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	fail_msg("no attribute %u", type);
	return NULL;
}

/* The map in the request for a change from one text to the other, as text. */
static void changed_map(const char *from, const char *to, const char *name, struct text *out) {
	_spec_ before;
	_spec_ after;
	const struct resolver resolver = { .ifindex = ifindex };
	struct nl_writer w = {};

	good_spec(&before, from);
	good_spec(&after, to);
	struct change change = { .type = CHANGE_UPDATE,
				 .desired = get_object(&after.spec.state, ID),
				 .observed = get_object(&before.spec.state, ID) };
	const struct field *field = map_field(change.desired, name);
	change.fields = field_bit((size_t)(field - change.desired->kind->fields));
	struct encode encode = { .writer = &w, .resolver = &resolver, .topology = "t", .arena = &after.spec.state.arena };
	assert_int_equal(change.desired->kind->encode(&encode, &change), 0);
	assert_int_equal(w.messages.n, 1);

	const struct nlattr *tb[IFLA_MAX + 1];
	nl_parse(w.messages.items[0], sizeof(struct ifinfomsg), tb, IFLA_MAX);
	const struct nlattr *attr = find(find(tb[IFLA_LINKINFO], IFLA_INFO_DATA), field->attr);
	struct object *read = object_new(&after.spec.state.arena, change.desired->kind, "host");
	assert_true(field->type->get(&after.spec.state.arena, field, attr, field_of(field, read)));
	field_print(field, read, out);
	nl_writer_done(&w);
}

static void test_pairs_that_go(void **state _unused_) {
	_cleanup_text_ struct text some = {}, all = {};

	changed_map(VLAN("ingress-qos-map: {1: 5, 2: 6}"), VLAN("ingress-qos-map: {1: 4, 3: 7}"), "ingress-qos-map", &some);
	assert_string_equal(text_str(&some), "1:4 2:0 3:7");
	changed_map(VLAN("egress-qos-map: {10: 1}"), VLAN("egress-qos-map: none"), "egress-qos-map", &all);
	assert_string_equal(text_str(&all), "10:0");
}

static void test_one_interface_for_a_tag(void **state _unused_) {
	check_diags("namespaces: {host: {interfaces: {e: {kind: existing}, v: {kind: vlan, link: e, id: 5}, w: {kind: vlan, "
		    "link: e, id: 5}}}}",
		    "f:1:117: error: another interface has the VLAN 5 of host:e\nf:1:84: note: first here");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notations),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_pairs_that_go),
		cmocka_unit_test(test_one_interface_for_a_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
