/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs, object by object. The decision for one object, on one page; diff_create(), recreate(), diff_delete() and
 * diff_refuse() act on it. Namespaces are for diff_namespace.c, undeclared objects for diff_extra.c, ownership for
 * ownership.c.
 *
 * A declared object that is absent, or whose link is being recreated (missing()):
 *
 *     no longer declared, only to go back          nothing
 *     other topologies declare it differently      refuse
 *     what the kernel makes by itself in a
 *     namespace that this plan makes               nothing: the next scan shows its former values
 *     a setting, or lo in such a namespace         update
 *     any other `existing` interface               refuse (or wait, see diff_waiting.c)
 *     another topology is its maker                refuse
 *     one end of a pair                            recreate both ends
 *     anything else                                create
 *
 * A declared object that is observed (present()). "May go" is diff_may_go(), "found" is diff_is_found(): topod only
 * configures the object and never deletes it. The first line that fits decides:
 *
 *     another topology is its maker, or declares it differently        refuse
 *     topod made it, and it is declared as `existing`                  give it up
 *     topod moved in or made another link than is wanted there now     give it back, or delete it; create next time
 *     a foreign object hides it                                        report only; what goes back: recreate
 *     the kernel made it, and it lacks only topod's mark               nothing
 *     differs, and it may not go, and is not found or must be
 *     recreated                                                        refuse
 *     the kernel gave it up (duplicate address), and it may go         recreate
 *     differs, and a differing field needs it                          recreate
 *     differs                                                          update in place
 *     does not differ, is topod's and not in the ledger                record it
 *
 * Before this, an object may wait (diff_waiting.c), and after it, the order within a class is repaired (reorder()).
 */
#include "model/kind_masks.h"
#include "plan/diff.h"

static bool needs_recreation(const struct object *object, const struct object *observed, uint64_t differs) {
	mask_foreach(i, differs & kind_masks(object->kind)->all)
		if (object->kind->fields[i].class == FIELD_RECREATE)
			return true;
	return object->kind->recreate && object->kind->recreate(object, observed, differs);
}

/* Only objects of one kind have comparable fields (the common ones of links come first in each table). If the kinds differ,
 * all fields count as different, including those that need a recreation; for a port that still has a controller of another
 * kind, all declared fields. */
static uint64_t differences(const struct diff *diff, const struct object *object, const struct object *observed) {
	uint64_t differs;

	if (object->kind != observed->kind && !object->kind->any_kind)
		return object->kind->class->permanent ? diff_all_fields(object) : ~UINT64_C(0);
	differs = object_compare(object, observed);
	if (differs && diff->input->kept)
		differs &= ~diff->input->kept(diff->input->userdata, object, differs);
	return differs;
}

/* Somebody else's object in an adopted namespace differs in a way that only a new object can have. It stays: everything made
 * on it would go with it. */
static const char *others_differ(struct diff *diff, const struct object *object, const struct object *seen) {
	uint64_t differs = object->kind == seen->kind ? differences(diff, object, seen) : 0;
	_cleanup_text_ struct text names = {};

	mask_foreach(i, differs)
		if (needs_recreation(object, seen, field_bit(i)) && !(object->kind->fields[i].flags & FIELD_HIDDEN))
			text_addf(&names, "%s'%s'", names.size ? ", " : "", object->kind->fields[i].name);
	return arena_printf(
		&diff->plan->arena,
		"exists, is not topod's, and differs%s%s, which only a new one can have: declare it as it is, or remove it, "
		"and what stands on it",
		names.size ? " in " : "", text_str(&names));
}

const char *diff_why_in_the_way(struct diff *diff, const struct object *object, const struct object *seen,
				const struct ns_state *ns) {
	const char *text = seen && object->kind->if_in_the_way ? object->kind->if_in_the_way(seen) : NULL;

	if (!text)
		text = diff_belongs(diff, object, seen, ns);
	if (text)
		return text;
	if (seen && !object->external && state_find(diff->input->desired, object->ns)->adopt)
		return others_differ(diff, object, seen);
	return object_is_namespace(object)
		       ? "exists and is not topod's: take it over with 'adopt: true', or rename it in the file"
		       : "exists and is not topod's: take it over with 'adopt: true' on the namespace, or rename it in "
			 "the file";
}

