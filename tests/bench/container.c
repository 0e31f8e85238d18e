/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor under `attach`: a container with two links, four addresses and three routes, as tests/bench/attach declares them,
 * made and read back with one request each way. It asks nothing, records nothing and compares nothing.
 *
 * The container is a process with a network namespace of its own. Times begin when that exists; after each round it ends, and
 * the next round waits until the kernel has removed its links.
 */
#include "subject.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

enum { LINKS = 2, BRIDGE_INDEX = 1000, PREFIX = 16, PREFIX6 = 64 };

/* A child in a new network namespace, with lo up. */
static pid_t start_container(void) {
	int pipe_fds[2];
	char ready;
	pid_t pid;

	if (pipe(pipe_fds) < 0 || (pid = fork()) < 0)
		die("cannot start a container: %m");
	if (pid == 0) {
		struct batch b;

		if (unshare(CLONE_NEWNET) < 0)
			die("unshare: %m");
		batch_init(&b, wire_open(NETLINK_ROUTE));
		put_up(&b, LO_INDEX, true);
		batch_run(&b, "lo");
		if (write(pipe_fds[1], "", 1) != 1)
			die("write: %m");
		for (;;)
			pause();
	}
	close(pipe_fds[1]);
	if (read(pipe_fds[0], &ready, 1) != 1)
		die("the container has ended");
	close(pipe_fds[0]);
	return pid;
}

static void put_address6(struct batch *b, int index, const char *text) {
	struct nlmsghdr *h = batch_add(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *a = mnl_nlmsg_put_extra_header(h, sizeof(*a));
	struct in6_addr address;

	if (inet_pton(AF_INET6, text, &address) != 1)
		die("%s is not an address", text);
	a->ifa_family = AF_INET6;
	a->ifa_prefixlen = PREFIX6;
	a->ifa_flags = IFA_F_NODAD;
	a->ifa_index = (uint32_t)index;
	mnl_attr_put(h, IFA_LOCAL, sizeof(address), &address);
}

static void put_blackhole(struct batch *b, uint32_t to) {
	struct nlmsghdr *h = batch_add(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	*r = (struct rtmsg){ .rtm_family = AF_INET,
			     .rtm_dst_len = PREFIX,
			     .rtm_table = RT_TABLE_MAIN,
			     .rtm_protocol = RTPROT_STATIC,
			     .rtm_type = RTN_BLACKHOLE };
	mnl_attr_put_u32(h, RTA_DST, htonl(to));
}

static uint32_t in_network(int link, uint32_t host) {
	return 10U << 24 | (uint32_t)(201 + link) << 16 | host;
}

static void build_bridges(struct batch *b) {
	for (int link = 0; link < LINKS; link++) {
		struct bridge br = { .index = BRIDGE_INDEX + link };

		snprintf(br.name, sizeof(br.name), "floor-br%d", link);
		put_bridge(b, &br);
		put_address(b, RTM_NEWADDR, br.index, in_network(link, 0xfffe), PREFIX);
		put_up(b, br.index, true);
	}
	batch_run(b, "bridges");
}

static void remove_bridges(struct batch *b) {
	for (int link = 0; link < LINKS; link++)
		put_link_delete(b, BRIDGE_INDEX + link);
	batch_run(b, "bridges");
}

static void make(struct batch *host, struct batch *inside, int netns) {
	for (int link = 0; link < LINKS; link++) {
		char name[IF_NAME_SIZE], peer_name[IF_NAME_SIZE];
		struct veth_end here = { name, BRIDGE_INDEX + LINKS + link, -1, BRIDGE_INDEX + link, true };
		struct veth_end there = { peer_name, 2 + link, netns, 0, false };

		snprintf(name, sizeof(name), "floor-%d", link);
		snprintf(peer_name, sizeof(peer_name), "eth%d", link);
		put_veth(host, &here, &there, 0);
	}
	batch_run(host, "links");
	for (int link = 0; link < LINKS; link++) {
		struct end route = { .index = 2 + link,
				     .to = link ? 10U << 24 | 66U << 16 : 0,
				     .to_prefix = link ? PREFIX : 0,
				     .via = in_network(link, 0xfffe) };

		put_up(inside, 2 + link, true); /* a peer cannot be made up */
		put_address(inside, RTM_NEWADDR, 2 + link, in_network(link, 2), PREFIX);
		put_address6(inside, 2 + link, link ? "fd00:202::2" : "fd00:201::2");
		put_route(inside, RTM_NEWROUTE, &route);
	}
	put_blackhole(inside, 10U << 24 | 77U << 16);
	batch_run(inside, "addresses and routes");
}

static void put_get_link(struct batch *b, const char *name) {
	struct nlmsghdr *h = batch_add(b, RTM_GETLINK, 0);

	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
}

static void read_back(struct batch *host, struct batch *inside) {
	put_dump_links(inside);
	put_dump_addresses(inside);
	put_dump_routes(inside);
	wire_dump(inside, NULL, NULL);
	put_get_link(host, "floor-0");
	put_get_link(host, "floor-1");
	batch_run(host, "the host's ends");
}

static void await_removal(struct batch *host) {
	for (int link = 0; link < LINKS; link++) {
		char name[IF_NAME_SIZE];

		snprintf(name, sizeof(name), "floor-%d", link);
		do
			put_get_link(host, name);
		while (batch_try(host) == 0);
	}
}

static void do_round(struct batch *host, int home, struct times *made, struct times *read_times, struct times *all) {
	pid_t pid = start_container();
	double start = now_ms();
	char path[64];
	struct batch inside;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	int netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0 || setns(netns, CLONE_NEWNET) < 0)
		die("%s: %m", path);
	batch_init(&inside, wire_open(NETLINK_ROUTE));
	if (setns(home, CLONE_NEWNET) < 0)
		die("setns: %m");
	make(host, &inside, netns);
	double middle = now_ms();
	read_back(host, &inside);
	double end = now_ms();
	add_time(made, middle - start);
	add_time(read_times, end - middle);
	add_time(all, end - start);
	close(inside.fd);
	close(netns);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	await_removal(host);
}

int verb_container(const struct options *o) {
	_cleanup_(times_done) struct times made = {}, read_times = {}, all = {};
	_cleanup_close_ int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int fd = wire_open(NETLINK_ROUTE);
	struct batch host;

	batch_init(&host, fd);
	build_bridges(&host);
	for (unsigned i = 0; i < o->count; i++)
		do_round(&host, home, &made, &read_times, &all);
	remove_bridges(&host);
	printf("{\"verb\": \"container\", \"rounds\": %u", o->count);
	print_times("make_", &made);
	print_times("read_", &read_times);
	print_times("", &all);
	printf("}\n");
	return 0;
}
