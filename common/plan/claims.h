/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the other topologies of this machine say of an object in their ledgers: who made it, and how they want it.
 *
 * Routes, addresses and settings bear the mark of topod and not of a topology, so whose they are is known from the ledgers
 * alone. An object belongs to the topology that made it. Another one that declares it alike has a share in it: it stays until
 * the last of them goes, and then it is again what it was before the first. What another one declares otherwise is left as
 * it is. Links and namespaces have one owner; others use them by `kind: existing` and `adopt: true`, and of these each
 * field has its own claims.
 *
 * It owns the comparison of one topology's wishes with the others' ledgers, and refuses to know where those are kept.
 */
#pragma once

#include "plan/ledger.h"

struct claimant {
	const char *topology;
	const struct ledger *ledger;
};

/* Of the topology `own`, what all others say. NULL instead of it: there are none. */
struct claims {
	const char *own;
	const struct claimant *items;
	size_t n;
};

struct stake {
	const struct claimant *by; /* NULL: nobody */
	const struct ledger_entry *entry;
};

/* The first claim to the object, behind `after` where that is not nobody's. `seen` is what is there, or NULL: it may have
 * another name in the ledgers. A claim to what is in a namespace counts only where that is still the one that it was
 * noted in: `ns` is what was seen of the object's; NULL: it was not looked at. */
struct stake claims_next(const struct claims *claims, struct stake after, const struct object *object,
			 const struct object *seen, const struct ns_state *ns);

/* The first claim of somebody who made the object, other than by sharing it. */
struct stake claims_maker(const struct claims *claims, const struct object *object, const struct object *seen,
			  const struct ns_state *ns);

/* The fields that the object declares and another topology declares otherwise; *ret is the first such claim. Where both hold a
 * field already (two that began at the same moment), the topology whose name comes first keeps it. */
uint64_t claims_disputed(const struct claims *claims, const struct object *object, const struct object *seen,
			 const struct ledger_entry *own, const struct ns_state *ns, struct stake *ret);

/* Those fields of the mask that another topology declares for the object, too. */
uint64_t claims_shared(const struct claims *claims, const struct object *object, const struct object *seen,
		       const struct ns_state *ns, uint64_t mask);

/* "topology 'a' (/etc/topod/a.yaml:5)" */
void claim_print(struct stake claim, struct text *out);
/* "is declared with mtu 1400 by topology 'a' (/etc/topod/a.yaml:5)", for the fields in mask. */
void claim_print_dispute(struct stake claim, const struct object *object, uint64_t mask, struct text *out);
