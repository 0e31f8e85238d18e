/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes and removes a topology with the least known work for the kernel.
 *
 * A namespace takes one send: a veth pair appears in both namespaces with its final names and chosen interface indexes, so
 * its addresses and routes can follow in the same datagram. All namespaces are created first: once there are links, the
 * kernel does its delayed work for them in between, which costs more than entering a namespace again.
 *
 * A star's bridge stays down until its last port exists: a bridge that is up floods the IPv6 multicast of every new port to
 * all others, which makes the build of 1000 hosts three times as long.
 *
 * Removing is only unmounting: the kernel then destroys namespaces without a name by itself, many per RCU grace period,
 * whereas deleting links first would take one grace period per link. Each umount also waits for an expedited grace period:
 * microseconds while the other CPUs are idle, a third of a millisecond while they destroy the first namespaces. So
 * descriptors hold all of them until the last name is gone.
 */
#include "floor.h"
#include "wire.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define NETNS_DIR "/run/netns"

enum { NAMESPACES_PER_PROC = 64 };

static void ns_path(const struct shape *s, unsigned ns, char path[64]) {
	char name[NS_NAME_SIZE];

	shape_ns_name(s, ns, name);
	snprintf(path, 64, NETNS_DIR "/%s", name);
}

int ns_open(const struct shape *s, unsigned ns) {
	char path[64];

	ns_path(s, ns, path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s: %m", path);
	return fd;
}

void ns_enter(const struct shape *s, unsigned ns) {
	_cleanup_close_ int fd = ns_open(s, ns);

	if (setns(fd, CLONE_NEWNET) < 0)
		die("setns: %m");
}

/* As iproute2 does: the directory is a shared mount, so that other mount namespaces see the names. */
static void prepare_netns_dir(void) {
	if (mkdir(NETNS_DIR, 0755) < 0 && errno != EEXIST)
		die(NETNS_DIR ": %m");
	if (mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
		return;
	if (errno != EINVAL || mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, NULL) < 0 ||
	    mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) < 0)
		die("cannot share " NETNS_DIR ": %m");
}

/* Makes the namespace, gives it its name, and leaves the calling thread in it. */
static void ns_add(const struct shape *s, unsigned ns) {
	char path[64];

	ns_path(s, ns, path);
	int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	if (fd < 0)
		die("%s: %m", path);
	close(fd);
	if (unshare(CLONE_NEWNET) < 0)
		die("unshare: %m");
	if (mount("/proc/self/ns/net", path, "none", MS_BIND, NULL) < 0)
		die("%s: %m", path);
}

/*
 * /proc/sys keeps an entry per namespace under the same name in the same directory: all of them share one hash
 * chain, and every look-up walks it. A private procfs instance, discarded after some namespaces, keeps that chain short. It
 * is detached, and ends when it is closed.
 */
struct private_proc {
	int fd; /* -1: none */
	unsigned used;
};

static int open_private_proc(void) {
	_cleanup_close_ int context = (int)syscall(SYS_fsopen, "proc", 1 /* FSOPEN_CLOEXEC */);

	if (context < 0 || syscall(SYS_fsconfig, context, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) < 0)
		return -1;
	return (int)syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, 0);
}

static void enable_forwarding(struct private_proc *proc) {
	if (proc->used++ % NAMESPACES_PER_PROC == 0) {
		closep(&proc->fd);
		proc->fd = open_private_proc();
	}
	_cleanup_close_ int fd = proc->fd < 0 ? open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC)
					      : openat(proc->fd, "sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		die("ip_forward: %m");
}

static void close_proc(struct private_proc *proc) {
	closep(&proc->fd);
}

void put_end_settings(struct batch *b, const struct end *end, bool up) {
	if (up)
		put_up(b, end->index, true);
	put_address(b, RTM_NEWADDR, end->index, end->address, end->prefix);
	if (end->via)
		put_route(b, RTM_NEWROUTE, end);
}

static void build_nat(const struct shape *s) {
	_cleanup_close_ int fd = wire_open(NETLINK_NETFILTER);
	struct batch b;

	batch_init(&b, fd);
	put_nat(&b, shape_bridges(s));
	batch_run(&b, "nat");
}

