/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The section `interfaces` of a namespace: the kind of each entry, and its keys.
 *
 * An interface may be declared without a kind: an end of a link, `lo`, or one that is only listed as a port. The list of
 * kinds and their keys comes from the kinds' own tables.
 */
#include "language/spec_private.h"

static const struct field key_kind = { .name = "kind", .type = &type_text };
static const struct field key_name = { .name = "interfaces", .type = &type_link_name };

struct object *spec_new_link(struct reading *r, const struct kind *kind, const char *ns, const char *name,
			     struct position position) {
	struct object *object = object_new(r->parse.arena, kind, ns);

	((struct link *)object)->name = arena_strdup(r->parse.arena, name);
	object->set = field_bit(LINK_NAME);
	object->position = position;
	object->positions = arena_newn(r->parse.arena, struct position, kind->n_fields);
	object->external = kind->found;
	object_seal(r->parse.arena, object);
	return object;
}

static void unknown_kind(struct diags *diags, const struct node *node) {
	struct suggestion near = suggest_for(node->text);
	_cleanup_text_ struct text otherwise = {};
	const char *before = "it is one of: ";

	for (const struct kind *const *k = kinds; *k; k++)
		if ((*k)->class == &class_link && !(*k)->unnamed) {
			text_addf(&otherwise, "%s%s", before, (*k)->name);
			before = ", ";
			suggest(&near, (*k)->name);
		}
	diag_unknown(diags, node->position, &near, otherwise.data, "unknown kind '%s'", node->text);
}

/* The value of `kind`, also where the key is misspelled; an error about that follows when the entry is read. */
static const struct node *find_kind(struct reading *r, const struct node *value) {
	const struct fields_parse keys = { .what = mapping_interface.what,
					   .fields = link_common_fields,
					   .n = LINK_N_FIELDS,
					   .others = spec_reading(r)->interface.keys };
	const struct node *node = node_get(value, "kind");
	struct parse quiet = { .arena = r->parse.arena, .diags = &(struct diags){} };
	struct node_pair meant;

	for (size_t i = 0; !node && value->type == NODE_MAPPING && i < value->n; i++)
		if (!fields_has_key(&keys, value->pairs[i].key->text) &&
		    fields_mend_key(&quiet, &keys, value, &value->pairs[i], &meant) && streq(meant.key->text, "kind"))
			node = meant.value;
	diags_done(quiet.diags);
	return node;
}

/* The kind that an entry states or implies; NULL: none, kind_other: after an error. */
static const struct kind *interface_kind(struct reading *r, const struct node *key, const struct node *value,
					 const struct object *end) {
	const struct spec_reading *s = spec_reading(r);
	const struct node *node = find_kind(r, value);

	if (!node) {
		if (end)
			return end->kind;
		if (streq(key->text, "lo"))
			return &kind_loopback;
		if (value->type != NODE_MAPPING && !node_is_null(value))
			return &kind_other; /* the entry may contain a kind */
		return NULL;                /* valid for a port; check_existing() finds the others */
	}
	const char *text = parse_scalar(&r->parse, &key_kind, node);
	if (!text)
		return &kind_other;
	const struct kind *kind = kind_by_name(text, &class_link);
	if (kind == s->pair_kind && end)
		return kind;
	if (kind == s->pair_kind) {
		diag_error(r->parse.diags, node->position,
			   "a %s pair is written under 'links': [%s:%s, namespace:interface]", kind->name, r->ns->name,
			   key->text);
		return &kind_other;
	}
	if (!kind || kind->unnamed) {
		unknown_kind(r->parse.diags, node);
		return &kind_other;
	}
	if (end) {
		diag_error(r->parse.diags, node->position, "%s:%s is an end of a link and has no kind of its own",
			   r->ns->name, key->text);
		diag_note(r->parse.diags, end->position, "the link is here");
		return end->kind;
	}
	return kind == s->found_kind && streq(key->text, "lo") ? &kind_loopback : kind;
}

static void declare_interface(struct reading *r, const struct node *key, const struct node *value) {
	const struct kind *found = spec_reading(r)->found_kind;
	struct object *end = ns_find_link(r->ns, key->text), *object;
	const struct kind *kind = interface_kind(r, key, value, end);

	if (end)
		return;
	object = spec_new_link(r, kind ? kind : found, r->ns->name, key->text, key->position);
	object->implied = !kind;
	object->awaited = kind == found; /* unless it always exists, see finish_link() */
	ns_add(r->ns, object);
}

