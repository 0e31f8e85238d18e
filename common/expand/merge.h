/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Merging what is written in several places: a topology and its drop-ins, or several entries for the same thing, become
 * one before anything is read from it.
 *
 * Each node keeps its position, so that later messages point to the right place. Mappings are merged, lists are appended,
 * and two places must agree on the value of a key: if one had precedence, the order of file names would decide how a
 * network behaves. The sections say which keys take a list, because a list of one item may be written without brackets.
 * List items are not merged.
 */
#pragma once

#include "model/section.h"

/* What is being merged. */
struct merging {
	struct arena *arena;
	struct diags *diags;
	const struct mapping *mapping; /* the value is this mapping, or … */
	const struct mapping *each;    /* … its keys are names and each value is this mapping; both NULL: not known */
};

/* Merges several documents, at least one. Contradictions are errors in diags. The documents stay unchanged, and the
 * result uses parts of them. */
const struct node *merge_documents(const struct merging *m, const struct node *const *roots, size_t n);

/* Merges the pairs of one mapping that have the same key; returns how many are left. */
size_t merge_pairs(const struct merging *m, struct node_pair *pairs, size_t n);
