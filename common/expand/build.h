/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the nodes that are written out, each with a position. */
#pragma once

#include "yaml/yaml.h"

/* A text, which must live as long as the tree. */
const struct node *build_text(struct arena *arena, struct position position, const char *text);
const struct node *build_textf(struct arena *arena, struct position position, const char *format, ...) _printf_(3, 4);

/* A word of YAML, such as true. */
const struct node *build_word(struct arena *arena, struct position position, const char *word);

/* A mapping of pairs, and a list of items. A value or item that is NULL is left out. */
struct build_pair {
	const char *key;
	const struct node *value;
};
const struct node *build_mapping_of(struct arena *arena, struct position position, const struct build_pair *pairs, size_t n);
#define build_mapping(arena, position, ...)                                           \
	build_mapping_of(arena, position, (const struct build_pair[]){ __VA_ARGS__ }, \
			 sizeof((const struct build_pair[]){ __VA_ARGS__ }) / sizeof(struct build_pair))
const struct node *build_list_of(struct arena *arena, struct position position, const struct node *const *items, size_t n);
#define build_list(arena, position, ...)                                            \
	build_list_of(arena, position, (const struct node *const[]){ __VA_ARGS__ }, \
		      sizeof((const struct node *const[]){ __VA_ARGS__ }) / sizeof(struct node *))

/* A copy of the mapping with other values: a pair whose value is NULL is left out, a new key is added at the end. */
const struct node *build_changed(struct arena *arena, const struct node *mapping, const struct build_pair *values, size_t n);
