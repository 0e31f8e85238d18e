/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expand/range.h"

#include <ctype.h>

/* The state of reading the ranges of one name. */
struct reader {
	struct arena *arena;
	struct diags *diags;
	const struct node *node;
	const char *text, *at;
	struct range_part parts[PARTS_MAX];
	struct range *range; /* the one being read */
};

static const char how[] = "a range has numbers and letters, for example [1-20], [01-20], [1,3,7-9] or [a-d]";

/* One end of a part: a number, with its digits, or a letter. */
struct bound {
	uint32_t value;
	uint8_t digits;
	bool letter, zeros; /* zeros: it begins with one */
};

static bool read_bound(struct reader *r, struct bound *ret) {
	const char *start = r->at;

	*ret = (struct bound){};
	if (isalpha((unsigned char)*start) && !isalnum((unsigned char)start[1])) {
		*ret = (struct bound){ .value = (uint32_t)*r->at++, .letter = true };
		return true;
	}
	for (; isdigit((unsigned char)*r->at); r->at++) {
		ret->value = ret->value * 10 + (uint32_t)(*r->at - '0');
		if (r->at - start >= 9) {
			diag_error(r->diags, r->node->position, "'%s' has a number of more than 9 digits in its range",
				   r->text);
			return false;
		}
	}
	ret->digits = (uint8_t)(r->at - start);
	ret->zeros = ret->digits > 1 && *start == '0';
	if (ret->digits)
		return true;
	diag_error(r->diags, r->node->position, "'%s': %s; quote [ ] only around those", r->text, how);
	return false;
}

static bool check_part(struct reader *r, const struct bound *first, const struct bound *last) {
	struct position position = r->node->position;
	const char *name = r->text;

	if (first->letter != last->letter)
		diag_error(r->diags, position, "'%s' has a range from a letter to a number", name);
	else if (first->letter && !islower((int)first->value) != !islower((int)last->value))
		diag_error(r->diags, position, "'%s' has a range from a small letter to a capital one", name);
	else if (first->value > last->value && first->letter)
		diag_error(r->diags, position, "'%s' has an empty range; write [%c-%c]", name, (char)last->value,
			   (char)first->value);
	else if (first->value > last->value)
		diag_error(r->diags, position, "'%s' has an empty range; write [%u-%u]", name, last->value, first->value);
	else if ((first->zeros || last->zeros) && first->digits != last->digits)
		diag_error(r->diags, position, "'%s' has zeros before some numbers only; write [%0*u-%0*u]", name,
			   MAX(first->digits, last->digits), first->value, MAX(first->digits, last->digits), last->value);
	else
		return true;
	return false;
}

static bool check_twice(struct reader *r, const struct range_part *part) {
	for (size_t i = 0; i < r->range->n_parts; i++) {
		const struct range_part *other = &r->parts[i];

		if (other->letter != part->letter || other->last < part->first || other->first > part->last)
			continue;
		uint32_t twice = MAX(other->first, part->first);
		if (part->letter)
			diag_error(r->diags, r->node->position, "'%s' has '%c' twice in a range", r->text, (char)twice);
		else
			diag_error(r->diags, r->node->position, "'%s' has %u twice in a range", r->text, twice);
		return false;
	}
	return true;
}

static bool read_part(struct reader *r) {
	struct bound first, last;

	if (!read_bound(r, &first))
		return false;
	last = first;
	if (*r->at == '-') {
		r->at++;
		if (!read_bound(r, &last))
			return false;
	}
	struct range_part part = {
		.first = first.value,
		.last = last.value,
		.width = first.zeros ? first.digits : 0,
		.letter = first.letter,
	};
	if (!check_part(r, &first, &last) || !check_twice(r, &part))
		return false;
	if (r->range->n_parts == PARTS_MAX) {
		diag_error(r->diags, r->node->position, "a range of more than %d parts", PARTS_MAX);
		return false;
	}
	r->parts[r->range->n_parts++] = part;
	r->range->n += part.last - part.first + 1;
	return true;
}

