/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The routes that the kernel makes along with addresses: those to their prefixes, the entries of the table local, fe80::/64.
 * They can be taken away while the address stays. Shared by links, addresses and routes: routes are read by route_source.c,
 * and what they say of addresses and links is judged by address_connected.c.
 */
#pragma once

#include "model/source.h"

enum { FAMILY_IPV4 = 1, FAMILY_IPV6 = 2 };

static inline unsigned family_bit(uint8_t family) {
	return family == AF_INET6 ? FAMILY_IPV6 : FAMILY_IPV4;
}

/* A route that several links may have, and that the identity of a route does not tell apart: an entry of the table local, and
 * fe80::/64, which stands here as the address fe80::. */
struct made_route {
	uint32_t ifindex;
	struct ip to;
};

/* A part of the routing tables that is asked for. */
struct table {
	uint8_t family;
	uint32_t number;
	bool all;         /* else only what the kernel itself put there … */
	uint32_t ifindex; /* … by this link; 0: by any */
};

struct connected {
	vec(struct made_route) made;
	unsigned main_read, local_read; /* the families of which these tables were read */
	bool (*has_route)(const struct source_scan *scan,
			  const struct prefix *to); /* in the table main, as the kernel makes it */
	/* Is something declared missing, and of which link? 0: of several. */
	bool any_missing;
	uint32_t ifindex;
};

/* The tables in which the routes would be that come with a desired address or link. Returns how many. */
size_t connected_tables(const struct source_scan *scan, const struct object *desired, struct table ret[2]);

/* Notes for each address, and each link that has a link-local one, whether their routes are there. finally: what is missing
 * now is missing. */
void connected_judge(struct source_scan *scan, struct connected *connected, bool finally);

/* An address may have gone, with its routes, between its dump and theirs: asks for all addresses again, and drops those that are
 * not there any more. */
void connected_ask_again(struct nl_writer *w);
void connected_take_again(struct source_scan *scan, const struct nlmsghdr *nlh);
void connected_drop_gone(struct source_scan *scan);
