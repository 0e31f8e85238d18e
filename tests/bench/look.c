/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scans a topology: the bare scan, and the check that a topology is complete and correct.
 *
 * The scan dumps and discards, which is the minimum for any program that wants to know the state of all namespaces. The
 * check turns both the expected state and the kernel's answers into sorted lines and prints the differences. It covers links
 * that are up, their controllers, IPv4 addresses, routes not added by the kernel, masquerade rules and forwarding, and
 * nothing else, so that it applies however the topology was made.
 */
#include "floor.h"
#include "wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/pkt_sched.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>

enum {
	VRF_MTU = 65575,         /* the kernel's default, drivers/net/vrf.c */
	KERNELS_VRF_RULE = 1000, /* priority of the rule that comes with the first VRF */
	KERNELS_RULES = 32766,   /* … and of those for the tables main and default */
};

static void count_object(const struct nlmsghdr *object _unused_, void *context) {
	++*(unsigned *)context;
}

/* Dumps chains and rules only if there is a table. */
static unsigned observe_nft(struct batch *b) {
	_cleanup_close_ int fd = wire_open(NETLINK_NETFILTER);
	unsigned objects = 0;

	batch_init(b, fd);
	put_dump_nft(b, NFT_MSG_GETTABLE);
	wire_dump(b, count_object, &objects);
	if (objects) {
		put_dump_nft(b, NFT_MSG_GETCHAIN);
		put_dump_nft(b, NFT_MSG_GETRULE);
		wire_dump(b, count_object, &objects);
	}
	return objects;
}

static unsigned observe_ns(const struct shape *s, unsigned ns) {
	_cleanup_close_ int fd = -1;
	unsigned objects = 0;
	struct batch b;

	ns_enter(s, ns);
	fd = wire_open(NETLINK_ROUTE);
	batch_init(&b, fd);
	put_dump_links(&b);
	put_dump_addresses(&b);
	put_dump_routes(&b);
	if (shape_is_campus(s))
		put_dump_campus(&b);
	wire_dump(&b, count_object, &objects);
	return objects + observe_nft(&b);
}

struct share {
	const struct shape *shape;
	unsigned first, step, objects;
};

static void *observe_share(void *context) {
	struct share *share = context;

	for (unsigned ns = share->first; ns <= share->shape->n; ns += share->step)
		share->objects += observe_ns(share->shape, ns);
	return NULL;
}

int verb_observe(const struct options *o) {
	double start = now_ms();
	unsigned objects = 0;
	_cleanup_free_ struct share *shares = xmalloc(o->threads * sizeof(*shares));
	_cleanup_free_ pthread_t *threads = xmalloc(o->threads * sizeof(*threads));

	for (unsigned t = 0; t < o->threads; t++) {
		shares[t] = (struct share){ &o->shape, shape_first(&o->shape) + t, o->threads, 0 };
		if (t && pthread_create(&threads[t], NULL, observe_share, &shares[t]) != 0)
			die("cannot start a thread");
	}
	observe_share(&shares[0]);
	for (unsigned t = 0; t < o->threads; t++) {
		if (t)
			pthread_join(threads[t], NULL);
		objects += shares[t].objects;
	}
	printf("{\"verb\": \"observe\", \"shape\": \"%s\", \"n\": %u, \"ms\": %.3f, \"objects\": %u}\n",
	       form_names[o->shape.form], o->shape.n, now_ms() - start, objects);
	return 0;
}

/* A list of lines. */
struct lines {
	char **items;
	size_t count, room;
};

static void lines_done(struct lines *l) {
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
}

static void _printf_(2, 3) add_line(struct lines *l, const char *format, ...) {
	va_list args;

	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 16;
		l->items = xrealloc(l->items, l->room * sizeof(*l->items));
	}
	va_start(args, format);
	if (vasprintf(&l->items[l->count++], format, args) < 0)
		die("out of memory");
	va_end(args);
}

static const char *dotted(uint32_t address, char text[INET_ADDRSTRLEN]) {
	uint32_t big = htonl(address);

	return inet_ntop(AF_INET, &big, text, INET_ADDRSTRLEN);
}

static void add_address(struct lines *l, const char *dev, uint32_t address, unsigned prefix) {
	char text[INET_ADDRSTRLEN];

	add_line(l, "address %s/%u on %s", dotted(address, text), prefix, dev);
}

