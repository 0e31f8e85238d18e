/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bridge: the bridge's own attributes (IFLA_BR_*). Its ports name it as their `master`; a port's attributes are in
 * bridge_port.c. Times are in USER_HZ (1/100 s) in the kernel's messages.
 */
#include "kind/bridge_port.h"

extern const struct kind kind_bridge;

struct bridge {
	struct link link;
	struct vlans vlans;
	uint32_t stp, forward_delay, hello_time, max_age, ageing_time, priority, vlan_filtering, vlan_protocol,
		mcast_snooping, group_fwd_mask, mcast_querier, mcast_router, mcast_igmp_version, mcast_mld_version,
		vlan_default_pvid, vlan_stats, no_linklocal_learn, fdb_max_learned;
};

/* MDB_RTR_TYPE_*, linux/if_bridge.h, which cannot be included together with the C library's headers. */
static const struct enum_name mcast_routers[] = { { "disabled", 0 }, { "auto", 1 }, { "permanent", 2 }, {} };
static const struct enum_name vlan_protocols[] = { { "802.1q", 0x8100 }, { "802.1ad", 0x88a8 }, {} };

enum {
	STP = LINK_N_FIELDS,
	FORWARD_DELAY,
	HELLO_TIME,
	MAX_AGE,
	AGEING_TIME,
	PRIORITY,
	VLAN_FILTERING,
	VLAN_PROTOCOL,
	MCAST_SNOOPING,
	GROUP_FWD_MASK
};

enum {
	MIN_STP_DELAY = 200,     /* BR_MIN_FORWARD_DELAY, net/bridge/br_private_stp.h */
	RESTRICTED_GROUPS = 0x7, /* BR_GROUPFWD_RESTRICTED, net/bridge/br_private.h */
	NO_LL_LEARN = 1 << 0,    /* BR_BOOLOPT_NO_LL_LEARN, linux/if_bridge.h */
	FDB_MAX_LEARNED = 49,    /* IFLA_BR_FDB_MAX_LEARNED, linux/if_link.h from Linux 6.7 */
};

#define ROW(key, member, value_type, number, ...)                                                              \
	{                                                                                                      \
		.name = key, .type = value_type, .offset = offsetof(struct bridge, member), .wire = WIRE_DATA, \
		.attr = number, __VA_ARGS__                                                                    \
	}

static const struct field fields[] = {
	LINK_FIELDS("1500"),
	[STP] = ROW("stp", stp, &type_bool, IFLA_BR_STP_STATE, .fallback = "false", .doc = "Spanning tree protocol."),
	[FORWARD_DELAY] =
		ROW("forward-delay", forward_delay, &type_duration, IFLA_BR_FORWARD_DELAY, .unit = 100, .max = 3000,
		    .fallback = "15s", .doc = "Time in the listening and learning states; 2s to 30s with stp."),
	[HELLO_TIME] = ROW("hello-time", hello_time, &type_duration, IFLA_BR_HELLO_TIME, .unit = 100, .min = 100,
			   .max = 1000, .fallback = "2s", .doc = "Time between hello packets."),
	[MAX_AGE] = ROW("max-age", max_age, &type_duration, IFLA_BR_MAX_AGE, .unit = 100, .min = 600, .max = 4000,
			.fallback = "20s", .doc = "Time after which a bridge that is silent counts as gone."),
	[AGEING_TIME] = ROW("ageing-time", ageing_time, &type_duration, IFLA_BR_AGEING_TIME, .unit = 100, .fallback = "300s",
			    .doc = "Time that a learned MAC address is kept."),
	[PRIORITY] = ROW("priority", priority, &type_integer, IFLA_BR_PRIORITY, .form = FORM_U16, .max = 65535,
			 .fallback = "32768", .doc = "Bridge priority; the lowest becomes the root."),
	[VLAN_FILTERING] = ROW("vlan-filtering", vlan_filtering, &type_bool, IFLA_BR_VLAN_FILTERING, .form = FORM_U8,
			       .fallback = "false", .doc = "Whether VLAN tags decide where frames go."),
	[VLAN_PROTOCOL] = ROW("vlan-protocol", vlan_protocol, &type_enum, IFLA_BR_VLAN_PROTOCOL, .form = FORM_BE16,
			      .names = vlan_protocols, .fallback = "802.1q", .doc = "EtherType of the VLAN tags."),
	[MCAST_SNOOPING] = ROW("mcast-snooping", mcast_snooping, &type_bool, IFLA_BR_MCAST_SNOOPING, .form = FORM_U8,
			       .fallback = "true", .doc = "Whether multicast goes only to ports that asked for it."),
	[GROUP_FWD_MASK] =
		ROW("group-fwd-mask", group_fwd_mask, &type_integer, IFLA_BR_GROUP_FWD_MASK, .form = FORM_U16, .max = 65535,
		    .fallback = "0", .doc = "Bit mask of the link-local groups (01:80:c2:00:00:0X) that are forwarded."),
	ROW("mcast-querier", mcast_querier, &type_bool, IFLA_BR_MCAST_QUERIER, .form = FORM_U8, .fallback = "false",
	    .doc = "Whether the bridge itself queries for members of multicast groups."),
	ROW("mcast-router", mcast_router, &type_enum, IFLA_BR_MCAST_ROUTER, .form = FORM_U8, .names = mcast_routers,
	    .fallback = "auto", .doc = "Whether the bridge itself gets all multicast, because a router is behind it."),
	ROW("mcast-igmp-version", mcast_igmp_version, &type_integer, IFLA_BR_MCAST_IGMP_VERSION, .form = FORM_U8, .min = 2,
	    .max = 3, .fallback = "2", .doc = "IGMP version of the bridge's own queries."),
	ROW("mcast-mld-version", mcast_mld_version, &type_integer, IFLA_BR_MCAST_MLD_VERSION, .form = FORM_U8, .min = 1,
	    .max = 2, .fallback = "1", .doc = "MLD version of the bridge's own queries."),
	ROW("vlan-default-pvid", vlan_default_pvid, &type_integer, IFLA_BR_VLAN_DEFAULT_PVID, .form = FORM_U16,
	    .names = no_vlan, .max = 4094, .fallback = "1",
	    .doc = "The VLAN of new ports, `pvid` and untagged; `none`: they get no VLAN."),
	ROW("vlan-stats", vlan_stats, &type_bool, IFLA_BR_VLAN_STATS_ENABLED, .form = FORM_U8, .fallback = "false",
	    .doc = "Whether packets are counted for each VLAN."),
	ROW("no-linklocal-learn", no_linklocal_learn, &type_bool, IFLA_BR_MULTI_BOOLOPT, .form = FORM_FLAG,
	    .bit = NO_LL_LEARN, .fallback = "false",
	    .doc = "Whether source addresses of link-local frames (01:80:c2:00:00:0X) are not learned."),
	ROW("fdb-max-learned", fdb_max_learned, &type_integer, FDB_MAX_LEARNED, .fallback = "0",
	    .doc = "How many addresses are learned at most; 0: no limit (Linux 6.7)."),
	VLAN_FIELDS(bridge,
		    "The bridge's own VLAN: that of untagged frames that the host sends through it, or `none`. With `pvid`, "
		    "`untagged` or `tagged` the bridge has exactly these VLANs, and not VLAN 1."),
};

