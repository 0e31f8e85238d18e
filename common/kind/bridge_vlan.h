/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VLANs of a bridge's port, and of the bridge itself as the port to its own host: `pvid`, `untagged`, `tagged`. The
 * same three fields, at the end of the tables of both kinds; see bridge_vlan.c.
 */
#pragma once

#include "kind/link.h"
#include "model/section.h"
#include "model/source.h"

struct vlan_set;

struct vlans {
	uint32_t pvid;                            /* 0: none */
	const struct vlan_set *untagged, *tagged; /* never NULL if set */
};

extern const struct type type_pvid, type_vlan_set;
/* The word for "no VLAN". */
extern const struct enum_name no_vlan[];
/* kind->source of both kinds. */
extern const struct source source_bridge_vlans;

enum { N_VLAN_FIELDS = 3 };

/* The last rows of the table; each kind's struct has a `struct vlans vlans`. */
#define VLAN_FIELDS(of, pvid_doc)                                                                       \
	{ .name = "pvid",                                                                               \
	  .type = &type_pvid,                                                                           \
	  .offset = offsetof(struct of, vlans.pvid),                                                    \
	  .flags = FIELD_AFTER,                                                                         \
	  .names = no_vlan,                                                                             \
	  .min = 1,                                                                                     \
	  .max = VLAN_ID_MAX,                                                                           \
	  .fallback = "1",                                                                              \
	  .doc = pvid_doc },                                                                            \
		{ .name = "untagged",                                                                   \
		  .type = &type_vlan_set,                                                               \
		  .offset = offsetof(struct of, vlans.untagged),                                        \
		  .flags = FIELD_AFTER,                                                                 \
		  .fallback = "1",                                                                      \
		  .doc = "VLANs whose frames leave here without a tag: ids and ranges, `[10, 20-29]`; " \
			 "`pvid` is one of them unless `tagged` has it." },                             \
	{                                                                                               \
		.name = "tagged", .type = &type_vlan_set, .offset = offsetof(struct of, vlans.tagged),  \
		.flags = FIELD_AFTER, .fallback = "none",                                               \
		.doc = "VLANs whose frames leave here with a tag: ids and ranges, `[10, 20-29]`."       \
	}

enum { VLAN_ID_MAX = 4094 }; /* VLAN_N_VID - 2, linux/if_vlan.h: 0 and 4095 are reserved (IEEE 802.1Q) */

/* For kind->settle of both kinds: fills in what the file leaves out. */
void bridge_vlans_settle(const struct kind *kind, struct arena *arena, struct ns_state *ns);
/* kind->check and kind->fallback. */
void bridge_vlans_check(struct reading *r, const struct ns_state *ns, const struct object *desired);
const char *bridge_vlans_fallback(struct arena *arena, const struct ns_state *ns, const struct object *object, size_t field);
/* For kind->encode of both kinds: `others` encodes the other fields. Sets exactly the declared VLANs, whatever was there
 * before. */
int bridge_vlans_encode(struct encode *encode, const struct change *change,
			int (*others)(struct encode *encode, const struct change *change));
bool bridge_vlans_are_usual(const struct state *seen, const struct object *observed, size_t field); /* kind->is_usual() */
