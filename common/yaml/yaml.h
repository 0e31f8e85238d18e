/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From YAML text to a tree of nodes with positions, limited in depth, size and alias expansion.
 *
 * libyaml does the scanning. This file owns the limits, anchors, aliases and merge keys (`<<`), duplicate keys (an
 * error with both places), and the spellings of YAML 1.1 that surprise people. It knows nothing about topologies:
 * common/language says what a key means.
 */
#pragma once

#include "base/arena.h"
#include "base/text.h"
#include "yaml/diag.h"

enum {
	YAML_MAX_SIZE = 64 * 1024 * 1024, /* bytes of one file; 100,000 lines are about 4 MiB */
	YAML_MAX_DEPTH = 64,
	YAML_MAX_NODES = 4 * 1000 * 1000, /* nodes written in the file */
	YAML_MAX_ALIASED = 100 * 1000,    /* sum of the nodes to which aliases expand */
};

enum node_type {
	NODE_SCALAR,
	NODE_SEQUENCE,
	NODE_MAPPING,
};

struct node;

struct node_pair {
	const struct node *key; /* always a scalar */
	const struct node *value;
};

struct node {
	enum node_type type;
	bool quoted;  /* scalar: in quotes, a block, or tagged !!str, and therefore never a number, bool or null */
	bool comment; /* scalar, only for yaml_write(): an item, or a key without a value, that is a comment */
	struct position position; /* scalar: its width on its first line; others: their first column */
	size_t n;                 /* scalar: bytes of text; sequence: items; mapping: pairs */
	union {
		const char *text; /* NUL-terminated, valid UTF-8, no NUL inside */
		const struct node *const *items;
		const struct node_pair *pairs; /* in the file's order, merged keys after the written ones */
	};
};

/* Reads one document from source (registered with diags_add_source()) into arena. Returns the root node; or NULL,
 * after at least one error was added, if the text is not YAML within the limits. A mistake that does not prevent
 * reading (a duplicate key, a key that is not a scalar, a tag, a second document) is an error in diags too, and is
 * left out of the tree, so that the caller can look for more: only diags->n_errors shows whether the file is valid.
 * An empty document is an empty mapping. The tree does not point into the source's text.
 *
 * The node of an alias is the anchored node itself, with that node's position; the same is true of pairs from `<<`.
 * No path through the tree is longer than YAML_MAX_DEPTH, including aliases, and a walk through all of it meets at
 * most YAML_MAX_NODES + YAML_MAX_ALIASED nodes. */
const struct node *yaml_read(struct arena *arena, struct diags *diags, uint8_t source);

/* Reads only the beginning: at the top level, everything after the given key and its value is neither read nor
 * checked. */
const struct node *yaml_read_until(struct arena *arena, struct diags *diags, uint8_t source, const char *key);

/* The value of a key of a mapping, or NULL. */
const struct node *node_get(const struct node *mapping, const char *key);

/* Removes every pair whose key occurs before it, keeping the order of the others; returns how many are left. `fn` is
 * called for each removed pair and the one that stays, and may change the latter's value. */
typedef void (*node_again_fn)(void *userdata, struct node_pair *first, struct node_pair *later);
size_t node_pairs_unite(struct node_pair *pairs, size_t n, node_again_fn fn, void *userdata);

/* The position of the key itself; that of the mapping if it has no such key. */
struct position node_key_position(const struct node *mapping, const char *key);

/* A quotation from a file for a message: about 60 bytes at most, only whole characters. */
struct yaml_quote {
	char text[80];
};
struct yaml_quote yaml_quote(const char *text, size_t size);

/* "a mapping", "a list", "a string": for messages. */
const char *node_type_name(const struct node *node);

/* The length of the key in an unquoted string in which the space after the key's ':' seems to be missing ("mtu:1500", but
 * not fd00:1); 0: none is missing. */
size_t node_joined_key(const struct node *node);
/* Adds an error about the missing space, at the key. */
void node_refuse_joined(struct diags *diags, const struct node *node);
/* Reports a key that contains the beginning of its own value, as in "eth0:{kind: bridge}"; false: the key is fine. */
bool node_refuse_joined_name(struct diags *diags, const struct node *key);

/* Is it a mapping? If not, adds an error: "WHAT must be a mapping of keys, not a list". `of` is "keys", "names", … */
bool node_check_mapping(struct diags *diags, const struct node *node, const char *what, const char *of);

/* Is it a plain scalar that is empty, `~` or `null`? */
bool node_is_null(const struct node *node);

/* Is it a plain scalar that YAML 1.1 reads as a bool: `true`, `no`, `on`, `y`, … in its three spellings of case? */
bool node_is_bool_word(const struct node *node);
/* Does such a word mean true? */
bool node_is_true(const struct node *node);

/* Is it a plain scalar that YAML 1.1 reads as a base-60 number: `22:22`, some MAC addresses? */
bool node_is_sexagesimal(const struct node *node);

/* Adds a text in double quotes. */
void yaml_add_quoted(struct text *out, const char *value);
/* The same; but numbers, ranges of them and marks with a mask are plain. */
void yaml_add_value(struct text *out, const char *value);

/* Writes a tree as a YAML document that yaml_read() reads as an equal tree: in blocks, with short lists and mappings on
 * one line. Comments are on separate lines. */
void yaml_write(const struct node *root, struct text *out);
