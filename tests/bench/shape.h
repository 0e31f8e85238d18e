/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The topologies of the benchmark as functions: every name, interface index, address and route is computed from the
 * shape and a namespace's number, so nothing is stored or parsed.
 *
 * star    number 0 is the hub, with a bridge per 1000 hosts; 1 to n are the hosts, one link (eth0) each.
 * chain 1 to n are routers; `right` of one is linked to `left` of the next. The two outermost have one more address, on lo,
 * to which the routes of all the others lead.
 *
 * campus  a star whose hosts have a macvlan on one link of the hub instead of a bridge's port, and each host what a
 *         filtered and shaped one has besides: policy rules, a neighbour, a next hop, a qdisc, filter rules.
 * vlans   the same on a filtering bridge of which each host is in a VLAN, in a VRF, for kernels that have these;
 *         without the filter.
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

enum form { STAR, CHAIN, CAMPUS, VLANS, FORMS };
extern const char *const form_names[FORMS];

struct shape {
	enum form form;
	unsigned n;
	unsigned queues; /* of each end of a veth; 0: the kernel's choice */
};

/* One end of a link, seen from its own namespace, with everything on it. */
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

static inline bool shape_has_hub(const struct shape *s) {
	return s->form != CHAIN;
}
static inline unsigned shape_first(const struct shape *s) {
	return shape_has_hub(s) ? 0 : 1;
}
static inline bool shape_is_hub(const struct shape *s, unsigned ns) {
	return shape_has_hub(s) && ns == 0;
}
/* Does this namespace forward? */
static inline bool shape_forwards(const struct shape *s, unsigned ns) {
	return s->form == CHAIN || (s->form == STAR && ns == 0);
}
/* Do its hosts have rules, neighbours and the like? */
static inline bool shape_is_campus(const struct shape *s) {
	return s->form == CAMPUS || s->form == VLANS;
}
void shape_ns_name(const struct shape *s, unsigned ns, char ret_name[NS_NAME_SIZE]);

/* The ends in a namespace that is not the hub: 1 in a star, 1 or 2 in a chain. */
unsigned shape_ends(const struct shape *s, unsigned ns, struct end ret_ends[2]);
/* An outermost router's own address, 0 for any other namespace. */
uint32_t shape_lo_address(const struct shape *s, unsigned ns);

/* Of a star: how many bridges. Of the others with a hub: how many networks. */
unsigned shape_bridges(const struct shape *s);
struct bridge shape_bridge(unsigned k);
/* Which bridge a host hangs on, and the hub's end of its link. */
unsigned shape_bridge_of(unsigned host);
void shape_port(unsigned host, char ret_name[IF_NAME_SIZE], int *ret_index);

/* What each host of the campus has. */
enum { POLICY_RULES = 2, FILTER_RULES = 10, NEXTHOP_ID = 1, VRF_INDEX = 50, VRF_TABLE = 10 };
#define VRF_NAME "red"

struct policy_rule {
	uint32_t priority, table, mark;
	uint32_t from;
	uint8_t from_prefix; /* 0: from everywhere */
};
struct policy_rule shape_policy_rule(unsigned number);

/* The hub's link on which the macvlans stand, and its other end, which has the gateways' addresses. */
enum { UPLINK_INDEX = 2, GATEWAY_INDEX = 3 };
#define UPLINK_NAME "up0"
#define GATEWAY_NAME "up1"

/* The VLAN of a host's port. */
uint16_t shape_vlan(unsigned host);
