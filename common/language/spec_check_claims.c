/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Things that only one object can have: each kind says what its objects claim; sorting brings equal claims together.
 */
#include <stdlib.h>

#include "language/spec_check.h"

struct claimed {
	struct sole_claim claim;
	const struct object *object;
};

static int compare_claims(const void *a, const void *b) {
	const struct claimed *x = a, *y = b;
	int r = strcmp(x->claim.key, y->claim.key);

	return r ? r : check_compare_places(x->object, y->object);
}

/* Checks the claims of one key, in the order of the file. */
static void check_key(struct reading *r, const struct claimed *claims, size_t n) {
	const struct claimed *alone = claims->claim.shared ? NULL : claims, *other;

	for (size_t i = 1; i < n; i++) {
		const struct claimed *c = &claims[i];

		if (c->claim.shared && !alone && streq_ptr(c->claim.as, claims->claim.as))
			continue;
		other = alone ? alone : claims;
		/* If only one of the two has a message of its own, that is used. */
		diag_error(r->parse.diags, object_position(c->object, c->claim.field), "%s",
			   other->claim.as && !c->claim.as ? other->claim.problem : c->claim.problem);
		diag_note(r->parse.diags, object_position(other->object, other->claim.field), "first here");
		alone = c->claim.shared ? alone : c;
	}
}

static void check_all(struct reading *r) {
	vec(struct claimed) all = {};
	struct sole_claim claim;

	state_foreach(ns, r->state)
		ns_foreach(object, ns)
			for (size_t i = 0; object->kind->claim && object->kind->claim(r->parse.arena, object, i, &claim);
			     i++)
				vec_push(&all, (struct claimed){ claim, object });
	if (all.n)
		qsort(all.items, all.n, sizeof(*all.items), compare_claims);
	for (size_t i = 0, n; i < all.n; i += n) {
		for (n = 1; i + n < all.n && streq(all.items[i].claim.key, all.items[i + n].claim.key);)
			n++;
		check_key(r, &all.items[i], n);
	}
	vec_done(&all);
}

const struct check check_claims = { .whole = check_all };
