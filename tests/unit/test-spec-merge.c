/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drop-ins: several files become one topology, and every position names its file. */
#include "spec-helper.h"

/* Reads the texts, ended by NULL, as `f`, `d1`, `d2`, … */
static void read_texts(struct read_spec *r, const char *const *texts) {
	static const char *const names[] = { "f", "d1", "d2", "d3" };
	const struct spec_options options = { .topology = "t", .machine_id = { 1, 2, 3 } };

	*r = (struct read_spec){};
	for (size_t i = 0; texts[i]; i++)
		diags_add_source(&r->diags, (struct source_text){ names[i], texts[i], strlen(texts[i]) });
	r->good = spec_read(&r->spec, &r->diags, 0, &options);
	assert_int_equal(r->good, r->diags.n_errors == 0);
}

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The texts together mean the same as one text. */
static void check_same(const char *const *texts, const char *together) {
	_spec_ r, whole;
	_cleanup_text_ struct text found = {}, expected = {};

	read_texts(&r, texts);
	_cleanup_free_ char *all = diags_format(&r.diags, false);
	if (!r.good)
		fail_msg("%s", all);
	good_spec(&whole, together);
	print_state(&r.spec.state, &found);
	print_state(&whole.spec.state, &expected);
	assert_string_equal(text_str(&found), text_str(&expected));
}

/* The diagnostics of the texts, with excerpts. */
static void check_errors(const char *const *texts, const char *expected) {
	_spec_ r;

	read_texts(&r, texts);
	_cleanup_free_ char *all = diags_format(&r.diags, false);
	assert_string_equal(all, expected);
}

static void test_added(void **state _unused_) {
	check_same(
		TEXTS("namespaces: {web: {interfaces: {eth0: {mtu: 1400}}}, db: {interfaces: {eth0: {}}}}\n"
		      "links: [[web:eth0, db:eth0]]",
		      "namespaces: {web: {routes: [{to: 10.1.0.0/16, via: 10.0.0.9}], interfaces: {b: {kind: bridge}}}, c: {}}",
		      "links: [[c:x, web:x]]\nnamespaces: {web: {interfaces: {eth0: {addresses: [10.0.0.1/24]}}}}"),
		"namespaces: {web: {interfaces: {eth0: {mtu: 1400, addresses: [10.0.0.1/24]}, b: {kind: bridge}},\n"
		"  routes: [{to: 10.1.0.0/16, via: 10.0.0.9}]}, db: {interfaces: {eth0: {}}}, c: {}}\n"
		"links: [[web:eth0, db:eth0], [c:x, web:x]]");
}

static void test_lists_are_appended(void **state _unused_) {
	check_same(
		TEXTS("namespaces: {a: {interfaces: {b: {kind: bridge, addresses: 10.0.0.1/24, ports: {name: p}}}}}\n"
		      "links: [[a:p, a:q], [a:r, a:s]]",
		      "namespaces: {a: {interfaces: {b: {addresses: 10.0.0.2/24, ports: [q]}}}}",
		      "namespaces: {a: {interfaces: {b: {addresses: [10.0.0.1/24, 10.0.0.3/24], ports: [p, r]}}}}"),
		"namespaces: {a: {interfaces: {b: {kind: bridge, addresses: [10.0.0.1/24, 10.0.0.2/24, 10.0.0.3/24], ports: [{name: p}, "
		"q, r]}}}}\nlinks: [[a:p, a:q], [a:r, a:s]]");
	check_same(
		TEXTS("namespaces: {a: {routes: {to: 10.1.0.0/16, type: blackhole}, dns: {servers: 10.0.0.1}}}",
		      "namespaces: {a: {routes: {to: 10.2.0.0/16, type: blackhole}, dns: {servers: 10.0.0.2, search: x.org}}}"),
		"namespaces: {a: {routes: [{to: 10.1.0.0/16, type: blackhole}, {to: 10.2.0.0/16, type: blackhole}],\n"
		"  dns: {servers: [10.0.0.1, 10.0.0.2], search: x.org}}}");
}

/* The order matters: the first matching entry of `nat` decides. */
static void test_nat_is_in_order(void **state _unused_) {
	check_same(TEXTS("namespaces: {a: {nat: {action: masquerade, source: 10.0.0.0/8}}}",
			 "namespaces: {a: {nat: [{action: snat, source: 10.0.0.0/8, to: 192.0.2.1}]}}"),
		   "namespaces: {a: {nat: [{action: masquerade, source: 10.0.0.0/8}, {action: snat, source: 10.0.0.0/8, "
		   "to: 192.0.2.1}]}}");
}

