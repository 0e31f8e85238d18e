/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An IPv4 or IPv6 address of a link; see address.c. */
#pragma once

#include "model/state.h"

extern const struct kind kind_address;

struct address {
	struct object object;
	const char *dev;
	struct prefix address;   /* with a peer, the length is the peer's */
	struct prefix peer;      /* family AF_UNSPEC: none */
	uint32_t scope, nodad, noprefixroute, protocol, connected, primary;
	const char *label;
	struct ip broadcast;
	bool bare;               /* desired: written without a length */
};

enum {
	ADDRESS_IPV6_METRIC = 256, /* of connected routes: IP6_RT_PRIO_ADDRCONF, include/uapi/linux/ipv6_route.h */
};

enum address_field {
	ADDRESS_DEV, ADDRESS_ADDRESS, ADDRESS_PEER, ADDRESS_SCOPE, ADDRESS_LABEL, ADDRESS_BROADCAST, ADDRESS_NODAD,
	ADDRESS_NOPREFIXROUTE, ADDRESS_PROTOCOL, ADDRESS_CONNECTED, ADDRESS_PRIMARY,
};

/* Reads one entry of `addresses`, a prefix or a mapping, for the link dev; NULL on error. Sealed. */
struct address *address_parse(struct parse *p, const char *dev, const struct node *node);

/* Of several IPv4 addresses of one subnet the first that is declared is the primary one, by which the kernel chooses the source
 * address: marks those of a desired namespace. */
void address_set_primary(struct address *address, bool primary);
void address_mark_primaries(const struct ns_state *desired);
/* Where an undeclared address is of the subnet, its order is not topod's: what was seen counts as right. */
void address_settle_primaries(const struct ns_state *seen, const struct ns_state *desired);

/* Does the kernel put a route to the address's prefix along with it? */
bool address_has_connected_route(const struct address *address);
/* Where that leads. */
struct prefix address_connected_network(const struct address *address);
/* Notes whether that route is there: an address alone cannot tell. */
void address_set_connected(struct address *address, bool connected);

/* One RTM_NEWADDR of a dump; NULL where it cannot be used. Sealed. */
struct address *address_decode(const struct decode *decode, const struct nlmsghdr *nlh);
