/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nlmon: shows the netlink messages of its namespace to a packet capture. */
#include "kind/link.h"

/* nlmon_setup(), drivers/net/nlmon.c. */
static const struct field fields[] = { LINK_FIELDS_UP_TO(LINK_MTU_MAX_OTHER, "3776", "false", "false", "1000") };

const struct kind kind_nlmon = {
	.name = "nlmon",
	.doc = "Shows the netlink messages of its namespace to a packet capture.",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct link),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "nlmon",
	.markable = true,
	.no_mac = true,
	.encode = link_encode,
};
