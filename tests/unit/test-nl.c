/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink messages: bounded writing, bounded reading, and finding the field for an offset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/field.h"
#include "net/nl_message.h"

#define _writer_ _cleanup_(nl_writer_done) struct nl_writer

static void test_round_trip(void **state _unused_) {
	_writer_ w = {};
	const struct nlattr *tb[8], *inner[8];

	uint32_t *head = nl_begin(&w, 77, NLM_F_ACK, sizeof(*head));
	*head = 0xabcdef;
	nl_put_u32(&w, 1, 0x01020304);
	nl_put_u16(&w, 2, 0x0506);
	nl_put_u8(&w, 3, 7);
	nl_put_text(&w, 4, "eth0");
	struct nlattr *nest = nl_nest(&w, 5 | NLA_F_NESTED);
	nl_put_u32(&w, 1, 9);
	nl_nest_end(&w, nest);
	assert_false(w.overflow);
	assert_int_equal(w.messages.n, 1);
	const struct nlmsghdr *nlh = w.messages.items[0];
	assert_int_equal(nlh->nlmsg_type, 77);
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(*(const uint32_t *)mnl_nlmsg_get_payload(nlh), 0xabcdef);
	nl_parse(nlh, sizeof(*head), tb, 7);
	assert_int_equal(nl_get_u32(tb[1], 0), 0x01020304);
	assert_int_equal(nl_get_u8(tb[3], 0), 7);
	assert_string_equal(nl_get_text(tb[4]), "eth0");
	nl_parse_nested(tb[5], inner, 7);
	assert_int_equal(nl_get_u32(inner[1], 0), 9);
	assert_null(tb[6]);
	assert_null(inner[2]);
}

/* A datagram of whole messages, followed by one whose length exceeds the rest or is shorter than a header. */
static void test_next(void **state _unused_) {
	struct nlmsghdr datagram[3] = {
		{ .nlmsg_len = sizeof(datagram[0]) - 1 },
		{ .nlmsg_len = sizeof(datagram[0]) },
		{ .nlmsg_len = 1 },
	};
	static const uint32_t wrong[] = { 0, 15, 17, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };

	assert_null(nl_next(datagram, sizeof(datagram), NULL));
	datagram[0].nlmsg_len = sizeof(datagram[0]);
	assert_ptr_equal(nl_next(datagram, sizeof(datagram), NULL), &datagram[0]);
	assert_ptr_equal(nl_next(datagram, sizeof(datagram), &datagram[0]), &datagram[1]);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		datagram[2].nlmsg_len = wrong[i];
		assert_null(nl_next(datagram, sizeof(datagram), &datagram[1]));
	}
	assert_null(nl_next(datagram, sizeof(datagram) - 1, &datagram[1]));
	assert_null(nl_next(datagram, 0, NULL));
	/* The padding of the last one may be missing. */
	datagram[0].nlmsg_len = sizeof(datagram) - 1;
	assert_null(nl_next(datagram, sizeof(datagram) - 1, nl_next(datagram, sizeof(datagram) - 1, NULL)));
}

/* A missing or short attribute gives the fallback, never the bytes after it. */
static void test_fallbacks(void **state _unused_) {
	_writer_ w = {};
	const struct nlattr *tb[4];

	nl_begin(&w, 1, 0, 0);
	nl_put_u8(&w, 1, 1);
	nl_put(&w, 2, "abc", 3);
	nl_parse(w.message, 0, tb, 3);
	assert_int_equal(nl_get_u32(tb[1], 42), 42);
	assert_int_equal(nl_get_u8(tb[3], 44), 44);
	assert_null(nl_get_text(tb[2]));
	assert_null(nl_get_text(tb[3]));
	nl_parse_nested(NULL, tb, 3);
	for (size_t i = 0; i < ARRAY_SIZE(tb); i++)
		assert_null(tb[i]);
}