void diff_give_up(struct diff *diff, struct object *seen, const struct ledger_entry *entry, const char *why) {
	if (entry)
		vec_push(&diff->plan->lost, (struct lost){ seen->ns, arena_strdup(&diff->plan->arena, entry->id) });
	vec_push(&diff->plan->spared, (struct spared){ seen, why });
	diff->plan->n_given_up++;
}

/* A link also loses its mark; until then the mark shows that there is more to do. The declared fields are compared after the
 * next scan, which sees a link that topod did not make. */
static bool gives_up_link(struct diff *diff, struct object *object, struct object *seen, const struct ledger_entry *entry) {
	const struct kind *kind = object->kind;

	if (!kind->found || object->gone || (entry && entry->kind->bare_create) || !diff_may_go(diff, object, seen))
		return false;
	if (!entry || entry->made) /* else it was already given up, and only its mark is left */
		diff_give_up(diff, seen, entry, "is given up: with 'kind: existing' topod never deletes it");
	struct object *unmarked = arena_memdup(&diff->plan->arena, object, kind->size);
	unmarked->set = 0;
	for (size_t i = 0; i < kind->n_fields; i++)
		if (kind->fields[i].class == FIELD_KEY)
			unmarked->set |= object->set & field_bit(i);
		else if (kind->fields[i].flags & FIELD_MARK &&
			 field_from_text(&diff->plan->arena, object->ns, &kind->fields[i], kind->fields[i].fallback,
					 unmarked))
			unmarked->set |= field_bit(i);
	diff_add(diff, CHANGE_UPDATE, unmarked, seen, diff_all_fields(unmarked))->completes = true;
	return true;
}

static bool names(const struct object *seen, const struct need *wanted) {
	object_foreach_need(need, seen)
		if (need.class == wanted->class && need.size == wanted->size && streq_ptr(need.ns, wanted->ns) &&
		    (need.name ? streq_ptr(need.name, wanted->name) : memcmp(need.key, wanted->key, need.size) == 0))
			return true;
	return false;
}

/* A port outlives its controller, so a recreated controller does not count. What stands on something else so far stays. */
bool diff_stands_on_recreated(const struct diff *diff, const struct object *object, const struct object *seen) {
	object_foreach_need(need, object) {
		const struct object *below = object_is_link(object) && need.field->flags & FIELD_CONTROLLER
						     ? NULL
						     : state_find_need(diff->input->desired, &need);

		if (below && below->change && (!seen || seen->kind != object->kind || names(seen, &need)) &&
		    (below->change->then || (below->change->type == CHANGE_CREATE && below->change->recreates)))
			return true;
	}
	return false;
}

bool diff_was_scanned(const struct ns_state *observed, const struct object *object) {
	const struct scope *scope = observed ? observed->scope : NULL;

	for (size_t i = 0; scope && i < scope->n; i++)
		if (scope->objects[i] == object)
			return true;
	return observed && !scope;
}

/* The end whose request creates the pair: the one with a controller, because that request can carry it. */
static struct object *first_end(struct object *object) {
	struct object *twin = object->twin;

	if (!twin)
		return object;
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (field->flags & FIELD_CONTROLLER && object_has(twin, i))
			return object_has(object, i) ? object : twin;
	}
	return object;
}

/* A foreign object in the place of the other end, or a foreign namespace there, prevents the pair from being
 * created. Nothing is deleted then. */
