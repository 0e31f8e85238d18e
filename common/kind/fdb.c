/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An entry of a forwarding table (bridge(8), "fdb"), declared under its link.
 *
 * There are two tables. With `remote` the entry is in the vxlan's own table, which says behind which remote end a hardware
 * address is (NTF_SELF, drivers/net/vxlan). Without `remote` it is in the table of the bridge whose port the link is
 * (NTF_MASTER, net/bridge/br_fdb.c). A hardware address has one entry in each, except that a vxlan sends frames for
 * 00:00:00:00:00:00 (unknown addresses) and multicast to any number of other ends. The kernel carries no mark on entries.
 *
 * Learned entries come and go, and are not read. The entries that a vxlan makes for its own far end are compared with the
 * far end (vxlan_ends.c). A static entry is lost when its port leaves the bridge.
 */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "kind/link.h"
#include "model/change.h"
#include "model/section.h"
#include "model/source.h"

struct fdb {
	struct object object;
	const char *dev;
	struct mac mac;
	uint32_t own; /* of the vxlan's own table */
	uint32_t vlan, port, vni, sticky, extern_learn;
	struct ip remote;
	const char *via;
};

enum { DEV, MAC, OWN, VLAN, REMOTE, PORT, VNI, VIA, STICKY, EXTERN_LEARN };

#define ROW(index, key, member, value_type, ...) \
	[index] = { .name = key, .type = value_type, .offset = offsetof(struct fdb, member), __VA_ARGS__ }

static const struct field fields[] = {
	ROW(DEV, "dev", dev, &type_link_name, .class = FIELD_KEY, .flags = FIELD_HIDDEN | FIELD_DEV),
	ROW(MAC, "mac-address", mac, &type_any_mac, .class = FIELD_KEY, .flags = FIELD_REQUIRED,
	    .doc = "The hardware address; on a vxlan 00:00:00:00:00:00 stands for all unknown ones."),
	ROW(OWN, "own", own, &type_bool, .class = FIELD_KEY, .flags = FIELD_HIDDEN),
	ROW(VLAN, "vlan", vlan, &type_integer, .class = FIELD_KEY, .max = 4094, .min = 1,
	    .doc = "On a bridge's port: the VLAN. By default one entry without a VLAN, and one for each VLAN of the port."),
	ROW(REMOTE, "remote", remote, &type_ip,
	    .doc = "On a vxlan: the other end behind which the address is. Without it the entry is the bridge's."),
	ROW(PORT, "port", port, &type_integer, .min = 1, .max = 65535,
	    .doc = "The other end's UDP port, if not the vxlan's."),
	ROW(VNI, "vni", vni, &type_integer, .max = 0xffffff, .doc = "The identifier to send with, if not the vxlan's."),
	ROW(VIA, "via", via, &type_link_name, .flags = FIELD_DEV, .doc = "The interface to send through."),
	ROW(STICKY, "sticky", sticky, &type_bool, .fallback = "false",
	    .doc = "On a bridge's port: whether the address stays here when its frames arrive elsewhere."),
	/* Neither table changes this mark of an entry properly. */
	ROW(EXTERN_LEARN, "extern-learn", extern_learn, &type_bool, .class = FIELD_RECREATE, .fallback = "false",
	    .doc = "Mark the entry as learned by a control plane."),
};

static bool is_flood(const struct fdb *f) {
	static const uint8_t zero[6];

	return f->own && (f->mac.bytes[0] & 1 || memcmp(f->mac.bytes, zero, sizeof(zero)) == 0);
}

/* ---- the file ---- */

