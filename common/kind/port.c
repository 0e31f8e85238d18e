/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attributes of a port at its controller (IFLA_INFO_SLAVE_DATA), written and read by the table of the port's kind.
 *
 * The object exists while the link has that controller, and is declared only if the file has keys for the port. Membership
 * itself is the link's `master`.
 */
#include "kind/port.h"
#include "model/change.h"
#include "model/section.h"

#include <linux/rtnetlink.h>

/* Enough for the attributes of any kind of port: IFLA_BRPORT_MAX and IFLA_BOND_SLAVE_MAX in linux/if_link.h. */
enum { DATA_MAX = 63 };

const struct class class_port = {
	.name = "port",
	.plural = "ports",
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
	kind = kind_by_link_kind(nl_get_text(info[IFLA_INFO_SLAVE_KIND]), &class_port, NULL);
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
	object->kernel_made = true; /* it exists because of the membership, which is the link's */
	object_seal(decode->arena, object);
	return port;
}

/* The link that a port's name refers to; NULL: no entry declares it, or it cannot be a port. */
static struct object *find_link(struct reading *r, const char *name, struct position position) {
	struct object *link = ns_find_link(r->ns, name);

	if (streq(name, "lo")) {
		diag_error(r->parse.diags, position, "'lo' cannot be a port: it carries no Ethernet frames");
		return NULL;
	}
	if (link)
		link->implied = false;
	else
		reading_miss_link(r, name, position);
	return link;
}

/* Makes the link a port; false after an error. */
static bool join(struct reading *r, const char *name, const struct node *node) {
	struct object *object = find_link(r, name, node->position);
	struct link *link = (struct link *)object;
	const char *controller = object_home_link(r->link);

	if (!link)
		return false;
	struct position *positions = (struct position *)(uintptr_t)object->positions;
	if (object == r->link) {
		diag_error(r->parse.diags, node->position, "%s cannot be its own port", name);
		return false;
	}
	if (object_has(object, LINK_MASTER)) {
		bool same = streq(link->master, controller);

		if (same && (positions[LINK_MASTER].source != node->position.source ||
			     positions[LINK_MASTER].origin != node->position.origin))
			return true; /* the lists of several files, or entries, are merged */
		diag_error(r->parse.diags, node->position, "%s is %s", name,
			   same ? "named twice" : "a port of two controllers");
		diag_note(r->parse.diags, positions[LINK_MASTER], "first here");
		return false;
	}
	link->master = controller;
	object->joins_down = r->link->kind->ports_join_down;
	object->set |= field_bit(LINK_MASTER);
	positions[LINK_MASTER] = node->position;
	return true;
}

static void read_attributes(struct reading *r, const struct kind *kind, const struct node *node) {
	struct object *object = object_new(r->parse.arena, kind, r->ns->name);
	struct port *port = (struct port *)object;
	struct position *positions = arena_newn(r->parse.arena, struct position, kind->n_fields);
	const struct fields_parse fields = {
		.what = kind->section->mapping->what,
		.fields = kind->fields,
		.n = kind->n_fields,
		.base = port,
		.set = &object->set,
		.positions = positions,
	};
	bool good = fields_parse(&r->parse, node, &fields);

	if (!port->name || !join(r, port->name, node) || !good)
		return;
	port->controller = object_home_link(r->link);
	object->set |= field_bit(PORT_CONTROLLER);
	object->position = node->position;
	object->positions = positions;
	object->drift = r->drift;
	object_seal(r->parse.arena, object);
	reading_add(r, r->ns, object);
}

static void read_port(struct reading *r, const struct node *node) {
	const struct kind *kind = r->link->kind->port_kind; /* NULL after an error: only the name is read */
	const struct node *named = kind || node->type != NODE_MAPPING ? node : node_get(node, "name");
	static const struct field key = { .name = "ports", .type = &type_link_name };
	const char *name;

	if (named && named->type == NODE_MAPPING)
		read_attributes(r, kind, node);
	else if (named && type_link_name.parse(&r->parse, &key, named, &name))
		join(r, name, named);
}

void port_read(struct reading *r, const struct section *section _unused_, const struct node *list) {
	section_each(r, list, read_port);
}

void port_noun(const struct object *object, struct text *out) {
	const struct port *port = (const struct port *)object;

	text_addf(out, "%s port%s%s", object->kind->link_kind, port->controller ? " of " : "",
		  port->controller ? port->controller : "");
}
