/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * macvlan and macvtap: an interface with its own MAC address on a parent, which may be in another namespace.
 *
 * In mode source it receives only frames from certain MAC addresses (`sources`). The kernel keeps these only in that mode.
 */
#include "kind/link.h"
#include "model/change.h"
#include "model/section.h"
#include "model/set.h"

struct macvlan {
	struct link link;
	struct link_ref parent;
	uint32_t mode, queue;
	struct value_set sources;
};

enum { PARENT = LINK_N_FIELDS, MODE, SOURCES, QUEUE };

static const struct enum_name modes[] = {
	{ "bridge", MACVLAN_MODE_BRIDGE },     { "private", MACVLAN_MODE_PRIVATE }, { "vepa", MACVLAN_MODE_VEPA },
	{ "passthru", MACVLAN_MODE_PASSTHRU }, { "source", MACVLAN_MODE_SOURCE },   {},
};

/* ---- sources ---- */

static void macs_put(struct nl_writer *w, const struct field *field, const void *value) {
	const struct value_set *macs = value;
	const struct mac *items = macs->items;

	nl_put_u32(w, IFLA_MACVLAN_MACADDR_MODE, MACVLAN_MACADDR_SET);
	struct nlattr *nest = nl_nest(w, field->attr);
	for (size_t i = 0; i < macs->n; i++)
		nl_put(w, IFLA_MACVLAN_MACADDR, &items[i], sizeof(items[i]));
	nl_nest_end(w, nest);
}

static bool macs_get(struct arena *arena, const struct field *field, const struct nlattr *attr, void *value) {
	struct value_set *macs = value;
	const struct nlattr *inner;

	*macs = set_new(arena, field->type->item_type, mnl_attr_get_payload_len(attr) / sizeof(struct mac));
	mnl_attr_for_each_nested(inner, attr) {
		if (mnl_attr_get_payload_len(inner) < sizeof(struct mac))
			return false;
		memcpy(set_next(macs), mnl_attr_get_payload(inner), sizeof(struct mac));
		macs->n++;
	}
	set_sort(macs);
	return true;
}

static const struct type type_macs = {
	.words = true,
	.name = "list of MAC addresses",
	SET_OF(type_mac),
	.put = macs_put,
	.get = macs_get,
};

/* ---- the table ---- */

static const struct field fields[] = {
	LINK_FIELDS(NULL),
	[PARENT] = { .name = "link",
		     .type = &type_link_ref,
		     .offset = offsetof(struct macvlan, parent),
		     .class = FIELD_RECREATE,
		     .flags = FIELD_REQUIRED | FIELD_DEV | FIELD_LOWER,
		     .wire = WIRE_LINK,
		     .attr = IFLA_LINK,
		     .doc = "The parent: an interface, or namespace:interface." },
	[MODE] = { .name = "mode",
		   .type = &type_enum,
		   .offset = offsetof(struct macvlan, mode),
		   .wire = WIRE_DATA,
		   .attr = IFLA_MACVLAN_MODE,
		   .names = modes,
		   .fallback = "vepa",
		   .doc = "How the macvlans of one parent reach each other; `passthru` allows only one, which has the "
			  "parent's hardware address, and `source` receives only from `sources`." },
	[SOURCES] = { .name = "sources",
		      .type = &type_macs,
		      .offset = offsetof(struct macvlan, sources),
		      .flags = FIELD_LEFT_OUT,
		      .wire = WIRE_DATA,
		      .attr = IFLA_MACVLAN_MACADDR_DATA,
		      .fallback = "none",
		      .doc = "The MAC addresses from which it receives, in any order; for `mode: source`." },
	[QUEUE] = { .name = "broadcast-queue-length",
		    .type = &type_integer,
		    .offset = offsetof(struct macvlan, queue),
		    .wire = WIRE_DATA,
		    .attr = IFLA_MACVLAN_BC_QUEUE_LEN,
		    .fallback = "1000",
		    .doc = "How many broadcasts may wait; the parent's queue has the largest length of all its macvlans." },
};

