/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mappings of the language that belong to no class of objects (the file itself, namespaces, interfaces, links,
 * defaults), and the walk over a mapping's sections, including those that classes declare.
 *
 * It names no class: classes list their sections themselves (model/section.h).
 */
#pragma once

#include "model/section.h"

extern const struct mapping mapping_topology, mapping_namespace, mapping_interface, mapping_link, mapping_defaults,
	mapping_default_values;

/* The sections of a mapping, in the order of the page. */
struct sections {
	size_t n;
	const struct section *const *items;
	const char *const *keys;    /* their keys, ended by NULL; see struct fields_parse */
	const struct node **values; /* room for their values while a mapping is read */
};
struct sections sections_of(struct arena *arena, const struct mapping *mapping);
/* For a key in the wrong mapping: which mapping, or which kinds of interfaces, have it, as advice for a message; or NULL. */
const char *section_elsewhere(struct arena *arena, const char *key, const char *what);
/* The sections of an interface of any kind, including those that only some kinds have. */
struct sections sections_of_interface(struct arena *arena);
