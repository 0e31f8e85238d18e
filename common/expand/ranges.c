/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over a document in which each entry whose name has a range (`h[1-20]: {…}`) is replaced by the entries that
 * it stands for, with the values of `{n}` filled in.
 *
 * The sections of the language say where a name is: each key of a map of names (SECTION_MAP), and the names in the
 * entries of certain lists (section->ranges). Everything inside an entry belongs to its innermost range. If entries then
 * have the same name, they are merged like drop-ins.
 *
 * Outside of ranges a node that does not change is not copied, and a file without ranges is not walked at all. Inside,
 * everything is copied, because each copy has its own origin.
 */
#include "expand/expand_private.h"
#include "expand/range.h"

enum { ENTRIES_MAX = 100 * 1000 };

/* The entry of a range that is being written out; NULL where there is none. */
struct instance {
	const struct entry_names *names;
	size_t i;
	struct number n;
	uint32_t origin;
	const char *name;
};

/* What a node is. */
struct place {
	const struct mapping *mapping; /* this mapping, or a list of such mappings; NULL: not known */
	const struct mapping *each;    /* a mapping of names to such mappings */
	bool ranges;                   /* a list whose entries may have ranges */
};

typedef vec(struct node_pair) pairs;
typedef vec(const struct node *) items;

static const struct node *walk(struct expansion *x, const struct node *node, struct place place, const struct instance *in);

/* A limit on all copies keeps a small file from filling the memory. */
static bool count(struct expansion *x, const struct node *node, size_t *count, size_t limit, const char *what) {
	if (++*count > limit && !x->full) {
		x->full = true;
		diag_error(x->diags, node->position, "the ranges up to here stand for more than %zu %s", limit, what);
	}
	return !x->full;
}

static struct node *copy(struct expansion *x, const struct node *node, const struct instance *in) {
	struct node *new = arena_memdup(x->arena, node, sizeof(*node));

	if (in) {
		count(x, node, &x->n_nodes, YAML_MAX_NODES, "nodes");
		new->position.origin = in->origin;
	}
	return new;
}

static void refuse_text(struct expansion *x, const struct node *node, const struct instance *in, const struct text *error) {
	struct position position = node->position;

	position.origin = in->origin;
	diag_error(x->diags, position, "%s", text_str(error));
}

/* The pattern that the node is, if it is a name of the entry. */
static const struct pattern *pattern_of(const struct instance *in, const struct node *node) {
	for (size_t i = 0; i < in->names->n_patterns; i++)
		if (in->names->patterns[i].node == node)
			return &in->names->patterns[i];
	return NULL;
}

static const struct node *walk_scalar(struct expansion *x, const struct node *node, const struct instance *in) {
	_cleanup_text_ struct text text = {}, error = {};

	if (!in) {
		if (expression_is_meant(node->text))
			diag_error(x->diags, node->position,
				   "'%s': {n} is the number of a range such as h[1-20], and no range is around it",
				   yaml_quote(node->text, node->n).text);
		return node;
	}
	const struct pattern *pattern = pattern_of(in, node);
	struct node *new = copy(x, node, in);
	if (!(pattern && pattern->n_ranges) && !expression_occurs(node->text))
		return new;
	bool good = pattern ? range_fill(pattern, in->i, in->n, &text, &error)
			    : expression_fill(node->text, in->n, &text, &error);
	if (!good)
		refuse_text(x, node, in, &error);
	new->text = arena_strndup(x->arena, text_str(&text), text.size);
	new->n = text.size;
	new->quoted = true; /* a computed text was not meant as a boolean */
	return new;
}

/* Names in entries. */

/* Writes out one of the entries that an entry stands for. */
static struct instance begin_instance(struct expansion *x, const struct entry_names *names, size_t i,
				      const struct instance *outer) {
	struct instance in = { .names = names, .i = i, .n = range_number(names, i) };
	_cleanup_text_ struct text name = {}, error = {};

	range_fill(&names->patterns[0], i, in.n, &name, &error); /* an error is reported with the name itself */
	in.name = outer ? arena_printf(x->arena, "%s, %s", outer->name, text_str(&name))
			: arena_strndup(x->arena, text_str(&name), name.size);
	in.origin = diags_add_origin(x->diags, in.name);
	return in;
}

/* Lists. */

