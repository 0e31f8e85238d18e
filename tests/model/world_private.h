/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the files world*.c only: the functions that they share.
 */
#pragma once

#include "world.h"

#define drop_where(list, item, condition)                                        \
	do {                                                                     \
		size_t _kept = 0;                                                \
		for (size_t _i = 0; _i < (list)->n; _i++) {                      \
			__typeof__((list)->items + 0) item = (list)->items + _i; \
			if (!(condition))                                        \
				(list)->items[_kept++] = (list)->items[_i];      \
		}                                                                \
		(list)->n = _kept;                                               \
	} while (0)

void name_event(struct world *w, const char *name);
void addresses_changed(struct world *w, struct w_ns *ns, const struct w_link *link);
void route_changed(struct world *w, struct w_ns *ns, const struct w_route *route);

bool leads_over(const struct w_route *route, const struct w_link *link);
/* Removes its IPv6 addresses and the routes by it (addrconf_ifdown()). */
void drop_ipv6(struct world *w, struct w_link *link);
/* Removes routes by the link, after it was deleted, lost its last address, or went down. family 0: all. */
void cut_routes(struct w_link *link, uint8_t family, bool gone);
/* The entries of an address, see world_made.c. */
void address_add_entries(struct world *w, const struct w_address *address);
void address_drop_entries(struct world *w, const struct w_address *gone);
/* As cut_routes(): while the link is only down, local entries stay. */
void cut_made(struct w_link *link, uint8_t family, bool gone);
/* See world_raw.c. */
void add_rules_of_kernel(struct world *w, struct w_ns *ns);
/* What new links inherit (devinet_sysctl, addrconf's devconf_dflt). */
void inherit_settings(struct w_ns *ns, struct w_link *link);
