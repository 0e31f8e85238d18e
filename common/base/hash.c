/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SipHash-1-3 (hash.h).
 */
#include "base/hash.h"

#include <endian.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t key[2];

static inline uint64_t rotate(uint64_t x, unsigned bits) {
	return x << bits | x >> (64 - bits);
}

static inline void round_once(struct sip *s) {
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static inline void add_word(struct sip *s, uint64_t word) {
	s->v3 ^= word;
	round_once(s);
	s->v0 ^= word;
}

uint32_t hash_word(const void *data) {
	uint32_t word;

	memcpy(&word, data, sizeof(word));
	return (uint32_t)(((key[0] ^ UINT64_C(0x736f6d6570736575)) * word + key[1]) >> 32);
}

/* In host byte order, because the values never leave the process. Four bytes have one hash, however it is asked for: the
 * compiler may know the length of a literal in one place and not in another. */
uint32_t hash_bytes(const void *data, size_t size) {
	struct sip s = { key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
			 key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573) };
	uint64_t word, last = (uint64_t)size << 56;
	const char *at = data;
	size_t left = size;

	if (size == sizeof(uint32_t))
		return hash_word(data);
	for (; left >= sizeof(word); at += sizeof(word), left -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		add_word(&s, word);
	}
	if (left && size >= sizeof(word)) { /* reads the last eight bytes, and shifts out those that were already added */
		memcpy(&word, at + left - sizeof(word), sizeof(word));
		last |= le64toh(word) >> (8 * (sizeof(word) - left));
	} else if (left) {
		word = 0;
		memcpy(&word, at, left);
		last |= word;
	}
	add_word(&s, last);
	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		round_once(&s);
	last = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	return (uint32_t)(last ^ last >> 32);
}

void hash_set_key(const uint8_t bytes[16]) {
	memcpy(key, bytes, sizeof(key));
}
