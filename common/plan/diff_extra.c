/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Observed objects that are not declared: delete, give back, or leave.
 *
 *     topod made it (ledger and mark), as it is       delete, or give back what was moved in
 *     the same, but another topology has it too       leave, and say so (diff_spares())
 *     a link with topod's mark and a MAC address
 *     that the ledger knows, under another name       delete: nobody else would
 *     a part of a link that topod made, if the file
 *     lists all parts (class->exact)                  delete
 *     anything else in an `exclusive` namespace       delete
 *     a namespace that was attached                   remove its name, when nothing of topod's is left in it
 *     anything else                                   leave
 *
 * Nothing is planned for what disappears by itself: with its link, or with a namespace that is deleted, unless it must
 * be given back first.
 */
#include "model/kind_masks.h"
#include "plan/diff.h"

/* Is the object on a link that topod moved in, and stays on it when that is given back? */
static bool moves_along(const struct diff *diff, const struct object *object) {
	if (!object->kind->class->moves_along)
		return false;
	object_foreach_need(need, object) {
		const struct object *link = state_find_need(diff->input->observed, &need);
		const struct ledger_entry *entry = link ? ledger_find_object(diff->input->ledger, link) : NULL;

		if (entry && entry->kind->bare_create)
			return true;
	}
	return false;
}

bool diff_stands_on_deleted(const struct diff *diff, const struct object *object) {
	object_foreach_need(need, object) {
		const struct object *below = state_find_need(diff->input->observed, &need);

		if (below && below->change && below->change->type == CHANGE_DELETE)
			return true;
	}
	return false;
}

/* Does the object disappear with its link, which the plan deletes? */
static bool goes_along(const struct diff *diff, const struct object *object) {
	return !object_is_link(object) && !moves_along(diff, object) && diff_stands_on_deleted(diff, object);
}

/* Does the update change or remove the link's controller? */
static bool changes_controller(const struct change *change) {
	mask_foreach(i, change->fields)
		if (change->desired->kind->fields[i].flags & FIELD_CONTROLLER)
			return true;
	return false;
}

static bool is_leaving(const struct plan *plan, const struct need *need) {
	vec_foreach(at, &plan->changes) {
		const struct object *link = (*at)->type == CHANGE_UPDATE ? (*at)->desired : NULL;

		if (link && object_is_link(link) && streq(link->ns, need->ns) &&
		    streq_ptr(object_home_link(link), need->name) && changes_controller(*at))
			return true;
	}
	return false;
}

/* A port's settings disappear when it leaves its controller. */
static bool leaves_controller(const struct plan *plan, const struct object *object) {
	if (!object->kind->class->membership)
		return false;
	object_foreach_need(need, object)
		if (is_leaving(plan, &need))
			return true;
	return false;
}

static bool is_pointless(const struct diff *diff, const struct change *change) {
	const struct object *seen = change->observed;

	if (change->type == CHANGE_DELETE)
		return change->refused; /* the creation says why */
	if (change->type != CHANGE_UPDATE || !change->desired->gone || !seen)
		return false;
	return goes_along(diff, seen) || leaves_controller(diff->plan, seen);
}

void diff_pointless(struct diff *diff) {
	struct plan *plan = diff->plan;
	size_t n = 0;

	for (size_t i = 0; i < plan->changes.n; i++)
		if (!is_pointless(diff, plan->changes.items[i]))
			plan->changes.items[n++] = plan->changes.items[i];
	plan->changes.n = n;
}

bool diff_is_as_made(const struct ledger_entry *entry, const struct object *seen) {
	return (diff_bears_mark(entry, seen) || !entry->kind->markable) && ledger_is_same(entry, seen);
}

/* A link that topod made and that was renamed or moved since: it has the mark, and the ledger knows its MAC address.
 * Another one is made under the declared name, so this one would stay forever. */
static const struct ledger_entry *stray_entry(const struct diff *diff, const struct object *seen) {
	if (!object_is_link(seen) || !seen->owned || ledger_find_object(diff->input->ledger, seen))
		return NULL;
	return ledger_find_signed(diff->input->ledger, seen); /* compares all entries */
}

/* An undeclared peer of a link that topod made. */
static bool breaks_set(const struct diff *diff, const struct ns_state *desired, const struct object *seen) {
	const char *name = seen->kind->class->exact ? object_home_link(seen) : NULL;
	const struct object *link = name && desired ? ns_find_link(desired, name) : NULL;

	if (!link || link->gone || link->kind->part_kind != seen->kind || (link->change && link->change->refused))
		return false;
	const struct ledger_entry *entry = ledger_find_object(diff->input->ledger, link);
	return entry && entry->made;
}

