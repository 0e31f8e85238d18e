/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocation that does not fail (base.h).
 */
#include "base/base.h"

#include <stdarg.h>

void abort_with(const char *line) {
	(void)!write(STDERR_FILENO, line, strlen(line));
	abort();
}

static void *or_die(void *p) {
	if (!p)
		abort_with("topod: out of memory\n");
	return p;
}

void *xmalloc(size_t size) {
	return or_die(calloc(1, size ? size : 1));
}

void *xmalloc_raw(size_t size) {
	return or_die(malloc(size ? size : 1));
}

void *xrealloc(void *old, size_t size) {
	return or_die(realloc(old, size ? size : 1));
}

bool is_all_zeros(const void *value, size_t size) {
	const unsigned char *bytes = value;

	while (size > 0 && !bytes[size - 1])
		size--;
	return size == 0;
}

char *xstrdup(const char *text) {
	return or_die(strdup(text));
}

char *xvasprintf(const char *format, va_list args) {
	char *text = NULL;

	return or_die(vasprintf(&text, format, args) < 0 ? NULL : text);
}

char *xasprintf(const char *format, ...) {
	va_list args;

	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	return text;
}
