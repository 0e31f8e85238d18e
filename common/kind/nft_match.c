/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A match of an entry: an item or a list of items; `not` is written before an item or before the list. Either all items
 * of a match are negated or none are: "one of these" and "none of those" are two conditions, which need two entries.
 *
 * The type of an item knows what it means (nft_value.c).
 */
#include "kind/nft_value.h"

struct match_list {
	vec(struct nft_item) items;
	bool negated; /* of the first item */
	size_t n;     /* items seen, valid or not */
};

static void match_list_done(struct match_list *list) {
	vec_done(&list->items);
}

/* The text after the word `not` and white space; NULL: the text has no `not`. */
static const char *skip_not(const char *text) {
	const char *rest = startswith(text, "not");
	size_t blanks = rest ? strspn(rest, " \t") : 0;

	return blanks && rest[blanks] ? rest + blanks : NULL;
}

static bool check_mixture(struct parse *p, const struct field *field, const struct node *node, bool negated,
			  struct match_list *list) {
	if (!list->n++)
		list->negated = negated;
	if (list->negated == negated)
		return true;
	diag_error(p->diags, node->position,
		   "'%s' mixes items with and without 'not'; put 'not' before all of them, or keep only those without it",
		   field->name);
	return false;
}

/* `not "fd00::/8"` is one plain scalar in YAML, including the quotes. */
static const char *strip_quotes(struct arena *arena, const char *text) {
	size_t n = strlen(text);
	bool quoted = n > 2 && (*text == '"' || *text == '\'') && text[n - 1] == *text;

	return quoted ? arena_strndup(arena, text + 1, n - 2) : text;
}

static bool add_item(struct parse *p, const struct field *field, const struct node *node, const char *text, bool negated,
		     const struct nft_item_type *type, struct match_list *list) {
	struct nft_item item = { .position = node->position };

	if (*text == '!') {
		diag_error(p->diags, node->position, "'%s' is written \"not %s\"", text, text + strspn(text, "!= \t"));
		return false;
	}
	if (!check_mixture(p, field, node, negated, list))
		return false;
	if (!type->parse(p, field, node, negated ? strip_quotes(p->arena, text) : text, &item))
		return false;
	vec_push(&list->items, item);
	return true;
}

/* `not [a, b]` is one plain scalar in YAML. Each part becomes an item with a `not`. */
static bool add_negated_list(struct parse *p, const struct field *field, const struct node *node, const char *text,
			     const struct nft_item_type *type, struct match_list *list) {
	const char *end = text + strlen(text) - 1;
	bool good = true;

	if (*end != ']' || end == text + 1) {
		diag_error(p->diags, node->position, "'%s' takes a list as [not a, not b] or \"not [a, b]\", not '%s'",
			   field->name, node->text);
		return false;
	}
	for (const char *at = text + 1; at <= end;) {
		size_t n = strcspn(at, ",]"), blanks = strspn(at, " \t");
		const char *start = at + MIN(blanks, n), *last = at + n;

		while (last > start && (last[-1] == ' ' || last[-1] == '\t'))
			last--;
		good &= add_item(p, field, node, arena_strndup(p->arena, start, (size_t)(last - start)), true, type, list);
		at += n + 1;
	}
	return good;
}

/* `{80, 443}` is a mapping without values in YAML. */
static bool is_set(const struct node *node) {
	for (size_t i = 0; i < node->n; i++)
		if (!node_is_null(node->pairs[i].value))
			return false;
	return node->n;
}

static void refuse_set(struct parse *p, const struct field *field, const struct node *node) {
	_cleanup_text_ struct text right = {};

	for (size_t i = 0; i < node->n; i++)
		text_addf(&right, "%s%s", i ? ", " : "", node->pairs[i].key->text);
	diag_error(p->diags, node->position, "'%s' takes a list in brackets: [%s]", field->name, right.data);
}