static bool to_be_deleted(struct diff *diff, const struct ns_state *desired, const struct ns_state *observed,
			  const struct object *seen) {
	const struct ledger_entry *entry;

	if (seen->change || seen->kernel_made || seen->kind->class->permanent)
		return false;
	entry = ledger_find_object(diff->input->ledger, seen);
	if (entry && entry->made && diff_is_as_made(entry, seen) && !diff_is_void(entry, diff->input->ledger, observed))
		return !diff_spares(diff, entry, seen, observed);
	if (stray_entry(diff, seen) || breaks_set(diff, desired, seen))
		return true;
	return desired && desired->exclusive && !diff_is_closed(desired) && !object_is_namespace(seen) &&
	       !diff_spares(diff, NULL, seen, observed);
}

static bool outlives_namespace(const struct diff *diff, const struct object *seen) {
	const struct ledger_entry *entry = ledger_find_object(diff->input->ledger, seen);

	return seen->kind->class->outlives_namespace || (entry && ledger_outlives_namespace(entry));
}

/* A stray link is deleted before its replacement is created (all deletions come first). The creation's message says
 * where the stray was. */
static void remember_where_moved(struct diff *diff, const struct object *seen) {
	const struct ledger_entry *entry = seen->change ? stray_entry(diff, seen) : NULL;
	_cleanup_text_ struct text where = {};

	object_print_scope(seen, &where);
	ns_foreach(object, entry ? state_find(diff->input->desired, entry->ns) : NULL)
		if (object->change && object->change->type == CHANGE_CREATE &&
		    object_same_key(object->change->desired, object) &&
		    ledger_find_object(diff->input->ledger, object) == entry)
			object->change->moved = arena_strdup(&diff->plan->arena, where.data);
}

static void delete_extra(struct diff *diff, struct ns_state *observed, const struct ns_state *desired, bool links,
			 bool all_goes) {
	ns_foreach(seen, observed) {
		if ((object_is_link(seen)) != links || object_is_namespace(seen) || (desired && ns_find(desired, seen)) ||
		    !to_be_deleted(diff, desired, observed, seen))
			continue;
		const struct object *noted = diff_noted_object(diff, seen);
		if (!goes_along(diff, seen) &&
		    (!all_goes || noted || outlives_namespace(diff, seen) || moves_along(diff, seen)))
			diff_delete(diff, seen, noted, false);
		remember_where_moved(diff, seen);
	}
}

/* A narrow scan reads undeclared objects only if they come with the declared ones. */
static void delete_read_along(struct diff *diff, struct ns_state *observed) {
	ns_foreach(seen, observed)
		if (!ns_find(observed->desired, seen) && breaks_set(diff, observed->desired, seen))
			diff_delete(diff, seen, NULL, false);
}

/* A namespace that was attached and is no longer declared loses its name, once nothing of topod's is left in it. */
static bool is_let_go(const struct diff *diff, const struct object *ns) {
	const struct ledger_entry *entry = ledger_attached_namespace(ledger_namespace(diff->input->ledger, ns->ns));

	if (!entry || !ledger_is_same(entry, ns))
		return false;
	vec_foreach(change, &diff->plan->changes)
		if (streq(change_object(*change)->ns, ns->ns))
			return false;
	return true;
}

void diff_extra(struct diff *diff, struct ns_state *observed) {
	const struct ns_state *desired = observed->desired;
	struct object *ns = ns_self(observed);
	bool all_goes = false;

	if (observed->scope) {
		if (desired)
			delete_read_along(diff, observed);
		return;
	}
	if (desired && diff_is_closed(desired)) {
		delete_extra(diff, observed, desired, false,
			     true); /* a file of ours (resolv.conf) lies outside the namespace */
		return;
	}
	if (ns && !(desired && ns_self(desired)) && to_be_deleted(diff, desired, observed, ns)) {
		diff_delete(diff, ns, NULL, false);
		all_goes = true;
	}
	delete_extra(diff, observed, desired, true, all_goes);
	delete_extra(diff, observed, desired, false, all_goes);
	if (ns && !(desired && ns_self(desired)) && is_let_go(diff, ns))
		diff_delete(diff, ns, NULL, false);
}
