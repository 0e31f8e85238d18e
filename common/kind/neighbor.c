/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A static neighbour (ip-neighbour(8)): the hardware address of an IP address on a link, or that this machine answers
 * for an address (proxy). The messages are RTM_NEWNEIGH and RTM_DELNEIGH with struct ndmsg (linux/neighbour.h,
 * net/core/neighbour.c).
 *
 * Neighbours that the kernel resolves by itself come and go, and are not read. A neighbour is removed when its link
 * goes down or is removed; one with `state: noarp` also when the link has no carrier (neigh_carrier_down()).
 */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "kind/link.h"
#include "model/change.h"
#include "model/section.h"
#include "model/source.h"

struct neighbor {
	struct object object;
	const char *dev;
	struct ip address;
	struct mac mac;
	uint32_t proxy, router, extern_learn, state, protocol;
};

enum neighbor_field {
	NEIGHBOR_DEV,
	NEIGHBOR_ADDRESS,
	NEIGHBOR_PROXY,
	NEIGHBOR_MAC,
	NEIGHBOR_ROUTER,
	NEIGHBOR_EXTERN_LEARN,
	NEIGHBOR_STATE,
	NEIGHBOR_PROTOCOL,
};

static const struct enum_name states[] = { { "permanent", NUD_PERMANENT }, { "noarp", NUD_NOARP }, {} };

#define ROW(index, key, member, value_type, ...) \
	[index] = { .name = key, .type = value_type, .offset = offsetof(struct neighbor, member), __VA_ARGS__ }

static const struct field fields[] = {
	ROW(NEIGHBOR_DEV, "dev", dev, &type_link_name, .class = FIELD_KEY, .flags = FIELD_REQUIRED | FIELD_DEV,
	    .doc = "The interface on which the neighbour is."),
	ROW(NEIGHBOR_ADDRESS, "address", address, &type_ip, .class = FIELD_KEY, .flags = FIELD_REQUIRED,
	    .doc = "The neighbour's address."),
	ROW(NEIGHBOR_PROXY, "proxy", proxy, &type_bool, .class = FIELD_KEY,
	    .doc = "Whether this machine answers for the address (proxy ARP or proxy NDP)."),
	ROW(NEIGHBOR_MAC, "mac-address", mac, &type_mac, .doc = "The neighbour's hardware address; not with `proxy`."),
	ROW(NEIGHBOR_ROUTER, "router", router, &type_bool, .doc = "Whether the neighbour is a router (IPv6)."),
	ROW(NEIGHBOR_EXTERN_LEARN, "extern-learn", extern_learn, &type_bool,
	    .doc = "Mark the entry as learned by a control plane."),
	ROW(NEIGHBOR_STATE, "state", state, &type_enum, .names = states, .doc = "`permanent` by default."),
	ROW(NEIGHBOR_PROTOCOL, "protocol", protocol, &type_integer, .flags = FIELD_HIDDEN),
};

/* Reading the file. */

static bool finish(struct parse *p, struct object *object, const struct node *node) {
	struct neighbor *n = (struct neighbor *)object;
	const char *wrong = NULL;

	if (n->proxy && (object_has(object, NEIGHBOR_MAC) || object_has(object, NEIGHBOR_STATE)))
		wrong = "with 'proxy' this machine answers itself; remove 'mac-address' and 'state'";
	else if (!n->proxy && !object_has(object, NEIGHBOR_MAC))
		wrong = "a neighbour needs a 'mac-address', or 'proxy: true'";
	else if (ip_is_multicast(&n->address))
		wrong = "a multicast address cannot be a neighbor: the kernel computes its hardware address";
	if (wrong) {
		diag_error(p->diags, node->position, "%s", wrong);
		return false;
	}
	if (!n->proxy) {
		n->state = object_has(object, NEIGHBOR_STATE) ? n->state : NUD_PERMANENT;
		object->set |= field_bit(NEIGHBOR_STATE) | field_bit(NEIGHBOR_EXTERN_LEARN);
	}
	n->protocol = TOPOD_PROTOCOL;
	object->set |= field_bit(NEIGHBOR_ROUTER) | field_bit(NEIGHBOR_PROTOCOL);
	return true;
}

static const struct mapping entry = {
	.name = "neighbor",
	.title = "Neighbors",
	.doc = "An entry of `neighbors`.",
	.what = "a neighbor",
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.kind = &kind_neighbor,
};

