/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bridge port's own attributes (IFLA_BRPORT_*), as an object beside its link. It exists while the link is in
 * a bridge, and is written only where the file says something about the port. Membership itself is the
 * link's `master`.
 */
#include "kind/port.h"

#include <linux/rtnetlink.h>

#define ROW(key, member, value_type, number, number_form, ...)                                         \
	{ .name = key, .type = value_type, .offset = offsetof(struct port, member), .wire = WIRE_PORT, \
	  .attr = number, .form = number_form, __VA_ARGS__ }

static const struct field fields[] = {
	[PORT_NAME] = { .name = "name", .type = &type_link_name, .offset = offsetof(struct port, name),
			.class = FIELD_KEY, .flags = FIELD_REQUIRED | FIELD_DEV,
			.doc = "The interface that is the port." },
	[PORT_CONTROLLER] = { .name = "controller", .type = &type_link_name,
			      .offset = offsetof(struct port, controller),
			      .flags = FIELD_HIDDEN | FIELD_DEV | FIELD_ONCE },
	ROW("cost", cost, &type_integer, IFLA_BRPORT_COST, FORM_U32, .min = 1, .max = 65535, .fallback = "2",
	    .doc = "Spanning tree path cost."),
	ROW("priority", priority, &type_integer, IFLA_BRPORT_PRIORITY, FORM_U16, .max = 63, .fallback = "32",
	    .doc = "Spanning tree port priority."),
	ROW("hairpin", hairpin, &type_bool, IFLA_BRPORT_MODE, FORM_U8, .fallback = "false",
	    .doc = "Whether frames may leave through the port they came in by."),
	ROW("isolated", isolated, &type_bool, IFLA_BRPORT_ISOLATED, FORM_U8, .fallback = "false",
	    .doc = "Whether the port reaches only ports that are not isolated."),
	ROW("learning", learning, &type_bool, IFLA_BRPORT_LEARNING, FORM_U8, .fallback = "true",
	    .doc = "Whether source addresses are learned."),
	ROW("flood", flood, &type_bool, IFLA_BRPORT_UNICAST_FLOOD, FORM_U8, .fallback = "true",
	    .doc = "Whether frames to unknown addresses are sent here."),
	ROW("mcast-flood", mcast_flood, &type_bool, IFLA_BRPORT_MCAST_FLOOD, FORM_U8, .fallback = "true",
	    .doc = "Whether unregistered multicast is sent here."),
	ROW("neigh-suppress", neigh_suppress, &type_bool, IFLA_BRPORT_NEIGH_SUPPRESS, FORM_U8,
	    .fallback = "false", .doc = "Whether ARP and neighbour discovery are answered by the bridge."),
	ROW("guard", guard, &type_bool, IFLA_BRPORT_GUARD, FORM_U8, .fallback = "false",
	    .doc = "Whether spanning tree packets are refused here (BPDU guard)."),
	ROW("root-block", root_block, &type_bool, IFLA_BRPORT_PROTECT, FORM_U8, .fallback = "false",
	    .doc = "Whether the port may not become the root port."),
};

static int encode_port(struct encode *encode, const struct change *change) {
	const struct port *port = (const struct port *)change->desired;
	const struct resolver *resolver = encode->resolver;
	struct nl_writer *w = encode->writer;
	struct ifinfomsg *ifi = link_begin(encode, RTM_NEWLINK, 0);
	uint32_t index = resolver->ifindex(resolver->userdata, port->object.ns, port->name);

	if (!index) {
		encode->problem = arena_printf(encode->arena, "there is no %s", port->name);
		return -ENODEV;
	}
	ifi->ifi_index = (int)index;
	struct nlattr *info = nl_nest(w, IFLA_LINKINFO);
	nl_put_text(w, IFLA_INFO_SLAVE_KIND, "bridge");
	struct nlattr *data = nl_nest(w, IFLA_INFO_SLAVE_DATA);
	link_put_fields(encode, &port->object, change->fields, WIRE_PORT);
	nl_nest_end(w, data);
	nl_nest_end(w, info);
	return 0;
}

struct port *port_decode(const struct decode *decode, const struct nlmsghdr *nlh, const struct link *link) {
	const struct nlattr *top[IFLA_LINKINFO + 1], *info[IFLA_INFO_MAX + 1], *data[IFLA_BRPORT_MAX + 1];
	const char *master_kind;

	nl_parse(nlh, sizeof(struct ifinfomsg), top, IFLA_LINKINFO);
	nl_parse_nested(top[IFLA_LINKINFO], info, IFLA_INFO_MAX);
	master_kind = nl_get_text(info[IFLA_INFO_SLAVE_KIND]);
	if (!master_kind || !streq(master_kind, "bridge"))
		return NULL;
	nl_parse_nested(info[IFLA_INFO_SLAVE_DATA], data, IFLA_BRPORT_MAX);

	struct object *object = object_new(decode->arena, &kind_port, decode->ns);
	struct port *port = (struct port *)object;
	port->name = link->name;
	for (size_t i = PORT_FIRST_ATTRIBUTE; i < ARRAY_SIZE(fields); i++) {
		const struct nlattr *attr = data[fields[i].attr];

		if (attr && fields[i].type->get(decode->arena, &fields[i], attr, field_of(&fields[i], object)))
			object->set |= field_bit(i);
	}
	object->kernel_made = true; /* it is there because of the membership, which is the link's */
	object_seal(decode->arena, object);
	return port;
}

static void noun(const struct object *object, struct text *out) {
	const struct port *port = (const struct port *)object;

	text_addf(out, "bridge port%s%s", port->controller ? " of " : "", port->controller ? port->controller : "");
}

const struct kind kind_port = {
	.name = "port", .class = CLASS_PORT, .transport = TRANSPORT_ROUTE, .size = sizeof(struct port),
	.fields = fields, .n_fields = ARRAY_SIZE(fields), .undeletable = true, .encode = encode_port, .noun = noun,
};