/* Leaves the bridges down, so that they neither learn nor flood while ports are added. */
static void build_hub(const struct shape *s, struct private_proc *proc, struct batch *b) {
	ns_add(s, 0);
	enable_forwarding(proc);
	build_nat(s);
	batch_init(b, wire_open(NETLINK_ROUTE));
	put_up(b, LO_INDEX, true);
	for (unsigned k = 0; k < shape_bridges(s); k++) {
		struct bridge br = shape_bridge(k);
		put_bridge(b, &br);
		put_address(b, RTM_NEWADDR, br.index, br.address, br.prefix);
	}
	batch_run(b, "hub");
}

static void raise_bridges(const struct shape *s, struct batch *b) {
	for (unsigned k = 0; k < shape_bridges(s); k++)
		put_up(b, shape_bridge(k).index, true);
	batch_run(b, "bridges");
}

static void build_host(const struct shape *s, unsigned host, int hub) {
	_cleanup_close_ int fd = -1;
	char port[IF_NAME_SIZE];
	struct veth_end here = { .ns_fd = -1 }, there = { .name = port, .ns_fd = hub, .up = true };
	struct end end[2];
	struct batch b;

	ns_enter(s, host);
	fd = wire_open(NETLINK_ROUTE);
	batch_init(&b, fd);
	shape_ends(s, host, end);
	here.name = end->name;
	here.index = end->index;
	shape_port(host, port, &there.index);
	there.master = shape_bridge(shape_bridge_of(host)).index;
	put_up(&b, LO_INDEX, true);
	put_veth(&b, &there, &here, s->queues);
	put_end_settings(&b, end, true);
	batch_run(&b, "host");
}

static void build_star(const struct shape *s) {
	_cleanup_(close_proc) struct private_proc proc = { .fd = -1 };
	struct batch hub;

	build_hub(s, &proc, &hub);
	_cleanup_close_ int hub_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	for (unsigned host = 1; host <= s->n; host++)
		ns_add(s, host);
	for (unsigned host = 1; host <= s->n; host++)
		build_host(s, host, hub_ns);
	raise_bridges(s, &hub);
	close(hub.fd);
}

/* Requests for many namespaces are sent together from the hub, whose links they are about. */
enum { HOSTS_PER_BATCH = 32 };

static void build_campus_hub(const struct shape *s, struct batch *hub) {
	struct veth_end uplink = { .name = UPLINK_NAME, .index = UPLINK_INDEX, .ns_fd = -1, .up = true };
	struct veth_end gateway = { .name = GATEWAY_NAME, .index = GATEWAY_INDEX, .ns_fd = -1 };

	ns_add(s, 0);
	batch_init(hub, wire_open(NETLINK_ROUTE));
	put_up(hub, LO_INDEX, true);
	if (s->form == CAMPUS) {
		put_veth(hub, &uplink, &gateway, s->queues);
		put_up(hub, GATEWAY_INDEX, true);
	}
	for (unsigned k = 0; k < shape_bridges(s); k++) {
		struct bridge br = shape_bridge(k);
		if (s->form == VLANS)
			put_filtering_bridge(hub, &br);
		put_address(hub, RTM_NEWADDR, s->form == VLANS ? br.index : GATEWAY_INDEX, br.address, br.prefix);
	}
	batch_run(hub, "hub");
}

/* The links of some hosts, from the hub. */
static void build_macvlans(const struct shape *s, unsigned first, unsigned last, struct batch *hub) {
	int fds[HOSTS_PER_BATCH];

	for (unsigned host = first; host <= last; host++) {
		struct end end[2];
		shape_ends(s, host, end);
		fds[host - first] = ns_open(s, host);
		put_macvlan(hub, &(struct veth_end){ .name = end->name, .index = end->index, .ns_fd = fds[host - first] },
			    UPLINK_INDEX);
	}
	batch_run(hub, "macvlans");
	for (unsigned host = first; host <= last; host++)
		close(fds[host - first]);
}

static void build_port_vlans(const struct shape *s _unused_, unsigned first, unsigned last, struct batch *hub) {
	for (unsigned host = first; host <= last; host++) {
		char name[IF_NAME_SIZE];
		int port;
		shape_port(host, name, &port);
		put_vlan(hub, port, shape_vlan(host));
	}
	batch_run(hub, "VLANs");
}