static bool finish(struct parse *p, struct object *object, const struct node *node) {
	struct fdb *f = (struct fdb *)object;
	static const uint8_t zero[6];
	const char *wrong = NULL;

	f->own = object_has(object, REMOTE);
	if (!f->own && (object_has(object, PORT) || object_has(object, VNI) || object_has(object, VIA)))
		wrong = "'port', 'vni' and 'via' are about another end of a vxlan: write 'remote' as well";
	else if (f->own && (object_has(object, VLAN) || object_has(object, STICKY)))
		wrong = "'vlan' and 'sticky' are for a bridge's table, 'remote' for a vxlan's: write two entries";
	else if (!f->own && (f->mac.bytes[0] & 1 || memcmp(f->mac.bytes, zero, sizeof(zero)) == 0))
		wrong = "a bridge's table has only addresses of single hosts; with 'remote' a vxlan's table takes this one";
	if (wrong) {
		diag_error(p->diags, node->position, "%s", wrong);
		return false;
	}
	object->set |= field_bit(OWN) | field_bit(EXTERN_LEARN);
	if (f->own)
		object->set |= field_bit(PORT) | field_bit(VNI) | field_bit(VIA);
	else
		object->set |= field_bit(STICKY);
	return true;
}

static void check(struct reading *r, const struct ns_state *ns, const struct object *desired) {
	const struct fdb *f = (const struct fdb *)desired;
	const struct object *link = ns_find_link(ns, f->dev);

	if (!link || link->external)
		return;
	if (f->own && !streq(link->kind->name, "vxlan")) {
		diag_error(r->parse.diags, object_position(desired, &fields[REMOTE]),
			   "only a vxlan has other ends; %s is a %s", f->dev, link->kind->name);
		return;
	}
	if (!f->own && !object_has(link, LINK_MASTER))
		diag_error(r->parse.diags, desired->position,
			   "%s is not a port of a bridge: list it in the bridge's 'ports'%s", f->dev,
			   streq(link->kind->name, "vxlan") ? ", or write 'remote'" : "");
	static const char *const whole[] = { "remote", "remotes", "group" };
	for (size_t i = 0; f->own && is_flood(f) && !(f->mac.bytes[0] & 1) && i < ARRAY_SIZE(whole); i++) {
		int field = kind_field(link->kind, whole[i]);

		if (field < 0 || !object_has(link, (size_t)field))
			continue;
		diag_error(
			r->parse.diags, desired->position,
			"'%s' of %s already says where frames to unknown addresses go: write all other ends as 'remotes', "
			"or declare them here and leave that key out",
			whole[i], f->dev);
		diag_note(r->parse.diags, object_position(link, &link->kind->fields[field]), "here");
	}
}

static const struct mapping entry = {
	.name = "fdb",
	.title = "Forwarding tables",
	.doc = "An entry of `fdb`, on a vxlan or on a bridge's port.",
	.what = "an fdb entry",
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.kind = &kind_fdb,
};

static const struct section sections[] = {
	{ .key = "fdb",
	  .place = SECTION_INTERFACE,
	  .shape = SECTION_LIST,
	  .mapping = &entry,
	  .value = "list of [entries](#fdb)",
	  .doc = "Static entries of the forwarding table." },
	{},
};

static void noun(const struct object *object, struct text *out) {
	const struct fdb *f = (const struct fdb *)object;

	text_add(out, "fdb entry ");
	type_any_mac.print(&fields[MAC], &f->mac, out);
	if (f->vlan)
		text_addf(out, " vlan %u", f->vlan);
	if (!f->own)
		return;
	text_add(out, is_flood(f) ? " to " : " of the vxlan");
	if (!is_flood(f))
		return;
	type_ip.print(&fields[REMOTE], &f->remote, out);
	if (f->port)
		text_addf(out, " port %u", f->port);
	if (f->vni)
		text_addf(out, " vni %u", f->vni);
	if (f->via)
		text_addf(out, " via %s", f->via);
}

/* Several entries have one of these addresses, and differ in the rest. */
static void key(const struct object *object, struct text *out) {
	if (is_flood((const struct fdb *)object))
		noun(object, out);
}

/* ---- the kernel's messages ---- */

