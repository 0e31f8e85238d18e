/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between file and kernel, object by object, and what to do about it: nothing, change in place, recreate,
 * create, delete, or tell the user that something foreign is in the way.
 *
 * Only for this room. It names no kind, and it does not order changes: order.c does.
 */
#pragma once

#include "plan/plan.h"

struct diff {
	struct plan *plan;
	const struct plan_input *input;
	size_t n_awaited; /* objects that wait for something absent, and what depends on those */
};

/* Adds a change that is known to fail. It is reported like any other failure, and retried after the next event. What
 * depends on the object is not tried. */
void diff_refuse(struct diff *diff, struct object *object, const struct object *seen, int error, const char *text);

/* What other topologies say (diff_claims.c). `ns` is the object's namespace as observed, `seen` the observed object
 * or NULL. */

/* The text of a refusal if another topology made the object, else NULL. */
const char *diff_belongs(struct diff *diff, const struct object *object, const struct object *seen,
			 const struct ns_state *ns);
/* May the namespace that another topology made be used as it is? Yes if this topology adopts it, or if the maker is gone and
 * has left it to the topologies that adopt it. The result is recorded in the ledger. */
bool diff_shares_namespace(struct diff *diff, const struct object *object, const struct object *seen);
/* Refuses the object, and returns true, if another topology declares it differently as a whole. */
bool diff_disputed(struct diff *diff, struct object *object, struct object *seen, const struct ns_state *ns);
/* The same for single fields of an observed object: returns those to leave as they are, including fields that would
 * go back but that another topology still declares. diff_tell_left() reports them. */
uint64_t diff_left_fields(struct diff *diff, struct object *object, struct object *seen, const struct ns_state *ns);
/* Plans the ledger's entry for an observed object that is topod's or was found, without the fields in `left`. The former
 * value of a setting that differs is recorded with its change instead, which keeps the order. `own` is the object's entry,
 * or NULL. Returns whether another topology also claims the object. */
bool diff_note(struct diff *diff, struct ledger_entry *own, const struct object *object, const struct object *seen,
	       const struct ns_state *ns, uint64_t left, uint64_t differs);
/* Does topod fill in the field, which the file does not have, to recognise what it makes or to order it? */
bool diff_fills_in(const struct object *object, size_t i);
void diff_tell_left(struct diff *diff, struct object *object, struct object *seen, const struct ns_state *ns);
/* Is an object that would be deleted left to another topology that also has it? `own` is our ledger entry; NULL: we have
 * none, the object would be pruned. */
bool diff_spares(struct diff *diff, const struct ledger_entry *own, const struct object *seen, const struct ns_state *ns);

/* Is it still the object that topod made, as far as the kernel shows? */
bool diff_is_as_made(const struct ledger_entry *entry, const struct object *seen);

/* Was the entry recorded in an earlier namespace of the same name? What it says about the inside ended with that
 * namespace: an object found there now is not this topology's, even if it looks the same and has the mark of another
 * topology's topod. */
bool diff_is_void(const struct ledger_entry *entry, const struct ledger *ledger, const struct ns_state *observed);

/* The fields that an update of the whole object sets. */
uint64_t diff_all_fields(const struct object *object);
/* Ownership (ownership.c; the truth table is there). */

bool diff_is_ours_by(const struct ledger_entry *entry, const struct object *observed);
bool diff_is_ours(const struct diff *diff, const struct object *desired, const struct object *observed);
/* Does the object itself prove that topod made it: by the mark, or by the MAC address that it has before the mark
 * can be set? */
bool diff_bears_mark(const struct ledger_entry *entry, const struct object *observed);
/* May topod change the object, or delete it to recreate it? A link with a declared name but without topod's mark
 * belongs to somebody else. */
bool diff_may_go(const struct diff *diff, const struct object *desired, const struct object *observed);
/* Does the file only configure it, without ever creating it? */
bool diff_is_never_made(const struct object *desired);
/* Found rather than made: topod changes its fields and never deletes it. */
bool diff_is_found(const struct ns_state *desired_ns, const struct object *desired);

/* Fields that topod fills in for what it makes: its mark, a MAC address that the file does not have, for a link also the
 * addresses that the kernel gives it. Objects of others keep theirs. */
uint64_t diff_signs(const struct object *object);
/* Does the kernel make this object by itself (lo's addresses, the route to an address's prefix), or was it found in an adopted
 * namespace? If it differs at most in diff_signs(), declaring it describes what exists, and it is not marked as topod's. */
bool diff_is_others(const struct ns_state *desired_ns, const struct object *object, const struct object *observed);

/* If the object is to be given back rather than deleted: the ledger's record of it, as an object; else NULL. */
const struct object *diff_noted_object(struct diff *diff, const struct object *seen);
/* Adds a change (diff_change.c). */
struct change *diff_add(struct diff *diff, enum change_type type, const struct object *desired,
			const struct object *observed, uint64_t fields);
