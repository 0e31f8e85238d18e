/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink, netns and watch against the real kernel.
 *
 * The program first gives itself a network and a mount namespace with an empty /run and an empty /etc: what
 * it makes is seen by nobody else and gone when it ends. Without root it is skipped (exit 77). Nothing here
 * sleeps: waiting is poll() on the descriptor under test, with a limit that only a failure reaches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "netlink.h"
#include "netns.h"
#include "vec.h"
#include "watch.h"

enum {
	SKIP = 77,
	WAIT_MS = 10000,
	LO = 1, /* lo's index in every namespace */
};

#define ok(r) assert_int_equal((r), 0)

static void run(const char *command) {
	int status = system(command);

	if (status != 0)
		fail_msg("'%s' ended with %d", command, status);
}

static void put_file(const char *path, const char *text) {
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
}

static size_t count_lines(const char *path, const char *part) {
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t allocated = 0, n = 0;

	assert_non_null(f);
	while (getline(&line, &allocated, f) >= 0)
		n += strstr(line, part) ? 1 : 0;
	return n;
}

static ino_t current_inode(void) {
	struct stat st;

	ok(stat("/proc/thread-self/ns/net", &st));
	return st.st_ino;
}

/* ---- messages ---- */

struct message {
	struct nlmsghdr nlh;
	char rest[240];
};

static struct nlmsghdr *put_header(struct message *m, uint16_t type, uint16_t flags) {
	memset(m, 0, sizeof(*m));
	mnl_nlmsg_put_header(m);
	m->nlh.nlmsg_type = type;
	m->nlh.nlmsg_flags = NLM_F_REQUEST | flags;
	return &m->nlh;
}

