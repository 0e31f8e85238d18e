/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks that the routes exist that the kernel makes for addresses and links: to their networks, the entries of the table
 * local, fe80::/64, ff00::/8. They can be removed while the address stays.
 *
 * Shared by links, addresses and routes: route_source.c reads the routes, address_connected.c decides what they show about
 * addresses and links.
 */
#pragma once

#include "kind/made_route.h"
#include "model/source.h"

enum { FAMILY_IPV4 = 1, FAMILY_IPV6 = 2 };

static inline unsigned family_bit(uint8_t family) {
	return family == AF_INET6 ? FAMILY_IPV6 : FAMILY_IPV4;
}

/* A part of the routing tables to request. */
struct table {
	uint8_t family;
	uint32_t number;
	bool all;         /* everything; else, from the table main, only the kernel's own routes, and from any table … */
	uint32_t ifindex; /* … only routes over this link; 0: over any link */
};

struct connected {
	vec(struct made_route) made;
	unsigned main_read, local_read; /* the families for which these tables were read */
	vec(struct table) vrf_read;     /* … and the tables of VRFs that were read; number 0: all */
	/* Does the table (0: main) have the route as the kernel makes it? */
	bool (*has_route)(const struct source_scan *scan, const struct prefix *to, uint32_t table);
	/* Is a route of a declared object missing, and on which link? 0: on several. */
	bool any_missing;
	bool only_late; /* all missing routes are ones that the kernel may be about to make */
	uint32_t ifindex;
	vec(uint32_t) vrfs; /* the tables of VRFs in which something is missing */
};

/* The tables that contain the kernel's routes for a desired address or link. Returns how many. */
enum { CONNECTED_TABLES_MAX = 2 };
size_t connected_tables(const struct source_scan *scan, const struct object *desired,
			struct table ret[CONNECTED_TABLES_MAX]);

/* Checks whether routes of declared addresses and links are missing. finally: records what is missing now. */
void connected_judge(struct source_scan *scan, struct connected *connected, bool finally);

/* An address may disappear with its routes between its dump and theirs: request all addresses again, and drop those
 * that no longer exist. */
void connected_ask_again(struct nl_writer *w);
void connected_take_again(struct source_scan *scan, const struct nlmsghdr *nlh);
void connected_drop_gone(struct source_scan *scan);
