/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of the mappings that belong to no class, and the walk over a mapping's sections (sections.h).
 */
#include "language/sections.h"

#include "expand/expand.h"
#include "language/spec_private.h"

static const struct enum_name drift_names[] = {
	{ "restore", DRIFT_RESTORE },
	{ "report", DRIFT_REPORT },
	{ "ignore", DRIFT_IGNORE },
	{},
};
const struct field spec_key_drift = { .name = "drift", .type = &type_enum, .names = drift_names };

/* The same key in three mappings. It is read together with the mapping, because it applies to everything in it. */
#define DRIFT(doc_) \
	{ .key = "drift", .field = &spec_key_drift, .doc = doc_ }

/* Tables. */

static const struct field key_version = { .name = "version", .type = &type_integer, .min = 1, .max = 1 };
static const struct field key_topology = { .name = "topology", .type = &type_text };
static const struct enum_name stop_names[] = { { "keep", 0 }, { "remove", 1 }, {} };
static const struct field key_on_stop = { .name = "on-stop", .type = &type_enum, .names = stop_names };

static const struct section topology_sections[] = {
	{ .key = "version",
	  .field = &key_version,
	  .value = "`1`",
	  .doc = "Version of this format; 1 by default.",
	  .schema = "{\"const\": 1}",
	  .read = spec_version },
	{ .key = "topology",
	  .field = &key_topology,
	  .value = "name",
	  .doc = "Name of the topology, by which topod recognises what it made; by default the file's name.",
	  .read = spec_topology },
	{ .key = "namespaces",
	  .shape = SECTION_MAP,
	  .mapping = &mapping_namespace,
	  .value = "map of [namespaces](#namespace)",
	  .doc = "Namespaces by name; `host` is the one in which topod runs.",
	  .read = spec_declare_namespaces },
	{ .key = "links",
	  .shape = SECTION_LIST,
	  .ranges = true,
	  .may_be_empty = true,
	  .mapping = &mapping_link,
	  .value = "list of [links](#link)",
	  .doc = "Veth pairs.",
	  .schema =
		  "{\"type\": \"array\", \"items\": {\"anyOf\": [" SPEC_ENDPOINTS_SCHEMA ", {\"$ref\": \"#/$defs/link\"}]}}",
	  .read = spec_links },
	{ .key = "networks",
	  .shape = SECTION_MAP,
	  .may_be_empty = true,
	  .mapping = &mapping_network,
	  .value = "map of [networks](#network)",
	  .doc = "Networks by name, each a bridge with its members." },
	{ .key = SECTIONS_OF_CLASSES },
	{ .key = "defaults",
	  .shape = SECTION_MAPPING,
	  .may_be_empty = true,
	  .mapping = &mapping_defaults,
	  .value = "[defaults](#defaults)",
	  .doc = "Values for keys that the file leaves out.",
	  .read = spec_defaults },
	DRIFT("What topod does about drift: undo it (`restore`, the default), only report it, or ignore it. The innermost of "
	      "interface, namespace and file counts."),
	{ .key = "on-stop",
	  .field = &key_on_stop,
	  .doc = "What happens to the network when the daemon stops; `keep` by default.",
	  .read = spec_on_stop },
	{},
};

const struct mapping mapping_topology = {
	.name = "topology",
	.title = "The file",
	.doc = "A mapping with these keys.",
	.what = "a topology",
	.sections = topology_sections,
	.holds = SECTION_TOP,
};

static const struct field key_adopt = { .name = "adopt", .type = &type_bool };
static const struct field key_exclusive = { .name = "exclusive", .type = &type_bool };

static const struct section namespace_sections[] = {
	{ .key = "interfaces",
	  .shape = SECTION_MAP,
	  .may_be_empty = true,
	  .mapping = &mapping_interface,
	  .value = "map of [interfaces](#interface)",
	  .doc = "Interfaces by name.",
	  .schema = "{\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/any-interface\"}, "
		    "\"propertyNames\": {\"$ref\": \"#/$defs/interface-name\"}}",
	  .read = spec_interfaces },
	{ .key = SECTIONS_OF_CLASSES },
	{ .key = "adopt",
	  .field = &key_adopt,
	  .doc = "Whether topod takes over a namespace that already exists (also one that a link in /run/netns refers to) and "
		 "never deletes it. A namespace that topod made itself is given up: after the next apply or reload topod "
		 "never deletes it either.",
	  .read = spec_adopt },
	{ .key = "exclusive",
	  .field = &key_exclusive,
	  .doc = "Whether undeclared objects are removed; not for `host`.",
	  .read = spec_exclusive },
	DRIFT("As at the top level, for this namespace."),
	{},
};

