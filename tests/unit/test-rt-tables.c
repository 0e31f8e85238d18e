/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of routing tables, as in /etc/iproute2/rt_tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "files/rt_tables.h"

static uint32_t number_of(const struct rt_tables *tables, const char *name) {
	vec_foreach(t, &tables->list)
		if (t->name && streq(t->name, name))
			return t->number;
	return 0;
}

static void test_tables(_unused_ void **state) {
	_cleanup_(rt_tables_done) struct rt_tables tables = {};

	rt_tables_parse(&tables, "#\n# reserved values\n255\tlocal\n0 unspec\n\n 100  blue # mine\n0x65 red\r\n"
				 "word green\n102\n103 blue\n104 last");
	assert_int_equal(number_of(&tables, "local"), 255);
	assert_int_equal(number_of(&tables, "blue"), 100);
	assert_int_equal(number_of(&tables, "red"), 0x65);
	assert_int_equal(number_of(&tables, "last"), 104);
	assert_int_equal(tables.list.n, 4);
}

static void test_tables_are_bounded(_unused_ void **state) {
	_cleanup_(rt_tables_done) struct rt_tables tables = {};
	_cleanup_text_ struct text text = {};

	for (int i = 1; i <= 10000; i++)
		text_addf(&text, "%d t%d\n", i, i);
	rt_tables_parse(&tables, text.data);
	assert_int_equal(tables.list.n, 4096);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_tables_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
