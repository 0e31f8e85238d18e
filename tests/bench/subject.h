/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What drift.c disturbs and repair.c repairs: the kinds, and how events show them. */
#pragma once

#include "floor.h"
#include "wire.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>

enum kind { ADDRESS, ROUTE, UP, CHANGED_MTU, MASTER, NFT, LINK, /* of a campus: */ RULE, NEIGHBOR, QDISC, FILTER, KINDS };
enum { DISTURBED_RULE = 0 }; /* its number in the shape */

extern const char *const kind_names[KINDS];

/* What is disturbed: one end, or the hub's end of a host's link. */
struct subject {
	const struct shape *shape;
	enum kind kind;
	unsigned ns;
	struct end end;
	uint32_t gateway; /* of a campus */
	int master;
};

/* Between two disturbances. */
void pause_ms(double ms);

/* A run of latencies. */
struct times {
	double *ms;
	size_t count, room;
};

void times_done(struct times *t);
void add_time(struct times *t, double ms);
/* Sorts them. */
void print_times(const char *prefix, struct times *t);

/* An event, reduced to what the subjects differ in. */
struct event {
	uint16_t type;
	int index, master;
	uint8_t family, protocol;
	uint32_t mtu, flags;
	uint32_t address, to, via, priority;
	uint16_t state; /* of a neighbour */
	uint32_t handle, parent;
	char name[IF_NAME_SIZE];
};

struct event read_event(const struct nlmsghdr *h);
bool is_nft(const struct event *e, uint16_t message);
/* Does the event show that the subject has changed? */
bool says_gone(const struct subject *s, const struct event *e);
/* The parts of the subject that the event shows to be back, and all its parts, one bit each. */
unsigned bits_back(const struct subject *s, const struct event *e);
unsigned bits_wanted(enum kind kind);

int kind_protocol(enum kind kind);
/* A socket for the events of that kind, in the calling thread's namespace. */
int listen_here(enum kind kind);
