/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The attributes of a bridge's port (IFLA_BRPORT_*). What all ports share is in port.c. */
#include "kind/bridge_port.h"
#include "model/section.h"

#define ROW(key, member, value_type, number, number_form, ...)                                                      \
	{                                                                                                           \
		.name = key, .type = value_type, .offset = offsetof(struct bridge_port, member), .wire = WIRE_PORT, \
		.attr = number, .form = number_form, __VA_ARGS__                                                    \
	}

static const struct field fields[] = {
	PORT_FIELDS(),
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
};

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
	.encode = port_encode,
	.noun = port_noun,
};
