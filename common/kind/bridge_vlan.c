/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VLANs of a bridge's port and of the bridge itself (bridge(8), "vlan"). If one of the three fields is declared, all
 * are: the set is exact.
 *
 * They are read by RTM_GETVLAN (Linux 5.6), which a kernel without VLAN filtering refuses, and heard from RTNLGRP_BRVLAN:
 * RTNLGRP_LINK does not report VLANs that change with the bridge's default. They are set by RTM_SETLINK and RTM_DELLINK of
 * AF_BRIDGE (br_afspec() in net/bridge/br_netlink.c). The first adds missing VLANs and changes the flags of existing ones,
 * the second removes the rest and ignores absent ones. So a request does not depend on the previous VLANs, and VLANs that
 * stay are not touched.
 */
#include <linux/rtnetlink.h>

#include "kind/bridge_vlan.h"
#include "kind/bridge_port.h"
#include "model/change.h"

struct vlan_set {
	uint64_t bits[64];
};

static const struct vlan_set nothing;

/* linux/if_bridge.h, which cannot be included together with the C library's headers. */
enum {
	BRIDGE_FLAGS = 0,     /* IFLA_BRIDGE_FLAGS, in IFLA_AF_SPEC … */
	BRIDGE_VLAN_INFO = 2, /* IFLA_BRIDGE_VLAN_INFO */
	FLAGS_SELF = 2,       /* BRIDGE_FLAGS_SELF: the bridge's own */
	VLAN_PVID = 1 << 1,   /* BRIDGE_VLAN_INFO_*: flags of struct bridge_vlan_info */
	VLAN_UNTAGGED = 1 << 2,
	VLAN_RANGE_BEGIN = 1 << 3,
	VLAN_RANGE_END = 1 << 4,
	VLANDB_ENTRY = 1,       /* BRIDGE_VLANDB_ENTRY, of RTM_NEWVLAN … */
	VLANDB_ENTRY_INFO = 1,  /* BRIDGE_VLANDB_ENTRY_INFO */
	VLANDB_ENTRY_RANGE = 2, /* BRIDGE_VLANDB_ENTRY_RANGE: the last id of the range */
	VLANDB_DUMP_FLAGS = 1,  /* BRIDGE_VLANDB_DUMP_FLAGS, of RTM_GETVLAN … */
	DUMP_STATS = 1,         /* BRIDGE_VLANDB_DUMPF_STATS */
};

struct vlan_info {
	uint16_t flags, vid;
};

struct vlan_header { /* struct br_vlan_msg */
	uint8_t family, reserved1;
	uint16_t reserved2;
	uint32_t ifindex;
};

static bool has_vlan(const struct vlan_set *set, uint32_t id) {
	return set->bits[id / 64] >> id % 64 & 1;
}

static void add_vlans(struct vlan_set *set, uint32_t from, uint32_t to) {
	for (uint32_t id = from; id <= to; id++)
		set->bits[id / 64] |= UINT64_C(1) << id % 64;
}

/* The next range of ids from *id on; false: there are no more. */
static bool next_range(const struct vlan_set *set, uint32_t *id, uint32_t *ret_to) {
	while (*id <= VLAN_ID_MAX && !has_vlan(set, *id))
		++*id;
	for (*ret_to = *id; *ret_to < VLAN_ID_MAX && has_vlan(set, *ret_to + 1);)
		++*ret_to;
	return *id <= VLAN_ID_MAX;
}

#define foreach_range(set, from, to) for (uint32_t from = 1, to = 0; next_range(set, &(from), &(to)); (from) = (to) + 1)

/* ---- values ---- */

static bool pvid_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	if (node->type != NODE_SEQUENCE)
		return type_integer.parse(p, field, node, value);
	diag_error(p->diags, node->position,
		   "'%s' is one VLAN: that of frames that arrive without a tag; write the others as 'untagged' or 'tagged'",
		   field->name);
	return false;
}

