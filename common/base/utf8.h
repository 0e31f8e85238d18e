/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading text that a user wrote and that may be anything: decoding UTF-8, and which characters are safe to show on a
 * terminal.
 */
#pragma once

#include "base/base.h"

/* Decodes the character at text (of size > 0 bytes). Returns its length in bytes; 0: the bytes are not valid UTF-8
 * (overlong, a surrogate, truncated, …), and *ret_code is the first byte. */
static inline size_t utf8_decode(const char *text, size_t size, uint32_t *ret_code) {
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc0 ? 2 : 0;
	uint32_t code = n > 1 ? p[0] & (0x7fu >> n) : p[0];

	*ret_code = p[0];
	if (n == 0 || n > size || p[0] > 0xf7)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3fu);
	}
	if (code < smallest[n] || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
		return 0;
	*ret_code = code;
	return n;
}

/* The number of bytes to skip at text: a whole character, or one invalid byte. */
static inline size_t utf8_step(const char *text, size_t size) {
	uint32_t code;
	size_t n = utf8_decode(text, size, &code);

	return n ? n : 1;
}

/* Would the character control the terminal, or change the order of its neighbours, instead of being visible? */
static inline bool utf8_is_unsafe(uint32_t code) {
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x2069) || code == 0xfeff;
}
