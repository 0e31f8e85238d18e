/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <time.h>

enum { LARGEST_MESSAGE = 1024 };

void die(const char *format, ...) {
	va_list args;

	fputs("floor: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

double now_ms(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int wire_open(int protocol) {
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		die("cannot open a netlink socket: %m");
	return fd;
}

int wire_listen(int protocol, const unsigned *groups, size_t count) {
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int fd = wire_open(protocol);

	/* An unbound socket has the kernel's port number, and a sender does not receive its own messages. */
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		die("cannot bind: %m");
	for (size_t i = 0; i < count; i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i])) < 0)
			die("cannot listen: %m");
	return fd;
}

void batch_init(struct batch *b, int fd) {
	b->fd = fd;
	b->sequence = b->awaited = 0;
	b->used = 0;
	b->last = NULL;
}

static void close_message(struct batch *b) {
	if (b->last)
		b->used += NLMSG_ALIGN(b->last->nlmsg_len);
	b->last = NULL;
}

struct nlmsghdr *batch_add(struct batch *b, uint16_t type, uint16_t flags) {
	close_message(b);
	if (b->used + LARGEST_MESSAGE > sizeof(b->data))
		die("batch is full");
	b->last = mnl_nlmsg_put_header(b->data + b->used);
	b->last->nlmsg_type = type;
	b->last->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	b->last->nlmsg_seq = ++b->sequence;
	return b->last;
}

static void batch_send(struct batch *b) {
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	close_message(b);
	if (sendto(b->fd, b->data, b->used, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		die("cannot send: %m");
	b->used = 0;
}

static ssize_t receive(int fd, char *buffer, size_t size) {
	for (;;) {
		ssize_t n = recv(fd, buffer, size, 0);
		if (n >= 0)
			return n;
		if (errno != EINTR)
			die("cannot receive: %m");
	}
}

/* Takes the acknowledgements of one datagram; true once the batch's last message is among them. */
static bool take_acks(const struct batch *b, const char *buffer, int n, int *error) {
	const struct nlmsghdr *h = (const void *)buffer;

	for (; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n)) {
		const struct nlmsgerr *answer = mnl_nlmsg_get_payload(h);
		if (h->nlmsg_type != NLMSG_ERROR)
			continue;
		if (answer->error && !*error)
			*error = answer->error;
		if (h->nlmsg_seq == (b->awaited ? b->awaited : b->sequence))
			return true;
	}
	return false;
}

int batch_try(struct batch *b) {
	static _Thread_local _Alignas(8) char buffer[RECEIVE_SIZE];
	int error = 0;

	if (!b->last)
		return 0;
	if (!b->awaited)
		b->last->nlmsg_flags |= NLM_F_ACK;
	batch_send(b);
	while (!take_acks(b, buffer, (int)receive(b->fd, buffer, sizeof(buffer)), &error))
		;
	b->awaited = 0;
	return error;
}

void batch_run(struct batch *b, const char *what) {
	int error = batch_try(b);

	if (error)
		die("%s: %s", what, strerror(-error));
}

static struct nlmsghdr *add_link(struct batch *b, uint16_t type, uint16_t flags, struct ifinfomsg info) {
	struct nlmsghdr *h = batch_add(b, type, flags);

	memcpy(mnl_nlmsg_put_extra_header(h, sizeof(info)), &info, sizeof(info));
	return h;
}

static struct ifinfomsg info_of(const struct veth_end *end) {
	return (struct ifinfomsg){
		.ifi_index = end->index,
		.ifi_flags = end->up ? IFF_UP : 0,
		.ifi_change = end->up ? IFF_UP : 0,
	};
}

static void put_end(struct nlmsghdr *h, const struct veth_end *end, unsigned queues) {
	mnl_attr_put_strz(h, IFLA_IFNAME, end->name);
	mnl_attr_put_u32(h, IFLA_MTU, MTU);
	if (end->ns_fd >= 0)
		mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)end->ns_fd);
	if (end->master)
		mnl_attr_put_u32(h, IFLA_MASTER, (uint32_t)end->master);
	if (queues) {
		mnl_attr_put_u32(h, IFLA_NUM_TX_QUEUES, queues);
		mnl_attr_put_u32(h, IFLA_NUM_RX_QUEUES, queues);
	}
}

