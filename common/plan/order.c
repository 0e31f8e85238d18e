/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/order.h"

struct sorted {
	struct change *change;
	enum stage stage;
	unsigned ns; /* within STAGE_INSIDE: one namespace after another makes the longest batches */
	unsigned rank;
	size_t index; /* what was added first goes first */
};

/* Links that others are made upon in this plan, and which those need up (a macvlan cannot be brought up else). */
struct below {
	const struct object *link;
	UT_hash_handle hh;
};

static void add_below(struct arena *arena, const struct object *link, struct below **found) {
	struct below *below = NULL;

	if (link)
		HASH_FIND_PTR(*found, &link, below);
	if (!link || below)
		return;
	below = arena_new(arena, struct below);
	below->link = link;
	HASH_ADD_PTR(*found, link, below);
}

static struct below *find_all_below(struct plan *plan, const struct state *desired) {
	struct below *found = NULL;

	vec_foreach(at, &plan->changes) {
		const struct need lower = (*at)->type != CHANGE_DELETE ? object_lower((*at)->desired) : (struct need){};

		add_below(&plan->arena, state_find_need(desired, &lower), &found);
	}
	return found;
}

static bool is_below(struct below *all, const struct change *change) {
	struct below *found = NULL;

	if (change->type == CHANGE_UPDATE)
		HASH_FIND_PTR(all, &change->desired, found);
	return found;
}

/* A link has to be up by the time others are made upon it, and its MTU bounds that of those which are changed. */
static enum stage stage_of(const struct change *change, bool below) {
	const struct class *class = change_object(change)->kind->class;

	if (below)
		return STAGE_LINK;
	if (class->stage)
		return class->stage(change);
	return change->type == CHANGE_DELETE ? STAGE_DELETE : STAGE_INSIDE;
}

static unsigned height_of(const struct state *desired, const struct object *object, unsigned depth);

/* How high an object stands on links. One that only names another link, as a bond its primary port, does not stand on it. */
static unsigned height_alone(const struct state *desired, const struct object *object, unsigned depth) {
	unsigned height = 0;

	object_foreach_need(need, object) {
		bool stands = !object_is_link(object) || need.field->flags & (FIELD_LOWER | FIELD_CONTROLLER);
		const struct object *below = stands ? state_find_need(desired, &need) : NULL;

		if (below)
			height = MAX(height, height_of(desired, below, depth + 1) + 1);
	}
	return height;
}

static unsigned height_of(const struct state *desired, const struct object *object, unsigned depth) {
	if (depth >= 16) /* loops are refused before; this only bounds */
		return 0;
	unsigned height = height_alone(desired, object, depth);
	return object->twin ? MAX(height, height_alone(desired, object->twin, depth)) : height; /* they are made together */
}

/* Within a stage. Links are brought up before their settings, addresses before routes, and routes that say how
 * to reach a gateway before those that use it. */
static unsigned rank_of(const struct change *change, const struct state *desired, enum stage stage) {
	const struct object *object = change_object(change);
	unsigned rank = class_rank(object->kind->class), late = object->kind->goes_late && object->kind->goes_late(object);

	switch (stage) {
	case STAGE_LINK:
		/* What is below is made, and then changed, before that which stands on it; what belongs to a link is set between
		 * its making and bringing up. */
		if (!object_is_link(object))
			return 3 * height_of(desired, object, 0) - 2;
		return 3 * height_of(desired, object, 0) + (change->type == CHANGE_UPDATE ? 2 : 0);
	case STAGE_INSIDE:
		return 2 * rank + late;
	case STAGE_DELETE:
		return UINT8_MAX - rank;
	case STAGE_GIVE_BACK:
	case STAGE_DEFAULTS:
		return late;
	case STAGE_NAMESPACE:
	case STAGE_DELETE_NAMESPACE:
		break;
	}
	return 0;
}