static int encode(struct encode *encode, const struct change *change) {
	bool delete = change->type == CHANGE_DELETE;
	const struct fdb *f = (const struct fdb *)(delete ? change->observed : change->desired);
	/* NLM_F_REPLACE also for a new entry: the address may have been learned. */
	uint16_t flags = delete ? 0 : NLM_F_CREATE | (is_flood(f) ? NLM_F_APPEND : NLM_F_REPLACE);
	uint32_t index = encode_ifindex(encode, f->object.ns, f->dev);
	uint32_t via = index && f->via ? encode_ifindex(encode, f->object.ns, f->via) : 0;
	struct nl_writer *w = encode->writer;

	if (!index || (f->via && !via))
		return -ENODEV;
	struct ndmsg *ndm = nl_begin(w, delete ? RTM_DELNEIGH : RTM_NEWNEIGH, flags, sizeof(*ndm));
	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = (int)index;
	ndm->ndm_state = f->own ? NUD_NOARP | NUD_PERMANENT : NUD_NOARP;
	ndm->ndm_flags = (uint8_t)((f->own ? NTF_SELF : NTF_MASTER) | (f->sticky ? NTF_STICKY : 0) |
				   (f->extern_learn && !delete ? NTF_EXT_LEARNED : 0));
	nl_origin(w, &fields[MAC]);
	nl_put(w, NDA_LLADDR, f->mac.bytes, sizeof(f->mac.bytes));
	if (f->vlan) {
		nl_origin(w, &fields[VLAN]);
		nl_put_u16(w, NDA_VLAN, (uint16_t)f->vlan);
	}
	if (f->own) {
		nl_origin(w, &fields[REMOTE]);
		nl_put(w, NDA_DST, f->remote.bytes, ip_size(f->remote.family));
	}
	if (f->port)
		nl_put_u16(w, NDA_PORT, htons((uint16_t)f->port));
	if (f->vni)
		nl_put_u32(w, NDA_VNI, f->vni);
	if (via) {
		nl_origin(w, &fields[VIA]);
		nl_put_u32(w, NDA_IFINDEX, via);
	}
	return 0;
}

/* Static entries, and what control planes have learned. A bridge's entries for its own ports' addresses are permanent. */
static bool is_fixed(const struct ndmsg *ndm) {
	if (ndm->ndm_flags & NTF_SELF)
		return ndm->ndm_state & (NUD_NOARP | NUD_PERMANENT);
	return ndm->ndm_state == NUD_NOARP || ndm->ndm_flags & NTF_EXT_LEARNED;
}

/* Is it the entry that a vxlan makes for its own far end? */
static bool is_of_link(const struct source_scan *scan, const struct fdb *f) {
	const struct object *link = ns_find_link(scan->seen, f->dev);
	int field = link && f->own ? kind_field(link->kind, "remote") : -1;

	return field >= 0 && object_has(link, (size_t)field) && is_flood(f) &&
	       ip_equal(field_of(&link->kind->fields[field], link), &f->remote);
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NDA_MASTER + 1];
	struct arena *arena = scan->decode.arena;

	if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm) ||
	    ndm->ndm_family != AF_BRIDGE || !is_fixed(ndm))
		return 0;
	nl_parse(nlh, sizeof(*ndm), tb, NDA_MASTER);
	struct fdb *f = (struct fdb *)object_new(arena, &kind_fdb, scan->seen->name);
	f->own = !!(ndm->ndm_flags & NTF_SELF);
	f->dev = scan->decode.link_name(scan->decode.userdata, (uint32_t)ndm->ndm_ifindex);
	/* Other drivers show their multicast filters. */
	if (!f->dev || !tb[f->own ? NDA_DST : NDA_MASTER] || !tb[NDA_LLADDR] ||
	    !type_any_mac.get(arena, &fields[MAC], tb[NDA_LLADDR], &f->mac) ||
	    (f->own && !type_ip.get(arena, &fields[REMOTE], tb[NDA_DST], &f->remote)))
		return 0;
	f->vlan = nl_get_u16(tb[NDA_VLAN], 0);
	f->port = ntohs(nl_get_u16(tb[NDA_PORT], 0));
	f->vni = nl_get_u32(tb[NDA_VNI], 0);
	if (tb[NDA_IFINDEX])
		f->via = scan->decode.link_name(scan->decode.userdata, nl_get_u32(tb[NDA_IFINDEX], 0));
	f->sticky = !!(ndm->ndm_flags & NTF_STICKY);
	f->extern_learn = !!(ndm->ndm_flags & NTF_EXT_LEARNED);
	f->object.set = field_bit(ARRAY_SIZE(fields)) - 1;
	f->object.set &= ~((f->own ? field_bit(STICKY) : field_bit(REMOTE)) | (f->vlan ? 0 : field_bit(VLAN)));
	f->object.kernel_made = is_of_link(scan, f);
	object_seal(arena, &f->object);
	scan_add(scan, &f->object);
	return 0;
}

