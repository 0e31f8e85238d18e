/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the routes are there that the kernel makes along with addresses and links: those to their networks, the entries of the
 * table local, fe80::/64, ff00::/8; of a VRF and its ports all of these stand in its table. They can be taken away while the address stays. Shared by links, addresses and routes: routes are read by route_source.c,
 * and what they say of addresses and links is judged by address_connected.c.
 */
#pragma once

#include "kind/made_route.h"
#include "model/source.h"

enum { FAMILY_IPV4 = 1, FAMILY_IPV6 = 2 };

static inline unsigned family_bit(uint8_t family) {
	return family == AF_INET6 ? FAMILY_IPV6 : FAMILY_IPV4;
}

/* A part of the routing tables that is asked for. */
struct table {
	uint8_t family;
	uint32_t number;
	bool all;         /* else only, of the table main, what the kernel itself put there, and of any … */
	uint32_t ifindex; /* … what leads over this link; 0: over any */
};

struct connected {
	vec(struct made_route) made;
	unsigned main_read, local_read; /* the families of which these tables were read … */
	vec(struct table) vrf_read;     /* … and those of VRFs; number 0: all */
	/* As the kernel makes it; table 0: main. */
	bool (*has_route)(const struct source_scan *scan, const struct prefix *to, uint32_t table);
	/* Is something declared missing, and of which link? 0: of several. */
	bool any_missing;
	bool only_late; /* … that the kernel may have yet to make? */
	uint32_t ifindex;
	vec(uint32_t) vrfs; /* the tables of VRFs in which something is missing */
};

/* The tables in which the routes would be that come with a desired address or link. Returns how many. */
enum { CONNECTED_TABLES_MAX = 2 };
size_t connected_tables(const struct source_scan *scan, const struct object *desired,
			struct table ret[CONNECTED_TABLES_MAX]);

/* Is anything missing of what comes with the declared addresses and links? finally: what is missing now is noted as missing. */
void connected_judge(struct source_scan *scan, struct connected *connected, bool finally);

/* An address may have gone, with its routes, between its dump and theirs: asks for all addresses again, and drops those that are
 * not there any more. */
void connected_ask_again(struct nl_writer *w);
void connected_take_again(struct source_scan *scan, const struct nlmsghdr *nlh);
void connected_drop_gone(struct source_scan *scan);
