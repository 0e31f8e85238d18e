/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The encapsulation of a next hop: MPLS labels, segments of SRv6, or the parameters that a tunnel interface in `external` mode
 * takes for each packet. Routes, the entries of their `nexthops`, and next-hop objects have it (ip-route(8), ENCAP;
 * linux/lwtunnel.h).
 */
#include "kind/encap.h"

#include <linux/if_tunnel.h>
#include <linux/lwtunnel.h>
#include <linux/mpls.h>
#include <linux/mpls_iptunnel.h>
#include <linux/seg6.h>
#include <linux/seg6_iptunnel.h>

enum {
	LABELS_MAX = 30,     /* MAX_NEW_LABELS, net/mpls/internal.h */
	LABEL_MAX = 1048575, /* 20 bits, RFC 3032 */
	SRH_TYPE = 4,        /* RFC 8754, section 2 */
	SEGMENTS_MAX = 127,  /* hdrlen is a byte that counts 8 bytes, RFC 8754 */
};

/* MPLS. */

static bool labels_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	static const struct field label = { .name = "mpls", .type = &type_integer, .max = LABEL_MAX };
	struct encap_labels *labels = value;
	const struct node *one[] = { node }, *const *items = node->type == NODE_SEQUENCE ? node->items : one;
	size_t n = node->type == NODE_SEQUENCE ? node->n : 1;
	bool good = n > 0 && n <= LABELS_MAX;

	if (!good)
		diag_error(p->diags, node->position, "'%s' takes 1 to %d labels", field->name, LABELS_MAX);
	labels->n = n;
	labels->items = arena_newn(p->arena, uint32_t, n);
	for (size_t i = 0; i < n && good; i++) {
		if (items[i]->type == NODE_SCALAR && strchr(items[i]->text, '/')) {
			diag_error(p->diags, items[i]->position, "labels are written as a list: [100, 200]");
			return false;
		}
		good = type_integer.parse(p, &label, items[i], &labels->items[i]);
		if (good && labels->items[i] == MPLS_LABEL_IMPLNULL) {
			diag_error(p->diags, items[i]->position, "label %u (implicit null) is never sent", labels->items[i]);
			return false;
		}
	}
	return good;
}

static void labels_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct encap_labels *labels = value;

	for (size_t i = 0; i < labels->n; i++)
		text_addf(out, "%s%u", i ? "/" : "", labels->items[i]);
}

static void labels_exact(const struct field *field _unused_, const void *value, struct text *out) {
	const struct encap_labels *labels = value;

	for (size_t i = 0; i < labels->n; i++)
		text_addf(out, "%s%u", i ? ", " : "[", labels->items[i]);
	text_add(out, "]");
}

static const struct type type_labels = {
	.name = "list of labels",
	.schema =
		"{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 1048575}, {\"type\": \"array\", \"minItems\": "
		"1, \"maxItems\": 30, \"items\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 1048575}}]}",
	.size = sizeof(struct encap_labels),
	.parse = labels_parse,
	.print = labels_print,
	.exact = labels_exact,
	.is_list = true,
};

/* SRv6. */

static const struct enum_name modes[] = {
	{ "encap", SEG6_IPTUN_MODE_ENCAP },
	{ "inline", SEG6_IPTUN_MODE_INLINE },
	{ "l2encap", SEG6_IPTUN_MODE_L2ENCAP },
	{ "encap-red", SEG6_IPTUN_MODE_ENCAP_RED },
	{ "l2encap-red", SEG6_IPTUN_MODE_L2ENCAP_RED },
	{},
};

static bool segment_parse(struct parse *p, const struct field *field, const struct node *node, struct ip *segment) {
	const char *text = parse_scalar(p, field, node);

	if (text && strchr(text, ',')) {
		diag_error(p->diags, node->position, "segments are written as a list: [\"fc00::1\", \"fc00::2\"]");
		return false;
	}
	if (!text || !type_ip.parse(p, field, node, segment))
		return false;
	if (segment->family != AF_INET6)
		diag_error(p->diags, node->position, "a segment is an IPv6 address, not %s", text);
	return segment->family == AF_INET6;
}

