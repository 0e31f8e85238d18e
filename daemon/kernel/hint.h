/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an event says about where to look. It is never the truth: an event may be old, and several events of one
 * thing may come at once; the kernel is asked.
 */
#pragma once

#include "net/ip.h"

enum hint_type {
	HINT_NAMESPACE,  /* anything in it, or the namespace itself */
	HINT_LINK,       /* a link, and what a change of it may do silently to what stands on it */
	HINT_PORT,       /* a bridge's view of a port: its attributes there, and nothing else of the link */
	HINT_FORWARDING, /* a link's forwarding table, and nothing else of it */
	HINT_ADDRESS,    /* the addresses of a link, and the routes that come and go with them */
	HINT_ROUTE,      /* one route */
	HINT_SETTING,    /* settings of one link, or those of none */
	HINT_NAT,        /* an nftables table */
	HINT_NEIGHBOUR,  /* a neighbour of a link is gone: who has an address, or any in a bridge */
	HINT_FILE,       /* the namespace's files in /etc/netns */
};

/* Texts are valid during the call. What an event left out, or what was cut off, is zero or NULL. */
struct hint {
	enum hint_type type;
	uint32_t ifindex;  /* LINK, PORT, FORWARDING, ADDRESS, SETTING (0: of no one link); ROUTE: where to */
	const char *link;  /* LINK, PORT: the name that it has by then */
	const char *alias; /* LINK: likewise; topod marks its own by it */
	bool down;         /* LINK: it is not up, or gone: what stood on it was lost with that */
	const char *table; /* NAT: its name */
	struct prefix to;  /* NEIGHBOUR: the address, family 0: any; ROUTE: its identity … */
	uint32_t route_table, tos, metric;
	bool by_kernel; /* … and whether the kernel made it (the one to an address's prefix; of the table local only its end) */
};
