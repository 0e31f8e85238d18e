/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gre, gretap, ip6gre, ip6gretap, erspan: packets or Ethernet frames over GRE (RFC 2784, RFC 2890).
 *
 * Keys, sequence numbers and checksums are flags of both directions in IFLA_GRE_IFLAGS and IFLA_GRE_OFLAGS, so these fields are
 * written and read together.
 */
#include <linux/if_tunnel.h>

#include "kind/tunnel.h"
#include "model/section.h"

static void put_gre(struct nl_writer *w, const struct tunnel *tunnel) {
	uint16_t flags = (tunnel->sequence ? GRE_SEQ : 0) | (tunnel->checksum ? GRE_CSUM : 0);

	nl_put_u16(w, IFLA_GRE_IFLAGS, flags | (tunnel->input_key.set ? GRE_KEY : 0));
	nl_put_u16(w, IFLA_GRE_OFLAGS, flags | (tunnel->output_key.set ? GRE_KEY : 0));
	nl_put_u32(w, IFLA_GRE_IKEY, htonl(tunnel->input_key.number));
	nl_put_u32(w, IFLA_GRE_OKEY, htonl(tunnel->output_key.number));
}

static void get_gre(struct tunnel *tunnel, const struct nlattr *const *data) {
	uint16_t in = nl_get_u16(data[IFLA_GRE_IFLAGS], 0), out = nl_get_u16(data[IFLA_GRE_OFLAGS], 0);

	tunnel->sequence = !!(out & GRE_SEQ);
	tunnel->checksum = !!(out & GRE_CSUM);
	tunnel->input_key = (struct tunnel_key){ in & GRE_KEY, ntohl(nl_get_u32(data[IFLA_GRE_IKEY], 0)) };
	tunnel->output_key = (struct tunnel_key){ out & GRE_KEY, ntohl(nl_get_u32(data[IFLA_GRE_OKEY], 0)) };
}

static void put_ipv4(struct nl_writer *w, const struct object *object) {
	put_gre(w, (const struct tunnel *)object);
}

static void get_ipv4(struct object *object, const struct nlattr *const *data) {
	get_gre((struct tunnel *)object, data);
}

static const struct tunnel_ipv6_attrs ipv6_attrs = { IFLA_GRE_ENCAP_LIMIT, IFLA_GRE_FLOWINFO, IFLA_GRE_FLAGS };

static void put_ipv6(struct nl_writer *w, const struct object *object) {
	put_gre(w, (const struct tunnel *)object);
	tunnel_put_ipv6(w, (const struct tunnel *)object, &ipv6_attrs);
}

static void get_ipv6(struct object *object, const struct nlattr *const *data) {
	get_gre((struct tunnel *)object, data);
	tunnel_get_ipv6((struct tunnel *)object, data, &ipv6_attrs);
}

#define SHARED(key, member, value_type, initially, text) \
	TUNNEL_ROW(key, member, value_type, 0, .form = FORM_SHARED, .fallback = initially, .doc = text)
#define KEYS                                                                                          \
	SHARED("key", input_key, &type_tunnel_keys, "none", "Key of both directions (RFC 2890)."),    \
		SHARED("input-key", input_key, &type_tunnel_key, "none", "Key of received packets."), \
		SHARED("output-key", output_key, &type_tunnel_key, "none", "Key of sent packets.")
#define SEQUENCE SHARED("sequence", sequence, &type_bool, "false", "Whether packets carry sequence numbers.")
#define CHECKSUM SHARED("checksum", checksum, &type_bool, "false", "Whether packets carry a checksum.")
#define IGNORE_DF                                                                                                \
	TUNNEL_ROW("ignore-df", ignore_df, &type_bool, IFLA_GRE_IGNORE_DF, .form = FORM_U8, .fallback = "false", \
		   .doc = "Whether inner packets that forbid fragmentation are fragmented anyway.")
#define IPV4(arp, multicast)                                                                      \
	TUNNEL_FIELDS(arp, multicast, "0.0.0.0", IFLA_GRE_LOCAL, IFLA_GRE_REMOTE, IFLA_GRE_LINK), \
		TUNNEL_TTL(IFLA_GRE_TTL, "inherit"), TUNNEL_TOS(IFLA_GRE_TOS), TUNNEL_PMTU(IFLA_GRE_PMTUDISC), IGNORE_DF
#define IPV6(arp, multicast)                                                                 \
	TUNNEL_FIELDS(arp, multicast, "::", IFLA_GRE_LOCAL, IFLA_GRE_REMOTE, IFLA_GRE_LINK), \
		TUNNEL_HOP_LIMIT(IFLA_GRE_TTL), TUNNEL_IPV6_ROWS

