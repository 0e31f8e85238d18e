/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of words, each of which stands for a bit of a number. A list, or one word; `none` is the empty set.
 */
#include "model/type_private.h"

static const struct enum_name *find_word(const struct field *field, const char *text, size_t size) {
	for (const struct enum_name *e = field->names; e->name; e++)
		if (strlen(e->name) == size && memcmp(e->name, text, size) == 0)
			return e;
	return NULL;
}

static bool refuse_word(struct parse *p, const struct field *field, const struct node *node, const char *word) {
	struct suggestion near = suggest_for(word);
	_cleanup_text_ struct text otherwise = {};

	text_add(&otherwise, "possible words: ");
	for (const struct enum_name *e = field->names; e->name; e++) {
		text_addf(&otherwise, "%s%s", e == field->names ? "" : ", ", e->name);
		suggest(&near, e->name);
	}
	diag_unknown(p->diags, node->position, &near, otherwise.data, "unknown word '%s' in '%s'", word, field->name);
	return false;
}

/* One word, or several as words_print() writes them. */
static bool add_words(struct parse *p, const struct field *field, const struct node *node, uint32_t *number) {
	const char *text = parse_scalar(p, field, node);

	if (!text)
		return false;
	for (size_t n; *text; text += n + strspn(text + n, ", ")) {
		n = strcspn(text, ", ");
		const struct enum_name *word = find_word(field, text, n);
		const char *copy = arena_strndup(p->arena, text, n);
		uint32_t bits = word ? word->value : 0;

		if (!word && (!startswith(copy, "0x") || parse_u32(copy, &bits) < 0))
			return refuse_word(p, field, node, copy);
		*number |= bits;
	}
	return true;
}

static bool words_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	uint32_t *number = value;
	bool good = true;

	*number = 0;
	if (node->type == NODE_SCALAR && node->text && streq(node->text, "none"))
		return true;
	if (node->type != NODE_SEQUENCE)
		return add_words(p, field, node, number);
	for (size_t i = 0; i < node->n; i++)
		good &= add_words(p, field, node->items[i], number);
	return good;
}

/* Bits that have no word are shown as a number. */
static void words_print(const struct field *field, const void *value, struct text *out) {
	uint32_t left = *(const uint32_t *)value;
	const char *comma = "";

	if (!left)
		text_add(out, "none");
	for (const struct enum_name *e = field->names; e->name; e++)
		if (left & e->value) {
			text_addf(out, "%s%s", comma, e->name);
			left &= ~e->value;
			comma = ", ";
		}
	if (left)
		text_addf(out, "%s0x%x", comma, left);
}

const struct type type_words = {
	.name = "list of words",
	.size = sizeof(uint32_t),
	.parse = words_parse,
	.print = words_print,
	.equal = type_u32_equal,
	.put = type_u32_put,
	.get = type_u32_get,
};
