/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Something that somebody else does to the network: one command of ip(8). It can be printed, done to a world, or done by the
 * real ip(8); both must succeed or fail alike.
 */
#pragma once

#include "world.h"

enum op_type {
	OP_NONE,
	OP_NS_ADD,
	OP_NS_DELETE,
	OP_NS_STALE,
	OP_NS_FILE,
	OP_NS_REPLACE,
	OP_ATTACH, /* another one gets the name, and topod is told; value: it is without IPv6, as in Docker */
	OP_PROCESS,
	OP_PROCESS_END,
	OP_VETH,
	OP_BRIDGE,
	OP_MACVLAN,
	OP_VXLAN,
	OP_LINK_DELETE,
	OP_UP,
	OP_DOWN,
	OP_MTU,
	OP_TXQLEN,
	OP_MAC,
	OP_ALIAS,
	OP_MASTER,
	OP_NOMASTER,
	OP_RENAME,
	OP_MOVE,
	OP_PORT_COST,
	OP_HARDWARE,
	OP_FLOOD_APPEND,
	OP_FLOOD_DELETE,
	OP_ADDRESS_ADD,
	OP_ADDRESS_DELETE,
	OP_ADDRESS_FLUSH,
	OP_LOCAL_FLUSH,
	OP_MADE_DELETE,
	OP_ROUTE_ADD,
	OP_ROUTE_PREPEND,
	OP_ROUTE_REPLACE,
	OP_ROUTE_DELETE,
	OP_ROUTE_FLUSH,
	OP_RULE_ADD,
	OP_RULE_DELETE,
	OP_NEIGHBOR_ADD,
	OP_NEIGHBOR_DELETE,
	OP_NEXTHOP_ADD,
	OP_NEXTHOP_DELETE,
	OP_FDB_ADD,
	OP_FDB_DELETE,
	OP_SETTING,
	OP_NAT_DELETE,
	OP_NAT_CHANGE,
	OP_FILE_WRITE,
	OP_FILE_DELETE,
	OP_RIVAL,
	OP_RIVAL_GONE,
	OP_N
};

enum { OP_ROUTING_DAEMON = 186 /* RTPROT_BGP */ };

struct op {
	enum op_type type;
	const char *ns, *name;   /* namespace; link */
	const char *ns2, *name2; /* the other end, the lower link, the new name or place */
	const char *text;        /* address, destination, setting */
	const char *value;       /* gateway, value */
	uint32_t number;         /* mtu, id, metric, cost; address family; type of a route; priority; a proxy; id */
	bool nodad;
	bool by_hand; /* a route: it does not come from a routing daemon */
};

/* Adds a command line, or a comment for what no command does; nothing for OP_NONE. */
void op_print(const struct op *op, struct text *out);

/* The MAC address of a foreign link. */
struct mac op_mac(const char *ns, const char *name);

/* 0 or -errno. */
int op_apply(struct world *w, const struct op *op);
