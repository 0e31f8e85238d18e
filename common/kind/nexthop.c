/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Next-hop objects (ip-nexthop(8)): a gateway or interface with a number, or a group of such objects. Many routes can
 * use one, and changing it changes them all in one message. The messages are RTM_NEWNEXTHOP and RTM_DELNEXTHOP with
 * struct nhmsg (linux/nexthop.h, net/ipv4/nexthop.c).
 *
 * A next hop disappears silently when its interface goes down, together with the routes that use it; a deleted one also
 * leaves its groups. So an object that names a next hop needs it like an interface.
 */
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "kind/encap.h"
#include "kind/kinds.h"
#include "kind/link.h"
#include "kind/nexthop_group.h"
#include "kind/protocol.h"
#include "model/change.h"
#include "model/section.h"
#include "model/source.h"

struct nexthop_object {
	struct object object;
	uint32_t id, family, on_link, blackhole, type, buckets, idle_timer, unbalanced_timer, protocol;
	struct ip via;
	const char *dev;
	struct encap encap;
	struct nexthop_group group;
	uint64_t written; /* desired: the fields that the file has */
};

enum nexthop_field {
	NEXTHOP_ID,
	NEXTHOP_VIA,
	NEXTHOP_DEV,
	NEXTHOP_ENCAP,
	NEXTHOP_ON_LINK,
	NEXTHOP_FAMILY,
	NEXTHOP_BLACKHOLE,
	NEXTHOP_GROUP,
	NEXTHOP_TYPE,
	NEXTHOP_BUCKETS,
	NEXTHOP_IDLE_TIMER,
	NEXTHOP_UNBALANCED_TIMER,
	NEXTHOP_PROTOCOL,
};

static const struct enum_name families[] = { { "ipv4", AF_INET }, { "ipv6", AF_INET6 }, {} };
static const struct enum_name types[] = {
	{ "hash-threshold", NEXTHOP_GRP_TYPE_MPATH },
	{ "resilient", NEXTHOP_GRP_TYPE_RES },
	{},
};

#define ROW(index, key, member, value_type, ...) \
	[index] = { .name = key, .type = value_type, .offset = offsetof(struct nexthop_object, member), __VA_ARGS__ }

static const struct field fields[] = {
	ROW(NEXTHOP_ID, "id", id, &type_integer, .class = FIELD_KEY, .flags = FIELD_REQUIRED, .min = 1,
	    .doc = "The number by which routes and groups name it."),
	ROW(NEXTHOP_VIA, "via", via, &type_ip, .doc = "Gateway."),
	ROW(NEXTHOP_DEV, "dev", dev, &type_link_name, .flags = FIELD_DEV | FIELD_USES, .doc = "Outgoing interface."),
	ROW(NEXTHOP_ENCAP, "encap", encap, &type_encap,
	    .doc = "The encapsulation of packets: MPLS labels, an SRv6 header, or a tunnel's outer header."),
	ROW(NEXTHOP_ON_LINK, "on-link", on_link, &type_bool,
	    .doc = "Whether the gateway counts as reachable on the interface regardless of the addresses."),
	ROW(NEXTHOP_FAMILY, "family", family, &type_enum, .class = FIELD_RECREATE, .names = families,
	    .doc = "Without `via`: the family of the routes that may use it; `ipv4` by default."),
	ROW(NEXTHOP_BLACKHOLE, "blackhole", blackhole, &type_bool, .doc = "Whether packets are dropped."),
	ROW(NEXTHOP_GROUP, "group", group, &type_nexthop_group, .needs = &class_nexthop,
	    .doc = "Next hops that share the traffic, in any order: numbers, or `{id, weight}`."),
	ROW(NEXTHOP_TYPE, "type", type, &type_enum, .class = FIELD_RECREATE, .names = types,
	    .doc = "How a group divides the traffic; `hash-threshold` by default. A `resilient` group moves few flows when it "
		   "changes."),
	ROW(NEXTHOP_BUCKETS, "buckets", buckets, &type_integer, .class = FIELD_RECREATE, .min = 1, .max = 65535,
	    .doc = "Size of a resilient group's table; 128 by default."),
	ROW(NEXTHOP_IDLE_TIMER, "idle-timer", idle_timer, &type_duration, .unit = 100,
	    .doc = "How long a bucket of a resilient group must be idle before it may move; 120s by default."),
	ROW(NEXTHOP_UNBALANCED_TIMER, "unbalanced-timer", unbalanced_timer, &type_duration, .unit = 100,
	    .doc = "How long a resilient group may be out of balance before buckets move anyway; by default 0s, which means "
		   "forever."),
	ROW(NEXTHOP_PROTOCOL, "protocol", protocol, &type_integer, .flags = FIELD_HIDDEN),
};