static bool pair_refused(struct diff *diff, struct object *object, struct object *twin, const struct object *seen_twin) {
	const struct ns_state *ns = state_find(diff->input->desired, twin->ns);

	if (diff_is_closed(ns)) {
		diff_point(diff, object, ns_self(ns)->change);
		return true;
	}
	const struct ns_state *there = state_find(diff->input->observed, twin->ns);
	if (twin->change ? !twin->change->refused
	    : seen_twin  ? diff_may_go(diff, twin, seen_twin)
			 : !diff_belongs(diff, twin, NULL, there))
		return false;
	if (!twin->change)
		diff_refuse(diff, twin, seen_twin, -EEXIST, diff_why_in_the_way(diff, twin, seen_twin, there));
	diff_point(diff, object, twin->change);
	return true;
}

/* Deletes and creates; a pair as a whole. If nothing is observed, only creates. Unless it is an end of a pair, an object
 * that cannot be deleted is not created: the old one would be in the way, as if it were somebody else's. */
static void recreate(struct diff *diff, struct object *object, struct object *observed) {
	struct object *twin = object->twin, *seen_twin = NULL;

	if (twin) {
		const struct ns_state *ns = state_find(diff->input->observed, twin->ns);

		if (!diff_was_scanned(ns, twin))
			vec_push(&diff->plan->also, twin);
		seen_twin = ns_find(ns, twin);
		if (pair_refused(diff, object, twin, seen_twin))
			return;
		if (seen_twin)
			diff_delete(diff, seen_twin, twin, true);
	}
	if (observed)
		diff_delete(diff, observed, object, true);
	if (!object->change)
		diff_create(diff, first_end(object), observed || seen_twin);
	if (observed && !twin)
		plan_add_need(diff->plan, object->change, observed->change);
}

/* The same namespace, desired and observed. */
struct namespaces {
	struct ns_state *desired, *observed;
};

static const char *goes_with(struct diff *diff, const char *ns, bool gone) {
	return arena_printf(&diff->plan->arena,
			    "%s with its other end or lower link, which %s in the namespace '%s' and is no longer declared",
			    gone ? "went" : "goes", gone ? "was" : "is", ns);
}

static void missing(struct diff *diff, const struct namespaces *ns, struct object *object, const struct object *seen) {
	bool fresh = ns_self(ns->desired) && ns_self(ns->desired)->change;
	const char *belongs;

	if (object->gone || diff_disputed(diff, object, NULL, ns->observed))
		return;
	/* lo and settings come with a new namespace. Other objects that the kernel makes in it are left to the next scan,
	 * because their former values must be recorded before a change. */
	if (object->external && fresh && !object->kind->found)
		return;
	if (object->kind->class->permanent || (object->external && fresh))
		diff_add(diff, CHANGE_UPDATE, object, NULL, diff_all_fields(object));
	else if (object->external)
		diff_refuse(diff, object, NULL, -ENODEV,
			    object->gone_with ? goes_with(diff, object->gone_with, true)
					      : "does not exist, and 'kind: existing' never creates an interface");
	else if ((belongs = diff_belongs(diff, object, NULL, ns->observed)))
		diff_refuse(diff, object, NULL, -EEXIST, belongs);
	else if (object->twin)
		recreate(diff, object, NULL);
	else
		diff_create(diff, object, seen);
}

/* An update of a route or address states the whole object. If only some fields go back, the others are filled in as
 * observed. */
static const struct object *complete(struct diff *diff, const struct object *object, const struct object *observed) {
	struct object *whole;

	if (!object->gone || object->kind != observed->kind)
		return object;
	whole = arena_memdup(&diff->plan->arena, object, object->kind->size);
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (object_has(object, i) || object->returning & field_bit(i) || !object_has(observed, i))
			continue;
		memcpy(field_of(field, whole), field_of(field, observed), field->type->size);
		whole->set |= field_bit(i);
	}
	return whole;
}

static bool is_provided(const struct ns_state *observed, const struct ip *ip) {
	bool later;

	ns_foreach(object, observed)
		if (object->kind->provides && object->kind->provides(object, ip, &later))
			return true;
	return false;
}

/* Adjusts former values that cannot be restored. A former controller that no longer exists becomes none. A source
 * address that is gone is left out: the kernel has removed it from the route already and would refuse it. */
