/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings that are built piece by piece, for messages and reports.
 */
#pragma once

#include <stdarg.h>

#include "base/base.h"

/* Zeroed is empty. `data` is NULL until something is added, then NUL-terminated. */
struct text {
	char *data;
	size_t size, allocated;
	bool borrowed; /* data is still the buffer of TEXT_IN() */
};

/* Starts in an array of the caller and allocates only when the text outgrows it, for texts that are built often and
 * are usually short. `struct text id = TEXT_IN(buffer);` */
#define TEXT_IN(buffer) \
	{ .data = (buffer), .allocated = sizeof(buffer), .borrowed = true }

/* Makes room for that many bytes and a NUL. */
void text_reserve(struct text *text, size_t more);

/* Inline, because most pieces are short, and the length of a literal is known to the compiler. */
static inline void text_addn(struct text *text, const char *piece, size_t n) {
	if (text->size + n >= text->allocated)
		text_reserve(text, n);
	memcpy(text->data + text->size, piece, n);
	text->size += n;
	text->data[text->size] = '\0';
}

static inline void text_add(struct text *text, const char *piece) {
	text_addn(text, piece, strlen(piece));
}

/* Two digits for each byte. */
void text_add_hex(struct text *t, const void *data, size_t size);
/* Adds a decimal number, ten times as fast as printf(). */
void text_add_number(struct text *text, uint64_t number);
void text_addf(struct text *text, const char *format, ...) _printf_(2, 3);
/* Adds words, broken at spaces into lines of `width` bytes (a longer word stands alone), which begin with `head`; the first line
 * has that already. */
void text_add_wrapped(struct text *text, const char *words, const char *head, size_t width);

/* The text so far, never NULL; owned by text. */
const char *text_str(const struct text *text);

/* Passes the text to the caller, who frees it with free(); never NULL. */
char *text_take(struct text *text);

void text_done(struct text *text);
#define _cleanup_text_ _cleanup_(text_done)
