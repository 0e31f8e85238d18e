/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arenas: chunks of growing size, filled from the front (arena.h).
 */
#include "base/arena.h"

/* AddressSanitizer knows only whole chunks. To let it check single allocations, memory that is not handed out is
 * poisoned, and a gap is left after each allocation. gcc announces the sanitizer by a macro, clang by a feature. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(data, size)
#define ASAN_UNPOISON_MEMORY_REGION(data, size)
enum { GAP = 0 };
#endif

enum {
	FIRST_CHUNK = 1024, /* a scan of a small namespace fits into a few kilobytes */
	LARGEST_CHUNK = 256 * 1024,
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used;
	_Alignas(max_align_t) unsigned char data[];
};

static struct arena_chunk *add_chunk(struct arena *arena, size_t need) {
	size_t size = arena->chunks ? MIN(arena->chunks->size * 2, (size_t)LARGEST_CHUNK) : FIRST_CHUNK;
	struct arena_chunk *chunk;

	size = MAX(size, need);
	chunk = xmalloc_raw(sizeof(*chunk) + size);
	ASAN_POISON_MEMORY_REGION(chunk->data, size);
	*chunk = (struct arena_chunk){ .next = arena->chunks, .size = size };
	arena->chunks = chunk;
	return chunk;
}

/* Not zeroed: most of it is overwritten at once. */
static void *take(struct arena *arena, size_t size) {
	size_t rounded = ((size + sizeof(void *) - 1) & ~(sizeof(void *) - 1)) + GAP;
	struct arena_chunk *chunk = arena->chunks;

	if (rounded < size)
		abort();
	if (!chunk || chunk->size - chunk->used < rounded)
		chunk = add_chunk(arena, rounded);

	void *p = chunk->data + chunk->used;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	chunk->used += rounded;
	arena->used += rounded;
	return p;
}

void *arena_alloc(struct arena *arena, size_t size) {
	return memset(take(arena, size), 0, size);
}

void *arena_memdup(struct arena *arena, const void *data, size_t size) {
	void *copy = take(arena, size);

	if (size)
		memcpy(copy, data, size);
	return copy;
}

char *arena_strndup(struct arena *arena, const char *text, size_t size) {
	char *copy = take(arena, size + 1);

	if (size)
		memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text) {
	return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args) {
	va_list copy;

	va_copy(copy, args);
	int n = vsnprintf(NULL, 0, format, copy);
	va_end(copy);
	if (n < 0)
		abort();

	char *text = arena_alloc(arena, (size_t)n + 1);
	vsnprintf(text, (size_t)n + 1, format, args);
	return text;
}

char *arena_printf(struct arena *arena, const char *format, ...) {
	va_list args;

	va_start(args, format);
	char *text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

/* The chunk that is being filled stays first. */
void arena_join(struct arena *arena, struct arena *from) {
	struct arena_chunk **end = arena->chunks ? &arena->chunks->next : &arena->chunks, *rest = *end;

	*end = from->chunks;
	while (*end)
		end = &(*end)->next;
	*end = rest;
	arena->used += from->used;
	*from = (struct arena){};
}

void arena_done(struct arena *arena) {
	while (arena->chunks) {
		struct arena_chunk *chunk = arena->chunks;
		arena->chunks = chunk->next;
		ASAN_UNPOISON_MEMORY_REGION(chunk->data, chunk->size);
		free(chunk);
	}
	arena->used = 0;
}