static void add_route(struct lines *l, const char *dev, uint32_t to, unsigned prefix, uint32_t via) {
	char to_text[INET_ADDRSTRLEN], via_text[INET_ADDRSTRLEN];

	add_line(l, "route %s/%u via %s on %s", dotted(to, to_text), prefix, dotted(via, via_text), dev);
}

static void add_link(struct lines *l, const char *name, const char *master, bool up, unsigned mtu) {
	add_line(l, "link %s %s mtu %u%s%s", name, up ? "up" : "down", mtu, *master ? " port of " : "", master);
}

/* What should exist. */

static void expect_end(struct lines *l, const struct end *end, const char *master) {
	add_link(l, end->name, master, true, MTU);
	add_address(l, end->name, end->address, end->prefix);
	if (end->via)
		add_route(l, end->name, end->to, end->to_prefix, end->via);
}

static void expect_campus_hub(const struct shape *s, struct lines *l) {
	add_link(l, UPLINK_NAME, "", true, MTU);
	add_link(l, GATEWAY_NAME, "", true, MTU);
	for (unsigned k = 0; k < shape_bridges(s); k++) {
		struct bridge br = shape_bridge(k);
		add_address(l, GATEWAY_NAME, br.address, br.prefix);
	}
}

static void add_neighbor(struct lines *l, const char *dev, uint32_t address) {
	char text[INET_ADDRSTRLEN];

	add_line(l, "neighbor %s on %s", dotted(address, text), dev);
}

static void expect_campus_host(const struct shape *s, unsigned host, struct lines *l) {
	struct end end[2];

	shape_ends(s, host, end);
	expect_end(l, end, s->form == VLANS ? VRF_NAME : "");
	if (s->form == VLANS)
		add_link(l, VRF_NAME, "", true, VRF_MTU);
	for (unsigned i = 0; i < POLICY_RULES; i++)
		add_line(l, "rule %u", shape_policy_rule(i).priority);
	add_neighbor(l, end->name, shape_bridge(shape_bridge_of(host)).address);
	add_line(l, "nexthop %u", NEXTHOP_ID);
	add_line(l, "qdisc %s on %s", s->form == VLANS ? "netem" : "tbf", end->name);
	for (unsigned i = 0; s->form == CAMPUS && i < FILTER_RULES; i++)
		add_line(l, "accept");
}

static void expect_hub(const struct shape *s, struct lines *l) {
	for (unsigned k = 0; k < shape_bridges(s); k++) {
		struct bridge br = shape_bridge(k);
		add_link(l, br.name, "", true, MTU);
		add_address(l, br.name, br.address, br.prefix);
		if (s->form == STAR)
			add_line(l, "masquerade");
	}
	for (unsigned host = 1; host <= s->n; host++) {
		char port[IF_NAME_SIZE];
		int index;
		shape_port(host, port, &index);
		add_link(l, port, shape_bridge(shape_bridge_of(host)).name, true, MTU);
	}
}

static void expect(const struct shape *s, unsigned ns, struct lines *l) {
	struct end ends[2];

	add_line(l, "lo up");
	if (shape_forwards(s, ns))
		add_line(l, "forwarding");
	if (shape_lo_address(s, ns))
		add_address(l, "lo", shape_lo_address(s, ns), 32);
	if (shape_is_hub(s, ns)) {
		(s->form == CAMPUS ? expect_campus_hub : expect_hub)(s, l);
		return;
	}
	if (shape_is_campus(s)) {
		expect_campus_host(s, ns, l);
		return;
	}
	for (unsigned i = 0, count = shape_ends(s, ns, ends); i < count; i++)
		expect_end(l, &ends[i], "");
}

/* What exists. Links come first, so that the others find the names. */

struct link {
	int index, master;
	unsigned mtu;
	bool up;
	char name[IF_NAME_SIZE];
};

struct found {
	struct lines *lines;
	struct link *links;
	size_t count, room;
};

static const struct link *link_by_index(const struct found *f, int index) {
	for (size_t i = 0; i < f->count; i++)
		if (f->links[i].index == index)
			return &f->links[i];
	return NULL;
}

static const char *link_name(const struct found *f, int index) {
	const struct link *link = link_by_index(f, index);

	return link ? link->name : "";
}

static const char *attr_text(const struct nlattr *attr) {
	return mnl_attr_get_payload(attr);
}

