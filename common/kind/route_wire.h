/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What route.c and route_wire.c share. */
#pragma once

#include "kind/route.h"

extern const struct field route_fields[];

void nexthops_sort(struct nexthops *hops);
int route_encode(struct encode *encode, const struct change *change);
