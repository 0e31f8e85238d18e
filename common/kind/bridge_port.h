/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The attributes of a bridge's port; see bridge_port.c. */
#pragma once

#include "kind/bridge_vlan.h"
#include "kind/port.h"

extern const struct kind kind_bridge_port;

struct bridge_port {
	struct port port;
	struct vlans vlans;
	uint32_t cost, priority, hairpin, isolated, learning, flood, mcast_flood, neigh_suppress, guard, root_block,
		bcast_flood, mcast_to_unicast, mcast_router, proxy_arp, locked, vlan_tunnel, group_fwd_mask;
};
