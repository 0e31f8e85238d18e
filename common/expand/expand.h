/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing out what the language abbreviates: from the tree of a document to the tree that a person would have written
 * without abbreviations. Nothing behind it knows of them.
 *
 * Each node of the result has the position of what was written, and as its origin the name of what it was written out
 * for, so that messages point to the right line and say for which of many.
 */
#pragma once

#include "model/section.h"

/* The entries of `networks`. */
extern const struct mapping mapping_network;

/* Returns root, a document with the keys of `top`, with all abbreviations written out; parts of it may be root's own. A
 * mistake is an error in diags, and what it concerns is left out. */
const struct node *expand(struct arena *arena, struct diags *diags, const struct node *root, const struct mapping *top);
