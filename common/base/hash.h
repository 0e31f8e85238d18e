/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uthash with a keyed hash function. Include this instead of <uthash.h>.
 *
 * Names in a table come from files and from namespaces in which others are root. uthash's own function is the same in
 * every process, so that somebody could choose names that all fall into one bucket: 30,000 of them made reading a file
 * of half a megabyte take seconds instead of hundredths. SipHash with a secret key prevents this (Aumasson and
 * Bernstein, "SipHash: a fast short-input PRF", 2012; here with 1 and 3 rounds, as other hash tables use it).
 */
#pragma once

#include "base/base.h"

/* The hash of any bytes; depends on the key. */
uint32_t hash_bytes(const void *data, size_t size) _pure_;

/* Sets the key; to be called once, before the first table. Without a key tables work too, but names must be trusted. */
void hash_set_key(const uint8_t key[16]);

/* The same of four bytes, in a fraction of the time (Dietzfelbinger, "Universal hashing and k-wise independent random
 * variables via integer arithmetic without primes", 1996). */
uint32_t hash_word(const void *data) _pure_;

#define HASH_FUNCTION(data, size, value) \
	((value) = __builtin_constant_p(size) && (size) == 4 ? hash_word(data) : hash_bytes(data, size))
#include <uthash.h>

/* Most tables belong to one namespace and have a few entries, and there are several for each of thousands of
 * namespaces. So they start with 4 buckets (64 bytes) instead of 32, and grow as usual. */
#undef HASH_INITIAL_NUM_BUCKETS
#undef HASH_INITIAL_NUM_BUCKETS_LOG2
#define HASH_INITIAL_NUM_BUCKETS 4U
#define HASH_INITIAL_NUM_BUCKETS_LOG2 2U
