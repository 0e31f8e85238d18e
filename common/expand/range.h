/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names with ranges: `h[1-100]`, `h[01-20]`, `sw[1,3,7-9]`, `[a-d]`.
 *
 * A pattern is such a name as written. All patterns of one entry (a link names two ends), and all ranges of one pattern, run
 * in step: the i-th thing that the entry stands for has the i-th number of each range, and `{n}` is the number from the
 * first range. This file reads patterns and makes names; ranges.c knows which texts are names.
 */
#pragma once

#include "expand/expression.h"
#include "yaml/yaml.h"

enum {
	RANGE_MAX = 100 * 1000, /* how many things one entry may stand for */
	RANGES_MAX = 4,         /* ranges in one name */
	PARTS_MAX = 256,        /* parts of one range: 3 and 7-9 are two */
	PATTERNS_MAX = 2,       /* names in one entry */
};

struct range_part {
	uint32_t first, last; /* both included */
	uint8_t width;        /* at least so many digits */
	bool letter;          /* the numbers are codes of letters */
};

struct range {
	size_t start, end; /* the offsets of its `[` and of the text after its `]` */
	size_t n;          /* numbers */
	const struct range_part *parts;
	size_t n_parts;
};

struct pattern {
	const struct node *node;
	const char *text; /* the node's text, in which expressions of an outer range may have been filled in */
	struct range ranges[RANGES_MAX];
	size_t n_ranges;
};

/* The names of an entry. */
struct entry_names {
	struct pattern patterns[PATTERNS_MAX];
	size_t n_patterns;
	size_t n; /* how many things the entry stands for; 0: no name has a range */
};

/* Does the text of a name have a range? */
bool range_occurs(const char *text);

/* Adds the name in the node, with or without ranges, to the entry. False after an error in diags. */
bool range_add_name(struct entry_names *names, struct arena *arena, struct diags *diags, const struct node *node,
		    const char *text);

/* {n} of the i-th thing that the entry stands for, which must have a range. */
struct number range_number(const struct entry_names *names, size_t i);

/* Adds the i-th name of a pattern to out. False after an error, described by a sentence in *error. */
bool range_fill(const struct pattern *pattern, size_t i, struct number n, struct text *out, struct text *error);
