/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links that topod finds rather than makes. `existing` is any link that exists without topod; only the declared fields
 * are managed. `loopback` is the lo of each namespace. `other` is an observed link of a kind that topod does not know.
 */
#include "kind/link.h"

const struct field link_common_fields[LINK_N_FIELDS] = {
	LINK_FIELDS_UP_TO(LINK_MTU_MAX_OTHER, "1500", "true", "true", "1000"),
};

/* Defaults as in loopback_setup(), drivers/net/loopback.c. */
static const struct field loopback_fields[] = {
	LINK_FIELDS_UP_TO(LINK_MTU_MAX_OTHER, "65536", "true", "false", "1000"),
};

/* Its index identifies the link after somebody has renamed it. */
static const struct field existing_fields[] = {
	LINK_FIELDS_UP_TO(LINK_MTU_MAX_OTHER, "1500", "true", "true", "1000"),
	[LINK_N_FIELDS] = { .name = "index",
			    .type = &type_integer,
			    .offset = offsetof(struct link, ifindex),
			    .max = INT32_MAX,
			    .flags = FIELD_HIDDEN | FIELD_ONCE },
};

static void noun(const struct object *object, struct text *out) {
	const struct link *link = (const struct link *)object;

	if (link->kind_text && *link->kind_text)
		text_addf(out, "%s link", link->kind_text);
	else
		text_add(out, "link");
}

const struct kind kind_existing = {
	.name = "existing",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct link),
	.fields = existing_fields,
	.n_fields = ARRAY_SIZE(existing_fields),
	.any_kind = true,
	.found = true,
	.encode = link_encode,
	.noun = noun,
};

const struct kind kind_loopback = {
	.name = "loopback",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct link),
	.fields = loopback_fields,
	.n_fields = ARRAY_SIZE(loopback_fields),
	.unnamed = true,
	.any_kind = true,
	.found = true,
	.encode = link_encode,
	.noun = noun,
};

const struct kind kind_other = {
	.name = "other",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct link),
	.fields = link_common_fields,
	.n_fields = LINK_N_FIELDS,
	.unnamed = true,
	.markable = true,
	.encode = link_encode,
	.noun = noun,
};
