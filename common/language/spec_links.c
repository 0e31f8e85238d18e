/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The section `links`: pairs of interfaces, by the names of their ends.
 *
 * Naming an end here creates it; its entry under `interfaces`, if any, only adds keys. So links are read first, and what
 * both leave out is filled in at the end (spec_defaults.c).
 */
#include "language/spec_private.h"

static const struct field key_endpoint = { .name = "endpoints", .type = &type_link_ref };

/* JSON Schema of {pool, length}. */
#define POOL_SCHEMA                                                                                                       \
	"{\"type\": \"object\", \"properties\": {\"pool\": {\"type\": \"string\"}, \"length\": {\"type\": [\"integer\", " \
	"\"string\"]}}, \"required\": [\"pool\", \"length\"], \"additionalProperties\": false}"

static const struct section link_sections[] = {
	{ .key = "endpoints",
	  .required = true,
	  .value = "[NAMESPACE:INTERFACE, NAMESPACE:INTERFACE]",
	  .doc = "The two ends.",
	  .schema = SPEC_ENDPOINTS_SCHEMA },
	{ .key = "prefix",
	  .value = "prefix, or `{pool, length}`",
	  .doc = "The first end gets the first address of it and the second end the second one, of a /31 or /127 both; or a list "
		 "with one of each family. With a range of links, `{pool: 10.0.0.0/16, length: 30}` gives the n-th link the n-th "
		 "prefix of this length.",
	  .schema =
		  "{\"anyOf\": [{\"type\": \"string\"}, " POOL_SCHEMA ", {\"type\": \"array\", \"minItems\": 1, \"items\": "
		  "{\"anyOf\": [{\"type\": \"string\"}, " POOL_SCHEMA "]}}]}" },
	{ .key = SECTIONS_OF_CLASSES },
	{},
};

/* The keys of a pair that apply to both ends. */
static const struct field pair_fields[] = {
	{ .name = "mtu",
	  .type = &type_integer,
	  .offset = offsetof(struct link, mtu),
	  .min = LINK_MTU_MIN,
	  .max = LINK_MTU_MAX,
	  .doc = "Largest packet of both ends, in bytes." },
	{ .name = "queues",
	  .type = &type_integer,
	  .offset = offsetof(struct link, queues),
	  .min = 1,
	  .max = 4096,
	  .doc = "Number of transmit and receive queues of both ends; by default one per CPU." },
	{ .name = "txqueuelen",
	  .type = &type_integer,
	  .offset = offsetof(struct link, txqueuelen),
	  .max = INT32_MAX,
	  .doc = "Length of both transmit queues, in packets." },
};
static const enum link_field pair_targets[] = { LINK_MTU, LINK_QUEUES, LINK_TXQUEUELEN };

const struct mapping mapping_link = {
	.name = "link",
	.title = "Links",
	.doc = "An entry of `links`: a list of the two ends, or a mapping. Keys in the entry of an end under `interfaces` have "
	       "precedence.",
	.what = "a link",
	.bare = "endpoints",
	.sections = link_sections,
	.holds = SECTION_LINK,
	.fields = pair_fields,
	.n_fields = ARRAY_SIZE(pair_fields),
};

static struct ns_state *endpoint_namespace(struct reading *r, const struct link_ref *ref, const struct node *node) {
	struct ns_state *ns = state_find(r->state, ref->ns);
	struct suggestion near = suggest_for(ref->ns);

	if (ns)
		return ns;
	state_foreach(other, r->state)
		suggest(&near, other->name);
	diag_unknown(r->parse.diags, node->position, &near, NULL, "there is no namespace '%s'", ref->ns);
	return NULL;
}

/* One end as written; ns is NULL after an error. */
struct endpoint {
	const struct node *node;
	struct link_ref ref;
	struct ns_state *ns;
};

static struct endpoint read_endpoint(struct reading *r, const struct node *node) {
	struct endpoint end = { .node = node };

	if (type_link_ref.parse(&r->parse, &key_endpoint, node, &end.ref))
		end.ns = endpoint_namespace(r, &end.ref, node);
	return end;
}

static struct object *declare_end(struct reading *r, const struct endpoint *end) {
	struct object *object =
		spec_new_link(r, spec_reading(r)->pair_kind, end->ns->name, end->ref.name, end->node->position);

	object->drift = end->ns->drift;
	struct object *before = ns_add(end->ns, object);
	if (!before)
		return object;
	diag_error(r->parse.diags, end->node->position, "%s:%s is an end of two links", end->ref.ns, end->ref.name);
	diag_note(r->parse.diags, before->position, "first here");
	return NULL;
}

