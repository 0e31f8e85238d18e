/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls the checks, subject by subject, once everything is read. The checks are in spec_check_*.c and in the kinds.
 */
#include "language/spec_check.h"

static void check_by_kind(struct reading *r, const struct ns_state *ns, const struct object *object) {
	if (object->kind->check)
		object->kind->check(r, ns, object);
}

static void check_all_by_kind(struct reading *r, const struct ns_state *ns) {
	for (const struct kind *const *k = kinds; *k; k++)
		if ((*k)->check_all)
			(*k)->check_all(r, ns);
}

static const struct check check_kinds = { .object = check_by_kind, .ns = check_all_by_kind };

static const struct check *const checks[] = {
	&check_kinds, &check_references, &check_stacks, &check_kept, &check_ports, &check_claims, &check_ipv6,
};

static void check_objects(struct reading *r, const struct ns_state *ns) {
	ns_foreach(object, ns)
		for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
			if (checks[i]->object)
				checks[i]->object(r, ns, object);
}

void spec_check(struct spec_reading *s) {
	struct reading *r = &s->here;

	state_foreach(ns, r->state) {
		check_objects(r, ns);
		for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
			if (checks[i]->ns)
				checks[i]->ns(r, ns);
	}
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (checks[i]->whole)
			checks[i]->whole(r);
}
