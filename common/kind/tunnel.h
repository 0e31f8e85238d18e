/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tunnels over IP have in common (gre.c, iptunnel.c, vti.c): their fields, and that a change replaces all of them.
 */
#pragma once

#include "kind/link.h"

/* A GRE key, or the mark of a vti. */
struct tunnel_key {
	bool set;
	uint32_t number;
};

struct tunnel {
	struct link link;
	struct ip local, remote;
	struct link_ref dev, underlay;
	uint32_t ttl, tos, pmtu_discovery, ignore_df, encapsulation_limit, flow_label, mode;
	uint32_t sequence, checksum;
	struct tunnel_key input_key, output_key; /* in this order: `key` is both */
	uint32_t version, index, direction, hardware_id;
	struct prefix prefix;
};

/* The rows that every table of a tunnel begins with. */
enum tunnel_field { TUNNEL_LOCAL = LINK_N_FIELDS, TUNNEL_REMOTE, TUNNEL_DEV, TUNNEL_UNDERLAY, TUNNEL_N_FIELDS };

enum {
	TUNNEL_TOS_INHERIT = 1,          /* INET_ECN_NOT_ECT with the low bit: ip_tunnel_xmit(), net/ipv4/ip_tunnel.c */
	TUNNEL_TOS_INHERIT6 = 256,       /* IP6_TNL_F_USE_ORIG_TCLASS */
	TUNNEL_LABEL_INHERIT = 0x100000, /* IP6_TNL_F_USE_ORIG_FLOWLABEL */
	TUNNEL_NO_LIMIT = 256,           /* IP6_TNL_F_IGN_ENCAP_LIMIT */
};

extern const struct enum_name tunnel_inherit_ttl[], tunnel_inherit_tos[], tunnel_inherit_tos6[], tunnel_inherit_label[],
	tunnel_no_limit[];
extern const struct type type_tunnel_key;  /* of one direction */
extern const struct type type_tunnel_keys; /* of both: stored at input_key */

#define TUNNEL_ROW(key, member, value_type, number, ...)                                                       \
	{                                                                                                      \
		.name = key, .type = value_type, .offset = offsetof(struct tunnel, member), .wire = WIRE_DATA, \
		.attr = number, __VA_ARGS__                                                                    \
	}

/* arp, multicast: the driver's defaults. none: the unspecified address of the outer family. */
#define TUNNEL_FIELDS(arp, multicast, none, local_attr, remote_attr, dev_attr)                             \
	LINK_FIELDS_UP_TO(LINK_MTU_MAX_OTHER, NULL, arp, multicast, "1000"),                               \
		[TUNNEL_LOCAL] = TUNNEL_ROW("local", local, &type_ip, local_attr, .fallback = none,        \
					    .doc = "Source address of the outer packets."),                \
		[TUNNEL_REMOTE] = TUNNEL_ROW("remote", remote, &type_ip, remote_attr, .fallback = none,    \
					     .doc = "Destination of the outer packets; the other end."),   \
		[TUNNEL_DEV] = { .name = "dev",                                                            \
				 .type = &type_link_ref,                                                   \
				 .offset = offsetof(struct tunnel, dev),                                   \
				 .class = FIELD_RECREATE,                                                  \
				 .flags = FIELD_DEV | FIELD_LOWER,                                         \
				 .wire = WIRE_DATA_LINK,                                                   \
				 .attr = dev_attr,                                                         \
				 .fallback = "none",                                                       \
				 .doc = "The interface through which the outer packets leave: a name, or " \
					"namespace:interface." },                                          \
		[TUNNEL_UNDERLAY] = LINK_UNDERLAY(tunnel)

/* The rows of IPv4 tunnels. */
#define TUNNEL_TTL(number, initially)                                                                     \
	TUNNEL_ROW("ttl", ttl, &type_integer, number, .form = FORM_U8, .max = 255, .fallback = initially, \
		   .names = tunnel_inherit_ttl, .doc = "Time to live of the outer packets, or `inherit`: the inner one's.")
