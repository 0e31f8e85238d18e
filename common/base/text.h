/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that is put together piece by piece, for messages and reports.
 */
#pragma once

#include <stdarg.h>

#include "base/base.h"

/* Zeroed is empty. `data` is NUL-terminated once anything was added, NULL before. */
struct text {
	char *data;
	size_t size, allocated;
	bool borrowed; /* data is still the buffer of TEXT_IN() */
};

/* Begins in an array of the caller's and takes memory of its own only when it outgrows that: for what is put together
 * often and is mostly short. `struct text id = TEXT_IN(buffer);` */
#define TEXT_IN(buffer) \
	{ .data = (buffer), .allocated = sizeof(buffer), .borrowed = true }

void text_add(struct text *text, const char *piece);
void text_addn(struct text *text, const char *piece, size_t n);
/* In decimal; for what is written often, as printf() costs ten times as much. */
void text_add_number(struct text *text, uint64_t number);
void text_addf(struct text *text, const char *format, ...) _printf_(2, 3);

/* The collected text, never NULL; belongs to text. */
const char *text_str(const struct text *text);

/* Gives the text away: the caller frees it with free(); never NULL. */
char *text_take(struct text *text);

void text_done(struct text *text);
#define _cleanup_text_ _cleanup_(text_done)