/* Adds a name of an entry. If the name has a range and the entry is inside another one with a range, {n} is the outer
 * one's. */
static bool add_name(struct expansion *x, const struct node *node, const struct instance *outer, struct entry_names *names) {
	_cleanup_text_ struct text filled = {}, error = {};
	const char *text = node->text;

	if (outer && range_occurs(text) && expression_occurs(text)) {
		if (!expression_fill(text, outer->n, &filled, &error)) {
			refuse_text(x, node, outer, &error);
			return false;
		}
		text = arena_strndup(x->arena, text_str(&filled), filled.size);
	}
	return range_add_name(names, x->arena, x->diags, node, text);
}

/* Finds the names in an entry of a list. False after an error. */
static bool find_names(struct expansion *x, const struct node *entry, const char *bare, const struct instance *outer,
		       struct entry_names *ret) {
	const struct node *named = entry->type == NODE_MAPPING ? (bare ? node_get(entry, bare) : NULL) : entry;

	*ret = (struct entry_names){};
	if (!named || named->type == NODE_MAPPING)
		return true;
	if (named->type == NODE_SCALAR)
		return add_name(x, named, outer, ret);
	for (size_t i = 0; i < named->n; i++)
		if (named->items[i]->type == NODE_SCALAR && !add_name(x, named->items[i], outer, ret))
			return false;
	return true;
}

static void walk_entry(struct expansion *x, const struct node *entry, const struct mapping *mapping,
		       const struct instance *outer, items *out) {
	struct entry_names names;

	if (!find_names(x, entry, mapping ? mapping->bare : NULL, outer, &names))
		return;
	if (!names.n) {
		vec_push(out, walk(x, entry, (struct place){ .mapping = mapping }, outer));
		return;
	}
	for (size_t i = 0; i < names.n && count(x, entry, &x->n_entries, ENTRIES_MAX, "entries"); i++) {
		struct instance in = begin_instance(x, &names, i, outer);

		vec_push(out, walk(x, entry, (struct place){ .mapping = mapping }, &in));
	}
}

static const struct node *walk_list(struct expansion *x, const struct node *list, struct place place,
				    const struct instance *in) {
	items out = {};
	bool changed = in;

	for (size_t i = 0; i < list->n; i++) {
		if (place.ranges)
			walk_entry(x, list->items[i], place.mapping, in, &out);
		else
			vec_push(&out, walk(x, list->items[i], (struct place){ .mapping = place.mapping }, in));
		changed |= out.n != i + 1 || out.items[i] != list->items[i];
	}
	if (changed) {
		struct node *new = copy(x, list, in);

		new->n = out.n;
		new->items = out.n ? arena_memdup(x->arena, out.items, out.n * sizeof(out.items[0])) : NULL;
		list = new;
	}
	vec_done(&out);
	return list;
}

/* A single entry may be written without brackets. */
static const struct node *walk_single(struct expansion *x, const struct node *entry, struct place place,
				      const struct instance *in) {
	items out = {};
	const struct node *ret = NULL;

	walk_entry(x, entry, place.mapping, in, &out);
	if (out.n == 1) {
		ret = out.items[0];
	} else {
		struct node *list = arena_new(x->arena, struct node);

		*list = (struct node){ .type = NODE_SEQUENCE, .position = entry->position, .n = out.n };
		list->items = out.n ? arena_memdup(x->arena, out.items, out.n * sizeof(out.items[0])) : NULL;
		ret = list;
	}
	vec_done(&out);
	return ret;
}

/* Mappings. */

static struct place place_of(struct place outer, const char *key) {
	const struct section *section = outer.mapping ? section_find(outer.mapping, key) : NULL;

	if (outer.each)
		return (struct place){ .mapping = outer.each };
	if (!section)
		return (struct place){};
	switch (section->shape) {
	case SECTION_VALUE:
		return (struct place){};
	case SECTION_LIST:
		return (struct place){ .mapping = section->mapping, .ranges = section->ranges };
	case SECTION_MAPPING:
		return (struct place){ .mapping = section->mapping };
	case SECTION_MAP:
		return (struct place){ .each = section->mapping };
	}
	abort();
}

