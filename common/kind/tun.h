/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of /dev/net/tun, for the daemon, which makes them by ioctl; see tun.c. */
#pragma once

#include "kind/link.h"

struct change;

/* What the ioctls set in a creation, or in a change of these fields. */
struct tun_setting {
	uint16_t flags; /* of TUNSETIFF: IFF_TUN or IFF_TAP and the others, without IFF_TUN_EXCL */
	bool sets_owner, sets_group;
	uint32_t owner, group;
	bool more; /* there are messages for the rest of the change */
};

/* For changes with TRANSPORT_TUN. */
struct tun_setting tun_setting(const struct change *change);