/* Reads the range that begins at r->at, a `[`. */
static bool read_range(struct reader *r) {
	*r->range = (struct range){ .start = (size_t)(r->at - r->text) };
	r->at++;
	if (*r->at == ']') {
		diag_error(r->diags, r->node->position, "'%s' has an empty range: %s", r->text, how);
		return false;
	}
	while (read_part(r)) {
		if (*r->at == ']') {
			r->at++;
			r->range->end = (size_t)(r->at - r->text);
			r->range->parts = arena_memdup(r->arena, r->parts, r->range->n_parts * sizeof(r->parts[0]));
			return true;
		}
		if (*r->at != ',') {
			diag_error(r->diags, r->node->position, *r->at ? "'%s': %s" : "'%s' has a '[' without a ']': %s",
				   r->text, how);
			return false;
		}
		r->at += 1 + strspn(r->at + 1, " ");
	}
	return false;
}

/* Do all ranges of the entry so far have the same length? */
static bool check_steps(struct entry_names *names, struct diags *diags, const struct pattern *pattern,
			const struct range *range) {
	if (range->n > RANGE_MAX) {
		diag_error(diags, pattern->node->position, "'%s' stands for %zu; at most %d are possible", pattern->text,
			   range->n, RANGE_MAX);
		return false;
	}
	if (!names->n)
		names->n = range->n;
	if (names->n == range->n)
		return true;
	diag_error(diags, pattern->node->position,
		   "two ranges in one entry run in step, but this one has %zu number%s and the first one %zu", range->n,
		   range->n == 1 ? "" : "s", names->n);
	if (names->n_patterns)
		diag_note(diags, names->patterns[0].node->position, "the first one is here");
	return false;
}

bool range_occurs(const char *text) {
	return strchr(text, '[') != NULL;
}

bool range_add_name(struct entry_names *names, struct arena *arena, struct diags *diags, const struct node *node,
		    const char *text) {
	struct reader r = { .arena = arena, .diags = diags, .node = node, .text = text, .at = text };

	if (names->n_patterns == PATTERNS_MAX)
		return true; /* the caller reports too many names */
	struct pattern *pattern = &names->patterns[names->n_patterns];
	*pattern = (struct pattern){ .node = node, .text = text };
	while ((r.at = strchr(r.at, '['))) {
		if (pattern->n_ranges == RANGES_MAX) {
			diag_error(diags, node->position, "a name with more than %d ranges", RANGES_MAX);
			return false;
		}
		r.range = &pattern->ranges[pattern->n_ranges];
		if (!read_range(&r) || !check_steps(names, diags, pattern, r.range))
			return false;
		pattern->n_ranges++;
	}
	names->n_patterns++;
	return true;
}

/* The i-th number of a range, and the part that it is in. */
static uint32_t number_at(const struct range *range, size_t i, const struct range_part **ret_part) {
	const struct range_part *part = range->parts;

	for (; i > part->last - part->first; part++)
		i -= part->last - part->first + 1;
	*ret_part = part;
	return part->first + (uint32_t)i;
}

struct number range_number(const struct entry_names *names, size_t i) {
	const struct pattern *pattern = names->patterns;
	const struct range_part *part;

	while (!pattern->n_ranges)
		pattern++;
	uint32_t value = number_at(&pattern->ranges[0], i, &part);
	return (struct number){ .value = value, .letter = part->letter };
}

bool range_fill(const struct pattern *pattern, size_t i, struct number n, struct text *out, struct text *error) {
	const char *text = pattern->text;
	const struct range_part *part;
	size_t from = 0;

	for (size_t k = 0; k <= pattern->n_ranges; k++) {
		const struct range *range = k < pattern->n_ranges ? &pattern->ranges[k] : NULL;
		_cleanup_free_ char *between = range ? strndup(text + from, range->start - from) : strdup(text + from);

		if (!between)
			abort();
		if (!expression_fill(between, n, out, error))
			return false;
		if (!range)
			break;
		uint32_t value = number_at(range, i, &part);
		if (part->letter)
			text_addn(out, &(char){ (char)value }, 1);
		else
			text_addf(out, "%0*u", part->width, value);
		from = range->end;
	}
	return true;
}
