/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the other topologies on this machine say about an object in their ledgers: which of them made it, and how each
 * declares it.
 *
 * Routes, addresses and settings carry topod's mark, not the topology's, so only the ledgers show which topology they
 * belong to. An object belongs to the topology that made it. Another topology that declares it in the same way shares
 * it: the object stays until the last of them is removed, and then goes back to what it was before the first. What
 * another topology declares differently is left as it is. Links and namespaces have one owner; other topologies use
 * them with `kind: existing` and `adopt: true`, and then claim single fields of them.
 *
 * This file compares one topology's declarations with the other topologies' ledgers. It does not know where ledgers are
 * kept.
 */
#pragma once

#include "ledger/ledger.h"

struct claimant {
	const char *topology;
	const struct ledger *ledger;
};

/* What all topologies except `own` say. A NULL pointer instead: there are no others. */
struct claims {
	const char *own;
	const struct claimant *items;
	size_t n;
};

struct stake {
	const struct claimant *by; /* NULL: nobody */
	const struct ledger_entry *entry;
};

/* The first claim to the object, or the next one after `after` if that has a claimant. `seen` is the observed
 * object, or NULL; the ledgers may have it under another name. A claim to something inside a namespace counts only
 * if the namespace is still the one in which the claim was recorded. `ns` is the object's namespace as observed;
 * NULL: it was not scanned. */
struct stake claims_next(const struct claims *claims, struct stake after, const struct object *object,
			 const struct object *seen, const struct ns_state *ns);

/* The first claim of a topology that made the object itself and does not just share it. */
struct stake claims_maker(const struct claims *claims, const struct object *object, const struct object *seen,
			  const struct ns_state *ns);

/* The fields that the object declares and another topology declares differently; *ret is the first such claim. If
 * both topologies already hold a field (they began at the same moment), the one whose name sorts first keeps it. `own` is
 * this topology's ledger. */
uint64_t claims_disputed(const struct claims *claims, const struct object *object, const struct object *seen,
			 const struct ledger *own, const struct ns_state *ns, struct stake *ret);

/* The fields in mask that another topology also declares for the object. */
uint64_t claims_shared(const struct claims *claims, const struct object *object, const struct object *seen,
		       const struct ns_state *ns, uint64_t mask);

/* "topology 'a' (/etc/topod/a.yaml:5)" */
void claim_print(struct stake claim, struct text *out);
/* "is declared with mtu 1400 by topology 'a' (/etc/topod/a.yaml:5)", for the fields in mask. */
void claim_print_dispute(struct stake claim, const struct object *object, uint64_t mask, struct text *out);