static void test_said_twice(void **state _unused_) {
	check_same(TEXTS("version: 1\ntopology: t\ndrift: report\nlinks: [[a:x, b:x]]\nnamespaces: {a: {forwarding: true, "
			 "interfaces: {x: {mtu: 1400, up: yes}}}, b: {}}",
			 "version: 1\ntopology: t\ndrift: report\nlinks: [[b:x, a:x]]\nnamespaces: {a: {forwarding: true, "
			 "interfaces: {x: {mtu: 0x578, up: \"yes\"}}}, b: {}}",
			 "{namespaces: {a: {interfaces: {x: {up: true}}}}}"),
		   "drift: report\nlinks: [[a:x, b:x]]\nnamespaces: {a: {forwarding: true, interfaces: {x: {mtu: 1400, up: "
		   "true}}}, b: {}}");
}

/* Another file may set what a link leaves open. */
static void test_links(void **state _unused_) {
	check_same(TEXTS("namespaces: {a: {}, b: {}}\nlinks: [{endpoints: [a:x, b:x], mtu: 1400}, [a:y, b:y]]",
			 "links: [{endpoints: [a:x, b:x], queues: 2, mtu: 1400}, {endpoints: [b:y, a:y], mtu: 1300}]"),
		   "namespaces: {a: {}, b: {}}\nlinks: [{endpoints: [a:x, b:x], mtu: 1400, queues: 2}, "
		   "{endpoints: [a:y, b:y], mtu: 1300}]");
	check_errors(TEXTS("namespaces: {a: {}, b: {}}\nlinks: [{endpoints: [a:x, b:x], mtu: 1400}]",
			   "links: [{endpoints: [a:x, b:x], mtu: 1300}]"),
		     "d1:1:38: error: 'mtu' of this link is declared twice with different values\n"
		     "   1 | links: [{endpoints: [a:x, b:x], mtu: 1300}]\n"
		     "     |                                      ^^^^\n"
		     "f:2:38: note: first here\n"
		     "   2 | links: [{endpoints: [a:x, b:x], mtu: 1400}]\n"
		     "     |                                      ^^^^\n");
	check_errors(TEXTS("namespaces: {a: {}, b: {}}\nlinks: [[a:x, b:x]]", "links: [[a:x, b:y]]"),
		     "d1:1:10: error: a:x is an end of two links\n"
		     "   1 | links: [[a:x, b:y]]\n"
		     "     |          ^^^\n"
		     "f:2:10: note: first here\n"
		     "   2 | links: [[a:x, b:x]]\n"
		     "     |          ^^^\n");
}

static void test_empty_entries(void **state _unused_) {
	check_same(TEXTS("namespaces: {web: {interfaces: {b: {kind: bridge}, lo: }}}",
			 "namespaces: {web: {interfaces: {b: , lo: {addresses: 10.9.9.9}}}}", "namespaces: {}",
			 "{drift: restore}"),
		   "namespaces: {web: {interfaces: {b: {kind: bridge}, lo: {addresses: 10.9.9.9}}}}");
}

static void test_contradictions(void **state _unused_) {
	check_errors(TEXTS("topology: t\nnamespaces:\n  web: {interfaces: {b: {kind: bridge, mtu: 1500}}}", "topology: u",
			   "namespaces:\n  web:\n    interfaces:\n      b: {mtu: 1400}\n"),
		     "d1:1:1: error: 'topology' is 'u' here and 't' in another file\n"
		     "   1 | topology: u\n"
		     "     | ^^^^^^^^\n"
		     "f:1:1: note: first here\n"
		     "   1 | topology: t\n"
		     "     | ^^^^^^^^\n"
		     "d2:4:11: error: 'mtu' is '1400' here and '1500' in another file\n"
		     "   4 |       b: {mtu: 1400}\n"
		     "     |           ^^^\n"
		     "f:3:40: note: first here\n"
		     "   3 |   web: {interfaces: {b: {kind: bridge, mtu: 1500}}}\n"
		     "     |                                        ^^^\n");
	check_errors(TEXTS("namespaces: {a: {forwarding: ipv4}}", "namespaces: {a: {forwarding: {x: y}}}"),
		     "d1:1:18: error: 'forwarding' is a mapping here and 'ipv4' in another file\n"
		     "   1 | namespaces: {a: {forwarding: {x: y}}}\n"
		     "     |                  ^^^^^^^^^^\n"
		     "f:1:18: note: first here\n"
		     "   1 | namespaces: {a: {forwarding: ipv4}}\n"
		     "     |                  ^^^^^^^^^^\n");
}

