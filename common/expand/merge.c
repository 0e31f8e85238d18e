/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expand/merge.h"

static bool same_value(const struct node *a, const struct node *b) {
	uint32_t x, y;

	if (a->n == b->n && memcmp(a->text, b->text, a->n) == 0)
		return true;
	if (node_is_bool_word(a) && node_is_bool_word(b))
		return node_is_true(a) == node_is_true(b);
	return parse_u32(a->text, &x) == 0 && parse_u32(b->text, &y) == 0 && x == y;
}

static const char *describe_value(struct merging *m, const struct node *node) {
	return node->type == NODE_SCALAR ? arena_printf(m->arena, "'%s'", yaml_quote(node->text, node->n).text)
					 : node_type_name(node);
}

static void contradict(struct merging *m, const struct node_pair *first, const struct node_pair *later) {
	const char *where = first->key->position.source == later->key->position.source ? "entry" : "file";

	diag_error(m->diags, later->key->position, "'%s' is %s here and %s in another %s", later->key->text,
		   describe_value(m, later->value), describe_value(m, first->value), where);
	diag_note(m->diags, first->key->position, "first here");
}

static size_t count_items(const struct node *node) {
	return node->type == NODE_SEQUENCE ? node->n : !node_is_null(node);
}

static const struct node *const *items_of(const struct node *const *node) {
	return (*node)->type == NODE_SEQUENCE ? (*node)->items : node;
}

static const struct node *append(struct merging *m, const struct node *first, const struct node *later) {
	size_t n_first = count_items(first), n_later = count_items(later);
	const struct node **items = arena_newn(m->arena, const struct node *, n_first + n_later);
	struct node *list = arena_new(m->arena, struct node);

	if (n_first)
		memcpy(items, items_of(&first), n_first * sizeof(items[0]));
	if (n_later)
		memcpy(items + n_first, items_of(&later), n_later * sizeof(items[0]));
	*list = (struct node){ .type = NODE_SEQUENCE, .position = first->position, .n = n_first + n_later, .items = items };
	return list;
}

static void merge_pair(void *userdata, struct node_pair *first, struct node_pair *later);

/* The pairs of both mappings; keys that occur in both are merged. */
static const struct node *unite(struct merging inner, const struct node *first, const struct node *later) {
	struct node_pair *pairs = arena_newn(inner.arena, struct node_pair, first->n + later->n);
	struct node *mapping = arena_new(inner.arena, struct node);

	if (first->n)
		memcpy(pairs, first->pairs, first->n * sizeof(pairs[0]));
	if (later->n)
		memcpy(pairs + first->n, later->pairs, later->n * sizeof(pairs[0]));
	*mapping = (struct node){ .type = NODE_MAPPING, .position = first->position, .pairs = pairs };
	mapping->n = merge_pairs(&inner, pairs, first->n + later->n);
	return mapping;
}

static void merge_pair(void *userdata, struct node_pair *first, struct node_pair *later) {
	struct merging *m = userdata, inner = { .arena = m->arena, .diags = m->diags, .mapping = m->each };
	const struct section *section = m->mapping ? section_find(m->mapping, later->key->text) : NULL;
	const struct node *a = first->value, *b = later->value;

	if (section && section->shape == SECTION_MAPPING)
		inner.mapping = section->mapping;
	if (section && section->shape == SECTION_MAP)
		inner.each = section->mapping;
	if ((section && section->shape == SECTION_LIST) || a->type == NODE_SEQUENCE || b->type == NODE_SEQUENCE)
		first->value = append(m, a, b);
	else if (a->type == NODE_MAPPING && b->type == NODE_MAPPING)
		first->value = unite(inner, a, b);
	else if (node_is_null(a) && b->type == NODE_MAPPING)
		first->value = b; /* `eth0:` alone only declares the interface */
	else if ((a->type != b->type && !node_is_null(b)) || (a->type == b->type && !same_value(a, b)))
		contradict(m, first, later);
}

size_t merge_pairs(const struct merging *m, struct node_pair *pairs, size_t n) {
	struct merging inner = *m;

	return node_pairs_unite(pairs, n, merge_pair, &inner);
}

const struct node *merge_documents(const struct merging *m, const struct node *const *roots, size_t n) {
	const struct node *root = roots[0];

	for (size_t i = 1; i < n; i++)
		if (root->type == NODE_MAPPING && roots[i]->type == NODE_MAPPING)
			root = unite(*m, root, roots[i]);
		else
			node_check_mapping(m->diags, roots[i], "a drop-in", "keys");
	return root;
}
