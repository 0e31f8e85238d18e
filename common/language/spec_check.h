/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only shows across objects, by subject: each spec_check_*.c has one, and is a row of the table in spec_check.c.
 *
 * A file of 100,000 lines is checked in a fraction of a second, so a check costs a look-up or two for each object;
 * what compares objects with each other sorts them first.
 */
#pragma once

#include "language/spec_private.h"

/* Functions of a subject, each NULL where there is nothing to do. They only add diagnostics. */
struct check {
	void (*object)(struct reading *r, const struct ns_state *ns, const struct object *object);
	void (*ns)(struct reading *r, const struct ns_state *ns);
	void (*whole)(struct reading *r);
};

extern const struct check check_references, check_stacks, check_ports, check_addresses, check_gateways, check_connected, check_nat, check_settings;

/* Others may have made links there that the file does not name. */
static inline bool check_is_open(const struct ns_state *ns) {
	return streq(ns->name, NS_HOST) || ns->adopt;
}
