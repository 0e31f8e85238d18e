/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes that the kernel makes by itself together with an address or an interface; see made_route.c.
 */
#pragma once

#include "model/kind.h"

enum {
	ADDRESS_IPV6_METRIC = 256, /* of connected routes: IP6_RT_PRIO_ADDRCONF, include/uapi/linux/ipv6_route.h */
};

struct made_route {
	struct prefix to;
	uint8_t type;            /* RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST */
	uint32_t table;          /* the table of a VRF; 0: main (RTN_UNICAST) or local */
	uint32_t ifindex;        /* observed */
	struct ip source;        /* preferred source of a route to make again (IPv4) */
	struct made_route *next; /* in a list */
};

extern const struct prefix made_route_link_local; /* fe80::/64, on each interface with a link-local address */
extern const struct prefix made_route_multicast;  /* ff00::/8, on each interface with IPv6 */

/* Reads one RTM_NEWROUTE of a dump. False if it is neither fe80::/64 nor of a type that is in the table local, or in
 * that of a VRF. Only these routes can exist on several interfaces with one identity, so a struct route cannot show which
 * interface they belong to. */
bool made_route_decode(const struct nlmsghdr *nlh, struct made_route *ret);

/* Compares by interface, table, type and destination, like memcmp(). */
int made_route_compare(const void *a, const void *b);

/* Adds a copy to a list of routes to make again, which is kept in the order of making. */
void made_route_add(struct arena *arena, struct made_route **list, const struct made_route *route);

/* Writes the request to make the route again on the interface, as the kernel makes it. */
void made_route_put(struct nl_writer *w, const struct made_route *route, uint32_t index);
