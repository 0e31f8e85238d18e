/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The next hops of a route: an entry of `nexthops`, and the whole list, which is a set. A route with one next hop has it in its
 * own fields (route.c).
 */
#include "kind/route_wire.h"

static const struct field nexthop_fields[HOP_N_KEYS] = {
	[HOP_VIA] = { .name = "via", .type = &type_ip, .offset = offsetof(struct nexthop, via), .doc = "The gateway." },
	[HOP_DEV] = { .name = "dev",
		      .type = &type_link_name,
		      .offset = offsetof(struct nexthop, dev),
		      .doc = "The outgoing interface." },
	[HOP_WEIGHT] = { .name = "weight",
			 .type = &type_integer,
			 .offset = offsetof(struct nexthop, weight),
			 .min = 1,
			 .max = 256,
			 .doc = "Share of the traffic; 1 by default." },
	[HOP_ON_LINK] = { .name = "on-link",
			  .type = &type_bool,
			  .offset = offsetof(struct nexthop, on_link),
			  .doc = "Whether the gateway counts as reachable on the interface regardless of the addresses." },
	[HOP_ENCAP] = { .name = "encap",
			.type = &type_encap,
			.offset = offsetof(struct nexthop, encap),
			.doc = "The encapsulation of packets." },
};

static int compare_nexthops(const void *a, const void *b) {
	const struct nexthop *x = a, *y = b;
	int r = memcmp(&x->via, &y->via, sizeof(x->via));

	if (r == 0)
		r = strcmp(x->dev ? x->dev : "", y->dev ? y->dev : "");
	r = r ? r : (x->weight > y->weight) - (x->weight < y->weight);
	return r ? r : encap_compare(&x->encap, &y->encap);
}

void nexthops_sort(struct nexthops *hops) {
	qsort(hops->items, hops->n, sizeof(*hops->items), compare_nexthops);
}

/* In both cases the kernel cannot find out which link is meant (fib_check_nh(), ip6_route_check_nh_onlink()). */
void route_check_hop(struct parse *p, const struct nexthop *hop, const struct position positions[HOP_N_KEYS]) {
	if (!hop->dev && hop->via.family == AF_INET6 && ip_is_link_local(&hop->via))
		diag_error(p->diags, positions[HOP_VIA], "a link-local gateway needs 'dev': every link has such addresses");
	else if (!hop->dev && hop->on_link)
		diag_error(p->diags, positions[HOP_ON_LINK], "'on-link' needs 'dev': the interface that the gateway is on");
}

static bool nexthop_parse(struct parse *p, const struct node *node, struct nexthop *hop) {
	size_t errors = p->diags->n_errors;
	struct position positions[HOP_N_KEYS] = {};
	uint64_t set = 0;

	if (node->type == NODE_SCALAR && !node_is_null(node)) {
		diag_error(p->diags, node->position, "a next hop must be a mapping of keys, not a string; write {via: %s}",
			   node->text);
		return false;
	}
	hop->weight = 1;
	if (!fields_parse(p, node,
			  &(struct fields_parse){ .what = "a next hop",
						  .fields = nexthop_fields,
						  .n = ARRAY_SIZE(nexthop_fields),
						  .base = hop,
						  .set = &set,
						  .positions = positions }))
		return false;
	if (!hop->via.family && !hop->dev)
		diag_error(p->diags, node->position, "a next hop needs 'via' or 'dev'");
	else
		route_check_hop(p, hop, positions);
	return p->diags->n_errors == errors;
}

static bool nexthops_parse(struct parse *p, const struct field *field _unused_, const struct node *node, void *value) {
	struct nexthops *hops = value;
	bool good = true;

	if (node->type != NODE_SEQUENCE || !node->n) {
		diag_error(p->diags, node->position, "'nexthops' is a list of {via, dev, weight}");
		return false;
	}
	hops->n = node->n;
	hops->items = arena_newn(p->arena, struct nexthop, node->n);
	for (size_t i = 0; i < node->n; i++)
		good &= nexthop_parse(p, node->items[i], &hops->items[i]);
	nexthops_sort(hops);
	return good;
}

static void nexthops_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct nexthops *hops = value;
	char buf[IP_TEXT_MAX];

	text_add(out, hops->n ? "" : "none");
	for (size_t i = 0; i < hops->n; i++) {
		const struct nexthop *hop = &hops->items[i];

		text_add(out, i ? " | " : "");
		if (hop->via.family)
			text_addf(out, "via %s ", ip_format(&hop->via, buf));
		if (hop->dev)
			text_addf(out, "dev %s ", hop->dev);
		text_addf(out, "weight %u%s", hop->weight, hop->on_link ? " on-link" : "");
		if (hop->encap.type) {
			text_add(out, " encap ");
			field_print(&nexthop_fields[HOP_ENCAP], hop, out);
		}
	}
}

static bool hop_equal(const struct nexthop *want, const struct nexthop *have) {
	return ip_equal(&want->via, &have->via) && (!want->dev || streq_ptr(want->dev, have->dev)) &&
	       want->weight == have->weight && want->on_link == have->on_link &&
	       encap_compare(&want->encap, &have->encap) == 0;
}

static bool nexthops_equal(const void *a, const void *b) {
	const struct nexthops *want = a, *have = b;

	if (want->n != have->n)
		return false;
	for (size_t i = 0; i < want->n; i++)
		if (!hop_equal(&want->items[i], &have->items[i]))
			return false;
	return true;
}

static bool nexthops_names_link(const void *value, size_t i, const char **ret) {
	const struct nexthops *hops = value;

	*ret = i < hops->n ? hops->items[i].dev : NULL;
	return i < hops->n;
}

static const void *nexthops_item(const void *value, size_t i, uint64_t *ret_set) {
	const struct nexthops *hops = value;
	const struct nexthop *hop = i < hops->n ? &hops->items[i] : NULL;

	if (hop)
		*ret_set = (hop->via.family ? field_bit(HOP_VIA) : 0) | (hop->dev ? field_bit(HOP_DEV) : 0) |
			   (hop->weight != 1 ? field_bit(HOP_WEIGHT) : 0) | (hop->on_link ? field_bit(HOP_ON_LINK) : 0) |
			   (hop->encap.type ? field_bit(HOP_ENCAP) : 0);
	return hop;
}

const struct type type_nexthops = {
	.name = "list of next hops",
	.size = sizeof(struct nexthops),
	.parse = nexthops_parse,
	.print = nexthops_print,
	.equal = nexthops_equal,
	.names_link = nexthops_names_link,
	.keys = nexthop_fields,
	.n_keys = ARRAY_SIZE(nexthop_fields),
	.item = nexthops_item,
};
