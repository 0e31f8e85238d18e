/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The difference between the desired and the observed state, as an ordered list of changes.
 *
 * A plan covers what was scanned (ns_state.scope), and lists what else has to be scanned before it can be carried out.
 * It names no kind: dependencies follow from the field tables, the order from classes and from which link is built on
 * which. It changes nothing and knows no time: the caller decides what is left alone for now.
 */
#pragma once

#include "model/change.h"
#include "ledger/claims.h"

/* A ledger entry to forget, by its names. */
struct lost {
	const char *ns, *id;
	bool kept; /* the object still exists and is left to another topology */
};

/* What the ledger must contain before anything is changed: the declared values, and the former ones. */
struct note {
	const struct object *object, *observed;
	const struct ledger_entry *other; /* of another topology that also has the object; NULL: none has */
	uint64_t fields;                  /* without fields that another topology declares differently */
	bool news;                        /* set later: the ledger did not contain this before */
};

/* Fields of a declared object that another topology declares differently; this topology no longer manages them. */
struct released {
	const struct object *object;
	uint64_t fields;
};

/* An object that would be deleted, now or later, but stays: another topology has it, or topod gives it up. */
struct spared {
	const struct object *object;
	const char *why; /* "belongs to topology 'a' (…)" */
};

/* A link that topod only found, and that somebody has renamed since. */
struct renamed {
	const char *ns, *from, *to;
};

/* A link that topod only finds, or a namespace that was attached, as observed. */
struct found {
	struct object *object;
	const struct object *seen; /* desired, observed */
};

/* An object that waits for something outside topod. This is neither failure nor drift, and nothing is retried. */
struct waiting {
	struct object *object; /* desired */
	/* After "waits": "for a carrier", a string constant. NULL: it waits for a pending object or for its namespace, which are
	 * reported themselves. */
	const char *why;
	bool absent; /* it does not exist yet */
};

/* An object that exists but is not usable yet, or that can be made only once such an object is usable. */
struct pending {
	const struct object *object;
	const struct change *by; /* which has to succeed first, or NULL */
};

/* An object that exists but that the kernel gave up (a duplicate address). */
struct given_up {
	const struct object *object; /* desired */
	bool idle;                   /* it is not recreated: its link has no carrier, or it is not topod's */
};

struct plan {
	struct arena arena;
	vec(struct change *) changes;    /* in the order of execution, after plan_order() */
	vec(const struct object *) also; /* desired: must also be scanned before this plan can be carried out */
	vec(struct pending) pending;
	vec(struct waiting) waiting;
	vec(struct given_up) failed;
	vec(struct object *) touched; /* their `change` points into this plan until plan_done() */
	vec(struct renamed) renamed;  /* the ledger must be updated, and a new plan made, before anything is changed */
	vec(struct found) found;
	vec(const struct object *)
		born;                 /* observed namespaces that topod only adopts, whose birth the ledger does not have */
	vec(struct lost) lost;        /* in the ledger, but neither observed nor declared */
	vec(struct object *) unnoted; /* observed with our mark, but missing in the ledger */
	vec(struct note) notes;
	vec(struct released) released;
	vec(struct spared) spared;
	bool explains;                /* as asked by plan_input … */
	vec(struct spared) explained; /* … for what else is left as it is, and why */
	size_t n_given_up;            /* of spared: objects that topod made and that no later plan removes */
};

struct plan_input {
	const struct state *desired; /* all of it */
	struct state *observed;      /* the namespaces that were scanned; diff_identify() re-keys objects in it */
	const struct ledger *ledger;
	const struct claims *claims; /* of the other topologies; NULL: there are none */
	/* Of the fields that differ on a declared object, returns those that the kernel is known not to change: they are
	 * left out of the plan. NULL: none are known. */
	uint64_t (*kept)(void *userdata, const struct object *object, uint64_t differs);
	void *userdata;
	bool explains; /* fill plan->explained, of namespaces that were scanned as a whole */
};

/* Adds everything that differs, for all namespaces in input->observed. In a namespace that was scanned narrowly
 * (ns_state.scope), only the declared objects in the scope are compared, and undeclared objects are ignored. */
void plan_make(struct plan *plan, const struct plan_input *input);

/* The change needs the other one done first: its creation, or its deletion. */
void plan_add_need(struct plan *plan, struct change *change, struct change *need);

void plan_done(struct plan *plan);
