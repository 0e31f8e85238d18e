/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disturbing a topology, and the bare "receive event, send the fix" loop that topod's repairs are compared
 * with.
 *
 * `drift` deletes something, then listens in the namespace itself until the thing was reported gone and
 * reported back; it does not care who put it back. Its figures are the outside view: from just before the
 * deletion was sent, and (`after_…`) from its acknowledgement, which is when the event has just left. A link's
 * deletion is acknowledged only after grace periods, when it may be back already: there a second thread sends,
 * and `after_…` counts from the event.
 *
 * `repair` hears all namespaces with two sockets, as a daemon would, and knows without looking what each
 * event means: no model, no second look, a request socket opened when needed. It cannot be wrong about the
 * floor's own topology, and about nothing else could it be right.
 */
#include "floor.h"
#include "wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

enum { PATIENCE_MS = 5000, EVENT_BUFFER = 8 * 1024 * 1024 };

enum kind { ADDRESS, ROUTE, UP, CHANGED_MTU, MASTER, NFT, LINK, KINDS };

static const char *const kind_names[KINDS] = {"address", "route", "up", "mtu", "master", "nft", "link"};

/* What is disturbed: one end, or the hub's end of a host's link. */
struct subject {
	const struct shape *shape;
	enum kind kind;
	unsigned ns;
	struct end end;
	int master;
};

/* A run of latencies. */
struct times {
	double *ms;
	size_t count, room;
};

static void times_done(struct times *t) {
	free(t->ms);
}

static void add_time(struct times *t, double ms) {
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->ms = xrealloc(t->ms, t->room * sizeof(*t->ms));
	}
	t->ms[t->count++] = ms;
}

static int by_value(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double percentile(const struct times *t, double share) {
	return t->count ? t->ms[(size_t)(share * (double)(t->count - 1) + 0.5)] : 0;
}

static void print_times(const char *prefix, struct times *t) {
	qsort(t->ms, t->count, sizeof(*t->ms), by_value);
	printf(", \"%smedian_ms\": %.3f, \"%sp99_ms\": %.3f, \"%smax_ms\": %.3f", prefix, percentile(t, 0.5),
	       prefix, percentile(t, 0.99), prefix, percentile(t, 1));
}

/* An event, reduced to what the subjects differ in. */
struct event {
	uint16_t type;
	int index, master;
	uint8_t family, protocol;
	uint32_t mtu, flags;
	uint32_t address, to, via;
	char name[IF_NAME_SIZE];
};

static void read_link(const struct nlmsghdr *h, struct event *e) {
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;

	e->index = info->ifi_index;
	e->family = info->ifi_family;
	e->flags = info->ifi_flags;
	mnl_attr_for_each(attr, h, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == IFLA_MTU)
			e->mtu = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == IFLA_MASTER)
			e->master = (int)mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			snprintf(e->name, sizeof(e->name), "%s", (const char *)mnl_attr_get_payload(attr));
	}
}

static void read_address(const struct nlmsghdr *h, struct event *e) {
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;

	e->index = (int)info->ifa_index;
	e->family = info->ifa_family;
	mnl_attr_for_each(attr, h, sizeof(*info))
		if (mnl_attr_get_type(attr) == IFA_LOCAL && info->ifa_family == AF_INET)
			e->address = ntohl(mnl_attr_get_u32(attr));
}

static void read_route(const struct nlmsghdr *h, struct event *e) {
	const struct rtmsg *info = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;

	e->family = info->rtm_family;
	e->protocol = info->rtm_protocol;
	if (info->rtm_family != AF_INET)
		return;
	mnl_attr_for_each(attr, h, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == RTA_DST)
			e->to = ntohl(mnl_attr_get_u32(attr));
		else if (mnl_attr_get_type(attr) == RTA_GATEWAY)
			e->via = ntohl(mnl_attr_get_u32(attr));
		else if (mnl_attr_get_type(attr) == RTA_OIF)
			e->index = (int)mnl_attr_get_u32(attr);
	}
}

static struct event read_event(const struct nlmsghdr *h) {
	struct event e = {.type = h->nlmsg_type};

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		read_link(h, &e);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		read_address(h, &e);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		read_route(h, &e);
		break;
	default: /* nf_tables: the type is all */
		break;
	}
	return e;
}

static bool is_nft(const struct event *e, uint16_t message) {
	return e->type == (NFNL_SUBSYS_NFTABLES << 8 | message);
}

