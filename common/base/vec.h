/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing array: vec(int) numbers = {}; vec_push(&numbers, 3); vec_done(&numbers);
 *
 * The elements move when the array grows: keep indexes, not pointers, while it is being filled.
 */
#pragma once

#include "base/base.h"

#define vec(type)                    \
	struct {                     \
		type *items;         \
		size_t n, allocated; \
	}

static inline void *vec_grow(void *items, size_t n, size_t *allocated, size_t size) {
	if (n < *allocated)
		return items;
	*allocated = *allocated ? *allocated * 2 : 8;
	return xrealloc(items, *allocated * size);
}

#define vec_push(v, ...)                                                                           \
	do {                                                                                       \
		(v)->items = vec_grow((v)->items, (v)->n, &(v)->allocated, sizeof((v)->items[0])); \
		(v)->items[(v)->n++] = (__VA_ARGS__);                                              \
	} while (0)

#define vec_clear(v) ((void)((v)->n = 0))

#define vec_done(v)                          \
	do {                                 \
		free((v)->items);            \
		(v)->items = NULL;           \
		(v)->n = (v)->allocated = 0; \
	} while (0)

#define vec_foreach(p, v) for (__typeof__((v)->items + 0) p = (v)->items; p && p < (v)->items + (v)->n; p++)
