/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/set.h"

#include "model/type_private.h"

struct value_set set_new(struct arena *arena, const struct type *item, size_t n) {
	return (struct value_set){ .size = item->size, .items = arena_newn(arena, char, (n + 1) * item->size) };
}

static char *item_at(const struct value_set *set, size_t i) {
	return (char *)set->items + i * set->size;
}

void *set_next(const struct value_set *set) {
	return item_at(set, set->n);
}

static int compare_bytes(const void *a, const void *b, void *size) {
	return memcmp(a, b, *(size_t *)size);
}

void set_sort(struct value_set *set) {
	size_t n = 0;

	if (set->n)
		qsort_r(set->items, set->n, set->size, compare_bytes, &set->size);
	for (size_t i = 0; i < set->n; i++)
		if (n == 0 || memcmp(item_at(set, n - 1), item_at(set, i), set->size) != 0)
			memmove(item_at(set, n++), item_at(set, i), set->size);
	set->n = n;
}

bool set_has(const struct value_set *set, const void *item) {
	size_t low = 0, high = set->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(item, item_at(set, middle), set->size);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static bool add_item(struct parse *p, const struct field *field, const struct node *node, struct value_set *set) {
	bool good = field->type->item_type->parse(p, field, node, set_next(set));

	set->n += good;
	return good;
}

bool set_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct value_set set = set_new(p->arena, field->type->item_type, node->n);
	char *rest = node->type == NODE_SCALAR && !streq(node->text, "none") ? arena_strdup(p->arena, node->text) : NULL;
	struct node one = *node;
	bool good = node->type != NODE_MAPPING || type_wrong(p, field, node, NULL);

	for (size_t i = 0; node->type == NODE_SEQUENCE && i < node->n; i++)
		good &= add_item(p, field, node->items[i], &set);
	while (good && (one.text = strsep(&rest, " "))) {
		one.n = strlen(one.text);
		good = add_item(p, field, &one, &set);
	}
	set_sort(&set);
	*(struct value_set *)value = set;
	return good;
}

void set_print(const struct field *field, const void *value, struct text *out) {
	const struct value_set *set = value;

	for (size_t i = 0; i < set->n; i++) {
		text_add(out, i ? " " : "");
		field->type->item_type->print(field, item_at(set, i), out);
	}
	text_add(out, set->n ? "" : "none");
}

bool set_equal(const void *a, const void *b) {
	const struct value_set *x = a, *y = b;

	return x->n == y->n && (!x->n || memcmp(x->items, y->items, x->n * x->size) == 0);
}