static bool is_our_link(const struct subject *s, const struct event *e) {
	return e->type == RTM_NEWLINK && e->family == AF_UNSPEC && e->index == s->end.index;
}

static bool is_our_route(const struct subject *s, const struct event *e) {
	return e->via == s->end.via && e->to == s->end.to && e->family == AF_INET;
}

static bool says_gone(const struct subject *s, const struct event *e) {
	switch (s->kind) {
	case ADDRESS:
		return e->type == RTM_DELADDR && e->address == s->end.address;
	case ROUTE:
		return e->type == RTM_DELROUTE && is_our_route(s, e);
	case UP:
		return is_our_link(s, e) && !(e->flags & IFF_UP);
	case CHANGED_MTU:
		return is_our_link(s, e) && e->mtu != MTU;
	case MASTER:
		return is_our_link(s, e) && !e->master;
	case LINK:
		return e->type == RTM_DELLINK && e->family == AF_UNSPEC && e->index == s->end.index;
	case NFT:
		return is_nft(e, NFT_MSG_DELRULE) || is_nft(e, NFT_MSG_DELTABLE);
	case KINDS:
		break;
	}
	return false;
}

/* What must be seen before the thing counts as back, one bit each. */
enum { SEEN_IT = 1, SEEN_UP = 2, SEEN_ADDRESS = 4, SEEN_ROUTE = 8 };

static unsigned bits_wanted(enum kind kind) {
	return kind == LINK ? SEEN_UP | SEEN_ADDRESS | SEEN_ROUTE : SEEN_IT;
}

/* A new link has a new index: only its name tells. */
static unsigned parts_back(const struct subject *s, const struct event *e) {
	if (e->type == RTM_NEWLINK && streq(e->name, s->end.name) && e->flags & IFF_UP)
		return SEEN_UP;
	if (e->type == RTM_NEWADDR && e->address == s->end.address)
		return SEEN_ADDRESS;
	return e->type == RTM_NEWROUTE && is_our_route(s, e) ? SEEN_ROUTE : 0;
}

static unsigned bits_back(const struct subject *s, const struct event *e) {
	switch (s->kind) {
	case ADDRESS:
		return e->type == RTM_NEWADDR && e->address == s->end.address;
	case ROUTE:
		return e->type == RTM_NEWROUTE && is_our_route(s, e);
	case UP:
		return is_our_link(s, e) && e->flags & IFF_UP;
	case CHANGED_MTU:
		return is_our_link(s, e) && e->mtu == MTU;
	case MASTER:
		return is_our_link(s, e) && e->master == s->master;
	case NFT:
		return is_nft(e, NFT_MSG_NEWRULE);
	case LINK:
		return parts_back(s, e);
	case KINDS:
		break;
	}
	return 0;
}

/* drift */

static int listen_here(enum kind kind) {
	static const unsigned route_groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE};
	static const unsigned nft_groups[] = {NFNLGRP_NFTABLES};

	return kind == NFT ? wire_listen(NETLINK_NETFILTER, nft_groups, ARRAY_SIZE(nft_groups))
	                   : wire_listen(NETLINK_ROUTE, route_groups, ARRAY_SIZE(route_groups));
}

static void put_flush(const struct nlmsghdr *table, void *context) {
	const struct nfgenmsg *info = mnl_nlmsg_get_payload(table);
	const struct nlattr *attr;

	mnl_attr_for_each(attr, table, sizeof(*info))
		if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME)
			put_nat_flush(context, info->nfgen_family, mnl_attr_get_payload(attr));
}

/* The table's name is its owner's choice, so it is looked up, before the clock starts. */
static void put_flushes(struct batch *b) {
	_cleanup_close_ int fd = wire_open(NETLINK_NETFILTER);
	struct batch dump;

	batch_init(&dump, fd);
	put_dump_nft(&dump, NFT_MSG_GETTABLE);
	wire_dump(&dump, put_flush, b);
}

static void put_disturbance(struct batch *b, const struct subject *s) {
	switch (s->kind) {
	case ADDRESS:
		put_address(b, RTM_DELADDR, s->end.index, s->end.address, s->end.prefix);
		break;
	case ROUTE:
		put_route(b, RTM_DELROUTE, &s->end);
		break;
	case UP:
		put_up(b, s->end.index, false);
		break;
	case CHANGED_MTU:
		put_mtu(b, s->end.index, MTU - 100);
		break;
	case MASTER:
		put_master(b, s->end.index, 0);
		break;
	case LINK:
		put_link_delete(b, s->end.index);
		break;
	case NFT:
		put_flushes(b);
		break;
	case KINDS:
		break;
	}
}

