/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading sections whose entries are objects, by the kind's field table (section.h).
 */
#include "model/section.h"

bool section_is_of(const struct section *section, const struct kind *link) {
	const struct kind *listed[] = { link->port_kind, link->part_kind };

	for (size_t i = 0; i < ARRAY_SIZE(listed); i++)
		if (listed[i] && streq(listed[i]->section->key, section->key))
			return true;
	return false;
}

void reading_add(struct reading *r, struct ns_state *ns, struct object *object) {
	struct object *before = ns_add(ns, object);

	if (!before || (!object_compare(before, object) && !object_compare(object, before)))
		return;
	_cleanup_text_ struct text name = {};
	object_print_id(object, &name);
	diag_error(r->parse.diags, object->position, "%s is declared twice with different values%s", name.data,
		   object->kind->if_twice ? object->kind->if_twice(object) : "");
	diag_note(r->parse.diags, before->position, "first here");
}

void reading_miss_link(struct reading *r, const char *name, struct position position) {
	struct missing_link *missing = arena_new(r->parse.arena, struct missing_link);

	*missing = (struct missing_link){ r->ns, name, position, r->missing_links };
	r->missing_links = missing;
}

const struct section *section_find(const struct mapping *mapping, const char *key) {
	for (const struct section *s = mapping->sections; s && s->key; s++)
		if (streq(s->key, key))
			return s;
	for (const struct class *const *c = classes; *c && mapping->holds; c++)
		for (const struct section *s = (*c)->sections; s && s->key; s++)
			if (s->place == mapping->holds && streq(s->key, key))
				return s;
	for (const struct kind *const *k = kinds; *k && mapping->holds == SECTION_INTERFACE; k++)
		if ((*k)->section && streq((*k)->section->key, key))
			return (*k)->section;
	return NULL;
}

void section_each(struct reading *r, const struct node *list, section_item_fn fn) {
	if (list->type != NODE_SEQUENCE) {
		if (!node_is_null(list))
			fn(r, list);
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		fn(r, list->items[i]);
}

/* Entries that are objects. */

/* The user wrote "default via 10.0.0.1 dev eth0", as for ip(8): shows how to write it here. */
static void refuse_words(struct parse *p, const struct mapping *m, const struct node *node) {
	_cleanup_text_ struct text right = {};
	bool key = !m->first;

	text_add(&right, m->first ? m->first : "");
	for (const char *at = node->text; *at; key = !key) {
		size_t n = strcspn(at, " \t");

		text_addf(&right, "%s%.*s", !key ? ": " : right.size ? ", " : "", (int)n, at);
		at += n + strspn(at + n, " \t");
	}
	diag_error(p->diags, node->position, "%s must be a mapping of keys, not a string; write {%s}", m->what,
		   text_str(&right));
}

/* In an interface's entry, the field that names the link follows from the interface. */
static void set_link(struct object *object, const struct object *link) {
	const struct kind *kind = object->kind;

	for (size_t i = 0; link && i < kind->n_fields; i++)
		if (kind->fields[i].class == FIELD_KEY && kind->fields[i].flags & FIELD_HIDDEN &&
		    kind->fields[i].flags & FIELD_DEV) {
			*(const char **)field_of(&kind->fields[i], object) = object_home_link(link);
			object->set |= field_bit(i);
		}
}

static void parse_bare(struct parse *p, const struct mapping *m, const struct node *node, struct object *object) {
	size_t i = (size_t)kind_field(m->kind, m->bare);

	if (m->fields[i].type->parse(p, &m->fields[i], node, field_of(&m->fields[i], object)))
		object->set |= field_bit(i);
}

static void read_entry(struct reading *r, const struct mapping *m, const struct node *node) {
	struct object *object = object_new(r->parse.arena, m->kind, r->ns->name);
	size_t errors = r->parse.diags->n_errors;

	object->position = node->position;
	object->drift = r->drift;
	set_link(object, r->link);
	if (node->type != NODE_MAPPING && m->bare) {
		parse_bare(&r->parse, m, node, object);
	} else if (node->type == NODE_SCALAR && strpbrk(node->text, " \t") && !node_joined_key(node)) {
		refuse_words(&r->parse, m, node);
	} else {
		struct position *positions = arena_newn(r->parse.arena, struct position, m->kind->n_fields);

		object->positions = positions;
		fields_parse(&r->parse, node,
			     &(struct fields_parse){ .what = m->what,
						     .fields = m->kind->fields,
						     .n = m->kind->n_fields,
						     .base = object,
						     .set = &object->set,
						     .positions = positions });
	}
	if (r->parse.diags->n_errors != errors || (m->kind->finish && !m->kind->finish(&r->parse, object, node)))
		return;
	object_seal(r->parse.arena, object);
	reading_add(r, r->ns, object);
}

void section_read(struct reading *r, const struct section *section, const struct node *value) {
	if (section->read) {
		section->read(r, section, value);
		return;
	}
	if (!section->mapping || !section->mapping->kind)
		return;
	if (value->type != NODE_SEQUENCE && !node_is_null(value))
		read_entry(r, section->mapping, value);
	for (size_t i = 0; value->type == NODE_SEQUENCE && i < value->n; i++)
		read_entry(r, section->mapping, value->items[i]);
}
