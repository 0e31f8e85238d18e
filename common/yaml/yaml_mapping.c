/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From keys and values to a mapping: keys must be scalars, each key occurs once, and `<<` adds the pairs of other
 * mappings after the written ones, unless the mapping has the key itself.
 *
 * Equal keys are found by sorting, not by hashing, so that no choice of keys makes it slow.
 */
#include "yaml/yaml_private.h"

enum { FEW = 16 }; /* up to this many pairs are compared with each other */

/* The collected pairs, written ones first. */
struct pairs {
	struct node_pair *items;
	size_t n, n_written;
	struct diags *diags;
};

static bool same_key(const struct node *a, const struct node *b) {
	return a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
}

/* Could both the key and its value be read? */
static bool is_read(const struct node *const *items) {
	return items[0] && items[1];
}

static bool is_merge(const struct node *key) {
	return key->type == NODE_SCALAR && !key->quoted && streq(key->text, "<<");
}

/* Is the key allowed? If not, adds an error. */
static bool check_key(struct diags *diags, const struct node *key) {
	if (key->type != NODE_SCALAR)
		diag_error(diags, key->position, "a key must be a word or a quoted string, not %s", node_type_name(key));
	else if (key->n == 0 && !key->quoted)
		diag_error(diags, key->position, "a key is missing here");
	else
		return true;
	return false;
}

/* The arguments of node_pairs_unite(). Of two pairs with the same key the later one is removed. */
struct uniting {
	node_again_fn fn;
	void *userdata;
};

static void drop(const struct uniting *u, struct node_pair *first, struct node_pair *later) {
	u->fn(u->userdata, first, later);
	later->key = NULL;
}

static void unite_few(const struct uniting *u, struct node_pair *items, size_t n) {
	for (size_t later = 1; later < n; later++)
		for (size_t first = 0; first < later; first++)
			if (items[first].key && same_key(items[first].key, items[later].key)) {
				drop(u, &items[first], &items[later]);
				break;
			}
}

static int compare_keys(const void *a, const void *b) {
	const struct node_pair *x = *(const struct node_pair *const *)a, *y = *(const struct node_pair *const *)b;

	if (x->key->n != y->key->n)
		return x->key->n < y->key->n ? -1 : 1;
	int r = memcmp(x->key->text, y->key->text, x->key->n);
	return r ? r : (x > y) - (x < y); /* equal keys in the file's order */
}

static void unite_many(const struct uniting *u, struct node_pair *items, size_t n) {
	_cleanup_free_ struct node_pair **sorted = xmalloc(n * sizeof(*sorted));
	struct node_pair *first = NULL;

	for (size_t i = 0; i < n; i++)
		sorted[i] = &items[i];
	qsort(sorted, n, sizeof(*sorted), compare_keys);
	for (size_t i = 0; i < n; i++)
		if (first && same_key(first->key, sorted[i]->key))
			drop(u, first, sorted[i]);
		else
			first = sorted[i];
}

size_t node_pairs_unite(struct node_pair *pairs, size_t n, node_again_fn fn, void *userdata) {
	const struct uniting uniting = { .fn = fn, .userdata = userdata };
	size_t kept = 0;

	if (n <= FEW)
		unite_few(&uniting, pairs, n);
	else
		unite_many(&uniting, pairs, n);
	for (size_t i = 0; i < n; i++)
		if (pairs[i].key)
			pairs[kept++] = pairs[i];
	return kept;
}

/* A key that is written twice is an error; a key from `<<` only fills a gap. */
static void refuse_again(void *userdata, struct node_pair *first, struct node_pair *later) {
	struct pairs *pairs = userdata;

	if ((size_t)(later - pairs->items) >= pairs->n_written)
		return;
	struct yaml_quote quote = yaml_quote(later->key->text, later->key->n);
	diag_error(pairs->diags, later->key->position, "duplicate key '%s'", quote.text);
	diag_note(pairs->diags, first->key->position, "first here");
}

/* The maximum number of pairs that a `<<` adds. */
static size_t count_merged(const struct node *value) {
	size_t n = 0;

	if (value->type == NODE_MAPPING)
		return value->n;
	for (size_t i = 0; value->type == NODE_SEQUENCE && i < value->n; i++)
		n += value->items[i]->type == NODE_MAPPING ? value->items[i]->n : 0;
	return n;
}

static void merge_one(struct pairs *pairs, const struct node *key, const struct node *value) {
	if (value->type != NODE_MAPPING) {
		diag_error(pairs->diags, key->position, "'<<' takes a mapping or a list of mappings; this is %s",
			   node_type_name(value));
		return;
	}
	if (value->n)
		memcpy(pairs->items + pairs->n, value->pairs, value->n * sizeof(value->pairs[0]));
	pairs->n += value->n;
}

static void merge(struct pairs *pairs, const struct node_pair *merged) {
	if (merged->value->type != NODE_SEQUENCE) {
		merge_one(pairs, merged->key, merged->value);
		return;
	}
	for (size_t i = 0; i < merged->value->n; i++)
		merge_one(pairs, merged->key, merged->value->items[i]);
}

static void find_merge(struct diags *diags, struct node_pair *merged, const struct node *key, const struct node *value) {
	if (merged->key) {
		diag_error(diags, key->position, "duplicate key '<<'; write '<<: [*one, *other]'");
		diag_note(diags, merged->key->position, "first here");
		return;
	}
	*merged = (struct node_pair){ .key = key, .value = value };
}

void yaml_mapping(struct arena *arena, struct diags *diags, struct node *node, const struct node *const *items, size_t n) {
	struct node_pair merged = {};

	for (size_t i = 0; i < n; i += 2)
		if (is_read(items + i) && is_merge(items[i]))
			find_merge(diags, &merged, items[i], items[i + 1]);

	size_t most = n / 2 + (merged.key ? count_merged(merged.value) : 0);
	struct pairs pairs = { .items = arena_newn(arena, struct node_pair, most), .diags = diags };
	for (size_t i = 0; i < n; i += 2)
		if (is_read(items + i) && !is_merge(items[i]) && check_key(diags, items[i]))
			pairs.items[pairs.n++] = (struct node_pair){ .key = items[i], .value = items[i + 1] };
	pairs.n_written = pairs.n;
	if (merged.key)
		merge(&pairs, &merged);

	node->n = node_pairs_unite(pairs.items, pairs.n, refuse_again, &pairs);
	node->pairs = pairs.items;
}
