/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vrf: an interface that gives its ports a routing table of their own (drivers/net/vrf.c). The routes that the kernel
 * makes for its ports' addresses are in that table, see link_made_table(). The kernel adds a policy rule (`l3mdev`, of
 * priority 1000) together with the first VRF of a namespace; that rule belongs to the kernel.
 */
#include <linux/rtnetlink.h>

#include "kind/link.h"
#include "kind/port.h"
#include "model/section.h"

extern const struct kind kind_vrf_port;

enum { TABLE = LINK_N_FIELDS };

enum { MTU_MIN = 1280 }; /* IPV6_MIN_MTU, include/uapi/linux/ipv6.h */

/* Defaults as in vrf_setup() and vrf_dev_init(). */
static const struct field fields[] = {
	LINK_FIELDS_UP_TO(LINK_MTU_MAX_OTHER, "65575", "false", "false", "1000"),
	[TABLE] = { .name = "table",
		    .type = &type_table,
		    .offset = offsetof(struct link, own_table),
		    .class = FIELD_RECREATE,
		    .flags = FIELD_REQUIRED,
		    .wire = WIRE_DATA,
		    .attr = IFLA_VRF_TABLE,
		    .doc = "The routing table of its ports. Routes and rules name it by `vrf` or by `table`." },
};

static void check(struct reading *r, const struct ns_state *ns _unused_, const struct object *desired) {
	const struct link *link = (const struct link *)desired;

	if (link->own_table == RT_TABLE_MAIN || link->own_table == RT_TABLE_LOCAL)
		diag_error(r->parse.diags, object_position(desired, &fields[TABLE]),
			   "a VRF separates its ports from the tables main and local; give it a table of its own, for "
			   "example 10");
	if (object_has(desired, LINK_MTU) && link->mtu < MTU_MIN)
		diag_error(r->parse.diags, object_position(desired, &fields[LINK_MTU]),
			   "the kernel gives a VRF no 'mtu' below %d; that of its ports may be smaller", MTU_MIN);
}

/* The kernel refuses it only with net.vrf.strict_mode, but then cannot tell the VRFs apart. */
static bool claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	uint32_t table = ((const struct link *)desired)->own_table;

	if (i > 0)
		return false;
	*ret = (struct sole_claim){
		.key = arena_printf(arena, "vrf %s %u", desired->ns, table),
		.field = &fields[TABLE],
		.problem = arena_printf(
			arena, "another VRF of %s has the table %u; each needs its own, or their routes would be mixed",
			desired->ns, table),
	};
	return true;
}

const struct kind kind_vrf = {
	.name = "vrf",
	.doc = "An interface that gives its ports a routing table of their own (virtual routing and forwarding).",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct link),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "vrf",
	.markable = true,
	.encode = link_encode,
	.check = check,
	.claim = claim,
	.port_kind = &kind_vrf_port,
};

/* Ports, which have nothing to set. */

static const struct field port_fields[] = { PORT_FIELDS() };

static const struct mapping entry = {
	.name = "vrf-port",
	.title = "Ports of a VRF",
	.doc = "An entry of a VRF's `ports`: a name.",
	.what = "a port of a VRF",
	.fields = port_fields,
	.n_fields = ARRAY_SIZE(port_fields),
	.kind = &kind_vrf_port,
	.bare = "name",
};

static const struct section section = {
	.key = "ports",
	.place = SECTION_CONTROLLER,
	.shape = SECTION_LIST,
	.mapping = &entry,
	.value = "list of names",
	.doc = "Its ports.",
	.read = port_read,
};

const struct kind kind_vrf_port = {
	.name = "vrf-port",
	.class = &class_port,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct port),
	.fields = port_fields,
	.n_fields = ARRAY_SIZE(port_fields),
	.link_kind = "vrf",
	.section = &section,
	.encode = port_encode,
	.noun = port_noun,
};
