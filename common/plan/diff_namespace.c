/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision for the namespace itself, before anything inside it is compared (diff.c). A namespace differs from other
 * objects in two ways: it can lose its name and live on, and the ledger's entries for its inside hold for it alone.
 */
#include "model/kind_masks.h"
#include "plan/diff.h"

bool diff_is_closed(const struct ns_state *desired) {
	const struct object *object = ns_self(desired);

	return object && object->change && object->change->done && object->change->error;
}

static const char *obstructed(struct diff *diff, const struct object *object, const struct ns_state *observed) {
	return arena_printf(&diff->plan->arena,
			    "cannot be %s: its name in /run/netns is %s; remove that, or rename the namespace in the file",
			    object->awaited    ? "attached"
			    : object->external ? "adopted"
					       : "made",
			    observed->obstruction);
}

/* An object with the birth that was recorded when the namespace was made; NULL: none was recorded. */
static const struct object *noted_birth(struct diff *diff, const struct object *like, const struct ledger_entry *entry) {
	struct object *object = arena_memdup(&diff->plan->arena, like, like->kind->size);

	object->set = 0;
	mask_foreach(i, kind_masks(like->kind)->birth) {
		const char *noted = ledger_former(entry, i);

		if (noted && field_from_text(&diff->plan->arena, like->ns, &like->kind->fields[i], noted, object))
			object->set |= field_bit(i);
	}
	return object->set ? object : NULL;
}

/* The namespace exists, but somebody has removed its name or unmounted it. Only the name is restored; what is in it
 * lives on. */
static void rename_namespace(struct diff *diff, struct object *object, const struct ns_state *observed) {
	uint64_t differs = object_compare(object, ns_self(observed));
	struct change *change = differs ? diff_add(diff, CHANGE_UPDATE, object, ns_self(observed), differs) : NULL;

	if (!change || !observed->obstruction)
		return;
	change->done = change->refused = true;
	change->error = -EEXIST;
	change->text = obstructed(diff, object, observed);
}

/* The ledger's entries for the inside hold for this namespace only, so the ledger must say which one it is. */
static bool is_unknown(const struct ns_state *desired, const struct object *seen, const struct ledger_entry *entry) {
	const struct object *object = ns_self(desired);

	if (!seen || !object->external || object->awaited || (entry && (entry->made || ledger_is_same(entry, seen))))
		return false;
	return entry || HASH_COUNT(desired->objects) > 1;
}

void diff_namespace(struct diff *diff, struct ns_state *observed) {
	struct ns_state *desired = observed->desired;
	struct object *object = ns_self(desired), *seen = ns_self(observed);
	const struct ledger_entry *entry = object ? ledger_find_object(diff->input->ledger, object) : NULL;

	if (!object)
		return; /* the host, or no longer declared (diff_extra) */
	const struct object *former = entry && entry->made ? noted_birth(diff, object, entry) : NULL;

	if (seen && object->awaited)
		vec_push(&diff->plan->found, (struct found){ object, seen });
	if (is_unknown(desired, seen, entry))
		vec_push(&diff->plan->born, seen);
	if (!seen && observed->obstruction)
		diff_refuse(diff, object, NULL, -EEXIST, obstructed(diff, object, observed));
	else if (!seen && object->awaited)
		diff_awaits_namespace(diff, object, observed);
	else if (!seen && object->external)
		diff_refuse(diff, object, NULL, -ENOENT, "does not exist, and 'adopt: true' never creates a namespace");
	else if (!seen)
		diff_create(diff, object, false);
	else if (!diff_shares_namespace(diff, object, seen) && !object->external && !diff_is_ours(diff, object, seen))
		diff_refuse(diff, object, seen, -EEXIST, diff_why_in_the_way(diff, object, seen, observed));
	else if (entry)
		observed->n_noted++;
	if (seen && object->external && entry && entry->made && !entry->shared)
		diff_give_up(diff, seen, entry, "is given up: with 'adopt: true' topod never deletes it");
	if (object->change)
		object->change->former = former;
	else if (seen && !object->external)
		rename_namespace(diff, object, observed);
}