static const struct field gre[] = { IPV4("false", "false"), KEYS, SEQUENCE, CHECKSUM };
static const struct field gretap[] = { IPV4("true", "true"), KEYS, SEQUENCE, CHECKSUM };
static const struct field ip6gre[] = { IPV6("false", "false"), KEYS, SEQUENCE, CHECKSUM };
static const struct field ip6gretap[] = { IPV6("true", "true"), KEYS, SEQUENCE, CHECKSUM };

const struct kind kind_gre = TUNNEL_KIND("gre", "Packets over IPv4 with a GRE header (RFC 2784).", gre, .no_mac = true,
					 .put_data = put_ipv4, .get_data = get_ipv4);
const struct kind kind_gretap =
	TUNNEL_KIND("gretap", "Ethernet over IPv4 with a GRE header.", gretap, .put_data = put_ipv4, .get_data = get_ipv4);
const struct kind kind_ip6gre = TUNNEL_KIND("ip6gre", "Packets over IPv6 with a GRE header.", ip6gre, .no_mac = true,
					    .put_data = put_ipv6, .get_data = get_ipv6);
const struct kind kind_ip6gretap = TUNNEL_KIND("ip6gretap", "Ethernet over IPv6 with a GRE header.", ip6gretap,
					       .put_data = put_ipv6, .get_data = get_ipv6);

/* ---- erspan: a mirror port elsewhere ---- */

static const struct enum_name directions[] = { { "ingress", 0 }, { "egress", 1 }, {} };

enum { SESSION_MAX = 1023, VERSION_1 = 1, VERSION_2 = 2 }; /* ID_MASK, include/uapi/linux/erspan.h */

/* The key is the session, and sequence numbers are part of the format (erspan_validate(), net/ipv4/ip_gre.c). */
static void put_erspan(struct nl_writer *w, const struct object *object) {
	struct tunnel whole = *(const struct tunnel *)object;

	whole.sequence = whole.input_key.set = whole.output_key.set = true;
	put_gre(w, &whole);
}

static void check_erspan(struct reading *r, const struct ns_state *ns _unused_, const struct object *desired) {
	const struct tunnel *tunnel = (const struct tunnel *)desired;
	int key = kind_field(desired->kind, "key"), index = kind_field(desired->kind, "index");
	const struct field *table = desired->kind->fields;

	tunnel_check(r, ns, desired);
	if (tunnel->input_key.number > SESSION_MAX)
		diag_error(r->parse.diags, object_position(desired, &table[key]),
			   "the 'key' of an erspan is its session, from 0 to %d", SESSION_MAX);
	if (tunnel->version != VERSION_1 && object_has(desired, (size_t)index))
		diag_error(r->parse.diags, object_position(desired, &table[index]), "'index' belongs to 'version: 1'");
	for (int i = index + 1; i <= index + 2; i++)
		if (tunnel->version != VERSION_2 && object_has(desired, (size_t)i))
			diag_error(r->parse.diags, object_position(desired, &table[i]), "'%s' belongs to 'version: 2'",
				   table[i].name);
}

static const struct field erspan[] = {
	IPV4("true", "true"),
	TUNNEL_ROW("key", input_key, &type_tunnel_keys, 0, .form = FORM_SHARED, .flags = FIELD_REQUIRED,
		   .doc = "The session, from 0 to 1023."),
	TUNNEL_ROW("version", version, &type_integer, IFLA_GRE_ERSPAN_VER, .class = FIELD_RECREATE, .form = FORM_U8,
		   .max = 2, .initial = "1",
		   .doc = "Of the format: 1 (type II) or 2 (type III); 0 (type I); 1 when left out."),
	TUNNEL_ROW("index", index, &type_integer, IFLA_GRE_ERSPAN_INDEX, .max = 0xfffff, .fallback = "0",
		   .doc = "Version 1: the port that is mirrored."),
	TUNNEL_ROW("direction", direction, &type_enum, IFLA_GRE_ERSPAN_DIR, .form = FORM_U8, .names = directions,
		   .fallback = "ingress", .doc = "Version 2: which traffic is mirrored."),
	TUNNEL_ROW("hardware-id", hardware_id, &type_integer, IFLA_GRE_ERSPAN_HWID, .form = FORM_U16, .max = 63,
		   .fallback = "0", .doc = "Version 2: the engine that mirrors."),
};

const struct kind kind_erspan = {
	.name = "erspan",
	.doc = "A copy of another port's traffic, over IPv4 with a GRE header.",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct tunnel),
	.fields = erspan,
	.n_fields = ARRAY_SIZE(erspan),
	.link_kind = "erspan",
	.markable = true,
	.sent_in = link_sent_in,
	.encode = link_encode,
	.whole_data = true,
	.made_below = true,
	.check = check_erspan,
	.claim = tunnel_claim,
	.recreate = tunnel_recreate,
	.put_data = put_erspan,
	.get_data = get_ipv4,
};