/* Adds the entries that a key stands for. */
static void walk_pair(struct expansion *x, const struct node_pair *pair, struct place place, const struct instance *outer,
		      pairs *out) {
	struct place inner = place_of(place, pair->key->text);
	struct entry_names names = {};

	if (place.each && !add_name(x, pair->key, outer, &names))
		return;
	if (!names.n) {
		vec_push(out, (struct node_pair){ .key = walk_scalar(x, pair->key, outer),
						  .value = walk(x, pair->value, inner, outer) });
		return;
	}
	for (size_t i = 0; i < names.n && count(x, pair->key, &x->n_entries, ENTRIES_MAX, "entries"); i++) {
		struct instance in = begin_instance(x, &names, i, outer);

		vec_push(out, (struct node_pair){ .key = walk_scalar(x, pair->key, &in),
						  .value = walk(x, pair->value, inner, &in) });
	}
}

/* YAML reads `to: {n}` as a mapping with the key n. */
static bool is_expression(const struct node *node) {
	_cleanup_text_ struct text text = {}, value = {}, error = {};

	if (node->n != 1 || !node_is_null(node->pairs[0].value) || node->pairs[0].value->n || node->pairs[0].key->quoted)
		return false;
	text_addf(&text, "{%s}", node->pairs[0].key->text);
	return strchr(text_str(&text), 'n') &&
	       expression_fill(text_str(&text), (struct number){ .value = 1 }, &value, &error);
}

static const struct node *walk_mapping(struct expansion *x, const struct node *mapping, struct place place,
				       const struct instance *in) {
	pairs out = {};
	bool changed = in, renamed = false;

	if (!place.mapping && !place.each && is_expression(mapping)) {
		struct position position = mapping->position;

		position.origin = in ? in->origin : 0;
		diag_error(x->diags, position, "YAML reads {%s} as a mapping; write \"{%s}\"", mapping->pairs[0].key->text,
			   mapping->pairs[0].key->text);
		return copy(x, mapping, in);
	}
	for (size_t i = 0; i < mapping->n; i++) {
		const struct node_pair *pair = &mapping->pairs[i];
		size_t from = out.n;

		walk_pair(x, pair, place, in, &out);
		for (size_t k = from; k < out.n; k++) {
			changed |= out.items[k].key != pair->key || out.items[k].value != pair->value;
			renamed |= out.items[k].key->text != pair->key->text;
		}
		changed |= out.n != i + 1;
	}
	if (changed) {
		struct node *new = copy(x, mapping, in);
		const struct merging merging = {
			.arena = x->arena, .diags = x->diags, .mapping = place.mapping, .each = place.each
		};
		struct node_pair *kept = out.n ? arena_memdup(x->arena, out.items, out.n * sizeof(out.items[0])) : NULL;

		new->n = renamed ? merge_pairs(&merging, kept, out.n) : out.n;
		new->pairs = kept;
		mapping = new;
	}
	vec_done(&out);
	return mapping;
}

static const struct node *walk(struct expansion *x, const struct node *node, struct place place, const struct instance *in) {
	switch (node->type) {
	case NODE_SCALAR:
		if (place.ranges)
			return walk_single(x, node, place, in);
		return walk_scalar(x, node, in);
	case NODE_SEQUENCE:
		return walk_list(x, node, place, in);
	case NODE_MAPPING:
		if (place.ranges)
			return walk_single(x, node, place, in);
		return walk_mapping(x, node, place, in);
	}
	abort();
}

/* Most files have neither a range nor an expression, which takes one of these characters or YAML's reading of `{n}`. */
static bool may_have_ranges(const struct node *node) {
	bool found = false;

	switch (node->type) {
	case NODE_SCALAR:
		for (const char *at = node->text; *at && !found; at++)
			found = *at == '[' || *at == '{';
		return found;
	case NODE_SEQUENCE:
		for (size_t i = 0; i < node->n && !found; i++)
			found = may_have_ranges(node->items[i]);
		return found;
	case NODE_MAPPING:
		found = node->n == 1 && node_is_null(node->pairs[0].value);
		for (size_t i = 0; i < node->n && !found; i++)
			found = may_have_ranges(node->pairs[i].key) || may_have_ranges(node->pairs[i].value);
		return found;
	}
	abort();
}

const struct node *expand_ranges(struct expansion *x, const struct node *root) {
	if (!may_have_ranges(root))
		return root;
	return walk(x, root, (struct place){ .mapping = x->top }, NULL);
}
