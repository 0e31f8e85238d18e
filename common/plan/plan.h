/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The difference between what is wanted and what was seen, as an ordered list of changes.
 *
 * A plan covers what was looked for (ns_state.scope), and says what else it would have to see as well. It names
 * no kind: what depends on what follows from the tables of fields, the order from classes and from which link stands on
 * which. It does nothing and knows nothing of time: what is to be left alone for now is asked of the caller.
 */
#pragma once

#include "plan/claims.h"

/* An entry of the ledger by its names. */
struct lost {
	const char *ns, *id;
	bool kept; /* it is still there, and left to another topology */
};

/* What the ledger is to know before anything is done: the values that are declared, and what there was. */
struct note {
	const struct object *object, *observed;
	const struct ledger_entry *other; /* of another topology that has it, too; NULL: nobody has */
	uint64_t fields;                  /* without those that another one declares otherwise */
	bool news;                        /* later: the ledger did not say so before */
};

/* Fields of a declared object that another topology declares otherwise, and so are no longer managed. */
struct released {
	const struct object *object;
	uint64_t fields;
};

/* What is there and would go, and is left because another topology has it. */
struct spared {
	const struct object *object;
	const char *why; /* "belongs to topology 'a' (…)" */
};

/* A link that topod only found, and that somebody has given another name since. */
struct renamed {
	const char *ns, *from, *to;
};

/* A link that topod only finds, as it is. */
struct found {
	const struct object *link, *seen; /* desired, observed */
};

/* An object that waits for something outside of topod: that is no failure and no drift, and nothing is tried again. */
struct waiting {
	struct object *object; /* desired */
	const char *why;       /* behind "waits": "for a carrier", a string constant; NULL: for what is pending, or for its
				  namespace, which is told as that */
	bool absent;           /* it is not there yet */
};

/* An object that is there and not usable yet, or that comes once such a one is. */
struct pending {
	const struct object *object;
	const struct change *by; /* which has to succeed before, or NULL */
};

/* An object that is there, but that the kernel gave up (a duplicate address). */
struct given_up {
	const struct object *object; /* desired */
	bool idle;                   /* it is not made again: its link has no carrier, or it is not topod's */
};

struct plan {
	struct arena arena;
	vec(struct change *) changes;    /* in the order of execution, after plan_finish() */
	vec(const struct object *) also; /* desired: must be looked for too before this can be done */
	vec(struct pending) pending;
	vec(struct waiting) waiting;
	vec(struct given_up) failed;
	vec(struct object *) touched; /* whose `change` points into this plan, until plan_done() */
	vec(struct renamed) renamed;  /* the ledger is to follow, and another plan to be made, before anything is done */
	vec(struct found) found;
	vec(struct lost) lost;        /* in the ledger, but no longer there, nor declared */
	vec(struct object *) unnoted; /* there and marked as ours, but missing in the ledger */
	vec(struct note) notes;
	vec(struct released) released;
	vec(struct spared) spared;
};

struct plan_input {
	const struct state *desired; /* all of it */
	struct state *observed; /* the namespaces that were scanned; what the kernel chose of an identity is taken out */
	const struct ledger *ledger;
	const struct claims *claims; /* other topologies'; NULL: there are none */
	/* Of the fields in which a declared object differs, those that the kernel is known to keep as they are: they are left
	 * out of the plan. NULL: none are known. */
	uint64_t (*kept)(void *userdata, const struct object *object, uint64_t differs);
	void *userdata;
};

/* Adds everything that differs, for all namespaces of input->observed. Where a scope was narrow it is about the declared
 * objects in it, and about nothing that is not declared. */
void plan_make(struct plan *plan, const struct plan_input *input);

/* The change cannot be done without the other: its making, or its going first. For those who make plans. */
void plan_add_need(struct plan *plan, struct change *change, struct change *need);

void plan_done(struct plan *plan);

/* The ways in which the kernel says that something is not there. */
static inline bool error_is_gone(int error) {
	return error == -ENODEV || error == -ENOENT || error == -ESRCH || error == -EADDRNOTAVAIL || error == -ENXIO;
}

/* The ways in which it says that nothing leads to a gateway. */
static inline bool error_is_unreachable(int error) {
	return error == -ENETUNREACH || error == -EHOSTUNREACH;
}

/* Does the kernel's answer contradict what was seen: there already, no longer, or without what it stands on? */
static inline bool change_is_contradicted(const struct change *change) {
	return (change->type == CHANGE_CREATE && (change->error == -EEXIST || error_is_unreachable(change->error))) ||
	       error_is_gone(change->error);
}

/* The object that the change is about. */
static inline const struct object *change_object(const struct change *change) {
	return change->desired ? change->desired : change->observed;
}

static inline enum transport change_transport(const struct change *change) {
	const struct kind *kind = change_object(change)->kind;

	return kind->transport_of ? kind->transport_of(change) : kind->transport;
}
