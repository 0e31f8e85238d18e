/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vxlan: Ethernet over UDP (RFC 7348).
 *
 * Two places say where frames to unknown addresses go. The link has one `remote` or `group`, for which it makes an
 * entry for the address 00:00:00:00:00:00 in its forwarding table (vxlan_fdb_update() in drivers/net/vxlan); from then
 * on only the table counts. Somebody may delete the entry or append others while the link still shows the same far end.
 * So a far end is compared with both, and `remotes`, of which the link shows nothing, with the table alone. If a routing
 * daemon manages the entries, none of these keys is declared. Entries for other addresses are objects of their own (fdb.c).
 */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "model/change.h"
#include "model/section.h"
#include "kind/link.h"
#include "model/source.h"

/* A forwarding entry for unknown addresses. */
struct destination {
	struct destination *next;
	struct ip ip;
	uint32_t vni, ifindex; /* 0: the link's own */
	uint16_t port;         /* 0: the link's own; in network order */
	bool plain;            /* as the link makes it by itself */
};

struct far_end {
	struct ip ip;                      /* first, so that type_ip can read and write it */
	bool looked_up;                    /* observed: the forwarding table was read … */
	const struct destination *entries; /* … and contains this, in the order in which frames are sent */
};

/* All other ends, of which the link shows none. Desired: a sorted set. */
struct far_ends {
	size_t n;
	const struct ip *ips;
	bool looked_up; /* as in struct far_end */
	const struct destination *entries;
};

extern const struct kind kind_vxlan;

struct vxlan {
	struct link link;
	uint32_t id, port, ttl, tos, learning, ageing_time, udp_checksum, source_ports, proxy, l2_miss, l3_miss, gbp, df,
		external, vni_filter, limit;
	struct ip local;
	struct far_end remote, group;
	struct far_ends remotes;
	struct link_ref dev, underlay;
};

enum { ID = LINK_N_FIELDS, PORT, LOCAL, REMOTE, GROUP, DEV, UNDERLAY, EXTERNAL, VNI_FILTER, GBP, REMOTES };

enum {
	HEADERS = 50,  /* outer IPv4, UDP, VXLAN and inner Ethernet headers: vxlan_headroom(), include/net/vxlan.h */
	HEADERS6 = 70, /* the same with an outer IPv6 header */
};

#define ROW(key, member, value_type, number, ...)                                                             \
	{                                                                                                     \
		.name = key, .type = value_type, .offset = offsetof(struct vxlan, member), .wire = WIRE_DATA, \
		.attr = number, __VA_ARGS__                                                                   \
	}

/* The kernel has one attribute for a remote host or a group; the language has two keys. */
static bool far_end_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct ip ip;

	if (!type_ip.parse(p, field, node, &ip))
		return false;
	if (ip_is_multicast(&ip) != streq(field->name, "group")) {
		diag_error(p->diags, node->position,
			   ip_is_multicast(&ip) ? "'%s' takes the address of one host; write a multicast address as 'group'"
						: "'%s' takes a multicast address; write a single host as 'remote'",
			   field->name);
		return false;
	}
	*(struct far_end *)value = (struct far_end){ .ip = ip };
	return true;
}

/* Does the table have exactly the entry that the link shows? */
static bool is_in_force(const struct far_end *end) {
	const struct destination *entry = end->entries;

	return !end->looked_up || (entry && !entry->next && entry->plain && ip_equal(&entry->ip, &end->ip));
}

static void print_entries(const struct field *field, const struct destination *entries, const char *between,
			  struct text *out) {
	text_add(out, entries ? "" : "none");
	for (const struct destination *entry = entries; entry; entry = entry->next) {
		text_add(out, entry == entries ? "" : between);
		type_ip.print(field, &entry->ip, out);
		if (entry->port)
			text_addf(out, " port %u", ntohs(entry->port));
		if (entry->vni)
			text_addf(out, " id %u", entry->vni);
		if (!entry->plain && entry->ifindex)
			text_addf(out, " by interface %u", entry->ifindex);
	}
}

static void far_end_print(const struct field *field, const void *value, struct text *out) {
	const struct far_end *end = value;

	if (is_in_force(end))
		type_ip.print(field, &end->ip, out);
	else
		print_entries(field, end->entries, " and ", out);
}

static bool far_end_equal(const void *a, const void *b) {
	return ip_equal(a, b) && is_in_force(a) && is_in_force(b);
}

static void far_end_put(struct nl_writer *w, const struct field *field, const void *value) {
	type_ip.put(w, field, value);
}

static bool far_end_get(struct arena *arena, const struct field *field, const struct nlattr *attr, void *value) {
	struct far_end *end = value;

	*end = (struct far_end){};
	return type_ip.get(arena, field, attr, &end->ip);
}