const struct mapping mapping_namespace = {
	.name = "namespace",
	.title = "Namespaces",
	.doc = "An entry of `namespaces`; an empty one is written `NAME: {}`.",
	.what = "a namespace",
	.sections = namespace_sections,
	.holds = SECTION_NAMESPACE,
};

static const struct section interface_sections[] = {
	{ .key = "kind",
	  .value = "see below",
	  .doc = "The kind of interface. An end of a link, `lo`, and an interface that is only declared as a port need none.",
	  .schema = "{\"enum\": [\"existing\", \"veth\"]}" },
	{ .key = SECTIONS_OF_CLASSES },
	DRIFT("As at the top level, for this interface."),
	{},
};

const struct mapping mapping_interface = {
	.name = "interface",
	.title = "Interfaces",
	.doc = "An entry of `interfaces`: the keys of every interface. The kinds listed below have further keys. An `existing` "
	       "interface is never created and never deleted; only the declared keys are managed. In a namespace that topod "
	       "makes, topod waits until something else (for example a VPN) moves it in, and again when it disappears. An "
	       "interface that others made can be a port, a parent or an underlay only if an entry declares it.",
	.what = "an interface",
	.sections = interface_sections,
	.holds = SECTION_INTERFACE,
	.fields = link_common_fields,
	.n_fields = LINK_N_FIELDS,
	.kind = &kind_other,
};

/* The walk. */

typedef vec(const struct section *) section_list;

/* On the page, early sections come last, because users look for them less often. */
static void add_of_classes(section_list *list, enum section_place place) {
	for (int early = 0; early <= 1; early++)
		for (const struct class *const *c = classes; *c; c++)
			for (const struct section *s = (*c)->sections; s && s->key; s++)
				if (s->place == place && s->early == early)
					vec_push(list, s);
}

static struct sections finish_list(struct arena *arena, section_list *list) {
	const char **keys = arena_newn(arena, const char *, list->n + 1);
	struct sections ret = { .n = list->n, .keys = keys };

	for (size_t i = 0; i < list->n; i++)
		keys[i] = list->items[i]->key;
	ret.items = arena_memdup(arena, list->items, list->n * sizeof(list->items[0]));
	ret.values = arena_newn(arena, const struct node *, list->n);
	vec_done(list);
	return ret;
}

struct sections sections_of(struct arena *arena, const struct mapping *mapping) {
	section_list list = {};

	for (const struct section *s = mapping->sections; s && s->key; s++)
		if (streq(s->key, SECTIONS_OF_CLASSES))
			add_of_classes(&list, mapping->holds);
		else
			vec_push(&list, s);
	return finish_list(arena, &list);
}

static bool has_key(const section_list *list, const char *key) {
	vec_foreach(s, list)
		if (streq((*s)->key, key))
			return true;
	return false;
}

struct sections sections_of_interface(struct arena *arena) {
	struct sections common = sections_of(arena, &mapping_interface);
	section_list list = {};

	for (size_t i = 0; i < common.n; i++)
		vec_push(&list, common.items[i]);
	for (const struct kind *const *k = kinds; *k; k++)
		if ((*k)->section && !has_key(&list, (*k)->section->key))
			vec_push(&list, (*k)->section);
	return finish_list(arena, &list);
}

/* For a key in an interface of the wrong kind: the kinds that have it. */
static const char *of_kinds(struct arena *arena, const char *key) {
	_cleanup_text_ struct text names = {};

	for (const struct kind *const *k = kinds; *k; k++)
		for (size_t i = 0; (*k)->class == &class_link && !(*k)->unnamed && i < (*k)->n_fields; i++)
			if (!((*k)->fields[i].flags & FIELD_HIDDEN) && streq((*k)->fields[i].name, key))
				text_addf(&names, "%s%s", names.size ? ", " : "", (*k)->name);
	return names.size ? arena_printf(arena, "only these kinds have it: %s", text_str(&names)) : NULL;
}

const char *section_elsewhere(struct arena *arena, const char *key, const char *what) {
	static const struct {
		const struct mapping *mapping;
		const char *advice;
	} places[] = {
		{ &mapping_topology, "it is a key of the file itself, at the top" },
		{ &mapping_namespace, "it is a key of a namespace" },
		{ &mapping_interface, "it is a key of an interface" },
	};
	bool interface = strstr(what, mapping_interface.name) != NULL;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		bool is_field = false;

		for (size_t k = 0; k < places[i].mapping->n_fields; k++)
			is_field |= !(places[i].mapping->fields[k].flags & FIELD_HIDDEN) &&
				    streq(places[i].mapping->fields[k].name, key);
		if (is_field || section_find(places[i].mapping, key))
			return interface && places[i].mapping == &mapping_interface ? NULL : places[i].advice;
	}
	return interface ? of_kinds(arena, key) : NULL;
}