enum {
	DEFAULT_BUCKETS = 128,          /* our choice; the kernel has no default */
	DEFAULT_IDLE_TIMER = 120 * 100, /* NH_RES_DEFAULT_IDLE_TIMER, net/ipv4/nexthop.c */
};

/* Reading the file. */

static bool has(const struct nexthop_object *n, enum nexthop_field field) {
	return object_has(&n->object, field);
}

static const char *what_is_wrong(const struct nexthop_object *n) {
	bool way = has(n, NEXTHOP_VIA) || has(n, NEXTHOP_DEV);
	bool timers = has(n, NEXTHOP_BUCKETS) || has(n, NEXTHOP_IDLE_TIMER) || has(n, NEXTHOP_UNBALANCED_TIMER);

	if (way + !!n->blackhole + !!n->group.n != 1)
		return "a next hop has either 'dev', with or without 'via', or 'blackhole: true', or 'group'";
	if (way && !n->dev)
		return "a next hop needs 'dev': the interface that the gateway is on";
	if (n->encap.type && !way)
		return "'encap' needs 'dev': only sent packets have an encapsulation";
	if (n->on_link && !n->via.family)
		return "'on-link' needs a gateway; write 'via', or remove it";
	if (n->via.family && ip_is_multicast(&n->via))
		return "the gateway is a multicast address";
	if (has(n, NEXTHOP_FAMILY) && n->group.n)
		return "a group has no 'family'; its members have one";
	if (has(n, NEXTHOP_FAMILY) && n->via.family && n->via.family != n->family)
		return "'via' and 'family' contradict each other; leave 'family' out";
	if (has(n, NEXTHOP_TYPE) && !n->group.n)
		return "'type' is for groups only; write 'group', or remove it";
	if (timers && n->type != NEXTHOP_GRP_TYPE_RES)
		return "'buckets' and timers are for a group of 'type: resilient'";
	return NULL;
}

static bool finish(struct parse *p, struct object *object, const struct node *node) {
	struct nexthop_object *n = (struct nexthop_object *)object;
	const char *wrong = what_is_wrong(n);

	if (wrong) {
		diag_error(p->diags, node->position, "%s", wrong);
		return false;
	}
	n->written = object->set;
	if (n->group.n)
		n->family = AF_UNSPEC;
	else if (!has(n, NEXTHOP_FAMILY))
		n->family = n->via.family ? n->via.family : AF_INET;
	if (n->type == NEXTHOP_GRP_TYPE_RES && !has(n, NEXTHOP_BUCKETS))
		n->buckets = DEFAULT_BUCKETS;
	if (n->type == NEXTHOP_GRP_TYPE_RES && !has(n, NEXTHOP_IDLE_TIMER))
		n->idle_timer = DEFAULT_IDLE_TIMER;
	if (!encap_check(p, &n->encap, (uint8_t)n->family, object_position(object, &fields[NEXTHOP_ENCAP])))
		return false;
	n->protocol = TOPOD_PROTOCOL;
	object->set |= (UINT64_C(1) << ARRAY_SIZE(fields)) - 1;
	if (!n->dev)
		object->set &= ~field_bit(NEXTHOP_DEV);
	return true;
}

/* The type of a group cannot be changed, so in an adopted namespace a group without `type` may have any. */
static void settle(struct reading *r _unused_, struct ns_state *ns) {
	ns_foreach(object, ns) {
		const struct nexthop_object *n = (const struct nexthop_object *)object;

		if (ns->adopt && object->kind == &kind_nexthop && n->group.n && !(n->written & field_bit(NEXTHOP_TYPE)))
			object->set &= ~(field_bit(NEXTHOP_TYPE) | field_bit(NEXTHOP_BUCKETS) |
					 field_bit(NEXTHOP_IDLE_TIMER) | field_bit(NEXTHOP_UNBALANCED_TIMER));
	}
}

static const struct nexthop_object *find(const struct ns_state *ns, uint32_t id) {
	const struct need need = { .class = &class_nexthop, .key = &id, .size = sizeof(id) };

	return (const struct nexthop_object *)ns_find_need(ns, &need);
}

/* As nh_check_attr_group() and valid_group_nh(), net/ipv4/nexthop.c. Whether a member is declared at all is checked
 * as for every object that another one names. */
