/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vxlan: Ethernet over UDP (RFC 7348): the table, and what the kernel refuses. The other ends are in vxlan_ends.c.
 */
#include <linux/rtnetlink.h>

#include "kind/vxlan.h"
#include "model/section.h"

enum {
	HEADERS = 50,  /* outer IPv4, UDP, VXLAN and inner Ethernet headers: vxlan_headroom(), include/net/vxlan.h */
	HEADERS6 = 70, /* the same with an outer IPv6 header */
};

#define ROW(key, member, value_type, number, ...)                                                             \
	{                                                                                                     \
		.name = key, .type = value_type, .offset = offsetof(struct vxlan, member), .wire = WIRE_DATA, \
		.attr = number, __VA_ARGS__                                                                   \
	}

/* A range of ports, its two ends in the halves of one number; 0: the kernel's own range. */

static bool ports_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node), *dash = text ? strchr(text, '-') : NULL;
	uint32_t low, high;

	if (!text)
		return false;
	/* udp_flow_src_port(), include/net/udp.h, ignores a range of one port. */
	if (!dash || parse_u32(arena_strndup(p->arena, text, (size_t)(dash - text)), &low) < 0 ||
	    parse_u32(dash + 1, &high) < 0 || high > UINT16_MAX || (low >= high && high)) {
		diag_error(p->diags, node->position,
			   "'%s' takes a lower and a higher port, for example 49152-65535, not '%s'", field->name, text);
		return false;
	}
	*(uint32_t *)value = low << 16 | high;
	return true;
}

static void ports_print(const struct field *field _unused_, const void *value, struct text *out) {
	uint32_t ports = *(const uint32_t *)value;

	text_addf(out, "%u-%u", ports >> 16, ports & UINT16_MAX);
}

static bool ports_equal(const void *a, const void *b) {
	return *(const uint32_t *)a == *(const uint32_t *)b;
}

static void ports_put(struct nl_writer *w, const struct field *field, const void *value) {
	uint32_t ports = *(const uint32_t *)value;
	const struct ifla_vxlan_port_range range = { htons((uint16_t)(ports >> 16)), htons((uint16_t)ports) };

	nl_put(w, field->attr, &range, sizeof(range));
}

static bool ports_get(struct arena *arena _unused_, const struct field *field _unused_, const struct nlattr *attr,
		      void *value) {
	struct ifla_vxlan_port_range range;

	if (mnl_attr_get_payload_len(attr) < sizeof(range))
		return false;
	memcpy(&range, mnl_attr_get_payload(attr), sizeof(range));
	*(uint32_t *)value = (uint32_t)ntohs(range.low) << 16 | ntohs(range.high);
	return true;
}

static const struct type type_port_range = {
	.name = "range of ports",
	.schema = "{\"type\": \"string\", \"pattern\": \"^[0-9]+-[0-9]+$\"}",
	.size = sizeof(uint32_t),
	.parse = ports_parse,
	.print = ports_print,
	.equal = ports_equal,
	.put = ports_put,
	.get = ports_get,
};

static const struct enum_name dfs[] = {
	{ "unset", VXLAN_DF_UNSET }, { "set", VXLAN_DF_SET }, { "inherit", VXLAN_DF_INHERIT }, {}
};

/* A boolean that the kernel accepts only for a new link: vxlan_nl2conf(), drivers/net/vxlan/vxlan_core.c. */
#define FIXED(key, member, number, number_form, text)                                                               \
	ROW(key, member, &type_bool, number, .class = FIELD_RECREATE, .flags = FIELD_LEFT_OUT, .form = number_form, \
	    .fallback = "false", .doc = text)

