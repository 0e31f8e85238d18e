/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file as a whole, and what belongs to a namespace; interfaces are in export_link.c. */
#include "export/export_link.h"

#include <stdarg.h>

static const struct position nowhere;

/* Collecting. */

void pairs_add(struct export *x, node_pairs *pairs, const char *key, const struct node *value) {
	if (value)
		vec_push(pairs, (struct node_pair){ build_text(x->arena, nowhere, key), value });
}

const struct node *pairs_finish(struct export *x, node_pairs *pairs) {
	struct node *node = arena_new(x->arena, struct node);

	*node = (struct node){ .type = NODE_MAPPING, .n = pairs->n };
	node->pairs = arena_memdup(x->arena, pairs->items, pairs->n * sizeof(*pairs->items));
	vec_done(pairs);
	return node->n ? node : NULL;
}

const struct node *items_finish(struct export *x, node_items *items) {
	const struct node *node = items->n ? build_list_of(x->arena, nowhere, items->items, items->n) : NULL;

	vec_done(items);
	return node;
}

static void add_comment(struct export *x, node_pairs *pairs, const char *text) {
	struct node *comment = arena_new(x->arena, struct node);

	*comment = (struct node){ .type = NODE_SCALAR, .comment = true, .text = text, .n = strlen(text) };
	vec_push(pairs, (struct node_pair){ .key = comment });
}

void export_note(struct export *x, node_pairs *pairs, const char *ns, const char *interface, const char *format, ...) {
	va_list args;

	va_start(args, format);
	const char *text = arena_vprintf(x->arena, format, args);
	va_end(args);
	vec_push(&x->ret->notes, (struct export_note){ ns, interface, text });
	add_comment(x, pairs, interface ? arena_printf(x->arena, "%s %s", interface, text) : text);
}

/* One namespace. */

/* Adds one note for each reason why objects of a kind are left out. */
static void note_left_out(struct export *x, const struct ns_state *ns, const struct kind *kind, const char *link,
			  node_pairs *notes) {
	struct {
		const char *reason;
		size_t n;
	} reasons[8] = {};

	ns_foreach(object, ns) {
		bool here = object->kind == kind && (!link || streq_ptr(object_home_link(object), link));
		const char *reason = here ? kind->left_out(x->arena, object) : NULL;
		size_t i = 0;

		while (reason && i + 1 < ARRAY_SIZE(reasons) && reasons[i].n && !streq(reasons[i].reason, reason))
			i++;
		if (reason && !reasons[i].n)
			reasons[i].reason = reason;
		reasons[i].n += reason != NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(reasons) && reasons[i].n; i++)
		export_note(x, notes, ns->name, link, "%s%zu %s left out (%s)", link ? "has " : "", reasons[i].n,
			    reasons[i].n == 1 ? kind->class->name : kind->class->plural, reasons[i].reason);
}

/* The entries of a list under a namespace (link NULL) or an interface. */
const struct node *export_list(struct export *x, const struct ns_state *ns, const struct section *section,
			       const char *link) {
	struct entry {
		UT_hash_handle hh;
		char text[];
	} *entries = NULL, *before;
	_cleanup_(arena_done) struct arena arena = {};
	node_items items = {};

	ns_foreach(object, ns) {
		if (object->kind != section->mapping->kind || object->kernel_made ||
		    (link && !streq_ptr(object_home_link(object), link)) ||
		    (object->kind->left_out && object->kind->left_out(x->arena, object)))
			continue;
		const struct node *node = export_entry(x, object, section->mapping);
		_cleanup_text_ struct text text = {};

		if (!node)
			continue;
		/* A rule for both families is observed as two, which are written in the same way. */
		yaml_write(node, &text);
		HASH_FIND(hh, entries, text.data, text.size, before);
		if (before)
			continue;
		struct entry *entry = arena_alloc(&arena, sizeof(*entry) + text.size);
		memcpy(entry->text, text.data, text.size);
		HASH_ADD(hh, entries, text, text.size, entry);
		vec_push(&items, node);
	}
	HASH_CLEAR(hh, entries);
	return items_finish(x, &items);
}

const struct node *export_printed(struct export *x, const struct section *section, const struct ns_state *ns,
				  const char *link) {
	_cleanup_text_ struct text text = {};

	section->print(ns, link, &text);
	return text.size ? export_flow(x, &text) : NULL;
}

/* The only entry of a section that is a mapping. */
static const struct node *export_only(struct export *x, const struct ns_state *ns, const struct section *section,
				      const char *link) {
	const struct node *list = export_list(x, ns, section, link);

	return list ? list->items[0] : NULL;
}