/* The kernel cannot switch an existing macvlan to or from passthru (macvlan_changelink()). */
static bool recreate(const struct object *desired, const struct object *observed, uint64_t differs) {
	const struct macvlan *want = (const struct macvlan *)desired, *have = (const struct macvlan *)observed;

	return differs >> MODE & 1 && (want->mode == MACVLAN_MODE_PASSTHRU || have->mode == MACVLAN_MODE_PASSTHRU);
}

static bool receives_from_sources(const struct object *object) {
	return object_has(object, MODE) && ((const struct macvlan *)object)->mode == MACVLAN_MODE_SOURCE;
}

/* In any other mode, the kernel has removed the sources itself and refuses a message about them. */
static int encode_macvlan(struct encode *encode, const struct change *change) {
	struct change without = *change;

	if (change->type != CHANGE_DELETE && !receives_from_sources(change->desired))
		without.fields &= ~field_bit(SOURCES);
	return link_encode(encode, &without);
}

static void check(struct reading *r, const struct ns_state *ns _unused_, const struct object *desired) {
	if (object_has(desired, SOURCES) && !receives_from_sources(desired))
		diag_error(r->parse.diags, object_position(desired, &fields[SOURCES]),
			   "'sources' needs 'mode: source'; in the other modes it receives from everybody");
	else if (receives_from_sources(desired) && !object_has(desired, SOURCES))
		diag_warning(r->parse.diags, object_position(desired, &fields[MODE]),
			     "in mode source it receives nothing without 'sources'");
}

static bool shares_mac(const struct object *desired) {
	return object_has(desired, MODE) && ((const struct macvlan *)desired)->mode == MACVLAN_MODE_PASSTHRU;
}

/* The parent, which passthru does not share (macvlan_common_newlink()), and the MAC address (macvlan_addr_busy(),
 * checked when the link comes up; both in drivers/net/macvlan.c). */
static bool claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	const struct macvlan *macvlan = (const struct macvlan *)desired;
	const char *ns = macvlan->parent.ns, *name = macvlan->parent.name;
	bool alone = shares_mac(desired);
	char mac[MAC_TEXT_MAX];

	if (!name || i > 1)
		return false;
	if (i == 0) {
		*ret = (struct sole_claim){
			.key = arena_printf(arena, "macvlan %s:%s", ns, name),
			.field = &fields[alone ? MODE : PARENT],
			.shared = !alone,
			.error = -EINVAL,
			.problem = arena_printf(
				arena, "%s:%s is the parent of another macvlan, and 'mode: passthru' allows only one", ns,
				name),
		};
		return true;
	}
	*ret = (struct sole_claim){
		.key = arena_printf(arena, "mac %s:%s %s", ns, name, mac_format(&macvlan->link.mac, mac)),
		.field = &fields[LINK_MAC],
		.error = -EADDRINUSE,
		.problem = arena_printf(arena, "another macvlan of %s:%s has this MAC address", ns, name),
	};
	return object_has(desired, LINK_MAC) && macvlan->link.up && !alone;
}

static uint32_t headroom(const struct object *desired _unused_) {
	return 0;
}

#define MACVLAN(word, sentence)                                                                                            \
	{                                                                                                                  \
		.name = word, .doc = sentence, .class = &class_link, .transport = TRANSPORT_ROUTE,                         \
		.size = sizeof(struct macvlan), .fields = fields, .n_fields = ARRAY_SIZE(fields), .link_kind = word,       \
		.markable = true, .sent_in = link_sent_in, .encode = encode_macvlan, .check = check, .recreate = recreate, \
		.shares_mac = shares_mac, .takes_frames = true, .segment = SEGMENT_LOWER, .same_parent = "macvlan",        \
		.claim = claim, .headroom = headroom                                                                       \
	}

const struct kind kind_macvlan = MACVLAN("macvlan", "An interface with its own MAC address on a parent.");
const struct kind kind_macvtap =
	MACVLAN("macvtap", "A macvlan that a program, for example a virtual machine, opens as /dev/tapN.");