static void for_hosts(const struct shape *s, struct batch *hub,
		      void (*build)(const struct shape *s, unsigned first, unsigned last, struct batch *hub)) {
	for (unsigned first = 1; first <= s->n; first += HOSTS_PER_BATCH)
		build(s, first, MIN(first + HOSTS_PER_BATCH - 1, s->n), hub);
}

static void put_host_in_vrf(const struct shape *s, unsigned host, const struct end *end, int hub, struct batch *b) {
	char port[IF_NAME_SIZE];
	struct veth_end here = { .name = end->name, .index = end->index, .ns_fd = -1 };
	struct veth_end there = {
		.name = port, .ns_fd = hub, .up = true, .master = shape_bridge(shape_bridge_of(host)).index
	};

	shape_port(host, port, &there.index);
	put_veth(b, &there, &here, s->queues);
	put_vrf(b, VRF_INDEX, VRF_NAME, VRF_TABLE);
	put_master(b, end->index, VRF_INDEX);
}

static void build_campus_host(const struct shape *s, unsigned host, int hub) {
	uint32_t gateway = shape_bridge(shape_bridge_of(host)).address;
	_cleanup_close_ int route = -1, nft = -1;
	struct end end[2];
	struct batch b;

	ns_enter(s, host);
	batch_init(&b, route = wire_open(NETLINK_ROUTE));
	shape_ends(s, host, end);
	put_up(&b, LO_INDEX, true);
	if (s->form == VLANS)
		put_host_in_vrf(s, host, end, hub, &b);
	put_end_settings(&b, end, true);
	for (unsigned i = 0; i < POLICY_RULES; i++)
		put_policy_rule(&b, RTM_NEWRULE, i);
	put_neighbor(&b, RTM_NEWNEIGH, end->index, gateway);
	put_nexthop(&b, end->index, gateway);
	put_qdisc(&b, RTM_NEWQDISC, end->index, s->form);
	batch_run(&b, "host");
	if (s->form == VLANS) /* User-Mode Linux has no filter chains of family inet */
		return;
	batch_init(&b, nft = wire_open(NETLINK_NETFILTER));
	put_filter(&b);
	batch_run(&b, "filter");
}

static void build_campus(const struct shape *s) {
	struct batch hub;

	build_campus_hub(s, &hub);
	_cleanup_close_ int hub_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	for (unsigned host = 1; host <= s->n; host++)
		ns_add(s, host);
	if (s->form == CAMPUS)
		for_hosts(s, &hub, build_macvlans);
	for (unsigned host = 1; host <= s->n; host++)
		build_campus_host(s, host, hub_ns);
	if (s->form == VLANS) {
		for_hosts(s, &hub, build_port_vlans);
		raise_bridges(s, &hub);
	}
	close(hub.fd);
}

/* A router, and its link to the right neighbour, if it has one. */
static void build_router(const struct shape *s, unsigned router) {
	_cleanup_close_ int fd = -1, next_ns = -1;
	struct end ends[2];
	unsigned count = shape_ends(s, router, ends);
	struct batch b;

	ns_enter(s, router);
	fd = wire_open(NETLINK_ROUTE);
	batch_init(&b, fd);
	put_up(&b, LO_INDEX, true);
	if (shape_lo_address(s, router))
		put_address(&b, RTM_NEWADDR, LO_INDEX, shape_lo_address(s, router), 32);
	if (router > 1)
		put_end_settings(&b, &ends[0], true);
	if (router < s->n) {
		next_ns = ns_open(s, router + 1);
		struct veth_end here = { .name = "right", .index = 3, .ns_fd = -1, .up = true };
		struct veth_end there = { .name = "left", .index = 2, .ns_fd = next_ns };
		put_veth(&b, &here, &there, s->queues);
		put_end_settings(&b, &ends[count - 1], false);
	}
	batch_run(&b, "router");
}

static void build_chain(const struct shape *s) {
	_cleanup_(close_proc) struct private_proc proc = { .fd = -1 };

	for (unsigned router = 1; router <= s->n; router++) {
		ns_add(s, router);
		enable_forwarding(&proc);
	}
	for (unsigned router = 1; router <= s->n; router++)
		build_router(s, router);
}

