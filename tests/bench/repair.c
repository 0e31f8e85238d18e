/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bare loop "receive an event, send the fix" that topod's repairs are compared with. It receives the events of all
 * namespaces on two sockets, as a daemon would, and knows what each event means without scanning: it has no model, does not
 * verify, and opens a request socket when needed. It works for the floor's topologies only.
 */
#include "subject.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

enum { EVENT_BUFFER = 8 * 1024 * 1024 };

static volatile sig_atomic_t stopped;

static void stop(int signal _unused_) {
	stopped = 1;
}

struct repairer {
	const struct shape *shape;
	int hub; /* for new links of hosts; -1: there is none */
	struct times times[KINDS];
};

/* Sends the fix for what was seen in a namespace; -ENODEV and the like only say that it has changed again. */
static void fix(struct repairer *r, enum kind kind, unsigned ns, struct batch *b, double received) {
	ns_enter(r->shape, ns);
	_cleanup_close_ int fd = wire_open(kind_protocol(kind));

	b->fd = fd;
	if (batch_try(b) == 0)
		add_time(&r->times[kind], now_ms() - received);
}

static void fix_link(struct repairer *r, unsigned ns, const struct end *end, struct batch *b, double received) {
	char port[IF_NAME_SIZE];
	struct veth_end here = { .name = end->name, .index = end->index, .ns_fd = -1 };
	struct veth_end there = { .name = port, .ns_fd = r->hub, .up = true };
	_cleanup_close_ int next = -1;
	struct end ends[2];

	if (shape_has_hub(r->shape)) {
		shape_port(ns, port, &there.index);
		there.master = shape_bridge(shape_bridge_of(ns)).index;
	} else {
		there.ns_fd = next = ns_open(r->shape, ns + 1);
		shape_ends(r->shape, ns + 1, ends);
		there.name = "left";
		there.index = ends[0].index;
	}
	put_veth(b, &there, &here, r->shape->queues);
	put_end_settings(b, end, true);
	fix(r, LINK, ns, b, received);
	if (shape_has_hub(r->shape))
		return;
	batch_init(b, -1);
	put_end_settings(b, &ends[0], false);
	ns_enter(r->shape, ns + 1);
	_cleanup_close_ int fd = b->fd = wire_open(NETLINK_ROUTE);
	batch_try(b);
}

/* With the last address, and when a link goes down, the routes (and next hops) of the interface disappear without an event. */
static void repair_end(struct repairer *r, unsigned ns, const struct end *end, const struct event *e) {
	struct subject s = { .shape = r->shape, .ns = ns, .end = *end };
	double received = now_ms();
	struct batch b;

	batch_init(&b, -1);
	if (s.kind = ADDRESS, says_gone(&s, e)) {
		put_end_settings(&b, end, false);
	} else if (s.kind = ROUTE, says_gone(&s, e) && e->protocol == RTPROT_STATIC) {
		put_route(&b, RTM_NEWROUTE, end);
	} else if (s.kind = UP, says_gone(&s, e)) {
		put_up(&b, end->index, true);
		if (end->via)
			put_route(&b, RTM_NEWROUTE, end);
		if (shape_is_campus(r->shape))
			put_nexthop(&b, end->index, shape_bridge(shape_bridge_of(ns)).address);
	} else if (s.kind = CHANGED_MTU, says_gone(&s, e)) {
		put_mtu(&b, end->index, MTU);
	} else if (s.kind = LINK, says_gone(&s, e)) {
		if (shape_has_hub(r->shape) || streq(end->name, "right"))
			fix_link(r, ns, end, &b, received);
		return;
	} else {
		return;
	}
	fix(r, s.kind, ns, &b, received);
}

/* What hosts of a campus have besides. */
static void repair_campus_host(struct repairer *r, unsigned ns, const struct event *e) {
	struct subject s = { .shape = r->shape, .ns = ns, .gateway = shape_bridge(shape_bridge_of(ns)).address };
	double received = now_ms();
	struct end ends[2];
	struct batch b;

	shape_ends(r->shape, ns, ends);
	s.end = *ends;
	batch_init(&b, -1);
	if (s.kind = RULE, says_gone(&s, e))
		put_policy_rule(&b, RTM_NEWRULE, DISTURBED_RULE);
	else if (s.kind = NEIGHBOR, says_gone(&s, e))
		put_neighbor(&b, RTM_NEWNEIGH, s.end.index, s.gateway);
	else if (s.kind = QDISC, says_gone(&s, e))
		put_qdisc(&b, RTM_NEWQDISC, s.end.index, r->shape->form);
	else if (s.kind = FILTER, says_gone(&s, e))
		put_last_filter_rule(&b);
	else
		return;
	fix(r, s.kind, ns, &b, received);
}

