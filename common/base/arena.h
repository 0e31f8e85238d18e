/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is allocated piece by piece and freed all at once.
 *
 * A parsed file, a desired state, one scan of a namespace: each lives in one arena, and nothing inside is freed alone.
 * Allocations cannot grow and have no destructors; what needs either does not belong here.
 */
#pragma once

#include <stdarg.h>

#include "base/base.h"

struct arena_chunk;

/* Zeroed is empty and usable: struct arena a = {}; or _cleanup_(arena_done) struct arena a = {}; */
struct arena {
	struct arena_chunk *chunks;
	size_t used; /* bytes allocated so far, for limits and statistics */
};

/* Zeroed memory, aligned for any pointer or integer, valid until arena_done(); never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_memdup(struct arena *arena, const void *data, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t size);
char *arena_printf(struct arena *arena, const char *format, ...) _printf_(2, 3);
char *arena_vprintf(struct arena *arena, const char *format, va_list args) _printf_(2, 0);

/* Moves all memory of `from` to the arena; pointers stay valid. `from` is empty afterwards. */
void arena_join(struct arena *arena, struct arena *from);

/* Frees everything; the arena is empty and can be used again. */
void arena_done(struct arena *arena);

#define arena_new(arena, type) ((type *)arena_alloc(arena, sizeof(type)))
#define arena_newn(arena, type, n) ((type *)arena_alloc(arena, sizeof(type) * (n)))
