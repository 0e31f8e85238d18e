/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw netlink for the benchmark: what a host of the campus has besides an address and a route. */
#include "wire.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static struct nlmsghdr *add_link(struct batch *b, int index, const char *name) {
	struct nlmsghdr *h = batch_add(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(h, sizeof(*info));

	info->ifi_index = index;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_u32(h, IFLA_MTU, MTU);
	return h;
}

void put_macvlan(struct batch *b, const struct veth_end *end, int lower) {
	struct nlmsghdr *h = add_link(b, end->index, end->name);
	struct nlattr *info, *data;

	mnl_attr_put_u32(h, IFLA_LINK, (uint32_t)lower);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)end->ns_fd);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "macvlan");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

void put_filtering_bridge(struct batch *b, const struct bridge *br) {
	struct nlmsghdr *h = add_link(b, br->index, br->name);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO), *data;

	mnl_attr_put_strz(h, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u8(h, IFLA_BR_VLAN_FILTERING, 1);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

/* An access port of that VLAN, instead of the bridge's default. */
void put_vlan(struct batch *b, int port, uint16_t id) {
	for (int add = 0; add < 2; add++) {
		struct nlmsghdr *h = batch_add(b, add ? RTM_SETLINK : RTM_DELLINK, 0);
		struct ifinfomsg *info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
		struct bridge_vlan_info vlan = { .flags = add ? BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED : 0,
						 .vid = add ? id : 1 };

		info->ifi_family = AF_BRIDGE;
		info->ifi_index = port;
		struct nlattr *spec = mnl_attr_nest_start(h, IFLA_AF_SPEC);
		mnl_attr_put(h, IFLA_BRIDGE_VLAN_INFO, sizeof(vlan), &vlan);
		mnl_attr_nest_end(h, spec);
	}
}

void put_vrf(struct batch *b, int index, const char *name, uint32_t table) {
	struct nlmsghdr *h = batch_add(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(h, sizeof(*link));
	struct nlattr *info, *data;

	link->ifi_index = index;
	link->ifi_flags = link->ifi_change = 1; /* IFF_UP; linux/if.h contradicts net/if.h */
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "vrf");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_VRF_TABLE, table);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

void put_policy_rule(struct batch *b, uint16_t type, unsigned number) {
	struct policy_rule rule = shape_policy_rule(number);
	struct nlmsghdr *h = batch_add(b, type, type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct fib_rule_hdr *header = mnl_nlmsg_put_extra_header(h, sizeof(*header));

	header->family = AF_INET;
	header->action = FR_ACT_TO_TBL;
	header->table = (uint8_t)rule.table;
	header->src_len = rule.from_prefix;
	mnl_attr_put_u32(h, FRA_PRIORITY, rule.priority);
	if (rule.from_prefix)
		mnl_attr_put_u32(h, FRA_SRC, htonl(rule.from));
	if (rule.mark)
		mnl_attr_put_u32(h, FRA_FWMARK, rule.mark);
}

void put_neighbor(struct batch *b, uint16_t type, int index, uint32_t address) {
	struct nlmsghdr *h = batch_add(b, type, type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct ndmsg *neighbor = mnl_nlmsg_put_extra_header(h, sizeof(*neighbor));
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

	neighbor->ndm_family = AF_INET;
	neighbor->ndm_ifindex = index;
	neighbor->ndm_state = NUD_PERMANENT;
	mnl_attr_put_u32(h, NDA_DST, htonl(address));
	mnl_attr_put(h, NDA_LLADDR, sizeof(mac), mac);
}

void put_nexthop(struct batch *b, int index, uint32_t via) {
	struct nlmsghdr *h = batch_add(b, RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_EXCL);
	struct nhmsg *nexthop = mnl_nlmsg_put_extra_header(h, sizeof(*nexthop));

	nexthop->nh_family = AF_INET;
	nexthop->nh_protocol = RTPROT_STATIC;
	mnl_attr_put_u32(h, NHA_ID, NEXTHOP_ID);
	mnl_attr_put_u32(h, NHA_OIF, (uint32_t)index);
	mnl_attr_put_u32(h, NHA_GATEWAY, htonl(via));
}

static struct nlmsghdr *add_root_qdisc(struct batch *b, uint16_t type, int index, const char *kind) {
	struct nlmsghdr *h = batch_add(b, type, type == RTM_NEWQDISC ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	struct tcmsg *qdisc = mnl_nlmsg_put_extra_header(h, sizeof(*qdisc));

	qdisc->tcm_ifindex = index;
	qdisc->tcm_parent = TC_H_ROOT;
	if (type == RTM_NEWQDISC)
		mnl_attr_put_strz(h, TCA_KIND, kind);
	return h;
}

void put_qdisc(struct batch *b, uint16_t type, int index, enum form form) {
	struct nlmsghdr *h = add_root_qdisc(b, type, index, form == VLANS ? "netem" : "tbf");

	if (type == RTM_DELQDISC)
		return;
	if (form == VLANS) {
		struct tc_netem_qopt options = { .latency = 156250, .limit = 1000 }; /* 10 ms, in ticks of 64 ns */
		mnl_attr_put(h, TCA_OPTIONS, sizeof(options), &options);
		return;
	}
	/* 100 Mbit/s. The burst is in bytes in an attribute of its own. */
	struct tc_tbf_qopt options = { .rate = { .rate = 12500000, .linklayer = TC_LINKLAYER_ETHERNET }, .limit = 65536 };
	struct nlattr *nest = mnl_attr_nest_start(h, TCA_OPTIONS);
	mnl_attr_put(h, TCA_TBF_PARMS, sizeof(options), &options);
	mnl_attr_put_u32(h, TCA_TBF_BURST, 32768);
	mnl_attr_nest_end(h, nest);
}

void put_dump_campus(struct batch *b) {
	mnl_nlmsg_put_extra_header(batch_add(b, RTM_GETRULE, NLM_F_DUMP), sizeof(struct fib_rule_hdr));
	mnl_nlmsg_put_extra_header(batch_add(b, RTM_GETNEIGH, NLM_F_DUMP), sizeof(struct ndmsg));
	mnl_nlmsg_put_extra_header(batch_add(b, RTM_GETNEXTHOP, NLM_F_DUMP), sizeof(struct nhmsg));
	mnl_nlmsg_put_extra_header(batch_add(b, RTM_GETQDISC, NLM_F_DUMP), sizeof(struct tcmsg));
}
