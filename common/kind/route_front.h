/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of several routes with one identity counts, and which foreign routes take the traffic of declared ones because of a
 * smaller metric; see route_front.c. */
#pragma once

#include "kind/route.h"

struct front {
	const struct route *declared, *better;
};

struct fronts {
	vec(const struct route *) declared; /* declared routes that others can precede, sorted */
	vec(struct front) found;
	bool sorted;
};

/* Of several routes with one identity (`ip route append`), topod's counts, or the one that topod gave back; otherwise the
 * first, which the kernel uses. True if `route` counts although it is not the first, which then hides it (route.front). */
bool route_takes_place(const struct ns_state *desired, struct route *route, const struct object *first);

void fronts_done(struct fronts *fronts);
/* Records an observed route. */
void fronts_add(struct fronts *fronts, const struct ns_state *desired, const struct route *seen);
/* Stores the results in the observed routes that topod made (route.better). */
void fronts_apply(const struct fronts *fronts, struct ns_state *seen);