/* The first end of a pair that was declared before with these ends, in either order; or NULL. */
static struct object *find_pair(const struct endpoint ends[2]) {
	struct object *before = ns_find_link(ends[0].ns, ends[0].ref.name);

	if (!before || !before->twin || before->twin != ns_find_link(ends[1].ns, ends[1].ref.name))
		return NULL;
	return before;
}

static void set_peer(struct object *end, struct object *other, size_t peer) {
	struct link_ref *ref = field_of(&end->kind->fields[peer], end);

	*ref = (struct link_ref){ .ns = other->ns, .name = ((struct link *)other)->name, .netnsid = -1 };
	end->set |= field_bit(peer);
	end->twin = other;
}

/* Adds the values of a second entry for the same pair: they must be the same, or new. */
static void add_pair_values(struct reading *r, struct object *end, struct object *values) {
	struct link *one = (struct link *)end, *other = (struct link *)end->twin;

	for (size_t i = 0; one->pair && i < LINK_N_FIELDS; i++) {
		const struct field *field = &end->kind->fields[i];

		if (!object_has(values, i) || !object_has(one->pair, i) || field_equal(field, values, one->pair))
			continue;
		diag_error(r->parse.diags, values->positions[i], "'%s' of this link is declared twice with different values",
			   field->name);
		diag_note(r->parse.diags, one->pair->positions[i], "first here");
	}
	spec_inherit(values, one->pair);
	one->pair = other->pair = values;
}

/* Sections of classes in the entry apply to both ends. */
static void read_of_ends(struct reading *r, struct object *one) {
	const struct sections *sections = &spec_reading(r)->link;
	struct object *ends[] = { one, one->twin };

	for (size_t i = 0; i < sections->n; i++)
		for (size_t end = 0; sections->values[i] && end < 2; end++) {
			if (sections->items[i]->place != SECTION_LINK)
				continue;
			r->link = ends[end];
			r->ns = state_find(r->state, ends[end]->ns);
			r->parse.ns = r->ns->name;
			r->drift = ends[end]->drift;
			section_read(r, sections->items[i], sections->values[i]);
		}
	r->link = NULL;
	r->ns = NULL;
	r->parse.ns = NULL;
}

static void read_endpoints(struct reading *r, const struct node *list, struct object *pair_values) {
	struct endpoint written[2];
	struct object *ends[2], *before;

	if (list->type != NODE_SEQUENCE || list->n != 2) {
		diag_error(r->parse.diags, list->position,
			   "a link has two ends: [namespace:interface, namespace:interface]");
		return;
	}
	for (size_t i = 0; i < 2; i++)
		written[i] = read_endpoint(r, list->items[i]);
	before = written[0].ns && written[1].ns ? find_pair(written) : NULL;
	if (before && pair_values) {
		add_pair_values(r, before, pair_values);
		read_of_ends(r, before);
	}
	if (before)
		return;
	for (size_t i = 0; i < 2; i++)
		ends[i] = written[i].ns ? declare_end(r, &written[i]) : NULL;
	if (!ends[0] || !ends[1])
		return;
	for (size_t i = 0; i < 2; i++) {
		set_peer(ends[i], ends[1 - i], spec_reading(r)->peer);
		/* An end's own entry, which is read later, has precedence, so these values are kept aside until then. */
		((struct link *)ends[i])->pair = pair_values;
	}
	if (pair_values)
		read_of_ends(r, ends[0]);
}

static void read_link(struct reading *r, const struct node *node) {
	struct position places[ARRAY_SIZE(pair_fields)] = {}, *positions;
	struct sections *sections = &spec_reading(r)->link;
	struct object *values;
	uint64_t set = 0;

	if (node->type != NODE_MAPPING) {
		read_endpoints(r, node, NULL);
		return;
	}
	values = object_new(r->parse.arena, &kind_other, "");
	values->positions = positions = arena_newn(r->parse.arena, struct position, LINK_N_FIELDS);
	spec_read_mapping(r, node, &mapping_link, sections,
			  (struct fields_parse){ .fields = pair_fields,
						 .n = ARRAY_SIZE(pair_fields),
						 .base = values,
						 .set = &set,
						 .positions = places });
	for (size_t i = 0; i < ARRAY_SIZE(pair_targets); i++) {
		values->set |= (set >> i & 1) << pair_targets[i];
		positions[pair_targets[i]] = places[i];
	}
	if (sections->values[0])
		read_endpoints(r, sections->values[0], values);
}

void spec_links(struct reading *r, const struct section *section _unused_, const struct node *node) {
	if (node->type != NODE_SEQUENCE) {
		diag_error(r->parse.diags, node->position,
			   "'links' is a list of [namespace:interface, namespace:interface]");
		return;
	}
	section_each(r, node, read_link);
}
