/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All steps in order: ranges first, so that the others see single entries; networks, which add namespaces and links; the
 * addresses of links; merging what was added with what is written; defaults for what is still missing.
 */
#include "expand/build.h"
#include "expand/expand_private.h"

struct position expansion_origin(struct expansion *x, struct position position, const char *name) {
	if (!position.origin)
		position.origin = diags_add_origin(x->diags, name);
	return position;
}

/* The value of `links`, including what was added. */
static const struct node *add_links(struct expansion *x, const struct node *links) {
	struct node *all;

	if (!x->links.n || (links && links->type != NODE_SEQUENCE && !node_is_null(links)))
		return links;
	size_t n = links && links->type == NODE_SEQUENCE ? links->n : 0;
	const struct node **items = arena_newn(x->arena, const struct node *, n + x->links.n);

	if (n)
		memcpy(items, links->items, n * sizeof(items[0]));
	memcpy(items + n, x->links.items, x->links.n * sizeof(items[0]));
	all = arena_new(x->arena, struct node);
	*all = (struct node){ .type = NODE_SEQUENCE, .n = n + x->links.n, .items = items };
	all->position = links ? links->position : items[0]->position;
	return all;
}

/* The value of `namespaces`, including what was added. */
static const struct node *add_namespaces(struct expansion *x, const struct node *namespaces) {
	const struct section *section = section_find(x->top, "namespaces");
	const struct merging merging = { .arena = x->arena, .diags = x->diags, .each = section->mapping };

	if (!x->namespaces.n || (namespaces && namespaces->type != NODE_MAPPING))
		return namespaces;
	size_t n = namespaces ? namespaces->n : 0;
	struct node_pair *pairs = arena_newn(x->arena, struct node_pair, n + x->namespaces.n);
	struct node *all = arena_new(x->arena, struct node);

	if (n)
		memcpy(pairs, namespaces->pairs, n * sizeof(pairs[0]));
	memcpy(pairs + n, x->namespaces.items, x->namespaces.n * sizeof(pairs[0]));
	*all = (struct node){ .type = NODE_MAPPING, .pairs = pairs };
	all->position = namespaces ? namespaces->position : pairs[0].key->position;
	all->n = merge_pairs(&merging, pairs, n + x->namespaces.n);
	return all;
}

static const struct node *expand_document(struct expansion *x, const struct node *root) {
	const struct node *defaults = node_get(root, "defaults");
	const struct node *fill = defaults ? node_get(defaults, "namespace") : NULL;

	expand_networks(x, root);
	const struct node *links = expand_link_prefixes(x, add_links(x, node_get(root, "links")));
	const struct node *namespaces = add_namespaces(x, node_get(root, "namespaces"));
	if (fill) {
		namespaces = expand_defaults(x, namespaces, fill);
		defaults = build_changed(x->arena, defaults, &(struct build_pair){ "namespace", NULL }, 1);
	}
	if (links == node_get(root, "links") && namespaces == node_get(root, "namespaces") && !fill &&
	    !node_get(root, "networks"))
		return root;
	const struct build_pair values[] = {
		{ "namespaces", namespaces },
		{ "links", links },
		{ "networks", NULL },
		{ "defaults", defaults && defaults->type == NODE_MAPPING && !defaults->n ? NULL : defaults },
	};
	return build_changed(x->arena, root, values, ARRAY_SIZE(values));
}

const struct node *expand(struct arena *arena, struct diags *diags, const struct node *root, const struct mapping *top) {
	struct expansion x = { .arena = arena, .diags = diags, .top = top, .parse = { .arena = arena, .diags = diags } };
	size_t before = diags->list.n;

	if (root->type != NODE_MAPPING)
		return root;
	root = expand_document(&x, expand_ranges(&x, root));
	vec_done(&x.namespaces);
	vec_done(&x.links);
	diags_have_consequences(diags, before);
	return root;
}
