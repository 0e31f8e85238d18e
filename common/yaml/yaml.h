/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From YAML text to a tree of nodes with their places, bounded in depth, size and alias expansion.
 *
 * libyaml does the scanning. This file owns the limits, anchors, aliases and merge keys (`<<`), duplicate
 * keys (refused, both places named), and the spellings of YAML 1.1 that surprise people. It knows nothing of
 * topologies: what a key means is for spec to say.
 */
#pragma once

#include "base/arena.h"
#include "yaml/diag.h"

enum {
	YAML_MAX_SIZE = 64 * 1024 * 1024, /* bytes of one file; 100,000 lines are about 4 MiB */
	YAML_MAX_DEPTH = 64,
	YAML_MAX_NODES = 4 * 1000 * 1000, /* nodes written in the file */
	YAML_MAX_ALIASED = 100 * 1000,    /* nodes that aliases stand for, all together */
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
	bool quoted;              /* scalar: in quotes, a block, or tagged !!str; so never a number, bool or null */
	struct position position; /* scalar: as wide as it is written, on its first line; others: their first column */
	size_t n;                 /* scalar: bytes of text; sequence: items; mapping: pairs */
	union {
		const char *text; /* NUL-terminated, valid UTF-8, no NUL inside */
		const struct node *const *items;
		const struct node_pair *pairs; /* in the file's order, merged keys behind the written ones */
	};
};

/* Reads one document from source (already registered, see diags_add_source()) into arena.
 * Returns the root node, or NULL when the text is no YAML within the limits; then at least one error was
 * added to diags. What is wrong but can be read past (a duplicate key, a key that is no scalar, a tag, a second
 * document) is an error in diags too, and the root is returned without it, so that the caller can look for more:
 * only diags->n_errors tells whether the file is good. An empty document is an empty mapping. The tree does not
 * point into the source's text.
 *
 * A node that an alias stands for is the anchored node itself, with the anchored node's mark; the same holds for
 * pairs that `<<` brought in. No path through the tree is longer than YAML_MAX_DEPTH, through aliases included,
 * and a walk through all of it meets at most YAML_MAX_NODES + YAML_MAX_ALIASED nodes. */
const struct node *yaml_read(struct arena *arena, struct diags *diags, uint8_t source);

/* The same of the beginning alone: at the top level nothing behind the key of that name and its value is read, nor found
 * fault with, wherever the key is found. */
const struct node *yaml_read_until(struct arena *arena, struct diags *diags, uint8_t source, const char *key);

/* The value of a key of a mapping, or NULL. */
const struct node *node_get(const struct node *mapping, const char *key);

/* Leaves out every pair whose key stands before it already, in the order of the others; returns how many are left. `again`
 * is told of each that goes and of the one that stays, to which it may give another value. */
typedef void (*node_again_fn)(void *userdata, struct node_pair *first, struct node_pair *later);
size_t node_pairs_unite(struct node_pair *pairs, size_t n, node_again_fn recreates, void *userdata);

/* Where the key itself stands; the mapping's place where it has none of that name. */
struct position node_key_position(const struct node *mapping, const char *key);

/* Words of a file for a message: at most some 60 bytes of them, whole characters. */
struct yaml_quote {
	char text[80];
};
struct yaml_quote yaml_quote(const char *text, size_t size);

/* "a mapping", "a list", "a string": for messages. */
const char *node_type_name(const struct node *node);

/* A plain scalar that is empty, `~` or `null`. */
bool node_is_null(const struct node *node);

/* A plain scalar that YAML 1.1 takes for a bool: `true`, `no`, `on`, `y`, … in its three spellings of case. */
bool node_is_bool_word(const struct node *node);

/* A plain scalar that YAML 1.1 takes for a number to the base 60: `22:22`, some MAC addresses. */
bool node_is_sexagesimal(const struct node *node);