/* The hub's ports are recognized by their indexes; a removed port is repaired from its host's side. */
static void repair_hub(struct repairer *r, const struct event *e) {
	double received = now_ms();
	int first_port;
	char name[IF_NAME_SIZE];
	struct batch b;

	batch_init(&b, -1);
	shape_port(1, name, &first_port);
	if (is_nft(e, NFT_MSG_DELRULE)) {
		put_nat(&b, shape_bridges(r->shape));
		fix(r, NFT, 0, &b, received);
	} else if (e->type == RTM_NEWLINK && e->family == AF_UNSPEC && e->index >= first_port && !e->master &&
		   e->flags & IFF_UP) {
		put_master(&b, e->index, shape_bridge(shape_bridge_of((unsigned)(e->index - first_port) + 1)).index);
		fix(r, MASTER, 0, &b, received);
	}
}

static void repair(struct repairer *r, unsigned ns, const struct event *e) {
	struct end ends[2];

	if (shape_is_hub(r->shape, ns)) {
		repair_hub(r, e);
		return;
	}
	for (unsigned i = 0, count = shape_ends(r->shape, ns, ends); i < count; i++)
		repair_end(r, ns, &ends[i], e);
	if (shape_is_campus(r->shape))
		repair_campus_host(r, ns, e);
}

/* Far from the small ids that the kernel assigns, which namespaces that are being destroyed may still have. */
enum { FIRST_NSID = 1 << 20 };

/* The namespace's number: the nsid that assign_nsids() gave it. */
static bool nsid_of(struct msghdr *m, unsigned *ret) {
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID) {
			memcpy(ret, CMSG_DATA(c), sizeof(int));
			*ret -= FIRST_NSID;
			return true;
		}
	return false;
}

static void take_and_repair(int fd, struct repairer *r) {
	_Alignas(8) char buffer[16384], control[CMSG_SPACE(sizeof(int))];
	struct iovec io = { buffer, sizeof(buffer) };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	unsigned ns;
	ssize_t size = recvmsg(fd, &m, 0);
	int n = (int)size;

	if (size < 0 && errno != EINTR)
		die("cannot receive: %m");
	if (size <= 0 || !nsid_of(&m, &ns))
		return;
	for (const struct nlmsghdr *h = (const void *)buffer; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n)) {
		struct event e = read_event(h);
		repair(r, ns, &e);
	}
}

static void assign_nsids(const struct shape *s) {
	_cleanup_close_ int fd = wire_open(NETLINK_ROUTE);
	struct batch b;

	batch_init(&b, fd);
	for (unsigned ns = shape_first(s); ns <= s->n; ns++) {
		_cleanup_close_ int ns_fd = ns_open(s, ns);
		put_nsid(&b, ns_fd, FIRST_NSID + ns);
		batch_run(&b, "nsid");
	}
}

static int listen_to_all(enum kind kind) {
	int fd = listen_here(kind);

	if (setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &(int){ 1 }, sizeof(int)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ EVENT_BUFFER }, sizeof(int)) < 0)
		die("cannot listen to all namespaces: %m");
	return fd;
}

static void report(struct repairer *r) {
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct times *t = &r->times[kind];
		if (t->count) {
			printf("{\"verb\": \"repair\", \"kind\": \"%s\", \"count\": %zu", kind_names[kind], t->count);
			print_times("", t);
			puts("}");
		}
		times_done(t);
	}
}

int verb_repair(const struct options *o) {
	struct repairer r = { .shape = &o->shape, .hub = -1 };
	struct sigaction action = { .sa_handler = stop };

	assign_nsids(&o->shape);
	_cleanup_close_ int route = listen_to_all(LINK), nft = listen_to_all(NFT);
	if (shape_has_hub(&o->shape))
		r.hub = ns_open(&o->shape, 0);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	puts("{\"verb\": \"repair\", \"ready\": true}");
	fflush(stdout);
	while (!stopped) {
		struct pollfd p[] = { { .fd = route, .events = POLLIN }, { .fd = nft, .events = POLLIN } };
		if (poll(p, ARRAY_SIZE(p), -1) <= 0)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(p); i++)
			if (p[i].revents)
				take_and_repair(p[i].fd, &r);
	}
	closep(&r.hub);
	report(&r);
	return 0;
}