static void find_link(const struct nlmsghdr *h, struct found *f) {
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;

	if (f->count == f->room) {
		f->room = f->room ? f->room * 2 : 8;
		f->links = xrealloc(f->links, f->room * sizeof(*f->links));
	}
	struct link *link = &f->links[f->count++];
	*link = (struct link){ .index = info->ifi_index, .up = info->ifi_flags & IFF_UP };
	mnl_attr_for_each(attr, h, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			snprintf(link->name, sizeof(link->name), "%s", attr_text(attr));
		else if (mnl_attr_get_type(attr) == IFLA_MTU)
			link->mtu = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == IFLA_MASTER)
			link->master = (int)mnl_attr_get_u32(attr);
	}
}

static void find_address(const struct nlmsghdr *h, struct found *f) {
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;
	uint32_t address = 0;

	if (info->ifa_family != AF_INET)
		return;
	mnl_attr_for_each(attr, h, sizeof(*info))
		if (mnl_attr_get_type(attr) == IFA_LOCAL)
			address = ntohl(mnl_attr_get_u32(attr));
	if (address != INADDR_LOOPBACK) /* the kernel adds it when lo comes up */
		add_address(f->lines, link_name(f, (int)info->ifa_index), address, info->ifa_prefixlen);
}

static void find_route(const struct nlmsghdr *h, struct found *f) {
	const struct rtmsg *info = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;
	uint32_t to = 0, via = 0;
	int dev = 0;

	if (info->rtm_family != AF_INET || info->rtm_table != RT_TABLE_MAIN || info->rtm_protocol == RTPROT_KERNEL)
		return;
	mnl_attr_for_each(attr, h, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == RTA_DST)
			to = ntohl(mnl_attr_get_u32(attr));
		else if (mnl_attr_get_type(attr) == RTA_GATEWAY)
			via = ntohl(mnl_attr_get_u32(attr));
		else if (mnl_attr_get_type(attr) == RTA_OIF)
			dev = (int)mnl_attr_get_u32(attr);
	}
	add_route(f->lines, link_name(f, dev), to, info->rtm_dst_len, via);
}

/* The last expression of a rule says what it does. */
static const char *action_of(const struct nlattr *element) {
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, element)
		if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME && streq(attr_text(attr), "masq"))
			return "masquerade";
		else if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME && streq(attr_text(attr), "immediate"))
			return "accept";
	return NULL;
}

static void find_rule(const struct nlmsghdr *h, struct found *f) {
	const struct nlattr *attr, *element;

	mnl_attr_for_each(attr, h, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFTA_RULE_EXPRESSIONS)
			continue;
		mnl_attr_for_each_nested(element, attr)
			if (action_of(element))
				add_line(f->lines, "%s", action_of(element));
	}
}

static void find_policy_rule(const struct nlmsghdr *h, struct found *f) {
	const struct nlattr *attr;

	mnl_attr_for_each(attr, h, sizeof(struct fib_rule_hdr)) {
		uint32_t priority = mnl_attr_get_type(attr) == FRA_PRIORITY ? mnl_attr_get_u32(attr) : 0;
		if (priority && priority != KERNELS_VRF_RULE && priority < KERNELS_RULES)
			add_line(f->lines, "rule %u", priority);
	}
}

static void find_neighbor(const struct nlmsghdr *h, struct found *f) {
	const struct ndmsg *info = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;

	if (info->ndm_family != AF_INET || !(info->ndm_state & NUD_PERMANENT))
		return;
	mnl_attr_for_each(attr, h, sizeof(*info))
		if (mnl_attr_get_type(attr) == NDA_DST)
			add_neighbor(f->lines, link_name(f, info->ndm_ifindex), ntohl(mnl_attr_get_u32(attr)));
}

static void find_nexthop(const struct nlmsghdr *h, struct found *f) {
	const struct nlattr *attr;

	mnl_attr_for_each(attr, h, sizeof(struct nhmsg))
		if (mnl_attr_get_type(attr) == NHA_ID)
			add_line(f->lines, "nexthop %u", mnl_attr_get_u32(attr));
}

