/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The structure of the language: which keys a mapping of the file has, and what the value of each is.
 *
 * A value that is one number or word is a row of a field table (field.h). A key whose value has its own structure is a
 * section: a list of routes, a mapping of settings. Reading, merging of drop-ins, the schema, the reference page and
 * the manual all walk the same sections, so the structure is written once.
 *
 * A class of objects declares its sections itself (class->sections). If each entry of a list is one object, and the
 * kind's field table says what an entry may contain, the section is a table and needs no code.
 */
#pragma once

#include "model/state.h"

struct mapping;
struct reading;

/* Which mapping has the section as a key. */
enum section_place {
	SECTION_NESTED, /* the mapping that lists it in its own table */
	SECTION_TOP,
	SECTION_NAMESPACE,
	SECTION_INTERFACE,
	SECTION_LINK,       /* an entry of `links`; read once for each end */
	SECTION_CONTROLLER, /* an interface whose kind has ports, or parts, of the section's kind */
};

enum section_shape {
	SECTION_VALUE,   /* a scalar, or whatever read() accepts */
	SECTION_LIST,    /* a list; a single item may be written without brackets */
	SECTION_MAP,     /* a mapping from names that the user chooses to mappings */
	SECTION_MAPPING, /* a mapping with fixed keys */
};

/* A key whose value has its own structure. */
struct section {
	const char *key; /* NULL ends a table */
	enum section_place place;
	enum section_shape shape;
	bool early;        /* read before the sections that are not early, because it affects their entries */
	bool required;     /* must be written */
	bool may_be_empty; /* the key may be written without a value */
	/* SECTION_LIST: an entry's name (the entry itself, or its key mapping->bare) may contain a range (h[1-20]), like the keys of
	 * a SECTION_MAP. */
	bool ranges;
	const struct mapping *mapping; /* SECTION_MAPPING: its keys; SECTION_LIST, SECTION_MAP: the keys of each entry */
	const struct field *field;     /* SECTION_VALUE: its type and limits, from which the texts below follow; or NULL */
	const char *value;  /* for the reference page, what to write: "list of [routes](#route)"; NULL: as the field says */
	const char *doc;    /* for the reference page, one sentence */
	const char *schema; /* JSON Schema of the value; NULL: it follows from field, shape and mapping */

	/* For an export of a section whose entries are not an object each: prints the value that says what was observed, of a link
	 * (else NULL), in flow style on one line; nothing: what holds without the key. Or NULL. */
	void (*print)(const struct ns_state *seen, const char *link, struct text *out);
	/* Reads the value. NULL: each entry is an object of mapping->kind; without mapping->kind, the code that
	 * reads the surrounding mapping reads this too. */
	void (*read)(struct reading *r, const struct section *section, const struct node *value);
};

/* A mapping of the language: its fields and its sections. */
struct mapping {
	const char *name;               /* the name in the schema's "$defs" and the anchor on the page: "route" */
	const char *title, *doc;        /* for the reference page */
	const char *what;               /* in messages: "a route" */
	const struct section *sections; /* or NULL; see also SECTIONS_OF_CLASSES */
	enum section_place holds;       /* SECTIONS_OF_CLASSES: which */
	const struct field *fields;
	size_t n_fields;
	const char *without;     /* a field that is not a key here, or NULL */
	const struct kind *kind; /* each such mapping is an object of this kind */
	/* Further fields, by the value of the key `kind`: the i-th mapping of a kind, which has only name, title, doc and fields;
	 * false: there are no more. Or NULL. */
	bool (*case_of)(size_t i, struct mapping *ret);
	const char *bare;  /* the key to which a plain value in place of the mapping belongs, or NULL */
	const char *first; /* the key of the first word if ip(8) omits the key (ip route add PREFIX), or NULL */
};

/* As the key of a row in a mapping's table: stands for all sections that classes have in this mapping. */
#define SECTIONS_OF_CLASSES "*"

/* A link that another one's entry names and that no entry has declared so far. */
struct missing_link {
	const struct ns_state *ns;
	const char *name;
	struct position position;
	struct missing_link *next;
};

/* The section with this key; NULL: the key is a field, or unknown. */
const struct section *section_find(const struct mapping *mapping, const char *key);

/* The state of reading a file. */
struct reading {
	struct parse parse; /* parse.ns is the name of ns, parse.here is ns */
	struct state *state;
	struct ns_state *ns;     /* the namespace whose entry is being read, or NULL */
	struct object *link;     /* the interface whose entry is being read, or NULL */
	enum drift_policy drift; /* the policy at this place of the file */
	struct missing_link *missing_links;
};

/* Reads the value of a section: by its read(), or as objects of its mapping's kind. */
void section_read(struct reading *r, const struct section *section, const struct node *value);

/* Is the section, which only some kinds of links have, a key of this one? (Bridges and VRFs have different `ports`.) */
bool section_is_of(const struct section *section, const struct kind *link);

/* Adds a sealed, declared object to a namespace. If an equal one exists, it is kept; if one with the same identity but other
 * values exists, this is an error with both places. */
void reading_add(struct reading *r, struct ns_state *ns, struct object *object);
/* Remembers that an entry names a link that is not declared yet. It is an error if it is not declared in the end. */
void reading_miss_link(struct reading *r, const char *name, struct position position);

/* Calls fn for each item of a list, or for the node itself if it is not a list; not for an empty value. */
typedef void (*section_item_fn)(struct reading *r, const struct node *item);
void section_each(struct reading *r, const struct node *list, section_item_fn fn);
