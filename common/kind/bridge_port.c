/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The attributes of a bridge's port (IFLA_BRPORT_*). What all ports share is in port.c. */
#include "kind/bridge_port.h"
#include "model/section.h"

#define ROW(key, member, value_type, number, number_form, ...)                                                      \
	{                                                                                                           \
		.name = key, .type = value_type, .offset = offsetof(struct bridge_port, member), .wire = WIRE_PORT, \
		.attr = number, .form = number_form, __VA_ARGS__                                                    \
	}

enum { GROUP_FWD_MASK = PORT_FIRST_ATTRIBUTE };

enum { MAC_PAUSE = 0x2 }; /* BR_GROUPFWD_MACPAUSE, net/bridge/br_private.h */

/* MDB_RTR_TYPE_*, linux/if_bridge.h, which cannot be included together with the C library's headers. */
static const struct enum_name mcast_routers[] = {
	{ "disabled", 0 }, { "auto", 1 }, { "permanent", 2 }, { "temporary", 3 }, {}
};

static const struct field fields[] = {
	PORT_FIELDS(),
	[GROUP_FWD_MASK] = ROW("group-fwd-mask", group_fwd_mask, &type_integer, IFLA_BRPORT_GROUP_FWD_MASK, FORM_U16,
			       .max = 65535, .fallback = "0",
			       .doc = "Bit mask of the link-local groups (01:80:c2:00:00:0X) that are forwarded from here."),
	ROW("cost", cost, &type_integer, IFLA_BRPORT_COST, FORM_U32, .min = 1, .max = 65535, .fallback = "2",
	    .doc = "Spanning tree path cost."),
	ROW("priority", priority, &type_integer, IFLA_BRPORT_PRIORITY, FORM_U16, .max = 63, .fallback = "32",
	    .doc = "Spanning tree port priority."),
	ROW("hairpin", hairpin, &type_bool, IFLA_BRPORT_MODE, FORM_U8, .fallback = "false",
	    .doc = "Whether frames may leave through the port on which they arrived."),
	ROW("isolated", isolated, &type_bool, IFLA_BRPORT_ISOLATED, FORM_U8, .fallback = "false",
	    .doc = "Whether the port reaches only ports that are not isolated."),
	ROW("learning", learning, &type_bool, IFLA_BRPORT_LEARNING, FORM_U8, .fallback = "true",
	    .doc = "Whether source addresses are learned."),
	ROW("flood", flood, &type_bool, IFLA_BRPORT_UNICAST_FLOOD, FORM_U8, .fallback = "true",
	    .doc = "Whether frames to unknown addresses are sent here."),
	ROW("mcast-flood", mcast_flood, &type_bool, IFLA_BRPORT_MCAST_FLOOD, FORM_U8, .fallback = "true",
	    .doc = "Whether unregistered multicast is sent here."),
	ROW("neigh-suppress", neigh_suppress, &type_bool, IFLA_BRPORT_NEIGH_SUPPRESS, FORM_U8, .fallback = "false",
	    .doc = "Whether the bridge answers ARP and neighbour discovery for this port."),
	ROW("guard", guard, &type_bool, IFLA_BRPORT_GUARD, FORM_U8, .fallback = "false",
	    .doc = "Whether a spanning tree packet that arrives here disables the port (BPDU guard)."),
	ROW("root-block", root_block, &type_bool, IFLA_BRPORT_PROTECT, FORM_U8, .fallback = "false",
	    .doc = "Whether the port may not become the root port."),
	ROW("bcast-flood", bcast_flood, &type_bool, IFLA_BRPORT_BCAST_FLOOD, FORM_U8, .fallback = "true",
	    .doc = "Whether broadcasts are sent here."),
	ROW("mcast-to-unicast", mcast_to_unicast, &type_bool, IFLA_BRPORT_MCAST_TO_UCAST, FORM_U8, .fallback = "false",
	    .doc = "Whether multicast is sent to each member as unicast."),
	ROW("mcast-router", mcast_router, &type_enum, IFLA_BRPORT_MULTICAST_ROUTER, FORM_U8, .names = mcast_routers,
	    .fallback = "auto",
	    .doc = "Whether all multicast is sent here, because a router is behind it. The kernel turns `temporary` into "
		   "`auto` if no query arrives in time, and topod turns it back."),
	ROW("proxy-arp", proxy_arp, &type_bool, IFLA_BRPORT_PROXYARP, FORM_U8, .fallback = "false",
	    .doc = "Whether the bridge answers ARP requests that arrive here."),
	ROW("locked", locked, &type_bool, IFLA_BRPORT_LOCKED, FORM_U8, .fallback = "false",
	    .doc = "Whether frames are accepted only from addresses that have an `fdb` entry here."),
	ROW("vlan-tunnel", vlan_tunnel, &type_bool, IFLA_BRPORT_VLAN_TUNNEL, FORM_U8, .fallback = "false",
	    .doc = "Whether VLANs are mapped to tunnels' identifiers."),
	VLAN_FIELDS(bridge_port,
		    "VLAN of frames that arrive without a tag, or `none`: they are dropped. With `pvid`, `untagged` or "
		    "`tagged` the port has exactly these VLANs, and not VLAN 1."),
};

static int encode(struct encode *encode, const struct change *change) {
	return bridge_vlans_encode(encode, change, port_encode);
}

static void settle(struct reading *r, struct ns_state *ns) {
	bridge_vlans_settle(&kind_bridge_port, r->parse.arena, ns);
}

/* br_setport(), net/bridge/br_netlink.c. */
static void check(struct reading *r, const struct ns_state *ns, const struct object *desired) {
	bridge_vlans_check(r, ns, desired);
	if (object_has(desired, GROUP_FWD_MASK) && ((const struct bridge_port *)desired)->group_fwd_mask & MAC_PAUSE)
		diag_error(
			r->parse.diags, object_position(desired, &fields[GROUP_FWD_MASK]),
			"a bridge never forwards 01:80:c2:00:00:01 (pause frames): the bit 0x2 of 'group-fwd-mask' must be "
			"0");
}

/* port_cost() in net/bridge/br_if.c: a link without a speed, like most virtual links except veth, costs 100. */
static bool is_usual(const struct state *seen, const struct object *observed, size_t field) {
	const struct bridge_port *port = (const struct bridge_port *)observed;

	return bridge_vlans_are_usual(seen, observed, field) ||
	       (fields[field].attr == IFLA_BRPORT_COST && port->cost == 100);
}

static const struct mapping entry = {
	.name = "port",
	.title = "Ports",
	.doc = "An entry of a bridge's `ports`: a name, or a mapping.",
	.what = "a port",
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.kind = &kind_bridge_port,
	.bare = "name",
};

static const struct section section = {
	.key = "ports",
	.place = SECTION_CONTROLLER,
	.shape = SECTION_LIST,
	.ranges = true,
	.mapping = &entry,
	.value = "list of [ports](#port)",
	.doc = "Its ports, each a name or a mapping.",
	.read = port_read,
};

const struct kind kind_bridge_port = {
	.name = "port",
	.class = &class_port,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct bridge_port),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "bridge",
	.section = &section,
	.encode = encode,
	.source = &source_bridge_vlans,
	.settle = settle,
	.check = check,
	.fallback = bridge_vlans_fallback,
	.is_usual = is_usual,
	.noun = port_noun,
};
