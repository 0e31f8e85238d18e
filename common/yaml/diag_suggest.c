/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "did you mean …?": the nearest of some known names by Damerau-Levenshtein distance (letters added, left out,
 * replaced, or swapped with their neighbour).
 *
 * Case, and `-` instead of `_`, cost nothing: MTU and mac_address are habits from other programs, not typing mistakes.
 * The allowed distance depends on the length, so that short words are not close to every other word.
 *
 * Other programs' words for the same thing (other_words.c) come first: `gateway` is not a misspelled `via`.
 */
#include "yaml/diag.h"
#include "yaml/other_words.h"

enum { LONGEST = 64 }; /* nothing longer is a misspelled known name */

static size_t threshold(size_t size) {
	return size <= 4 ? 1 : size <= 8 ? 2 : 3;
}

/* Three rows of the table are enough, because a swap looks back two rows. */
struct rows {
	unsigned char before[LONGEST + 1], last[LONGEST + 1], now[LONGEST + 1];
};

static unsigned char fill_row(struct rows *rows, const char *a, size_t i, const char *b, size_t nb) {
	unsigned char best = rows->now[0] = (unsigned char)i;

	for (size_t j = 1; j <= nb; j++) {
		unsigned char x = word_letter(a[i - 1]), y = word_letter(b[j - 1]);
		int d = rows->last[j - 1] + (x != y);
		d = MIN(d, MIN(rows->last[j], rows->now[j - 1]) + 1);
		if (i > 1 && j > 1 && x == word_letter(b[j - 2]) && y == word_letter(a[i - 2]))
			d = MIN(d, rows->before[j - 2] + 1);
		rows->now[j] = (unsigned char)d;
		best = MIN(best, rows->now[j]);
	}
	return best;
}

/* The distance; any number above limit if it exceeds that. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb, size_t limit) {
	struct rows rows = {};

	if ((na > nb ? na - nb : nb - na) > limit)
		return limit + 1;
	for (size_t j = 0; j <= nb; j++)
		rows.now[j] = (unsigned char)j;
	for (size_t i = 1; i <= na; i++) {
		memcpy(rows.before, rows.last, sizeof(rows.last));
		memcpy(rows.last, rows.now, sizeof(rows.now));
		if (fill_row(&rows, a, i, b, nb) > limit) /* no later row can contain less than this row's minimum */
			return limit + 1;
	}
	return rows.now[nb];
}

struct suggestion suggest_for(const char *text) {
	return suggest_for_in(text, NULL);
}

struct suggestion suggest_for_in(const char *text, const char *where) {
	size_t size = strlen(text);

	return (struct suggestion){
		.text = text,
		.size = size,
		.distance = MIN(threshold(size) + 1, size),
		.synonym = SIZE_MAX,
		.advice = where ? other_word_advice(text, where) : NULL,
	};
}

/* The rank of a name as another program's word for the text, the lowest first; SIZE_MAX: it is not one. */
static size_t rank(const char *text, const char *name) {
	return words_alike(text, name) ? 0 : other_word_rank(text, name);
}

void suggest(struct suggestion *s, const char *name) {
	size_t synonym = rank(s->text, name), size = strlen(name), d;

	if (synonym < s->synonym) {
		s->synonym = synonym;
		s->near = name;
	}
	if (s->synonym < SIZE_MAX || s->advice || MAX(size, s->size) > LONGEST || !s->distance)
		return;
	d = distance(s->text, s->size, name, size, s->distance - 1);
	if (d < s->distance) {
		s->distance = d;
		s->near = name;
	}
}
