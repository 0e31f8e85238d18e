/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer arithmetic in texts: what `{n}`, `{n%250+1}`, `{(n-1)*4}` and `{n:02}` stand for.
 *
 * `*`, `/` and `%` bind more tightly than `+` and `-`; a division rounds towards zero. The format after a colon is as in
 * Python: `02` (at least two digits, with zeros), `x` (hexadecimal), `02x`. `{{` is one `{`.
 */
#pragma once

#include "base/text.h"

/* The value of n: a number or a letter. */
struct number {
	int64_t value; /* a letter's code */
	bool letter;
};

/* Does the text contain a `{`, so that expression_fill() may change it? */
bool expression_occurs(const char *text);

/* Does it contain something that can only be an expression, such as `{n}` or `{n+1}`? */
bool expression_is_meant(const char *text);

/* Adds the value of the expression that begins at the text's `{` to out. Returns the text after its `}`; NULL after an
 * error, described by a sentence in *error. */
const char *expression_add(const char *text, struct number n, struct text *out, struct text *error);

/* Adds the text to out, with the values of its expressions. False after an error, described by a sentence in *error. */
bool expression_fill(const char *text, struct number n, struct text *out, struct text *error);