/* An error is shown with the text of its own file, and the other files are read to the end. */
static void test_errors_of_all(void **state _unused_) {
	check_errors(TEXTS("namespaces: {a: {}}", "namespaces: {a: {x: 1}}", "namespaces: {a: {}, a: {}}"),
		     "d1:1:18: error: unknown key 'x' in a namespace\n"
		     "   1 | namespaces: {a: {x: 1}}\n"
		     "     |                  ^\n"
		     "d2:1:21: error: duplicate key 'a'\n"
		     "   1 | namespaces: {a: {}, a: {}}\n"
		     "     |                     ^\n"
		     "d2:1:14: note: first here\n"
		     "   1 | namespaces: {a: {}, a: {}}\n"
		     "     |              ^\n");
	check_errors(TEXTS("namespaces: {", "- a", "*x"),
		     "f:1:13: error: this '{' is never closed\n"
		     "   1 | namespaces: {\n"
		     "     |             ^\n"
		     "d2:1:1: error: there is no anchor &x above; quote the value if no alias is meant\n"
		     "   1 | *x\n"
		     "     | ^^\n");
}

static void test_no_mapping(void **state _unused_) {
	check_errors(TEXTS("namespaces: {a: {}}", "- b"), "d1:1:1: error: a drop-in must be a mapping of keys, not a list\n"
							  "   1 | - b\n"
							  "     | ^\n");
}

/* Keys of one object from several files are checked together, and each position is right. */
static void test_places(void **state _unused_) {
	_spec_ r;

	check_errors(TEXTS("namespaces: {a: {sysctl: {net.ipv4.ip_forward: 1}}}",
			   "namespaces: {a: {sysctl: {net/ipv4/ip_forward: 0}}}"),
		     "d1:1:27: error: a sysctl net.ipv4.ip_forward is declared twice with different values\n"
		     "   1 | namespaces: {a: {sysctl: {net/ipv4/ip_forward: 0}}}\n"
		     "     |                           ^^^^^^^^^^^^^^^^^^^\n"
		     "f:1:27: note: first here\n"
		     "   1 | namespaces: {a: {sysctl: {net.ipv4.ip_forward: 1}}}\n"
		     "     |                           ^^^^^^^^^^^^^^^^^^^\n");
	read_texts(&r, TEXTS("namespaces:\n  a:\n    interfaces:\n      b: {kind: bridge}\n",
			     "namespaces: {a: {interfaces: {b: {mtu: 1400}},\n  nat: [{action: masquerade, out: b}]}}"));
	assert_true(r.good);
	struct object *b = get_object(&r.spec.state, "a/b link");
	assert_string_equal(spec_file_of(&r.spec, b->position), "f");
	assert_string_equal(spec_file_of(&r.spec, b->positions[LINK_MTU]), "d1");
	assert_int_equal(b->positions[LINK_MTU].line, 1);
	assert_null(spec_file_of(&r.spec, (struct position){}));
	assert_null(spec_file_of(&r.spec, (struct position){ .line = 1, .source = 7 }));
}

/* Many keys work like few. */
static void test_many(void **state _unused_) {
	_cleanup_text_ struct text one = {}, two = {};
	_spec_ r;

	text_add(&one, "namespaces:\n");
	text_add(&two, "namespaces:\n");
	for (int i = 0; i < 3000; i++) {
		text_addf(&one, "  n%d: {interfaces: {b: {kind: bridge, mtu: 1400}}}\n", i);
		text_addf(&two, "  n%d: {interfaces: {b: {addresses: 10.0.0.1/24}}}\n", 2999 - i);
	}
	read_texts(&r, TEXTS(one.data, two.data, one.data));
	assert_true(r.good);
	assert_non_null(find_object(&r.spec.state, "n0/b address 10.0.0.1/24"));
	assert_non_null(find_object(&r.spec.state, "n2999/b address 10.0.0.1/24"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_added),
		cmocka_unit_test(test_lists_are_appended),
		cmocka_unit_test(test_nat_is_in_order),
		cmocka_unit_test(test_said_twice),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_empty_entries),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_errors_of_all),
		cmocka_unit_test(test_no_mapping),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
