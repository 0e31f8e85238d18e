/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network as read from its entry: its members, and the address and interface of each.
 *
 *   network_read.c  the entry, and the addresses
 *   networks.c      what is written for it: namespaces, links, addresses, routes, forwarding and NAT
 */
#pragma once

#include "expand/expand_private.h"

enum { FAMILIES = 2 }; /* IPv4, then IPv6 */

/* Which of the two. */
static inline size_t family_index(const struct ip *ip) {
	return ip->family == AF_INET6;
}

struct member {
	const char *name;
	struct position position;          /* where it is named, with its name as the origin */
	const char *interface;             /* NULL: the first free ethN */
	struct prefix addresses[FAMILIES]; /* AF_UNSPEC: none */
	bool given[FAMILIES];              /* the address is written */
	bool gateway;
};

struct network {
	const char *name;
	struct position position; /* with its name as the origin */
	uint32_t nat, isolated, mtu;
	struct link_ref bridge;
	bool own_namespace;                     /* the bridge is in a namespace of the network's name */
	const struct node *mtu_node, *nat_node; /* or NULL */
	struct prefix prefixes[FAMILIES];       /* AF_UNSPEC: none */
	struct position prefix_positions[FAMILIES];
	const char *gateway; /* the name of a namespace, or NULL */
	struct position gateway_position;
	vec(struct member) members;
};

static inline bool gateway_is_at_bridge(const struct network *network) {
	return network->gateway && streq(network->gateway, network->bridge.ns);
}

/* Reads an entry of `networks`, and gives each member its addresses. False after an error. Free with network_done(). */
bool network_read(struct expansion *x, const struct node_pair *entry, struct network *ret);
void network_done(struct network *network);