static void report(const char *verb, const struct options *o, double ms) {
	printf("{\"verb\": \"%s\", \"shape\": \"%s\", \"n\": %u, \"ms\": %.3f}\n", verb, form_names[o->shape.form],
	       o->shape.n, ms);
}

int verb_build(const struct options *o) {
	double start = now_ms();

	prepare_netns_dir();
	if (shape_is_campus(&o->shape))
		build_campus(&o->shape);
	else if (shape_has_hub(&o->shape))
		build_star(&o->shape);
	else
		build_chain(&o->shape);
	report("build", o, now_ms() - start);
	return 0;
}

/* One thread's share of the removal: every step-th namespace. */
struct share {
	const struct shape *shape;
	unsigned first, step;
};

static void *remove_share(void *context) {
	const struct share *share = context;

	for (unsigned ns = share->first; ns <= share->shape->n; ns += share->step) {
		char path[64];
		ns_path(share->shape, ns, path);
		if (umount2(path, MNT_DETACH) < 0 || unlink(path) < 0)
			die("%s: %m", path);
	}
	return NULL;
}

/* One descriptor for each namespace, by number. The caller frees. */
static int *hold_all(const struct shape *s) {
	int *held = xmalloc((s->n + 1) * sizeof(*held));

	for (unsigned ns = shape_first(s); ns <= s->n; ns++)
		held[ns] = ns_open(s, ns);
	return held;
}

static void let_go(const struct shape *s, const int *held) {
	for (unsigned ns = shape_first(s); ns <= s->n; ns++)
		close(held[ns]);
}

/* With threads the waits for grace periods overlap; whether that is faster depends on idle CPUs, so it is an option. */
int verb_down(const struct options *o) {
	double start = now_ms();
	_cleanup_free_ struct share *shares = xmalloc(o->threads * sizeof(*shares));
	_cleanup_free_ pthread_t *threads = xmalloc(o->threads * sizeof(*threads));
	_cleanup_free_ int *held = hold_all(&o->shape);

	for (unsigned t = 0; t < o->threads; t++) {
		shares[t] = (struct share){ &o->shape, shape_first(&o->shape) + t, o->threads };
		if (t && pthread_create(&threads[t], NULL, remove_share, &shares[t]) != 0)
			die("cannot start a thread");
	}
	remove_share(&shares[0]);
	for (unsigned t = 1; t < o->threads; t++)
		pthread_join(threads[t], NULL);
	let_go(&o->shape, held);
	report("down", o, now_ms() - start);
	return 0;
}

/* Waits until a namespace that is dropped now is destroyed: then the other end of its veth disappears from ours. */
static void drop_one_and_wait(int ours) {
	_cleanup_close_ int requests = wire_open(NETLINK_ROUTE);
	_cleanup_close_ int events = wire_listen(NETLINK_ROUTE, (const unsigned[]){ RTNLGRP_LINK }, 1);
	struct veth_end here = { .name = "here", .index = 2, .ns_fd = -1 };
	struct veth_end there = { .name = "there", .index = 2 };
	_Alignas(8) char buffer[8192];
	struct batch b;

	if (unshare(CLONE_NEWNET) < 0)
		die("unshare: %m");
	there.ns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	batch_init(&b, requests);
	put_veth(&b, &here, &there, 1);
	batch_run(&b, "sentinel");
	close(there.ns_fd);
	if (setns(ours, CLONE_NEWNET) < 0)
		die("setns: %m");
	do {
		if (recv(events, buffer, sizeof(buffer), 0) < 0)
			die("cannot receive: %m");
	} while (((struct nlmsghdr *)(void *)buffer)->nlmsg_type != RTM_DELLINK);
}

/*
 * Waits until the kernel has destroyed every namespace that was dropped before. It does so in batches, in one ordered work
 * queue: when a first sentinel is gone, everything dropped before it is in the same batch or an earlier one, and the second
 * sentinel cannot be destroyed before that batch is done.
 */
int verb_settle(const struct options *o) {
	double start = now_ms();

	if (unshare(CLONE_NEWNET) < 0)
		die("unshare: %m");
	_cleanup_close_ int ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	drop_one_and_wait(ours);
	drop_one_and_wait(ours);
	report("settle", o, now_ms() - start);
	return 0;
}
