/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What route.c, route_hops.c and route_wire.c share. */
#pragma once

#include "kind/route.h"

extern const struct field route_fields[];

extern const struct type type_nexthops; /* struct nexthops */

/* The keys of a next hop. */
enum hop_key { HOP_VIA, HOP_DEV, HOP_WEIGHT, HOP_ON_LINK, HOP_ENCAP, HOP_N_KEYS };

/* Reports what the kernel would refuse about a single next hop. */
void route_check_hop(struct parse *p, const struct nexthop *hop, const struct position positions[HOP_N_KEYS]);
void nexthops_sort(struct nexthops *hops);
int route_encode(struct encode *encode, const struct change *change);
bool route_trial(struct encode *encode, const struct object *desired, size_t i, struct trial *ret); /* see struct kind */
