/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that wait rather than differ: those that are not usable yet, those that can be made only once such an object is
 * usable, those that something outside topod must bring, and all that depend on these.
 *
 * Nothing is planned for them. An object that waits with its link gets a change that is held and in no plan, so that changes
 * that need the object are held too.
 */
#include "model/kind_masks.h"
#include "plan/diff.h"

/* What an object that is not usable yet waits for outside topod; NULL: it only takes some time. */
static const char *why_not_usable(const struct diff *diff, const struct object *observed) {
	return observed->kind->waits ? observed->kind->waits(observed, diff->input->observed) : NULL;
}

static void add_waiting(struct diff *diff, struct object *object, const char *why, bool absent) {
	vec_push(&diff->plan->waiting, ((struct waiting){ object, why, absent }));
}

void diff_pending(struct diff *diff, struct object *object, const struct object *observed) {
	const char *why = why_not_usable(diff, observed);

	if (why)
		add_waiting(diff, object, why, false);
	else
		vec_push(&diff->plan->pending, (struct pending){ .object = observed });
}

void diff_given_up(struct diff *diff, struct object *object, const struct object *observed, bool revives) {
	vec_push(&diff->plan->failed, ((struct given_up){ object, !revives || why_not_usable(diff, observed) }));
}

/* The object that will provide the address but does not yet; NULL: there is none. */
static struct object *find_provider(struct diff *diff, const struct ns_state *desired, const struct ns_state *observed,
				    const struct ip *ip) {
	ns_foreach(object, desired) {
		const struct object *seen;
		bool later = false;

		if (!object->kind->provides || !object->kind->provides(object, ip, &later))
			continue;
		seen = ns_find(observed, object);
		if (!later || (seen && !seen->pending && !seen->failed && !diff_stands_on_recreated(diff, object, seen)))
			continue;
		if (diff_was_scanned(observed, object))
			return object;
		vec_push(&diff->plan->also, object);
	}
	return NULL;
}

/* A route with a source address waits until that address is usable; before, it would only fail. */
bool diff_waits_for_source(struct diff *diff, const struct ns_state *desired, const struct ns_state *observed,
			   struct object *object) {
	mask_foreach(i, object->set) {
		const struct field *field = &object->kind->fields[i];
		const struct object *source, *seen;

		if (!(field->flags & FIELD_SOURCE))
			continue;
		source = find_provider(diff, desired, observed, field_of(field, object));
		if (!source || diff_is_in_the_way(diff, desired, object, ns_find(observed, object)))
			continue;
		seen = ns_find(observed, source);
		const char *why = seen && seen->pending ? why_not_usable(diff, seen) : NULL;
		add_waiting(diff, object, why, !ns_find(observed, object));
		if (!why)
			vec_push(&diff->plan->pending, ((struct pending){ object, source->change }));
		return true;
	}
	return false;
}

/* See the head of this file. */
static bool is_awaited(const struct object *object) {
	return object && object->change && object->change->held;
}

static void hold(struct diff *diff, struct object *object) {
	struct change *change = arena_new(&diff->plan->arena, struct change);

	*change = (struct change){ .type = CHANGE_UPDATE, .desired = object, .done = true, .held = true };
	diff_point(diff, object, change);
	diff->n_awaited++;
}

/* The ledger's entry for an object ends with the object: it does not make the next one of that name topod's. */
static void wait_with(struct diff *diff, struct object *object, bool seen, const char *why) {
	const struct ledger_entry *entry = seen ? NULL : ledger_find_object(diff->input->ledger, object);

	hold(diff, object);
	add_waiting(diff, object, why, !seen);
	if (entry)
		vec_push(&diff->plan->lost, ((struct lost){ object->ns, arena_strdup(&diff->plan->arena, entry->id) }));
}

/* Is something to be done about the object that must be done later: is it absent, or another one in its place? */
static bool comes_later(struct diff *diff, const struct ns_state *desired, const struct ns_state *observed,
			const struct object *object, const char **ret_why) {
	const struct object *seen = object->kind->comes_later ? ns_find(observed, object) : NULL;
	bool is_there = seen && (seen->kind != object->kind || !object_compare(object, seen));

	if (object->kind->comes_later && !is_there && object->kind->comes_later(object, diff->input->observed, ret_why))
		return true;
	object_foreach_need(need, object) {
		const struct object *needed = need.name ? NULL : ns_find_need(desired, &need);

		if (needed && needed != object && comes_later(diff, desired, observed, needed, ret_why))
			return true;
	}
	return false;
}

