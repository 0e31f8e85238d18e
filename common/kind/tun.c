/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tun and tap: a device whose other end is a program that opens /dev/net/tun (drivers/net/tun.c). A tun carries IP packets, a
 * tap Ethernet frames. topod makes it persistent, so that it is there before the program and stays after it.
 *
 * The device is made, and the fields of this file are changed, by ioctl (TRANSPORT_TUN, daemon/kernel/transport.c); the rest
 * goes by rtnetlink. encode() writes the rtnetlink messages: those of a creation are sent while the descriptor is open and
 * the device not yet persistent, so that nothing is left if one is refused.
 *
 * The kernel calls both kinds "tun"; IFLA_TUN_TYPE tells them apart. packet-info and vnet-header are also set by each
 * program that opens the device. While it is open, only the program can change them.
 */
#include "kind/tun.h"

#include <linux/if_tun.h>

#include "model/change.h"
#include "model/section.h"

struct tun {
	struct link link;
	uint32_t owner, group; /* 0: none; else the number + 1 */
	uint32_t multi_queue, persistent;
	uint32_t packet_info, vnet_header; /* observed: or BY_PROGRAM */
};

enum { OWNER = LINK_N_FIELDS, GROUP, MULTI_QUEUE, PACKET_INFO, VNET_HEADER, PERSISTENT };

static const uint64_t BY_IOCTL = UINT64_C(1) << OWNER | UINT64_C(1) << GROUP | UINT64_C(1) << MULTI_QUEUE |
				 UINT64_C(1) << PACKET_INFO | UINT64_C(1) << VNET_HEADER | UINT64_C(1) << PERSISTENT;

enum {
	TAP_MTU_MAX = 65521, /* 65535 less the Ethernet header: tun_net_initialize() */
};

/* ---- users and groups ---- */

static bool account_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);
	bool group = field->attr == IFLA_TUN_GROUP;
	uint32_t number;

	if (!text)
		return false;
	if (streq(text, "none")) {
		*(uint32_t *)value = 0;
		return true;
	}
	if (parse_u32(text, &number) < 0 && !(p->find_account && p->find_account(text, group, &number))) {
		diag_error(p->diags, node->position, "this machine has no %s '%s'; write a name or a number",
			   group ? "group" : "user", text);
		return false;
	}
	if (number == UINT32_MAX) {
		diag_error(p->diags, node->position, "'%s' must be from 0 to %u, not %s", field->name, UINT32_MAX - 1, text);
		return false;
	}
	*(uint32_t *)value = number + 1;
	return true;
}

static void account_print(const struct field *field _unused_, const void *value, struct text *out) {
	uint32_t account = *(const uint32_t *)value;

	if (account)
		text_addf(out, "%u", account - 1);
	else
		text_add(out, "none");
}

static bool account_equal(const void *a, const void *b) {
	return *(const uint32_t *)a == *(const uint32_t *)b;
}

static bool account_get(struct arena *arena _unused_, const struct field *field _unused_, const struct nlattr *attr,
			void *value) {
	if (mnl_attr_get_payload_len(attr) < sizeof(uint32_t))
		return false;
	*(uint32_t *)value = mnl_attr_get_u32(attr) + 1;
	return true;
}

static const struct type type_account = {
	.name = "name or number",
	.schema = "{\"type\": [\"integer\", \"string\"]}",
	.size = sizeof(uint32_t),
	.parse = account_parse,
	.print = account_print,
	.equal = account_equal,
	.get = account_get,
};

/* ---- what a program sets, too ---- */

enum { BY_PROGRAM = 2 }; /* observed, besides false and true: the device is open */

static bool flag_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct node plain = *node;

	plain.quoted = false; /* texts from the ledger */
	return type_bool.parse(p, field, &plain, value);
}

static void flag_print(const struct field *field, const void *value, struct text *out) {
	type_bool.print(field, value, out);
}

