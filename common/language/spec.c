/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a topology, step by step; each step's details are in the file named.
 *
 *     1  read_sources()        YAML text to a tree of nodes; drop-ins are merged into it, and what is abbreviated is
 *                              written out (room expand)
 *     2  read_document()       the top level by its sections: namespaces are only declared, `links` adds their ends
 *                              (spec_links.c), defaults are kept (spec_defaults.c)
 *     3  read_namespaces()     each namespace by its sections: interfaces (spec_interfaces.c), then what classes read
 *                              themselves. Last, because the kind of an interface may follow from `links`
 *     4  add_namespace_objects(), settle()   what follows from all sections together
 *     5  spec_finish_links()   what links leave out (spec_defaults.c)
 *     6  spec_check()          checks of several objects together (spec_check_*.c), then meaning_check(): warnings
 *
 * A mistake does not end a step. It leaves out the object or the value and adds an error, so that one run shows all
 * mistakes; only step 1 stops if a file is not YAML. This file knows the top level and namespaces; it names no class,
 * and it does not know where files are or what is in the kernel.
 */
#include "language/spec.h"

#include "expand/expand.h"
#include "expand/merge.h"
#include "kind/netns.h"
#include "language/spec_private.h"
#include "meaning/meaning.h"

/* Bytes of all trees. Each file has its own limit of nodes; when the sum passes this one, no further file is read. */
enum { SPEC_TREE_MAX = 512 * 1024 * 1024 };

static const struct field key_namespace = { .name = "namespaces", .type = &type_text };

/* Values of the top level. */

void spec_version(struct reading *r, const struct section *section, const struct node *node) {
	uint32_t version;

	type_integer.parse(&r->parse, section->field, node, &version);
}

void spec_topology(struct reading *r, const struct section *section, const struct node *node) {
	struct spec *spec = spec_reading(r)->spec;
	const char *name, *why;

	if (!type_text.parse(&r->parse, section->field, node, &name))
		return;
	if (!file_name_valid(name, &why) || strlen(name) > 100) {
		diag_error(r->parse.diags, node->position, "the topology's name '%s' %s", name,
			   why ? why : "is longer than 100 bytes");
		return;
	}
	spec->topology = name;
	spec->named = true;
}

void spec_on_stop(struct reading *r, const struct section *section, const struct node *node) {
	uint32_t value;

	if (type_enum.parse(&r->parse, section->field, node, &value))
		spec_reading(r)->spec->remove_on_stop = value;
}

/* Values of a namespace. */

void spec_adopt(struct reading *r, const struct section *section, const struct node *node) {
	uint32_t value = 0;

	if (type_bool.parse(&r->parse, section->field, node, &value))
		r->ns->adopt = value;
}

void spec_exclusive(struct reading *r, const struct section *section, const struct node *node) {
	uint32_t value = 0;

	if (!type_bool.parse(&r->parse, section->field, node, &value))
		return;
	if (value && streq(r->ns->name, NS_HOST))
		diag_error(r->parse.diags, node->position,
			   "the host namespace cannot be exclusive: topod shares it with others");
	else
		r->ns->exclusive = value;
}

/* Namespaces. */

static void declare_namespace(struct reading *r, const struct node_pair *pair) {
	enum drift_policy outside = r->drift;
	const struct node *key = pair->key;
	const char *name, *why;

	if (node_refuse_joined_name(r->parse.diags, key) || !type_text.parse(&r->parse, &key_namespace, key, &name))
		return;
	if (!file_name_valid(key->text, &why)) {
		diag_error(r->parse.diags, key->position, "the namespace name '%s' %s", key->text, why);
		return;
	}
	struct ns_state *ns = state_namespace(r->state, key->text);
	ns->declared = true;
	ns->position = key->position;
	spec_read_drift(r, pair->value); /* now, because it also applies to ends of links */
	ns->drift = r->drift;
	r->drift = outside;
}

void spec_declare_namespaces(struct reading *r, const struct section *section _unused_, const struct node *node) {
	if (!node_check_mapping(r->parse.diags, node, "'namespaces'", "names"))
		return;
	for (size_t i = 0; i < node->n; i++)
		declare_namespace(r, &node->pairs[i]);
}