static void settle_returning(struct object *object, const struct ns_state *observed) {
	mask_foreach(i, observed->scope ? 0 : object->returning & object->set) {
		const struct field *field = &object->kind->fields[i];

		const struct ip *source = field->flags & FIELD_SOURCE ? field_of(field, object) : NULL;
		if (source && source->family && !is_provided(observed, source))
			object->set &= ~field_bit(i);
		if (field->type != &type_link_name || !field->fallback)
			continue;
		const char **name = field_of(field, object);
		if (**name && !ns_find_link(observed, *name))
			*name = field->fallback;
	}
}

/* What topod moved into a namespace that is to be attached, and that has ended or was replaced since: the kernel gave it back. */
static bool came_back(const struct diff *diff, const struct ledger_entry *entry) {
	const struct object *self = ns_self(state_find(diff->input->desired, entry->ns));

	return self && (object_waits(self) || (self->change && self->change->held));
}

const struct object *diff_noted_object(struct diff *diff, const struct object *seen) {
	const struct ledger_entry *entry = ledger_find_object(diff->input->ledger, seen);

	if (!entry && seen->owned) /* somebody has moved or renamed it */
		entry = ledger_find_signed(diff->input->ledger, seen);
	if (!entry || !entry->kind->bare_create)
		return NULL;
	struct object *object = object_new(&diff->plan->arena, entry->kind, seen->ns);
	object->waits = came_back(diff, entry);
	for (size_t i = 0; i < entry->kind->n_fields; i++) {
		const struct field *field = &entry->kind->fields[i];
		const char *former = field->flags & FIELD_ONCE ? ledger_former(entry, i) : NULL;

		if (field->class == FIELD_KEY) /* at the same position in every link's table */
			memcpy(field_of(field, object), field_of(field, seen), field->type->size);
		else if (former)
			*(const char **)field_of(field, object) = arena_strdup(&diff->plan->arena, former);
		else
			continue;
		object->set |= field_bit(i);
	}
	object_seal(&diff->plan->arena, object);
	return object;
}

/* An interface that was moved in and is no longer wanted here is given back first, and a link that topod made is
 * deleted before an interface is moved into its place. The next scan then creates what is wanted. If both were one
 * step, the ledger could take the one for the other after a crash in between. */
static bool goes_first(struct diff *diff, const struct ledger_entry *entry, struct object *object, struct object *seen) {
	if (!entry->kind->bare_create && !object->kind->bare_create)
		return false;
	const struct object *noted = diff_noted_object(diff, seen);
	if (noted ? object->kind == noted->kind && object->kind->is_same_source(object, noted, seen)
		  : !object->kind->bare_create)
		return false;
	if (!diff_may_go(diff, object, seen))
		return false;
	diff_delete(diff, seen, noted, false);
	seen->change->then = object;
	diff_point(diff, object, seen->change);
	return true;
}

static void tell_hidden(struct diff *diff, const struct object *object, const struct object *observed, const char *text) {
	struct change *change = diff_add(diff, CHANGE_UPDATE, object, observed, 0);

	change->report_only = true;
	change->text = text;
}

bool diff_is_in_the_way(const struct diff *diff, const struct ns_state *desired, const struct object *object,
			const struct object *seen) {
	uint64_t differs = seen ? differences(diff, object, seen) : 0;

	return differs && (!diff_is_found(desired, object) || needs_recreation(object, seen, differs)) &&
	       !diff_may_go(diff, object, seen);
}

static bool is_before(const struct ns_state *observed, const struct object *a, const struct object *b) {
	ns_foreach(object, observed)
		if (object == a || object == b)
			return object == a;
	return false;
}

/* The observed counterpart of `object`, if `object` should come after `first` but comes before it; else NULL. */
static struct object *stands_before(const struct ns_state *observed, const struct object *object, const struct object *first,
				    const struct object *seen) {
	struct object *there =
		object->kind == first->kind && object->kind->comes_behind(object, first) ? ns_find(observed, object) : NULL;

	return there && is_before(observed, there, seen) ? there : NULL;
}

