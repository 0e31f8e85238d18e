/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Goes over all that was read, once, and lets each subject look at it. What is looked for is in spec_check_*.c.
 */
#include "language/spec_check.h"

static void check_by_kind(struct reading *r, const struct ns_state *ns _unused_, const struct object *object) {
	if (object->kind->check)
		object->kind->check(r->parse.diags, object);
}

static const struct check check_kinds = { .object = check_by_kind };

static const struct check *const checks[] = {
	&check_kinds,     &check_references, &check_stacks, &check_kept,      &check_ports, &check_claims,
	&check_addresses, &check_ipv6,       &check_routes, &check_connected, &check_nat,   &check_settings,
};

static void check_objects(struct reading *r, const struct ns_state *ns) {
	ns_foreach(object, ns)
		for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
			if (checks[i]->object)
				checks[i]->object(r, ns, object);
}

void spec_check(struct reading *r) {
	state_foreach(ns, &r->spec->state) {
		check_objects(r, ns);
		for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
			if (checks[i]->ns)
				checks[i]->ns(r, ns);
	}
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (checks[i]->whole)
			checks[i]->whole(r);
}