static bool segments_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct encap_segments *segments = value;
	const struct node *one[] = { node }, *const *items = node->type == NODE_SEQUENCE ? node->items : one;
	size_t n = node->type == NODE_SEQUENCE ? node->n : 1;
	bool good = n > 0 && n < SEGMENTS_MAX;

	if (!good)
		diag_error(p->diags, node->position, "'%s' takes 1 to %d addresses", field->name, SEGMENTS_MAX - 1);
	segments->n = n;
	segments->items = arena_newn(p->arena, struct ip, n);
	for (size_t i = 0; i < n && good; i++)
		good = segment_parse(p, field, items[i], &segments->items[i]);
	return good;
}

static void add_segments(const struct encap_segments *segments, const char *quote, struct text *out) {
	char buf[IP_TEXT_MAX];

	for (size_t i = 0; i < segments->n; i++)
		text_addf(out, "%s%s%s%s", i ? "," : "", quote, ip_format(&segments->items[i], buf), quote);
}

static void segments_print(const struct field *field _unused_, const void *value, struct text *out) {
	add_segments(value, "", out);
}

static void segments_exact(const struct field *field _unused_, const void *value, struct text *out) {
	text_add(out, "[");
	add_segments(value, "\"", out);
	text_add(out, "]");
}

static const struct type type_segments = {
	.name = "list of IPv6 addresses",
	.schema =
		"{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"string\"}}]}",
	.size = sizeof(struct encap_segments),
	.parse = segments_parse,
	.print = segments_print,
	.exact = segments_exact,
	.is_list = true,
};

static const struct field seg6_fields[] = {
	{ .name = "mode",
	  .type = &type_enum,
	  .offset = offsetof(struct encap_seg6, mode),
	  .names = modes,
	  .doc = "Whether packets are put into an outer IPv6 packet (`encap`, the default; `encap-red` leaves the first segment out "
		 "of the header), get the header themselves (`inline`, IPv6 only), or go as Ethernet frames (`l2encap`, "
		 "`l2encap-red`)." },
	{ .name = "segments",
	  .type = &type_segments,
	  .offset = offsetof(struct encap_seg6, segments),
	  .flags = FIELD_REQUIRED,
	  .doc = "The nodes that packets visit, in this order." },
};

static bool seg6_parse(struct parse *p, const struct field *field _unused_, const struct node *node, void *value) {
	struct encap_seg6 *seg6 = value;
	uint64_t set = 0;

	seg6->mode = SEG6_IPTUN_MODE_ENCAP;
	return fields_parse(
		p, node,
		&(struct fields_parse){
			.what = "'seg6'", .fields = seg6_fields, .n = ARRAY_SIZE(seg6_fields), .base = seg6, .set = &set });
}

static void seg6_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct encap_seg6 *seg6 = value;

	text_add(out, "mode ");
	type_enum.print(&seg6_fields[0], &seg6->mode, out);
	text_add(out, " segments ");
	add_segments(&seg6->segments, "", out);
}

static const void *seg6_item(const void *value, size_t i, uint64_t *ret_set) {
	*ret_set = ((const struct encap_seg6 *)value)->mode == SEG6_IPTUN_MODE_ENCAP ? 2 : 3;
	return i ? NULL : value;
}

static const struct type type_seg6 = {
	.name = "segment routing header",
	.size = sizeof(struct encap_seg6),
	.parse = seg6_parse,
	.print = seg6_print,
	.keys = seg6_fields,
	.n_keys = ARRAY_SIZE(seg6_fields),
	.item = seg6_item,
	.is_mapping = true,
};

/* IP, for a tunnel interface in `external` mode. */

