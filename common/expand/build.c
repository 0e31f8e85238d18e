/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expand/build.h"

static const struct node *scalar(struct arena *arena, struct position position, const char *text, bool quoted) {
	struct node *node = arena_new(arena, struct node);

	*node = (struct node){
		.type = NODE_SCALAR, .quoted = quoted, .position = position, .n = strlen(text), .text = text
	};
	return node;
}

const struct node *build_text(struct arena *arena, struct position position, const char *text) {
	return scalar(arena, position, text, true);
}

const struct node *build_word(struct arena *arena, struct position position, const char *word) {
	return scalar(arena, position, word, false);
}

const struct node *build_textf(struct arena *arena, struct position position, const char *format, ...) {
	va_list args;

	va_start(args, format);
	const char *text = arena_vprintf(arena, format, args);
	va_end(args);
	return build_text(arena, position, text);
}

const struct node *build_mapping_of(struct arena *arena, struct position position, const struct build_pair *pairs,
				    size_t n) {
	struct node *node = arena_new(arena, struct node);
	struct node_pair *kept = arena_newn(arena, struct node_pair, n);

	*node = (struct node){ .type = NODE_MAPPING, .position = position, .pairs = kept };
	for (size_t i = 0; i < n; i++)
		if (pairs[i].value)
			kept[node->n++] = (struct node_pair){ build_text(arena, position, pairs[i].key), pairs[i].value };
	return node;
}

const struct node *build_list_of(struct arena *arena, struct position position, const struct node *const *items, size_t n) {
	struct node *node = arena_new(arena, struct node);
	const struct node **kept = arena_newn(arena, const struct node *, n);

	*node = (struct node){ .type = NODE_SEQUENCE, .position = position, .items = kept };
	for (size_t i = 0; i < n; i++)
		if (items[i])
			kept[node->n++] = items[i];
	return node;
}

const struct node *build_changed(struct arena *arena, const struct node *mapping, const struct build_pair *values,
				 size_t n) {
	struct node_pair *pairs = arena_newn(arena, struct node_pair, mapping->n + n);
	struct node *new = arena_memdup(arena, mapping, sizeof(*mapping));

	new->n = 0;
	new->pairs = pairs;
	for (size_t i = 0; i < mapping->n; i++) {
		struct node_pair pair = mapping->pairs[i];

		for (size_t k = 0; k < n; k++)
			if (streq(pair.key->text, values[k].key))
				pair.value = values[k].value;
		if (pair.value)
			pairs[new->n++] = pair;
	}
	for (size_t k = 0; k < n; k++)
		if (values[k].value && !node_get(mapping, values[k].key))
			pairs[new->n++] = (struct node_pair){ build_text(arena, values[k].value->position, values[k].key),
							      values[k].value };
	return new;
}