static const struct section sections[] = {
	{ .key = "neighbors",
	  .place = SECTION_NAMESPACE,
	  .shape = SECTION_LIST,
	  .may_be_empty = true,
	  .mapping = &entry,
	  .value = "list of [neighbors](#neighbor)",
	  .doc = "Static neighbors, and addresses for which this namespace answers." },
	{},
};

static void noun(const struct object *object, struct text *out) {
	const struct neighbor *n = (const struct neighbor *)object;
	char buf[IP_TEXT_MAX];

	text_addf(out, "%s %s", n->proxy ? "proxy neighbor" : "neighbor", ip_format(&n->address, buf));
}

/* The kernel's messages. */

static int encode_neighbor(struct encode *encode, const struct change *change) {
	static const uint16_t flags[] = {
		[CHANGE_CREATE] = NLM_F_CREATE | NLM_F_EXCL,
		[CHANGE_UPDATE] = NLM_F_CREATE | NLM_F_REPLACE,
		[CHANGE_DELETE] = 0,
	};
	bool delete = change->type == CHANGE_DELETE;
	const struct neighbor *n = (const struct neighbor *)(delete ? change->observed : change->desired);
	uint32_t index = encode->resolver->ifindex(encode->resolver->userdata, n->object.ns, n->dev);
	struct nl_writer *w = encode->writer;

	if (!index) {
		encode->problem = arena_printf(encode->arena, "there is no %s", n->dev);
		return -ENODEV;
	}
	struct ndmsg *ndm = nl_begin(w, delete ? RTM_DELNEIGH : RTM_NEWNEIGH, flags[change->type], sizeof(*ndm));
	ndm->ndm_family = n->address.family;
	ndm->ndm_ifindex = (int)index;
	ndm->ndm_state = n->proxy ? NUD_PERMANENT : (uint16_t)n->state;
	ndm->ndm_flags = (uint8_t)((n->proxy ? NTF_PROXY : 0) | (n->router ? NTF_ROUTER : 0) |
				   (n->extern_learn ? NTF_EXT_LEARNED : 0));
	nl_origin(w, &fields[NEIGHBOR_ADDRESS]);
	nl_put(w, NDA_DST, n->address.bytes, ip_size(n->address.family));
	if (delete)
		return 0;
	if (!n->proxy) {
		nl_origin(w, &fields[NEIGHBOR_MAC]);
		nl_put(w, NDA_LLADDR, n->mac.bytes, sizeof(n->mac.bytes));
	}
	nl_put_u8(w, NDA_PROTOCOL, (uint8_t)n->protocol);
	return 0;
}

/* Static entries; the kernel resolves the others. */
static bool is_fixed(const struct ndmsg *ndm) {
	return ndm->ndm_flags & NTF_PROXY || ndm->ndm_state & (NUD_PERMANENT | NUD_NOARP);
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NDA_PROTOCOL + 1];
	struct arena *arena = scan->decode.arena;
	const char *dev;

	if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm) || !ip_size(ndm->ndm_family) ||
	    !is_fixed(ndm))
		return 0;
	nl_parse(nlh, sizeof(*ndm), tb, NDA_PROTOCOL);
	dev = scan->decode.link_name(scan->decode.userdata, (uint32_t)ndm->ndm_ifindex);
	if (!dev)
		return 0; /* the link is gone, and the neighbour with it */
	struct neighbor *n = (struct neighbor *)object_new(arena, &kind_neighbor, scan->seen->name);
	struct object *object = &n->object;
	n->dev = dev;
	if (!tb[NDA_DST] || !type_ip.get(arena, &fields[NEIGHBOR_ADDRESS], tb[NDA_DST], &n->address))
		return 0;
	n->proxy = !!(ndm->ndm_flags & NTF_PROXY);
	n->router = !!(ndm->ndm_flags & NTF_ROUTER);
	n->extern_learn = !!(ndm->ndm_flags & NTF_EXT_LEARNED);
	n->state = ndm->ndm_state & NUD_PERMANENT ? NUD_PERMANENT : NUD_NOARP;
	n->protocol = nl_get_u8(tb[NDA_PROTOCOL], RTPROT_UNSPEC);
	object->set = field_bit(NEIGHBOR_DEV) | field_bit(NEIGHBOR_ADDRESS) | field_bit(NEIGHBOR_PROXY) |
		      field_bit(NEIGHBOR_ROUTER) | field_bit(NEIGHBOR_EXTERN_LEARN) | field_bit(NEIGHBOR_STATE) |
		      field_bit(NEIGHBOR_PROTOCOL);
	if (tb[NDA_LLADDR] && type_mac.get(arena, &fields[NEIGHBOR_MAC], tb[NDA_LLADDR], &n->mac))
		object->set |= field_bit(NEIGHBOR_MAC);
	object->owned = n->protocol == TOPOD_PROTOCOL;
	/* The kernel makes such entries for multicast and broadcast addresses, and for everything on a link without
	 * ARP. */
	object->kernel_made = n->state == NUD_NOARP && !n->proxy && n->protocol == RTPROT_UNSPEC;
	object_seal(arena, object);
	scan_add(scan, object);
	return 0;
}

