/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports unknown keys of the file and of its namespaces, and reads them as what was probably meant, before anything is
 * written out or read. Otherwise a misspelled `namespaces` or `links` would cause an error for every reference to its
 * content.
 */
#include "expand/build.h"
#include "language/spec_private.h"

/* The mapping with corrected keys; the node itself if all are known. */
static const struct node *mend(struct parse *p, const struct mapping *mapping, const struct sections *sections,
			       const struct node *node) {
	const struct fields_parse fields = { .what = mapping->what, .others = sections->keys };
	struct node_pair *pairs = arena_newn(p->arena, struct node_pair, node->n);
	struct node *mended = arena_memdup(p->arena, node, sizeof(*node));
	size_t n = 0;

	for (size_t i = 0; i < node->n; i++)
		if (fields_has_key(&fields, node->pairs[i].key->text))
			pairs[n++] = node->pairs[i];
		else
			n += fields_mend_key(p, &fields, node, &node->pairs[i], &pairs[n]);
	mended->pairs = pairs;
	mended->n = n;
	return mended;
}

/* Are all keys known? */
static bool is_good(const struct mapping *mapping, const struct node *node) {
	for (size_t i = 0; node->type == NODE_MAPPING && i < node->n; i++)
		if (!section_find(mapping, node->pairs[i].key->text))
			return false;
	return true;
}

static const struct node *mend_namespaces(struct parse *p, const struct node *namespaces) {
	const struct sections sections = sections_of(p->arena, &mapping_namespace);
	struct node_pair *pairs = NULL;

	for (size_t i = 0; namespaces->type == NODE_MAPPING && i < namespaces->n; i++) {
		const struct node *value = namespaces->pairs[i].value;

		if (is_good(&mapping_namespace, value))
			continue;
		if (!pairs)
			pairs = arena_memdup(p->arena, namespaces->pairs, namespaces->n * sizeof(pairs[0]));
		pairs[i].value = mend(p, &mapping_namespace, &sections, value);
	}
	if (!pairs)
		return namespaces;
	struct node *mended = arena_memdup(p->arena, namespaces, sizeof(*namespaces));
	mended->pairs = pairs;
	return mended;
}

const struct node *spec_mend_keys(struct parse *p, const struct node *root) {
	if (root->type != NODE_MAPPING)
		return root;
	if (!is_good(&mapping_topology, root)) {
		const struct sections sections = sections_of(p->arena, &mapping_topology);

		root = mend(p, &mapping_topology, &sections, root);
	}
	const struct node *written = node_get(root, "namespaces"),
			  *namespaces = written ? mend_namespaces(p, written) : NULL;
	if (namespaces == written)
		return root;
	return build_changed(p->arena, root, &(struct build_pair){ "namespaces", namespaces }, 1);
}
