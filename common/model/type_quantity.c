/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quantities of traffic: rates, sizes and percentages, as tc(8) writes them and in the kernel's units.
 *
 * A value that the kernel cannot hold is rounded here, so that the file's value equals the one that the kernel reports
 * later.
 */
#include <ctype.h>
#include <inttypes.h>
#include <strings.h>

#include "model/type_private.h"

enum { DIGITS_MAX = 9 }; /* after the point */

struct unit {
	const char *name;
	uint64_t factor;
};

/* A decimal number, then the rest of the text; in billionths, so that 1.5 is exact. NULL: no number, or too large. */
static const char *read_decimal(const char *text, unsigned __int128 *ret) {
	unsigned __int128 value = 0;
	bool digits = false;
	int places = -1;

	for (; isdigit((unsigned char)*text) || (*text == '.' && places < 0); text++) {
		if (*text == '.') {
			places = 0;
			continue;
		}
		digits = true;
		if (places == DIGITS_MAX)
			continue;
		value = value * 10 + (unsigned)(*text - '0');
		places += places >= 0;
		if (value > (unsigned __int128)UINT64_MAX * 1000)
			return NULL;
	}
	for (int i = MAX(places, 0); i < DIGITS_MAX; i++)
		value *= 10;
	*ret = value;
	return digits ? text : NULL;
}

static const struct unit *find_unit(const struct unit *units, const char *name) {
	for (; units->name; units++)
		if (strcasecmp(units->name, name) == 0)
			return units;
	return NULL;
}

/* 0, -EINVAL, or -ERANGE if the value is larger than 64 bits. */
static int parse_quantity(const char *text, const struct unit *units, uint64_t *ret) {
	unsigned __int128 number;
	const char *rest = read_decimal(text, &number);
	const struct unit *unit = rest ? find_unit(units, rest) : NULL;

	if (!unit)
		return -EINVAL;
	number = number * unit->factor / 1000000000;
	*ret = (uint64_t)number;
	return number > UINT64_MAX ? -ERANGE : 0;
}

/* The largest unit in which the value is a whole number. */
static void print_quantity(uint64_t value, const struct unit *units, struct text *out) {
	const struct unit *best = units;

	for (const struct unit *unit = units + 1; unit->name; unit++)
		if (value && value % unit->factor == 0 && unit->factor > best->factor)
			best = unit;
	text_addf(out, "%" PRIu64 "%s", value / best->factor, best->name);
}

/* Rates, in bytes per second. */

static const struct unit rate_units[] = {
	{ "bit", 1 }, { "kbit", 1000 }, { "mbit", 1000000 }, { "gbit", 1000000000 }, { "tbit", 1000000000000 }, {},
};

/* Bytes per second for tc(8), bits for everybody else. */
static const struct unit ambiguous_units[] = {
	{ "bps", 8 }, { "kbps", 8000 }, { "mbps", 8000000 }, { "gbps", 8000000000 }, { "tbps", 8000000000000 }, {},
};
static const struct unit short_units[] = {
	{ "", 1 }, { "k", 1000 }, { "m", 1000000 }, { "g", 1000000000 }, { "t", 1000000000000 }, {},
};

static bool refuse_rate(struct parse *p, const struct field *field, const struct node *node, const char *text) {
	_cleanup_text_ struct text right = {};
	uint64_t bits;

	if (parse_quantity(text, ambiguous_units, &bits) == 0) {
		print_quantity(bits, rate_units, &right);
		diag_error(p->diags, node->position,
			   "'%s' takes bits per second; '%s' means bytes to tc: write %s, or %.*sbit if it means bits",
			   field->name, text, text_str(&right), (int)(strlen(text) - 3), text);
		return false;
	}
	if (parse_quantity(text, short_units, &bits) == 0 && bits) {
		print_quantity(bits, rate_units, &right);
		diag_error(p->diags, node->position, "'%s' needs its unit: write %s", field->name, text_str(&right));
		return false;
	}
	return type_wrong(p, field, node, "800bit, 10mbit or 1.5gbit");
}

static bool rate_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);
	uint64_t bits;

	if (!text)
		return false;
	if (streq(text, "none") && field->fallback && streq(field->fallback, "none")) {
		*(uint64_t *)value = 0;
		return true;
	}
	int r = parse_quantity(text, rate_units, &bits);
	if (r == -EINVAL)
		return refuse_rate(p, field, node, text);
	if (r < 0 || bits < 8) {
		diag_error(p->diags, node->position, "'%s' must be from 8bit to 100000000tbit, not %s%s", field->name, text,
			   r == 0 ? "; a rate of 0 would let nothing pass" : "");
		return false;
	}
	*(uint64_t *)value = bits / 8;
	return true;
}

static void rate_print(const struct field *field _unused_, const void *value, struct text *out) {
	uint64_t bytes = *(const uint64_t *)value;

	if (!bytes)
		text_add(out, "none");
	else
		print_quantity(MIN(bytes, UINT64_MAX / 8) * 8, rate_units, out);
}

