/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A namespace as an object: it is there or not. Its name is the one of the set that it stands in. */
#include "netns.h"

struct object *netns_object(struct arena *arena, const char *ns) {
	struct object *object = object_new(arena, &kind_netns, ns);

	object_seal(arena, object);
	return object;
}

static void noun(const struct object *object _unused_, struct text *out) {
	text_add(out, "namespace");
}

const struct kind kind_netns = {
	.name = "netns", .class = CLASS_NETNS, .transport = TRANSPORT_NETNS, .size = sizeof(struct netns),
	.noun = noun,
};
