/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all ports have in common: a link that is the port of a controller (a bridge) may have attributes there, in an
 * object beside the link.
 *
 * A port kind's struct begins with struct port and its table with PORT_FIELDS(); its link_kind is IFLA_INFO_SLAVE_KIND.
 * The controller's kind names it as `port_kind`. Its only section is the key of the controller's entry that lists the
 * ports, with port_read().
 */
#pragma once

#include "kind/link.h"

extern const struct class class_port;

struct port {
	struct object object;
	const char *name, *controller;
};

enum port_field { PORT_NAME, PORT_CONTROLLER, PORT_FIRST_ATTRIBUTE };

#define PORT_FIELDS()                                                      \
	[PORT_NAME] = { .name = "name",                                    \
			.type = &type_link_name,                           \
			.offset = offsetof(struct port, name),             \
			.class = FIELD_KEY,                                \
			.flags = FIELD_REQUIRED | FIELD_DEV,               \
			.doc = "The interface that is the port." },        \
	[PORT_CONTROLLER] = { .name = "controller",                        \
			      .type = &type_link_name,                     \
			      .offset = offsetof(struct port, controller), \
			      .flags = FIELD_HIDDEN | FIELD_DEV | FIELD_CONTROLLER | FIELD_ONCE }

/* Decodes the port object from its link's message; NULL: the link is not a port, or one of a kind that topod does
 * not know. In decode's arena. */
struct port *port_decode(const struct decode *decode, const struct nlmsghdr *nlh, const struct link *link);

/* For the tables of port kinds. */
int port_encode(struct encode *encode, const struct change *change);
struct reading;
struct section;
/* Reads the list of ports in an interface's entry: each is a name, or a mapping of the port's fields. */
void port_read(struct reading *r, const struct section *section, const struct node *list);
void port_noun(const struct object *object, struct text *out);