static int compare(const void *a, const void *b) {
	const struct sorted *x = a, *y = b;

	if (x->stage != y->stage)
		return x->stage < y->stage ? -1 : 1;
	if (x->stage == STAGE_INSIDE && x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

/* What a change cannot be done without. */

static void need_namespace(struct plan *plan, struct change *change, const struct state *desired, const char *name) {
	const struct ns_state *ns = state_find(desired, name);
	const struct object *self = ns ? ns_self(ns) : NULL;

	if (self)
		plan_add_need(plan, change, self->change);
}

/* An object elsewhere is needed with its namespace: in one that is somebody else's there may be another one of that name. */
static void need_objects(struct plan *plan, struct change *change, const struct state *desired) {
	object_foreach_need(need, change->desired) {
		const struct object *object = state_find_need(desired, &need);

		if (object)
			plan_add_need(plan, change, object->change);
		if (!streq(need.ns, change->desired->ns))
			need_namespace(plan, change, desired, need.ns);
	}
}

/* An interface that cannot be given back keeps its namespace: with that the kernel would throw it out under a name that is
 * not its own, bearing our mark. */
static void let_go_first(struct plan *plan, struct change *change, const struct state *observed) {
	const struct object *self = ns_self(state_find(observed, change_object(change)->ns));

	if (change->desired && change->desired->kind->bare_create && self && self->change &&
	    self->change->type == CHANGE_DELETE)
		plan_add_need(plan, self->change, change);
}

/* What is moved in has to be given back first where it stands in another place by now. */
static void need_source(struct plan *plan, struct change *change) {
	const struct kind *kind = change->desired->kind;

	if (change->type != CHANGE_CREATE || !kind->is_same_source)
		return;
	vec_foreach(at, &plan->changes) {
		struct change *other = *at;

		if (other->type == CHANGE_DELETE && other->desired && other->desired->kind == kind &&
		    kind->is_same_source(change->desired, other->desired, other->observed))
			plan_add_need(plan, change, other);
	}
}

static void find_needs(struct plan *plan, struct change *change, const struct plan_input *input) {
	if (change->type == CHANGE_DELETE)
		let_go_first(plan, change, input->observed);
	if (change->type == CHANGE_DELETE || change->done)
		return;
	need_namespace(plan, change, input->desired, change->desired->ns);
	if (change->type == CHANGE_CREATE && change->desired->twin)
		need_namespace(plan, change, input->desired, change->desired->twin->ns);
	need_objects(plan, change, input->desired);
	need_source(plan, change);
}

/* Namespaces are numbered in the order in which they were looked at. Where something waits for all else (a bridge for its
 * ports), the namespace comes after the others: in those are the ports' other ends, and each that comes up at a bridge that
 * is up has its multicast flooded to all others. */
struct numbering {
	const char *name;
	unsigned number;
	UT_hash_handle hh;
};

static struct numbering *number_of(struct numbering *numbers, const struct change *change) {
	const char *ns = change_object(change)->ns;
	struct numbering *number;

	HASH_FIND_STR(numbers, ns, number);
	return number;
}

static void put_waiting_last(struct numbering *numbers, const struct plan *plan) {
	unsigned n = HASH_COUNT(numbers);

	vec_foreach(at, &plan->changes) {
		const struct change *change = *at;
		struct numbering *number = change->type == CHANGE_UPDATE && change->fields & change->desired->kind->last
						   ? number_of(numbers, change)
						   : NULL;

		if (number && number->number < n)
			number->number += n;
	}
}

static struct numbering *number_namespaces(struct arena *arena, const struct state *observed) {
	struct numbering *numbers = NULL;
	unsigned n = 0;

	state_foreach(ns, observed) {
		struct numbering *number = arena_new(arena, struct numbering);

		number->name = ns->name;
		number->number = n++;
		HASH_ADD_KEYPTR(hh, numbers, number->name, strlen(number->name), number);
	}
	return numbers;
}

void plan_order(struct plan *plan, const struct plan_input *input) {
	struct numbering *numbers = number_namespaces(&plan->arena, input->observed);
	struct sorted *sorted = arena_newn(&plan->arena, struct sorted, plan->changes.n);
	struct below *below = find_all_below(plan, input->desired);

	put_waiting_last(numbers, plan);
	for (size_t i = 0; i < plan->changes.n; i++) {
		struct change *change = plan->changes.items[i];
		const struct numbering *number = number_of(numbers, change);

		find_needs(plan, change, input);
		enum stage stage = stage_of(change, is_below(below, change));
		sorted[i] = (struct sorted){ .change = change,
					     .stage = stage,
					     .ns = number ? number->number : 0,
					     .rank = rank_of(change, input->desired, stage),
					     .index = i };
	}
	HASH_CLEAR(hh, numbers);
	HASH_CLEAR(hh, below);
	qsort(sorted, plan->changes.n, sizeof(*sorted), compare);
	for (size_t i = 0; i < plan->changes.n; i++)
		plan->changes.items[i] = sorted[i].change;
}
