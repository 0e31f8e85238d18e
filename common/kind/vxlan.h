/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vxlan.c and vxlan_ends.c share: a vxlan, and the two types of fields for the destinations of unknown addresses. */
#pragma once

#include "kind/link.h"
#include "model/set.h"
#include "model/source.h"

/* A forwarding entry for unknown addresses. */
struct destination {
	struct destination *next;
	struct ip ip;
	uint32_t vni, ifindex; /* 0: the link's own */
	uint16_t port;         /* 0: the link's own; in network order */
	bool plain;            /* in the form that the link itself makes */
};

struct far_end {
	struct ip ip;                      /* first, so that type_ip can read and write it */
	bool looked_up;                    /* observed: the forwarding table was read … */
	const struct destination *entries; /* … and contains this, in the order in which frames are sent */
};

/* All remote ends; the link itself shows none of them. */
struct far_ends {
	struct value_set set; /* desired */
	bool looked_up;       /* observed: as in struct far_end */
	const struct destination *entries;
};

extern const struct kind kind_vxlan;

struct vxlan {
	struct link link;
	uint32_t id, port, ttl, tos, learning, ageing_time, udp_checksum, source_ports, proxy, l2_miss, l3_miss, gbp, df,
		external, vni_filter, limit;
	struct ip local;
	struct far_end remote, group;
	struct far_ends remotes;
	struct link_ref dev, underlay;
};

enum { ID = LINK_N_FIELDS, PORT, LOCAL, REMOTE, GROUP, DEV, UNDERLAY, EXTERNAL, VNI_FILTER, GBP, REMOTES };

extern const struct type type_far_end, type_far_ends;
/* The forwarding table, as far as it is about unknown addresses. */
extern const struct source vxlan_forwarding;
/* kind->encode and kind->fallback. */
int vxlan_encode(struct encode *encode, const struct change *change);
const char *vxlan_fallback(struct arena *arena, const struct ns_state *ns, const struct object *desired, size_t field);