static void check(struct reading *r, const struct ns_state *ns, const struct object *desired) {
	const struct nexthop_object *n = (const struct nexthop_object *)desired;
	struct position position = object_position(desired, &fields[NEXTHOP_GROUP]);

	for (size_t i = 0; i < n->group.n; i++) {
		const struct nexthop_object *member = find(ns, n->group.members[i].id);

		if (member && member->group.n)
			diag_error(r->parse.diags, position, "next hop %u is a group, which cannot be in another one",
				   member->id);
		else if (member && member->blackhole && n->group.n > 1)
			diag_error(r->parse.diags, position,
				   "next hop %u drops everything: it can be in a group only by itself", member->id);
	}
}

static const struct mapping entry = {
	.name = "nexthop",
	.title = "Next hops",
	.doc = "An entry of `nexthops` of a namespace: a next hop that routes and groups name by its number.",
	.what = "a next hop",
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.kind = &kind_nexthop,
};

static const struct section sections[] = {
	{ .key = "nexthops",
	  .place = SECTION_NAMESPACE,
	  .shape = SECTION_LIST,
	  .may_be_empty = true,
	  .mapping = &entry,
	  .value = "list of [next hops](#nexthop)",
	  .doc = "Next hops with a number, and groups of them, for the key `nexthop` of routes." },
	{},
};

static void noun(const struct object *object, struct text *out) {
	const struct nexthop_object *n = (const struct nexthop_object *)object;

	text_addf(out, "next hop %u", n->id);
}

/* The kernel's messages. */

static void put_group(struct encode *encode, const struct nexthop_object *n) {
	struct nl_writer *w = encode->writer;

	nl_origin(w, &fields[NEXTHOP_GROUP]);
	nexthop_group_put(encode->arena, w, &n->group);
	nl_origin(w, &fields[NEXTHOP_TYPE]);
	nl_put_u16(w, NHA_GROUP_TYPE, (uint16_t)n->type);
	if (n->type != NEXTHOP_GRP_TYPE_RES)
		return;
	nl_origin(w, &fields[NEXTHOP_BUCKETS]);
	struct nlattr *nest = nl_nest(w, NHA_RES_GROUP);
	nl_put_u16(w, NHA_RES_GROUP_BUCKETS, (uint16_t)n->buckets);
	nl_put_u32(w, NHA_RES_GROUP_IDLE_TIMER, n->idle_timer);
	nl_put_u32(w, NHA_RES_GROUP_UNBALANCED_TIMER, n->unbalanced_timer);
	nl_nest_end(w, nest);
}

static int put_way(struct encode *encode, const struct nexthop_object *n) {
	struct nl_writer *w = encode->writer;
	uint32_t index = encode_ifindex(encode, n->object.ns, n->dev);

	if (!index)
		return -ENODEV;
	nl_origin(w, &fields[NEXTHOP_DEV]);
	nl_put_u32(w, NHA_OIF, index);
	nl_origin(w, &fields[NEXTHOP_ENCAP]);
	encap_put(encode->arena, w, &n->encap, NHA_ENCAP_TYPE, NHA_ENCAP);
	if (!n->via.family)
		return 0;
	nl_origin(w, &fields[NEXTHOP_VIA]);
	nl_put(w, NHA_GATEWAY, n->via.bytes, ip_size(n->via.family));
	return 0;
}

/* A group that somebody else made keeps the settings that the file does not have. */
static const struct nexthop_object *with_seen_type(struct arena *arena, const struct change *change) {
	const struct nexthop_object *n = (const struct nexthop_object *)change->desired;
	const struct nexthop_object *seen = (const struct nexthop_object *)change->observed;
	struct nexthop_object *whole;

	if (!n->group.n || has(n, NEXTHOP_TYPE) || !seen)
		return n;
	whole = arena_memdup(arena, n, sizeof(*n));
	whole->type = seen->type;
	whole->buckets = seen->buckets;
	whole->idle_timer = seen->idle_timer;
	whole->unbalanced_timer = seen->unbalanced_timer;
	return whole;
}