void put_veth(struct batch *b, const struct veth_end *end, const struct veth_end *peer, unsigned queues) {
	struct nlmsghdr *h = add_link(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, info_of(end));
	struct ifinfomsg peer_info = info_of(peer);
	struct nlattr *info, *data, *nested;

	put_end(h, end, queues);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	nested = mnl_attr_nest_start(h, VETH_INFO_PEER);
	memcpy(mnl_nlmsg_put_extra_header(h, sizeof(peer_info)), &peer_info, sizeof(peer_info));
	put_end(h, peer, queues);
	mnl_attr_nest_end(h, nested);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

void put_bridge(struct batch *b, const struct bridge *br) {
	struct nlmsghdr *h =
		add_link(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, (struct ifinfomsg){ .ifi_index = br->index });
	struct nlattr *info;

	mnl_attr_put_strz(h, IFLA_IFNAME, br->name);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(h, info);
}

void put_up(struct batch *b, int index, bool up) {
	add_link(b, RTM_NEWLINK, 0,
		 (struct ifinfomsg){ .ifi_index = index, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP });
}

void put_mtu(struct batch *b, int index, uint32_t mtu) {
	mnl_attr_put_u32(add_link(b, RTM_NEWLINK, 0, (struct ifinfomsg){ .ifi_index = index }), IFLA_MTU, mtu);
}

void put_master(struct batch *b, int index, int master) {
	mnl_attr_put_u32(add_link(b, RTM_NEWLINK, 0, (struct ifinfomsg){ .ifi_index = index }), IFLA_MASTER,
			 (uint32_t)master);
}

void put_link_delete(struct batch *b, int index) {
	add_link(b, RTM_DELLINK, 0, (struct ifinfomsg){ .ifi_index = index });
}

void put_address(struct batch *b, uint16_t type, int index, uint32_t address, uint8_t prefix) {
	uint16_t flags = type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct nlmsghdr *h = batch_add(b, type, flags);
	struct ifaddrmsg *a = mnl_nlmsg_put_extra_header(h, sizeof(*a));

	a->ifa_family = AF_INET;
	a->ifa_prefixlen = prefix;
	a->ifa_index = (uint32_t)index;
	mnl_attr_put_u32(h, IFA_LOCAL, htonl(address));
	mnl_attr_put_u32(h, IFA_ADDRESS, htonl(address));
}

void put_route(struct batch *b, uint16_t type, const struct end *end) {
	uint16_t flags = type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct nlmsghdr *h = batch_add(b, type, flags);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	r->rtm_family = AF_INET;
	r->rtm_dst_len = end->to_prefix;
	r->rtm_table = RT_TABLE_MAIN;
	r->rtm_protocol = type == RTM_NEWROUTE ? RTPROT_STATIC : RTPROT_UNSPEC;
	r->rtm_scope = type == RTM_NEWROUTE ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE;
	r->rtm_type = RTN_UNICAST;
	if (end->to_prefix)
		mnl_attr_put_u32(h, RTA_DST, htonl(end->to));
	mnl_attr_put_u32(h, RTA_GATEWAY, htonl(end->via));
	mnl_attr_put_u32(h, RTA_OIF, (uint32_t)end->index);
}

void put_nsid(struct batch *b, int ns_fd, uint32_t nsid) {
	struct nlmsghdr *h = batch_add(b, RTM_NEWNSID, 0);

	mnl_nlmsg_put_extra_header(h, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(h, NETNSA_FD, (uint32_t)ns_fd);
	mnl_attr_put_u32(h, NETNSA_NSID, nsid);
}

/* Dumps */

void put_dump_links(struct batch *b) {
	struct nlmsghdr *h = add_link(b, RTM_GETLINK, NLM_F_DUMP, (struct ifinfomsg){ .ifi_family = AF_UNSPEC });

	mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

void put_dump_addresses(struct batch *b) {
	mnl_nlmsg_put_extra_header(batch_add(b, RTM_GETADDR, NLM_F_DUMP), sizeof(struct ifaddrmsg));
}

void put_dump_routes(struct batch *b) {
	mnl_nlmsg_put_extra_header(batch_add(b, RTM_GETROUTE, NLM_F_DUMP), sizeof(struct rtmsg));
}

enum { MOST_DUMPS = 8 };

struct dumps {
	struct batch *batch;
	uint32_t first;      /* sequence number of the first request */
	unsigned open, busy; /* bits by request: not yet ended, to be asked again */
	_Alignas(8) char requests[MOST_DUMPS][64];
	wire_object each;
	void *context;
};

static void take_answer(struct dumps *d, const struct nlmsghdr *h) {
	unsigned bit = 1U << (h->nlmsg_seq - d->first);

	if (h->nlmsg_type == NLMSG_DONE) {
		d->open &= ~bit;
	} else if (h->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *answer = mnl_nlmsg_get_payload(h);
		if (answer->error != -EBUSY)
			die("dump: %s", strerror(-answer->error));
		d->open &= ~bit;
		d->busy |= bit;
	} else if (d->each) {
		d->each(h, d->context);
	}
}

static void take_answers(struct dumps *d) {
	static _Thread_local _Alignas(8) char buffer[RECEIVE_SIZE];

	while (d->open) {
		int n = (int)receive(d->batch->fd, buffer, sizeof(buffer));
		const struct nlmsghdr *h = (const void *)buffer;

		for (; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n))
			take_answer(d, h);
	}
}

static void keep_requests(struct dumps *d) {
	int left = (int)d->batch->used;
	const struct nlmsghdr *h = (const void *)d->batch->data;

	d->first = h->nlmsg_seq;
	for (unsigned i = 0; mnl_nlmsg_ok(h, left); i++, h = mnl_nlmsg_next(h, &left)) {
		if (i == MOST_DUMPS || h->nlmsg_len > sizeof(d->requests[0]))
			die("too many dumps, or too large ones");
		memcpy(d->requests[i], h, h->nlmsg_len);
		d->open |= 1U << i;
	}
}

static void ask_again(struct dumps *d, unsigned i) {
	const struct nlmsghdr *h = (const void *)d->requests[i];

	memcpy(d->batch->data, h, h->nlmsg_len);
	d->batch->used = h->nlmsg_len;
	d->open = 1U << i;
	batch_send(d->batch);
	take_answers(d);
}

void wire_dump(struct batch *b, wire_object each, void *context) {
	struct dumps d = { .batch = b, .each = each, .context = context };

	close_message(b);
	keep_requests(&d);
	batch_send(b);
	take_answers(&d);
	for (unsigned i = 0; i < MOST_DUMPS; i++)
		if (d.busy & 1U << i)
			ask_again(&d, i);
}
