/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of this room share.
 *
 *   merge.c       several documents or entries to one
 *   expression.c  {n+1}
 *   range.c       names with ranges
 *   ranges.c      the walk over a document: entries with ranges are written out, {n} is filled in
 *   expand.c      all steps in order
 */
#pragma once

#include "expand/expand.h"
#include "expand/merge.h"

struct expansion {
	struct arena *arena;
	struct diags *diags;
	const struct mapping *top;
	size_t n_entries; /* written out so far */
	size_t n_nodes;   /* copied so far */
	bool full;        /* a limit was reached, and reported */
};

/* ranges.c: writes out every entry whose name has a range. */
const struct node *expand_ranges(struct expansion *x, const struct node *root);
