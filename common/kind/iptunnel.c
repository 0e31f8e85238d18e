/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipip, sit, ip6tnl: packets over IPv4 or IPv6 without an additional header (RFC 2003, RFC 4213, RFC 2473). */
#include <linux/if_tunnel.h>
#include <netinet/in.h>

#include "kind/tunnel.h"
#include "model/section.h"

#ifndef IPPROTO_MPLS
#define IPPROTO_MPLS 137
#endif

/* What is inside. */
static const struct enum_name ipip_modes[] = { { "ipip", IPPROTO_IPIP }, { "mplsip", IPPROTO_MPLS }, { "any", 0 }, {} };
static const struct enum_name sit_modes[] = {
	{ "ip6ip", IPPROTO_IPV6 }, { "ipip", IPPROTO_IPIP }, { "mplsip", IPPROTO_MPLS }, { "any", 0 }, {}
};
static const struct enum_name ip6tnl_modes[] = { { "ip6ip6", IPPROTO_IPV6 }, { "ipip6", IPPROTO_IPIP }, { "any", 0 }, {} };

/* Only ip6_tnl_change() takes another one. */
#define MODE(words, initially, ...)                                                                                   \
	TUNNEL_ROW("mode", mode, &type_enum, IFLA_IPTUN_PROTO, .form = FORM_U8, .names = words, .initial = initially, \
		   .fallback = initially, .doc = "What is carried; " initially " when left out.", __VA_ARGS__)
#define IPV4(ttl)                                                                                         \
	TUNNEL_FIELDS("false", "false", "0.0.0.0", IFLA_IPTUN_LOCAL, IFLA_IPTUN_REMOTE, IFLA_IPTUN_LINK), \
		TUNNEL_TTL(IFLA_IPTUN_TTL, ttl), TUNNEL_TOS(IFLA_IPTUN_TOS), TUNNEL_PMTU(IFLA_IPTUN_PMTUDISC)

/* ---- sit: 6rd (RFC 5969) ---- */

static void put_6rd(struct nl_writer *w, const struct object *object) {
	const struct prefix *prefix = &((const struct tunnel *)object)->prefix;

	nl_put(w, IFLA_IPTUN_6RD_PREFIX, prefix->address.bytes, ip_size(AF_INET6));
	nl_put_u16(w, IFLA_IPTUN_6RD_PREFIXLEN, prefix->length);
}

static void get_6rd(struct object *object, const struct nlattr *const *data) {
	struct prefix *prefix = &((struct tunnel *)object)->prefix;

	/* A kernel without 6rd shows none, and takes none. */
	if (!data[IFLA_IPTUN_6RD_PREFIX] || !type_ip.get(NULL, NULL, data[IFLA_IPTUN_6RD_PREFIX], &prefix->address))
		object->set &= ~field_bit((size_t)kind_field(object->kind, "6rd-prefix"));
	prefix->length = (uint8_t)nl_get_u16(data[IFLA_IPTUN_6RD_PREFIXLEN], 0);
}

static void check_sit(struct reading *r, const struct ns_state *ns _unused_, const struct object *desired) {
	const struct prefix *prefix = &((const struct tunnel *)desired)->prefix;
	int i = kind_field(desired->kind, "6rd-prefix");

	tunnel_check(r, ns, desired);
	if (object_has(desired, (size_t)i) && prefix->address.family != AF_INET6)
		diag_error(r->parse.diags, object_position(desired, &desired->kind->fields[i]),
			   "'6rd-prefix' is an IPv6 prefix, for example \"2001:db8::/32\"");
}

static const struct field ipip[] = { IPV4("inherit"), MODE(ipip_modes, "ipip", .class = FIELD_RECREATE) };
static const struct field sit[] = {
	IPV4("64"), /* ipip6_tunnel_setup() */
	MODE(sit_modes, "ip6ip", .class = FIELD_RECREATE),
	TUNNEL_ROW("6rd-prefix", prefix, &type_network, 0, .form = FORM_SHARED, .fallback = "2002::/16",
		   .doc = "Prefix whose addresses hold the other end's IPv4 address (RFC 5969)."),
};

const struct kind kind_ipip = TUNNEL_KIND("ipip", "IPv4 packets over IPv4 (RFC 2003).", ipip, .no_mac = true);
const struct kind kind_sit = {
	.name = "sit",
	.doc = "IPv6 packets over IPv4 (RFC 4213).",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct tunnel),
	.fields = sit,
	.n_fields = ARRAY_SIZE(sit),
	.link_kind = "sit",
	.markable = true,
	.no_mac = true,
	.sent_in = link_sent_in,
	.encode = link_encode,
	.whole_data = true,
	.made_below = true,
	.check = check_sit,
	.claim = tunnel_claim,
	.recreate = tunnel_recreate,
	.put_data = put_6rd,
	.get_data = get_6rd,
};

/* ---- over IPv6 ---- */

static const struct tunnel_ipv6_attrs ipv6_attrs = { IFLA_IPTUN_ENCAP_LIMIT, IFLA_IPTUN_FLOWINFO, IFLA_IPTUN_FLAGS };

static void put_ipv6(struct nl_writer *w, const struct object *object) {
	tunnel_put_ipv6(w, (const struct tunnel *)object, &ipv6_attrs);
}

static void get_ipv6(struct object *object, const struct nlattr *const *data) {
	tunnel_get_ipv6((struct tunnel *)object, data, &ipv6_attrs);
}

static const struct field ip6tnl[] = {
	TUNNEL_FIELDS("false", "false", "::", IFLA_IPTUN_LOCAL, IFLA_IPTUN_REMOTE, IFLA_IPTUN_LINK),
	TUNNEL_HOP_LIMIT(IFLA_IPTUN_TTL),
	TUNNEL_IPV6_ROWS,
	MODE(ip6tnl_modes, "any", .class = FIELD_LIVE),
};

const struct kind kind_ip6tnl = TUNNEL_KIND("ip6tnl", "IPv4 and IPv6 packets over IPv6 (RFC 2473).", ip6tnl, .no_mac = true,
					    .put_data = put_ipv6, .get_data = get_ipv6);