static void test_origins(void **state _unused_) {
	static const struct field mtu = { .name = "mtu" }, mac = { .name = "mac-address" }, other = { .name = "other" };
	_writer_ w = {};

	nl_begin(&w, 1, 0, 16); /* 32 bytes so far */
	nl_origin(&w, &mtu);
	nl_put_u32(&w, 1, 70000);
	nl_origin(&w, &mac);
	struct nlattr *nest = nl_nest(&w, 2);
	nl_put_u32(&w, 1, 1);
	nl_nest_end(&w, nest);
	nl_begin(&w, 1, 0, 0);
	nl_origin(&w, &other);
	nl_put_u32(&w, 1, 1);
	assert_null(nl_find_origin(&w, 0, 16));
	assert_ptr_equal(nl_find_origin(&w, 0, 32), &mtu);
	assert_ptr_equal(nl_find_origin(&w, 0, 36), &mtu); /* its value */
	assert_ptr_equal(nl_find_origin(&w, 0, 40), &mac);
	assert_ptr_equal(nl_find_origin(&w, 0, 44), &mac); /* inside its nest */
	assert_ptr_equal(nl_find_origin(&w, 1, 16), &other);
	assert_null(nl_find_origin(&w, 2, 16));
}

/* Entries until one does not fit: the message is valid without it, and the rest goes into the next one. */
static void test_nests_that_do_not_fit(void **state _unused_) {
	static const struct field peer = { .name = "peer" };
	static const char value[1000];
	const struct nlattr *tb[8];
	_writer_ w = {};
	size_t n = 0;

	nl_begin(&w, 1, 0, 0);
	for (;; n++) {
		struct nlattr *nest = nl_nest(&w, 5);

		nl_origin(&w, &peer);
		nl_put(&w, 1, value, sizeof(value));
		if (w.overflow) {
			nl_nest_cancel(&w, nest);
			break;
		}
		nl_nest_end(&w, nest);
	}
	assert_true(n > 10);
	assert_false(w.overflow);
	assert_int_equal(w.messages.items[0]->nlmsg_len, NLMSG_HDRLEN + n * (4 + 4 + sizeof(value)));
	assert_int_equal(w.origins.n, n);
	assert_null(nl_find_origin(&w, 1, 16));
	nl_clear(&w);
	nl_begin(&w, 1, 0, 0);
	struct nlattr *nest = nl_nest(&w, 5);
	nl_origin(&w, &peer);
	nl_put_u32(&w, 1, 7);
	nl_nest_cancel(&w, nest);
	nl_put_u32(&w, 2, 8);
	nl_parse(w.messages.items[0], 0, tb, 7);
	assert_null(tb[5]);
	assert_int_equal(nl_get_u32(tb[2], 0), 8);
	assert_null(nl_find_origin(&w, 0, 16));
}

static void test_truncate(void **state _unused_) {
	static const struct field mtu = { .name = "mtu" };
	_writer_ w = {};

	for (uint16_t i = 1; i <= 3; i++) {
		nl_begin(&w, i, 0, 0);
		nl_origin(&w, &mtu);
		nl_put_u32(&w, 1, i);
	}
	nl_truncate(&w, 1);
	assert_int_equal(w.messages.n, 1);
	assert_null(nl_find_origin(&w, 1, 16));
	assert_non_null(nl_find_origin(&w, 0, 16));
	nl_begin(&w, 9, 0, 0);
	nl_put_u32(&w, 1, 9);
	assert_int_equal(w.messages.n, 2);
	assert_int_equal(w.messages.items[1]->nlmsg_type, 9);
	assert_ptr_equal((char *)w.messages.items[1], (char *)w.messages.items[0] + w.messages.items[0]->nlmsg_len);
	assert_int_equal(w.messages.items[0]->nlmsg_type, 1);
	nl_truncate(&w, 5); /* nothing to take out */
	assert_int_equal(w.messages.n, 2);
}

