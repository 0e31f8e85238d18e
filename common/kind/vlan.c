/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vlan: an interface for one tag (IEEE 802.1Q) on its lower interface, which may be in another namespace.
 */
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>

#include "kind/link.h"
#include "model/change.h"

/* One entry of a map between the tag's priority and the packet's (skb->priority). */
struct qos_pair {
	uint32_t from, to;
};

struct qos_map {
	size_t n;
	struct qos_pair *pairs; /* sorted by from */
};

struct vlan {
	struct link link;
	struct link_ref below;
	uint32_t id, protocol, reorder_header, gvrp, mvrp, loose_binding, bridge_binding;
	struct qos_map ingress, egress;
};

enum { BELOW = LINK_N_FIELDS, ID, PROTOCOL, REORDER_HEADER, GVRP, MVRP, LOOSE_BINDING, BRIDGE_BINDING, INGRESS, EGRESS };

/* ---- maps ---- */

enum { PRIORITY_MAX = 7 }; /* a tag's priority has three bits (IEEE 802.1Q) */

static int compare_pairs(const void *a, const void *b) {
	const struct qos_pair *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* The number in the tag has three bits. A target of 0 is the default, which the kernel shows as absent. */
static bool add_pair(struct qos_map *map, const char *from, const char *to, bool ingress) {
	struct qos_pair *pair = &map->pairs[map->n];

	if (parse_u32(from, &pair->from) < 0 || parse_u32(to, &pair->to) < 0 ||
	    (ingress ? pair->from : pair->to) > PRIORITY_MAX)
		return false;
	map->n += pair->to != 0;
	return true;
}

/* As ip-link(8) and topod print it: "1:5 2:6". */
static bool map_from_text(struct parse *p, struct qos_map *map, const char *text, bool ingress) {
	char *rest = arena_strdup(p->arena, text), *from, *to;
	bool good = true;

	map->pairs = arena_newn(p->arena, struct qos_pair, strlen(text) / 2 + 1);
	while (good && !streq(text, "none") && (to = strsep(&rest, " "))) {
		from = strsep(&to, ":");
		good = to && add_pair(map, from, to, ingress);
	}
	return good;
}

static bool map_from_mapping(struct parse *p, struct qos_map *map, const struct node *node, bool ingress) {
	bool good = true;

	map->pairs = arena_newn(p->arena, struct qos_pair, node->n);
	for (size_t i = 0; i < node->n && good; i++)
		good = node->pairs[i].value->type == NODE_SCALAR &&
		       add_pair(map, node->pairs[i].key->text, node->pairs[i].value->text, ingress);
	return good;
}

static bool map_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct qos_map *map = value;
	bool ingress = field->attr == IFLA_VLAN_INGRESS_QOS;
	bool good = node->type == NODE_MAPPING  ? map_from_mapping(p, map, node, ingress)
		    : node->type == NODE_SCALAR ? map_from_text(p, map, node->text, ingress)
						: false;

	if (!good)
		diag_error(p->diags, node->position, "'%s' maps the priority of %s (0 to 7 in a tag), for example {%s}",
			   field->name, ingress ? "the tag to the packet's" : "the packet to the tag's",
			   ingress ? "7: 10" : "10: 7");
	if (map->n)
		qsort(map->pairs, map->n, sizeof(*map->pairs), compare_pairs);
	return good;
}

static void map_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct qos_map *map = value;

	for (size_t i = 0; i < map->n; i++)
		text_addf(out, "%s%u:%u", i ? " " : "", map->pairs[i].from, map->pairs[i].to);
	if (!map->n)
		text_add(out, "none");
}

static bool map_equal(const void *a, const void *b) {
	const struct qos_map *x = a, *y = b;

	return x->n == y->n && (!x->n || memcmp(x->pairs, y->pairs, x->n * sizeof(*x->pairs)) == 0);
}

