/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `prefix` of a link: the first end has the first address in it, the second end the second one. A pool is divided: each link
 * of a range gets its own prefix, in the order of the links. Links belong to the same range if their pool was written at the
 * same place.
 */
#include "expand/build.h"
#include "expand/expand_private.h"

struct pool {
	struct prefix prefix;
	uint32_t length;
	struct position position;
	uint64_t used;
};

static const struct field pool_fields[] = {
	{ .name = "pool", .type = &type_network, .offset = offsetof(struct pool, prefix), .flags = FIELD_REQUIRED },
	{ .name = "length",
	  .type = &type_integer,
	  .offset = offsetof(struct pool, length),
	  .flags = FIELD_REQUIRED,
	  .max = 128 },
};

typedef vec(struct pool) pool_list;

/* The pool that is written here, read when it is first used; NULL after an error. */
static struct pool *find_pool(struct expansion *x, pool_list *pools, const struct node *node) {
	struct pool pool = { .position = node->position };
	uint64_t set = 0;

	vec_foreach(p, pools)
		if (position_same(&p->position, &node->position))
			return p;
	if (!fields_parse(&x->parse, node,
			  &(struct fields_parse){ .what = "the prefix of a link",
						  .fields = pool_fields,
						  .n = ARRAY_SIZE(pool_fields),
						  .base = &pool,
						  .set = &set }))
		return NULL;
	vec_push(pools, pool);
	return &pools->items[pools->n - 1];
}

/* The prefix of one link. */
static bool read_prefix(struct expansion *x, pool_list *pools, const struct node *node, struct prefix *ret) {
	static const struct field key = { .name = "prefix", .type = &type_network };
	char buf[PREFIX_TEXT_MAX];

	if (node->type != NODE_MAPPING)
		return type_network.parse(&x->parse, &key, node, ret);
	struct pool *pool = find_pool(x, pools, node);
	if (!pool)
		return false;
	uint8_t bits = ip_bits(pool->prefix.address.family);
	if (pool->length < pool->prefix.length || pool->length > bits)
		diag_error(x->diags, node->position, "'length' must be from %u to %u, because the pool is %s",
			   pool->prefix.length, bits, prefix_format(&pool->prefix, buf));
	else if (!prefix_part(&pool->prefix, (uint8_t)pool->length, pool->used++, ret))
		diag_error(x->diags, node->position, "%s has only %llu prefixes of length %u, and there are more links",
			   prefix_format(&pool->prefix, buf), 1ULL << (pool->length - pool->prefix.length), pool->length);
	else
		return true;
	return false;
}

/* Gives one end its address. A mistake in the names of the ends is reported when the link is read. */
static void add_address(struct expansion *x, const struct node *end, struct position position,
			const struct prefix *address) {
	const char *colon = end->type == NODE_SCALAR ? strchr(end->text, ':') : NULL;
	struct arena *arena = x->arena;
	char buf[PREFIX_TEXT_MAX];

	if (!colon || colon == end->text || !colon[1])
		return;
	const struct node *addresses =
		build_list(arena, position, build_textf(arena, position, "%s", prefix_format(address, buf)));
	const struct node *interface = build_mapping(arena, position, { "addresses", addresses });
	const struct node *ns = build_mapping(
		arena, position,
		{ "interfaces", build_mapping(arena, position, { arena_strdup(arena, colon + 1), interface }) });
	vec_push(&x->namespaces,
		 (struct node_pair){ build_textf(arena, end->position, "%.*s", (int)(colon - end->text), end->text), ns });
}

static void add_prefix(struct expansion *x, pool_list *pools, const struct node *link, const struct node *node) {
	const struct node *ends = node_get(link, "endpoints");
	struct prefix prefix, address;

	if (node->type == NODE_SEQUENCE) {
		for (size_t i = 0; i < node->n; i++)
			add_prefix(x, pools, link, node->items[i]);
		return;
	}
	if (!read_prefix(x, pools, node, &prefix))
		return;
	if (prefix_hosts(&prefix) < 2) {
		diag_error(x->diags, node->position, "the prefix of a link needs two addresses");
		return;
	}
	for (size_t i = 0; i < 2 && ends && ends->type == NODE_SEQUENCE && ends->n == 2; i++)
		if (prefix_host(&prefix, i, &address))
			add_address(x, ends->items[i], node->position, &address);
}

const struct node *expand_link_prefixes(struct expansion *x, const struct node *links) {
	pool_list pools = {};
	const struct node **items = NULL;

	for (size_t i = 0; links && links->type == NODE_SEQUENCE && i < links->n; i++) {
		const struct node *link = links->items[i], *prefix = node_get(link, "prefix");

		if (!prefix)
			continue;
		add_prefix(x, &pools, link, prefix);
		if (!items)
			items = arena_memdup(x->arena, links->items, links->n * sizeof(items[0]));
		items[i] = build_changed(x->arena, link, &(struct build_pair){ "prefix", NULL }, 1);
	}
	vec_done(&pools);
	if (!items)
		return links;
	struct node *new = arena_memdup(x->arena, links, sizeof(*links));
	new->items = items;
	return new;
}