static void put_dump(struct nl_writer *w, uint8_t family, uint8_t flags) {
	struct ndmsg *ndm = nl_begin(w, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*ndm));

	ndm->ndm_family = family;
	ndm->ndm_flags = flags;
}

static void dump(struct source_scan *scan, struct nl_writer *w) {
	if (scan->scope && !scan->concerns(scan, &class_neighbor))
		return;
	put_dump(w, AF_INET, 0);
	put_dump(w, AF_INET6, 0);
	put_dump(w, AF_INET, NTF_PROXY);
	put_dump(w, AF_INET6, NTF_PROXY);
}

/* Passes deleted and static neighbours, but no entries of a bridge's forwarding table. */
static struct sock_filter fixed_filter[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_BRIDGE, 4, 0),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AS_READ(RTM_DELNEIGH), 3, 0),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_state)),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, AS_READ(NUD_PERMANENT | NUD_NOARP), 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

static enum about about(const struct event *event, struct hint *ret) {
	const struct ndmsg *ndm = event_header(event, sizeof(*ndm));

	if (!ndm)
		return ABOUT_UNKNOWN;
	if (!ip_size(ndm->ndm_family))
		return ABOUT_OTHER;
	ret->type = HINT_PARTS;
	ret->class = &class_neighbor;
	ret->ifindex = (uint32_t)ndm->ndm_ifindex;
	return ABOUT_HINT;
}

/* The kernel sends no events about proxies, and to hear that a permanent neighbour becomes a resolved one, topod
 * would have to hear every resolved neighbour. */
static bool silent(const struct object *object _unused_) {
	return true;
}

static const struct source neighbors = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWNEIGH,
	.last = RTM_DELNEIGH,
	.groups = (const int[]){ RTNLGRP_NEIGH, 0 },
	.filter = &(const struct sock_fprog){ ARRAY_SIZE(fixed_filter), fixed_filter },
	.only_if_declared = true,
	.about = about,
	.dump = dump,
	.decode = decode,
};

static bool needs_carrier(const struct neighbor *n) {
	return !n->proxy && n->state == NUD_NOARP;
}

static bool comes_later(const struct object *desired, const struct state *observed, const char **ret_why) {
	const struct neighbor *n = (const struct neighbor *)desired;

	return needs_carrier(n) && link_awaits_carrier(observed, desired->ns, n->dev, ret_why);
}

static enum stage stage(const struct change *change) {
	if (change->type == CHANGE_DELETE || change->desired->gone)
		return STAGE_DELETE;
	return needs_carrier((const struct neighbor *)change->desired) ? STAGE_CARRIER : STAGE_INSIDE;
}

const struct class class_neighbor = {
	.sections = sections,
	.name = "neighbor",
	.plural = "neighbors",
	.source = &neighbors,
	.part_of = &class_link,
	.silent = silent,
	.stage = stage,
};

static bool is_usual(const struct state *seen _unused_, const struct object *observed, size_t field) {
	const struct neighbor *n = (const struct neighbor *)observed;

	return field == NEIGHBOR_STATE && (n->proxy || n->state == NUD_PERMANENT);
}

const struct kind kind_neighbor = {
	.name = "neighbor",
	.class = &class_neighbor,
	.is_usual = is_usual,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct neighbor),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.markable = true,
	.finish = finish,
	.encode = encode_neighbor,
	.comes_later = comes_later,
	.noun = noun,
};
