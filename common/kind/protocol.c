/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kind/protocol.h"

#include <linux/rtnetlink.h>

const char *protocol_text(struct arena *arena, uint32_t protocol) {
	static const struct name_number names[] = {
		{ "redirect", 1 }, { "kernel", 2 }, { "boot", 3 },  { "static", 4 },  { "ra", 9 },
		{ "zebra", 11 },   { "bird", 12 },  { "dhcp", 16 }, { "babel", 42 },  { "bgp", 186 },
		{ "isis", 187 },   { "ospf", 188 }, { "rip", 189 }, { "eigrp", 192 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].number == protocol)
			return arena_printf(arena, "protocol %s", names[i].name);
	return arena_printf(arena, "protocol %u", protocol);
}

bool protocol_is_by_hand(uint32_t protocol) {
	return protocol == RTPROT_BOOT || protocol == RTPROT_STATIC; /* ip-route(8) sets boot */
}

const char *protocol_keeper(struct arena *arena, const struct object *observed, uint32_t protocol) {
	return observed->kernel_made || observed->owned || !protocol || protocol_is_by_hand(protocol)
		       ? NULL
		       : protocol_text(arena, protocol);
}