static void test_overflow(void **state _unused_) {
	static char large[NL_MESSAGE_MAX];
	_writer_ w = {};
	size_t n = 0;

	while (!w.overflow && n < 100) {
		nl_begin(&w, 1, 0, 0);
		nl_put(&w, 1, large, 60000);
		n++;
	}
	assert_true(w.overflow);
	assert_int_equal(n, NL_BUFFER_SIZE / 60000 + 1);
	/* A message that does not fit is not written at all, nor are its nests. */
	nl_put_u32(&w, 1, 1);
	struct nlattr *nest = nl_nest(&w, 2);
	nl_put(&w, 3, large, sizeof(large) - 8);
	nl_nest_end(&w, nest);
	nl_clear(&w);
	assert_false(w.overflow);
	assert_int_equal(w.messages.n, 0);
	nl_begin(&w, 1, 0, 0);
	nl_put_u32(&w, 1, 1);
	assert_false(w.overflow);
}

static void test_overflow_at_the_header(void **state _unused_) {
	_writer_ w = {};

	for (int i = 0; i < NL_BUFFER_SIZE / NLMSG_HDRLEN; i++)
		assert_true(nl_begin(&w, 1, 0, 0) == NULL && !w.overflow);
	char *nowhere = nl_begin(&w, 1, 0, 64); /* there is always something to write to */
	assert_non_null(nowhere);
	memset(nowhere, 1, 64);
	nl_put_u32(&w, 1, 1);
	assert_null(nl_nest(&w, 1));
	assert_true(w.overflow);
}

static void test_room(void **state _unused_) {
	_writer_ w = {};
	static char large[60000];
	size_t n = 0;

	while (nl_has_room(&w) && n < 100) {
		nl_begin(&w, 1, 0, 0);
		nl_put(&w, 1, large, sizeof(large));
		assert_false(w.overflow); /* as promised */
		n++;
	}
	assert_in_range(n, 3, 4);
}

static void test_reserve(void **state _unused_) {
	_writer_ w = {};
	static char large[60000];

	nl_reserve(&w, 20 * 65536);
	for (int i = 0; i < 20; i++) {
		nl_begin(&w, 1, 0, 0);
		nl_put(&w, 1, large, sizeof(large));
	}
	assert_false(w.overflow);
}

/* A damaged attribute ends the reading; nothing outside the message is read (the sanitizer checks). */
static void test_malformed(void **state _unused_) {
	const struct nlattr *tb[4];
	struct {
		struct nlmsghdr head;
		struct nlattr attrs[3];
	} *m = xmalloc(sizeof(*m));

	m->head.nlmsg_len = sizeof(*m);
	m->attrs[0] = (struct nlattr){ .nla_len = 4, .nla_type = 1 };
	m->attrs[1] = (struct nlattr){ .nla_len = 3, .nla_type = 2 }; /* shorter than itself */
	m->attrs[2] = (struct nlattr){ .nla_len = 4, .nla_type = 3 };
	nl_parse(&m->head, 0, tb, 3);
	assert_non_null(tb[1]);
	assert_null(tb[2]);
	assert_null(tb[3]);
	m->attrs[1] = (struct nlattr){ .nla_len = 9, .nla_type = 2 }; /* longer than the message */
	nl_parse(&m->head, 0, tb, 3);
	assert_non_null(tb[1]);
	assert_null(tb[2]);
	m->attrs[1] = (struct nlattr){ .nla_len = 4, .nla_type = 200 }; /* unknown: skipped */
	nl_parse(&m->head, 0, tb, 3);
	assert_non_null(tb[3]);
	m->head.nlmsg_len = sizeof(m->head) + 2;
	nl_parse(&m->head, 0, tb, 3);
	assert_null(tb[1]);
	nl_parse(&m->head, 64, tb, 3); /* a fixed part beyond the end */
	assert_null(tb[1]);
	free(m);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_fallbacks),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_nests_that_do_not_fit),
		cmocka_unit_test(test_truncate),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_overflow_at_the_header),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