static void read_namespaces(struct spec_reading *s, const struct node *node) {
	struct reading *r = &s->here;

	for (size_t i = 0; node->type == NODE_MAPPING && i < node->n; i++) {
		r->ns = state_find(r->state, node->pairs[i].key->text);
		if (!r->ns)
			continue; /* its name was invalid */
		r->parse.ns = r->ns->name;
		r->parse.here = r->ns;
		r->drift = r->ns->drift;
		spec_read_mapping(r, node->pairs[i].value, &mapping_namespace, &s->namespace,
				  (struct fields_parse){ .may_be_empty = true });
		spec_read_values(r, &s->namespace);
	}
	r->ns = NULL;
	r->parse.ns = NULL;
	r->parse.here = NULL;
}

/* The document. */

/* An empty file would remove everything. That is hardly ever intended, and an editor or a copy may leave one for a
 * moment. */
static const char declares_nothing[] =
	"this declares nothing, which would remove everything that was declared before; if you "
	"mean that, write 'namespaces: {}'";

static void check_declares(struct reading *r, const struct node *root) {
	const struct node *links = node_get(root, "links");
	bool declares = node_get(root, "namespaces") ||
			(links && !node_is_null(links) && (links->type != NODE_SEQUENCE || links->n));

	if (!declares)
		diag_error(r->parse.diags, (struct position){ .source = root->position.source }, "%s", declares_nothing);
}

static void read_document(struct spec_reading *s, const struct node *root) {
	struct reading *r = &s->here;
	struct sections sections = sections_of(r->parse.arena, &mapping_topology);
	struct ns_state *host = state_namespace(r->state, NS_HOST);

	spec_read_drift(r, root);
	host->drift = r->drift;
	spec_read_mapping(r, root, &mapping_topology, &sections, (struct fields_parse){ .may_be_empty = true });
	spec_read_values(r, &sections);
	if (root->type != NODE_MAPPING)
		return;
	if (!r->parse.diags->n_errors)
		check_declares(r, root);
	/* Namespaces are read last, because an interface's kind may follow from `links`. */
	const struct node *namespaces = node_get(root, "namespaces");
	if (namespaces)
		read_namespaces(s, namespaces);
}

/* Every declared namespace except the host is an object itself. */
static void add_namespace_objects(struct reading *r) {
	state_foreach(ns, r->state) {
		if (streq(ns->name, NS_HOST))
			continue;
		struct object *object = netns_object(r->parse.arena, ns->name, NULL);
		object->position = ns->position;
		object->drift = ns->drift;
		object->external = ns->adopt;
		ns_add(ns, object);
	}
}

/* Reads every file to its end, so that one run shows the mistakes of all. NULL if one cannot be read. */
static const struct node *read_sources(struct arena *tree, struct diags *diags, size_t first) {
	struct parse p = { .diags = diags, .arena = tree, .elsewhere = section_elsewhere };
	const struct node *roots[UINT8_MAX];
	bool good = true;
	size_t n = 0;

	for (size_t source = first; source < diags->sources.n; source++) {
		if (tree->used > SPEC_TREE_MAX) {
			diag_error(diags, (struct position){ .source = (uint8_t)source },
				   "this file and those before it are too large together");
			return NULL;
		}
		size_t before = diags->n_errors;

		roots[n] = spec_refuse_other_text(diags, (uint8_t)source) ? NULL : yaml_read(tree, diags, (uint8_t)source);
		if (roots[n] && spec_refuse_other_file(diags, roots[n]))
			roots[n] = NULL;
		if (roots[n] && roots[n]->type == NODE_MAPPING && roots[n]->n == 0 && diags->n_errors == before)
			diag_error(diags, (struct position){ .source = (uint8_t)source }, "%s", declares_nothing);
		good &= roots[n] != NULL;
		if (roots[n])
			roots[n] = spec_mend_keys(&p, roots[n]);
		n++;
	}
	if (!good)
		return NULL;
	const struct merging merging = { .arena = tree, .diags = diags, .mapping = &mapping_topology };
	return expand(tree, diags, merge_documents(&merging, roots, n), &mapping_topology);
}

