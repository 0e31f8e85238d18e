/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expand/expression.h"

#include <ctype.h>
#include <inttypes.h>

/* The maximum length of an expression. It also limits the levels of parentheses, and thus the use of the stack. */
enum { EXPRESSION_MAX = 200 };

/* The state of reading one expression. */
struct reader {
	const char *start, *at, *end; /* between the braces */
	struct number n;
	struct text *error; /* the first error; empty: none so far */
};

static bool _printf_(2, 3) refuse(struct reader *r, const char *format, ...) {
	va_list args;

	if (r->error->size)
		return false;
	va_start(args, format);
	_cleanup_free_ char *why = xvasprintf(format, args);
	va_end(args);
	text_addf(r->error, "{%.*s}: %s", (int)(r->end - r->start), r->start, why);
	return false;
}

static void skip_space(struct reader *r) {
	while (r->at < r->end && *r->at == ' ')
		r->at++;
}

/* The next character; 0 at the end. */
static char next(struct reader *r) {
	skip_space(r);
	return r->at < r->end ? *r->at : '\0';
}

static bool read_sum(struct reader *r, int64_t *ret);

static bool read_integer(struct reader *r, int64_t *ret) {
	for (*ret = 0; r->at < r->end && isdigit((unsigned char)*r->at); r->at++)
		if (__builtin_mul_overflow(*ret, 10, ret) || __builtin_add_overflow(*ret, *r->at - '0', ret))
			return refuse(r, "the number is too large");
	return true;
}

static bool read_name(struct reader *r, int64_t *ret) {
	const char *name = r->at;

	while (r->at < r->end && (isalnum((unsigned char)*r->at) || *r->at == '_'))
		r->at++;
	if (r->at - name != 1 || *name != 'n')
		return refuse(r, "'%.*s' is unknown; only n, the number from the range, can be used here",
			      (int)(r->at - name), name);
	if (r->n.letter)
		return refuse(r, "there is no arithmetic on '%c': it is a letter", (char)r->n.value);
	*ret = r->n.value;
	return true;
}

static bool read_operand(struct reader *r, int64_t *ret) {
	char c = next(r);

	if (c == '-') {
		r->at++;
		return read_operand(r, ret) &&
		       (!__builtin_sub_overflow(0, *ret, ret) || refuse(r, "the number is too large"));
	}
	if (c == '(') {
		r->at++;
		if (!read_sum(r, ret))
			return false;
		if (next(r) != ')')
			return refuse(r, "a ')' is missing");
		r->at++;
		return true;
	}
	if (isdigit((unsigned char)c))
		return read_integer(r, ret);
	if (isalpha((unsigned char)c) || c == '_')
		return read_name(r, ret);
	return refuse(r, "a number is missing; write for example {n}, {n+1}, {(n-1)*4} or {n:02}");
}

static bool read_product(struct reader *r, int64_t *ret) {
	int64_t other;
	char c;

	if (!read_operand(r, ret))
		return false;
	while ((c = next(r)) == '*' || c == '/' || c == '%') {
		r->at++;
		if (!read_operand(r, &other))
			return false;
		if (c != '*' && other == 0)
			return refuse(r, "division by zero");
		if (c == '*' ? __builtin_mul_overflow(*ret, other, ret) : other == -1 && *ret == INT64_MIN)
			return refuse(r, "the number is too large");
		if (c != '*')
			*ret = c == '/' ? *ret / other : *ret % other;
	}
	return true;
}

static bool read_sum(struct reader *r, int64_t *ret) {
	int64_t other;
	char c;

	if (!read_product(r, ret))
		return false;
	while ((c = next(r)) == '+' || c == '-') {
		r->at++;
		if (!read_product(r, &other))
			return false;
		if (c == '+' ? __builtin_add_overflow(*ret, other, ret) : __builtin_sub_overflow(*ret, other, ret))
			return refuse(r, "the number is too large");
	}
	return true;
}

/* The part after the colon: [0][WIDTH][x]. */
static bool add_formatted(struct reader *r, int64_t value, struct text *out) {
	bool colon = next(r) == ':', zeros, hex;
	int width = 0;

	if (!colon && r->at < r->end)
		return refuse(r, "'%.*s' is not expected here", (int)(r->end - r->at), r->at);
	r->at += colon;
	zeros = r->at < r->end && *r->at == '0';
	for (int digits = 0; r->at < r->end && isdigit((unsigned char)*r->at) && digits < 2; r->at++, digits++)
		width = width * 10 + *r->at - '0';
	hex = r->at < r->end && *r->at == 'x';
	r->at += hex;
	if (r->at < r->end || (colon && !width && !hex) || (width && !zeros))
		return refuse(r, "after ':' comes the format of the number, for example {n:02}, {n:x} or {n:02x}");
	if (hex && value < 0)
		return refuse(r, "%" PRId64 " cannot be written in hexadecimal", value);
	if (hex)
		text_addf(out, "%0*" PRIx64, width, (uint64_t)value);
	else
		text_addf(out, "%0*" PRId64, width, value);
	return true;
}

bool expression_occurs(const char *text) {
	return strchr(text, '{') != NULL;
}

bool expression_is_meant(const char *text) {
	for (const char *at = text; (at = strstr(at, "{n")); at++)
		if (at[2] && strchr("}+-*/%: ", at[2]) && strchr(at, '}') && !(at > text && at[-1] == '{'))
			return true;
	return false;
}

const char *expression_add(const char *text, struct number n, struct text *out, struct text *error) {
	const char *end = strchr(text, '}');
	struct reader r = { .start = text + 1, .at = text + 1, .end = end, .n = n, .error = error };
	int64_t value;

	if (!end) {
		text_add(error, "this '{' is never closed; write '{{' for a literal '{'");
		return NULL;
	}
	if (end - text > EXPRESSION_MAX) {
		text_addf(error, "an expression longer than %d characters", EXPRESSION_MAX);
		return NULL;
	}
	if (n.letter && end - text == 2 && text[1] == 'n') {
		char letter = (char)n.value;

		text_addn(out, &letter, 1);
		return end + 1;
	}
	return read_sum(&r, &value) && add_formatted(&r, value, out) ? end + 1 : NULL;
}

bool expression_fill(const char *text, struct number n, struct text *out, struct text *error) {
	for (const char *brace; (brace = strchr(text, '{'));) {
		text_addn(out, text, (size_t)(brace - text));
		if (brace[1] == '{') {
			text_add(out, "{");
			text = brace + 2;
			continue;
		}
		text = expression_add(brace, n, out, error);
		if (!text)
			return false;
	}
	text_add(out, text);
	return true;
}
