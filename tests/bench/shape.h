/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two topologies of the benchmark as functions: every name, interface index, address and route is computed from the
 * shape and a namespace's number, so nothing is stored or parsed.
 *
 * star    number 0 is the hub, with a bridge per 1000 hosts; 1 to n are the hosts, one link (eth0) each.
 * chain   1 to n are routers; `right` of one is linked to `left` of the next. The two outermost carry one
 *         address more, on lo, to which the routes of all the others lead.
 *
 * topology.py writes the same topologies as files for topod. If you change one, change the other; `floor check` of what
 * topod built shows whether they agree. Addresses are in host byte order here.
 */
#pragma once

#include "base/base.h"

enum {
	NS_NAME_SIZE = 32,
	IF_NAME_SIZE = 16,
	HOSTS_PER_BRIDGE = 1000, /* a bridge takes 1023 ports */
	LARGEST = 16000,
	LO_INDEX = 1,
	MTU = 1500,
};

struct shape {
	bool star;
	unsigned n;
	unsigned queues; /* of each end of a veth; 0: the kernel's choice */
};

/* One end of a link, seen from its own namespace, with all that stands on it. */
struct end {
	char name[IF_NAME_SIZE];
	int index;
	uint32_t address;
	uint8_t prefix;
	uint32_t to, via; /* the one route through it; none where via is 0 */
	uint8_t to_prefix;
};

struct bridge {
	char name[IF_NAME_SIZE];
	int index;
	uint32_t address;
	uint8_t prefix;
};

static inline unsigned shape_first(const struct shape *s) {
	return s->star ? 0 : 1;
}
static inline bool shape_is_hub(const struct shape *s, unsigned ns) {
	return s->star && ns == 0;
}
/* Does this namespace forward? */
static inline bool shape_forwards(const struct shape *s, unsigned ns) {
	return !s->star || ns == 0;
}
void shape_ns_name(const struct shape *s, unsigned ns, char ret_name[NS_NAME_SIZE]);

/* The ends in a namespace that is not the hub: 1 in a star, 1 or 2 in a chain. */
unsigned shape_ends(const struct shape *s, unsigned ns, struct end ret_ends[2]);
/* An outermost router's own address, 0 for any other namespace. */
uint32_t shape_lo_address(const struct shape *s, unsigned ns);

unsigned shape_bridges(const struct shape *s);
struct bridge shape_bridge(unsigned k);
/* Which bridge a host hangs on, and the hub's end of its link. */
unsigned shape_bridge_of(unsigned host);
void shape_port(unsigned host, char ret_name[IF_NAME_SIZE], int *ret_index);