/* 127.HIGH.LOW.1/32 on an interface; type is RTM_NEWADDR or RTM_DELADDR. */
static struct nlmsghdr *put_address(struct message *m, uint16_t type, uint32_t number, uint32_t ifindex) {
	struct nlmsghdr *nlh = put_header(m, type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	uint32_t address = htonl(0x7f000001 + (number << 8));

	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 32;
	ifa->ifa_index = ifindex;
	mnl_attr_put_u32(nlh, IFA_LOCAL, address);
	mnl_attr_put_u32(nlh, IFA_ADDRESS, address);
	return nlh;
}

/* A link with a name that the kernel's policy refuses, and how far its attribute is from the start. */
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

/* ---- collected answers ---- */

struct acks {
	struct {
		int error;
		uint32_t offset;
		char text[128];
	} of[4096];
	size_t n, next, base; /* indexes come one after the other from base */
};

static void take_ack(void *userdata, size_t index, const struct nl_ack *ack) {
	struct acks *acks = userdata;

	assert_int_equal(index, acks->base + acks->n);
	assert_true(acks->n < ARRAY_SIZE(acks->of));
	acks->of[acks->n].error = ack->error;
	acks->of[acks->n].offset = ack->offset;
	snprintf(acks->of[acks->n].text, sizeof(acks->of[0].text), "%s", ack->text ? ack->text : "");
	acks->n++;
}

static const char *problem; /* what a function says of its error; of no interest here but where it is asserted */
static struct acks acks; /* too large for a stack */

static struct acks *fresh_acks(size_t base) {
	memset(&acks, 0, sizeof(acks));
	acks.base = base;
	return &acks;
}

/* n addresses beginning with number, all of which have to end with `error`. */
static void change_addresses(struct nl_socket *sock, uint16_t type, uint32_t number, size_t n, int error) {
	struct message *m = xmalloc(n * sizeof(*m));
	struct nlmsghdr **list = xmalloc(n * sizeof(struct nlmsghdr *));

	for (size_t i = 0; i < n; i++)
		list[i] = put_address(&m[i], type, number + (uint32_t)i, LO);
	ok(nl_transact(sock, list, n, false, take_ack, fresh_acks(0)));
	assert_int_equal(acks.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(acks.of[i].error, error);
	free(list);
	free(m);
}

/* ---- one namespace per test ---- */

static int create(const char *name, int *ret_fd, const char **ret_problem) {
	_cleanup_close_ int fd = -1;
	int r = netns_make(&fd, ret_problem);

	if (r == 0)
		r = netns_name(fd, name, ret_problem);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

struct lab {
	int fd;
	struct nl_socket route, nft;
};

static int set_up(void **state) {
	struct lab *lab = xmalloc(sizeof(*lab));

	ok(create("lab", &lab->fd, &problem));
	ok(nl_open(&lab->route, NETLINK_ROUTE, lab->fd));
	ok(nl_open(&lab->nft, NETLINK_NETFILTER, lab->fd));
	*state = lab;
	return 0;
}

static int tear_down(void **state) {
	struct lab *lab = *state;
	ino_t inode = current_inode();

	nl_close(&lab->route);
	nl_close(&lab->nft);
	close(lab->fd);
	free(lab);
	netns_delete("lab", &problem);
	assert_int_equal(inode, current_inode());
	return 0;
}

/* ---- netlink ---- */

static void a_bad_message_does_not_stop_the_next(void **state) {
	struct lab *lab = *state;
	struct message m[4];
	uint32_t offset;
	struct nlmsghdr *list[] = {
		put_address(&m[0], RTM_NEWADDR, 1, LO), put_bad_link(&m[1], &offset),
		put_address(&m[2], RTM_NEWADDR, 2, 4711), put_address(&m[3], RTM_NEWADDR, 3, LO),
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
	/* Only refusals are answered one by one. */
	for (uint32_t i = 0; i < NL_BATCH_MESSAGES; i++)
		list[i] = put_address(&m[i], RTM_NEWADDR, i, LO);
	assert_int_equal(nl_transact(&lab->route, list, NL_BATCH_MESSAGES, false, take_ack, fresh_acks(0)),
			 -ENOBUFS);
	assert_int_equal(acks.n, NL_BATCH_MESSAGES);
	assert_int_equal(acks.of[0].error, -EEXIST);
	assert_int_equal(acks.of[NL_BATCH_MESSAGES - 1].error, -ENOBUFS);
	change_addresses(&lab->route, RTM_NEWADDR, NL_BATCH_MESSAGES - 1, 1, -EEXIST);
}

/* A second begin makes nf_tables give the batch up without an answer to anything. */
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

/* Says no to the next message of sock, as the kernel would. */
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
	assert_int_not_equal(address.nl_pid, 0); /* it has sent something already */
	assert_int_equal(sendto(from->fd, &m, sizeof(m), 0, (struct sockaddr *)&address, sizeof(address)),
			 sizeof(m));
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
	struct nlmsghdr *list[] = { put_begin(&m[0]), put_table(&m[1], "t"), put_chain(&m[2], "t", "c"),
				    put_end(&m[3]) };

	ok(nl_transact(&lab->nft, list, 4, true, take_ack, fresh_acks(1)));
	assert_int_equal(acks.n, 2);
	assert_int_equal(acks.of[0].error, 0);
	assert_int_equal(acks.of[1].error, 0);
	run("ip netns exec lab nft list chain inet t c >/dev/null");
}

static void a_transaction_is_refused_as_a_whole(void **state) {
	struct lab *lab = *state;
	struct message m[6];
	struct nlmsghdr *list[] = { put_begin(&m[0]), put_table(&m[1], "t"), put_chain(&m[2], "missing", "c"),
				    put_chain(&m[3], "t", "c"), put_chain(&m[4], "gone", "c"), put_end(&m[5]) };

	ok(nl_transact(&lab->nft, list, 6, true, take_ack, fresh_acks(1)));
	assert_int_equal(acks.n, 4);
	assert_int_equal(acks.of[0].error, -ECANCELED);
	assert_int_equal(acks.of[1].error, -ENOENT);
	assert_int_equal(acks.of[1].offset, NLMSG_HDRLEN + sizeof(struct nfgenmsg)); /* NFTA_CHAIN_TABLE */
	assert_int_equal(acks.of[2].error, -ECANCELED);
	assert_int_equal(acks.of[3].error, -ENOENT);
	run("test -z \"$(ip netns exec lab nft list ruleset)\"");
}

/* The begin may name the generation that the batch was made for; the kernel's refusal goes to the begin. */
static void a_refused_begin_is_everybodys_error(void **state) {
	struct lab *lab = *state;
	struct message m[4];
	struct nlmsghdr *list[] = { put_begin(&m[0]), put_table(&m[1], "t"), put_table(&m[2], "u"),
				    put_end(&m[3]) };

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

	/* All of them wrong: more errors than can be received, and still it is said that nothing was done. */
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
	struct nl_socket *other; /* changes something while the dump is under way */
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
	struct dump all = {}, refused = { .refuse = -E2BIG }, again = {};

	change_addresses(&lab->route, RTM_NEWADDR, 0, 3000, 0);
	ok(dump_addresses(&lab->route, &all));
	assert_int_equal(all.n, 3000);
	assert_int_equal(all.restarts, 0);
	assert_int_equal(dump_addresses(&lab->route, &refused), -E2BIG);
	assert_int_equal(refused.n, 1);
	ok(dump_addresses(&lab->route, &again)); /* nothing was left of the refused one */
	assert_int_equal(again.n, 3000);
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
	always.begun = 10; /* other addresses than the first time */
	assert_int_equal(dump_addresses(&lab->route, &always), -EINTR);
	assert_int_equal(always.restarts, NL_DUMP_TRIES - 1);
}

static void a_refused_dump(void **state) {
	struct lab *lab = *state;
	struct message m;
	struct dump none = {};
	struct nlmsghdr *nlh = put_header(&m, RTM_GETADDR, 0);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_prefixlen = 8; /* strict checking refuses what it would not look at */
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

/* An answer that nobody waited for, as after a timeout. */
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

/* ---- netns ---- */

static void preparing_twice_mounts_once(void **state _unused_) {
	struct stat st;

	ok(netns_prepare(&problem));
	assert_int_equal(count_lines("/proc/self/mountinfo", " " NETNS_DIR " "), 1);
	run("grep -q '" NETNS_DIR " .* shared:' /proc/self/mountinfo");
	size_t mounts = count_lines("/proc/self/mountinfo", "");
	ok(netns_prepare(&problem));
	run("ip netns add by-ip && ip netns delete by-ip");
	ok(netns_prepare(&problem));
	assert_int_equal(count_lines("/proc/self/mountinfo", ""), mounts);
	ok(stat(NETNS_DIR, &st));
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void a_private_mount_is_made_shared(void **state _unused_) {
	size_t mounts = count_lines("/proc/self/mountinfo", "");

	ok(mount("", NETNS_DIR, NULL, MS_PRIVATE, NULL));
	ok(netns_prepare(&problem));
	assert_int_equal(count_lines("/proc/self/mountinfo", ""), mounts);
	run("grep -q '" NETNS_DIR " .* shared:' /proc/self/mountinfo");
}

static void create_open_delete(void **state _unused_) {
	_cleanup_close_ int created = -1, opened = -1;
	size_t mounts = count_lines("/proc/self/mountinfo", "");
	struct netns_identity a = {}, b = {};
	ino_t here = current_inode();
	int none = -1;

	ok(create("one", &created, &problem));
	assert_int_equal(current_inode(), here);
	assert_int_equal(create("one", &none, &problem), -EEXIST);
	ok(netns_open("one", &opened));
	ok(netns_identity(created, &a));
	ok(netns_identity(opened, &b));
	assert_true(netns_is_same(&a, &b));
	assert_int_not_equal(a.inode, here);
	run("ip netns list | grep -qw one");
	run("ip netns exec one ip link show lo >/dev/null");
	assert_int_equal(netns_remove_stale("one"), -EBUSY);
	ok(netns_delete("one", &problem));
	assert_int_equal(netns_open("one", &none), -ENOENT);
	assert_int_equal(netns_delete("one", &problem), -ENOENT);
	assert_int_equal(netns_remove_stale("one"), -ENOENT);
	assert_int_equal(count_lines("/proc/self/mountinfo", ""), mounts);
	assert_int_equal(none, -1);
}

static void ip_and_we_agree(void **state _unused_) {
	_cleanup_close_ int fd = -1, ours = -1;

	run("ip netns add theirs");
	ok(netns_open("theirs", &fd));
	ok(netns_delete("theirs", &problem));
	ok(create("ours", &ours, &problem));
	run("ip netns delete ours");
	run("test -z \"$(ls " NETNS_DIR ")\"");
}

static void a_name_mounted_twice(void **state _unused_) {
	_cleanup_close_ int fd = -1;

	ok(create("twice", &fd, &problem));
	ok(mount("/proc/self/ns/net", NETNS_DIR "/twice", "none", MS_BIND, NULL));
	ok(netns_delete("twice", &problem));
	assert_int_equal(access(NETNS_DIR "/twice", F_OK), -1);
}

static void what_is_no_namespace(void **state _unused_) {
	int fd = -1, victim = -1;
	char text[8] = "";

	put_file(NETNS_DIR "/stale", "");
	put_file("/run/victim", "whole");
	ok(symlink("/run/victim", NETNS_DIR "/link"));
	ok(symlink("/proc/self/ns/net", NETNS_DIR "/planted"));
	ok(mkfifo(NETNS_DIR "/fifo", 0600));
	assert_int_equal(netns_open("stale", &fd), -EINVAL);
	assert_int_equal(netns_open("link", &fd), -EINVAL);
	assert_int_equal(netns_open("planted", &fd), -EINVAL);
	assert_int_equal(netns_open("fifo", &fd), -EINVAL);
	assert_int_equal(create("stale", &fd, &problem), -EEXIST);
	assert_int_equal(create("link", &fd, &problem), -EEXIST);
	assert_int_equal(create("planted", &fd, &problem), -EEXIST);
	ok(netns_remove_stale("stale"));
	ok(netns_remove_stale("link"));
	ok(netns_remove_stale("fifo"));
	ok(netns_delete("planted", &problem));
	run("test -z \"$(ls " NETNS_DIR ")\"");
	victim = open("/run/victim", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(victim, text, sizeof(text) - 1), 5);
	assert_string_equal(text, "whole");
	close(victim);
	unlink("/run/victim");
}

/* A mount namespace is a namespace too, but not ours to enter. */
static void another_kind_of_namespace(void **state _unused_) {
	int fd = -1;

	put_file(NETNS_DIR "/uts", "");
	ok(mount("/proc/self/ns/uts", NETNS_DIR "/uts", "none", MS_BIND, NULL));
	assert_int_equal(netns_open("uts", &fd), -EINVAL);
	assert_int_equal(netns_remove_stale("uts"), -EBUSY);
	ok(netns_delete("uts", &problem));
}

/* No descriptor is left for the third that creating needs: the file is there already by then. */
static void a_failed_creation_leaves_nothing(void **state _unused_) {
	struct rlimit old, tight;
	_cleanup_close_ int next = dup(STDERR_FILENO);
	ino_t here = current_inode();
	int fd = -1;

	ok(getrlimit(RLIMIT_NOFILE, &old));
	for (int more = 1; more <= 3; more++) {
		tight = (struct rlimit){ (rlim_t)next + (rlim_t)more, old.rlim_max };
		ok(setrlimit(RLIMIT_NOFILE, &tight));
		int r = create("never", &fd, &problem);
		ok(setrlimit(RLIMIT_NOFILE, &old));
		assert_int_equal(r, -EMFILE);
		assert_int_equal(fd, -1);
		assert_int_equal(access(NETNS_DIR "/never", F_OK), -1);
		assert_int_equal(here, current_inode());
	}
}

static void an_id_is_stable(void **state) {
	struct lab *lab = *state;
	_cleanup_close_ int other = -1;
	int32_t id = -2, again = -2, another = -2;

	ok(netns_known_id(lab->fd, &id));
	assert_int_equal(id, -1);
	ok(netns_id(lab->fd, &id));
	assert_true(id >= 0);
	ok(netns_id(lab->fd, &again));
	assert_int_equal(id, again);
	ok(netns_known_id(lab->fd, &again));
	assert_int_equal(id, again);
	ok(create("other", &other, &problem));
	ok(netns_id(other, &another));
	assert_int_not_equal(id, another);
	assert_true(netns_id(STDERR_FILENO, &another) < 0);
	ok(netns_delete("other", &problem));
}

static ino_t visited(int fd, int other) {
	_cleanup_(netns_leave) struct netns_visit visit = NETNS_VISIT_NONE;
	ino_t home = current_inode(), first;

	ok(netns_enter(&visit, fd));
	first = current_inode();
	ok(netns_enter(&visit, other));
	assert_int_not_equal(current_inode(), first);
	ok(netns_enter(&visit, -1));
	assert_int_equal(current_inode(), home);
	assert_int_equal(netns_enter(&visit, STDERR_FILENO), -EINVAL);
	ok(netns_enter(&visit, fd));
	return first;
}

static void a_visit_ends_at_home(void **state) {
	struct lab *lab = *state;
	_cleanup_close_ int other = -1;
	struct netns_identity identity = {};
	ino_t home = current_inode();

	ok(create("other", &other, &problem));
	ok(netns_identity(lab->fd, &identity));
	assert_int_equal(visited(lab->fd, other), identity.inode);
	assert_int_equal(current_inode(), home);
	ok(netns_delete("other", &problem));
}

/* ---- watch ---- */

struct heard {
	vec(int32_t) dirty;
	vec(char *) names, files;
	size_t everything;
};

static void heard_dirty(void *userdata, int32_t nsid, const struct hint *hint _unused_) {
	vec_push(&((struct heard *)userdata)->dirty, nsid);
}

static void heard_name(void *userdata, const char *name) {
	vec_push(&((struct heard *)userdata)->names, xstrdup(name));
}

static void heard_file(void *userdata, const char *name) {
	vec_push(&((struct heard *)userdata)->files, xstrdup(name));
}

static void heard_everything(void *userdata) {
	((struct heard *)userdata)->everything++;
}

static void forget(struct heard *heard) {
	vec_foreach(name, &heard->names)
		free(*name);
	vec_foreach(file, &heard->files)
		free(*file);
	vec_done(&heard->names);
	vec_done(&heard->files);
	vec_done(&heard->dirty);
	heard->everything = 0;
}

static const struct watch_handlers handlers = {
	.heard = heard_dirty, .name_changed = heard_name, .file_changed = heard_file,
	.everything_dirty = heard_everything,
};

static bool readable(const struct watch *watch, int timeout_ms) {
	struct pollfd p = { .fd = watch_fd(watch), .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

static size_t dispatch(struct watch *watch) {
	size_t n = 0;

	assert_true(readable(watch, WAIT_MS));
	ok(watch_dispatch(watch, &n));
	return n;
}

static void drain(struct watch *watch, struct heard *heard) {
	while (readable(watch, 0))
		dispatch(watch);
	forget(heard);
}

/* Not: nothing to read. Namespaces of earlier tests are still being torn down, and give their ids back. */
static void assert_quiet(struct watch *watch, const struct heard *heard) {
	while (readable(watch, 0))
		dispatch(watch);
	assert_int_equal(heard->dirty.n, 0);
	assert_int_equal(heard->names.n, 0);
	assert_int_equal(heard->files.n, 0);
	assert_int_equal(heard->everything, 0);
}

static bool has_id(struct heard *heard, int32_t nsid) {
	vec_foreach(id, &heard->dirty)
		if (*id == nsid)
			return true;
	return false;
}

static bool has_text(char **items, size_t n, const char *text) {
	for (size_t i = 0; i < n; i++)
		if (streq(items[i], text))
			return true;
	return false;
}

#define wait_until(watch, condition)      \
	do {                              \
		while (!(condition))      \
			dispatch(watch);  \
	} while (0)
#define wait_for_id(watch, heard, nsid) wait_until(watch, has_id(heard, nsid))
#define wait_for_name(watch, heard, name) \
	wait_until(watch, has_text((heard)->names.items, (heard)->names.n, name))
#define wait_for_file(watch, heard, name) \
	wait_until(watch, has_text((heard)->files.items, (heard)->files.n, name))

static void a_child_namespace_is_heard(void **state) {
	struct lab *lab = *state;
	struct heard heard = {};
	struct watch *watch = NULL;
	int32_t id;

	ok(netns_id(lab->fd, &id));
	ok(watch_new(&watch, &handlers, &heard, 0));
	assert_quiet(watch, &heard);
	change_addresses(&lab->route, RTM_NEWADDR, 1, 50, 0);
	assert_true(dispatch(watch) >= 50);
	assert_true(heard.dirty.n >= 50);
	assert_int_equal(heard.dirty.items[0], id);
	drain(watch, &heard);

	run("ip netns exec lab nft add table inet t");
	wait_for_id(watch, &heard, id);
	assert_false(has_id(&heard, WATCH_NSID_HOST));
	drain(watch, &heard);
	assert_int_equal(watch_overruns(watch), 0);
	watch_free(watch);
}

/* What costs one line in the table of groups: each is worth a change that no other group tells of. */
static void each_group_is_heard(void **state) {
	static const char *const changes[] = {
		"ip link set lo up", "ip link set lo mtu 9000", "ip address add 127.5.0.1/32 dev lo",
		"ip address add fd00::5/128 dev lo nodad",
		"ip address change 127.5.0.1/32 dev lo valid_lft 1000 preferred_lft 500", /* touches no route */
		"ip address change fd00::5/128 dev lo noprefixroute valid_lft 1000 preferred_lft 500",
		"ip route add blackhole 10.0.0.0/8",
		"ip -6 route add blackhole fd01::/64", "ip rule add to 10.0.0.0/8 table 7",
		"ip -6 rule add to fd01::/64 table 7", "sysctl -qw net.ipv4.ip_forward=1",
		"sysctl -qw net.ipv6.conf.all.forwarding=1", "nft add table inet t",
	};
	struct lab *lab = *state;
	struct heard heard = {};
	struct watch *watch = NULL;
	int32_t id;

	ok(netns_id(lab->fd, &id));
	ok(watch_new(&watch, &handlers, &heard, 0));
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		_cleanup_free_ char *command = xasprintf("ip netns exec lab %s", changes[i]);

		drain(watch, &heard);
		run(command);
		wait_for_id(watch, &heard, id);
	}
	forget(&heard);
	watch_free(watch);
}

static void the_own_namespace_is_the_host(void **state) {
	struct lab *lab = *state;
	_cleanup_nl_ struct nl_socket here = NL_SOCKET_NONE;
	_cleanup_close_ int self = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct heard heard = {};
	struct watch *watch = NULL;
	int32_t id, own;

	ok(nl_open(&here, NETLINK_ROUTE, -1));
	ok(watch_new(&watch, &handlers, &heard, 0));
	ok(netns_id(lab->fd, &id)); /* being given an id is nobody's change */
	assert_quiet(watch, &heard);
	change_addresses(&here, RTM_NEWADDR, 1, 1, 0);
	wait_for_id(watch, &heard, WATCH_NSID_HOST);
	assert_false(has_id(&heard, id));
	drain(watch, &heard);

	/* Its events now carry its own id, from the next one on. */
	ok(netns_id(self, &own));
	change_addresses(&here, RTM_DELADDR, 1, 1, 0);
	wait_for_id(watch, &heard, WATCH_NSID_HOST);
	drain(watch, &heard);
	change_addresses(&here, RTM_NEWADDR, 1, 1, 0);
	wait_for_id(watch, &heard, WATCH_NSID_HOST);
	assert_false(has_id(&heard, own));
	watch_free(watch);
	forget(&heard);

	/* And for a watch that starts when it has the id already. */
	ok(watch_new(&watch, &handlers, &heard, 0));
	change_addresses(&here, RTM_DELADDR, 1, 1, 0);
	wait_for_id(watch, &heard, WATCH_NSID_HOST);
	assert_false(has_id(&heard, own));
	forget(&heard);
	watch_free(watch);
}

static void without_an_id_nothing_is_heard(void **state) {
	struct lab *lab = *state;
	struct heard heard = {};
	struct watch *watch = NULL;

	ok(watch_new(&watch, &handlers, &heard, 0));
	change_addresses(&lab->route, RTM_NEWADDR, 1, 1, 0);
	assert_quiet(watch, &heard);
	watch_free(watch);
}

static void an_overrun_dirties_everything(void **state) {
	struct lab *lab = *state;
	struct heard heard = {};
	struct watch *watch = NULL;
	int32_t id;

	ok(netns_id(lab->fd, &id));
	ok(watch_new(&watch, &handlers, &heard, 8192));
	change_addresses(&lab->route, RTM_NEWADDR, 0, 500, 0);
	dispatch(watch);
	assert_int_equal(heard.everything, 1);
	assert_int_equal(watch_overruns(watch), 1);
	forget(&heard);
	assert_quiet(watch, &heard);

	/* It hears again at once: the queue was emptied before everything was called dirty. */
	change_addresses(&lab->route, RTM_DELADDR, 0, 1, 0);
	wait_for_id(watch, &heard, id);
	assert_int_equal(heard.everything, 0);
	assert_int_equal(watch_overruns(watch), 1);
	forget(&heard);
	watch_free(watch);
}

/* A socket that overran drops in silence until it was emptied: so a single dispatch must empty it. */
static void an_overrun_is_emptied_at_once(void **state) {
	struct lab *lab = *state;
	struct heard heard = {};
	struct watch *watch = NULL;
	int32_t id;

	ok(netns_id(lab->fd, &id));
	ok(watch_new(&watch, &handlers, &heard, 3 * 1024 * 1024)); /* more events than one dispatch reads */
	for (uint32_t i = 0; watch_overruns(watch) == 0; i++) {
		assert_true(i < 10);
		for (uint32_t j = 0; j < 6; j++) {
			change_addresses(&lab->route, RTM_NEWADDR, 0, 1000, 0);
			change_addresses(&lab->route, RTM_DELADDR, 0, 1000, 0);
		}
		dispatch(watch);
	}
	assert_int_equal(heard.everything, 1);
	forget(&heard);
	assert_quiet(watch, &heard);
	change_addresses(&lab->route, RTM_NEWADDR, 0, 1, 0);
	wait_for_id(watch, &heard, id);
	forget(&heard);
	watch_free(watch);
}

static void a_dispatch_is_bounded(void **state) {
	struct lab *lab = *state;
	struct heard heard = {};
	struct watch *watch = NULL;
	size_t all = 0;
	int32_t id;

	ok(netns_id(lab->fd, &id));
	ok(watch_new(&watch, &handlers, &heard, 0));
	for (uint32_t i = 0; i < 6; i++) /* an address is two events: itself and its local route */
		change_addresses(&lab->route, RTM_NEWADDR, i * 1000, 1000, 0);
	while (readable(watch, 0)) {
		size_t n = dispatch(watch);

		assert_in_range(n, 1, 5000);
		all += n;
	}
	assert_true(all >= 6000);
	assert_int_equal(watch_overruns(watch), 0);
	forget(&heard);
	watch_free(watch);
}

static void names_come_and_go(void **state _unused_) {
	_cleanup_close_ int fd = -1, theirs = -1;
	struct heard heard = {};
	struct watch *watch = NULL;

	ok(watch_new(&watch, &handlers, &heard, 0));
	ok(create("here", &fd, &problem));
	wait_for_name(watch, &heard, "here");
	drain(watch, &heard);
	ok(netns_delete("here", &problem));
	wait_for_name(watch, &heard, "here");
	drain(watch, &heard);
	run("ip netns add theirs");
	wait_for_name(watch, &heard, "theirs");
	drain(watch, &heard);
	run("ip netns delete theirs");
	wait_for_name(watch, &heard, "theirs");
	drain(watch, &heard);
	assert_quiet(watch, &heard);
	watch_free(watch);
}

/* Between a file and the mount upon it somebody may look, and would not look again. */
static void a_late_mount_is_announced(void **state _unused_) {
	struct heard heard = {};
	struct watch *watch = NULL;

	ok(watch_new(&watch, &handlers, &heard, 0));
	put_file(NETNS_DIR "/late", "");
	put_file(NETNS_DIR "/never", "");
	wait_for_name(watch, &heard, "late");
	drain(watch, &heard);
	ok(mount("/proc/self/ns/net", NETNS_DIR "/late", "none", MS_BIND, NULL));
	wait_for_name(watch, &heard, "late");
	assert_false(has_text(heard.names.items, heard.names.n, "never"));
	drain(watch, &heard);
	ok(netns_remove_stale("never"));
	ok(netns_delete("late", &problem));
	wait_for_name(watch, &heard, "never");
	wait_for_name(watch, &heard, "late");
	drain(watch, &heard);
	ok(mount("none", "/mnt", "tmpfs", 0, NULL)); /* none is waited for any more: a mount is no news */
	assert_quiet(watch, &heard);
	ok(umount("/mnt"));
	watch_free(watch);
}

static void files_come_and_go(void **state _unused_) {
	struct heard heard = {};
	struct watch *watch = NULL;

	ok(watch_new(&watch, &handlers, &heard, 0));
	ok(watch_file(watch, "web"));
	ok(watch_file(watch, "web"));
	put_file("/etc/unrelated", "");
	drain(watch, &heard);
	ok(mkdir("/etc/netns", 0755));
	ok(mkdir("/etc/netns/web", 0755));
	ok(mkdir("/etc/netns/db", 0755));
	wait_for_file(watch, &heard, "web");
	assert_false(has_text(heard.files.items, heard.files.n, "db"));
	drain(watch, &heard);
	put_file("/etc/netns/web/resolv.conf", "nameserver 10.0.0.1\n");
	put_file("/etc/netns/db/resolv.conf", "");
	wait_for_file(watch, &heard, "web");
	drain(watch, &heard);
	put_file("/etc/netns/web/resolv.conf", "nameserver 10.0.0.2\n");
	wait_for_file(watch, &heard, "web");
	drain(watch, &heard);
	put_file("/etc/netns/db/resolv.conf", "");
	assert_quiet(watch, &heard);
	ok(unlink("/etc/netns/web/resolv.conf"));
	wait_for_file(watch, &heard, "web");
	assert_int_equal(heard.files.n, 1); /* watched twice, told once */
	drain(watch, &heard);

	/* The whole folder goes, and comes again under another inode. */
	ok(rename("/etc/netns", "/etc/old"));
	wait_for_file(watch, &heard, "web");
	run("mkdir -p /etc/netns/web");
	drain(watch, &heard);
	put_file("/etc/netns/web/hosts", "");
	wait_for_file(watch, &heard, "web");
	forget(&heard);
	watch_free(watch);
	run("rm -r /etc/old /etc/netns /etc/unrelated");
}

/* ---- the lab ---- */

static int skip_all(const char *what) {
	printf("1..0 # SKIP %s: %s\n", what, strerror(errno));
	return SKIP;
}

static int seclude(void) {
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		return skip_all("needs root");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return skip_all("cannot make mounts private");
	if (mount("none", "/run", "tmpfs", 0, "mode=0755") < 0 ||
	    mount("none", "/etc", "tmpfs", 0, "mode=0755") < 0)
		return skip_all("cannot mount a tmpfs");
	return 0;
}

#define in_lab(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preparing_twice_mounts_once),
		cmocka_unit_test(a_private_mount_is_made_shared),
		cmocka_unit_test(create_open_delete),
		cmocka_unit_test(ip_and_we_agree),
		cmocka_unit_test(a_name_mounted_twice),
		cmocka_unit_test(what_is_no_namespace),
		cmocka_unit_test(another_kind_of_namespace),
		cmocka_unit_test(a_failed_creation_leaves_nothing),
		in_lab(an_id_is_stable),
		in_lab(a_visit_ends_at_home),
		in_lab(a_bad_message_does_not_stop_the_next),
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
		in_lab(a_child_namespace_is_heard),
		in_lab(each_group_is_heard),
		in_lab(without_an_id_nothing_is_heard),
		in_lab(an_overrun_dirties_everything),
		in_lab(an_overrun_is_emptied_at_once),
		in_lab(a_dispatch_is_bounded),
		cmocka_unit_test(names_come_and_go),
		cmocka_unit_test(a_late_mount_is_announced),
		cmocka_unit_test(files_come_and_go),
		in_lab(the_own_namespace_is_the_host), /* last: an id of one's own stays */
	};
	int r = seclude();

	if (r != 0)
		return r;
	if (netns_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
