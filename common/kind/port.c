/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attributes of a port at its controller (IFLA_INFO_SLAVE_DATA), written and read by the table of the port's kind.
 *
 * The object exists while the link has that controller, and is written only where the file says something about the
 * port. Membership itself is the link's `master`.
 */
#include "kind/port.h"

#include <linux/rtnetlink.h>

/* Enough for the attributes of any kind of port: IFLA_BRPORT_MAX and IFLA_BOND_SLAVE_MAX in linux/if_link.h. */
enum { DATA_MAX = 63 };

const struct class class_port = {
	.name = "bridge port",
	.plural = "bridge ports",
	.part_of = &class_link,
	.membership = true,
	.splits = true,
	.permanent = true,
};

int port_encode(struct encode *encode, const struct change *change) {
	const struct port *port = (const struct port *)change->desired;
	struct nl_writer *w = encode->writer;
	struct ifinfomsg *ifi = link_begin(encode, RTM_NEWLINK, 0);
	uint32_t index = encode_ifindex(encode, port->object.ns, port->name);

	if (!index)
		return -ENODEV;
	ifi->ifi_index = (int)index;
	struct nlattr *info = nl_nest(w, IFLA_LINKINFO);
	nl_put_text(w, IFLA_INFO_SLAVE_KIND, change->desired->kind->link_kind);
	struct nlattr *data = nl_nest(w, IFLA_INFO_SLAVE_DATA);
	link_put_fields(encode, &port->object, change->fields, WIRE_PORT);
	nl_nest_end(w, data);
	nl_nest_end(w, info);
	return 0;
}

struct port *port_decode(const struct decode *decode, const struct nlmsghdr *nlh, const struct link *link) {
	const struct nlattr *top[IFLA_LINKINFO + 1], *info[IFLA_INFO_MAX + 1], *data[DATA_MAX + 1];
	const struct kind *kind;

	nl_parse(nlh, sizeof(struct ifinfomsg), top, IFLA_LINKINFO);
	nl_parse_nested(top[IFLA_LINKINFO], info, IFLA_INFO_MAX);
	kind = kind_by_link_kind(nl_get_text(info[IFLA_INFO_SLAVE_KIND]), &class_port);
	if (!kind)
		return NULL;
	nl_parse_nested(info[IFLA_INFO_SLAVE_DATA], data, DATA_MAX);

	struct object *object = object_new(decode->arena, kind, decode->ns);
	struct port *port = (struct port *)object;
	port->name = link->name;
	for (size_t i = PORT_FIRST_ATTRIBUTE; i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];

		if (data[field->attr] && field->type->get(decode->arena, field, data[field->attr], field_of(field, object)))
			object->set |= field_bit(i);
	}
	object->kernel_made = true; /* it is there because of the membership, which is the link's */
	object_seal(decode->arena, object);
	return port;
}

void port_noun(const struct object *object, struct text *out) {
	const struct port *port = (const struct port *)object;

	text_addf(out, "%s port%s%s", object->kind->link_kind, port->controller ? " of " : "",
		  port->controller ? port->controller : "");
}