static const struct type type_far_end = {
	.name = "address",
	.size = sizeof(struct far_end),
	.parse = far_end_parse,
	.print = far_end_print,
	.equal = far_end_equal,
	.put = far_end_put,
	.get = far_end_get,
};

static int compare_ips(const void *a, const void *b) {
	return memcmp(a, b, sizeof(struct ip));
}

/* A list, one address, or the text that far_ends_print() writes. */
static bool far_ends_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	size_t most = node->type == NODE_SEQUENCE ? node->n : node->n / 2 + 1, n = 0;
	struct ip *ips = arena_newn(p->arena, struct ip, most + 1);
	bool good = true;

	for (size_t i = 0; i < (node->type == NODE_SEQUENCE ? node->n : 1); i++) {
		const struct node *item = node->type == NODE_SEQUENCE ? node->items[i] : node;
		const char *text = parse_scalar(p, field, item);
		char *rest = text && !streq(text, "none") ? arena_strdup(p->arena, text) : NULL, *word;

		good &= text != NULL;
		while ((word = strsep(&rest, " "))) {
			if (ip_parse(word, &ips[n]) == 0 && !ip_is_multicast(&ips[n])) {
				n++;
				continue;
			}
			diag_error(p->diags, item->position,
				   "'%s' takes the addresses of other ends, for example [192.0.2.2, 192.0.2.3], not '%s'",
				   field->name, word);
			good = false;
		}
	}
	qsort(ips, n, sizeof(*ips), compare_ips);
	size_t kept = MIN(n, (size_t)1);
	for (size_t i = 1; i < n; i++)
		if (compare_ips(&ips[kept - 1], &ips[i]) != 0)
			ips[kept++] = ips[i];
	*(struct far_ends *)value = (struct far_ends){ .n = kept, .ips = ips };
	return good;
}

static void far_ends_print(const struct field *field, const void *value, struct text *out) {
	const struct far_ends *ends = value;

	if (ends->looked_up) {
		print_entries(field, ends->entries, " ", out);
		return;
	}
	for (size_t i = 0; i < ends->n; i++) {
		text_add(out, i ? " " : "");
		type_ip.print(field, &ends->ips[i], out);
	}
	text_add(out, ends->n ? "" : "none");
}

static bool has_end(const struct far_ends *ends, const struct destination *entry) {
	for (size_t i = 0; i < ends->n; i++)
		if (ip_equal(&ends->ips[i], &entry->ip))
			return !entry->port && !entry->vni && (!entry->ifindex || entry->plain);
	return false;
}

static bool far_ends_equal(const void *a, const void *b) {
	const struct far_ends *x = a, *y = b, *seen = x->looked_up ? x : y, *want = x->looked_up ? y : x;
	size_t n = 0;

	if (!seen->looked_up)
		return x->n == y->n && (!x->n || memcmp(x->ips, y->ips, x->n * sizeof(*x->ips)) == 0);
	for (const struct destination *entry = seen->entries; entry; entry = entry->next, n++)
		if (!has_end(want, entry))
			return false;
	return n == want->n;
}

static const struct type type_far_ends = {
	.name = "list of addresses",
	.schema = "{\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}}",
	.size = sizeof(struct far_ends),
	.parse = far_ends_parse,
	.print = far_ends_print,
	.equal = far_ends_equal,
};

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

/* A boolean that the kernel takes only for a new link: vxlan_nl2conf(), drivers/net/vxlan/vxlan_core.c. */
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
		      "Whether each packet brings its own tunnel (`vlan-tunnel` of a bridge's port, tc, a route's encap)."),
	[VNI_FILTER] = FIXED("vni-filter", vni_filter, IFLA_VXLAN_VNIFILTER, FORM_U8,
			     "Whether only identifiers are received that were added to the interface; with `external`."),
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
	    .doc = "Whether outer IPv4 packets carry a UDP checksum."),
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

/* The forwarding table. */

static bool declares_forwarding(const struct object *desired) {
	return object_has(desired, REMOTE) || object_has(desired, GROUP) || object_has(desired, REMOTES);
}

static void ask(const struct source_scan *scan _unused_, struct nl_writer *w, const struct object *observed) {
	struct ndmsg *ndm = nl_begin(w, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*ndm));

	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = (int)((const struct link *)observed)->ifindex;
}

static bool is_zero(const struct nlattr *lladdr) {
	static const uint8_t zero[6];

	return lladdr && mnl_attr_get_payload_len(lladdr) == sizeof(zero) &&
	       memcmp(mnl_attr_get_payload(lladdr), zero, sizeof(zero)) == 0;
}