/* The name comes first, because without it the topology would be named after its file. */
static void write_out(const struct spec_reading *s, const struct node *root) {
	const struct node name = {
		.type = NODE_SCALAR, .quoted = true, .text = s->spec->topology, .n = strlen(s->spec->topology)
	};
	static const char topology[] = "topology";
	const struct node key = { .type = NODE_SCALAR, .text = topology, .n = strlen(topology) };
	struct node_pair *pairs = arena_newn(s->here.parse.arena, struct node_pair, root->n + 1);
	struct node all = { .type = NODE_MAPPING, .n = 1, .pairs = pairs };

	pairs[0] = (struct node_pair){ .key = &key, .value = &name };
	for (size_t i = 0; i < root->n; i++)
		if (!streq(root->pairs[i].key->text, topology))
			pairs[all.n++] = root->pairs[i];
	yaml_write(&all, s->options->written_out);
}

static void keep_names(struct spec *spec, const struct diags *diags) {
	const char **names = arena_newn(&spec->state.arena, const char *, diags->sources.n);

	for (size_t i = 0; i < diags->sources.n; i++)
		names[i] = arena_strdup(&spec->state.arena, diags->sources.items[i].name);
	spec->files = names;
	spec->n_files = diags->sources.n;
}

/* Each kind sees all sections together, before defaults are filled in. */
static void settle(struct reading *r) {
	state_foreach(ns, r->state)
		for (const struct kind *const *k = kinds; *k; k++)
			if ((*k)->settle)
				(*k)->settle(r, ns);
}

static struct spec_reading begin(struct spec *spec, struct diags *diags) {
	return (struct spec_reading){
		.here = { .parse = { .diags = diags, .arena = &spec->state.arena, .elsewhere = section_elsewhere },
			  .state = &spec->state },
		.spec = spec,
	};
}

bool spec_read(struct spec *ret, struct diags *diags, uint8_t source, const struct spec_options *options) {
	_cleanup_(arena_done) struct arena tree = {};
	struct spec_reading s = begin(ret, diags);

	s.options = options;
	s.here.parse.tables = options->tables;
	s.here.parse.find_account = options->find_account;
	spec_empty(ret, options->topology);
	keep_names(ret, diags);
	const struct node *root = read_sources(&tree, diags, source);
	if (!root)
		return false;
	s.here.parse.aliases = root->type == NODE_MAPPING ? spec_find_aliases(&tree, node_get(root, "namespaces")) : NULL;
	spec_reading_begin(&s);
	read_document(&s, root);
	add_namespace_objects(&s.here);
	settle(&s.here);
	spec_finish_links(&s);
	spec_check(&s);
	if (!diags->n_errors)
		meaning_check(&ret->state, diags);
	if (!diags->n_errors && options->written_out)
		write_out(&s, root);
	return !diags->n_errors;
}

bool spec_read_name(struct spec *ret, struct diags *diags, uint8_t source, const char *topology) {
	const struct section *section = section_find(&mapping_topology, "topology");
	_cleanup_(arena_done) struct arena tree = {};
	struct spec_reading s = begin(ret, diags);
	const struct node *root, *name = NULL;

	spec_empty(ret, topology);
	for (size_t at = source; at < diags->sources.n && !name; at++) {
		root = yaml_read_until(&tree, diags, (uint8_t)at, section->key);
		if (!root)
			return false;
		if (root->type != NODE_MAPPING)
			return spec_read_mapping(&s.here, root, &mapping_topology, &(struct sections){},
						 (struct fields_parse){ .may_be_empty = true });
		name = node_get(root, section->key);
	}
	if (name)
		spec_topology(&s.here, section, name);
	return !diags->n_errors;
}

void spec_empty(struct spec *ret, const char *topology) {
	*ret = (struct spec){};
	ret->topology = arena_strdup(&ret->state.arena, topology);
}

const char *spec_file_of(const struct spec *spec, struct position position) {
	return position.line && position.source < spec->n_files ? spec->files[position.source] : NULL;
}

void spec_done(struct spec *spec) {
	state_done(&spec->state);
	*spec = (struct spec){};
}
