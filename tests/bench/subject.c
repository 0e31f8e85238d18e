/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recognizes the objects that are disturbed and repaired in the kernel's events; and lists of times. It sends nothing. */
#include "subject.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <time.h>

const char *const kind_names[KINDS] = { "address", "route", "up",       "mtu",   "master", "nft",
					"link",    "rule",  "neighbor", "qdisc", "filter" };

void pause_ms(double ms) {
	struct timespec t = { (time_t)(ms / 1e3), (long)(ms * 1e6) % 1000000000L };

	nanosleep(&t, NULL);
}

void times_done(struct times *t) {
	free(t->ms);
}

void add_time(struct times *t, double ms) {
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

void print_times(const char *prefix, struct times *t) {
	qsort(t->ms, t->count, sizeof(*t->ms), by_value);
	printf(", \"%smin_ms\": %.3f, \"%smedian_ms\": %.3f, \"%sp99_ms\": %.3f, \"%smax_ms\": %.3f", prefix,
	       percentile(t, 0), prefix, percentile(t, 0.5), prefix, percentile(t, 0.99), prefix, percentile(t, 1));
}

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

static void read_rule(const struct nlmsghdr *h, struct event *e) {
	const struct nlattr *attr;

	mnl_attr_for_each(attr, h, sizeof(struct fib_rule_hdr))
		if (mnl_attr_get_type(attr) == FRA_PRIORITY)
			e->priority = mnl_attr_get_u32(attr);
}

static void read_neighbor(const struct nlmsghdr *h, struct event *e) {
	const struct ndmsg *info = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;

	e->index = info->ndm_ifindex;
	e->family = info->ndm_family;
	e->state = info->ndm_state;
	mnl_attr_for_each(attr, h, sizeof(*info))
		if (mnl_attr_get_type(attr) == NDA_DST && info->ndm_family == AF_INET)
			e->address = ntohl(mnl_attr_get_u32(attr));
}

static void read_qdisc(const struct nlmsghdr *h, struct event *e) {
	const struct tcmsg *info = mnl_nlmsg_get_payload(h);

	e->index = info->tcm_ifindex;
	e->handle = info->tcm_handle;
	e->parent = info->tcm_parent;
}

struct event read_event(const struct nlmsghdr *h) {
	struct event e = { .type = h->nlmsg_type };

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
	case RTM_NEWRULE:
	case RTM_DELRULE:
		read_rule(h, &e);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		read_neighbor(h, &e);
		break;
	case RTM_NEWQDISC:
	case RTM_DELQDISC:
		read_qdisc(h, &e);
		break;
	default: /* nf_tables: the type is all */
		break;
	}
	return e;
}

bool is_nft(const struct event *e, uint16_t message) {
	return e->type == (NFNL_SUBSYS_NFTABLES << 8 | message);
}

static bool is_our_link(const struct subject *s, const struct event *e) {
	return e->type == RTM_NEWLINK && e->family == AF_UNSPEC && e->index == s->end.index;
}

static bool is_our_route(const struct subject *s, const struct event *e) {
	return e->via == s->end.via && e->to == s->end.to && e->family == AF_INET;
}

/* The kernel's own have the handle 0. */
static bool is_our_qdisc(const struct subject *s, const struct event *e) {
	return e->index == s->end.index && e->parent == TC_H_ROOT && e->handle;
}

bool says_gone(const struct subject *s, const struct event *e) {
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
	case RULE:
		return e->type == RTM_DELRULE && e->priority == shape_policy_rule(DISTURBED_RULE).priority;
	case NEIGHBOR:
		return e->type == RTM_DELNEIGH && e->address == s->gateway;
	case QDISC:
		return e->type == RTM_DELQDISC && is_our_qdisc(s, e);
	case FILTER:
		return is_nft(e, NFT_MSG_DELRULE);
	case KINDS:
		break;
	}
	return false;
}

/* What must be seen before the object counts as back, one bit each. */
enum { SEEN_IT = 1, SEEN_UP = 2, SEEN_ADDRESS = 4, SEEN_ROUTE = 8 };

unsigned bits_wanted(enum kind kind) {
	return kind == LINK ? SEEN_UP | SEEN_ADDRESS | SEEN_ROUTE : SEEN_IT;
}

/* A new link has a new index, so it is recognized by its name. */
static unsigned parts_back(const struct subject *s, const struct event *e) {
	if (e->type == RTM_NEWLINK && streq(e->name, s->end.name) && e->flags & IFF_UP)
		return SEEN_UP;
	if (e->type == RTM_NEWADDR && e->address == s->end.address)
		return SEEN_ADDRESS;
	return e->type == RTM_NEWROUTE && is_our_route(s, e) ? SEEN_ROUTE : 0;
}

unsigned bits_back(const struct subject *s, const struct event *e) {
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
	case RULE:
		return e->type == RTM_NEWRULE && e->priority == shape_policy_rule(DISTURBED_RULE).priority;
	case NEIGHBOR:
		return e->type == RTM_NEWNEIGH && e->address == s->gateway && e->state & NUD_PERMANENT;
	case QDISC:
		return e->type == RTM_NEWQDISC && is_our_qdisc(s, e);
	case FILTER:
		return is_nft(e, NFT_MSG_NEWRULE);
	case KINDS:
		break;
	}
	return 0;
}

int kind_protocol(enum kind kind) {
	return kind == NFT || kind == FILTER ? NETLINK_NETFILTER : NETLINK_ROUTE;
}

int listen_here(enum kind kind) {
	static const unsigned route_groups[] = { RTNLGRP_LINK,      RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE,
						 RTNLGRP_IPV4_RULE, RTNLGRP_NEIGH,       RTNLGRP_TC };
	static const unsigned nft_groups[] = { NFNLGRP_NFTABLES };

	return kind_protocol(kind) == NETLINK_NETFILTER ? wire_listen(NETLINK_NETFILTER, nft_groups, ARRAY_SIZE(nft_groups))
							: wire_listen(NETLINK_ROUTE, route_groups, ARRAY_SIZE(route_groups));
}
