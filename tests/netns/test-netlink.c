/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nl_socket.c against the real kernel: transactions, requests and dumps.
 */
#include "lab.h"

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/syscall.h>

#include "kernel/genl_family.h"

/* A link with a name that the kernel's policy refuses, and the offset of that attribute. */
static struct nlmsghdr *put_bad_link(struct message *m, uint32_t *ret_offset) {
	struct nlmsghdr *nlh = put_header(m, RTM_NEWLINK, NLM_F_CREATE);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	mnl_attr_put_u32(nlh, IFLA_MTU, 1400);
	*ret_offset = nlh->nlmsg_len;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "a-name-of-more-than-fifteen-bytes");
	return nlh;
}

static struct nlmsghdr *put_nft(struct message *m, uint16_t type, uint16_t flags, uint8_t family, uint16_t res) {
	struct nlmsghdr *nlh = put_header(m, type, flags);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(res);
	return nlh;
}

static struct nlmsghdr *put_begin(struct message *m) {
	return put_nft(m, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

static struct nlmsghdr *put_end(struct message *m) {
	return put_nft(m, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

static struct nlmsghdr *put_nft_message(struct message *m, int type, uint16_t flags) {
	return put_nft(m, (uint16_t)((NFNL_SUBSYS_NFTABLES << 8) | type), flags, NFPROTO_INET, 0);
}

static struct nlmsghdr *put_table(struct message *m, const char *name) {
	struct nlmsghdr *nlh = put_nft_message(m, NFT_MSG_NEWTABLE, NLM_F_CREATE);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, name);
	return nlh;
}

static struct nlmsghdr *put_chain(struct message *m, const char *table, const char *name) {
	struct nlmsghdr *nlh = put_nft_message(m, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, name);
	return nlh;
}

static void a_bad_message_does_not_stop_the_next(void **state) {
	struct lab *lab = *state;
	struct message m[4];
	uint32_t offset;
	struct nlmsghdr *list[] = {
		put_address(&m[0], RTM_NEWADDR, 1, LO),
		put_bad_link(&m[1], &offset),
		put_address(&m[2], RTM_NEWADDR, 2, 4711),
		put_address(&m[3], RTM_NEWADDR, 3, LO),
	};

	ok(nl_transact(&lab->route, list, 4, false, take_ack, fresh_acks(0)));
	assert_int_equal(acks.n, 4);
	assert_int_equal(acks.of[0].error, 0);
	assert_string_equal(acks.of[0].text, "");
	assert_int_equal(acks.of[1].error, -ERANGE);
	assert_int_equal(acks.of[1].offset, offset);
	assert_non_null(strstr(acks.of[1].text, "Attribute"));
	assert_int_equal(acks.of[2].error, -ENODEV);
	assert_int_equal(acks.of[2].offset, 0);
	assert_string_not_equal(acks.of[2].text, "");
	assert_int_equal(acks.of[3].error, 0);
	change_addresses(&lab->route, RTM_NEWADDR, 1, 1, -EEXIST);
	change_addresses(&lab->route, RTM_NEWADDR, 3, 1, -EEXIST);
}

static void many_messages(void **state) {
	struct lab *lab = *state;

	change_addresses(&lab->route, RTM_NEWADDR, 0, 1000, 0);
	change_addresses(&lab->route, RTM_NEWADDR, 0, 1000, -EEXIST);
	change_addresses(&lab->route, RTM_DELADDR, 0, 1000, 0);
	ok(nl_transact(&lab->route, NULL, 0, false, take_ack, fresh_acks(0)));
}

static void lost_answers_are_said(void **state) {
	struct lab *lab = *state;
	struct message m[NL_BATCH_MESSAGES];
	struct nlmsghdr *list[NL_BATCH_MESSAGES];
	struct timeval never = {};
	int least = 0;

	change_addresses(&lab->route, RTM_NEWADDR, 0, NL_BATCH_MESSAGES - 1, 0);
	ok(setsockopt(lab->route.fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)));
	ok(setsockopt(lab->route.fd, SOL_SOCKET, SO_RCVTIMEO, &never, sizeof(never))); /* must not wait */
	/* Only failed requests are answered individually. */
	for (uint32_t i = 0; i < NL_BATCH_MESSAGES; i++)
		list[i] = put_address(&m[i], RTM_NEWADDR, i, LO);
	assert_int_equal(nl_transact(&lab->route, list, NL_BATCH_MESSAGES, false, take_ack, fresh_acks(0)), -ENOBUFS);
	assert_int_equal(acks.n, NL_BATCH_MESSAGES);
	assert_int_equal(acks.of[0].error, -EEXIST);
	assert_int_equal(acks.of[NL_BATCH_MESSAGES - 1].error, -ENOBUFS);
	change_addresses(&lab->route, RTM_NEWADDR, NL_BATCH_MESSAGES - 1, 1, -EEXIST);
}

/* A second begin message makes nf_tables drop the batch without any answer. */
static void silence_ends_in_a_timeout(void **state) {
	struct lab *lab = *state;
	struct message m[4];
	struct nlmsghdr *list[] = { put_begin(&m[0]), put_begin(&m[1]), put_table(&m[2], "t"), put_end(&m[3]) };
	struct timeval limit = { .tv_usec = 50 * 1000 };

	ok(setsockopt(lab->nft.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	assert_int_equal(nl_transact(&lab->nft, list, 4, true, take_ack, fresh_acks(1)), -ETIMEDOUT);
	assert_int_equal(acks.n, 2);
	assert_int_equal(acks.of[0].error, -ETIMEDOUT);
	assert_int_equal(acks.of[1].error, -ETIMEDOUT);
}

/* Sends a refusal of the next message of sock, as if it came from the kernel. */
static void send_forgery(const struct nl_socket *from, const struct nl_socket *to) {
	struct sockaddr_nl address = {};
	socklen_t size = sizeof(address);
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
	} m = {
		.nlh = { .nlmsg_len = sizeof(m), .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = to->seq },
		.err = { .error = -EPERM },
	};

	ok(getsockname(to->fd, (struct sockaddr *)&address, &size));
	assert_int_not_equal(address.nl_pid, 0); /* it has a port id, because it has sent something already */
	assert_int_equal(sendto(from->fd, &m, sizeof(m), 0, (struct sockaddr *)&address, sizeof(address)), sizeof(m));
}

static void only_the_kernel_is_believed(void **state) {
	struct lab *lab = *state;
	_cleanup_nl_ struct nl_socket other = NL_SOCKET_NONE;

	ok(nl_open(&other, NETLINK_ROUTE, lab->fd));
	change_addresses(&lab->route, RTM_NEWADDR, 1, 1, 0);
	send_forgery(&other, &lab->route);
	change_addresses(&lab->route, RTM_DELADDR, 1, 1, 0);
}

static void a_socket_belongs_to_its_namespace(void **state) {
	struct lab *lab = *state;
	_cleanup_nl_ struct nl_socket here = NL_SOCKET_NONE, none = NL_SOCKET_NONE;
	ino_t inode = current_inode();

	change_addresses(&lab->route, RTM_NEWADDR, 1, 1, 0);
	ok(nl_open(&here, NETLINK_ROUTE, -1));
	change_addresses(&here, RTM_NEWADDR, 1, 1, 0);
	change_addresses(&here, RTM_DELADDR, 1, 1, 0);
	change_addresses(&lab->route, RTM_NEWADDR, 1, 1, -EEXIST);
	assert_int_equal(nl_open(&none, 31, lab->fd), -EPROTONOSUPPORT);
	assert_int_equal(none.fd, -1);
	assert_int_equal(nl_open(&none, NETLINK_ROUTE, STDERR_FILENO), -EINVAL);
	assert_int_equal(inode, current_inode());
}

/* ---- nf_tables ---- */

static void a_transaction_is_applied(void **state) {
	struct lab *lab = *state;
	struct message m[4];
	struct nlmsghdr *list[] = { put_begin(&m[0]), put_table(&m[1], "t"), put_chain(&m[2], "t", "c"), put_end(&m[3]) };

	ok(nl_transact(&lab->nft, list, 4, true, take_ack, fresh_acks(1)));
	assert_int_equal(acks.n, 2);
	assert_int_equal(acks.of[0].error, 0);
	assert_int_equal(acks.of[1].error, 0);
	run("ip netns exec lab nft list chain inet t c >/dev/null");
}

static void a_transaction_is_refused_as_a_whole(void **state) {
	struct lab *lab = *state;
	struct message m[6];
	struct nlmsghdr *list[] = {
		put_begin(&m[0]),           put_table(&m[1], "t"),         put_chain(&m[2], "missing", "c"),
		put_chain(&m[3], "t", "c"), put_chain(&m[4], "gone", "c"), put_end(&m[5])
	};

	ok(nl_transact(&lab->nft, list, 6, true, take_ack, fresh_acks(1)));
	assert_int_equal(acks.n, 4);
	assert_int_equal(acks.of[0].error, -ECANCELED);
	assert_int_equal(acks.of[1].error, -ENOENT);
	assert_int_equal(acks.of[1].offset, NLMSG_HDRLEN + sizeof(struct nfgenmsg)); /* NFTA_CHAIN_TABLE */
	assert_int_equal(acks.of[2].error, -ECANCELED);
	assert_int_equal(acks.of[3].error, -ENOENT);
	run("test -z \"$(ip netns exec lab nft list ruleset)\"");
}

/* The begin message may name a generation; then the kernel's refusal refers to the begin message. */
static void a_refused_begin_is_everybodys_error(void **state) {
	struct lab *lab = *state;
	struct message m[4];
	struct nlmsghdr *list[] = { put_begin(&m[0]), put_table(&m[1], "t"), put_table(&m[2], "u"), put_end(&m[3]) };

	mnl_attr_put_u32(list[0], NFNL_BATCH_GENID, htonl(4711));
	ok(nl_transact(&lab->nft, list, 4, true, take_ack, fresh_acks(1)));
	assert_int_equal(acks.of[0].error, -ERESTART);
	assert_int_equal(acks.of[1].error, -ERESTART);
	run("test -z \"$(ip netns exec lab nft list ruleset)\"");
}

/* Larger than the send buffer, and with more messages than acknowledgements would fit. */
static void a_large_transaction(void **state) {
	struct lab *lab = *state;
	enum { N = 2000 };
	struct message *m = xmalloc((N + 2) * sizeof(*m));
	struct nlmsghdr **list = xmalloc((N + 2) * sizeof(struct nlmsghdr *));
	char name[200];

	list[0] = put_begin(&m[0]);
	list[N + 1] = put_end(&m[N + 1]);
	for (int i = 1; i <= N; i++) {
		snprintf(name, sizeof(name), "%0100d", i);
		list[i] = put_table(&m[i], name);
	}
	ok(nl_transact(&lab->nft, list, N + 2, true, take_ack, fresh_acks(1)));
	assert_int_equal(acks.n, N);
	for (int i = 0; i < N; i++)
		assert_int_equal(acks.of[i].error, 0);
	run("test $(ip netns exec lab nft list tables | wc -l) = 2000");

	/* All of them fail: more errors than can be received, and still the result is that nothing was done. */
	for (int i = 1; i <= N; i++)
		list[i] = put_chain(&m[i], "missing", "c");
	ok(nl_transact(&lab->nft, list, N + 2, true, take_ack, fresh_acks(1)));
	assert_int_equal(acks.of[0].error, -ENOENT);
	for (int i = 0; i < N; i++)
		assert_true(acks.of[i].error == -ENOENT || acks.of[i].error == -ECANCELED);
	free(list);
	free(m);
}

static void what_is_no_transaction_is_not_sent(void **state) {
	struct lab *lab = *state;
	struct message m[2];
	struct nlmsghdr *open_ended[] = { put_begin(&m[0]), put_table(&m[1], "t") };

	assert_int_equal(nl_transact(&lab->nft, open_ended, 2, true, take_ack, fresh_acks(1)), -EINVAL);
	assert_int_equal(nl_transact(&lab->nft, open_ended, 1, true, take_ack, fresh_acks(1)), -EINVAL);
	assert_int_equal(acks.n, 0);
}

/* ---- dumps ---- */

struct dump {
	struct nl_socket *other; /* changes something during the dump */
	size_t n, begun, restarts, disturb;
	int refuse;
};

static void begin_again(void *userdata) {
	struct dump *dump = userdata;

	dump->restarts++;
	dump->n = 0;
}

static int take_address(void *userdata, const struct nlmsghdr *nlh) {
	struct dump *dump = userdata;
	struct message m;
	struct nlmsghdr *list[] = { put_address(&m, RTM_NEWADDR, 10000 + (uint32_t)dump->begun, LO) };

	assert_int_equal(nlh->nlmsg_type, RTM_NEWADDR);
	if (dump->n++ == 0 && dump->begun++ < dump->disturb)
		ok(nl_transact(dump->other, list, 1, false, NULL, NULL));
	return dump->refuse;
}

static int dump_addresses(struct nl_socket *sock, struct dump *dump) {
	struct message m;
	struct nlmsghdr *nlh = put_header(&m, RTM_GETADDR, 0);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = AF_INET;
	return nl_dump(sock, nlh, take_address, begin_again, dump);
}

static void a_dump(void **state) {
	struct lab *lab = *state;
	struct dump all = {}, refused = { .refuse = -E2BIG }, recreates = {};

	change_addresses(&lab->route, RTM_NEWADDR, 0, 3000, 0);
	ok(dump_addresses(&lab->route, &all));
	assert_int_equal(all.n, 3000);
	assert_int_equal(all.restarts, 0);
	assert_int_equal(dump_addresses(&lab->route, &refused), -E2BIG);
	assert_int_equal(refused.n, 1);
	ok(dump_addresses(&lab->route, &recreates)); /* nothing is left of the refused one */
	assert_int_equal(recreates.n, 3000);
}

static void an_interrupted_dump(void **state) {
	struct lab *lab = *state;
	_cleanup_nl_ struct nl_socket other = NL_SOCKET_NONE;
	struct dump once = { .other = &other, .disturb = 1 }, always = { .other = &other, .disturb = SIZE_MAX };

	ok(nl_open(&other, NETLINK_ROUTE, lab->fd));
	change_addresses(&lab->route, RTM_NEWADDR, 0, 3000, 0);
	ok(dump_addresses(&lab->route, &once));
	assert_int_equal(once.restarts, 1);
	assert_int_equal(once.n, 3001);
	always.begun = 10; /* different addresses than the first time */
	assert_int_equal(dump_addresses(&lab->route, &always), -EINTR);
	assert_int_equal(always.restarts, NL_DUMP_TRIES - 1);
}

static void a_refused_dump(void **state) {
	struct lab *lab = *state;
	struct message m;
	struct dump none = {};
	struct nlmsghdr *nlh = put_header(&m, RTM_GETADDR, 0);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_prefixlen = 8; /* strict checking refuses fields that the kernel ignores otherwise */
	assert_int_equal(nl_dump(&lab->route, nlh, take_address, NULL, &none), -EINVAL);
	assert_int_equal(none.n, 0);
}

static int take_link(void *userdata, const struct nlmsghdr *nlh) {
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	assert_int_equal(nlh->nlmsg_type, RTM_NEWLINK);
	*(int *)userdata = ifi->ifi_index;
	return 0;
}

static int ask_link(struct nl_socket *sock, int index, int *ret) {
	struct message m;
	struct nlmsghdr *nlh = put_header(&m, RTM_GETLINK, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = index;
	return nl_request(sock, nlh, take_link, ret);
}

/* An answer that was not read, as after a timeout. */
static void leave_an_answer(struct nl_socket *sock) {
	struct message m;
	struct nlmsghdr *nlh = put_header(&m, RTM_GETLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = 4711;
	nlh->nlmsg_seq = sock->seq++;
	assert_int_equal(send(sock->fd, nlh, nlh->nlmsg_len, 0), nlh->nlmsg_len);
}

static void a_request(void **state) {
	struct lab *lab = *state;
	struct dump dump = {};
	int index = 0;
	char byte;

	leave_an_answer(&lab->route);
	change_addresses(&lab->route, RTM_NEWADDR, 1, 1, 0);
	leave_an_answer(&lab->route);
	ok(dump_addresses(&lab->route, &dump));
	leave_an_answer(&lab->route);
	ok(ask_link(&lab->route, LO, &index));
	assert_int_equal(index, LO);
	assert_int_equal(ask_link(&lab->route, 4711, &index), -ENODEV);
	assert_int_equal(recv(lab->route.fd, &byte, 1, MSG_DONTWAIT), -1); /* nothing left behind */
}

enum { N_QUESTIONS = 500 };

static void count_answer(void *userdata, size_t index _unused_, const struct nlmsghdr *answer, int error) {
	ok(error);
	assert_int_equal(answer->nlmsg_type, RTM_NEWLINK);
	++*(size_t *)userdata;
}

/* The description of a bridge's port is much longer than an acknowledgement. */
static void many_questions(void **state _unused_) {
	_cleanup_(nl_close) struct nl_socket here = NL_SOCKET_NONE;
	_cleanup_free_ struct message *m = xmalloc(N_QUESTIONS * sizeof(*m));
	_cleanup_free_ struct nlmsghdr **list = xmalloc(N_QUESTIONS * sizeof(*list));
	size_t n = 0;

	ok(nl_open(&here, NETLINK_ROUTE, -1));
	run("ip link add name br type bridge && ip link add name port master br type veth peer name end");
	for (size_t i = 0; i < N_QUESTIONS; i++) {
		list[i] = put_header(&m[i], RTM_GETLINK, 0);
		mnl_nlmsg_put_extra_header(list[i], sizeof(struct ifinfomsg));
		mnl_attr_put_strz(list[i], IFLA_IFNAME, "port");
	}
	ok(nl_ask(&here, list, N_QUESTIONS, count_answer, &n));
	assert_int_equal(n, N_QUESTIONS);
	run("ip link delete dev port && ip link delete dev br");
}

/* Stands for the machine's sysctl net.core.rmem_default; 0: the real value. */
static int default_buffer;

int socket(int domain, int type, int protocol) {
	int fd = (int)syscall(SYS_socket, domain, type, protocol), half = default_buffer / 2;

	if (fd >= 0 && default_buffer)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &half, sizeof(half)), 0);
	return fd;
}

static void many_questions_where_buffers_are_small(void **state) {
	default_buffer = 8192;
	many_questions(state);
	default_buffer = 0;
}

/* The number of the controller itself is fixed, and known without asking. */
static void families_have_numbers(void **state) {
	struct lab *lab = *state;
	_cleanup_nl_ struct nl_socket sock = NL_SOCKET_NONE;
	uint16_t id;

	ok(nl_open(&sock, NETLINK_GENERIC, lab->fd));
	ok(genl_family_ask(&sock, "nlctrl", &id));
	assert_int_equal(id, GENL_ID_CTRL);
	assert_int_equal(genl_family_ask(&sock, "no-such-family", &id), -ENOENT);
	ok(genl_family_ask(&sock, "nlctrl", &id)); /* nothing is left in the socket */
}

int main(void) {
	const struct CMUnitTest tests[] = {
		in_lab(a_bad_message_does_not_stop_the_next),
		in_lab(families_have_numbers),
		in_lab(many_messages),
		in_lab(lost_answers_are_said),
		in_lab(silence_ends_in_a_timeout),
		in_lab(only_the_kernel_is_believed),
		in_lab(a_socket_belongs_to_its_namespace),
		in_lab(a_transaction_is_applied),
		in_lab(a_transaction_is_refused_as_a_whole),
		in_lab(a_refused_begin_is_everybodys_error),
		in_lab(a_large_transaction),
		in_lab(what_is_no_transaction_is_not_sent),
		in_lab(a_dump),
		in_lab(an_interrupted_dump),
		in_lab(a_refused_dump),
		in_lab(a_request),
		cmocka_unit_test(many_questions),
		cmocka_unit_test(many_questions_where_buffers_are_small),
	};
	int r = begin_lab();

	return r != 0 ? r : cmocka_run_group_tests(tests, NULL, NULL);
}