#define IP_ROW(member, value_type, ...) \
	{ .name = #member, .type = value_type, .offset = offsetof(struct encap_ip, member), __VA_ARGS__ }

static const struct field ip_fields[] = {
	IP_ROW(id, &type_integer, .doc = "Number of the tunnel: a VXLAN's VNI, or a GRE tunnel's key."),
	IP_ROW(local, &type_ip, .doc = "Source of the outer packets."),
	IP_ROW(remote, &type_ip, .flags = FIELD_REQUIRED, .doc = "Destination of the outer packets."),
	IP_ROW(ttl, &type_integer, .max = 255, .doc = "TTL or hop limit of the outer packets; 0 leaves it to the tunnel."),
	IP_ROW(tos, &type_integer, .max = 255, .doc = "Type of service or traffic class of the outer packets."),
	IP_ROW(key, &type_bool, .doc = "Whether a GRE tunnel sends `id` as its key."),
	IP_ROW(checksum, &type_bool, .doc = "Whether the outer packets have a checksum."),
	IP_ROW(sequence, &type_bool, .doc = "Whether a GRE tunnel numbers its packets."),
};

static bool ip_encap_parse(struct parse *p, const struct field *field _unused_, const struct node *node, void *value) {
	struct encap_ip *ip = value;
	uint64_t set = 0;

	if (!fields_parse(
		    p, node,
		    &(struct fields_parse){
			    .what = "'ip'", .fields = ip_fields, .n = ARRAY_SIZE(ip_fields), .base = ip, .set = &set }))
		return false;
	if (ip->local.family && ip->local.family != ip->remote.family) {
		diag_error(p->diags, node->position, "'local' and 'remote' are of different families");
		return false;
	}
	return true;
}

static void ip_encap_print(const struct field *field _unused_, const void *value, struct text *out) {
	static const struct encap_ip none;
	const char *space = "";

	for (size_t i = 0; i < ARRAY_SIZE(ip_fields); i++) {
		if (field_equal(&ip_fields[i], value, &none))
			continue;
		text_addf(out, "%s%s ", space, ip_fields[i].name);
		field_print(&ip_fields[i], value, out);
		space = " ";
	}
}

static const void *ip_encap_item(const void *value, size_t i, uint64_t *ret_set) {
	static const struct encap_ip none;

	*ret_set = 0;
	for (size_t k = 0; k < ARRAY_SIZE(ip_fields); k++)
		*ret_set |= field_equal(&ip_fields[k], value, &none) ? 0 : field_bit(k);
	return i ? NULL : value;
}

static const struct type type_ip_encap = {
	.name = "tunnel's outer header",
	.size = sizeof(struct encap_ip),
	.parse = ip_encap_parse,
	.print = ip_encap_print,
	.keys = ip_fields,
	.n_keys = ARRAY_SIZE(ip_fields),
	.item = ip_encap_item,
	.is_mapping = true,
};

/* One of the three. */

enum encap_field { ENCAP_MPLS, ENCAP_SEG6, ENCAP_IP, ENCAP_N };

static const struct field encap_fields[ENCAP_N] = {
	[ENCAP_MPLS] = { .name = "mpls",
			 .type = &type_labels,
			 .offset = offsetof(struct encap, mpls),
			 .doc = "MPLS labels, the outermost first." },
	[ENCAP_SEG6] = { .name = "seg6",
			 .type = &type_seg6,
			 .offset = offsetof(struct encap, seg6),
			 .doc = "Segment routing over IPv6 (SRv6)." },
	[ENCAP_IP] = { .name = "ip",
		       .type = &type_ip_encap,
		       .offset = offsetof(struct encap, ip),
		       .doc = "The outer header for a tunnel with `external: true`, which is the `dev`." },
};

/* The row of an encapsulation; NULL: topod has none for it. */
static const struct field *row_of(const struct encap *encap) {
	switch (encap->type) {
	case LWTUNNEL_ENCAP_MPLS:
		return &encap_fields[ENCAP_MPLS];
	case LWTUNNEL_ENCAP_SEG6:
		return &encap_fields[ENCAP_SEG6];
	case LWTUNNEL_ENCAP_IP:
	case LWTUNNEL_ENCAP_IP6:
		return &encap_fields[ENCAP_IP];
	}
	return NULL;
}

static bool encap_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct encap *encap = value;
	uint64_t set = 0;

	if (node->type != NODE_MAPPING) {
		diag_error(
			p->diags, node->position,
			"'%s' is a mapping: {mpls: [100, 200]}, {seg6: {mode: encap, segments: [\"fc00::1\"]}} or {ip: {id: 5, "
			"remote: 192.0.2.1}}",
			field->name);
		return false;
	}
	if (!fields_parse(p, node,
			  &(struct fields_parse){
				  .what = "'encap'", .fields = encap_fields, .n = ENCAP_N, .base = encap, .set = &set }))
		return false;
	if (__builtin_popcountll(set) != 1) {
		diag_error(p->diags, node->position, "'%s' needs one of 'mpls', 'seg6' and 'ip'", field->name);
		return false;
	}
	encap->type = set & field_bit(ENCAP_MPLS)           ? LWTUNNEL_ENCAP_MPLS
		      : set & field_bit(ENCAP_SEG6)         ? LWTUNNEL_ENCAP_SEG6
		      : encap->ip.remote.family == AF_INET6 ? LWTUNNEL_ENCAP_IP6
							    : LWTUNNEL_ENCAP_IP;
	return true;
}

