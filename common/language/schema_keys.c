/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which mappings the language has, in the order of the page: the file, namespaces, interfaces in general and of each
 * kind, then the mappings in sections, those of interfaces first.
 */
#include "expand/expand.h"
#include "kind/link.h"
#include "language/schema_private.h"

/* False: it is already in the list. */
static bool add(struct schema_mappings *all, struct schema_mapping m) {
	for (size_t i = 0; i < all->list.n; i++)
		if (streq(all->list.items[i].is.name, m.is.name))
			return false;
	vec_push(&all->list, m);
	return true;
}

static bool add_mapping(struct schema_mappings *all, const struct mapping *mapping) {
	struct sections sections = sections_of(&all->arena, mapping);
	struct schema_mapping m = { .is = *mapping, .keys = sections.items, .n_keys = sections.n };

	if (!add(all, m))
		return false;
	m.is_case = true;
	for (size_t i = 0; mapping->case_of && mapping->case_of(i, &m.is); i++)
		add(all, m);
	return true;
}

/* Adds a kind of link if it is a value of `kind`. */
static void add_link(struct schema_mappings *all, const struct kind *kind) {
	const struct kind *listed = kind->port_kind ? kind->port_kind : kind->part_kind;
	const struct section *list = listed ? listed->section : NULL;

	if (kind->class != &class_link || kind->unnamed || kind->found)
		return;
	add(all, (struct schema_mapping){
			 .is = { .name = kind->name,
				 .title = kind->name,
				 .doc = kind->no_mac ? arena_printf(&all->arena, "%s It has no `mac-address`.", kind->doc)
						     : kind->doc,
				 .fields = kind->fields + LINK_N_FIELDS,
				 .n_fields = kind->n_fields - LINK_N_FIELDS,
				 .kind = kind },
			 .link = kind,
			 .keys = arena_memdup(&all->arena, &list, sizeof(list)),
			 .n_keys = list ? 1 : 0,
		 });
}

/* The mapping, and those in its own sections. */
static void add_nested(struct schema_mappings *all, const struct mapping *mapping) {
	bool new = add_mapping(all, mapping);

	for (const struct section *s = mapping->sections; new &&s && s->key; s++)
		if (s->mapping)
			add_nested(all, s->mapping);
}

static void add_place(struct schema_mappings *all, enum section_place place) {
	for (const struct class *const *c = classes; *c; c++)
		for (const struct section *s = (*c)->sections; s && s->key; s++)
			if (s->place == place && s->mapping)
				add_nested(all, s->mapping);
}

void schema_collect(struct schema_mappings *all) {
	add_mapping(all, &mapping_topology);
	add_mapping(all, &mapping_namespace);
	add_mapping(all, &mapping_interface);
	for (const struct kind *const *k = kinds; *k; k++)
		add_link(all, *k);
	for (const struct kind *const *k = kinds; *k; k++)
		if ((*k)->section)
			add_mapping(all, (*k)->section->mapping);
	add_place(all, SECTION_INTERFACE);
	add_mapping(all, &mapping_link);
	add_nested(all, &mapping_network);
	add_place(all, SECTION_NAMESPACE);
	add_place(all, SECTION_TOP);
	add_mapping(all, &mapping_defaults);
	add_mapping(all, &mapping_default_values);
}

void schema_mappings_done(struct schema_mappings *mappings) {
	vec_done(&mappings->list);
	arena_done(&mappings->arena);
}