#define TUNNEL_TOS(number)                                                                          \
	TUNNEL_ROW("tos", tos, &type_integer, number, .form = FORM_U8, .max = 255, .fallback = "0", \
		   .names = tunnel_inherit_tos,                                                     \
		   .doc = "Type of service of the outer packets, or `inherit`: the "                \
			  "inner one's.")
#define TUNNEL_PMTU(number)                                                                                   \
	TUNNEL_ROW("pmtu-discovery", pmtu_discovery, &type_bool, number, .form = FORM_U8, .fallback = "true", \
		   .doc = "Whether the outer packets forbid fragmentation.")

/* Those of IPv6 tunnels; tos, flow-label and encapsulation-limit share attributes, see tunnel_put_ipv6(). */
#define TUNNEL_HOP_LIMIT(number)                                                                                      \
	TUNNEL_ROW("ttl", ttl, &type_integer, number, .form = FORM_U8, .max = 255, .initial = "64", .fallback = "64", \
		   .names = tunnel_inherit_ttl,                                                                       \
		   .doc = "Hop limit of the outer packets, or `inherit`: the inner one's; 64 when left out.")
#define TUNNEL_IPV6_ROWS                                                                                                  \
	TUNNEL_ROW("tos", tos, &type_integer, 0, .form = FORM_SHARED, .max = 255, .fallback = "0",                        \
		   .names = tunnel_inherit_tos6,                                                                          \
		   .doc = "Traffic class of the outer packets, or `inherit`: the "                                        \
			  "inner one's."),                                                                                \
		TUNNEL_ROW("flow-label", flow_label, &type_integer, 0, .form = FORM_SHARED, .max = 0xfffff,               \
			   .fallback = "0", .names = tunnel_inherit_label,                                                \
			   .doc = "Flow label of the outer packets, or `inherit`: the inner one's."),                     \
		TUNNEL_ROW("encapsulation-limit", encapsulation_limit, &type_integer, 0, .form = FORM_SHARED, .max = 255, \
			   .initial = "4", .fallback = "4", .names = tunnel_no_limit,                                     \
			   .doc = "How many further tunnels a packet may enter (RFC 2473), or `none` for no "             \
				  "limit; 4 when left out.")

/* The attributes in which flow label, traffic class, encapsulation limit and the flags of an IPv6 tunnel are. */
struct tunnel_ipv6_attrs {
	uint16_t limit, flow, flags;
};
void tunnel_put_ipv6(struct nl_writer *w, const struct tunnel *tunnel, const struct tunnel_ipv6_attrs *attrs);
void tunnel_get_ipv6(struct tunnel *tunnel, const struct nlattr *const *data, const struct tunnel_ipv6_attrs *attrs);

/* Members of struct kind: checks, claims, and when a tunnel cannot be changed in place. */
void tunnel_check(struct reading *r, const struct ns_state *ns, const struct object *desired);
/* kind->is_usual(): of `key` and the two keys, what says the same in fewer words is written. */
bool tunnel_is_usual(const struct state *seen, const struct object *observed, size_t field);
bool tunnel_claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret);
/* Without the key. */
bool tunnel_claim_ends(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret);
bool tunnel_recreate(const struct object *desired, const struct object *observed, uint64_t fields);

/* What all these kinds have. family: AF_INET or AF_INET6, of the outer packets. */
#define TUNNEL_KIND(word, sentence, table, ...)                                                                           \
	{                                                                                                                 \
		.name = word, .doc = sentence, .class = &class_link, .transport = TRANSPORT_ROUTE,                        \
		.size = sizeof(struct tunnel), .fields = table, .n_fields = ARRAY_SIZE(table), .link_kind = word,         \
		.markable = true, .sent_in = link_sent_in, .encode = link_encode, .whole_data = true, .made_below = true, \
		.check = tunnel_check, .is_usual = tunnel_is_usual, .claim = tunnel_claim, .recreate = tunnel_recreate,   \
		__VA_ARGS__                                                                                               \
	}