/* A change is sent by one protocol: takes the next protocol's fields out of *left. */
uint64_t diff_take_fields(const struct object *object, uint64_t *left);
/* Adds the creation of an object, of both ends if it is a pair, and the updates that complete it. */
struct change *diff_create(struct diff *diff, struct object *object, bool recreates);
/* Plans to delete the observed object, unless something is already planned for it. recreates: it is created again
 * afterwards. */
void diff_delete(struct diff *diff, struct object *observed, const struct object *desired, bool recreates);
/* Lets changes that need the object need this change. */
void diff_point(struct diff *diff, struct object *object, struct change *change);
/* Why an object cannot be made: one that is not topod's, or another topology's, is in its place; `ns` is the observed
 * namespace. In the plan's arena. */
const char *diff_why_in_the_way(struct diff *diff, const struct object *object, const struct object *seen,
				const struct ns_state *ns);
/* If topod made an object that the file now declares as existing, topod gives it up for good: the ledger forgets it. */
void diff_give_up(struct diff *diff, struct object *seen, const struct ledger_entry *entry, const char *why);
/* Is the namespace refused? Then nothing is planned inside it. */
bool diff_is_closed(const struct ns_state *desired);
bool diff_was_scanned(const struct ns_state *observed, const struct object *object);
/* Does the object depend on a link that the plan recreates? Then it will be gone when its change is carried out. */
bool diff_stands_on_recreated(const struct diff *diff, const struct object *object, const struct object *seen);

/* diff_waiting.c */

/* The object exists but is not usable yet: it is pending, or waits for something outside topod. */
void diff_pending(struct diff *diff, struct object *object, const struct object *observed);
/* The object exists but the kernel gave it up; revives: the plan recreates it. */
void diff_given_up(struct diff *diff, struct object *object, const struct object *observed, bool revives);
/* Is `seen` (or NULL) a foreign object that would have to be replaced? This is reported at once instead of waiting. */
bool diff_is_in_the_way(const struct diff *diff, const struct ns_state *desired, const struct object *object,
			const struct object *seen);
/* The namespace waits until something else attaches it. */
void diff_awaits_namespace(struct diff *diff, struct object *object, const struct ns_state *observed);
/* Waits if the object, or an object other than a link that it needs, cannot be made yet. Returns whether it does. */
bool diff_waits_to_come(struct diff *diff, const struct ns_state *desired, const struct ns_state *observed,
			struct object *object);
/* Waits if a source address of the object is not usable yet. Returns whether it does. */
bool diff_waits_for_source(struct diff *diff, const struct ns_state *desired, const struct ns_state *observed,
			   struct object *object);
/* Waits if something that the object depends on is absent; seen: the object itself, or NULL. */
bool diff_waits_for_link(struct diff *diff, const struct ns_state *desired, struct object *object,
			 const struct object *seen);

/* The namespace of an object that this plan removes and that takes the link along; NULL: none. */
const char *diff_goes_with(const struct diff *diff, const struct object *seen);

/* The desired object for a creation. For a link that is moved or inherits its MAC address it is a copy with the MAC
 * address by which the link will be recognised (fingerprint.c). */
const struct object *diff_sign(struct diff *diff, struct change *creation);

/* Matches observed objects with declared or recorded ones that lack a part of their identity because the kernel
 * chose it (identity.c). To be called first. */
void diff_identify(struct diff *diff, struct ns_state *observed);
/* Compares the namespace itself. */
void diff_namespace(struct diff *diff, struct ns_state *observed);
/* Declared objects that come from outside and are absent: they wait. To be called before diff_class(). */
void diff_awaited(struct diff *diff, struct ns_state *observed);
/* Compares the declared objects of a class; with only_whole only those that must be created or recreated. */
void diff_class(struct diff *diff, struct ns_state *observed, const struct class *class, bool only_whole);
/* Adds updates for declared objects that another change of this plan changes as a side effect (diff_overrun.c). */
void diff_overrun(struct diff *diff);
/* Adds creations of undeclared objects that the kernel deletes together with one that this plan deletes (diff_overrun.c). */
void diff_taken_along(struct diff *diff);
/* Does the plan delete something observed that the object needs, such as its link? */
bool diff_stands_on_deleted(const struct diff *diff, const struct object *object);
/* Observed objects that are not declared (diff_extra.c). */
void diff_extra(struct diff *diff, struct ns_state *observed);
/* Drops returns to a former value that are pointless because the object disappears with its link, or when the link leaves
 * its controller. To be called when everything else is planned. (ledger_add_returns() leaves out what disappears with its
 * namespace.) */
void diff_pointless(struct diff *diff);
/* Says why what has no change is left as it is (diff_explain.c). To be called last. */
void diff_explain(struct diff *diff);
/* Links that the ledger has under a former name. */
void diff_renamed(struct diff *diff, const struct ns_state *observed);
/* Entries of the ledger whose object is gone. */
void diff_lost(struct diff *diff, const struct ns_state *observed);
