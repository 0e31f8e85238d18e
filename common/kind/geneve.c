/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * geneve: Ethernet over UDP (RFC 8926).
 *
 * It has no `underlay`: the kernel does not show in which namespace the outer packets travel.
 */
#include "kind/link.h"
#include "model/section.h"

struct geneve {
	struct link link;
	uint32_t id, port, ttl, tos, df, udp_checksum;
	struct ip remote;
};

enum { ID = LINK_N_FIELDS, REMOTE, PORT, TTL, TOS, DF, UDP_CHECKSUM };

static const struct enum_name dfs[] = {
	{ "unset", GENEVE_DF_UNSET }, { "set", GENEVE_DF_SET }, { "inherit", GENEVE_DF_INHERIT }, {}
};
static const struct enum_name inherit_tos[] = { { "inherit", 1 }, {} };

#define ROW(key, member, value_type, number, ...)                                                              \
	{                                                                                                      \
		.name = key, .type = value_type, .offset = offsetof(struct geneve, member), .wire = WIRE_DATA, \
		.attr = number, __VA_ARGS__                                                                    \
	}

/* What may change and what may not: geneve_nl2info(), drivers/net/geneve.c. */
static const struct field fields[] = {
	LINK_FIELDS_UP_TO(LINK_MTU_MAX, NULL, "true", "true", "1000"),
	[ID] = ROW("id", id, &type_integer, IFLA_GENEVE_ID, .class = FIELD_RECREATE, .flags = FIELD_REQUIRED,
		   .max = 0xffffff, .doc = "Virtual network identifier."),
	[REMOTE] = ROW("remote", remote, &type_ip, IFLA_GENEVE_REMOTE, .attr6 = IFLA_GENEVE_REMOTE6, .flags = FIELD_REQUIRED,
		       .doc = "Address of the other end."),
	[PORT] = ROW("port", port, &type_integer, IFLA_GENEVE_PORT, .class = FIELD_RECREATE, .form = FORM_BE16, .min = 1,
		     .max = 65535, .initial = "6081", .doc = "UDP destination port; 6081 (RFC 8926) when left out."),
	[TTL] = ROW("ttl", ttl, &type_integer, IFLA_GENEVE_TTL, .form = FORM_U8, .max = 255, .fallback = "0",
		    .doc = "Time to live of the outer packets; 0 takes the kernel's."),
	[TOS] = ROW("tos", tos, &type_integer, IFLA_GENEVE_TOS, .form = FORM_U8, .max = 255, .fallback = "0",
		    .names = inherit_tos, .doc = "Type of service of the outer packets, or `inherit`: the inner one's."),
	[DF] = ROW("df", df, &type_enum, IFLA_GENEVE_DF, .form = FORM_U8, .names = dfs, .fallback = "unset",
		   .doc = "Whether outer IPv4 packets forbid fragmentation."),
	[UDP_CHECKSUM] = ROW("udp-checksum", udp_checksum, &type_bool, 0, .class = FIELD_RECREATE, .form = FORM_SHARED,
			     .doc = "Whether the outer packets carry a UDP checksum."),
};

/* IPv4 requests a checksum, IPv6 may only omit it. */
static void put_checksum(struct nl_writer *w, const struct object *object) {
	const struct geneve *geneve = (const struct geneve *)object;

	if (geneve->remote.family == AF_INET)
		nl_put_u8(w, IFLA_GENEVE_UDP_CSUM, (uint8_t)geneve->udp_checksum);
	else
		nl_put_u8(w, IFLA_GENEVE_UDP_ZERO_CSUM6_TX, !geneve->udp_checksum);
}

static void get_checksum(struct object *object, const struct nlattr *const *data) {
	struct geneve *geneve = (struct geneve *)object;

	geneve->udp_checksum = data[IFLA_GENEVE_REMOTE6] ? !nl_get_u8(data[IFLA_GENEVE_UDP_ZERO_CSUM6_TX], 0)
							 : nl_get_u8(data[IFLA_GENEVE_UDP_CSUM], 0);
}

static void check(struct reading *r, const struct ns_state *ns _unused_, const struct object *desired) {
	const struct geneve *geneve = (const struct geneve *)desired;

	if (ip_is_multicast(&geneve->remote))
		diag_error(r->parse.diags, object_position(desired, &fields[REMOTE]),
			   "'remote' is a multicast address, which geneve does not support");
	else if (geneve->remote.family == AF_INET6 && ip_is_link_local(&geneve->remote))
		diag_error(r->parse.diags, object_position(desired, &fields[REMOTE]),
			   "'remote' is a link-local address, which geneve does not support");
}

/* The kernel cannot change the address's family, and an IPv6 address turns the checksum on, which a change cannot turn off
 * (geneve_nl2info()). */
static bool recreate(const struct object *desired, const struct object *observed, uint64_t mask) {
	const struct geneve *want = (const struct geneve *)desired, *have = (const struct geneve *)observed;

	if (!(mask & field_bit(REMOTE)) || !object_has(observed, REMOTE))
		return false;
	return want->remote.family != have->remote.family ||
	       (want->remote.family == AF_INET6 && object_has(desired, UDP_CHECKSUM) && !want->udp_checksum);
}

/* geneve_find_dev(): within one namespace. */
static bool claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	const struct geneve *geneve = (const struct geneve *)desired;
	char remote[IP_TEXT_MAX];

	if (i > 0)
		return false;
	ip_format(&geneve->remote, remote);
	*ret = (struct sole_claim){
		.key = arena_printf(arena, "geneve %s %u %u %s", desired->ns, geneve->id, geneve->port, remote),
		.field = &fields[ID],
		.problem = arena_printf(arena, "another geneve of %s has this id, port and remote end", desired->ns),
	};
	return true;
}

const struct kind kind_geneve = {
	.name = "geneve",
	.doc = "Ethernet over UDP (RFC 8926).",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct geneve),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "geneve",
	.markable = true,
	.sent_in = link_sent_in,
	.encode = link_encode,
	.check = check,
	.claim = claim,
	.recreate = recreate,
	.put_data = put_checksum,
	.get_data = get_checksum,
};