/* The user wrote `{not: X}`, as in other languages. */
static void refuse_mapping(struct parse *p, const struct field *field, const struct node *node) {
	const struct node *value = node_get(node, "not");
	bool list = value && value->type == NODE_SEQUENCE;
	_cleanup_text_ struct text right = {};

	for (size_t i = 0; value && i < (list ? value->n : 1); i++) {
		const struct node *item = list ? value->items[i] : value;

		text_addf(&right, "%snot %s", i ? ", " : "", item->type == NODE_SCALAR ? item->text : "X");
	}
	if (is_set(node))
		refuse_set(p, field, node);
	else if (value)
		diag_error(p->diags, node->position, "'not' goes before the value; write '%s: %s%s%s'", field->name,
			   list ? "[" : "", text_str(&right), list ? "]" : "");
	else
		diag_error(p->diags, node->position,
			   "'%s' takes one %s or a list of them, optionally with 'not', not a mapping", field->name,
			   field->type->name);
}

static bool add_node(struct parse *p, const struct field *field, const struct node *node, const struct nft_item_type *type,
		     struct match_list *list) {
	const char *text, *rest;

	if (node->type == NODE_MAPPING) {
		refuse_mapping(p, field, node);
		return false;
	}
	text = parse_scalar(p, field, node);
	if (!text)
		return false;
	rest = skip_not(text);
	if (rest && *rest == '[')
		return add_negated_list(p, field, node, rest, type, list);
	return add_item(p, field, node, rest ? rest : text, rest, type, list);
}

bool nft_match_parse(struct parse *p, const struct field *field, const struct node *node, void *value,
		     const struct nft_item_type *type) {
	_cleanup_(match_list_done) struct match_list list = {};
	struct nft_match *match = value;
	bool good = true;

	if (node->type == NODE_SEQUENCE && !node->n) {
		diag_error(p->diags, node->position, "'%s' is an empty list; leave it out to match everything", field->name);
		return false;
	}
	if (node->type != NODE_SEQUENCE)
		good = add_node(p, field, node, type, &list);
	for (size_t i = 0; node->type == NODE_SEQUENCE && i < node->n; i++)
		good &= add_node(p, field, node->items[i], type, &list);
	if (!good)
		return false;
	*match = (struct nft_match){ .negated = list.negated, .n = list.items.n, .type = type };
	match->items = arena_memdup(p->arena, list.items.items, list.items.n * sizeof(struct nft_item));
	return true;
}

void nft_match_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct nft_match *match = value;

	text_add(out, match->negated ? "not " : "");
	text_add(out, match->n > 1 ? "[" : "");
	for (size_t i = 0; i < match->n; i++) {
		text_add(out, i ? ", " : "");
		match->type->print(&match->items[i], out);
	}
	text_add(out, match->n > 1 ? "]" : "");
}

/* Does any item of the match cover (or overlap) the item? */
static bool any_covers(const struct nft_match *match, const struct nft_item *item) {
	for (size_t i = 0; i < match->n; i++)
		if (match->type->covers(&match->items[i], item))
			return true;
	return false;
}

static bool any_meets(const struct nft_match *match, const struct nft_item *item) {
	for (size_t i = 0; i < match->n; i++)
		if (match->type->meets(&match->items[i], item))
			return true;
	return false;
}

bool nft_match_covers(const struct nft_match *outer, const struct nft_match *inner) {
	/* inner must exclude everything that outer excludes. */
	const struct nft_match *from = outer->negated && inner->negated ? outer : inner;

	if (!outer->n)
		return true;
	if (!inner->n || (inner->negated && !outer->negated))
		return false;
	for (size_t i = 0; i < from->n; i++) {
		const struct nft_item *item = &from->items[i];

		if (outer->negated && !inner->negated ? any_meets(outer, item)
						      : !any_covers(from == outer ? inner : outer, item))
			return false;
	}
	return true;
}
