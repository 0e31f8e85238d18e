/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files spec*.c share; not for others. */
#pragma once

#include "kind/link.h"
#include "language/sections.h"
#include "language/spec.h"

struct spec_reading {
	struct reading here; /* first, so that a section's read() finds the rest; see spec_reading() */
	struct spec *spec;
	const struct spec_options *options;
	struct sections namespace, interface, link;
	const struct kind *found_kind; /* of links that are not made, but found */
	const struct kind *pair_kind;  /* of the two ends of an entry of `links` … */
	size_t peer;                   /* … and its field that names the other end */
	const struct object *link_defaults,
		*interface_defaults; /* their fields stand for what links leave out; NULL: none */
	const char *alias;           /* of every link that topod makes */
	struct ports *ports;         /* spec_check_stacks.c: all of them, once they were asked for */
};

static inline struct spec_reading *spec_reading(struct reading *r) {
	return (struct spec_reading *)r;
}

/* spec_merge.c: one document of several, each laid over those before it; n at least 1. What contradicts is an error in
 * diags. The documents stay as they are, and parts of them are parts of what is returned. */
const struct node *spec_merge(struct arena *arena, struct diags *diags, const struct node *const *roots, size_t n);

/* spec_read.c: reading by the tables of sections. */

void spec_reading_begin(struct spec_reading *s);

/* Reads the fields of a mapping to where `fields` says, and takes the values of its sections into s->values; what the mapping
 * must have and how it is called is `mapping`'s. False where something was wrong. */
bool spec_read_mapping(struct reading *r, const struct node *node, const struct mapping *mapping, struct sections *s,
		       struct fields_parse fields);
/* Reads the values that were taken. */
void spec_read_values(struct reading *r, const struct sections *s);

/* The key `drift` of a mapping holds for all that is in it: into r->drift. */
void spec_read_drift(struct reading *r, const struct node *mapping);
extern const struct field spec_key_drift;

/* spec_defaults.c: fills in what links leave out, once all sections were read. */
void spec_finish_links(struct spec_reading *s);
/* Takes over what `from` sets and the object does not, with its places. from may be NULL. */
void spec_inherit(struct object *object, const struct object *from);

/* JSON Schema of the two ends of a link. */
#define SPEC_ENDPOINTS_SCHEMA \
	"{\"type\": \"array\", \"items\": {\"type\": \"string\", \"pattern\": \":\"}, \"minItems\": 2, \"maxItems\": 2}"

/* spec_interfaces.c: a link of that name; its fields have places. */
struct object *spec_new_link(struct reading *r, const struct kind *kind, const char *ns, const char *name,
			     struct position position);

/* spec_check.c: what only shows across objects. */
void spec_check(struct spec_reading *s);

/* How the sections of sections.c are read. */
void spec_version(struct reading *r, const struct section *section, const struct node *node);
void spec_topology(struct reading *r, const struct section *section, const struct node *node);
void spec_on_stop(struct reading *r, const struct section *section, const struct node *node);
void spec_declare_namespaces(struct reading *r, const struct section *section, const struct node *node);
void spec_adopt(struct reading *r, const struct section *section, const struct node *node);
void spec_exclusive(struct reading *r, const struct section *section, const struct node *node);
void spec_interfaces(struct reading *r, const struct section *section, const struct node *node);
void spec_links(struct reading *r, const struct section *section, const struct node *node);
void spec_defaults(struct reading *r, const struct section *section, const struct node *node);
void spec_link_default(struct reading *r, const struct section *section, const struct node *node);
void spec_interface_default(struct reading *r, const struct section *section, const struct node *node);
