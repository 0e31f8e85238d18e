/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "language/spec.h"

#include "kind/resolv_conf.h"
#include "kind/ruleset.h"
#include "kind/netns.h"
#include "kind/route.h"
#include "kind/sysctl.h"
#include "language/spec_private.h"
#include "meaning/meaning.h"

/* Bytes of trees; each file has its own limit of nodes, and behind the one that passes this no other is read. */
enum { SPEC_TREE_MAX = 512 * 1024 * 1024 };

static const struct enum_name drift_names[] = {
	{ "restore", DRIFT_RESTORE },
	{ "report", DRIFT_REPORT },
	{ "ignore", DRIFT_IGNORE },
	{},
};
static const struct enum_name stop_names[] = { { "keep", 0 }, { "remove", 1 }, {} };
static const struct field key_drift = { .name = "drift", .type = &type_enum, .names = drift_names };
static const struct field key_on_stop = { .name = "on-stop", .type = &type_enum, .names = stop_names };
static const struct field key_adopt = { .name = "adopt", .type = &type_bool };
static const struct field key_exclusive = { .name = "exclusive", .type = &type_bool };
static const struct field key_version = { .name = "version", .type = &type_integer, .min = 1, .max = 1 };
static const struct field key_topology = { .name = "topology", .type = &type_text };
static const struct field key_namespace = { .name = "namespaces", .type = &type_text };
static const struct field key_sysctl = { .name = "sysctl", .type = &type_text };

void spec_each(struct reading *r, struct ns_state *ns, const struct node *node, spec_item_fn fn) {
	if (node->type != NODE_SEQUENCE) {
		if (!node_is_null(node))
			fn(r, ns, node);
		return;
	}
	for (size_t i = 0; i < node->n; i++)
		fn(r, ns, node->items[i]);
}

bool spec_drift(struct reading *r, const struct node *node, enum drift_policy *ret) {
	uint32_t value;

	if (!type_enum.parse(&r->parse, &key_drift, node, &value))
		return false;
	*ret = (enum drift_policy)value;
	return true;
}

void spec_add(struct reading *r, struct ns_state *ns, struct object *object) {
	struct object *before = ns_add(ns, object);

	if (!before || (!object_compare(before, object) && !object_compare(object, before)))
		return;
	_cleanup_text_ struct text name = {};
	object_print_id(object, &name);
	diag_error(r->parse.diags, object->position, "%s is declared twice with different values%s", name.data,
		   object->kind->if_twice ? object->kind->if_twice(object) : "");
	diag_note(r->parse.diags, before->position, "first here");
}

void spec_add_sysctl(struct reading *r, struct ns_state *ns, const char *path, const char *value, struct position position,
		     enum drift_policy drift) {
	struct sysctl *sysctl = sysctl_new(r->parse.arena, ns->name, path, value);

	sysctl->object.position = position;
	sysctl->object.drift = drift;
	spec_add(r, ns, &sysctl->object);
}

/* A mapping of names, each with a handler; the handler of an unknown key is its error. */
struct section {
	const char *key;
	void (*read)(struct reading *r, struct ns_state *ns, const struct node *node);
	bool may_be_empty; /* a list or mapping, written without anything in it */
};

static bool is_mapping_of_keys(struct reading *r, const struct node *node, const char *what) {
	if (node->type != NODE_MAPPING)
		diag_error(r->parse.diags, node->position, "%s must be a mapping of keys, not %s%s", what,
			   node_type_name(node), node_is_null(node) ? "; an empty one is written {}" : "");
	return node->type == NODE_MAPPING;
}

static void read_sections(struct reading *r, struct ns_state *ns, const struct node *node, const char *what,
			  const struct section *sections, size_t n) {
	const char *names[32];

	if (!is_mapping_of_keys(r, node, what))
		return;
	for (size_t i = 0; i < n; i++)
		names[i] = sections[i].key;
	for (size_t i = 0; i < node->n; i++) {
		size_t at = 0;

		while (at < n && !streq(node->pairs[i].key->text, sections[at].key))
			at++;
		if (at == n)
			parse_unknown_key(r->parse.diags, node->pairs[i].key, what, names, n);
	}
	/* In the order of the table, which is the order in which one section needs another. */
	for (size_t i = 0; i < n; i++) {
		const struct node *value = node_get(node, sections[i].key);

		if (value && sections[i].read && !(node_is_null(value) && sections[i].may_be_empty))
			sections[i].read(r, ns, value);
	}
}

