/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of this room share.
 *
 *   merge.c                    several documents or entries to one
 *   expression.c               {n+1}
 *   range.c                    names with ranges
 *   ranges.c                   the walk over a document: entries with ranges are written out, {n} is filled in
 *   build.c                    new nodes
 *   network_read.c, networks.c networks
 *   link_prefix.c              the addresses of links
 *   defaults.c                 what namespaces leave out
 *   expand.c                   all steps in order
 */
#pragma once

#include "expand/expand.h"
#include "expand/merge.h"

struct expansion {
	struct arena *arena;
	struct diags *diags;
	const struct mapping *top;
	struct parse parse;
	size_t n_entries; /* written out so far */
	size_t n_nodes;   /* copied so far */
	bool full;        /* a limit was reached, and reported */

	/* What the steps add to the document's `namespaces` and `links`. */
	vec(struct node_pair) namespaces;
	vec(const struct node *) links;
};

/* The position, with this name as its origin if it has none. */
struct position expansion_origin(struct expansion *x, struct position position, const char *name);

/* ranges.c: writes out every entry whose name has a range. */
const struct node *expand_ranges(struct expansion *x, const struct node *root);
/* networks.c: adds the namespaces and links that the document's networks stand for. */
void expand_networks(struct expansion *x, const struct node *root);
/* link_prefix.c: adds the addresses of links, and returns the links without `prefix`. */
const struct node *expand_link_prefixes(struct expansion *x, const struct node *links);
/* defaults.c: fills in what each namespace leaves out. Returns the value of `namespaces`. */
const struct node *expand_defaults(struct expansion *x, const struct node *namespaces, const struct node *defaults);
