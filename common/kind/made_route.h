/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes that the kernel makes by itself, along with an address or an interface; see made_route.c. */
#pragma once

#include "model/kind.h"

enum {
	ADDRESS_IPV6_METRIC = 256, /* of connected routes: IP6_RT_PRIO_ADDRCONF, include/uapi/linux/ipv6_route.h */
};

struct made_route {
	struct prefix to;
	uint8_t type;     /* RTN_UNICAST: in the table main; RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST: in local */
	uint32_t ifindex; /* observed */
	struct ip source; /* of one that is to be made again: its preferred source (IPv4) */
	const struct made_route *next; /* in a list */
};

extern const struct prefix made_route_link_local; /* fe80::/64, of each interface with a link-local address */
extern const struct prefix made_route_multicast;  /* ff00::/8, of each interface with IPv6 */

/* Reads one RTM_NEWROUTE of a dump. False where it is neither in the table local nor fe80::/64. Only these can stand on several
 * interfaces with one identity, so an object (struct route) cannot tell whose they are. */
bool made_route_decode(const struct nlmsghdr *nlh, struct made_route *ret);

/* By interface, type and destination; as memcmp(). */
int made_route_compare(const void *a, const void *b);

/* Adds a copy to the list. */
void made_route_add(struct arena *arena, const struct made_route **list, const struct made_route *route);

/* Makes it again by the interface with that index, as the kernel itself does. */
void made_route_put(struct nl_writer *w, const struct made_route *route, uint32_t index);