bool diff_waits_to_come(struct diff *diff, const struct ns_state *desired, const struct ns_state *observed,
			struct object *object) {
	const struct object *seen = ns_find(observed, object);
	const char *why;

	if (object_is_link(object) || object->gone || !comes_later(diff, desired, observed, object, &why) ||
	    diff_is_in_the_way(diff, desired, object, seen))
		return false;
	wait_with(diff, object, seen, why);
	if (!why)
		vec_push(&diff->plan->pending, ((struct pending){ .object = object }));
	return true;
}

static bool waits_on_awaited(struct diff *diff, const struct object *object);

/* An object that it needs may wait too, but be compared later, because its namespace comes later. */
static bool needs_awaited(struct diff *diff, const struct object *object) {
	object_foreach_need(need, object) {
		const struct object *needed = state_find_need(diff->input->desired, &need);

		if (is_awaited(needed) || (needed && !needed->change && waits_on_awaited(diff, needed)))
			return true;
	}
	return false;
}

/* If one end of a pair waits, both do. */
static bool waits_on_awaited(struct diff *diff, const struct object *object) {
	const struct object *twin = object->twin;

	return needs_awaited(diff, object) || (twin && (is_awaited(twin) || needs_awaited(diff, twin)));
}

/* Is the address (a gateway) reached only through objects that wait? */
static bool is_reached_later(struct diff *diff, const struct ns_state *desired, const struct ip *ip) {
	bool later = false;

	ns_foreach(object, desired) {
		if (!object_leads_to(object, ip))
			continue;
		if (!is_awaited(object) && !waits_on_awaited(diff, object))
			return false;
		later = true;
	}
	return later;
}

static bool depends_on_awaited(struct diff *diff, const struct ns_state *desired, const struct object *object) {
	const struct ip *ip;
	const char *dev;

	for (size_t i = 0; object->kind->depends && object->kind->depends(object, i, &dev, &ip); i++)
		if ((dev && is_awaited(ns_find_link(desired, dev))) || (ip && is_reached_later(diff, desired, ip)))
			return true;
	return false;
}

static bool is_in_absent(const struct diff *diff, const struct object *object) {
	return object && is_awaited(ns_self(state_find(diff->input->desired, object->ns)));
}

bool diff_waits_for_link(struct diff *diff, const struct ns_state *desired, struct object *object,
			 const struct object *seen) {
	if (!diff->n_awaited || is_awaited(object))
		return false;
	if (!(waits_on_awaited(diff, object) || depends_on_awaited(diff, desired, object)) ||
	    diff_is_in_the_way(diff, desired, object, seen))
		return false;
	wait_with(diff, object, seen, is_in_absent(diff, object->twin) ? "for a namespace" : "for an interface");
	return true;
}

/* If a namespace that somebody else has to make is absent, the objects declared in it wait. */
static void wait_with_namespace(struct diff *diff, const struct ns_state *desired, const struct ns_state *observed) {
	ns_foreach(object, desired)
		if (!object_is_namespace(object) && diff_was_scanned(observed, object))
			add_waiting(diff, object, NULL, true);
}

/* Everything inside waits with a namespace that is not attached, except files outside of it. The ledger's entries for the
 * inside stay: they hold if the same namespace comes back, and are forgotten if another one is attached. */
static void wait_inside(struct diff *diff, const struct ns_state *desired, const struct ns_state *observed) {
	ns_foreach(object, desired) {
		if (object_is_namespace(object) || object->kind->class->outlives_namespace || object->gone)
			continue;
		hold(diff, object);
		if (diff_was_scanned(observed, object))
			add_waiting(diff, object, NULL, true);
	}
}

void diff_awaits_namespace(struct diff *diff, struct object *object, const struct ns_state *observed) {
	hold(diff, object);
	if (diff_was_scanned(observed, object))
		add_waiting(diff, object, "to be attached", true);
}

void diff_awaited(struct diff *diff, struct ns_state *observed) {
	const struct ns_state *desired = observed->desired;

	if (!desired)
		return;
	if (is_awaited(ns_self(desired))) {
		wait_inside(diff, desired, observed);
		return;
	}
	if (diff_is_closed(desired)) {
		if (!ns_self(observed))
			wait_with_namespace(diff, desired, observed);
		return;
	}
	ns_foreach(object, desired)
		if (object->awaited && diff_was_scanned(observed, object) && !ns_find(observed, object))
			wait_with(diff, object, false, "to be moved in");
}
