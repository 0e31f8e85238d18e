/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key `vrf` of routes and rules: another way to write `table`.
 *
 * Its row has the offset of the `table` row, so that reading it stores the table. vrf_settle() then makes it a `table`:
 * an object that was read has no `vrf`.
 */
#pragma once

#include "model/object.h"

/* uint32_t: the table of a VRF that is declared in the same namespace. */
extern const struct type type_vrf_name;

#define VRF_ROW(of)                                                                                               \
	{                                                                                                         \
		.name = "vrf", .type = &type_vrf_name, .offset = offsetof(struct of, table), .flags = FIELD_ONCE, \
		.doc = "A VRF of the namespace, instead of its `table`."                                          \
	}

/* False after an error: the file has both keys. vrf, table: the positions of the two rows. */
bool vrf_settle(struct parse *p, struct object *object, size_t vrf, size_t table);
