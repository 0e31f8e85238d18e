/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a link says about itself as port of a bridge; see port.c. */
#pragma once

#include "kind/link.h"

struct port {
	struct object object;
	const char *name, *controller;
	uint32_t cost, priority, hairpin, isolated, learning, flood, mcast_flood, neigh_suppress, guard,
		root_block;
};

enum port_field { PORT_NAME, PORT_CONTROLLER, PORT_FIRST_ATTRIBUTE };

/* The port object that a message of a link tells of, or NULL where it is no port of a bridge. */
struct port *port_decode(const struct decode *decode, const struct nlmsghdr *nlh, const struct link *link);