static const struct field fields[] = {
	LINK_FIELDS(NULL),
	[ID] = ROW("id", id, &type_integer, IFLA_VXLAN_ID, .class = FIELD_RECREATE, .flags = FIELD_REQUIRED,
		   .unless = "external", .max = 0xffffff, .doc = "VXLAN network identifier; not with `external`."),
	[PORT] = ROW("port", port, &type_integer, IFLA_VXLAN_PORT, .class = FIELD_RECREATE, .form = FORM_BE16, .min = 1,
		     .max = 65535, .initial = "4789", .doc = "UDP destination port; by default 4789 (RFC 7348)."),
	[LOCAL] = ROW("local", local, &type_ip, IFLA_VXLAN_LOCAL, .attr6 = IFLA_VXLAN_LOCAL6,
		      .doc = "Source address of the tunnel."),
	[REMOTE] = ROW("remote", remote, &type_far_end, IFLA_VXLAN_GROUP, .attr6 = IFLA_VXLAN_GROUP6,
		       .doc = "The other end, if there is only one. Frames to unknown addresses go only there."),
	[GROUP] = ROW("group", group, &type_far_end, IFLA_VXLAN_GROUP, .attr6 = IFLA_VXLAN_GROUP6,
		      .doc = "Multicast group of the other ends. Frames to unknown addresses go only there."),
	[DEV] = { .name = "dev",
		  .type = &type_link_ref,
		  .offset = offsetof(struct vxlan, dev),
		  .class = FIELD_RECREATE,
		  .flags = FIELD_DEV | FIELD_LOWER,
		  .wire = WIRE_DATA_LINK,
		  .attr = IFLA_VXLAN_LINK,
		  .fallback = "none",
		  .doc = "The lower interface: a name, or namespace:interface." },
	[UNDERLAY] = LINK_UNDERLAY(vxlan),
	[EXTERNAL] =
		FIXED("external", external, IFLA_VXLAN_COLLECT_METADATA, FORM_U8,
		      "Whether the tunnel is chosen for each packet (by `vlan-tunnel` of a bridge's port, tc, or a route's "
		      "encap)."),
	[VNI_FILTER] = FIXED("vni-filter", vni_filter, IFLA_VXLAN_VNIFILTER, FORM_U8,
			     "Whether only identifiers that were added to the interface are received; with `external`."),
	[GBP] = FIXED("gbp", gbp, IFLA_VXLAN_GBP, FORM_PRESENT,
		      "Group Based Policy: packets carry the low half of their mark."),
	[REMOTES] = { .name = "remotes",
		      .type = &type_far_ends,
		      .offset = offsetof(struct vxlan, remotes),
		      .flags = FIELD_AFTER,
		      .doc = "All other ends. Frames to unknown addresses go to each of them, and nowhere else." },
	ROW("ttl", ttl, &type_integer, IFLA_VXLAN_TTL, .form = FORM_U8, .max = 255, .fallback = "0",
	    .doc = "Time to live of the outer packets; 0 uses the kernel's default."),
	ROW("tos", tos, &type_integer, IFLA_VXLAN_TOS, .form = FORM_U8, .max = 255, .fallback = "0",
	    .doc = "Type of service of the outer packets; 1 copies it from the inner packet."),
	ROW("learning", learning, &type_bool, IFLA_VXLAN_LEARNING, .form = FORM_U8, .fallback = "true",
	    .doc = "Whether remote addresses are learned from received frames."),
	ROW("ageing-time", ageing_time, &type_duration, IFLA_VXLAN_AGEING, .unit = 1, .min = 1, .fallback = "300s",
	    .doc = "Time that a learned address is kept."),
	ROW("udp-checksum", udp_checksum, &type_bool, IFLA_VXLAN_UDP_CSUM, .class = FIELD_RECREATE, .form = FORM_U8,
	    .fallback = "true", .doc = "Whether outer IPv4 packets carry a UDP checksum."),
	ROW("source-ports", source_ports, &type_port_range, IFLA_VXLAN_PORT_RANGE, .class = FIELD_RECREATE,
	    .fallback = "0-0",
	    .doc = "Range of UDP source ports, `LOW-HIGH`; by default that of `net.ipv4.ip_local_port_range`."),
	FIXED("proxy", proxy, IFLA_VXLAN_PROXY, FORM_U8,
	      "Whether the interface answers ARP and neighbour discovery from its own neighbors."),
	FIXED("l2-miss", l2_miss, IFLA_VXLAN_L2MISS, FORM_U8,
	      "Whether the kernel reports MAC addresses that are not in the forwarding table."),
	FIXED("l3-miss", l3_miss, IFLA_VXLAN_L3MISS, FORM_U8,
	      "Whether the kernel reports IP addresses that are not among the neighbors."),
	ROW("df", df, &type_enum, IFLA_VXLAN_DF, .form = FORM_U8, .names = dfs, .fallback = "unset",
	    .doc = "Whether outer IPv4 packets forbid fragmentation."),
	ROW("limit", limit, &type_integer, IFLA_VXLAN_LIMIT, .class = FIELD_RECREATE, .fallback = "0",
	    .doc = "How many addresses are learned at most; 0: no limit."),
};