/* namespaces.NAME */

static void read_adopt(struct reading *r, struct ns_state *ns, const struct node *node) {
	uint32_t value = 0;

	if (type_bool.parse(&r->parse, &key_adopt, node, &value))
		ns->adopt = value;
}

static void read_exclusive(struct reading *r, struct ns_state *ns, const struct node *node) {
	uint32_t value = 0;

	if (!type_bool.parse(&r->parse, &key_exclusive, node, &value))
		return;
	if (value && streq(ns->name, NS_HOST))
		diag_error(r->parse.diags, node->position,
			   "the host namespace cannot be exclusive: topod shares it with others");
	else
		ns->exclusive = value;
}

static void read_ns_drift(struct reading *r, struct ns_state *ns, const struct node *node) {
	spec_drift(r, node, &ns->drift);
}

static void read_forwarding(struct reading *r, struct ns_state *ns, const struct node *node) {
	static const struct enum_name names[] = {
		{ "true", 3 }, { "yes", 3 }, { "on", 3 }, { "ipv4", 1 }, { "ipv6", 2 }, { "false", 0 },
		{ "no", 0 },   { "off", 0 }, {},
	};
	static const struct field key = { .name = "forwarding", .type = &type_enum, .names = names };
	uint32_t families;

	if (!type_enum.parse(&r->parse, &key, node, &families))
		return;
	if (families & 1 || !families)
		spec_add_sysctl(r, ns, "net/ipv4/ip_forward", families ? "1" : "0", node->position, ns->drift);
	if (families & 2 || !families)
		spec_add_sysctl(r, ns, "net/ipv6/conf/all/forwarding", families ? "1" : "0", node->position, ns->drift);
}

static void read_sysctl(struct reading *r, struct ns_state *ns, const struct node *node) {
	const char *why, *path, *value;

	if (node->type != NODE_MAPPING) {
		diag_error(r->parse.diags, node->position, "'sysctl' must be a mapping of keys, not %s",
			   node_type_name(node));
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		const struct node_pair *pair = &node->pairs[i];

		path = sysctl_path(r->parse.arena, pair->key->text, &why);
		if (!path)
			diag_error(r->parse.diags, pair->key->position, "the sysctl '%s' %s", pair->key->text, why);
		value = parse_scalar(&r->parse, &key_sysctl, pair->value);
		why = path && value ? sysctl_problem(r->parse.arena, path, value) : NULL;
		if (why)
			diag_error(r->parse.diags, pair->value->position, "the sysctl '%s' %s", pair->key->text, why);
		else if (path && value)
			spec_add_sysctl(r, ns, path, value, pair->key->position, ns->drift);
	}
}

static void read_dns(struct reading *r, struct ns_state *ns, const struct node *node) {
	if (streq(ns->name, NS_HOST)) {
		diag_error(r->parse.diags, node->position,
			   "'dns' is for named namespaces; the host has its own resolv.conf");
		return;
	}
	struct dns *dns = dns_parse(&r->parse, node);
	if (dns) {
		dns->object.drift = ns->drift;
		spec_add(r, ns, &dns->object);
	}
}

static void read_route(struct reading *r, struct ns_state *ns, const struct node *node) {
	struct route *route = route_parse(&r->parse, node);

	if (!route)
		return;
	route->object.drift = ns->drift;
	spec_add(r, ns, &route->object);
}

static void read_routes(struct reading *r, struct ns_state *ns, const struct node *node) {
	spec_each(r, ns, node, read_route);
}

