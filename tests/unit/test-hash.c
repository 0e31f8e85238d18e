/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keyed hash: its values are right, depend on the key, and chosen names cannot make them collide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/vec.h"

static const uint8_t no_key[16] = {};
static const uint8_t some_key[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

/* Compared with another implementation: from Python 3.11 on, `PYTHONHASHSEED=0 python3 -c 'print(hash(b"…"))'` is
 * SipHash-1-3 with a key of zeros; the halves are combined as here. Big-endian machines give other values. */
static void test_values(void **state _unused_) {
	hash_set_key(no_key);
	if (*(const uint8_t *)&(const uint16_t){ 1 } != 1)
		skip();
	assert_int_equal(hash_bytes("a", 1), 0xf8ef50c1);
	assert_int_equal(hash_bytes("abcdefg", 7), 0xfdc1dfa8);
	assert_int_equal(hash_bytes("abcdefgh", 8), 0x34f5b176);
	assert_int_equal(hash_bytes("a name of some namespace and more", 33), 0x0f84e2eb);
}

static void test_key(void **state _unused_) {
	hash_set_key(no_key);
	uint32_t before = hash_bytes("web/eth0", 8);

	hash_set_key(some_key);
	assert_int_not_equal(hash_bytes("web/eth0", 8), before);
	hash_set_key(no_key);
	assert_int_equal(hash_bytes("web/eth0", 8), before);
}

/* Every byte counts, and so does the length. */
static void test_bytes(void **state _unused_) {
	static const char zeros[32];
	char text[32];

	for (size_t size = 0; size < sizeof(zeros); size++)
		assert_int_not_equal(hash_bytes(zeros, size), hash_bytes(zeros, size + 1));
	for (size_t i = 0; i < sizeof(text); i++) {
		memset(text, 0, sizeof(text));
		text[i] = 1;
		assert_int_not_equal(hash_bytes(text, sizeof(text)), hash_bytes(zeros, sizeof(zeros)));
	}
}

struct entry {
	char name[12];
	UT_hash_handle hh;
};

/* The compiler knows the length of the literal, but not that of the entry's name. */
static void test_literals(void **state _unused_) {
	struct entry entry = { .name = "host" }, *table = NULL, *found;
	volatile size_t size = 4;

	hash_set_key(some_key);
	HASH_ADD_KEYPTR(hh, table, entry.name, size, &entry);
	HASH_FIND(hh, table, "host", 4, found);
	assert_ptr_equal(found, &entry);
	HASH_FIND(hh, table, entry.name, size, found);
	assert_ptr_equal(found, &entry);
	HASH_CLEAR(hh, table);
}

/* Names that uthash's own function puts into one bucket. */
static bool is_chosen(const char *name) {
	unsigned value;

	HASH_JEN(name, strlen(name), value);
	return (value & 0x3ff) == 0;
}

static unsigned longest_chain(const struct entry *table) {
	unsigned longest = 0;

	for (unsigned i = 0; i < table->hh.tbl->num_buckets; i++)
		longest = MAX(longest, table->hh.tbl->buckets[i].count);
	return longest;
}

static void test_chosen_names(void **state _unused_) {
	enum { N = 1000 };
	_cleanup_free_ struct entry *entries = xmalloc(N * sizeof(*entries));
	struct entry *table = NULL;
	unsigned tried = 0;

	hash_set_key(no_key);
	for (size_t n = 0; n < N; tried++) {
		struct entry *entry = &entries[n];

		snprintf(entry->name, sizeof(entry->name), "n%u", tried);
		if (!is_chosen(entry->name))
			continue;
		HASH_ADD_STR(table, name, entry);
		n++;
	}
	assert_true(longest_chain(table) <= 20); /* of 1000 in at least 128 buckets */
	HASH_CLEAR(hh, table);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),   cmocka_unit_test(test_key),          cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_literals), cmocka_unit_test(test_chosen_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