static bool is_link_local6(const struct ip *ip) {
	return ip->family == AF_INET6 && ip_is_link_local(ip);
}

/* A group of link-local scope, such as ff02:: (RFC 4291, 2.7). */
static bool is_link_group(const struct ip *ip) {
	return ip_is_multicast(ip) && (ip->bytes[1] & 0xf) == 2;
}

/* The family of the outer packets: IPv4 unless an address says otherwise. */
static bool is_ipv6(const struct vxlan *vxlan) {
	return vxlan->local.family == AF_INET6 || vxlan->remote.ip.family == AF_INET6 || vxlan->group.ip.family == AF_INET6;
}

static void check_remotes(struct reading *r, const struct object *desired) {
	const struct vxlan *vxlan = (const struct vxlan *)desired;
	struct position position = object_position(desired, &fields[REMOTES]);

	if (!object_has(desired, REMOTES))
		return;
	if (object_has(desired, REMOTE) || object_has(desired, GROUP))
		diag_error(r->parse.diags, position,
			   "'%s' is the only other end: write all of them as 'remotes', or leave this out",
			   object_has(desired, GROUP) ? "group" : "remote");
	for (size_t i = 0; i < vxlan->remotes.set.n; i++)
		if ((((const struct ip *)vxlan->remotes.set.items)[i].family == AF_INET6) != is_ipv6(vxlan)) {
			diag_error(r->parse.diags, position,
				   vxlan->local.family ? "'local' and 'remotes' are of different families"
						       : "IPv6 'remotes' need 'local', an IPv6 address of this machine");
			return;
		}
}

/* The same checks as vxlan_config_validate() in drivers/net/vxlan/vxlan_core.c. */
static void check(struct reading *r, const struct ns_state *ns _unused_, const struct object *desired) {
	const struct vxlan *vxlan = (const struct vxlan *)desired;
	const struct ip *local = &vxlan->local, *far = vxlan->group.ip.family ? &vxlan->group.ip : &vxlan->remote.ip;
	const char *far_name = vxlan->group.ip.family ? "group" : "remote";
	struct position position = object_position(desired, &fields[LOCAL]);

	if (local->family && far->family && local->family != far->family)
		diag_error(r->parse.diags, position, "'local' and '%s' are of different families", far_name);
	else if (local->family && ip_is_multicast(local))
		diag_error(r->parse.diags, position,
			   "'local' is a multicast address; it must be an address of this machine");
	else if (is_link_local6(local) && far->family && !ip_is_zero(far) && !is_link_local6(far) && !is_link_group(far))
		diag_error(r->parse.diags, position, "'local' is a link-local address and '%s' is not", far_name);
	else if (is_link_local6(far) && !is_link_local6(local))
		diag_error(r->parse.diags, object_position(desired, &fields[REMOTE]),
			   "'remote' is a link-local address, so 'local' must be one too");
	check_remotes(r, desired);
	if (object_has(desired, ID) == vxlan->external && object_has(desired, EXTERNAL))
		diag_error(r->parse.diags, object_position(desired, &fields[vxlan->external ? ID : EXTERNAL]),
			   vxlan->external ? "with 'external' each packet brings its own id: remove this one"
					   : "without 'external' a vxlan needs an 'id'");
	if (vxlan->vni_filter && !vxlan->external)
		diag_error(r->parse.diags, object_position(desired, &fields[VNI_FILTER]),
			   "'vni-filter' needs 'external: true'");
	if (object_has(desired, DEV))
		return;
	if (vxlan->group.ip.family)
		diag_error(r->parse.diags, object_position(desired, &fields[GROUP]),
			   "'group' needs 'dev': the interface on which it is joined");
	else if (is_link_local6(local))
		diag_error(r->parse.diags, position, "a link-local 'local' needs 'dev': the interface that has the address");
}

