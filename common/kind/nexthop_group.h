/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The value of `group` of a next hop: which next hops share the traffic, in the file and in the kernel's messages. Whether
 * they exist and may be in a group is checked in nexthop.c.
 */
#pragma once

#include "model/kind.h"

struct nexthop_member {
	uint32_t id, weight; /* weight: 1 to 256 */
};

/* A set, sorted by id; n 0: none. */
struct nexthop_group {
	size_t n;
	struct nexthop_member *members;
};

extern const struct type type_nexthop_group;

/* Adds NHA_GROUP. */
void nexthop_group_put(struct arena *arena, struct nl_writer *w, const struct nexthop_group *group);
/* The group of an attribute NHA_GROUP; it lives in arena. */
struct nexthop_group nexthop_group_take(struct arena *arena, const struct nlattr *attr);
