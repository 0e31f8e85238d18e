/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `defaults: namespace`: each namespace but the host has the keys that its entry leaves out. A mapping that both have, such
 * as `sysctl`, gets the keys of both; if both have a key, the entry's value counts.
 */
#include "expand/expand_private.h"

/* A copy for one namespace, so that messages say for which. */
static const struct node *copy(struct expansion *x, const struct node *node, uint32_t origin) {
	struct node *new = arena_memdup(x->arena, node, sizeof(*node));

	if (++x->n_nodes > YAML_MAX_NODES && !x->full) {
		x->full = true;
		diag_error(x->diags, node->position, "the defaults of namespaces make more than %d nodes", YAML_MAX_NODES);
	}
	new->position.origin = origin;
	if (x->full || node->type == NODE_SCALAR)
		return new;
	if (node->type == NODE_SEQUENCE) {
		const struct node **items = arena_newn(x->arena, const struct node *, node->n);

		for (size_t i = 0; i < node->n; i++)
			items[i] = copy(x, node->items[i], origin);
		new->items = items;
		return new;
	}
	struct node_pair *pairs = arena_newn(x->arena, struct node_pair, node->n);
	for (size_t i = 0; i < node->n; i++)
		pairs[i] = (struct node_pair){ copy(x, node->pairs[i].key, origin), copy(x, node->pairs[i].value, origin) };
	new->pairs = pairs;
	return new;
}

/* The entry, completed by the defaults. */
static const struct node *fill(struct expansion *x, const struct node *entry, const struct node *defaults, uint32_t origin) {
	struct node_pair *pairs = arena_newn(x->arena, struct node_pair, entry->n + defaults->n);
	struct node *new = arena_memdup(x->arena, entry, sizeof(*entry));

	new->pairs = pairs;
	if (entry->n)
		memcpy(pairs, entry->pairs, entry->n * sizeof(pairs[0]));
	for (size_t i = 0; i < defaults->n; i++) {
		const struct node_pair *given = &defaults->pairs[i];
		struct node_pair *own = NULL;

		for (size_t k = 0; k < entry->n && !own; k++)
			if (streq(pairs[k].key->text, given->key->text))
				own = &pairs[k];
		if (!own)
			pairs[new->n++] = (struct node_pair){ copy(x, given->key, origin), copy(x, given->value, origin) };
		else if (own->value->type == NODE_MAPPING && given->value->type == NODE_MAPPING)
			own->value = fill(x, own->value, given->value, origin);
	}
	return new;
}

const struct node *expand_defaults(struct expansion *x, const struct node *namespaces, const struct node *defaults) {
	if (node_is_null(defaults) || !node_check_mapping(x->diags, defaults, "the defaults of namespaces", "keys"))
		return namespaces;
	if (!namespaces || namespaces->type != NODE_MAPPING)
		return namespaces;
	struct node_pair *pairs = arena_newn(x->arena, struct node_pair, namespaces->n);
	struct node *new = arena_memdup(x->arena, namespaces, sizeof(*namespaces));

	new->pairs = pairs;
	for (size_t i = 0; i < namespaces->n; i++) {
		pairs[i] = namespaces->pairs[i];
		if (!streq(pairs[i].key->text, NS_HOST) && pairs[i].value->type == NODE_MAPPING)
			pairs[i].value = fill(x, pairs[i].value, defaults,
					      expansion_origin(x, pairs[i].key->position, pairs[i].key->text).origin);
	}
	return new;
}