/* An id can be used once per namespace (that of the lower interface), port and family: vxlan_vni_in_use() in
 * drivers/net/vxlan/vxlan_core.c. */
static void claim_id(struct arena *arena, const struct object *desired, struct sole_claim *ret) {
	const struct vxlan *vxlan = (const struct vxlan *)desired;
	const char *ns = link_underlay(desired);
	const char *dev = is_link_local6(&vxlan->local) && object_has(desired, DEV) ? vxlan->dev.name : "";
	const char *what = vxlan->external ? "'external'" : arena_printf(arena, "the VXLAN id %u", vxlan->id);

	*ret = (struct sole_claim){
		.key = arena_printf(arena, "vxlan %s %u %u %d %s", ns, vxlan->id, vxlan->port, is_ipv6(vxlan), dev),
		.field = &fields[vxlan->external ? EXTERNAL : ID],
		.problem = arena_printf(arena, "%s is taken on UDP port %u of %s: choose another %s", what, vxlan->port, ns,
					vxlan->external ? "'port'" : "'id' or 'port'"),
	};
}

/* All vxlans on a port share a socket and its receive flags: vxlan_find_sock() and VXLAN_F_RCV_FLAGS. */
static void claim_socket(struct arena *arena, const struct object *desired, bool ipv6, struct sole_claim *ret) {
	const struct vxlan *vxlan = (const struct vxlan *)desired;
	const char *ns = link_underlay(desired);

	*ret = (struct sole_claim){
		.key = arena_printf(arena, "vxlan socket %s %u %d", ns, vxlan->port, ipv6),
		.field = &fields[vxlan->external ? EXTERNAL
				 : vxlan->gbp    ? GBP
						 : PORT],
		.shared = true,
		.as = arena_printf(arena, "%u %u %u", vxlan->external, vxlan->vni_filter, vxlan->gbp),
		.problem = arena_printf(arena,
					"all on UDP port %u of %s must have the same 'external', 'vni-filter' and 'gbp': "
					"choose another 'port'",
					vxlan->port, ns),
	};
}

static bool claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	const struct vxlan *vxlan = (const struct vxlan *)desired;

	if (i == 0)
		claim_id(arena, desired, ret);
	else if (i == 1)
		claim_socket(arena, desired, is_ipv6(vxlan), ret);
	else if (i == 2 && vxlan->external) /* it has sockets of both families */
		claim_socket(arena, desired, !is_ipv6(vxlan), ret);
	else
		return false;
	return true;
}

static uint32_t headroom(const struct object *desired) {
	return is_ipv6((const struct vxlan *)desired) ? HEADERS6 : HEADERS;
}

/* `remote` and `group` are one attribute. Other ends are entries of the forwarding table, and written as such. */
static bool is_usual(const struct state *seen _unused_, const struct object *observed, size_t field) {
	const struct vxlan *vxlan = (const struct vxlan *)observed;
	const struct ip *ip = field == GROUP ? &vxlan->group.ip : &vxlan->remote.ip;

	if (field == REMOTE || field == GROUP)
		return !ip->family || ip_is_zero(ip) || ip_is_multicast(ip) == (field == REMOTE);
	return field == REMOTES || (field == LINK_MTU && !vxlan->dev.ifindex && vxlan->link.mtu == 1500); /* vxlan_setup() */
}

const struct kind kind_vxlan = {
	.name = "vxlan",
	.doc = "Ethernet over UDP (RFC 7348).",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct vxlan),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "vxlan",
	.is_usual = is_usual,
	.markable = true,
	.sent_in = link_sent_in,
	.encode = vxlan_encode,
	.source = &vxlan_forwarding,
	.check = check,
	.claim = claim,
	.fallback = vxlan_fallback,
	.headroom = headroom,
};
