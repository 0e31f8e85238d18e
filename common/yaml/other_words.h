/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of other tools, in one table: what people write who know them, and what topod calls it.
 *
 * A word leads to one of ours ("did you mean 'via'?"), or, if topod has no such word, to a sentence that says what to write
 * instead. A row of the first kind counts only if our word is valid at that place, so `type` is `kind` in an interface and
 * `icmp-type` in a filter. Keys, kinds and verbs are in the same table, because they are looked up in the same way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* One letter of a word for comparing: case does not matter, and `-`, `_` and a space are equal. */
unsigned char word_letter(char c);
bool words_alike(const char *a, const char *b);

/* Is `theirs` another tool's word for `ours`? Returns the place in the table, from 1, SIZE_MAX: no. */
size_t other_word_rank(const char *theirs, const char *ours);

/* What to do instead of writing the word as a key of `where` ("an interface", as in messages), or as "a verb"; NULL:
 * nothing is known. */
const char *other_word_advice(const char *theirs, const char *where);
