/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table for people, by libsmartcols: columns as wide as they need, a tree in the first one, and lines no longer than the
 * terminal. Only this file knows the library.
 *
 * It knows nothing about what is in the cells.
 */
#pragma once

#include "base/base.h"

enum table_flags {
	TABLE_TREE = 1 << 0,  /* the column shows the rows as a tree; only the first one */
	TABLE_RIGHT = 1 << 1, /* numbers */
	TABLE_WORDS = 1 << 2, /* a sentence, which is broken between words at the end of the terminal; only the last one */
	TABLE_PATH = 1 << 3,  /* is cut at the end of the terminal; only the last one */
};

struct table_column {
	const char *name;
	unsigned flags;
};

struct table;
struct table_row;

struct table *table_new(const struct table_column *columns, size_t n);
/* A row below its parent in the tree; NULL: at the top. It belongs to the table. */
struct table_row *table_add(struct table *table, struct table_row *parent);
/* The text is copied, and control characters in it are replaced; a line break begins a new line in the cell. color: an escape
 * sequence, or NULL. */
void table_set(struct table *table, struct table_row *row, size_t column, const char *text, const char *color);
/* Prints it on standard output. */
void table_print(struct table *table, bool color);
void table_free(struct table *table);
static inline void table_freep(struct table **table) {
	table_free(*table);
}
#define _cleanup_table_ _cleanup_(table_freep)