static struct destination *read_entry(struct arena *arena, const struct vxlan *seen, const struct nlmsghdr *nlh) {
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NDA_IFINDEX + 1];
	struct ip ip;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm) || ndm->ndm_family != AF_BRIDGE ||
	    (uint32_t)ndm->ndm_ifindex != seen->link.ifindex || !(ndm->ndm_flags & NTF_SELF))
		return NULL;
	nl_parse(nlh, sizeof(*ndm), tb, NDA_IFINDEX);
	if (!is_zero(tb[NDA_LLADDR]) || !tb[NDA_DST] || !type_ip.get(arena, NULL, tb[NDA_DST], &ip))
		return NULL;
	struct destination *entry = arena_new(arena, struct destination);
	entry->ip = ip;
	entry->vni = nl_get_u32(tb[NDA_VNI], 0);
	entry->ifindex = nl_get_u32(tb[NDA_IFINDEX], 0);
	if (tb[NDA_PORT] && mnl_attr_get_payload_len(tb[NDA_PORT]) == sizeof(entry->port))
		memcpy(&entry->port, mnl_attr_get_payload(tb[NDA_PORT]), sizeof(entry->port));
	entry->plain = !entry->port && !entry->vni && entry->ifindex == seen->dev.ifindex;
	return entry;
}

static void take_forwarding(struct arena *arena, struct object *observed, const struct nlmsghdr *nlh) {
	struct vxlan *seen = (struct vxlan *)observed;
	struct destination *entry = nlh && nlh->nlmsg_type == RTM_NEWNEIGH ? read_entry(arena, seen, nlh) : NULL;
	const struct destination **last = &seen->remote.entries;

	if (!nlh) {
		seen->remote.looked_up = seen->group.looked_up = seen->remotes.looked_up = true;
		seen->remote.entries = seen->group.entries = seen->remotes.entries = NULL;
		observed->set |= field_bit(REMOTES);
	}
	while (*last)
		last = (const struct destination **)(uintptr_t) & (*last)->next;
	*last = entry;
	seen->group.entries = seen->remotes.entries = seen->remote.entries;
}

/* Passes messages about forwarding entries (ndm_family AF_BRIDGE) for the hardware address of all zeros. */
static struct sock_filter zero_filter[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_BRIDGE, 0, 9),
	BPF_STMT(BPF_LD | BPF_IMM, NLMSG_HDRLEN + sizeof(struct ndmsg)),
	BPF_STMT(BPF_LDX | BPF_IMM, NDA_LLADDR),
	/* offset of the attribute; 0: there is none */
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, 0),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_IND, NLA_HDRLEN),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, NLA_HDRLEN + 4),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

/* Entries for other addresses are learned and forgotten all the time. */
static enum about about(const struct event *event, struct hint *ret) {
	const struct ndmsg *ndm = event_header(event, sizeof(*ndm));
	const struct nlattr *tb[NDA_LLADDR + 1];

	if (!ndm)
		return ABOUT_UNKNOWN;
	nl_parse(event->message, sizeof(*ndm), tb, NDA_LLADDR);
	if (ndm->ndm_family != AF_BRIDGE || (tb[NDA_LLADDR] && !is_zero(tb[NDA_LLADDR])))
		return ABOUT_OTHER;
	ret->type = HINT_DETAIL;
	ret->ifindex = (uint32_t)ndm->ndm_ifindex;
	return ABOUT_HINT;
}

static const struct source forwarding = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWNEIGH,
	.last = RTM_DELNEIGH,
	.groups = (const int[]){ RTNLGRP_NEIGH, 0 },
	.filter = &(const struct sock_fprog){ ARRAY_SIZE(zero_filter), zero_filter },
	.only_if_declared = true,
	.about = about,
	.declares = declares_forwarding,
	.ask = ask,
	.take = take_forwarding,
};

/* The link makes its entry when its far end changes, so the far end is set to none and back. A request for the entry
 * itself could not name an underlay in another namespace. */
static int put_entry_again(struct encode *encode, const struct change *change, uint64_t field) {
	struct vxlan none = *(const struct vxlan *)change->desired;
	struct change away = *change, back = *change;

	memset(none.remote.ip.bytes, 0, sizeof(none.remote.ip.bytes));
	memset(none.group.ip.bytes, 0, sizeof(none.group.ip.bytes));
	away.desired = &none.link.object;
	away.fields = back.fields = field;
	int r = link_encode(encode, &away);
	return r < 0 ? r : link_encode(encode, &back);
}