static void map_put(struct nl_writer *w, const struct field *field, const void *value) {
	const struct qos_map *map = value;
	struct nlattr *nest = nl_nest(w, field->attr);

	for (size_t i = 0; i < map->n; i++) {
		const struct ifla_vlan_qos_mapping pair = { .from = map->pairs[i].from, .to = map->pairs[i].to };

		nl_put(w, IFLA_VLAN_QOS_MAPPING, &pair, sizeof(pair));
	}
	nl_nest_end(w, nest);
}

static bool map_get(struct arena *arena, const struct field *field _unused_, const struct nlattr *attr, void *value) {
	struct qos_map *map = value;
	const struct nlattr *inner;

	map->pairs = arena_newn(arena, struct qos_pair,
				mnl_attr_get_payload_len(attr) / sizeof(struct ifla_vlan_qos_mapping) + 1);
	mnl_attr_for_each_nested(inner, attr) {
		const struct ifla_vlan_qos_mapping *pair = mnl_attr_get_payload(inner);

		if (mnl_attr_get_payload_len(inner) < sizeof(*pair))
			return false;
		map->pairs[map->n++] = (struct qos_pair){ pair->from, pair->to };
	}
	if (map->n)
		qsort(map->pairs, map->n, sizeof(*map->pairs), compare_pairs);
	return true;
}

static const struct type type_qos_map = {
	.name = "mapping of priorities",
	.schema = "{\"type\": [\"object\", \"string\"], \"additionalProperties\": {\"type\": [\"integer\", \"string\"]}}",
	.size = sizeof(struct qos_map),
	.parse = map_parse,
	.print = map_print,
	.equal = map_equal,
	.put = map_put,
	.get = map_get,
};

/* ---- the table ---- */

static const struct enum_name protocols[] = { { "802.1q", 0x8100 }, { "802.1ad", 0x88a8 }, {} };

#define ROW(key, member, value_type, number, ...)                                                            \
	{                                                                                                    \
		.name = key, .type = value_type, .offset = offsetof(struct vlan, member), .wire = WIRE_DATA, \
		.attr = number, __VA_ARGS__                                                                  \
	}
#define FLAG(key, member, flag, initially, text) \
	ROW(key, member, &type_bool, IFLA_VLAN_FLAGS, .form = FORM_FLAG, .bit = flag, .fallback = initially, .doc = text)

static const struct field fields[] = {
	LINK_FIELDS(NULL),
	[BELOW] = { .name = "link",
		    .type = &type_link_ref,
		    .offset = offsetof(struct vlan, below),
		    .class = FIELD_RECREATE,
		    .flags = FIELD_REQUIRED | FIELD_DEV | FIELD_LOWER,
		    .wire = WIRE_LINK,
		    .attr = IFLA_LINK,
		    .doc = "The lower interface: a name, or namespace:interface." },
	[ID] = ROW("id", id, &type_integer, IFLA_VLAN_ID, .class = FIELD_RECREATE, .flags = FIELD_REQUIRED, .form = FORM_U16,
		   .max = 4094, .doc = "VLAN identifier; 0 is for priority tags only."),
	[PROTOCOL] = ROW("protocol", protocol, &type_enum, IFLA_VLAN_PROTOCOL, .class = FIELD_RECREATE, .form = FORM_BE16,
			 .names = protocols, .fallback = "802.1q", .doc = "EtherType of the tag."),
	[REORDER_HEADER] = FLAG("reorder-header", reorder_header, VLAN_FLAG_REORDER_HDR, "true",
				"Whether received packets are shown without their tag."),
	[GVRP] = FLAG("gvrp", gvrp, VLAN_FLAG_GVRP, "false", "Whether the VLAN is announced by GVRP."),
	[MVRP] = FLAG("mvrp", mvrp, VLAN_FLAG_MVRP, "false", "Whether the VLAN is announced by MVRP."),
	[LOOSE_BINDING] = FLAG("loose-binding", loose_binding, VLAN_FLAG_LOOSE_BINDING, "false",
			       "Whether the interface may be up while the lower one is down."),
	[BRIDGE_BINDING] = FLAG("bridge-binding", bridge_binding, VLAN_FLAG_BRIDGE_BINDING, "false",
				"Whether the carrier follows the ports of the lower bridge that are members of the VLAN."),
	[INGRESS] =
		ROW("ingress-qos-map", ingress, &type_qos_map, IFLA_VLAN_INGRESS_QOS, .flags = FIELD_LEFT_OUT,
		    .fallback = "none", .doc = "Maps the priority in a received tag to the packet's, for example `{1: 5}`."),
	[EGRESS] =
		ROW("egress-qos-map", egress, &type_qos_map, IFLA_VLAN_EGRESS_QOS, .flags = FIELD_LEFT_OUT,
		    .fallback = "none", .doc = "Maps the packet's priority to that in the sent tag, for example `{5: 1}`."),
};

