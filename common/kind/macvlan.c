/* SPDX-License-Identifier: GPL-2.0-or-later */
/* macvlan and macvtap: an interface with its own MAC address on a parent, which may be in another namespace. */
#include "kind/link.h"

struct macvlan {
	struct link link;
	struct link_ref parent;
	uint32_t mode;
};

enum { PARENT = LINK_N_FIELDS, MODE };

static const struct enum_name modes[] = {
	{ "bridge", MACVLAN_MODE_BRIDGE },
	{ "private", MACVLAN_MODE_PRIVATE },
	{ "vepa", MACVLAN_MODE_VEPA },
	{ "passthru", MACVLAN_MODE_PASSTHRU },
	{},
};

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
			  "parent's hardware address." },
};

/* The kernel cannot switch an existing macvlan to or from passthru (macvlan_changelink()). */
static bool recreate(const struct object *desired, const struct object *observed, uint64_t differs) {
	const struct macvlan *want = (const struct macvlan *)desired, *have = (const struct macvlan *)observed;

	return differs >> MODE & 1 && (want->mode == MACVLAN_MODE_PASSTHRU || have->mode == MACVLAN_MODE_PASSTHRU);
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

#define MACVLAN(word, sentence)                                                                                      \
	{                                                                                                            \
		.name = word, .doc = sentence, .class = &class_link, .transport = TRANSPORT_ROUTE,                   \
		.size = sizeof(struct macvlan), .fields = fields, .n_fields = ARRAY_SIZE(fields), .link_kind = word, \
		.markable = true, .sent_in = link_sent_in, .encode = link_encode, .recreate = recreate,              \
		.shares_mac = shares_mac, .takes_frames = true, .segment = SEGMENT_LOWER, .same_parent = "macvlan",  \
		.claim = claim, .headroom = headroom                                                                 \
	}

const struct kind kind_macvlan = MACVLAN("macvlan", "An interface with its own MAC address on a parent.");
const struct kind kind_macvtap =
	MACVLAN("macvtap", "A macvlan that a program, for example a virtual machine, opens as /dev/tapN.");