/* The fields that would put `first` first, if a foreign object keeps it from that place. */
static uint64_t left_place(const struct diff *diff, const struct ns_state *desired, const struct ns_state *observed,
			   const struct object *first, const struct object *seen) {
	uint64_t place = first->kind->out_of_order ? first->kind->out_of_order(first, seen) : 0;

	ns_foreach(object, place ? desired : NULL) {
		const struct object *there = stands_before(observed, object, first, seen);

		if (there && !diff_may_go(diff, object, there))
			return place;
	}
	return 0;
}

static void present(struct diff *diff, struct ns_state *desired, struct ns_state *observed_ns, struct object *object,
		    struct object *observed) {
	settle_returning(object, observed_ns);
	const char *belongs = diff_belongs(diff, object, observed, observed_ns);
	if (belongs)
		diff_refuse(diff, object, observed, -EEXIST, belongs);
	if (belongs || diff_disputed(diff, object, observed, observed_ns))
		return;
	uint64_t left = diff_left_fields(diff, object, observed, observed_ns) |
			left_place(diff, desired, observed_ns, object, observed);
	struct ledger_entry *entry = ledger_find_object(diff->input->ledger, object);
	bool ours = diff_is_ours_by(entry, observed), found = diff_is_found(desired, object), recreates;
	if (desired->adopt && !ours && object->kind->class->splits)
		left |= diff_signs(object);
	uint64_t differs = differences(diff, object, observed) & ~left;
	bool revives = observed->failed && (!found || (entry && entry->made)) && diff_may_go(diff, object, observed);

	if (observed->pending && !object->gone)
		diff_pending(diff, object, observed);
	if (observed->failed && !object->gone)
		diff_given_up(diff, object, observed, revives);
	if (object->kind->found && !object->gone && !streq(object_home_link(object), "lo"))
		vec_push(&diff->plan->found, (struct found){ object, observed });
	observed_ns->n_noted += entry != NULL;
	if (gives_up_link(diff, object, observed, entry))
		return;
	if (entry && entry->made && !found && goes_first(diff, entry, object, observed))
		return;
	bool in_its_place = false;
	const char *hidden = object->kind->hidden ? object->kind->hidden(&diff->plan->arena, observed, &in_its_place) : NULL;
	if (hidden && !object->gone && (in_its_place || !differs))
		tell_hidden(diff, object, observed, hidden);
	if (in_its_place && !object->gone)
		return;
	if (!ours && diff_is_others(desired, object, observed) && !(differs & ~diff_signs(object)))
		differs = 0;
	/* An update would change the object that hides this one. */
	recreates = differs && (needs_recreation(object, observed, differs) || in_its_place);
	if (differs && (recreates || !found) && !diff_may_go(diff, object, observed)) {
		diff_refuse(diff, object, observed, -EEXIST, diff_why_in_the_way(diff, object, observed, observed_ns));
		return;
	}
	bool shared = (ours || found) && diff_note(diff, entry, object, observed, observed_ns, left, differs);
	/* Otherwise a corrected object would later count as found. The mark proves that topod made it, in the host as well
	 * as in an adopted namespace. */
	if (ours && !diff_is_never_made(object) && !entry && !shared)
		vec_push(&diff->plan->unnoted, object);
	if (revives || recreates) {
		recreate(diff, object, observed);
		if (object->gone && object->change)
			object->change->desired = complete(diff, object, observed);
		/* The kernel gave the object up; it becomes usable only by being recreated. */
		if (revives && observed->change && object->change)
			observed->change->revives = object->change->revives = true;
	} else if (differs) {
		const struct object *whole = complete(diff, object, observed);

		while (differs)
			diff_add(diff, CHANGE_UPDATE, whole, observed, diff_take_fields(object, &differs));
	}
}