/* The kernel changes the entries in a message and keeps the others, so entries to remove are set to 0. */
static void add_removed_pairs(struct arena *arena, struct qos_map *map, const struct qos_map *seen) {
	struct qos_pair *pairs = arena_newn(arena, struct qos_pair, map->n + seen->n);
	size_t n = map->n;

	if (n)
		memcpy(pairs, map->pairs, n * sizeof(*pairs));
	for (size_t i = 0; i < seen->n; i++) {
		struct qos_pair gone = { .from = seen->pairs[i].from };

		if (!map->n || !bsearch(&gone, map->pairs, map->n, sizeof(gone), compare_pairs))
			pairs[n++] = gone;
	}
	*map = (struct qos_map){ n, pairs };
}

static int encode_vlan(struct encode *encode, const struct change *change) {
	const struct vlan *seen = (const struct vlan *)change->observed;
	struct change whole = *change;

	if (change->type == CHANGE_UPDATE && seen && seen->link.object.kind == change->desired->kind) {
		struct vlan *vlan = arena_memdup(encode->arena, change->desired, sizeof(*vlan));

		add_removed_pairs(encode->arena, &vlan->ingress, &seen->ingress);
		add_removed_pairs(encode->arena, &vlan->egress, &seen->egress);
		whole.desired = &vlan->link.object;
	}
	return link_encode(encode, &whole);
}

/* A lower interface can have only one vlan for each tag: vlan_check_real_dev(), net/8021q/vlan.c. */
static bool claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	const struct vlan *vlan = (const struct vlan *)desired;
	const char *ns = vlan->below.ns, *name = vlan->below.name;

	if (!name || i > 0)
		return false;
	*ret = (struct sole_claim){
		.key = arena_printf(arena, "vlan %s:%s %u %u", ns, name, vlan->id,
				    object_has(desired, PROTOCOL) ? vlan->protocol : 0x8100),
		.field = &fields[ID],
		.problem = arena_printf(arena, "another interface has the VLAN %u of %s:%s", vlan->id, ns, name),
	};
	return true;
}

/* vlan_dev_open(), net/8021q/vlan_dev.c. */
static bool needs_lower_up(const struct object *desired) {
	return !(object_has(desired, LOOSE_BINDING) && ((const struct vlan *)desired)->loose_binding);
}

/* The tag does not count towards the MTU (vlan_dev_change_mtu(), net/8021q/vlan_dev.c). */
static uint32_t headroom(const struct object *desired _unused_) {
	return 0;
}

const struct kind kind_vlan = {
	.segment = SEGMENT_TAGGED,
	.name = "vlan",
	.doc = "An interface for one VLAN tag (IEEE 802.1Q) on its lower interface.",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct vlan),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "vlan",
	.markable = true,
	.sent_in = link_sent_in,
	.encode = encode_vlan,
	.claim = claim,
	.needs_lower_up = needs_lower_up,
	.headroom = headroom,
};