void export_sections(struct export *x, const struct ns_state *ns, enum section_place place, const struct link *of,
		     node_pairs *pairs, node_pairs *notes) {
	const char *link = of ? of->name : NULL;

	for (const struct class *const *class = classes; *class; class ++)
		for (const struct section *s = (*class)->sections; s && s->key; s++) {
			if (s->place == place && s->print && !(of && export_pair_says(x, s->key, of)))
				pairs_add(x, pairs, s->key, export_printed(x, s, ns, link));
			if (s->place != place || !s->mapping || !s->mapping->kind)
				continue;
			pairs_add(x, pairs, s->key,
				  s->shape == SECTION_LIST ? export_list(x, ns, s, link) : export_only(x, ns, s, link));
			if (s->mapping->kind->left_out)
				note_left_out(x, ns, s->mapping->kind, link, notes);
		}
}

/* Are such objects the entries of a list? */
static bool has_entries(const struct kind *kind) {
	for (const struct section *s = kind->class->sections; s && s->key; s++)
		if (s->mapping && s->mapping->kind == kind)
			return true;
	return false;
}

/* What no entry can express: other tables of nftables, files. */
static void note_unsaid(struct export *x, const struct ns_state *ns, node_pairs *notes) {
	ns_foreach(object, ns) {
		const char *reason = object->kind->left_out && !has_entries(object->kind)
					     ? object->kind->left_out(x->arena, object)
					     : NULL;
		_cleanup_text_ struct text noun = {};

		if (!reason)
			continue;
		object_print_noun(object, &noun);
		export_note(x, notes, ns->name, NULL, "%s %s", text_str(&noun), reason);
	}
}

static bool has_only_comments(const node_pairs *pairs) {
	vec_foreach(pair, pairs)
		if (!pair->key->comment)
			return false;
	return true;
}

static void export_namespace(struct export *x, const struct ns_state *ns, node_pairs *namespaces) {
	const char *file = NULL, *maker = x->options->maker(x->options->userdata, ns, &file);
	bool own = maker && streq_ptr(x->options->topology, maker);
	node_pairs pairs = {};

	if (maker && !own && !x->options->fresh)
		export_note(x, &pairs, ns->name, NULL,
			    "made by topod (topology %s%s%s), which manages it; another topology cannot own it", maker,
			    file ? ", " : "", file ? file : "");
	if (!own && !x->options->fresh)
		pairs_add(x, &pairs, "adopt", build_word(x->arena, nowhere, "true"));
	export_interfaces(x, ns, &pairs);
	export_sections(x, ns, SECTION_NAMESPACE, NULL, &pairs, &pairs);
	note_unsaid(x, ns, &pairs);
	if (streq(ns->name, NS_HOST) && pairs.n == 1 && !maker && !export_has_end(x, ns)) /* nothing to adopt */
		vec_clear(&pairs);
	if (has_only_comments(&pairs)) { /* an empty mapping is written {}, so they go before it */
		for (size_t i = 0; i < pairs.n; i++)
			vec_push(namespaces, pairs.items[i]);
		vec_clear(&pairs);
	}
	const struct node *node = pairs_finish(x, &pairs);
	pairs_add(x, namespaces, ns->name, node ? node : build_mapping(x->arena, nowhere, { 0 }));
}

void export_state(struct arena *arena, const struct state *seen, const struct export_options *options,
		  struct exported *ret) {
	struct export x = { .arena = arena, .seen = seen, .options = options, .ret = ret };
	node_pairs top = {}, namespaces = {};

	state_foreach(ns, seen)
		if (export_has(ns))
			export_namespace(&x, ns, &namespaces);
	export_around(&x, &namespaces);
	if (options->topology)
		pairs_add(&x, &top, "topology", build_text(arena, nowhere, options->topology));
	pairs_add(&x, &top, "namespaces", pairs_finish(&x, &namespaces));
	pairs_add(&x, &top, "links", export_pairs(&x));
	ret->root = pairs_finish(&x, &top);
}

/* As JSON. */

static json_t *scalar_json(const struct node *node) {
	uint32_t number;
	bool negative = node->text[0] == '-';

	if (!node->quoted && node_is_bool_word(node))
		return json_boolean(node_is_true(node));
	if (!node->quoted && parse_u32(node->text + negative, &number) == 0)
		return json_integer(negative ? -(json_int_t)number : (json_int_t)number);
	return json_stringn(node->text, node->n);
}

/* There are only comments. */
static bool is_comments(const struct node *node) {
	for (size_t i = 0; node->type == NODE_MAPPING && i < node->n; i++)
		if (!node->pairs[i].key->comment)
			return false;
	return node->type == NODE_MAPPING && node->n;
}

json_t *export_json(const struct node *root) {
	json_t *json = root->type == NODE_MAPPING ? json_object() : json_array();

	for (size_t i = 0; root->type != NODE_SCALAR && i < root->n; i++) {
		if (root->type == NODE_SEQUENCE && !root->items[i]->comment)
			json_array_append_new(json, export_json(root->items[i]));
		else if (root->type == NODE_MAPPING && !root->pairs[i].key->comment && !is_comments(root->pairs[i].value))
			json_object_set_new(json, root->pairs[i].key->text, export_json(root->pairs[i].value));
	}
	if (root->type != NODE_SCALAR)
		return json;
	json_decref(json);
	return scalar_json(root);
}