static void put_entry(struct nl_writer *w, const struct field *field, uint16_t type, uint32_t ifindex,
		      const struct destination *entry) {
	static const uint8_t zero[6];
	uint16_t flags = type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_APPEND : 0;
	struct ndmsg *ndm = nl_begin(w, type, flags, sizeof(*ndm));

	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = (int32_t)ifindex;
	ndm->ndm_state = NUD_PERMANENT;
	ndm->ndm_flags = NTF_SELF;
	nl_put(w, NDA_LLADDR, zero, sizeof(zero));
	nl_origin(w, field);
	nl_put(w, NDA_DST, entry->ip.bytes, ip_size(entry->ip.family));
	if (entry->port)
		nl_put(w, NDA_PORT, &entry->port, sizeof(entry->port));
	if (entry->vni)
		nl_put_u32(w, NDA_VNI, entry->vni);
	if (entry->ifindex)
		nl_put_u32(w, NDA_IFINDEX, entry->ifindex);
}

/* The link's own message sets a new far end with its entry; other entries are deleted. */
static int encode_far_end(struct encode *encode, const struct change *change, size_t at) {
	const struct field *field = &fields[at];
	const struct far_end *want = field_of(field, change->desired), *have = field_of(field, change->observed);
	const struct vxlan *seen = (const struct vxlan *)change->observed;
	struct change rest = *change;
	bool same = ip_equal(&want->ip, &have->ip), found = false;
	int r = 0;

	for (const struct destination *entry = have->entries; entry; entry = entry->next)
		found |= entry->plain && ip_equal(&entry->ip, &want->ip);
	if (same)
		rest.fields &= ~field_bit(at);
	if (same && !found)
		r = put_entry_again(encode, change, field_bit(at));
	if (r == 0 && rest.fields)
		r = link_encode(encode, &rest);
	for (const struct destination *entry = have->entries; entry && r == 0; entry = entry->next)
		if (!entry->plain || !(ip_equal(&entry->ip, &want->ip) || ip_equal(&entry->ip, &have->ip)))
			put_entry(encode->writer, field, RTM_DELNEIGH, seen->link.ifindex, entry);
	return r;
}

/* First what is missing, so that those that stay are never alone. */
static int encode_remotes(struct encode *encode, const struct change *change) {
	const struct vxlan *want = (const struct vxlan *)change->desired, *have = (const struct vxlan *)change->observed;
	const struct destination *entries = have ? have->remotes.entries : NULL;
	uint32_t index = encode_ifindex(encode, want->link.object.ns, want->link.name);

	for (size_t i = 0; index && i < want->remotes.n; i++) {
		const struct far_ends one = { .n = 1, .ips = &want->remotes.ips[i] };
		const struct destination *entry = entries;

		while (entry && !has_end(&one, entry))
			entry = entry->next;
		if (!entry)
			put_entry(encode->writer, &fields[REMOTES], RTM_NEWNEIGH, index,
				  &(struct destination){ .ip = want->remotes.ips[i] });
	}
	for (const struct destination *entry = index ? entries : NULL; entry; entry = entry->next)
		if (!has_end(&want->remotes, entry))
			put_entry(encode->writer, &fields[REMOTES], RTM_DELNEIGH, index, entry);
	return index ? 0 : -ENODEV;
}

static int encode_link(struct encode *encode, const struct change *change) {
	const struct object *seen = change->type == CHANGE_UPDATE ? change->observed : NULL;
	size_t at = object_has(change->desired ? change->desired : change->observed, GROUP) ? GROUP : REMOTE;

	if (!seen || seen->kind != &kind_vxlan || !(change->fields & field_bit(at)) ||
	    is_in_force(field_of(&fields[at], seen)))
		return link_encode(encode, change);
	return encode_far_end(encode, change, at);
}

static int encode_vxlan(struct encode *encode, const struct change *change) {
	struct change rest = *change;
	int r = 0;

	if (change->type == CHANGE_UPDATE)
		rest.fields &= ~field_bit(REMOTES);
	if (rest.fields || rest.fields == change->fields)
		r = encode_link(encode, &rest);
	return r < 0 || rest.fields == change->fields ? r : encode_remotes(encode, change);
}

/* With `remote` or `group` the link makes its own entry again. */
static const char *fallback(struct arena *arena _unused_, const struct ns_state *ns _unused_, const struct object *desired,
			    size_t field) {
	return field == REMOTES && !object_has(desired, REMOTE) && !object_has(desired, GROUP) ? "none" : NULL;
}

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
	for (size_t i = 0; i < vxlan->remotes.n; i++)
		if ((vxlan->remotes.ips[i].family == AF_INET6) != is_ipv6(vxlan)) {
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

/* All of a port share its socket, and with it what they receive: vxlan_find_sock() and VXLAN_F_RCV_FLAGS. */
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

const struct kind kind_vxlan = {
	.name = "vxlan",
	.doc = "Ethernet over UDP (RFC 7348).",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct vxlan),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "vxlan",
	.markable = true,
	.sent_in = link_sent_in,
	.encode = encode_vxlan,
	.source = &forwarding,
	.check = check,
	.claim = claim,
	.fallback = fallback,
	.headroom = headroom,
};