static void read_nat(struct reading *r, struct ns_state *ns, const struct node *node) {
	struct object *object = object_new(r->parse.arena, &kind_nat, ns->name);
	struct nat *nat = (struct nat *)object;

	if (!nat_parse(&r->parse, node, nat) || !nat->rules->n)
		return;
	object->drift = ns->drift;
	object_seal(r->parse.arena, object);
	spec_add(r, ns, object);
}

static void read_namespace(struct reading *r, struct ns_state *ns, const struct node *node) {
	static const struct section sections[] = {
		{ "adopt", read_adopt },
		{ "exclusive", read_exclusive },
		{ "drift", read_ns_drift },
		{ "forwarding", read_forwarding },
		{ "sysctl", read_sysctl, true },
		{ "dns", read_dns, true },
		{ "interfaces", spec_interfaces, true },
		{ "routes", read_routes, true },
		{ "nat", read_nat, true },
	};

	read_sections(r, ns, node, "a namespace", sections, ARRAY_SIZE(sections));
}

static void declare_namespace(struct reading *r, const struct node *key) {
	const char *name, *why;

	if (!type_text.parse(&r->parse, &key_namespace, key, &name))
		return;
	if (!file_name_valid(key->text, &why)) {
		diag_error(r->parse.diags, key->position, "the namespace name '%s' %s", key->text, why);
		return;
	}
	struct ns_state *ns = state_namespace(&r->spec->state, key->text);
	ns->declared = true;
	ns->drift = r->drift;
	ns->position = key->position;
}

static void read_namespaces(struct reading *r, struct ns_state *none _unused_, const struct node *node) {
	for (size_t i = 0; node->type == NODE_MAPPING && i < node->n; i++) {
		struct ns_state *ns = state_find(&r->spec->state, node->pairs[i].key->text);

		if (!ns)
			continue; /* its name was refused */
		r->parse.ns = ns->name;
		read_namespace(r, ns, node->pairs[i].value);
		r->parse.ns = NULL;
	}
}

static void declare_namespaces(struct reading *r, struct ns_state *none _unused_, const struct node *node) {
	if (node->type != NODE_MAPPING) {
		diag_error(r->parse.diags, node->position, "'namespaces' must be a mapping of names, not %s",
			   node_type_name(node));
		return;
	}
	for (size_t i = 0; i < node->n; i++)
		declare_namespace(r, node->pairs[i].key);
}

/* The top level. */

static const char a_topology[] = "a topology";

static void read_version(struct reading *r, struct ns_state *none _unused_, const struct node *node) {
	uint32_t version;

	type_integer.parse(&r->parse, &key_version, node, &version);
}

static void read_topology(struct reading *r, struct ns_state *none _unused_, const struct node *node) {
	const char *name, *why;

	if (!type_text.parse(&r->parse, &key_topology, node, &name))
		return;
	if (!file_name_valid(name, &why) || strlen(name) > 100) {
		diag_error(r->parse.diags, node->position, "the topology's name '%s' %s", name,
			   why ? why : "is longer than 100 bytes");
		return;
	}
	r->spec->topology = name;
	r->spec->named = true;
}

static void read_drift(struct reading *r, struct ns_state *none _unused_, const struct node *node) {
	spec_drift(r, node, &r->drift);
}

static void read_on_stop(struct reading *r, struct ns_state *none _unused_, const struct node *node) {
	uint32_t value;

	if (type_enum.parse(&r->parse, &key_on_stop, node, &value))
		r->spec->remove_on_stop = value;
}

static void read_defaults(struct reading *r, struct ns_state *none _unused_, const struct node *node) {
	spec_defaults(r, node);
}

static void read_links(struct reading *r, struct ns_state *none _unused_, const struct node *node) {
	spec_links(r, node);
}

/* An empty file would remove everything. Hardly anybody means that, and an editor or a copy leaves one for a moment. */
static const char says_nothing[] = "this declares nothing, which would remove everything that was declared before; if you "
				   "mean that, write 'namespaces: {}'";

