/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this room share; not for others. */
#pragma once

#include "export/export.h"
#include "expand/build.h"
#include "model/section.h"

struct export {
	struct arena *arena;
	const struct state *seen;
	const struct export_options *options;
	struct exported *ret;
};

/* A list of pairs or items that grows; comments are pairs without a value. */
typedef vec(struct node_pair) node_pairs;
typedef vec(const struct node *) node_items;

/* Is the namespace in the file? */
static inline bool export_has(const struct ns_state *ns) {
	return ns && ns->present && !ns->error;
}

void pairs_add(struct export *x, node_pairs *pairs, const char *key, const struct node *value);
/* Makes a mapping or list of what was collected, and frees the latter; NULL if it is empty. */
const struct node *pairs_finish(struct export *x, node_pairs *pairs);
const struct node *items_finish(struct export *x, node_items *items);

/* Notes what the file leaves out, and adds the note to pairs as a comment. */
void export_note(struct export *x, node_pairs *pairs, const char *ns, const char *interface, const char *format, ...)
	_printf_(5, 6);

/* export_around.c: adds the namespaces that export_each_around() finds. */
void export_around(struct export *x, node_pairs *namespaces);

/* export_object.c */

/* Adds the fields of an observed object that cannot be left out. fields: the table of the language's entry, whose first rows
 * are those of the object's kind. skip: fields that are written elsewhere. */
void export_fields(struct export *x, const struct object *object, const struct field *fields, size_t n, uint64_t skip,
		   node_pairs *pairs);
/* Would the file say something else without the field? */
bool export_says(const struct export *x, const struct object *object, const struct field *field, size_t i);
/* The node of a text in flow style. */
const struct node *export_flow(struct export *x, const struct text *text);
/* The value of a field. */
const struct node *export_value(struct export *x, const struct object *object, const struct field *field);
/* An object that is an entry of a list: a mapping, or a single word. */
const struct node *export_entry(struct export *x, const struct object *object, const struct mapping *mapping);
