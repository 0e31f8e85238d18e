/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fills in what links leave out: values from `defaults`, from the entry of their pair, and those that topod gives every link
 * that it makes.
 */
#include "language/spec_private.h"

/* The fields of an interface that topod makes; an end of a pair has the same limits. */
static const struct field default_fields[] = { LINK_FIELDS("1500") };

const struct mapping mapping_default_values = {
	.name = "default-values",
	.title = "Default values",
	.doc = "A mapping in `defaults`.",
	.fields = default_fields,
	.n_fields = LINK_N_FIELDS,
	.kind = &kind_other,
	.without = "mac-address",
};

static const struct section defaults_sections[] = {
	{ .key = "link",
	  .shape = SECTION_MAPPING,
	  .mapping = &mapping_default_values,
	  .value = "[values](#default-values)",
	  .doc = "For both ends of each link.",
	  .read = spec_link_default },
	{ .key = "interface",
	  .shape = SECTION_MAPPING,
	  .mapping = &mapping_default_values,
	  .value = "[values](#default-values)",
	  .doc = "For every interface that topod makes.",
	  .read = spec_interface_default },
	{ .key = "namespace",
	  .shape = SECTION_MAPPING,
	  .mapping = &mapping_namespace,
	  .value = "[namespace](#namespace)",
	  .doc = "For every namespace but `host`: keys that its entry leaves out. If both have a mapping, such as `sysctl`, "
		 "the keys of both count." },
	{},
};

const struct mapping mapping_defaults = {
	.name = "defaults",
	.title = "Defaults",
	.doc = "The mapping `defaults`.",
	.what = "defaults",
	.sections = defaults_sections,
};

/* Reads defaults as a link that is in no namespace. */
static struct object *read_default(struct reading *r, const struct node *node, const char *what) {
	struct object *object = object_new(r->parse.arena, &kind_other, "");
	struct position *positions = arena_newn(r->parse.arena, struct position, LINK_N_FIELDS);

	object->positions = positions;
	fields_parse(&r->parse, node,
		     &(struct fields_parse){ .what = what,
					     .fields = default_fields,
					     .n = LINK_N_FIELDS,
					     .base = object,
					     .set = &object->set,
					     .positions = positions });
	if (object_has(object, LINK_MAC))
		diag_error(r->parse.diags, node_key_position(node, "mac-address"),
			   "'mac-address' cannot be a default: each interface needs its own");
	return object;
}

void spec_link_default(struct reading *r, const struct section *section _unused_, const struct node *node) {
	spec_reading(r)->link_defaults = read_default(r, node, "the defaults of links");
}

void spec_interface_default(struct reading *r, const struct section *section _unused_, const struct node *node) {
	spec_reading(r)->interface_defaults = read_default(r, node, "the defaults of interfaces");
}

void spec_defaults(struct reading *r, const struct section *section, const struct node *node) {
	struct sections sections = sections_of(r->parse.arena, section->mapping);

	if (!node_check_mapping(r->parse.diags, node, "'defaults'", "'link', 'interface' and 'namespace'"))
		return;
	spec_read_mapping(r, node, section->mapping, &sections, (struct fields_parse){});
	spec_read_values(r, &sections);
}

void spec_inherit(struct object *object, const struct object *from) {
	struct position *positions = (struct position *)(uintptr_t)object->positions;

	if (!from)
		return;
	for (size_t i = 0; i < LINK_N_FIELDS; i++) {
		const struct field *field = &object->kind->fields[i];

		if (field->class == FIELD_KEY || !object_has(from, i) || object_has(object, i))
			continue;
		memcpy(field_of(field, object), field_of(field, from), field->type->size);
		object->set |= field_bit(i);
		positions[i] = from->positions[i];
	}
}

static void finish_link(struct spec_reading *s, const struct ns_state *ns, struct object *object) {
	struct arena *arena = s->here.parse.arena;
	struct link *link = (struct link *)object;
	bool moved = object->kind->is_made_of;
	bool made = !object->external;

	object->awaited &= !streq(ns->name, NS_HOST) && (!ns->adopt || ns->attach) && !streq(link->name, "lo");
	if (object->twin) {
		spec_inherit(object, link->pair);
		spec_inherit(object, s->link_defaults);
	}
	if (made && !moved)
		spec_inherit(object, s->interface_defaults);
	if (!object_has(object, LINK_UP)) {
		link->up = true;
		object->set |= field_bit(LINK_UP);
	}
	if (!moved && (made || (streq(link->name, "lo") && !ns->adopt && !streq(ns->name, NS_HOST))))
		link_want_own_addresses(link);
	if (object_has(object, LINK_QUEUES)) {
		link->rx_queues = link->queues;
		object->set |= field_bit(LINK_RX_QUEUES);
	}
	if (!made)
		return;
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (field->initial && !object_has(object, i) &&
		    field_from_text(arena, object->ns, field, field->initial, object))
			object->set |= field_bit(i);
	}
	if (object->kind->no_mac && object_has(object, LINK_MAC))
		diag_error(s->here.parse.diags, object_position(object, &object->kind->fields[LINK_MAC]),
			   "an interface of kind %s has no MAC address: leave 'mac-address' out", object->kind->name);
	if (!object_has(object, LINK_MAC) && !moved && !object->kind->no_mac &&
	    !(object->kind->shares_mac && object->kind->shares_mac(object))) {
		link->mac = link_stable_mac(s->options->machine_id, s->spec->topology, object->ns, link->name);
		object->set |= field_bit(LINK_MAC);
	}
	link->alias = s->alias;
	object->set |= field_bit(LINK_ALIAS);
}

static void add_lo(struct spec_reading *s, struct ns_state *ns) {
	if (streq(ns->name, NS_HOST) || ns->adopt || ns_find_link(ns, "lo"))
		return;
	struct object *lo = spec_new_link(&s->here, &kind_loopback, ns->name, "lo", ns->position);
	lo->drift = ns->drift;
	ns_add(ns, lo);
}

void spec_finish_links(struct spec_reading *s) {
	s->alias = arena_printf(s->here.parse.arena, "topod:%s", s->spec->topology);
	state_foreach(ns, s->here.state) {
		add_lo(s, ns);
		ns_foreach(object, ns)
			if (object_is_link(object))
				finish_link(s, ns, object);
	}
}
