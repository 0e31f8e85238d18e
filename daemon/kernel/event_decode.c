/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only what an event is about is read, never what it says of it. What is not understood, or was cut off before that, is
 * a hint at the whole namespace.
 */
#include "kernel/event_decode.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/net_namespace.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#include "net/nl_message.h"

/* The message as far as it was received. */
struct event {
	const struct nlmsghdr *message;
	bool cut;
};

static const void *fixed_part(const struct event *event, size_t size) {
	return mnl_nlmsg_get_payload_len(event->message) >= size ? mnl_nlmsg_get_payload(event->message) : NULL;
}

/* Everything of the link itself, its membership included, is told without a family; what a bridge tells besides is of its
 * ports, and of all of them where a change of one moves the bridge's id. */
static bool hint_link(const struct event *event, struct hint *ret) {
	const struct ifinfomsg *ifi = fixed_part(event, sizeof(*ifi));
	const struct nlattr *tb[IFLA_IFALIAS + 1];

	if (!ifi)
		return false;
	nl_parse(event->message, sizeof(*ifi), tb, IFLA_IFALIAS);
	ret->type = ifi->ifi_family == AF_BRIDGE ? HINT_PORT : HINT_LINK;
	ret->ifindex = (uint32_t)ifi->ifi_index;
	ret->link = nl_get_text(tb[IFLA_IFNAME]);
	ret->alias = nl_get_text(tb[IFLA_IFALIAS]);
	ret->down = event->message->nlmsg_type == RTM_DELLINK || !(ifi->ifi_flags & IFF_UP);
	return ret->link;
}

static bool is_zero(const struct nlattr *attr) {
	const uint8_t *bytes = mnl_attr_get_payload(attr);

	for (size_t i = 0; i < mnl_attr_get_payload_len(attr); i++)
		if (bytes[i])
			return false;
	return true;
}

/* The filters of the sockets let nothing else through than forwarding entries for unknown addresses, and neighbours that are
 * gone (event_json.c). */
static bool hint_neighbour(const struct event *event, struct hint *ret) {
	const struct ndmsg *ndm = fixed_part(event, sizeof(*ndm));
	const struct nlattr *tb[NDA_LLADDR + 1];

	if (!ndm)
		return false;
	nl_parse(event->message, sizeof(*ndm), tb, NDA_LLADDR);
	ret->ifindex = (uint32_t)ndm->ndm_ifindex;
	ret->type = ndm->ndm_family == AF_BRIDGE && (!tb[NDA_LLADDR] || is_zero(tb[NDA_LLADDR])) ? HINT_FORWARDING
												 : HINT_NEIGHBOUR;
	if (ndm->ndm_family != AF_BRIDGE && tb[NDA_DST])
		(void)ip_from_bytes(ndm->ndm_family, mnl_attr_get_payload(tb[NDA_DST]),
				    mnl_attr_get_payload_len(tb[NDA_DST]), &ret->to.address);
	return true;
}

static bool hint_address(const struct event *event, struct hint *ret) {
	const struct ifaddrmsg *ifa = fixed_part(event, sizeof(*ifa));

	if (!ifa)
		return false;
	ret->type = HINT_ADDRESS;
	ret->ifindex = ifa->ifa_index;
	return true;
}

/* Of an IPv6 route the metric stands behind its next hops. */
static bool hint_route(const struct event *event, struct hint *ret) {
	const struct rtmsg *rtm = fixed_part(event, sizeof(*rtm));
	const struct nlattr *tb[RTA_TABLE + 1];

	if (!rtm || event->cut)
		return false;
	nl_parse(event->message, sizeof(*rtm), tb, RTA_TABLE);
	ret->type = HINT_ROUTE;
	ret->ifindex = nl_get_u32(tb[RTA_OIF], 0);
	ret->to.address.family = rtm->rtm_family;
	ret->to.length = rtm->rtm_dst_len;
	if (tb[RTA_DST] && ip_from_bytes(rtm->rtm_family, mnl_attr_get_payload(tb[RTA_DST]),
					 mnl_attr_get_payload_len(tb[RTA_DST]), &ret->to.address) < 0)
		return false;
	ret->route_table = nl_get_u32(tb[RTA_TABLE], rtm->rtm_table);
	ret->tos = rtm->rtm_tos;
	ret->metric = nl_get_u32(tb[RTA_PRIORITY], 0);
	/* What comes into the table local comes along with an address, which has an event of its own. */
	ret->by_kernel = rtm->rtm_protocol == RTPROT_KERNEL &&
			 (ret->route_table != RT_TABLE_LOCAL ||
			  (event->message->nlmsg_type == RTM_DELROUTE && rtm->rtm_type == RTN_LOCAL));
	return true;
}

/* "all" and "default" have negative numbers. */
static bool hint_setting(const struct event *event, struct hint *ret) {
	const struct netconfmsg *ncm = fixed_part(event, sizeof(*ncm));
	const struct nlattr *tb[NETCONFA_IFINDEX + 1];
	int32_t index;

	if (!ncm)
		return false;
	nl_parse(event->message, sizeof(*ncm), tb, NETCONFA_IFINDEX);
	if (!tb[NETCONFA_IFINDEX])
		return false;
	index = (int32_t)nl_get_u32(tb[NETCONFA_IFINDEX], 0);
	ret->type = HINT_SETTING;
	ret->ifindex = index > 0 ? (uint32_t)index : 0;
	return true;
}

/* The table's name is the first attribute of everything that is in a table. */
static bool hint_nat(const struct event *event, struct hint *ret) {
	const struct nlattr *tb[NFTA_TABLE_NAME + 1];

	nl_parse(event->message, sizeof(struct nfgenmsg), tb, NFTA_TABLE_NAME);
	ret->type = HINT_NAT;
	ret->table = nl_get_text(tb[NFTA_TABLE_NAME]);
	return true;
}

static bool understand(const struct event *event, struct hint *ret) {
	uint16_t type = event->message->nlmsg_type;

	if (type >> 8 == NFNL_SUBSYS_NFTABLES)
		return hint_nat(event, ret);
	switch (type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return hint_link(event, ret);
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return hint_neighbour(event, ret);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return hint_address(event, ret);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return hint_route(event, ret);
	case RTM_NEWNETCONF:
	case RTM_DELNETCONF:
		return hint_setting(event, ret);
	}
	return false;
}

bool event_hint(struct nlmsghdr *message, size_t received, struct hint *ret) {
	struct event event = { .message = message, .cut = message->nlmsg_len > received };

	*ret = (struct hint){};
	/* The end of a transaction, whose parts were all told. */
	if (message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN))
		return false;
	message->nlmsg_len = (uint32_t)MIN((size_t)message->nlmsg_len, received);
	if (!understand(&event, ret))
		*ret = (struct hint){ .type = HINT_NAMESPACE };
	return true;
}

int32_t event_gone(const struct nlmsghdr *message, size_t received) {
	const struct nlattr *tb[NETNSA_NSID + 1];

	if (message->nlmsg_type != RTM_DELNSID || message->nlmsg_len > received)
		return -1;
	nl_parse(message, sizeof(struct rtgenmsg), tb, NETNSA_NSID);
	return (int32_t)nl_get_u32(tb[NETNSA_NSID], UINT32_MAX);
}

/* Of rtnetlink each datagram has one message. */
bool event_hint_unread(const struct nlmsghdr *first, struct hint *ret) {
	*ret = (struct hint){ .type = HINT_NAT };
	return first->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES;
}