static int encode_nexthop(struct encode *encode, const struct change *change) {
	static const uint16_t flags[] = {
		[CHANGE_CREATE] = NLM_F_CREATE | NLM_F_EXCL,
		[CHANGE_UPDATE] = NLM_F_CREATE | NLM_F_REPLACE,
		[CHANGE_DELETE] = 0,
	};
	bool delete = change->type == CHANGE_DELETE;
	const struct nexthop_object *n =
		delete ? (const struct nexthop_object *)change->observed : with_seen_type(encode->arena, change);
	struct nl_writer *w = encode->writer;
	struct nhmsg *nhm = nl_begin(w, delete ? RTM_DELNEXTHOP : RTM_NEWNEXTHOP, flags[change->type], sizeof(*nhm));

	nl_put_u32(w, NHA_ID, n->id);
	if (delete)
		return 0;
	nhm->nh_family = (uint8_t)n->family;
	nhm->nh_protocol = (uint8_t)n->protocol;
	nhm->nh_flags = n->on_link ? RTNH_F_ONLINK : 0;
	if (n->group.n) {
		put_group(encode, n);
		return 0;
	}
	if (!n->blackhole)
		return put_way(encode, n);
	nl_origin(w, &fields[NEXTHOP_BLACKHOLE]);
	nl_put(w, NHA_BLACKHOLE, NULL, 0);
	return 0;
}

static bool trial(struct encode *encode, const struct object *desired, size_t i, struct trial *ret) {
	const struct nexthop_object *n = (const struct nexthop_object *)desired;
	struct nexthop_object probe = { .object = { .kind = &kind_nexthop, .ns = desired->ns },
					.id = 1,
					.family = n->family ? n->family : AF_INET,
					.dev = "lo" };

	ret->what = i ? encap_what(&n->encap, &ret->module) : "next-hop objects (before Linux 5.3)";
	ret->field = i ? &fields[NEXTHOP_ENCAP] : NULL;
	if (i)
		probe.encap = n->encap;
	if (i < 2 && ret->what)
		(void)encode_nexthop(encode, &(struct change){ .type = CHANGE_CREATE, .desired = &probe.object });
	return i < 2;
}

static void take_table(struct nexthop_object *n, const struct nlattr *table) {
	const struct nlattr *tb[NHA_RES_GROUP_MAX + 1];

	nl_parse_nested(table, tb, NHA_RES_GROUP_MAX);
	n->buckets = nl_get_u16(tb[NHA_RES_GROUP_BUCKETS], 0);
	n->idle_timer = nl_get_u32(tb[NHA_RES_GROUP_IDLE_TIMER], 0);
	n->unbalanced_timer = nl_get_u32(tb[NHA_RES_GROUP_UNBALANCED_TIMER], 0);
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	const struct nhmsg *nhm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NHA_RES_GROUP + 1];
	struct arena *arena = scan->decode.arena;

	if (nlh->nlmsg_type != RTM_NEWNEXTHOP || mnl_nlmsg_get_payload_len(nlh) < sizeof(*nhm))
		return 0;
	nl_parse(nlh, sizeof(*nhm), tb, NHA_RES_GROUP);
	struct nexthop_object *n = (struct nexthop_object *)object_new(arena, &kind_nexthop, scan->seen->name);
	struct object *object = &n->object;
	n->id = nl_get_u32(tb[NHA_ID], 0);
	n->family = nhm->nh_family;
	n->on_link = !!(nhm->nh_flags & RTNH_F_ONLINK);
	n->blackhole = tb[NHA_BLACKHOLE] != NULL;
	n->protocol = nhm->nh_protocol;
	object->set = ((UINT64_C(1) << ARRAY_SIZE(fields)) - 1) & ~field_bit(NEXTHOP_DEV);
	n->dev = tb[NHA_OIF] ? scan->decode.link_name(scan->decode.userdata, nl_get_u32(tb[NHA_OIF], 0)) : NULL;
	if (n->dev)
		object->set |= field_bit(NEXTHOP_DEV);
	if (tb[NHA_GATEWAY])
		ip_from_bytes(nhm->nh_family, mnl_attr_get_payload(tb[NHA_GATEWAY]),
			      mnl_attr_get_payload_len(tb[NHA_GATEWAY]), &n->via);
	encap_get(arena, tb[NHA_ENCAP_TYPE], tb[NHA_ENCAP], &n->encap);
	if (tb[NHA_GROUP])
		n->group = nexthop_group_take(arena, tb[NHA_GROUP]);
	n->type = nl_get_u16(tb[NHA_GROUP_TYPE], 0);
	if (tb[NHA_RES_GROUP])
		take_table(n, tb[NHA_RES_GROUP]);
	object->owned = n->protocol == TOPOD_PROTOCOL;
	object_seal(arena, object);
	scan_add(scan, object);
	return 0;
}

static void dump(struct source_scan *scan, struct nl_writer *w) {
	if (!scan->scope || scan->concerns(scan, &class_nexthop))
		nl_begin(w, RTM_GETNEXTHOP, NLM_F_DUMP, sizeof(struct nhmsg));
}

