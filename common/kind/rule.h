/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The types of a policy rule's values (rule_value.c); the rule itself is in rule.c. */
#pragma once

#include "model/field.h"

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