static void check_declares(struct reading *r, const struct node *root) {
	const struct node *links = node_get(root, "links");
	bool declares = node_get(root, "namespaces") ||
			(links && !node_is_null(links) && (links->type != NODE_SEQUENCE || links->n));

	if (!declares)
		diag_error(r->parse.diags, (struct position){ .source = root->position.source }, "%s", says_nothing);
}

static void read_document(struct reading *r, const struct node *root) {
	static const struct section sections[] = {
		{ "version", read_version },   { "topology", read_topology },       { "drift", read_drift },
		{ "on-stop", read_on_stop },   { "defaults", read_defaults, true }, { "namespaces", declare_namespaces },
		{ "links", read_links, true },
	};

	struct ns_state *host = state_namespace(&r->spec->state, NS_HOST);

	read_sections(r, NULL, root, a_topology, sections, ARRAY_SIZE(sections));
	if (!host->declared)
		host->drift = r->drift;
	if (root->type != NODE_MAPPING)
		return;
	if (!r->parse.diags->n_errors)
		check_declares(r, root);
	/* The namespaces are read last: an interface's kind may follow from `links`. */
	const struct node *namespaces = node_get(root, "namespaces");
	if (namespaces)
		read_namespaces(r, NULL, namespaces);
}

/* Every namespace that topod makes is an object, and its lo is brought up. */
static void add_namespace_objects(struct reading *r) {
	state_foreach(ns, &r->spec->state) {
		if (streq(ns->name, NS_HOST))
			continue;
		struct object *object = netns_object(r->parse.arena, ns->name, NULL);
		object->position = ns->position;
		object->drift = ns->drift;
		object->external = ns->adopt;
		ns_add(ns, object);
	}
}

/* Every file is read to its end, so that one run shows the mistakes of all. NULL where one cannot be. */
static const struct node *read_sources(struct arena *tree, struct diags *diags, size_t first) {
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

		roots[n] = yaml_read(tree, diags, (uint8_t)source);
		if (roots[n] && roots[n]->type == NODE_MAPPING && roots[n]->n == 0 && diags->n_errors == before)
			diag_error(diags, (struct position){ .source = (uint8_t)source }, "%s", says_nothing);
		good &= roots[n++] != NULL;
	}
	return good ? spec_merge(tree, diags, roots, n) : NULL;
}

static void keep_names(struct spec *spec, const struct diags *diags) {
	const char **names = arena_newn(&spec->state.arena, const char *, diags->sources.n);

	for (size_t i = 0; i < diags->sources.n; i++)
		names[i] = arena_strdup(&spec->state.arena, diags->sources.items[i].name);
	spec->files = names;
	spec->n_files = diags->sources.n;
}

bool spec_read(struct spec *ret, struct diags *diags, uint8_t source, const struct spec_options *options) {
	_cleanup_(arena_done) struct arena tree = {};
	struct reading r = {
		.parse = { .diags = diags, .tables = options->tables },
		.spec = ret,
		.options = options,
	};

	spec_empty(ret, options->topology);
	keep_names(ret, diags);
	r.parse.arena = &ret->state.arena;
	const struct node *root = read_sources(&tree, diags, source);
	if (!root)
		return false;
	read_document(&r, root);
	add_namespace_objects(&r);
	spec_unite_settings(&r);
	spec_finish_links(&r);
	spec_check(&r);
	if (!diags->n_errors)
		meaning_check(&ret->state, diags);
	return !diags->n_errors;
}

bool spec_read_name(struct spec *ret, struct diags *diags, uint8_t source, const char *topology) {
	_cleanup_(arena_done) struct arena tree = {};
	struct reading r = { .parse = { .diags = diags, .arena = &ret->state.arena }, .spec = ret };
	const struct node *root, *name = NULL;

	spec_empty(ret, topology);
	for (size_t at = source; at < diags->sources.n && !name; at++) {
		root = yaml_read_until(&tree, diags, (uint8_t)at, key_topology.name);
		if (!root || !is_mapping_of_keys(&r, root, a_topology))
			return false;
		name = node_get(root, key_topology.name);
	}
	if (name)
		read_topology(&r, NULL, name);
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