static struct change *planned(const struct diff *diff, const struct object *object) {
	struct change *found = NULL;

	vec_foreach(at, &diff->plan->changes)
		if ((*at)->desired == object)
			found = *at;
	return found;
}

/* If others made an object in an adopted namespace and it comes before `first`, it gets topod's mark: after the next scan it
 * may be recreated. */
static bool mark_before(struct diff *diff, const struct namespaces *ns, const struct object *first,
			const struct object *seen) {
	bool any = false;

	ns_foreach(object, ns->desired->adopt ? ns->desired : NULL) {
		const struct object *there = stands_before(ns->observed, object, first, seen);

		if (!there || diff_is_ours(diff, object, there))
			continue;
		diff_add(diff, CHANGE_UPDATE, object, there, diff_signs(object));
		any = true;
	}
	return any;
}

/* If an object that should come first (the primary address of a subnet) comes after others, these are recreated after it. If
 * it is absent, it is created now, and the order is corrected after the next scan. */
static void reorder(struct diff *diff, const struct namespaces *ns, const struct object *first) {
	const struct object *seen = ns_find(ns->observed, first);
	uint64_t place = seen && first->kind->out_of_order ? first->kind->out_of_order(first, seen) : 0;

	if (!place || !(differences(diff, first, seen) & place) || mark_before(diff, ns, first, seen) ||
	    left_place(diff, ns->desired, ns->observed, first, seen))
		return;
	ns_foreach(object, ns->desired) {
		struct object *there = stands_before(ns->observed, object, first, seen);

		if (!there || object->change)
			continue;
		recreate(diff, object, there);
		there->change->makes_room = object->change->makes_room = true;
		/* While the first one is left alone, these are left alone too. */
		plan_add_need(diff->plan, there->change, planned(diff, first));
		plan_add_need(diff->plan, object->change, there->change);
	}
}

static void diff_object(struct diff *diff, const struct namespaces *ns, struct object *object, bool only_whole) {
	struct object *seen = ns_find(ns->observed, object);

	if (diff_waits_for_link(diff, ns->desired, object, seen))
		return;
	if (only_whole && (object->external || (seen && !needs_recreation(object, seen, differences(diff, object, seen)))))
		return;
	if (diff_waits_to_come(diff, ns->desired, ns->observed, object))
		return;
	if (diff_waits_for_source(diff, ns->desired, ns->observed, object))
		return;
	const char *going = seen && object->external && !object->gone ? diff_goes_with(diff, seen) : NULL;

	if (seen) /* copied, because the next scan no longer sees the interface */
		object->gone_with = going ? state_find(diff->input->desired, going)->name : NULL;
	if (going)
		diff_refuse(diff, object, seen, -ENODEV, goes_with(diff, going, false));
	else if (!seen || diff_stands_on_recreated(diff, object, seen))
		missing(diff, ns, object, seen);
	else
		present(diff, ns->desired, ns->observed, object, seen);
	reorder(diff, ns, object);
	if (seen) /* after its change, which would otherwise wait with the failed one */
		diff_tell_left(diff, object, seen, ns->observed);
}

void diff_class(struct diff *diff, struct ns_state *observed, const struct class *class, bool only_whole) {
	struct namespaces ns = { observed->desired, observed };
	const struct scope *scope = observed->scope;

	if (!ns.desired || diff_is_closed(ns.desired))
		return;
	/* In a narrow scan, objects that should come first are compared first. A whole scan has the order of the file. */
	for (size_t i = 0; scope && i < 2 * scope->n; i++) {
		struct object *object = ns_find(ns.desired, scope->objects[i % scope->n]);
		bool first = object && object->kind->out_of_order && object->kind->out_of_order(object, NULL);

		if (object && object->kind->class == class && !object->change && first == (i < scope->n))
			diff_object(diff, &ns, object, only_whole);
	}
	if (scope)
		return;
	ns_foreach(object, ns.desired)
		if (object->kind->class == class && !object->change)
			diff_object(diff, &ns, object, only_whole);
}
