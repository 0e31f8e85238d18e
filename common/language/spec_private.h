/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files spec*.c share. */
#pragma once

#include "kind/link.h"
#include "language/sections.h"
#include "language/spec.h"

struct spec_reading {
	struct reading here; /* first, so that a section's read() can find the rest; see spec_reading() */
	struct spec *spec;
	const struct spec_options *options;
	struct sections namespace, interface, link;
	const struct kind *found_kind;                           /* the kind of links that are found, not made */
	const struct kind *pair_kind;                            /* the kind of the two ends of an entry of `links` … */
	size_t peer;                                             /* … and the field that names the other end */
	const struct object *link_defaults, *interface_defaults; /* defaults for what links leave out; or NULL */
	const char *alias;                                       /* the alias of every link that topod makes */
	struct ports *ports;                                     /* spec_check_stacks.c: all ports, collected on first use */
};

static inline struct spec_reading *spec_reading(struct reading *r) {
	return (struct spec_reading *)r;
}

/* correct.c: the document with unknown keys of its upper levels corrected, after errors. */
const struct node *spec_mend_keys(struct parse *p, const struct node *root);

/* other_files.c: reports a file of another tool, recognised by its text or its keys. False: it may be a topology. */
bool spec_refuse_other_text(struct diags *diags, uint8_t source);
bool spec_refuse_other_file(struct diags *diags, const struct node *root);

/* spec_read.c: reading by the tables of sections. */

void spec_reading_begin(struct spec_reading *s);

/* Reads the fields of a mapping to the place in `fields`, and stores the values of its sections in s->values. `mapping` says
 * what is required and what messages call the mapping. False after an error. */
bool spec_read_mapping(struct reading *r, const struct node *node, const struct mapping *mapping, struct sections *s,
		       struct fields_parse fields);
/* Reads the stored values, each by its section. */
void spec_read_values(struct reading *r, const struct sections *s);

/* Reads the key `drift` of a mapping, which applies to everything in it, into r->drift. */
void spec_read_drift(struct reading *r, const struct node *mapping);
extern const struct field spec_key_drift;

/* spec_defaults.c: fills in what links leave out, when all sections are read. */
void spec_finish_links(struct spec_reading *s);
/* Copies fields, with their positions, that are set in `from` and not in the object. from may be NULL. */
void spec_inherit(struct object *object, const struct object *from);

/* JSON Schema of the two ends of a link. */
#define SPEC_ENDPOINTS_SCHEMA                                                          \
	"{\"type\": \"array\", \"items\": {\"type\": \"string\", \"pattern\": \":\", " \
	"\"patternErrorMessage\": \"an end of a link: namespace:interface\"}, \"minItems\": 2, \"maxItems\": 2}"

/* spec_interfaces.c: the alternative names that entries of `namespaces` (or NULL) give interfaces; they live as long as the tree
 * of nodes. */
const struct link_aliases *spec_find_aliases(struct arena *arena, const struct node *namespaces);
/* spec_interfaces.c: a new link with this name; its fields have room for positions. */
struct object *spec_new_link(struct reading *r, const struct kind *kind, const char *ns, const char *name,
			     struct position position);

/* spec_check.c: checks that need several objects. */
void spec_check(struct spec_reading *s);

/* The read() functions of the sections in sections.c. */
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
