/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vocabulary that every other file may use: cleanup attributes, small macros, string predicates.
 *
 * It knows nothing about networks. It allocates only through xmalloc() and xrealloc(), which do not return if memory is
 * exhausted: a daemon without memory cannot keep a promise about the network, so it ends at once (the network stays as
 * it is) and its supervisor restarts it. Thus no other function needs an error path that no test can reach.
 */
#pragma once

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _noreturn_ __attribute__((noreturn))
#define _pure_ __attribute__((pure))
#define _unused_ __attribute__((unused))

/* For a pointer from malloc(): _cleanup_free_ char *text = NULL; */
static inline void freep(void *p) {
	free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(freep)

static inline void closep(int *fd) {
	if (*fd >= 0)
		close(*fd);
}
/* For a descriptor (-1: none): _cleanup_close_ int fd = -1; */
#define _cleanup_close_ _cleanup_(closep)

static inline void fclosep(FILE **f) {
	if (*f)
		fclose(*f);
}
#define _cleanup_fclose_ _cleanup_(fclosep)

/* Returns the value and resets the variable, so that its cleanup does nothing. */
#define TAKE_PTR(p)                         \
	({                                  \
		__typeof__(p) _taken = (p); \
		(p) = NULL;                 \
		_taken;                     \
	})
#define TAKE_FD(fd)                \
	({                         \
		int _taken = (fd); \
		(fd) = -1;         \
		_taken;            \
	})

/* "a" or "an", for messages with the name of a kind; "xfrm" is pronounced letter by letter. */
static inline const char *indefinite_article(const char *word) {
	return strchr("aeioux", word[0]) ? "an" : "a";
}

static inline bool streq(const char *a, const char *b) {
	return strcmp(a, b) == 0;
}
/* Like streq(), but either may be NULL; two NULLs are equal. */
static inline bool streq_ptr(const char *a, const char *b) {
	return a && b ? streq(a, b) : a == b;
}
/* The rest of text after prefix; NULL: text does not begin with it. */
static inline const char *startswith(const char *text, const char *prefix) {
	size_t n = strlen(prefix);
	return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

/* Writes a line to standard error without using memory or locks, and aborts. */
void abort_with(const char *line) _noreturn_;

/* Like malloc(3) and others, but zeroed and never NULL (see above). The caller frees with free(). */
void *xmalloc(size_t size);
/* Not zeroed, so that the unused part of a large buffer costs nothing. */
void *xmalloc_raw(size_t size);
void *xrealloc(void *old, size_t size);
bool is_all_zeros(const void *value, size_t size) _pure_;
char *xstrdup(const char *text);
char *xasprintf(const char *format, ...) _printf_(1, 2);
char *xvasprintf(const char *format, va_list args) _printf_(1, 0);
