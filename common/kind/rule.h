/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rule.c and the other files of policy rules share. */
#pragma once

#include "model/change.h"
#include "model/state.h"

/* A prefix, or everything except it. */
struct selector {
	struct prefix prefix;
	uint32_t inverted;
};

/* A range of ports or user ids. */
struct range {
	uint32_t first, last;
};

enum { RULE_NO_LIMIT = UINT32_MAX }; /* suppress_*: -1 for the kernel */

extern const struct type rule_selector;    /* struct selector */
extern const struct type rule_range;       /* struct range */
extern const struct type rule_ip_protocol; /* uint32_t */
extern const struct type rule_limit;       /* uint32_t, or RULE_NO_LIMIT */

struct rule {
	struct object object;
	uint32_t family, priority, inverted, tos, ip_protocol;
	struct selector from, to;
	const char *iif, *oif;
	struct fwmark fwmark;
	struct range source_port, destination_port, uid_range;
	uint32_t type, table, jump, l3mdev, suppress_prefix_length, suppress_interface_group, protocol, present;
	uint32_t chosen; /* observed: the priority, also where the file has none */
	bool both;       /* desired: the file names no family, so there is one rule for each */
	bool others;     /* observed: it has selectors that topod does not know */
};

enum rule_field {
	RULE_FAMILY,
	RULE_PRIORITY,
	RULE_FROM,
	RULE_TO,
	RULE_IIF,
	RULE_OIF,
	RULE_FWMARK,
	RULE_TOS,
	RULE_IP_PROTOCOL,
	RULE_SOURCE_PORT,
	RULE_DESTINATION_PORT,
	RULE_UID_RANGE,
	RULE_NOT,
	RULE_TABLE,
	RULE_VRF, /* never set in an object that was read */
	RULE_L3MDEV,
	RULE_GOTO,
	RULE_TYPE,
	RULE_SUPPRESS_PREFIX_LENGTH,
	RULE_SUPPRESS_INTERFACE_GROUP,
	RULE_STATE,
	RULE_PROTOCOL,
	N_RULE_FIELDS,
};

/* A rule's action, as opposed to its selectors. */
enum {
	RULE_ACTION = 1 << RULE_TABLE | 1 << RULE_L3MDEV | 1 << RULE_GOTO | 1 << RULE_TYPE |
		      1 << RULE_SUPPRESS_PREFIX_LENGTH | 1 << RULE_SUPPRESS_INTERFACE_GROUP,
};

extern const struct field rule_fields[N_RULE_FIELDS];
extern const struct class class_rule;
extern const struct kind kind_rule;
extern const struct source source_rule;

int rule_encode(struct encode *encode, const struct change *change);

/* rule_export.c, see struct kind */
bool rule_is_usual(const struct state *seen, const struct object *observed, size_t field);
const char *rule_left_out(struct arena *arena, const struct object *observed);
