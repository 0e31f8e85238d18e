/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What wireguard.c and wireguard_peer.c share: the requests of the generic netlink family (linux/wireguard.h). */
#pragma once

#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include "kind/link.h"

extern const struct kind kind_wireguard, kind_wireguard_peer;

/* Begins a request about the link of this name, or of this index if the name is NULL. */
static inline void wireguard_begin(struct nl_writer *w, uint16_t family, uint16_t flags, enum wg_cmd command,
				   const char *name, uint32_t ifindex) {
	struct genlmsghdr *header = nl_begin(w, family, flags, sizeof(*header));

	header->cmd = (uint8_t)command;
	header->version = WG_GENL_VERSION;
	if (name)
		nl_put_text(w, WGDEVICE_A_IFNAME, name);
	else
		nl_put_u32(w, WGDEVICE_A_IFINDEX, ifindex);
}