static void pvid_print(const struct field *field, const void *value, struct text *out) {
	type_integer.print(field, value, out);
}

static bool pvid_equal(const void *a, const void *b) {
	return type_integer.equal(a, b);
}

/* Reads "10" or "20-29". */
static bool add_word(struct parse *p, const struct field *field, const struct node *node, char *word, struct vlan_set *set) {
	char *dash = strchr(word, '-');
	uint32_t from, to;

	if (dash)
		*dash = '\0';
	bool good = parse_u32(word, &from) == 0 && parse_u32(dash ? dash + 1 : word, &to) == 0 && from <= to;
	if (dash)
		*dash = '-';
	if (!good)
		diag_error(p->diags, node->position, "'%s' takes VLAN ids and ranges, for example [10, 20-29], not '%s'",
			   field->name, word);
	else if (!from || to > VLAN_ID_MAX)
		diag_error(p->diags, node->position, "a VLAN id is from 1 to %u, not %u: 0 and 4095 are reserved",
			   VLAN_ID_MAX, from ? to : from);
	else
		add_vlans(set, from, to);
	return good && from && to <= VLAN_ID_MAX;
}

/* A list, one item, or the text that set_print() writes. */
static bool set_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct vlan_set *set = arena_new(p->arena, struct vlan_set);
	bool good = true;

	for (size_t i = 0; i < (node->type == NODE_SEQUENCE ? node->n : 1) && good; i++) {
		const struct node *item = node->type == NODE_SEQUENCE ? node->items[i] : node;
		const char *text = parse_scalar(p, field, item);
		char *rest = text ? arena_strdup(p->arena, text) : NULL, *word;

		good = text;
		while (good && !streq(text, "none") && (word = strsep(&rest, " ")))
			good = add_word(p, field, item, word, set);
	}
	*(const struct vlan_set **)value = set;
	return good;
}

static void set_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct vlan_set *set = *(const struct vlan_set *const *)value;
	const char *between = "";

	foreach_range(set, from, to) {
		text_addf(out, from == to ? "%s%u" : "%s%u-%u", between, from, to);
		between = " ";
	}
	if (!*between)
		text_add(out, "none");
}

static bool set_equal(const void *a, const void *b) {
	return memcmp(*(const struct vlan_set *const *)a, *(const struct vlan_set *const *)b, sizeof(struct vlan_set)) == 0;
}

const struct enum_name no_vlan[] = { { "none", 0 }, {} };

const struct type type_pvid = {
	.name = "VLAN",
	.schema = "{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 4094}, {\"enum\": [\"none\"]}]}",
	.size = sizeof(uint32_t),
	.parse = pvid_parse,
	.print = pvid_print,
	.equal = pvid_equal,
};

const struct type type_vlan_set = {
	.words = true,
	.name = "list of VLANs",
	.schema = "{\"type\": [\"integer\", \"string\", \"array\"], \"minimum\": 1, \"maximum\": 4094, "
		  "\"items\": {\"type\": [\"integer\", \"string\"], \"minimum\": 1, \"maximum\": 4094}}",
	.size = sizeof(struct vlan_set *),
	.parse = set_parse,
	.print = set_print,
	.equal = set_equal,
};

/* ---- the file ---- */

enum { PVID, UNTAGGED, TAGGED };

static bool is_port(const struct kind *kind) {
	return kind->class == &class_port;
}

static struct vlans *vlans_of(const struct object *object) {
	return field_of(&object->kind->fields[object->kind->n_fields - N_VLAN_FIELDS], object);
}

static uint64_t bit_of(const struct kind *kind, size_t i) {
	return field_bit(kind->n_fields - N_VLAN_FIELDS + i);
}

static uint64_t vlan_fields(const struct kind *kind) {
	return bit_of(kind, PVID) | bit_of(kind, UNTAGGED) | bit_of(kind, TAGGED);
}

static bool declares(const struct object *object) {
	return object->set & vlan_fields(object->kind);
}

