/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uthash with a keyed hash function. Include this instead of <uthash.h>.
 *
 * Names in a table come from files and from namespaces in which others are root. uthash's own function is the same
 * in every process, so that names can be chosen which all fall into one bucket: 30,000 of them made reading a file
 * of half a megabyte take seconds instead of hundredths. SipHash with a key that nobody knows does not allow that
 * (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; here with 1 and 3 rounds, as other tables use it).
 */
#pragma once

#include "base/base.h"

/* Of any bytes; depends on the key. */
uint32_t hash_bytes(const void *data, size_t size) _pure_;

/* The key, to be set once, before the first table. Without it tables work as well, for whoever trusts the names. */
void hash_set_key(const uint8_t key[16]);

#define HASH_FUNCTION(data, size, value) ((value) = hash_bytes(data, size))
#include <uthash.h>

/* Most tables are of one namespace and have a handful of entries, and there are several for each of thousands: they begin
 * with 4 buckets (64 bytes) instead of 32 and grow as ever. */
#undef HASH_INITIAL_NUM_BUCKETS
#undef HASH_INITIAL_NUM_BUCKETS_LOG2
#define HASH_INITIAL_NUM_BUCKETS 4U
#define HASH_INITIAL_NUM_BUCKETS_LOG2 2U
