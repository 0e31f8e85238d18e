/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A value that is a set: items of one type, in any order, each once. It is kept sorted, so that equal sets are equal bytes;
 * therefore only for items without pointers (addresses, prefixes, MAC addresses).
 */
#pragma once

#include "model/field.h"

struct value_set {
	size_t n, size; /* size: of one item, in bytes */
	void *items;
};

/* The functions of a type of sets; reading and writing attributes is left to the type. */
#define SET_OF(item) \
	SET_ITEMS(item), .size = sizeof(struct value_set), .parse = set_parse, .print = set_print, .equal = set_equal
/* … of a type that has some of these functions itself. */
#define SET_ITEMS(item) \
	.item_type = &(item), .schema = "{\"type\": [\"array\", \"string\"], \"items\": {\"type\": \"string\"}}"

/* A list, or one item; also as printed: with spaces between, or `none`. */
bool set_parse(struct parse *p, const struct field *field, const struct node *node, void *value);
void set_print(const struct field *field, const void *value, struct text *out);
bool set_equal(const void *a, const void *b);

/* An empty set with room for n items of the type. */
struct value_set set_new(struct arena *arena, const struct type *item, size_t n);
/* Where to write the next item; the caller increments n. */
void *set_next(const struct value_set *set);
/* Sorts the items and removes doubles, after all were added. */
void set_sort(struct value_set *set);
/* Is the item in the sorted set? */
bool set_has(const struct value_set *set, const void *item);
