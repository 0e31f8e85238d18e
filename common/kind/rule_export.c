/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which fields of an observed rule can be left out when it is written to a file. */
#include <linux/fib_rules.h>

#include "kind/protocol.h"
#include "kind/rule.h"

/* Equal rules of both families become one entry without a family. */
static bool has_other_family(const struct state *seen, const struct rule *r) {
	ns_foreach(object, state_find(seen, r->object.ns)) {
		const struct rule *other = (const struct rule *)object;

		if (object->kind == r->object.kind && other->family != r->family && !other->others &&
		    !object_compare(object, &r->object) && !object_compare(&r->object, object))
			return true;
	}
	return false;
}

bool rule_is_usual(const struct state *seen, const struct object *observed, size_t field) {
	const struct rule *r = (const struct rule *)observed;

	if (field == RULE_FAMILY)
		return object_has(observed, RULE_FROM) || object_has(observed, RULE_TO) || has_other_family(seen, r);
	if (field == RULE_TABLE)
		return r->type != FR_ACT_TO_TBL || r->l3mdev;
	if (field == RULE_TYPE)
		return r->type == FR_ACT_TO_TBL || r->type == FR_ACT_GOTO;
	return field == RULE_STATE || (field == RULE_GOTO && r->type != FR_ACT_GOTO);
}

const char *rule_left_out(struct arena *arena, const struct object *observed) {
	const struct rule *r = (const struct rule *)observed;

	return r->others && !observed->kernel_made ? "with a selector that topod does not know"
						   : protocol_keeper(arena, observed, r->protocol);
}
