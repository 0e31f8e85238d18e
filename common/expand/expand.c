/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expand/expand_private.h"

const struct node *expand(struct arena *arena, struct diags *diags, const struct node *root, const struct mapping *top) {
	struct expansion x = { .arena = arena, .diags = diags, .top = top };
	size_t before = diags->list.n;

	if (root->type != NODE_MAPPING)
		return root;
	root = expand_ranges(&x, root);
	diags_have_consequences(diags, before);
	return root;
}