/* When the thing was seen to go, and which of its parts have come back since. */
struct watch {
	double gone;
	unsigned seen;
};

/* Is it back? Reads one datagram. */
static bool take_events(int fd, const struct subject *s, struct watch *w) {
	_Alignas(8) char buffer[16384];
	ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
	int n = (int)MAX(size, 0);

	if (size < 0 && errno != ENOBUFS && errno != EINTR)
		die("cannot receive: %m");
	for (const struct nlmsghdr *h = (const void *)buffer; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n)) {
		struct event e = read_event(h);
		if (says_gone(s, &e))
			w->gone = now_ms();
		else if (w->gone)
			w->seen |= bits_back(s, &e);
	}
	return (w->seen & bits_wanted(s->kind)) == bits_wanted(s->kind);
}

/* The moment it was back; 0 where nobody put it back. */
static double wait_until_back(int fd, const struct subject *s, struct watch *w) {
	double deadline = now_ms() + PATIENCE_MS;

	for (double left; (left = deadline - now_ms()) > 0;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (poll(&p, 1, (int)left + 1) > 0 && take_events(fd, s, w))
			return now_ms();
	}
	return 0;
}

static void *send_disturbance(void *batch) {
	batch_run(batch, "disturbance");
	return NULL;
}

struct outcome {
	struct times whole, after;
	unsigned lost;
};

static void note(struct outcome *out, double start, double gone, double back) {
	if (!back) {
		out->lost++;
		return;
	}
	add_time(&out->whole, back - start);
	add_time(&out->after, MAX(back - gone, 0.0));
}

static void disturb_and_wait(const struct subject *s, struct batch *b, int events, struct outcome *out) {
	struct watch w = {0};
	double start = now_ms();

	send_disturbance(b);
	double done = now_ms();
	note(out, start, done, wait_until_back(events, s, &w));
}

static void wait_while_disturbing(const struct subject *s, struct batch *b, int events, struct outcome *out) {
	struct watch w = {0};
	pthread_t sender;
	double start = now_ms();

	if (pthread_create(&sender, NULL, send_disturbance, b) != 0)
		die("cannot start a thread");
	double back = wait_until_back(events, s, &w);
	pthread_join(sender, NULL);
	note(out, start, w.gone, back);
}

static void disturb(const struct subject *s, struct outcome *out) {
	_cleanup_close_ int events = listen_here(s->kind);
	_cleanup_close_ int fd = wire_open(s->kind == NFT ? NETLINK_NETFILTER : NETLINK_ROUTE);
	struct batch b;

	batch_init(&b, fd);
	put_disturbance(&b, s);
	if (s->kind == LINK)
		wait_while_disturbing(s, &b, events, out);
	else
		disturb_and_wait(s, &b, events, out);
}

static int index_of(const char *name) {
	unsigned index = if_nametoindex(name);

	if (!index)
		die("%s is not there", name);
	return (int)index;
}

/* Enters the subject's namespace and looks up its indexes, which are its builder's choice. */
static struct subject enter_subject(const struct options *o, enum kind kind, unsigned number) {
	struct subject s = {.shape = &o->shape, .kind = kind, .ns = number};
	struct end ends[2];
	int unused;

	s.end = ends[shape_ends(&o->shape, number, ends) - 1];
	if (kind == MASTER || kind == NFT)
		s.ns = 0;
	if (kind == MASTER)
		shape_port(number, s.end.name, &unused);
	ns_enter(&o->shape, s.ns);
	if (kind == MASTER)
		s.master = index_of(shape_bridge(shape_bridge_of(number)).name);
	if (kind != NFT)
		s.end.index = index_of(s.end.name);
	return s;
}

static void pause_ms(double ms) {
	struct timespec t = {(time_t)(ms / 1e3), (long)(ms * 1e6) % 1000000000L};

	nanosleep(&t, NULL);
}

static bool parse_kind(const struct options *o, enum kind *ret) {
	for (unsigned kind = 0; kind < KINDS; kind++)
		if (streq(o->kind, kind_names[kind])) {
			*ret = kind;
			return o->shape.star || (kind != MASTER && kind != NFT);
		}
	return false;
}

static void outcome_done(struct outcome *out) {
	times_done(&out->whole);
	times_done(&out->after);
}

