/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ledger entries whose object is neither declared nor observed any more. They are listed in plan->lost or
 * plan->renamed; nothing else changes, except the entries' `declared` flags, which are scratch space.
 */
#include "plan/diff.h"

bool diff_is_void(const struct ledger_entry *entry, const struct ledger *ledger, const struct ns_state *observed) {
	const struct object *self = ns_self(observed);
	const struct ledger_entry *ns = self ? ledger_find_object(ledger, self) : NULL;

	return ns && ns->made && !diff_is_as_made(ns, self) && !ledger_outlives_namespace(entry) &&
	       !(entry->made && kind_is_link(entry->kind));
}

static void mark_declared(const struct ledger *ledger, const struct ns_state *desired, const struct ns_state *observed) {
	ns_foreach(object, desired) {
		struct ledger_entry *entry = ledger_find_object(ledger, object);

		if (entry && !diff_is_void(entry, ledger, observed))
			entry->declared = true;
	}
}

/* An observed object keeps its entry, unless it is a different object in the place of what topod made. */
static void mark_present(const struct ledger *ledger, const struct ns_state *observed) {
	ns_foreach(seen, observed) {
		struct ledger_entry *entry = ledger_find_object(ledger, seen);

		if (entry && !ledger_is_only_birth(entry) && !diff_is_void(entry, ledger, observed) &&
		    (!entry->made || diff_is_as_made(entry, seen)) && !ledger_is_only_place(entry))
			entry->declared = true;
	}
}

void diff_renamed(struct diff *diff, const struct ns_state *observed) {
	const struct ledger_ns *noted = ledger_namespace(diff->input->ledger, observed->name);
	const struct ns_state *desired = observed->desired;

	for (struct ledger_entry *entry = noted ? noted->entries : NULL; entry; entry = entry->hh.next) {
		const char *name = ledger_renamed(entry, observed);
		const char *former = name ? ledger_former(entry, (size_t)kind_field(entry->kind, "name")) : NULL;
		const struct object *declared = former && desired ? ns_find_link(desired, former) : NULL;

		if (former &&
		    (!declared || declared->gone)) /* otherwise topod waits for an interface under the declared name */
			vec_push(&diff->plan->renamed,
				 (struct renamed){ observed->name, arena_strdup(&diff->plan->arena, former),
						   arena_strdup(&diff->plan->arena, name) });
	}
}

void diff_lost(struct diff *diff, const struct ns_state *observed) {
	const struct ledger *ledger = diff->input->ledger;
	const struct ledger_ns *noted = ledger_namespace(ledger, observed->name);
	const struct object *self = ns_self(observed);

	/* The entries of a namespace are forgotten together when it is gone. */
	if (self && self->change && self->change->type == CHANGE_DELETE)
		return;
	/* If every entry belongs to an object that is declared and observed, none is lost. */
	if (!noted || HASH_COUNT(noted->entries) == observed->n_noted)
		return;
	for (struct ledger_entry *entry = noted->entries; entry; entry = entry->hh.next)
		entry->declared = false;
	mark_declared(ledger, observed->desired, observed);
	mark_present(ledger, observed);
	for (struct ledger_entry *entry = noted->entries; entry; entry = entry->hh.next)
		if (!entry->declared && ledger_is_only_place(entry))
			entry->declared = ledger_place_is_needed(ledger, entry);
	for (struct ledger_entry *entry = noted->entries; entry; entry = entry->hh.next)
		if (!entry->declared && !ledger_setting_rests(diff->input->desired, entry))
			vec_push(&diff->plan->lost,
				 (struct lost){ observed->name, arena_strdup(&diff->plan->arena, entry->id) });
}