void bridge_vlans_settle(const struct kind *kind, struct arena *arena, struct ns_state *ns) {
	ns_foreach(object, ns) {
		struct vlans *vlans = object->kind == kind && declares(object) ? vlans_of(object) : NULL;

		if (!vlans)
			continue;
		object->set |= vlan_fields(kind);
		vlans->tagged = vlans->tagged ? vlans->tagged : &nothing;
		vlans->untagged = vlans->untagged ? vlans->untagged : &nothing;
		if (!vlans->pvid || has_vlan(vlans->tagged, vlans->pvid))
			continue;
		struct vlan_set *untagged = arena_memdup(arena, vlans->untagged, sizeof(*untagged));
		add_vlans(untagged, vlans->pvid, vlans->pvid);
		vlans->untagged = untagged;
	}
}

/* The bridge of a port, or the bridge itself; NULL: not in ns. */
static const struct object *bridge_of(const struct ns_state *ns, const struct object *object) {
	const char *name = object_home_link(object);
	const struct object *link = ns_find_link(ns, name);

	if (!is_port(object->kind))
		return link;
	return link && object_has(link, LINK_MASTER) ? ns_find_link(ns, ((const struct link *)link)->master) : NULL;
}

/* A number of the bridge; `otherwise` if the file does not have it. */
static uint32_t bridge_value(const struct object *bridge, const char *key, uint32_t otherwise) {
	int i = kind_field(bridge->kind, key);

	return i >= 0 && object_has(bridge, (size_t)i) ? *(const uint32_t *)field_of(&bridge->kind->fields[i], bridge)
						       : otherwise;
}

static struct position position_of(const struct object *object, size_t i) {
	return object_position(object, &object->kind->fields[object->kind->n_fields - N_VLAN_FIELDS + i]);
}

/* The first VLAN of both sets; 0: none. */
static uint32_t common_vlan(const struct vlan_set *a, const struct vlan_set *b) {
	for (uint32_t id = 1; id <= VLAN_ID_MAX; id++)
		if (has_vlan(a, id) && has_vlan(b, id))
			return id;
	return 0;
}

void bridge_vlans_check(struct reading *r, const struct ns_state *ns, const struct object *desired) {
	const struct object *bridge = bridge_of(ns, desired);
	const struct vlans *vlans = vlans_of(desired);
	bool made = bridge && kind_field(bridge->kind, "vlan-filtering") >= 0;

	if (!declares(desired))
		return;
	uint32_t twice = common_vlan(vlans->untagged, vlans->tagged);
	if (twice)
		diag_error(
			r->parse.diags, position_of(desired, TAGGED),
			"VLAN %u is both in 'untagged' and in 'tagged': its frames leave either without a tag or with one",
			twice);
	else if (made && !bridge_value(bridge, "vlan-filtering", false))
		diag_warning(r->parse.diags, desired->position,
			     "these VLANs have no effect until the bridge %s has 'vlan-filtering: true'",
			     object_home_link(bridge));
	else if (memcmp(vlans->untagged, &nothing, sizeof(nothing)) != 0 && !vlans->pvid &&
		 position_of(desired, PVID).line == desired->position.line &&
		 position_of(desired, PVID).column == desired->position.column)
		diag_warning(
			r->parse.diags, position_of(desired, UNTAGGED),
			"frames that arrive without a tag are dropped: write 'pvid' as well, or 'pvid: none' if you want that");
}

const char *bridge_vlans_fallback(struct arena *arena, const struct ns_state *ns, const struct object *object,
				  size_t field) {
	const struct object *bridge = bridge_of(ns, object);

	if (!bridge || !(vlan_fields(object->kind) >> field & 1) || field_bit(field) == bit_of(object->kind, TAGGED))
		return NULL;
	uint32_t id = bridge_value(bridge, "vlan-default-pvid", 1);
	return id ? arena_printf(arena, "%u", id) : "none";
}

/* A port or bridge that has only the bridge's default VLAN is written without VLANs. Otherwise the set is exact and written
 * completely. */
