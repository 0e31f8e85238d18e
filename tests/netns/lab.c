/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/mount.h>

#include "kernel/named_netns.h"

static int skip_all(const char *what) {
	printf("1..0 # SKIP %s: %s\n", what, strerror(errno));
	return SKIP;
}

int seclude(bool with_etc) {
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		return skip_all("needs root");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return skip_all("cannot make mounts private");
	if (mount("none", "/run", "tmpfs", 0, "mode=0755") < 0 ||
	    (with_etc && mount("none", "/etc", "tmpfs", 0, "mode=0755") < 0))
		return skip_all("cannot mount a tmpfs");
	return 0;
}

int begin_lab(void) {
	int r = seclude(true);

	return r == 0 && netns_init() < 0 ? 1 : r;
}

void run(const char *command) {
	int status = system(command);

	if (status != 0)
		fail_msg("'%s' ended with %d", command, status);
}

void put_file(const char *path, const char *text) {
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
}

ino_t current_inode(void) {
	struct stat st;

	ok(stat("/proc/thread-self/ns/net", &st));
	return st.st_ino;
}

struct nlmsghdr *put_header(struct message *m, uint16_t type, uint16_t flags) {
	memset(m, 0, sizeof(*m));
	mnl_nlmsg_put_header(m);
	m->nlh.nlmsg_type = type;
	m->nlh.nlmsg_flags = NLM_F_REQUEST | flags;
	return &m->nlh;
}

struct nlmsghdr *put_address(struct message *m, uint16_t type, uint32_t number, uint32_t ifindex) {
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

struct acks acks;

struct acks *fresh_acks(size_t base) {
	memset(&acks, 0, sizeof(acks));
	acks.base = base;
	return &acks;
}

void take_ack(void *userdata, size_t index, const struct nl_ack *ack) {
	struct acks *all = userdata;

	assert_int_equal(index, all->base + all->n);
	assert_true(all->n < ARRAY_SIZE(all->of));
	all->of[all->n].error = ack->error;
	all->of[all->n].offset = ack->offset;
	snprintf(all->of[all->n].text, sizeof(all->of[0].text), "%s", ack->text ? ack->text : "");
	all->n++;
}

void change_addresses(struct nl_socket *sock, uint16_t type, uint32_t number, size_t n, int error) {
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

const char *problem;

int create(const char *name, int *ret_fd, const char **ret_problem) {
	_cleanup_close_ int fd = -1;
	int r = netns_make(&fd, ret_problem);

	if (r == 0)
		r = netns_name(fd, name, ret_problem);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

int open_name(const char *name, int *ret_fd) {
	return netns_open(name, ret_fd, &problem);
}

int delete_name(const char *name) {
	_cleanup_close_ int fd = -1;
	struct netns_identity identity = {};
	int r = open_name(name, &fd);

	if (r == 0)
		r = netns_identity(fd, &identity);
	return r == 0 ? netns_delete(name, &identity, &problem) : r;
}

void put_stale(const char *name) {
	_cleanup_free_ char *path = xasprintf("%s/%s", NETNS_DIR, name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);

	assert_true(fd >= 0);
}

int set_up(void **state) {
	struct lab *lab = xmalloc(sizeof(*lab));

	ok(netns_prepare(&problem));
	ok(create("lab", &lab->fd, &problem));
	ok(nl_open(&lab->route, NETLINK_ROUTE, lab->fd));
	ok(nl_open(&lab->nft, NETLINK_NETFILTER, lab->fd));
	*state = lab;
	return 0;
}

int tear_down(void **state) {
	struct lab *lab = *state;
	ino_t inode = current_inode();

	nl_close(&lab->route);
	nl_close(&lab->nft);
	close(lab->fd);
	free(lab);
	delete_name("lab");
	assert_int_equal(inode, current_inode());
	return 0;
}

int give_id(int fd, int32_t *ret) {
	_cleanup_nl_ struct nl_socket sock = NL_SOCKET_NONE;
	int r = nl_open(&sock, NETLINK_ROUTE, -1);

	return r < 0 ? r : netns_ids(&sock, &fd, 1, true, ret);
}
