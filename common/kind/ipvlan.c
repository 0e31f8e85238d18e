/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipvlan and ipvtap: interfaces that share the MAC address of their lower interface; packets are distinguished by IP
 * address. The lower interface may be in another namespace. Mode and isolation belong to the lower interface in the kernel,
 * so all interfaces on it have the same (ipvlan_port in drivers/net/ipvlan/ipvlan.h).
 */
#include <linux/if_link.h>

#include "kind/link.h"

struct ipvlan {
	struct link link;
	struct link_ref below;
	uint32_t mode, isolation;
};

enum { BELOW = LINK_N_FIELDS, MODE, ISOLATION };

static const struct enum_name modes[] = {
	{ "l2", IPVLAN_MODE_L2 },
	{ "l3", IPVLAN_MODE_L3 },
	{ "l3s", IPVLAN_MODE_L3S },
	{},
};

static const struct enum_name isolations[] = {
	{ "bridge", 0 },
	{ "private", IPVLAN_F_PRIVATE },
	{ "vepa", IPVLAN_F_VEPA },
	{},
};

static const struct field fields[] = {
	LINK_FIELDS(NULL),
	[BELOW] = { .name = "link",
		    .type = &type_link_ref,
		    .offset = offsetof(struct ipvlan, below),
		    .class = FIELD_RECREATE,
		    .flags = FIELD_REQUIRED | FIELD_DEV | FIELD_LOWER,
		    .wire = WIRE_LINK,
		    .attr = IFLA_LINK,
		    .doc = "The lower interface: a name, or namespace:interface." },
	[MODE] = { .name = "mode",
		   .type = &type_enum,
		   .offset = offsetof(struct ipvlan, mode),
		   .wire = WIRE_DATA,
		   .attr = IFLA_IPVLAN_MODE,
		   .form = FORM_U16,
		   .names = modes,
		   .fallback = "l3",
		   .doc = "Whether packets are switched (l2) or routed (l3, l3s); the same for all on one lower interface." },
	[ISOLATION] = { .name = "isolation",
			.type = &type_enum,
			.offset = offsetof(struct ipvlan, isolation),
			.wire = WIRE_DATA,
			.attr = IFLA_IPVLAN_FLAGS,
			.form = FORM_U16,
			.names = isolations,
			.fallback = "bridge",
			.doc = "Whether interfaces on one lower interface reach each other: directly (`bridge`), never "
			       "(`private`), or through an external switch (`vepa`)." },
};

static bool shares_mac(const struct object *desired _unused_) {
	return true;
}

/* First the lower interface, which can pass its frames to only one kind (netdev_rx_handler_register()); then mode
 * and isolation, which all interfaces on it share. */
static bool claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	const struct ipvlan *ipvlan = (const struct ipvlan *)desired;
	size_t field = MODE;
	_cleanup_text_ struct text value = {};

	if (!ipvlan->below.name)
		return false;
	if (i-- == 0) {
		*ret = (struct sole_claim){
			.key = arena_printf(arena, "macvlan %s:%s", ipvlan->below.ns, ipvlan->below.name),
			.field = &fields[BELOW],
			.shared = true,
			.as = "ipvlan",
			.problem = arena_printf(
				arena,
				"%s:%s has both macvlan and ipvlan interfaces on it; the kernel allows only one of the two",
				ipvlan->below.ns, ipvlan->below.name),
		};
		return true;
	}
	for (; field <= ISOLATION && (!object_has(desired, field) || i-- > 0); field++)
		;
	if (field > ISOLATION)
		return false;
	field_print(&fields[field], desired, &value);
	*ret = (struct sole_claim){
		.key = arena_printf(arena, "ipvlan %s %s:%s", fields[field].name, ipvlan->below.ns, ipvlan->below.name),
		.field = &fields[field],
		.shared = true,
		.as = arena_strdup(arena, text_str(&value)),
		.problem = arena_printf(arena, "all ipvlan and ipvtap interfaces on %s:%s must have the same '%s'",
					ipvlan->below.ns, ipvlan->below.name, fields[field].name),
	};
	return true;
}

#define IPVLAN(word, sentence)                                                                                      \
	{                                                                                                           \
		.name = word, .doc = sentence, .class = &class_link, .transport = TRANSPORT_ROUTE,                  \
		.size = sizeof(struct ipvlan), .fields = fields, .n_fields = ARRAY_SIZE(fields), .link_kind = word, \
		.markable = true, .sent_in = link_sent_in, .encode = link_encode, .shares_mac = shares_mac,         \
		.same_parent = "ipvlan", .claim = claim, .takes_frames = true, .segment = SEGMENT_LOWER             \
	}

const struct kind kind_ipvlan =
	IPVLAN("ipvlan", "An interface that shares the MAC address of its lower interface and has its own IP addresses.");
const struct kind kind_ipvtap =
	IPVLAN("ipvtap", "An ipvlan that a program, for example a virtual machine, opens as /dev/tapN.");
