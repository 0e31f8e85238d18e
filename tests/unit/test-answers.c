/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nl_socket.c with answers that today's kernel never gives, or not on demand: whole copies of the request, impossible
 * copies, leftovers of earlier requests, silence. The kernel is the other end of a socket pair, and has answered in advance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/netlink.h>
#include <sys/socket.h>

#include "kernel/nl_socket.h"

enum { PAYLOAD = 5 }; /* not a multiple of four */

struct line {
	struct nl_socket sock;
	int kernel;
};

struct request {
	struct nlmsghdr nlh;
	char payload[PAYLOAD];
};

struct heard {
	int error;
	uint32_t offset;
	char text[64];
	size_t n;
};

static int set_up(void **state) {
	struct line *line = xmalloc(sizeof(*line));
	int ends[2];

	/* Non-blocking: if there is no answer now, none will come. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	line->sock = (struct nl_socket){ .fd = ends[0], .seq = 7 };
	line->kernel = ends[1];
	*state = line;
	return 0;
}

static int tear_down(void **state) {
	struct line *line = *state;

	nl_close(&line->sock);
	close(line->kernel);
	free(line);
	return 0;
}

static struct request request(void) {
	return (struct request){ .nlh = { .nlmsg_len = NLMSG_HDRLEN + PAYLOAD, .nlmsg_type = 16 }, .payload = "abcd" };
}

/* copied: the length that the copy of the request claims; 0: only its header is there (NLM_F_CAPPED). */
static void answer(const struct line *line, uint32_t seq, int error, uint32_t copied, uint16_t flags) {
	char buffer[256] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct nlmsgerr *err = mnl_nlmsg_put_extra_header(nlh, sizeof(*err));

	nlh->nlmsg_type = NLMSG_ERROR;
	nlh->nlmsg_seq = seq;
	nlh->nlmsg_flags = flags | (copied ? 0 : NLM_F_CAPPED);
	err->error = error;
	/* A reader that mistakes the rest of the header for the attributes finds a text there. */
	err->msg = (struct nlmsghdr){ .nlmsg_type = NLA_HDRLEN + 8, .nlmsg_flags = NLMSGERR_ATTR_MSG, .nlmsg_seq = 'x' };
	err->msg.nlmsg_len = copied ? copied : NLMSG_HDRLEN + PAYLOAD;
	if (copied)
		memset(mnl_nlmsg_put_extra_header(nlh, PAYLOAD), 'x', PAYLOAD);
	mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "no such thing");
	mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, 36);
	assert_int_equal(send(line->kernel, nlh, nlh->nlmsg_len, 0), nlh->nlmsg_len);
}

static void hear(void *userdata, size_t index, const struct nl_ack *ack) {
	struct heard *heard = userdata;

	assert_int_equal(index, heard->n++);
	heard->error = ack->error;
	heard->offset = ack->offset;
	snprintf(heard->text, sizeof(heard->text), "%s", ack->text ? ack->text : "");
}

static int ask(struct line *line, struct heard *heard) {
	struct request r = request();
	struct nlmsghdr *messages[] = { &r.nlh };

	*heard = (struct heard){};
	return nl_transact(&line->sock, messages, 1, false, hear, heard);
}

static void check(struct line *line, int error, const char *text, uint32_t offset) {
	struct heard heard;

	assert_int_equal(ask(line, &heard), 0);
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.error, error);
	assert_string_equal(heard.text, text);
	assert_int_equal(heard.offset, offset);
}

/* After an aligned copy of the request, as a kernel without NETLINK_CAP_ACK sends it, and without a copy. */
static void test_where_words_stand(void **state) {
	struct line *line = *state;

	answer(line, 7, -ENOENT, NLMSG_HDRLEN + PAYLOAD, NLM_F_ACK_TLVS);
	check(line, -ENOENT, "no such thing", 36);
	answer(line, 8, -ENOENT, 0, NLM_F_ACK_TLVS);
	check(line, -ENOENT, "no such thing", 36);
	answer(line, 9, -ENOENT, 0, 0);
	check(line, -ENOENT, "", 0);
}

/* The error number is still used. */
static void test_copy_that_cannot_be(void **state) {
	static const uint32_t lengths[] = { 1, NLMSG_HDRLEN - 1, 4096, UINT32_MAX };
	struct line *line = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		answer(line, line->sock.seq, -EPERM, lengths[i], NLM_F_ACK_TLVS);
		check(line, -EPERM, "", 0);
	}
}

/* A late answer to the previous request, and one to no request. */
static void test_leftovers(void **state) {
	struct line *line = *state;

	answer(line, 6, -EBUSY, 0, 0);
	answer(line, 4711, -EBUSY, 0, 0);
	answer(line, 7, 0, 0, 0);
	check(line, 0, "", 0);
}

static void test_silence(void **state) {
	struct line *line = *state;
	struct heard heard;

	assert_int_equal(ask(line, &heard), -ETIMEDOUT);
	assert_int_equal(heard.error, -ETIMEDOUT);
}

/* Longer than the buffer: a truncated answer is not read as if it were whole. */
static void test_cut_off(void **state) {
	struct line *line = *state;
	_cleanup_free_ char *long_one = xmalloc(100000);
	struct heard heard;

	assert_int_equal(send(line->kernel, long_one, 100000, 0), 100000);
	assert_int_equal(ask(line, &heard), -EMSGSIZE);
	assert_int_equal(heard.error, -EMSGSIZE);
}

/* The kernel would stop there silently, and the requests after it would never be answered. */
static void test_request_without_a_header(void **state) {
	struct line *line = *state;
	struct request good = request(), bad = request();
	struct nlmsghdr *messages[] = { &good.nlh, &bad.nlh };
	struct heard heard = {};
	char byte;

	bad.nlh.nlmsg_len = NLMSG_HDRLEN - 1;
	assert_int_equal(nl_transact(&line->sock, messages, 2, false, hear, &heard), -EINVAL);
	assert_int_equal(heard.n, 0);
	assert_int_equal(recv(line->kernel, &byte, 1, 0), -1); /* nothing was sent */
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(test_where_words_stand), TEST(test_copy_that_cannot_be),      TEST(test_leftovers), TEST(test_silence),
		TEST(test_cut_off),           TEST(test_request_without_a_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