/* The kernel's own have the handle 0. */
static void find_qdisc(const struct nlmsghdr *h, struct found *f) {
	const struct tcmsg *info = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;

	if (!info->tcm_handle || info->tcm_parent != TC_H_ROOT)
		return;
	mnl_attr_for_each(attr, h, sizeof(*info))
		if (mnl_attr_get_type(attr) == TCA_KIND)
			add_line(f->lines, "qdisc %s on %s", attr_text(attr), link_name(f, info->tcm_ifindex));
}

static void find_object(const struct nlmsghdr *h, void *context) {
	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
		find_link(h, context);
		break;
	case RTM_NEWADDR:
		find_address(h, context);
		break;
	case RTM_NEWROUTE:
		find_route(h, context);
		break;
	case RTM_NEWRULE:
		find_policy_rule(h, context);
		break;
	case RTM_NEWNEIGH:
		find_neighbor(h, context);
		break;
	case RTM_NEWNEXTHOP:
		find_nexthop(h, context);
		break;
	case RTM_NEWQDISC:
		find_qdisc(h, context);
		break;
	case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE:
		find_rule(h, context);
		break;
	default: /* rules of other subsystems, end marks */
		break;
	}
}

static void dump_one(struct batch *b, int fd, void (*put)(struct batch *b), struct found *f) {
	batch_init(b, fd);
	put(b);
	wire_dump(b, find_object, f);
}

static void put_dump_rules(struct batch *b) {
	put_dump_nft(b, NFT_MSG_GETRULE);
}

static void name_links(const struct found *f) {
	for (size_t i = 0; i < f->count; i++) {
		const struct link *link = &f->links[i];
		if (link->index != LO_INDEX)
			add_link(f->lines, link->name, link_name(f, link->master), link->up, link->mtu);
		else if (link->up)
			add_line(f->lines, "lo up");
	}
}

static bool forwards(void) {
	_cleanup_close_ int fd = open("/proc/sys/net/ipv4/ip_forward", O_RDONLY | O_CLOEXEC);
	char value = '0';

	return read(fd, &value, 1) == 1 && value == '1';
}

static void find(struct lines *l, bool campus) {
	_cleanup_close_ int route = wire_open(NETLINK_ROUTE), netfilter = wire_open(NETLINK_NETFILTER);
	struct found f = { .lines = l };
	struct batch b;

	dump_one(&b, route, put_dump_links, &f);
	name_links(&f);
	dump_one(&b, route, put_dump_addresses, &f);
	dump_one(&b, route, put_dump_routes, &f);
	if (campus)
		dump_one(&b, route, put_dump_campus, &f);
	dump_one(&b, netfilter, put_dump_rules, &f);
	if (forwards())
		add_line(l, "forwarding");
	free(f.links);
}

static int by_text(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_lines(struct lines *l) {
	qsort(l->items, l->count, sizeof(*l->items), by_text);
}

/* Walks both sorted lists side by side and counts the differences. */
static unsigned compare(const char *name, const struct lines *wanted, const struct lines *there) {
	unsigned differences = 0;

	for (size_t i = 0, j = 0; i < wanted->count || j < there->count;) {
		int order = i == wanted->count ? 1 : j == there->count ? -1 : strcmp(wanted->items[i], there->items[j]);
		if (order)
			fprintf(stderr, "%s: %s: %s\n", name, order < 0 ? "missing" : "unexpected",
				order < 0 ? wanted->items[i] : there->items[j]);
		differences += order != 0;
		i += order <= 0;
		j += order >= 0;
	}
	return differences;
}

static unsigned check_ns(const struct shape *s, unsigned ns, size_t *objects) {
	_cleanup_(lines_done) struct lines wanted = { 0 }, there = { 0 };
	char name[NS_NAME_SIZE];

	shape_ns_name(s, ns, name);
	ns_enter(s, ns);
	expect(s, ns, &wanted);
	find(&there, shape_is_campus(s));
	sort_lines(&wanted);
	sort_lines(&there);
	*objects += there.count;
	return compare(name, &wanted, &there);
}

int verb_check(const struct options *o) {
	unsigned differences = 0;
	size_t objects = 0;

	for (unsigned ns = shape_first(&o->shape); ns <= o->shape.n; ns++)
		differences += check_ns(&o->shape, ns, &objects);
	printf("{\"verb\": \"check\", \"shape\": \"%s\", \"n\": %u, \"objects\": %zu, \"differences\": %u}\n",
	       form_names[o->shape.form], o->shape.n, objects, differences);
	return differences ? 1 : 0;
}