int verb_drift(const struct options *o) {
	_cleanup_(outcome_done) struct outcome out = {0};
	enum kind kind;

	if (!parse_kind(o, &kind)) {
		fprintf(stderr, "floor: no such kind of drift here: %s\n", o->kind);
		return 64;
	}
	/* Every time another namespace, far from the last, so that nobody sees a fight over one of them. */
	unsigned subjects = o->shape.star ? o->shape.n : o->shape.n - 1;
	unsigned stride = subjects / 2 + subjects / 8 + 1;
	for (unsigned i = 0; i < o->count; i++) {
		struct subject s = enter_subject(o, kind, 1 + i * stride % subjects);
		disturb(&s, &out);
		pause_ms(o->pause_ms);
	}
	printf("{\"verb\": \"drift\", \"shape\": \"%s\", \"n\": %u, \"kind\": \"%s\", \"count\": %zu, \"lost\": %u",
	       o->shape.star ? "star" : "chain", o->shape.n, o->kind, out.whole.count, out.lost);
	print_times("", &out.whole);
	print_times("after_", &out.after);
	puts("}");
	return out.lost ? 1 : 0;
}

/* repair */

static volatile sig_atomic_t stopped;

static void stop(int signal _unused_) {
	stopped = 1;
}

struct repairer {
	const struct shape *shape;
	int hub; /* a star's hub, for new links */
	struct times times[KINDS];
};

/* Sends the fix for what was seen in a namespace; -ENODEV and the like only say that it has changed again. */
static void fix(struct repairer *r, enum kind kind, unsigned ns, struct batch *b, double received) {
	ns_enter(r->shape, ns);
	_cleanup_close_ int fd = wire_open(kind == NFT ? NETLINK_NETFILTER : NETLINK_ROUTE);

	b->fd = fd;
	if (batch_try(b) == 0)
		add_time(&r->times[kind], now_ms() - received);
}

static void fix_link(struct repairer *r, unsigned ns, const struct end *end, struct batch *b, double received) {
	char port[IF_NAME_SIZE];
	struct veth_end here = {.name = end->name, .index = end->index, .ns_fd = -1};
	struct veth_end there = {.name = port, .ns_fd = r->hub, .up = true};
	_cleanup_close_ int next = -1;
	struct end ends[2];

	if (r->shape->star) {
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
	if (r->shape->star)
		return;
	batch_init(b, -1);
	put_end_settings(b, &ends[0], false);
	ns_enter(r->shape, ns + 1);
	_cleanup_close_ int fd = b->fd = wire_open(NETLINK_ROUTE);
	batch_try(b);
}

/* An address takes its interface's routes with it when it was the last, silently; so does a link that goes down. */
static void repair_end(struct repairer *r, unsigned ns, const struct end *end, const struct event *e) {
	struct subject s = {.shape = r->shape, .ns = ns, .end = *end};
	double received = now_ms();
	struct batch b;

	batch_init(&b, -1);
	if (s.kind = ADDRESS, says_gone(&s, e)) {
		put_end_settings(&b, end, false);
	} else if (s.kind = ROUTE, says_gone(&s, e) && e->protocol == RTPROT_STATIC) {
		put_route(&b, RTM_NEWROUTE, end);
	} else if (s.kind = UP, says_gone(&s, e)) {
		put_up(&b, end->index, true);
		put_route(&b, RTM_NEWROUTE, end);
	} else if (s.kind = CHANGED_MTU, says_gone(&s, e)) {
		put_mtu(&b, end->index, MTU);
	} else if (s.kind = LINK, says_gone(&s, e)) {
		if (r->shape->star || streq(end->name, "right"))
			fix_link(r, ns, end, &b, received);
		return;
	} else {
		return;
	}
	fix(r, s.kind, ns, &b, received);
}

/* The hub's ports are told by their index; a port's own removal is repaired from its host's side. */
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
}

/* Far from the small ids that the kernel hands out, which namespaces still being torn down may hold. */
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
	struct iovec io = {buffer, sizeof(buffer)};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
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

	if (setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &(int){1}, sizeof(int)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){EVENT_BUFFER}, sizeof(int)) < 0)
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
	struct repairer r = {.shape = &o->shape, .hub = -1};
	struct sigaction action = {.sa_handler = stop};

	assign_nsids(&o->shape);
	_cleanup_close_ int route = listen_to_all(LINK), nft = listen_to_all(NFT);
	if (o->shape.star)
		r.hub = ns_open(&o->shape, 0);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	puts("{\"verb\": \"repair\", \"ready\": true}");
	fflush(stdout);
	while (!stopped) {
		struct pollfd p[] = {{.fd = route, .events = POLLIN}, {.fd = nft, .events = POLLIN}};
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