static bool flag_equal(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x == y || x == BY_PROGRAM || y == BY_PROGRAM;
}

static bool flag_get(struct arena *arena, const struct field *field, const struct nlattr *attr, void *value) {
	return type_bool.get(arena, field, attr, value);
}

static const struct type type_flag = {
	.name = "boolean",
	.schema = "{\"type\": \"boolean\"}",
	.size = sizeof(uint32_t),
	.parse = flag_parse,
	.print = flag_print,
	.equal = flag_equal,
	.get = flag_get,
};

/* A device has a carrier while a program has it open. */
static void get_data(struct object *object, const struct nlattr *const *data) {
	struct tun *tun = (struct tun *)object;
	uint32_t queues = nl_get_u32(data[IFLA_TUN_NUM_QUEUES], 0) + nl_get_u32(data[IFLA_TUN_NUM_DISABLED_QUEUES], 0);

	if (queues || !tun->link.no_carrier)
		tun->packet_info = tun->vnet_header = BY_PROGRAM;
}

/* ---- the table ---- */

#define ROW(key, member, value_type, number, ...)                                                                           \
	{                                                                                                                   \
		.name = key, .type = value_type, .offset = offsetof(struct tun, member), .wire = WIRE_DATA, .attr = number, \
		__VA_ARGS__                                                                                                 \
	}
#define TUN_FIELDS                                                                                                          \
	[OWNER] = ROW("owner", owner, &type_account, IFLA_TUN_OWNER, .flags = FIELD_LEFT_OUT, .fallback = "none",           \
		      .doc = "The user who may open it: a name or a number; by default only root and members of `group`."), \
	[GROUP] = ROW("group", group, &type_account, IFLA_TUN_GROUP, .flags = FIELD_LEFT_OUT, .fallback = "none",           \
		      .doc = "The group whose members may open it: a name or a number."),                                   \
	[MULTI_QUEUE] = ROW("multi-queue", multi_queue, &type_bool, IFLA_TUN_MULTI_QUEUE, .class = FIELD_RECREATE,          \
			    .form = FORM_U8, .fallback = "false",                                                           \
			    .doc = "Whether it can be opened several times, each time with a separate queue."),             \
	[PACKET_INFO] = ROW("packet-info", packet_info, &type_flag, IFLA_TUN_PI, .form = FORM_U8, .fallback = "false",      \
			    .doc = "Whether each packet is preceded by its protocol. A program that opens the device sets " \
				   "this, too."),                                                                           \
	[VNET_HEADER] = ROW(                                                                                                \
		"vnet-header", vnet_header, &type_flag, IFLA_TUN_VNET_HDR, .form = FORM_U8, .fallback = "false",            \
		.doc = "Whether each packet is preceded by a virtio header. A program that opens the device sets this, "    \
		       "too."),                                                                                             \
	[PERSISTENT] = ROW("persistent", persistent, &type_bool, IFLA_TUN_PERSIST, .flags = FIELD_HIDDEN, .form = FORM_U8,  \
			   .initial = "true", .fallback = "true", .doc = "Whether it stays when no program has it open.")

static const struct field tun_fields[] = {
	LINK_FIELDS_NO_HEADER(LINK_MTU_MAX, "1500", "true", "500"),
	TUN_FIELDS,
};
static const struct field tap_fields[] = {
	LINK_FIELDS_UP_TO(TAP_MTU_MAX, "1500", "true", "true", "1000"),
	TUN_FIELDS,
};

/* ---- changes ---- */

extern const struct kind kind_tun, kind_tap;

static bool is_tun(const struct nlattr *const *data) {
	return nl_get_u8(data[IFLA_TUN_TYPE], 0) == IFF_TUN;
}

static bool is_tap(const struct nlattr *const *data) {
	return nl_get_u8(data[IFLA_TUN_TYPE], 0) == IFF_TAP;
}

