/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes that the kernel makes by itself: how they are recognised in its messages, and how they are made again.
 *
 * address_made.c knows which of them belong to an address, link_own.c which belong to an interface.
 */
#include "kind/made_route.h"

#include <linux/rtnetlink.h>

const struct prefix made_route_link_local = { { .family = AF_INET6, .bytes = { 0xfe, 0x80 } }, 64 };
const struct prefix made_route_multicast = { { .family = AF_INET6, .bytes = { 0xff } }, 8 };

static bool is_of_interest(const struct rtmsg *rtm) {
	if (rtm->rtm_type == RTN_UNICAST)
		return rtm->rtm_table != RT_TABLE_LOCAL && rtm->rtm_family == AF_INET6 && rtm->rtm_dst_len == 64 &&
		       rtm->rtm_protocol == RTPROT_KERNEL;
	return rtm->rtm_type == RTN_LOCAL || rtm->rtm_type == RTN_BROADCAST || rtm->rtm_type == RTN_MULTICAST;
}

/* Without CONFIG_IPV6_MULTIPLE_TABLES the tables main and local are the same. */
static uint32_t table_of(const struct rtmsg *rtm, const struct nlattr *attr) {
	uint32_t table = nl_get_u32(attr, rtm->rtm_table);

	return table == RT_TABLE_MAIN || table == RT_TABLE_LOCAL ? 0 : table;
}

bool made_route_decode(const struct nlmsghdr *nlh, struct made_route *ret) {
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[RTA_TABLE + 1];

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) || rtm->rtm_flags & RTM_F_CLONED || !ip_size(rtm->rtm_family) ||
	    rtm->rtm_dst_len > ip_bits(rtm->rtm_family) || !is_of_interest(rtm))
		return false;
	nl_parse(nlh, sizeof(*rtm), tb, RTA_TABLE);
	*ret = (struct made_route){
		.to.length = rtm->rtm_dst_len,
		.type = rtm->rtm_type,
		.table = table_of(rtm, tb[RTA_TABLE]),
		.ifindex = nl_get_u32(tb[RTA_OIF], 0),
	};
	return tb[RTA_DST] &&
	       ip_from_bytes(rtm->rtm_family, mnl_attr_get_payload(tb[RTA_DST]), mnl_attr_get_payload_len(tb[RTA_DST]),
			     &ret->to.address) == 0 &&
	       (ret->type != RTN_UNICAST || prefix_equal(&ret->to, &made_route_link_local));
}

int made_route_compare(const void *a, const void *b) {
	const struct made_route *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	if (x->type != y->type)
		return x->type - y->type;
	if (x->to.length != y->to.length)
		return x->to.length - y->to.length;
	if (x->to.address.family != y->to.address.family)
		return x->to.address.family - y->to.address.family;
	return memcmp(x->to.address.bytes, y->to.address.bytes, ip_size(x->to.address.family));
}

/* Is it the entry of the address itself? Without that entry the kernel refuses routes that have the address as
 * source (fib_valid_prefsrc(), net/ipv4/fib_semantics.c). */
static bool is_of_source(const struct made_route *route) {
	return route->type == RTN_LOCAL && ip_equal(&route->to.address, &route->source) &&
	       route->to.length == ip_bits(route->source.family);
}

void made_route_add(struct arena *arena, struct made_route **list, const struct made_route *route) {
	struct made_route *copy = arena_memdup(arena, route, sizeof(*route));

	while (*list && is_of_source(*list) && !is_of_source(route))
		list = &(*list)->next;
	copy->next = *list;
	*list = copy;
}

/* As fib_magic() (net/ipv4/fib_frontend.c), addrconf_prefix_route() and addrconf_add_mroute() (net/ipv6/addrconf.c)
 * do, beside the routes of other interfaces. */
void made_route_put(struct nl_writer *w, const struct made_route *route, uint32_t index) {
	struct rtmsg *rtm = nl_begin(w, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, sizeof(*rtm));
	const struct ip *to = &route->to.address;
	bool ipv4 = to->family == AF_INET;

	rtm->rtm_family = to->family;
	rtm->rtm_dst_len = route->to.length;
	rtm->rtm_protocol = RTPROT_KERNEL;
	rtm->rtm_scope = !ipv4 ? RT_SCOPE_UNIVERSE : route->type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_LINK;
	rtm->rtm_type = route->type;
	nl_put_u32(w, RTA_TABLE, route->table ? route->table : route->type == RTN_UNICAST ? RT_TABLE_MAIN : RT_TABLE_LOCAL);
	nl_put(w, RTA_DST, to->bytes, ip_size(to->family));
	nl_put_u32(w, RTA_OIF, index);
	if (ipv4)
		nl_put(w, RTA_PREFSRC, route->source.bytes, ip_size(AF_INET));
	else
		nl_put_u32(w, RTA_PRIORITY, ADDRESS_IPV6_METRIC);
}
