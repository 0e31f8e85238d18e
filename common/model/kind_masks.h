/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which fields of a kind have a property, as masks; see kind_masks.c. */
#pragma once

#include "model/kind.h"

/* The fields of a kind … */
struct kind_masks {
	const struct kind *kind;
	uint64_t all;
	uint64_t keys;                               /* … of class FIELD_KEY */
	uint64_t identity;                           /* … by which a found object is recognised: keys and FIELD_IDENTITY */
	uint64_t needing;                            /* … that may name another object */
	uint64_t once, birth, one_way, ledger, sign; /* … with that flag */
	int home;                                    /* the key that names the object's link; -1: none */
};

enum { KIND_MASKS_LOG2 = 7 }; /* kinds that share a slot are only slower */

extern _Thread_local struct kind_masks kind_masks_slots[1 << KIND_MASKS_LOG2];
const struct kind_masks *kind_masks_fill(struct kind_masks *slot, const struct kind *kind);

/* Valid until the thread asks for another kind. */
static inline const struct kind_masks *kind_masks(const struct kind *kind) {
	uint32_t hash = (uint32_t)((uintptr_t)kind >> 4) * UINT32_C(2654435769);
	struct kind_masks *slot = &kind_masks_slots[hash >> (32 - KIND_MASKS_LOG2)];

	return slot->kind == kind ? slot : kind_masks_fill(slot, kind);
}

/* Runs with i set to each bit of the mask. */
#define mask_foreach(i, mask)                                                                              \
	for (uint64_t i##_left = (mask), i = 0; i##_left && (i = (size_t)__builtin_ctzll(i##_left), true); \
	     i##_left &= i##_left - 1)