static enum transport transport_of(const struct change *change) {
	bool ioctl = change->type == CHANGE_CREATE || (change->type == CHANGE_UPDATE && change->fields & BY_IOCTL);

	return ioctl ? TRANSPORT_TUN : TRANSPORT_ROUTE;
}

/* Opening the device sets all of its flags; undeclared ones are set to their present values. */
static bool is_on(const struct change *change, size_t i, bool otherwise) {
	const struct object *want = change->desired, *have = change->observed;
	const struct object *from = object_has(want, i) ? want : have && have->kind == want->kind ? have : NULL;

	return from ? *(const uint32_t *)field_of(&want->kind->fields[i], from) == true : otherwise;
}

struct tun_setting tun_setting(const struct change *change) {
	const struct tun *tun = (const struct tun *)change->desired;
	bool tap = change->desired->kind == &kind_tap;

	return (struct tun_setting){
		.flags = (uint16_t)((tap ? IFF_TAP : IFF_TUN) | (is_on(change, PACKET_INFO, false) ? 0 : IFF_NO_PI) |
				    (is_on(change, VNET_HEADER, false) ? IFF_VNET_HDR : 0) |
				    (is_on(change, MULTI_QUEUE, false) ? IFF_MULTI_QUEUE : 0)),
		.sets_owner = change->fields >> OWNER & 1 && tun->owner,
		.sets_group = change->fields >> GROUP & 1 && tun->group,
		.owner = tun->owner - 1,
		.group = tun->group - 1,
		.more = change->type == CHANGE_CREATE || change->fields & ~BY_IOCTL,
	};
}

static int encode_tun(struct encode *encode, const struct change *change) {
	const struct link *link = (const struct link *)change->desired;
	struct change rest = *change;

	if (change->type == CHANGE_DELETE)
		return link_encode(encode, change);
	rest.type = CHANGE_UPDATE;
	rest.fields &= ~BY_IOCTL;
	if (change->type == CHANGE_CREATE) {
		uint32_t index = encode_ifindex(encode, link->object.ns, link->name);
		struct ifinfomsg *ifi = link_begin(encode, RTM_NEWLINK, 0);

		ifi->ifi_index = (int)index;
		nl_put_u32(encode->writer, IFLA_GROUP, TOPOD_LINK_GROUP);
	}
	return link_encode(encode, &rest);
}

/* No ioctl can remove an owner. */
static bool recreate(const struct object *desired, const struct object *observed _unused_, uint64_t differs) {
	const struct tun *tun = (const struct tun *)desired;

	return (differs >> OWNER & 1 && !tun->owner) || (differs >> GROUP & 1 && !tun->group);
}

static void check(struct reading *r, const struct ns_state *ns _unused_, const struct object *desired) {
	if (object_has(desired, LINK_QUEUES))
		diag_error(r->parse.diags, object_position(desired, &desired->kind->fields[LINK_QUEUES]),
			   "the program that opens a %s makes its queues; write 'multi-queue: true'", desired->kind->name);
}

const struct kind kind_tun = {
	.name = "tun",
	.doc = "A device that gives IP packets to a program, for example a VPN.",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.transport_of = transport_of,
	.size = sizeof(struct tun),
	.fields = tun_fields,
	.n_fields = ARRAY_SIZE(tun_fields),
	.link_kind = "tun",
	.is_kind = is_tun,
	.markable = true,
	.no_mac = true,
	.encode = encode_tun,
	.get_data = get_data,
	.recreate = recreate,
	.check = check,
};

const struct kind kind_tap = {
	.name = "tap",
	.doc = "A device that gives Ethernet frames to a program, for example a virtual machine.",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.transport_of = transport_of,
	.size = sizeof(struct tun),
	.fields = tap_fields,
	.n_fields = ARRAY_SIZE(tap_fields),
	.link_kind = "tun",
	.is_kind = is_tap,
	.markable = true,
	.encode = encode_tun,
	.get_data = get_data,
	.recreate = recreate,
	.check = check,
};
