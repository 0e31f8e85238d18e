/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ifb: an interface to which tc redirects incoming traffic so that it can be shaped. */
#include "kind/link.h"

/* Defaults as in ifb_setup(), drivers/net/ifb.c, which sets no limit for the MTU. */
static const struct field fields[] = { LINK_FIELDS_UP_TO(LINK_MTU_MAX_OTHER, "1500", "false", "false", "32") };

const struct kind kind_ifb = {
	.name = "ifb",
	.doc = "An interface to which tc redirects incoming traffic so that it can be shaped.",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct link),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "ifb",
	.markable = true,
	.encode = link_encode,
};
