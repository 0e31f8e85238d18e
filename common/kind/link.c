/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links in general: their class, and the MAC addresses that topod gives them. Their messages are in link_encode.c and
 * link_decode.c.
 */
#include "kind/link.h"

#include <linux/rtnetlink.h>

#include "model/change.h"
#include "model/source.h"

const struct enum_name link_address_generation_names[] = {
	{ "eui64", IN6_ADDR_GEN_MODE_EUI64 },
	{ "none", IN6_ADDR_GEN_MODE_NONE },
	{ "stable-privacy", IN6_ADDR_GEN_MODE_STABLE_PRIVACY },
	{ "random", IN6_ADDR_GEN_MODE_RANDOM },
	{},
};

/* Deleting a link deletes everything on it. */
static enum stage stage(const struct change *change) {
	return change->type == CHANGE_CREATE ? STAGE_LINK : change->type == CHANGE_DELETE ? STAGE_DELETE : STAGE_INSIDE;
}

enum {
	/* do_setlink() changes these without an event (DO_SETLINK_MODIFIED alone, net/core/rtnetlink.c) */
	SILENT_FIELDS = 1 << LINK_GSO_MAX_SIZE | 1 << LINK_GSO_IPV4_MAX_SIZE | 1 << LINK_GSO_MAX_SEGS |
			1 << LINK_GRO_MAX_SIZE | 1 << LINK_GRO_IPV4_MAX_SIZE,
};

/* Also what a kind reads in addition and gets no events about. */
static bool silent(const struct object *object) {
	return (object->kind->source && !object->kind->source->groups) || object->set & SILENT_FIELDS;
}

const struct class class_link = {
	.silent = silent,
	.name = "interface",
	.plural = "interfaces",
	.source = &source_link,
	.part_of = &class_netns,
	.share_by = "kind: existing",
	.splits = true,
	.stage = stage,
};

bool link_is_fallback(const char *name) {
	static const char *const names[] = { "tunl0",    "gre0", "gretap0", "erspan0", "ip_vti0",
					     "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(name, names[i]))
			return true;
	return false;
}

/* SipHash-2-4 would do as well. FNV-1a over 64 bits with a final mix is short and spreads well enough; it only
 * matters that the same names give the same address on the same machine. */
static uint64_t mix(uint64_t hash, const void *data, size_t size) {
	for (const uint8_t *p = data; size--; p++)
		hash = (hash ^ *p) * UINT64_C(0x100000001b3);
	return hash;
}

struct mac link_stable_mac(const void *machine_id, const char *topology, const char *ns, const char *name) {
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	struct mac mac;

	hash = mix(hash, machine_id, 16);
	hash = mix(hash, topology, strlen(topology) + 1);
	hash = mix(hash, ns, strlen(ns) + 1);
	hash = mix(hash, name, strlen(name) + 1);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	for (size_t i = 0; i < sizeof(mac.bytes); i++)
		mac.bytes[i] = (uint8_t)(hash >> 8 * i);
	mac.bytes[0] = (uint8_t)((mac.bytes[0] & 0xfe) | 0x02);
	return mac;
}