/* With an entry without a VLAN, br_fdb_add() adds one for each VLAN of the port, and br_fdb_delete() removes them. */
static int finish_scan(struct source_scan *scan) {
	ns_foreach(object, scan->seen) {
		const struct fdb *f = (const struct fdb *)object;

		if (object->kind != &kind_fdb || !f->vlan)
			continue;
		struct fdb *whole = arena_memdup(scan->decode.arena, f, sizeof(*whole));
		whole->vlan = 0;
		whole->object.hh = (UT_hash_handle){};
		object_seal(scan->decode.arena, &whole->object);
		object->kernel_made |= ns_find(scan->seen, &whole->object) != NULL;
	}
	return 0;
}

static void dump(struct source_scan *scan, struct nl_writer *w) {
	if (scan->scope && !scan->concerns(scan, &class_fdb))
		return;
	struct ndmsg *ndm = nl_begin(w, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*ndm));
	ndm->ndm_family = AF_BRIDGE;
}

/* Passes what is_fixed() may want of AF_BRIDGE. */
static struct sock_filter fixed_filter[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_BRIDGE, 0, 4),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_state)),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, AS_READ(NUD_PERMANENT | NUD_NOARP), 3, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_flags)),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NTF_EXT_LEARNED, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

static enum about about(const struct event *event, struct hint *ret) {
	const struct ndmsg *ndm = event_header(event, sizeof(*ndm));

	if (!ndm)
		return ABOUT_UNKNOWN;
	if (ndm->ndm_family != AF_BRIDGE)
		return ABOUT_OTHER;
	/* The event of an entry that moves to another port names only the new one. */
	ret->type = ndm->ndm_flags & NTF_SELF ? HINT_PARTS : HINT_CLASS;
	ret->class = &class_fdb;
	ret->ifindex = (uint32_t)ndm->ndm_ifindex;
	return ABOUT_HINT;
}

/* To hear that an entry becomes a learned one, topod would have to hear every learned entry. */
static bool silent(const struct object *object _unused_) {
	return true;
}

static const struct source entries = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWNEIGH,
	.last = RTM_DELNEIGH,
	.groups = (const int[]){ RTNLGRP_NEIGH, 0 },
	.filter = &(const struct sock_fprog){ ARRAY_SIZE(fixed_filter), fixed_filter },
	.only_if_declared = true,
	.about = about,
	.dump = dump,
	.decode = decode,
	.finish = finish_scan,
};

const struct class class_fdb = {
	.sections = sections,
	.name = "fdb entry",
	.plural = "fdb entries",
	.source = &entries,
	.part_of = &class_link,
	.silent = silent,
};

const struct kind kind_fdb = {
	.name = "fdb",
	.class = &class_fdb,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct fdb),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.finish = finish,
	.check = check,
	.key = key,
	.encode = encode,
	.noun = noun,
};
