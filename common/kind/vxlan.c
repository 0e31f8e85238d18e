/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vxlan: Ethernet over UDP (RFC 7348). */
#include <linux/rtnetlink.h>

#include "kind/link.h"

struct vxlan {
	struct link link;
	uint32_t id, port, ttl, tos, learning, ageing_time, udp_checksum;
	struct ip local, remote, group;
	struct link_ref dev;
};

#define ROW(key, member, value_type, number, ...)                                                          \
	{ .name = key, .type = value_type, .offset = offsetof(struct vxlan, member), .wire = WIRE_DATA,  \
	  .attr = number, __VA_ARGS__ }

/* The kernel has one attribute for a single remote host and a group; the language tells them apart. */
static bool address_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct ip ip;

	if (!type_ip.parse(p, field, node, &ip))
		return false;
	if (ip_is_multicast(&ip) != streq(field->name, "group")) {
		diag_error(p->diags, node->mark, "'%s' is %s multicast address%s", field->name,
			   ip_is_multicast(&ip) ? "no" : "a", ip_is_multicast(&ip) ? "; write it as 'group'"
									   : "; write a single host as 'remote'");
		return false;
	}
	*(struct ip *)value = ip;
	return true;
}

static void address_print(const struct field *field, const void *value, struct text *out) {
	type_ip.print(field, value, out);
}

static bool address_equal(const void *a, const void *b) {
	return type_ip.equal(a, b);
}

static void address_put(struct nl_writer *w, const struct field *field, const void *value) {
	type_ip.put(w, field, value);
}

static bool address_get(struct arena *arena, const struct field *field, const struct nlattr *attr, void *value) {
	return type_ip.get(arena, field, attr, value);
}

static const struct type type_far_end = {
	.name = "address", .size = sizeof(struct ip), .parse = address_parse, .print = address_print,
	.equal = address_equal, .put = address_put, .get = address_get,
};

static const struct field fields[] = {
	LINK_FIELDS(NULL),
	ROW("id", id, &type_integer, IFLA_VXLAN_ID, .class = FIELD_RECREATE, .flags = FIELD_REQUIRED,
	    .max = 0xffffff, .doc = "VXLAN network identifier."),
	ROW("port", port, &type_integer, IFLA_VXLAN_PORT, .class = FIELD_RECREATE, .form = FORM_BE16, .min = 1,
	    .max = 65535, .initial = "4789", .doc = "UDP destination port; 4789 (RFC 7348) when left out."),
	ROW("local", local, &type_ip, IFLA_VXLAN_LOCAL, .attr6 = IFLA_VXLAN_LOCAL6,
	    .doc = "Source address of the tunnel."),
	ROW("remote", remote, &type_far_end, IFLA_VXLAN_GROUP, .attr6 = IFLA_VXLAN_GROUP6,
	    .doc = "The other end, where there is one."),
	ROW("group", group, &type_far_end, IFLA_VXLAN_GROUP, .attr6 = IFLA_VXLAN_GROUP6,
	    .doc = "Multicast group of the other ends."),
	{ .name = "dev", .type = &type_link_ref, .offset = offsetof(struct vxlan, dev), .class = FIELD_RECREATE,
	  .flags = FIELD_DEV, .wire = WIRE_DATA_LINK, .attr = IFLA_VXLAN_LINK,
	  .doc = "The interface below: a name, or namespace:interface." },
	ROW("ttl", ttl, &type_integer, IFLA_VXLAN_TTL, .form = FORM_U8, .max = 255, .fallback = "0",
	    .doc = "Time to live of the outer packets; 0 takes the kernel's."),
	ROW("tos", tos, &type_integer, IFLA_VXLAN_TOS, .form = FORM_U8, .max = 255, .fallback = "0",
	    .doc = "Type of service of the outer packets; 1 takes the inner one's."),
	ROW("learning", learning, &type_bool, IFLA_VXLAN_LEARNING, .form = FORM_U8, .fallback = "true",
	    .doc = "Whether remote addresses are learned from what arrives."),
	ROW("ageing-time", ageing_time, &type_duration, IFLA_VXLAN_AGEING, .unit = 1, .fallback = "300s",
	    .doc = "Time that a learned address is kept."),
	ROW("udp-checksum", udp_checksum, &type_bool, IFLA_VXLAN_UDP_CSUM, .class = FIELD_RECREATE,
	    .form = FORM_U8, .doc = "Whether outer IPv4 packets carry a UDP checksum."),
};

const struct kind kind_vxlan = {
	.name = "vxlan", .class = CLASS_LINK, .transport = TRANSPORT_ROUTE, .size = sizeof(struct vxlan),
	.fields = fields, .n_fields = ARRAY_SIZE(fields), .link_kind = "vxlan", .markable = true,
	.sent_in = link_sent_in, .encode = link_encode,
};