static bool u64_equal(const void *a, const void *b) {
	return *(const uint64_t *)a == *(const uint64_t *)b;
}

static void rate_put(struct nl_writer *w, const struct field *field, const void *value) {
	uint64_t bytes = *(const uint64_t *)value;

	if (field->form == FORM_U64)
		nl_put(w, field->attr, &bytes, sizeof(bytes));
	else
		nl_put_u32(w, field->attr, bytes ? (uint32_t)MIN(bytes, UINT32_MAX) : UINT32_MAX);
}

static bool rate_get(struct arena *arena _unused_, const struct field *field, const struct nlattr *attr, void *value) {
	uint64_t *bytes = value;

	if (mnl_attr_get_payload_len(attr) < (field->form == FORM_U64 ? sizeof(uint64_t) : sizeof(uint32_t)))
		return false;
	*bytes = field->form == FORM_U64                ? mnl_attr_get_u64(attr)
		 : mnl_attr_get_u32(attr) == UINT32_MAX ? 0
							: mnl_attr_get_u32(attr);
	return true;
}

const struct type type_rate = {
	.name = "rate",
	.size = sizeof(uint64_t),
	.parse = rate_parse,
	.print = rate_print,
	.equal = u64_equal,
	.put = rate_put,
	.get = rate_get,
};

/* Sizes, in bytes. */

static const struct unit size_units[] = {
	{ "", 1 }, { "k", 1024 }, { "m", 1024 * 1024 }, { "g", 1024 * 1024 * 1024 }, {},
};
static const struct unit size_words[] = {
	{ "", 1 },
	{ "b", 1 },
	{ "k", 1024 },
	{ "kb", 1024 },
	{ "m", 1024 * 1024 },
	{ "mb", 1024 * 1024 },
	{ "g", 1024 * 1024 * 1024 },
	{ "gb", 1024 * 1024 * 1024 },
	{},
};

static void size_print(const struct field *field _unused_, const void *value, struct text *out) {
	print_quantity(*(const uint32_t *)value, size_units, out);
}

static bool size_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);
	uint64_t bytes;

	if (!text)
		return false;
	int r = parse_quantity(text, size_words, &bytes);
	if (r == -EINVAL)
		return type_wrong(p, field, node, "1500, 32k or 2m bytes");
	if (r < 0 || bytes < field->min || bytes > (field->max ? field->max : UINT32_MAX)) {
		uint32_t max = field->max ? field->max : UINT32_MAX;

		diag_error(p->diags, node->position, "'%s' must be from %" PRIu32 " to %" PRIu32 " bytes, not %s",
			   field->name, field->min, max, text);
		return false;
	}
	*(uint32_t *)value = (uint32_t)bytes;
	return true;
}

const struct type type_size = {
	.name = "size",
	.schema = "{\"type\": [\"integer\", \"string\"], \"minimum\": 0}",
	.size = sizeof(uint32_t),
	.parse = size_parse,
	.print = size_print,
	.equal = type_u32_equal,
	.put = type_u32_put,
	.get = type_u32_get,
};

/* Percentages: of 2^32 - 1, the range of the kernel's random numbers. */

static bool percent_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	static const struct unit percent[] = { { "%", 1000000 }, {} }, bare[] = { { "", 1000000 }, {} };
	const char *text = parse_scalar(p, field, node);
	uint64_t millionths;

	if (!text)
		return false;
	if (parse_quantity(text, percent, &millionths) == 0 && millionths <= 100000000) {
		*(uint32_t *)value = (uint32_t)(((unsigned __int128)millionths * UINT32_MAX + 50000000) / 100000000);
		return true;
	}
	if (parse_quantity(text, bare, &millionths) == 0 && millionths <= 100000000)
		diag_error(p->diags, node->position, "'%s' takes a percentage: write %s%%", field->name, text);
	else
		diag_error(p->diags, node->position, "'%s' must be from 0%% to 100%%, not %s", field->name, text);
	return false;
}

/* With as many digits as it takes to read the same number again. */
static void percent_print(const struct field *field _unused_, const void *value, struct text *out) {
	uint64_t number = *(const uint32_t *)value, exact = (number * 100000000 + UINT32_MAX / 2) / UINT32_MAX, millionths;

	for (uint64_t factor = 1000000;; factor /= 10) {
		millionths = (exact + factor / 2) / factor * factor;
		if (factor == 1 || (millionths * UINT32_MAX + 50000000) / 100000000 == number)
			break;
	}
	text_addf(out, "%" PRIu64, millionths / 1000000);
	if (millionths % 1000000) {
		char digits[7];

		snprintf(digits, sizeof(digits), "%06u", (unsigned)(millionths % 1000000));
		for (size_t n = 6; digits[n - 1] == '0'; n--)
			digits[n - 1] = '\0';
		text_addf(out, ".%s", digits);
	}
	text_add(out, "%");
}

const struct type type_percent = {
	.name = "percentage",
	.size = sizeof(uint32_t),
	.parse = percent_parse,
	.print = percent_print,
	.equal = type_u32_equal,
	.put = type_u32_put,
	.get = type_u32_get,
};
