/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs, object by object, and what that asks for: nothing, a change in place, a recreation, a
 * creation, a deletion, or a word to the user because something foreign is in the way.
 *
 * For plan only; it names no kind, and puts nothing in order.
 */
#pragma once

#include "plan/plan.h"

struct diff {
	struct plan *plan;
	const struct plan_input *input;
	size_t n_awaited; /* objects that wait for something that is not there, and those that stand on them */
};

/* A change that is known to fail: it is reported like any other failure, and retried when something moves. What stands on the
 * object is not even tried. */
void diff_refuse(struct diff *diff, struct object *object, const struct object *seen, int error, const char *text);

/* What other topologies say (diff_claims.c). `ns` is what was seen of the object's namespace, `seen` of the object or NULL. */

/* Is it another topology's that made it? The text of the refusal, or NULL. */
const char *diff_belongs(struct diff *diff, const struct object *object, const struct object *seen,
			 const struct ns_state *ns);
/* May the namespace, which another topology made, be used as it is: because this one adopts it, or because the one that made it is
 * gone and has left it to those that adopt it? What follows from that is noted. */
bool diff_shares_namespace(struct diff *diff, const struct object *object, const struct object *seen);
/* Is the object, as a whole, declared otherwise by another topology? Then it was refused. */
bool diff_disputed(struct diff *diff, struct object *object, struct object *seen, const struct ns_state *ns);
/* The same of single fields, of what is there: those which are left as they are, with what goes back and another topology
 * still wants. They are told with the refusal of an update. */
uint64_t diff_left_fields(struct diff *diff, struct object *object, struct object *seen, const struct ns_state *ns);
/* Puts into the plan what the ledger is to say of an object that is there and topod's, or found, without the fields that are
 * left. What a setting that differs was is noted with its change, in the right order. Has another topology a claim to it, too? */
bool diff_note(struct diff *diff, const struct object *object, const struct object *seen, const struct ns_state *ns,
	       uint64_t left, uint64_t differs);
void diff_tell_left(struct diff *diff, struct object *object, struct object *seen, const struct ns_state *ns);
/* Is something that would be deleted left to another topology, which has it too? `own` is what this one noted; NULL: it only
 * prunes. */
bool diff_spares(struct diff *diff, const struct ledger_entry *own, const struct object *seen, const struct ns_state *ns);

/* Is it still what topod made, as far as it shows? */
bool diff_is_as_made(const struct ledger_entry *entry, const struct object *seen);

/* Does the entry tell of a namespace that is another one by now? What was noted of the inside of the former went with it: what
 * is found there, though it looks the same and bears the mark of another topology's topod, is not this one's. */
bool diff_is_void(const struct ledger_entry *entry, const struct ledger *ledger, const struct ns_state *observed);

/* What an update of the whole object sets. */
uint64_t diff_all_fields(const struct object *object);
/* ownership.c */

bool diff_is_ours_by(const struct ledger_entry *entry, const struct object *observed);
bool diff_is_ours(const struct diff *diff, const struct object *desired, const struct object *observed);
/* Is it topod's by what it shows itself: the mark, or what comes before the mark can be set? */
bool diff_bears_mark(const struct ledger_entry *entry, const struct object *observed);
/* May it be changed, or deleted to be made anew? A link under our name without our mark is somebody's who took its place. */
bool diff_may_go(const struct diff *diff, const struct object *desired, const struct object *observed);
/* Does the file say of it only how it is to be, where it is? */
bool diff_is_never_made(const struct object *desired);
/* Found rather than made: its fields are changed, itself it is left. */
bool diff_is_found(const struct ns_state *desired_ns, const struct object *desired);

/* What was noted about an object that goes, under its name: for what is given back rather than deleted. Else NULL. */
const struct object *diff_noted_object(struct diff *diff, const struct object *seen);
/* Plans the deletion of what was seen, once; again: it is made anew after it. */
void diff_delete(struct diff *diff, struct object *observed, const struct object *desired, bool recreates);
/* What needs the object needs this change. */
void diff_point(struct diff *diff, struct object *object, struct change *change);
/* Nothing is planned inside a namespace that is somebody else's. */
bool diff_is_closed(const struct ns_state *desired);
bool diff_was_scanned(const struct ns_state *observed, const struct object *object);
/* What stands on a link that is made anew will be gone by then. */
bool diff_stands_on_recreated(const struct diff *diff, const struct object *object);

/* diff_waiting.c */

/* One that is there and not usable yet: it is pending, or waits. */
void diff_pending(struct diff *diff, struct object *object, const struct object *observed);
/* One that the kernel gave up; revives: the plan makes it again. */
void diff_given_up(struct diff *diff, struct object *object, const struct object *observed, bool revives);
/* Is what was seen in its place (or NULL) somebody else's, and would have to be another? That is told of at once, and waits for
 * nothing. */
bool diff_is_in_the_way(const struct diff *diff, const struct ns_state *desired, const struct object *object,
			const struct object *seen);
/* Does it wait until a source address of it is usable? Then it is noted as waiting. */
bool diff_waits_for_source(struct diff *diff, const struct ns_state *desired, const struct ns_state *observed,
			   struct object *object);
/* … or for something that it stands on; seen: it is there itself. */
bool diff_waits_for_link(struct diff *diff, const struct ns_state *desired, struct object *object,
			 const struct object *seen);

/* The namespace that this plan removes and with which the link goes; NULL. */
const char *diff_goes_with(const struct diff *diff, const struct object *seen);

/* The desired object of a creation; of what is moved a copy that says by which sign it will be known. */
const struct object *diff_sign(struct diff *diff, struct change *creation);

/* Finds again what is declared, or noted, without a part of its identity that the kernel chose (identity.c). Before all else. */
void diff_identify(struct diff *diff, struct ns_state *observed);
/* The namespace itself. */
void diff_namespace(struct diff *diff, struct ns_state *observed);
/* What comes from outside and is not there: it waits. Before all classes. */
void diff_awaited(struct diff *diff, struct ns_state *observed);
/* What is declared of a class in it; with only_whole only what must be made (again) as a whole. */
void diff_class(struct diff *diff, struct ns_state *observed, const struct class *class, bool only_whole);
/* What a change of this plan overruns (diff_overrun.c). */
void diff_overrun(struct diff *diff);
/* What is there and not declared. */
void diff_extra(struct diff *diff, struct ns_state *observed);
/* Takes out what would go back to what it was although it ends with its link, or the link's being a port: to be called
 * after all else was found. (What ends with its namespace is not asked to go back: ledger_add_returns().) */
void diff_pointless(struct diff *diff);
/* What the ledger knows under a name that its link has not any more. */
void diff_renamed(struct diff *diff, const struct ns_state *observed);
/* What the ledger knows and nobody sees any more. */
void diff_lost(struct diff *diff, const struct ns_state *observed);
