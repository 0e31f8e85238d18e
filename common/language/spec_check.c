/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Goes over all that was read, once, and lets each subject look at it. What is looked for is in spec_check_*.c.
 */
#include "language/spec_check.h"

static const struct check *const checks[] = {
	&check_references, &check_stacks, &check_ports, &check_addresses, &check_gateways, &check_connected, &check_nat, &check_settings,
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