bool bridge_vlans_are_usual(const struct state *seen, const struct object *observed, size_t field) {
	const struct object *bridge = bridge_of(state_find(seen, observed->ns), observed);
	const struct vlans *vlans = vlans_of(observed);
	struct vlan_set usual = {};

	if (!(vlan_fields(observed->kind) >> field & 1))
		return false;
	if (!bridge || !bridge_value(bridge, "vlan-filtering", false) || !object_has(observed, field))
		return true;
	if (vlans->pvid)
		add_vlans(&usual, vlans->pvid, vlans->pvid);
	bool alone = memcmp(vlans->untagged, &usual, sizeof(usual)) == 0;
	if (alone && vlans->pvid == bridge_value(bridge, "vlan-default-pvid", 1) &&
	    memcmp(vlans->tagged, &nothing, sizeof(nothing)) == 0)
		return true;
	return alone && field_bit(field) == bit_of(observed->kind, UNTAGGED);
}

/* ---- the kernel's messages ---- */

static void put_range(struct nl_writer *w, uint16_t flags, uint32_t from, uint32_t to) {
	struct vlan_info info = { flags, (uint16_t)from };

	if (from != to) {
		info.flags = flags | VLAN_RANGE_BEGIN;
		nl_put(w, BRIDGE_VLAN_INFO, &info, sizeof(info));
		info = (struct vlan_info){ flags | VLAN_RANGE_END, (uint16_t)to };
	}
	nl_put(w, BRIDGE_VLAN_INFO, &info, sizeof(info));
}

static struct nlattr *begin(struct encode *encode, const struct object *desired, uint16_t type, uint32_t index) {
	struct ifinfomsg *ifi = link_begin(encode, type, 0);

	ifi->ifi_family = AF_BRIDGE;
	ifi->ifi_index = (int)index;
	nl_origin(encode->writer, &desired->kind->fields[desired->kind->n_fields - N_VLAN_FIELDS]);
	struct nlattr *spec = nl_nest(encode->writer, IFLA_AF_SPEC);
	if (!is_port(desired->kind))
		nl_put_u16(encode->writer, BRIDGE_FLAGS, FLAGS_SELF);
	return spec;
}

/* The VLAN of untagged frames comes first, so that there is one at any moment. */
static void encode_vlans(struct encode *encode, const struct object *desired, uint32_t index) {
	const struct vlans *vlans = vlans_of(desired);
	struct vlan_set undeclared, untagged = vlans->untagged ? *vlans->untagged : nothing,
				    tagged = vlans->tagged ? *vlans->tagged : nothing;
	struct nl_writer *w = encode->writer;

	for (size_t i = 0; i < ARRAY_SIZE(undeclared.bits); i++)
		undeclared.bits[i] = ~(untagged.bits[i] | tagged.bits[i]);
	struct nlattr *spec = begin(encode, desired, RTM_SETLINK, index);
	if (vlans->pvid) {
		uint16_t flags = VLAN_PVID | (has_vlan(&untagged, vlans->pvid) ? VLAN_UNTAGGED : 0);

		put_range(w, flags, vlans->pvid, vlans->pvid);
		untagged.bits[vlans->pvid / 64] &= ~(UINT64_C(1) << vlans->pvid % 64);
		tagged.bits[vlans->pvid / 64] &= ~(UINT64_C(1) << vlans->pvid % 64);
	}
	foreach_range(&untagged, from, to) put_range(w, VLAN_UNTAGGED, from, to);
	foreach_range(&tagged, from, to) put_range(w, 0, from, to);
	nl_nest_end(w, spec);
	spec = begin(encode, desired, RTM_DELLINK, index);
	foreach_range(&undeclared, from, to) put_range(w, 0, from, to);
	nl_nest_end(w, spec);
}

