/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A namespace as an object: it exists or not. Its name is that of its struct ns_state. */
#include "kind/netns.h"
#include "model/change.h"

static const struct field fields[] = {
	[NETNS_INODE] = { .name = "inode",
			  .type = &type_text,
			  .offset = offsetof(struct netns, inode),
			  .flags = FIELD_HIDDEN | FIELD_BIRTH },
	[NETNS_BORN] = { .name = "born",
			 .type = &type_text,
			 .offset = offsetof(struct netns, born),
			 .flags = FIELD_HIDDEN | FIELD_BIRTH },
	[NETNS_COOKIE] = { .name = "cookie",
			   .type = &type_text,
			   .offset = offsetof(struct netns, cookie),
			   .flags = FIELD_HIDDEN | FIELD_BIRTH },
	[NETNS_NAMED] = { .name = "named",
			  .type = &type_bool,
			  .offset = offsetof(struct netns, named),
			  .flags = FIELD_HIDDEN | FIELD_ONE_WAY },
};

static const char *number(struct arena *arena, uint64_t number) {
	char buffer[24];
	struct text text = TEXT_IN(buffer);

	text_add_number(&text, number);
	return arena_strndup(arena, text.data, text.size);
}

struct object *netns_object(struct arena *arena, const char *ns, const struct netns_identity *identity) {
	struct object *object = object_new(arena, &kind_netns, ns);
	struct netns *netns = (struct netns *)object;

	netns->named = true;
	object->set = field_bit(NETNS_NAMED);
	if (identity) {
		netns->inode = number(arena, identity->inode);
		netns->born = number(arena, identity->born_nsec);
		object->set |= field_bit(NETNS_INODE) | field_bit(NETNS_BORN);
	}
	if (identity && identity->cookie) {
		netns->cookie = number(arena, identity->cookie);
		object->set |= field_bit(NETNS_COOKIE);
	}
	object_seal(arena, object);
	return object;
}

static void noun(const struct object *object _unused_, struct text *out) {
	text_add(out, "namespace");
}

static enum stage stage(const struct change *change) {
	return change->type == CHANGE_DELETE ? STAGE_DELETE_NAMESPACE : STAGE_NAMESPACE;
}

const struct class class_netns = {
	.name = "namespace",
	.plural = "namespaces",
	.share_by = "adopt: true",
	.stage = stage,
};

const struct kind kind_netns = {
	.name = "netns",
	.class = &class_netns,
	.transport = TRANSPORT_NETNS,
	.size = sizeof(struct netns),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.noun = noun,
};
