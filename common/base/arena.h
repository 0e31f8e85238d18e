/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is filled piece by piece and given back all at once.
 *
 * A parsed file, a desired state, one look at a namespace: each lives in one arena, and nothing inside it is
 * freed alone. There is no growing in place and no destructor; what needs either does not belong here.
 */
#pragma once

#include <stdarg.h>

#include "base/base.h"

struct arena_chunk;

/* Zeroed is empty and ready: struct arena a = {}; or _cleanup_(arena_done) struct arena a = {}; */
struct arena {
	struct arena_chunk *chunks;
	size_t used; /* bytes handed out so far, for limits and statistics */
};

/* Zeroed memory, aligned for any pointer or integer, valid until arena_done(); never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_memdup(struct arena *arena, const void *data, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t size);
char *arena_printf(struct arena *arena, const char *format, ...) _printf_(2, 3);
char *arena_vprintf(struct arena *arena, const char *format, va_list args) _printf_(2, 0);

/* Moves all that was handed out of `from` to the arena, where it stays as valid as it was; `from` is empty then. */
void arena_join(struct arena *arena, struct arena *from);

/* Frees everything; the arena is empty and can be used again. */
void arena_done(struct arena *arena);

#define arena_new(arena, type) ((type *)arena_alloc(arena, sizeof(type)))
#define arena_newn(arena, type, n) ((type *)arena_alloc(arena, sizeof(type) * (n)))