int bridge_vlans_encode(struct encode *encode, const struct change *change,
			int (*others)(struct encode *encode, const struct change *change)) {
	const struct object *desired = change->desired;
	uint64_t vlans = change->type == CHANGE_UPDATE ? change->fields & vlan_fields(desired->kind) : 0;
	struct change rest = *change;
	int r = 0;

	rest.fields &= ~vlans;
	if (rest.fields || !vlans)
		r = others(encode, &rest);
	if (r < 0 || !vlans)
		return r;
	uint32_t index = encode_ifindex(encode, desired->ns, object_home_link(desired));
	if (index)
		encode_vlans(encode, desired, index);
	return index ? 0 : -ENODEV;
}

/* With counters, because the kernel then lists each VLAN by itself. Without counters, it leaves out those that follow the
 * pvid and have its flags (br_vlan_dump_dev() and br_vlan_fill_vids() in net/bridge/br_vlan.c). */
static void ask(const struct source_scan *scan, struct nl_writer *w, const struct object *observed) {
	struct vlan_header *header = nl_begin(w, RTM_GETVLAN, NLM_F_DUMP, sizeof(*header));

	header->family = AF_BRIDGE;
	header->ifindex = scan->ifindex(scan, object_home_link(observed));
	nl_put_u32(w, VLANDB_DUMP_FLAGS, DUMP_STATS);
}

static void add_entry(struct vlans *vlans, const struct nlattr *nest) {
	const struct nlattr *entry[VLANDB_ENTRY_RANGE + 1];
	struct vlan_info info;

	nl_parse_nested(nest, entry, VLANDB_ENTRY_RANGE);
	if (!entry[VLANDB_ENTRY_INFO] || mnl_attr_get_payload_len(entry[VLANDB_ENTRY_INFO]) < sizeof(info))
		return;
	memcpy(&info, mnl_attr_get_payload(entry[VLANDB_ENTRY_INFO]), sizeof(info));
	uint16_t to = nl_get_u16(entry[VLANDB_ENTRY_RANGE], info.vid);
	if (to > VLAN_ID_MAX)
		return;
	add_vlans((struct vlan_set *)(uintptr_t)(info.flags & VLAN_UNTAGGED ? vlans->untagged : vlans->tagged), info.vid,
		  to);
	if (info.flags & VLAN_PVID)
		vlans->pvid = info.vid;
}

static void take(struct arena *arena, struct object *observed, const struct nlmsghdr *nlh) {
	struct vlans *vlans = vlans_of(observed);
	const struct nlattr *attr;

	if (!nlh) {
		*vlans = (struct vlans){ .untagged = arena_new(arena, struct vlan_set),
					 .tagged = arena_new(arena, struct vlan_set) };
		observed->set |= vlan_fields(observed->kind);
		return;
	}
	if (nlh->nlmsg_type != RTM_NEWVLAN || mnl_nlmsg_get_payload_len(nlh) < sizeof(struct vlan_header))
		return;
	mnl_attr_for_each(attr, nlh, sizeof(struct vlan_header))
		if (mnl_attr_get_type(attr) == VLANDB_ENTRY)
			add_entry(vlans, attr);
}

/* A kernel without VLAN filtering shows no VLANs and refuses to set them. The same happens for a link that has just left its
 * bridge. */
static int refused(struct source_scan *scan _unused_, int error) {
	return error == -EOPNOTSUPP || error == -EINVAL || error_is_gone(error) ? 0 : error;
}

static enum about about(const struct event *event, struct hint *ret) {
	const struct vlan_header *header = event_header(event, sizeof(*header));

	if (!header)
		return ABOUT_UNKNOWN;
	ret->type = HINT_DETAIL;
	ret->ifindex = header->ifindex;
	return ABOUT_HINT;
}

const struct source source_bridge_vlans = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWVLAN,
	.last = RTM_GETVLAN,
	.groups = (const int[]){ RTNLGRP_BRVLAN, 0 },
	.only_if_declared = true,
	.about = about,
	.refused = refused,
	.declares = declares,
	.ask = ask,
	.take = take,
};