static int encode(struct encode *encode, const struct change *change) {
	return bridge_vlans_encode(encode, change, link_encode);
}

static void settle(struct reading *r, struct ns_state *ns) {
	bridge_vlans_settle(&kind_bridge, r->parse.arena, ns);
}

/* br_set_forward_delay() in net/bridge/br_stp.c applies these limits only with STP. A bridge that is created with a smaller
 * value silently gets the limit. */
static void check(struct reading *r, const struct ns_state *ns, const struct object *desired) {
	const struct bridge *bridge = (const struct bridge *)desired;

	bridge_vlans_check(r, ns, desired);

	if (object_has(desired, STP) && bridge->stp && object_has(desired, FORWARD_DELAY) &&
	    bridge->forward_delay < MIN_STP_DELAY)
		diag_error(r->parse.diags, object_position(desired, &fields[FORWARD_DELAY]),
			   "with 'stp' the 'forward-delay' must be from 2s to 30s");
	if (object_has(desired, GROUP_FWD_MASK) && bridge->group_fwd_mask & RESTRICTED_GROUPS)
		diag_error(r->parse.diags, object_position(desired, &fields[GROUP_FWD_MASK]),
			   "a bridge never forwards 01:80:c2:00:00:00, 01 and 02 (STP, pause frames, LACP): the bits 0x7 of "
			   "'group-fwd-mask' must be 0");
}

/* br_mtu_auto_adjust(): the bridge's MTU follows the smallest of its ports. */
static bool is_usual(const struct state *seen, const struct object *observed, size_t field) {
	const struct link *bridge = (const struct link *)observed;
	uint32_t least = 0;

	if (bridge_vlans_are_usual(seen, observed, field))
		return true;
	ns_foreach(object, field == LINK_MTU ? state_find(seen, observed->ns) : NULL) {
		const struct link *link = (const struct link *)object;

		if (object_is_link(object) && streq(link->master, bridge->name) && (!least || link->mtu < least))
			least = link->mtu;
	}
	return least && bridge->mtu == least;
}

const struct kind kind_bridge = {
	.name = "bridge",
	.doc = "An Ethernet bridge.",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct bridge),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "bridge",
	.markable = true,
	/* Ports join a bridge much faster while it is down. Its MTU follows that of its ports until a separate
	 * message sets it; the MTU in the creating message does not count (br_mtu_auto_adjust() in
	 * net/bridge/br_if.c). */
	.last = 1 << LINK_UP | 1 << LINK_MTU,
	.encode = encode,
	.source = &source_bridge_vlans,
	.settle = settle,
	.check = check,
	.is_usual = is_usual,
	.fallback = bridge_vlans_fallback,
	.takes_frames = true,
	.segment = SEGMENT_PORTS,
	.port_kind = &kind_bridge_port,
	.max_ports = 1023, /* BR_MAX_PORTS - 1, net/bridge/br_private.h */
};
