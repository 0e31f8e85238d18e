/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections of the language in general, regardless of their content. */
#include "spec-helper.h"

/* The nearest of interface, namespace and file applies, also to the end of a pair that has no entry of its own. */
static void test_drift_of_ends(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "drift: ignore\nnamespaces: {a: {drift: report, interfaces: {z: {drift: restore}}}, b: {}}\n"
		      "links: [[a:x, b:x], [a:z, b:z]]");
	assert_int_equal(ns_find_link(state_find(&r.spec.state, "a"), "x")->drift, DRIFT_REPORT);
	assert_int_equal(ns_find_link(state_find(&r.spec.state, "a"), "z")->drift, DRIFT_RESTORE);
	assert_int_equal(ns_find_link(state_find(&r.spec.state, "b"), "x")->drift, DRIFT_IGNORE);
}

/* Among very many names the nearest is suggested, not the nearest of the first few. */
static void test_suggestions_of_many(void **state _unused_) {
	_cleanup_text_ struct text text = {};

	text_add(&text, "namespaces:\n");
	for (size_t i = 0; i < 300; i++)
		text_addf(&text, "  n%zu: {}\n", 100 + i);
	text_add(&text, "  office: {}\nlinks: [[n100:x, offise:x]]\n");
	check_diags(text.data, "f:303:18: error: there is no namespace 'offise'; did you mean 'office'?");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drift_of_ends),
		cmocka_unit_test(test_suggestions_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
