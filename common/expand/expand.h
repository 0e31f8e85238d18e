/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes out abbreviations: turns the tree of a document into the tree that a person would have written without them. Later
 * steps do not know about abbreviations.
 *
 * Each node of the result has the position of the abbreviation. Its origin is the name of the thing that it was written out
 * for, so that a message points to the right line and says which of many things it is about.
 */
#pragma once

#include "model/section.h"

/* The entries of `networks`. */
extern const struct mapping mapping_network;

/* Writes out all abbreviations in root, a document with the keys of `top`, and returns the result, which may share nodes
 * with root. A mistake becomes an error in diags, and the part that it concerns is left out. */
const struct node *expand(struct arena *arena, struct diags *diags, const struct node *root, const struct mapping *top);