/* Kernels before 5.3 have no next-hop objects. */
static int refused(struct source_scan *scan _unused_, int error) {
	return error == -EOPNOTSUPP ? 0 : error;
}

static enum about about(const struct event *event, struct hint *ret) {
	const struct nlattr *tb[NHA_ID + 1];

	if (!event_header(event, sizeof(struct nhmsg)))
		return ABOUT_UNKNOWN;
	nl_parse(event->message, sizeof(struct nhmsg), tb, NHA_ID);
	if (!tb[NHA_ID])
		return ABOUT_UNKNOWN;
	struct nexthop_object *like = (struct nexthop_object *)object_new(event->arena, &kind_nexthop, NULL);
	like->id = nl_get_u32(tb[NHA_ID], 0);
	object_seal(event->arena, &like->object);
	ret->type = HINT_OBJECT;
	ret->like = &like->object;
	return ABOUT_HINT;
}

static const struct source nexthops = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWNEXTHOP,
	.last = RTM_DELNEXTHOP,
	.groups = (const int[]){ RTNLGRP_NEXTHOP, 0 },
	.only_if_declared = true,
	.about = about,
	.dump = dump,
	.decode = decode,
	.refused = refused,
};

/* When a next hop is deleted, the kernel drops the routes that use it, so routes that move to another one are
 * changed first. If the number is to be reused for another kind of next hop, the old one is deleted at once. */
static enum stage stage(const struct change *change) {
	return change->type == CHANGE_DELETE && change->recreates ? STAGE_DELETE : STAGE_CARRIER;
}

/* The kernel accepts a next hop only while its interface has a carrier (nh_create_ipv4(), rtm_to_nh_config()), and
 * drops it when the carrier is lost. */
static bool comes_later(const struct object *desired, const struct state *observed, const char **ret_why) {
	const struct nexthop_object *n = (const struct nexthop_object *)desired;

	return n->dev && link_awaits_carrier(observed, desired->ns, n->dev, ret_why);
}

static bool goes_late(const struct object *object) {
	return ((const struct nexthop_object *)object)->group.n;
}

/* A single next hop cannot become a group, nor the reverse (replace_nexthop()). */
static bool recreate(const struct object *desired, const struct object *observed, uint64_t differs _unused_) {
	return !((const struct nexthop_object *)desired)->group.n != !((const struct nexthop_object *)observed)->group.n;
}

const struct class class_nexthop = {
	.sections = sections,
	.name = "next hop",
	.plural = "next hops",
	.source = &nexthops,
	.part_of = &class_link,
	.stage = stage,
};

static bool is_usual(const struct state *seen _unused_, const struct object *observed, size_t field) {
	const struct nexthop_object *n = (const struct nexthop_object *)observed;
	bool resilient = n->group.n && n->type == NEXTHOP_GRP_TYPE_RES;

	switch ((enum nexthop_field)field) {
	case NEXTHOP_FAMILY:
		return n->via.family || n->group.n || n->blackhole ? true : n->family == AF_INET;
	case NEXTHOP_TYPE:
		return !resilient;
	case NEXTHOP_BUCKETS:
		return !resilient || n->buckets == DEFAULT_BUCKETS;
	case NEXTHOP_IDLE_TIMER:
		return !resilient || n->idle_timer == DEFAULT_IDLE_TIMER;
	case NEXTHOP_UNBALANCED_TIMER:
		return !n->unbalanced_timer;
	case NEXTHOP_DEV: /* the kernel shows lo for a next hop that leads nowhere */
		return n->blackhole;
	case NEXTHOP_ID:
	case NEXTHOP_VIA:
	case NEXTHOP_ENCAP:
	case NEXTHOP_ON_LINK:
	case NEXTHOP_BLACKHOLE:
	case NEXTHOP_GROUP:
	case NEXTHOP_PROTOCOL:
		break;
	}
	return false;
}

static const char *left_out(struct arena *arena, const struct object *observed) {
	const struct nexthop_object *n = (const struct nexthop_object *)observed;
	const char *why = encap_left_out(&n->encap);

	return why ? why : protocol_keeper(arena, observed, n->protocol);
}

const struct kind kind_nexthop = {
	.name = "nexthop",
	.class = &class_nexthop,
	.is_usual = is_usual,
	.left_out = left_out,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct nexthop_object),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.markable = true,
	.finish = finish,
	.settle = settle,
	.check = check,
	.encode = encode_nexthop,
	.trial = trial,
	.noun = noun,
	.goes_late = goes_late,
	.comes_later = comes_later,
	.recreate = recreate,
};
