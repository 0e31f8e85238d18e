/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dummy: an interface that drops everything sent to it. */
#include "kind/link.h"

/* Defaults as in dummy_setup(), drivers/net/dummy.c, which sets no limit for the MTU. */
static const struct field fields[] = { LINK_FIELDS_UP_TO(LINK_MTU_MAX_OTHER, "1500", "false", "false", "1000") };

const struct kind kind_dummy = {
	.name = "dummy",
	.doc = "An interface that drops everything sent to it; a place for addresses.",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct link),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "dummy",
	.markable = true,
	.encode = link_encode,
};