/* Reports a section that this kind does not have (only some have ports). */
static void refuse_section(struct reading *r, const struct section *section, const struct node *value) {
	_cleanup_text_ struct text all = {};

	for (const struct kind *const *k = kinds; *k; k++)
		if (section_is_of(section, *k))
			text_addf(&all, "%s%s", all.size ? ", " : "", (*k)->name);
	diag_error(r->parse.diags, value->position, "only these kinds have '%s': %s; %s is %s", section->key, all.data,
		   object_home_link(r->link), r->link->kind->name);
}

static void read_entry(struct reading *r, const struct node *node) {
	struct sections *sections = &spec_reading(r)->interface;
	struct object *object = r->link;
	const struct kind *kind = object->kind;
	bool unnamed = object->external || kind == &kind_other ||
		       kind == spec_reading(r)->pair_kind; /* messages do not name the kind */
	struct fields_parse fields = {
		.what = unnamed ? NULL
				: arena_printf(r->parse.arena, "%s %s interface", indefinite_article(kind->name),
					       kind->name),
		.fields = kind->fields,
		.n = kind->n_fields,
		.base = object,
		.set = &object->set,
		.positions = (struct position *)(uintptr_t)object->positions,
	};

	if (kind != &kind_other || node->type != NODE_MAPPING)
		spec_read_mapping(r, node, &mapping_interface, sections, fields);
	for (size_t i = 0; i < sections->n; i++) {
		if (kind == &kind_other) /* after an error its keys are unknown */
			sections->values[i] = node_get(node, sections->keys[i]);
		if (!sections->values[i] || sections->items[i]->place != SECTION_CONTROLLER ||
		    section_is_of(sections->items[i], kind) || kind == &kind_other)
			continue;
		refuse_section(r, sections->items[i], sections->values[i]);
		sections->values[i] = NULL;
	}
	spec_read_values(r, sections);
}

static void read_interface(struct reading *r, const struct node_pair *pair) {
	enum drift_policy outside = r->drift;
	const char *name;

	if (node_refuse_joined_name(r->parse.diags, pair->key) ||
	    !type_link_name.parse(&r->parse, &key_name, pair->key, &name))
		return;
	r->link = ns_find_link(r->ns, name);
	spec_read_drift(r, pair->value);
	r->link->drift = r->drift;
	if (!node_is_null(pair->value))
		read_entry(r, pair->value);
	r->link = NULL;
	r->drift = outside;
}

/* Every entry becomes an object before any is read, so that `ports` may name a later one. */
void spec_interfaces(struct reading *r, const struct section *section _unused_, const struct node *node) {
	if (!node_check_mapping(r->parse.diags, node, "'interfaces'", "names"))
		return;
	for (size_t i = 0; i < node->n; i++) {
		const char *why;

		if (link_name_valid(node->pairs[i].key->text, &why))
			declare_interface(r, node->pairs[i].key, node->pairs[i].value);
	}
	for (size_t i = 0; i < node->n; i++)
		read_interface(r, &node->pairs[i]);
}

struct alias_list {
	vec(struct link_alias) list;
};

static void alias_list_done(struct alias_list *aliases) {
	vec_done(&aliases->list);
}

/* One name, or a list of names or of {name: NAME}. */
static void add_aliases(const char *ns, const char *link, const struct node *node, struct alias_list *ret) {
	const struct node *one[] = { node }, *const *items = node->type == NODE_SEQUENCE ? node->items : one;
	size_t n = node->type == NODE_SEQUENCE ? node->n : 1;

	for (size_t i = 0; i < n; i++) {
		const struct node *name = items[i]->type == NODE_MAPPING ? node_get(items[i], "name") : items[i];

		if (name && name->type == NODE_SCALAR)
			vec_push(&ret->list, ((struct link_alias){ ns, link, name->text }));
	}
}

/* Before anything is read, because a value may refer to an interface of a later entry. */
const struct link_aliases *spec_find_aliases(struct arena *arena, const struct node *namespaces) {
	_cleanup_(alias_list_done) struct alias_list found = {};
	struct link_aliases *aliases = arena_new(arena, struct link_aliases);

	for (size_t i = 0; namespaces && namespaces->type == NODE_MAPPING && i < namespaces->n; i++) {
		const struct node_pair *ns = &namespaces->pairs[i];
		const struct node *links = ns->value->type == NODE_MAPPING ? node_get(ns->value, "interfaces") : NULL;

		for (size_t k = 0; links && links->type == NODE_MAPPING && k < links->n; k++) {
			const struct node_pair *link = &links->pairs[k];
			const struct node *names =
				link->value->type == NODE_MAPPING ? node_get(link->value, "alternative-names") : NULL;

			if (names)
				add_aliases(ns->key->text, link->key->text, names, &found);
		}
	}
	aliases->n = found.list.n;
	aliases->items = found.list.n ? arena_memdup(arena, found.list.items, found.list.n * sizeof(*aliases->items)) : NULL;
	aliases_sort(aliases);
	return aliases;
}
