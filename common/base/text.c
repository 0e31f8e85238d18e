/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growing strings (text.h).
 */
#include "base/text.h"

enum {
	PIECE_GUESS = 48, /* most pieces are shorter and need not be formatted twice */
};

void text_reserve(struct text *text, size_t more) {
	size_t need = text->size + more + 1;

	if (need <= text->allocated)
		return;
	text->allocated = MAX(need, MAX(text->allocated * 2, (size_t)64));
	if (!text->borrowed) {
		text->data = xrealloc(text->data, text->allocated);
		return;
	}
	char *own = xmalloc(text->allocated);
	if (text->size)
		memcpy(own, text->data, text->size);
	text->data = own;
	text->borrowed = false;
}

void text_add_hex(struct text *t, const void *data, size_t size) {
	static const char digits[] = "0123456789abcdef";

	for (const uint8_t *byte = data; byte < (const uint8_t *)data + size; byte++)
		text_addn(t, (const char[]){ digits[*byte >> 4], digits[*byte & 15] }, 2);
}

void text_add_wrapped(struct text *text, const char *words, const char *head, size_t width) {
	const size_t left = strlen(head);
	size_t at = left, n;

	for (; *words; words += n + strspn(words + n, " ")) {
		n = strcspn(words, " ");
		if (at > left && at + 1 + n > width) {
			text_addf(text, "\n%s", head);
			at = left;
		} else if (at > left) {
			text_add(text, " ");
			at++;
		}
		text_addn(text, words, n);
		at += n;
	}
}

void text_add_number(struct text *text, uint64_t number) {
	char digits[20], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	text_addn(text, at, (size_t)(digits + sizeof(digits) - at));
}

void text_addf(struct text *text, const char *format, ...) {
	va_list args, copy;

	text_reserve(text, PIECE_GUESS);
	va_start(args, format);
	va_copy(copy, args);
	size_t room = text->allocated - text->size;
	int n = vsnprintf(text->data + text->size, room, format, copy);
	va_end(copy);
	if (n < 0)
		abort();
	if ((size_t)n >= room) {
		text_reserve(text, (size_t)n);
		vsnprintf(text->data + text->size, (size_t)n + 1, format, args);
	}
	text->size += (size_t)n;
	va_end(args);
}

const char *text_str(const struct text *text) {
	return text->data && text->size ? text->data : "";
}

char *text_take(struct text *text) {
	char *data = text->data && !text->borrowed ? text->data : xstrdup(text_str(text));

	*text = (struct text){};
	return data;
}

void text_done(struct text *text) {
	if (!text->borrowed)
		free(text->data);
	*text = (struct text){};
}
