/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include <libsmartcols.h>
#include <locale.h>

#include "base/text.h"
#include "report/report.h"

enum {
	WORDS_MIN = 24, /* a narrower column would have more line breaks than words */
	TREE_CELLS = 2, /* of each level */
};

struct table_row {
	struct libscols_line *line;
	struct table_row *next;
	size_t depth;
	char *words; /* of the column with TABLE_WORDS, until its maximum width is known */
	const char *color;
};

struct table {
	struct libscols_table *scols;
	const struct table_column *columns;
	size_t n;
	size_t *widths;
	struct table_row *rows, **end;
};

static int scols_flags(unsigned flags) {
	return (flags & TABLE_TREE ? SCOLS_FL_TREE : 0) | (flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0) |
	       (flags & TABLE_PATH ? SCOLS_FL_TRUNC : 0) |
	       (flags & (TABLE_TREE | TABLE_RIGHT | TABLE_PATH) ? 0 : SCOLS_FL_WRAP);
}

struct table *table_new(const struct table_column *columns, size_t n) {
	struct table *table = xmalloc(sizeof(*table));

	setlocale(LC_CTYPE, ""); /* the library asks it for the lines of the tree, and for the width of characters */
	*table = (struct table){ .scols = scols_new_table(), .columns = columns, .n = n };
	table->end = &table->rows;
	table->widths = xmalloc(n * sizeof(*table->widths));
	for (size_t i = 0; i < n; i++) {
		struct libscols_column *column =
			scols_table_new_column(table->scols, columns[i].name, 0, scols_flags(columns[i].flags));

		table->widths[i] = strlen(columns[i].name);
		if (scols_flags(columns[i].flags) & SCOLS_FL_WRAP)
			scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
		scols_column_set_safechars(column, "\n");
	}
	return table;
}

struct table_row *table_add(struct table *table, struct table_row *parent) {
	struct table_row *row = xmalloc(sizeof(*row));

	*row = (struct table_row){ .line = scols_table_new_line(table->scols, parent ? parent->line : NULL),
				   .depth = parent ? parent->depth + 1 : 0 };
	*table->end = row;
	table->end = &row->next;
	return row;
}

/* Characters, not bytes; a wide one counts as one, which only makes the words break later. */
static size_t cells(const char *text, const char *end) {
	size_t n = 0;

	for (; text < end; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static size_t widest_line(const char *text) {
	size_t widest = 0;

	for (const char *end; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		widest = MAX(widest, cells(text, end));
	}
	return widest;
}

/* Line by line, because a line break is a control character, too. */
static char *clean(const char *text) {
	struct text out = {};

	for (const char *end; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		_cleanup_free_ char *line = strndup(text, (size_t)(end - text));

		text_add(&out, out.size ? "\n" : "");
		report_clean(line ? line : "", &out);
	}
	return text_take(&out);
}

void table_set(struct table *table, struct table_row *row, size_t column, const char *text, const char *color) {
	_cleanup_free_ char *cleaned = clean(text);
	struct libscols_cell *cell = scols_line_get_cell(row->line, column);

	scols_cell_set_color(cell, color);
	if (table->columns[column].flags & TABLE_WORDS) {
		free(row->words);
		row->words = TAKE_PTR(cleaned);
		return;
	}
	table->widths[column] =
		MAX(table->widths[column],
		    widest_line(cleaned) + (table->columns[column].flags & TABLE_TREE ? row->depth * TREE_CELLS : 0));
	scols_line_set_data(row->line, column, cleaned);
}

/* Replaces spaces by line breaks, so that no line has more than `width` characters if its words allow that. */
static void break_lines(char *text, size_t width) {
	char *line = text, *space = NULL;

	for (char *at = text; *at; at++) {
		if (*at == '\n') {
			line = at + 1;
			space = NULL;
		}
		if (cells(line, at) >= width && space) {
			*space = '\n';
			line = space + 1;
			space = NULL;
		}
		if (*at == ' ')
			space = at;
	}
}

/* The width that the other columns, and the spaces between columns, leave of the terminal. */
static size_t words_width(const struct table *table) {
	size_t all = scols_table_get_termwidth(table->scols), used = 0;

	for (size_t i = 0; i + 1 < table->n; i++)
		used += table->widths[i] + 1;
	return all > used + WORDS_MIN ? all - used : WORDS_MIN;
}

void table_print(struct table *table, bool color) {
	bool terminal = isatty(STDOUT_FILENO);

	scols_table_enable_colors(table->scols, color);
	for (struct table_row *row = table->rows; row; row = row->next) {
		if (!row->words)
			continue;
		if (terminal)
			break_lines(row->words, words_width(table));
		scols_line_set_data(row->line, table->n - 1, row->words);
	}
	fflush(stdout);
	scols_print_table(table->scols);
}

void table_free(struct table *table) {
	if (!table)
		return;
	while (table->rows) {
		struct table_row *row = table->rows;

		table->rows = row->next;
		free(row->words);
		free(row);
	}
	scols_unref_table(table->scols);
	free(table->widths);
	free(table);
}
