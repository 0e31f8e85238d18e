/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The structure of the language: which keys a mapping of the file has, and what the value of each is.
 *
 * A value that is one number or word is a row of a field table (field.h). A key whose value has a structure of its own is a
 * section: a list of routes, a mapping of settings. Reading, merging of drop-ins, the schema, the reference page and the
 * manual all walk the same sections, so the structure stands once.
 *
 * A class of objects declares its sections itself (class->sections). Where each entry of a list is one object, and the kind's field table says
 * what an entry may contain, the section is a table and needs no code.
 */
#pragma once

#include "model/state.h"

struct mapping;
struct reading;

/* The mapping in which the section is a key. */
enum section_place {
	SECTION_NESTED, /* the one that lists it in its table */
	SECTION_TOP,
	SECTION_NAMESPACE,
	SECTION_INTERFACE,
	SECTION_CONTROLLER, /* an interface whose kind has ports of the section's kind */
};

enum section_shape {
	SECTION_VALUE,   /* a scalar, or whatever read() takes */
	SECTION_LIST,    /* a list; one of a single item may be written without brackets */
	SECTION_MAP,     /* names that the user chooses, each with a mapping */
	SECTION_MAPPING, /* a mapping with keys of its own */
};

/* A key whose value has a structure of its own. */
struct section {
	const char *key; /* NULL ends a table */
	enum section_place place;
	enum section_shape shape;
	bool early;                    /* settings: read before the sections that are not, which may contain them */
	bool required;                 /* must be written */
	bool may_be_empty;             /* the key may stand there without a value */
	const struct mapping *mapping; /* SECTION_MAPPING: what is in it; SECTION_LIST, SECTION_MAP: what is in each entry */
	const struct field *field;     /* SECTION_VALUE: its type and limits, from which the texts below follow; or NULL */
	const char *value;  /* for the page, what is written: "list of [routes](#route)"; NULL: as the field says */
	const char *doc;    /* for the page, in a sentence */
	const char *schema; /* JSON Schema of the value; NULL: it follows from the field, the shape and the mapping */

	/* Reads the value. NULL: each entry is an object of mapping->kind; or where there is no such kind, the value is read
	 * along with the mapping around it. */
	void (*read)(struct reading *r, const struct section *section, const struct node *value);
};

/* A mapping of the language: its fields, and its sections. */
struct mapping {
	const char *name;               /* in the schema's "$defs", and the anchor on the page: "route" */
	const char *title, *doc;        /* for the page */
	const char *what;               /* in messages: "a route" */
	const struct section *sections; /* or NULL; see also SECTIONS_OF_CLASSES */
	enum section_place holds;       /* SECTIONS_OF_CLASSES: which */
	const struct field *fields;
	size_t n_fields;
	const char *without;     /* a field that is no key here, or NULL */
	const struct kind *kind; /* each such mapping is an object of it */
	const char *bare;        /* the key that is meant where a plain value stands instead of the mapping, or NULL */
	const char *first;       /* the key of the first word where ip(8) leaves it out (ip route add PREFIX), or NULL */
};

/* The key of a row in a mapping's table that stands for all sections that classes have in that mapping. */
#define SECTIONS_OF_CLASSES "*"

/* A link that a file names in an entry of another, and that no entry has declared so far. */
struct missing_link {
	const struct ns_state *ns;
	const char *name;
	struct position position;
	struct missing_link *next;
};

/* While a file is read: where its objects go. */
struct reading {
	struct parse parse; /* parse.ns is the name of ns */
	struct state *state;
	struct ns_state *ns;     /* the namespace whose entry is read; NULL: none */
	struct object *link;     /* the interface whose entry is read; NULL: none */
	enum drift_policy drift; /* what holds at this place of the file */
	struct missing_link *missing_links;
};

/* Reads the value of a section by its read(), or as objects of its mapping's kind. */
void section_read(struct reading *r, const struct section *section, const struct node *value);

/* Adds a sealed, declared object to a namespace. An equal one that is there already is kept; one that contradicts it is an
 * error with both places. */
void reading_add(struct reading *r, struct ns_state *ns, struct object *object);
/* Notes that an entry names a link that is not declared yet. It may still be; otherwise it is an error in the end. */
void reading_miss_link(struct reading *r, const char *name, struct position position);

/* Calls fn for each item of a list, or for the node itself where it is no list; not for an empty value. */
typedef void (*section_item_fn)(struct reading *r, const struct node *item);
void section_each(struct reading *r, const struct node *list, section_item_fn fn);
