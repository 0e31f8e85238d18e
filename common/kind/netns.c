/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A namespace as an object: it exists or not. Its name is that of its struct ns_state.
 *
 * An attached namespace comes and goes without topod (object.awaited). The scan checks by the cookie that it is the one that
 * was attached last; here it only exists or not.
 */
#include "kind/netns.h"
#include "model/change.h"

static const struct enum_name attach_sources[] = {
	{ "call", ATTACH_CALL }, { "pidfile", ATTACH_PIDFILE },     { "path", ATTACH_PATH },
	{ "unit", ATTACH_UNIT }, { "container", ATTACH_CONTAINER }, {},
};

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
			   .flags = FIELD_HIDDEN | FIELD_BIRTH | FIELD_UNIQUE },
	[NETNS_NAMED] = { .name = "named",
			  .type = &type_bool,
			  .offset = offsetof(struct netns, named),
			  .flags = FIELD_HIDDEN | FIELD_ONE_WAY },
	[NETNS_LINK] = { .name = "link",
			 .type = &type_text,
			 .offset = offsetof(struct netns, link),
			 .flags = FIELD_HIDDEN | FIELD_BIRTH },
	[NETNS_OWNER] = { .name = "owner",
			  .type = &type_text,
			  .offset = offsetof(struct netns, owner),
			  .flags = FIELD_HIDDEN | FIELD_BIRTH },
	[NETNS_SOURCE] = { .name = "source",
			   .type = &type_enum,
			   .names = attach_sources,
			   .offset = offsetof(struct netns, source),
			   .flags = FIELD_HIDDEN | FIELD_ONCE },
	[NETNS_VALUE] = { .name = "value",
			  .type = &type_text,
			  .offset = offsetof(struct netns, value),
			  .flags = FIELD_HIDDEN | FIELD_ONCE },
};

static const char *number(struct arena *arena, uint64_t number) {
	char buffer[24];
	struct text text = TEXT_IN(buffer);

	text_add_number(&text, number);
	return arena_strndup(arena, text.data, text.size);
}

struct netns_identity netns_identity_read(const char *inode, const char *cookie) {
	return (struct netns_identity){
		.inode = inode ? strtoull(inode, NULL, 10) : 0,
		.cookie = cookie ? strtoull(cookie, NULL, 10) : 0,
	};
}

struct object *netns_object(struct arena *arena, const char *ns, const struct netns_identity *identity) {
	struct object *object = object_new(arena, &kind_netns, ns);
	struct netns *netns = (struct netns *)object;

	netns->named = true;
	object->set = field_bit(NETNS_NAMED);
	if (identity) {
		netns->inode = number(arena, identity->inode);
		object->set |= field_bit(NETNS_INODE);
	}
	if (identity && identity->born_nsec) {
		netns->born = number(arena, identity->born_nsec);
		object->set |= field_bit(NETNS_BORN);
	}
	if (identity && identity->cookie) {
		netns->cookie = number(arena, identity->cookie);
		object->set |= field_bit(NETNS_COOKIE);
	}
	object_seal(arena, object);
	return object;
}

void netns_set_attach(struct object *object, const struct attach *attach) {
	struct netns *netns = (struct netns *)object;

	object->external = object->awaited = true;
	netns->source = attach->source;
	object->set |= field_bit(NETNS_SOURCE);
	if (!attach->value)
		return;
	netns->value = attach->value;
	object->set |= field_bit(NETNS_VALUE);
}

static void noun(const struct object *object _unused_, struct text *out) {
	text_add(out, "namespace");
}

static enum stage stage(const struct change *change) {
	return change->type == CHANGE_DELETE ? STAGE_DELETE_NAMESPACE : STAGE_NAMESPACE;
}

const struct class class_netns = {
	.name = "namespace",
	.sections = netns_sections,
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
	.settle = netns_settle,
};
