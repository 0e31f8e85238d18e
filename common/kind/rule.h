/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values of a policy rule; see rule.c for the rule, rule_value.c for how they are written. */
#pragma once

#include "model/field.h"

/* A prefix, or all but it. */
struct selector {
	struct prefix prefix;
	uint32_t inverted;
};

struct fwmark {
	uint32_t value, mask;
};

/* Ports, or user ids. */
struct range {
	uint32_t first, last;
};

enum { RULE_NO_LIMIT = UINT32_MAX }; /* of suppress_*: the kernel's -1 */

extern const struct type rule_selector;    /* struct selector */
extern const struct type rule_fwmark;      /* struct fwmark */
extern const struct type rule_range;       /* struct range */
extern const struct type rule_ip_protocol; /* uint32_t */
extern const struct type rule_limit;       /* uint32_t, or RULE_NO_LIMIT */