static void encap_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct encap *encap = value;
	const struct field *row = row_of(encap);

	if (!row) {
		text_addf(out, encap->type ? "of type %u" : "none", encap->type);
		return;
	}
	text_addf(out, "%s ", row->name);
	field_print(row, encap, out);
}

static const void *encap_item(const void *value, size_t i, uint64_t *ret_set) {
	const struct field *row = row_of(value);

	*ret_set = row ? field_bit((size_t)(row - encap_fields)) : 0;
	return i || !row ? NULL : value;
}

static int compare_numbers(uint64_t a, uint64_t b) {
	return (a > b) - (a < b);
}

static int compare_lists(const void *a, size_t n_a, const void *b, size_t n_b, size_t size) {
	int r = compare_numbers(n_a, n_b);

	return r || !n_a ? r : memcmp(a, b, n_a * size);
}

int encap_compare(const struct encap *a, const struct encap *b) {
	const struct encap_segments *x = &a->seg6.segments, *y = &b->seg6.segments;
	int r = compare_numbers(a->type, b->type);

	r = r ? r : compare_lists(a->mpls.items, a->mpls.n, b->mpls.items, b->mpls.n, sizeof(*a->mpls.items));
	r = r ? r : compare_numbers(a->seg6.mode, b->seg6.mode);
	r = r ? r : compare_lists(x->items, x->n, y->items, y->n, sizeof(*x->items));
	return r ? r : memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

static bool encap_equal(const void *a, const void *b) {
	return encap_compare(a, b) == 0;
}

const struct type type_encap = {
	.name = "encapsulation",
	.size = sizeof(struct encap),
	.parse = encap_parse,
	.print = encap_print,
	.equal = encap_equal,
	.keys = encap_fields,
	.n_keys = ENCAP_N,
	.item = encap_item,
	.is_mapping = true,
};

const char *encap_left_out(const struct encap *encap) {
	return encap->type && !row_of(encap) ? "an encapsulation that topod does not know" : NULL;
}

const char *encap_what(const struct encap *encap, const char **ret_module) {
	static const struct {
		const char *what, *module; /* MODULE_ALIAS_RTNL_LWT */
	} texts[ENCAP_N] = {
		[ENCAP_MPLS] = { "encapsulation by MPLS", "mpls_iptunnel" },
		[ENCAP_SEG6] = { "encapsulation by SRv6 (CONFIG_IPV6_SEG6_LWTUNNEL)", NULL },
		[ENCAP_IP] = { "encapsulation by IP (CONFIG_LWTUNNEL)", NULL },
	};
	const struct field *row = row_of(encap);

	*ret_module = row ? texts[row - encap_fields].module : NULL;
	return row ? texts[row - encap_fields].what : NULL;
}

/* As seg6_build_state(), net/ipv6/seg6_iptunnel.c. */
bool encap_check(struct parse *p, const struct encap *encap, uint8_t family, struct position position) {
	bool wrong = encap->type == LWTUNNEL_ENCAP_SEG6 && encap->seg6.mode == SEG6_IPTUN_MODE_INLINE && family == AF_INET;

	if (wrong)
		diag_error(p->diags, position,
			   "'mode: inline' is for IPv6 routes only; IPv4 packets need an outer one: 'encap'");
	return !wrong;
}

/* The kernel's messages. */

static void put_labels(struct nl_writer *w, const struct encap_labels *labels) {
	uint32_t stack[LABELS_MAX];

	for (size_t i = 0; i < labels->n; i++)
		stack[i] = htonl(labels->items[i] << MPLS_LS_LABEL_SHIFT | (i + 1 == labels->n ? 1U << MPLS_LS_S_SHIFT : 0));
	nl_put(w, MPLS_IPTUNNEL_DST, stack, labels->n * sizeof(stack[0]));
}

static void get_labels(struct arena *arena, const struct nlattr *attr, struct encap_labels *ret) {
	const uint32_t *stack = attr ? mnl_attr_get_payload(attr) : NULL;

	ret->n = attr ? MIN(mnl_attr_get_payload_len(attr) / sizeof(*stack), (size_t)LABELS_MAX) : 0;
	ret->items = arena_newn(arena, uint32_t, ret->n);
	for (size_t i = 0; i < ret->n; i++)
		ret->items[i] = ntohl(stack[i]) >> MPLS_LS_LABEL_SHIFT;
}

enum { SEGMENT_SIZE = sizeof(struct in6_addr) };

/* struct seg6_iptunnel_encap: the mode, then the header with the segments in reverse order of travel. In `inline` mode the
 * kernel fills in the last one, the packet's destination. */
static void put_seg6(struct arena *arena, struct nl_writer *w, const struct encap_seg6 *seg6) {
	const struct encap_segments *segments = &seg6->segments;
	size_t n = segments->n + (seg6->mode == SEG6_IPTUN_MODE_INLINE);
	size_t size = sizeof(int) + sizeof(struct ipv6_sr_hdr) + n * SEGMENT_SIZE;
	char *data = arena_alloc(arena, size), *last = data + size - SEGMENT_SIZE;
	struct ipv6_sr_hdr header = { .hdrlen = (uint8_t)((sizeof(header) + n * SEGMENT_SIZE) / 8 - 1),
				      .type = SRH_TYPE,
				      .segments_left = (uint8_t)(n - 1),
				      .first_segment = (uint8_t)(n - 1) };
	int mode = (int)seg6->mode;

	memcpy(data, &mode, sizeof(mode));
	memcpy(data + sizeof(mode), &header, sizeof(header));
	for (size_t i = 0; i < segments->n; i++)
		memcpy(last - i * SEGMENT_SIZE, segments->items[i].bytes, SEGMENT_SIZE);
	nl_put(w, SEG6_IPTUNNEL_SRH, data, size);
}

static void get_seg6(struct arena *arena, const struct nlattr *attr, struct encap_seg6 *ret) {
	const char *data = attr ? mnl_attr_get_payload(attr) : NULL;
	size_t size = attr ? mnl_attr_get_payload_len(attr) : 0, left, n;
	struct ipv6_sr_hdr header;
	int mode;

	if (size < sizeof(mode) + sizeof(header))
		return;
	memcpy(&mode, data, sizeof(mode));
	memcpy(&header, data + sizeof(mode), sizeof(header));
	left = (size - sizeof(mode) - sizeof(header)) / SEGMENT_SIZE; /* others may have attributes (TLVs) after them */
	n = MIN(MIN(left, header.first_segment + (size_t)1), (size_t)SEGMENTS_MAX);
	ret->mode = (uint32_t)mode;
	ret->segments.n = n - (n && mode == SEG6_IPTUN_MODE_INLINE);
	ret->segments.items = arena_newn(arena, struct ip, ret->segments.n);
	for (size_t i = 0; i < ret->segments.n; i++)
		ip_from_bytes(AF_INET6, data + sizeof(mode) + sizeof(header) + (n - 1 - i) * SEGMENT_SIZE, SEGMENT_SIZE,
			      &ret->segments.items[i]);
}

/* The attributes of both families have the same numbers: LWTUNNEL_IP_TTL is LWTUNNEL_IP6_HOPLIMIT, and so on. */
static void put_ip(struct nl_writer *w, const struct encap_ip *ip) {
	uint64_t id = htobe64(ip->id);
	uint16_t flags =
		(uint16_t)((ip->key ? TUNNEL_KEY : 0) | (ip->checksum ? TUNNEL_CSUM : 0) | (ip->sequence ? TUNNEL_SEQ : 0));

	nl_put(w, LWTUNNEL_IP_ID, &id, sizeof(id));
	nl_put(w, LWTUNNEL_IP_DST, ip->remote.bytes, ip_size(ip->remote.family));
	if (ip->local.family)
		nl_put(w, LWTUNNEL_IP_SRC, ip->local.bytes, ip_size(ip->local.family));
	nl_put_u8(w, LWTUNNEL_IP_TTL, (uint8_t)ip->ttl);
	nl_put_u8(w, LWTUNNEL_IP_TOS, (uint8_t)ip->tos);
	nl_put_u16(w, LWTUNNEL_IP_FLAGS, flags);
}

static void get_end(uint8_t family, const struct nlattr *attr, struct ip *ret) {
	if (attr &&
	    (ip_from_bytes(family, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), ret) < 0 || ip_is_zero(ret)))
		*ret = (struct ip){};
}

