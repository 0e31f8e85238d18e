/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which routes of others take the traffic of declared ones by a smaller metric; see route_front.c. */
#pragma once

#include "kind/route.h"

struct front {
	const struct route *declared, *better;
};

struct fronts {
	vec(const struct route *) declared; /* those that others can precede, sorted */
	vec(struct front) found;
	bool sorted;
};

void fronts_done(struct fronts *fronts);
/* Takes note of an observed route. */
void fronts_add(struct fronts *fronts, const struct ns_state *desired, const struct route *seen);
/* Puts what was found into the observed routes that topod made (route.better). */
void fronts_apply(const struct fronts *fronts, struct ns_state *seen);
