/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that NAT rules speak of. */
#include "kind/ruleset.h"
#include "language/spec_check.h"

/* Rules take any name, also of what comes later; but in a namespace that topod makes it is rather a slip. */
static void check_nat_links(struct reading *r, const struct ns_state *ns, const char *key, const struct nat_match *match) {
	for (size_t i = 0; i < match->n; i++) {
		const char *name = match->items[i].link;

		if (!strchr(name, '*') && !ns_find_link(ns, name))
			diag_warning(r->parse.diags, match->items[i].position,
				     "'%s' names %s, but %s has no interface of that name", key, name, ns->name);
	}
}

static void check_rules(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const struct nat_rules *rules = object->kind == &kind_nat ? ((const struct nat *)object)->rules : NULL;

	for (size_t i = 0; rules && !check_is_open(ns) && i < rules->n; i++) {
		check_nat_links(r, ns, "in", &rules->items[i].in);
		check_nat_links(r, ns, "out", &rules->items[i].out);
	}
}

const struct check check_nat = { .object = check_rules };