static void get_ip(uint8_t family, const struct nlattr *const *tb, struct encap_ip *ret) {
	uint16_t flags = nl_get_u16(tb[LWTUNNEL_IP_FLAGS], 0);

	ret->id = (uint32_t)nl_get_number(tb[LWTUNNEL_IP_ID]);
	get_end(family, tb[LWTUNNEL_IP_DST], &ret->remote);
	get_end(family, tb[LWTUNNEL_IP_SRC], &ret->local);
	ret->ttl = nl_get_u8(tb[LWTUNNEL_IP_TTL], 0);
	ret->tos = nl_get_u8(tb[LWTUNNEL_IP_TOS], 0);
	ret->key = !!(flags & TUNNEL_KEY);
	ret->checksum = !!(flags & TUNNEL_CSUM);
	ret->sequence = !!(flags & TUNNEL_SEQ);
}

void encap_put(struct arena *arena, struct nl_writer *w, const struct encap *encap, uint16_t type_attr,
	       uint16_t encap_attr) {
	const struct field *row = row_of(encap);
	struct nlattr *nest;

	if (!row)
		return;
	nl_put_u16(w, type_attr, (uint16_t)encap->type);
	nest = nl_nest(w, encap_attr);
	switch ((enum encap_field)(row - encap_fields)) {
	case ENCAP_MPLS:
		put_labels(w, &encap->mpls);
		break;
	case ENCAP_SEG6:
		put_seg6(arena, w, &encap->seg6);
		break;
	case ENCAP_IP:
		put_ip(w, &encap->ip);
		break;
	case ENCAP_N:
		break;
	}
	nl_nest_end(w, nest);
}

void encap_get(struct arena *arena, const struct nlattr *type, const struct nlattr *attr, struct encap *ret) {
	const struct nlattr *tb[LWTUNNEL_IP_MAX + 1];
	const struct field *row;

	ret->type = nl_get_u16(type, 0);
	row = row_of(ret);
	if (!row)
		return;
	nl_parse_nested(attr, tb, LWTUNNEL_IP_MAX);
	switch ((enum encap_field)(row - encap_fields)) {
	case ENCAP_MPLS:
		get_labels(arena, tb[MPLS_IPTUNNEL_DST], &ret->mpls);
		break;
	case ENCAP_SEG6:
		get_seg6(arena, tb[SEG6_IPTUNNEL_SRH], &ret->seg6);
		break;
	case ENCAP_IP:
		get_ip(ret->type == LWTUNNEL_ENCAP_IP6 ? AF_INET6 : AF_INET, tb, &ret->ip);
		break;
	case ENCAP_N:
		break;
	}
}
