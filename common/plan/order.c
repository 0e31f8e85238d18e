/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of changes: what each change needs, and a sort.
 *
 * "Needs" are hard: if a needed change fails, this one is not tried (plan_add_need()). They are the namespace, the
 * links and other objects that the field table names, and deletions that must come first. The order itself is a sort by
 * (stage, namespace, rank, position in the plan):
 *
 *     stage                    what                                          rank, ascending
 *     STAGE_GIVE_BACK          settings inherited by what is given back      those that go late last
 *     STAGE_DELETE             everything that is deleted                    classes backwards
 *     STAGE_NAMESPACE          namespaces are made                           -
 *     STAGE_DEFAULTS           settings that new links inherit               those that go late last
 *     STAGE_LINK               links are made, and changed if others are     height, lowest link first;
 *                              made on them                                  then create, settings, update
 *     STAGE_INSIDE             the rest, one namespace after the other       class; those that go late last
 *     STAGE_CARRIER            what needs a link's carrier (next hops and    as STAGE_INSIDE, deletions last
 *                              what uses them)
 *     STAGE_DELETE_NAMESPACE   namespaces that are deleted                   -
 *
 * A class chooses the stage (class->stage) and its place in classes[] the rank. In STAGE_INSIDE everything of one
 * namespace comes together, because that gives the longest batches. A namespace with a bridge comes after all others: a
 * bridge is brought up last, after its ports and after everything in the namespaces of their other ends (README.md says
 * why).
 */
#include "plan/order.h"

struct sorted {
	struct change *change;
	enum stage stage;
	unsigned ns; /* in STAGE_INSIDE and STAGE_CARRIER only */
	unsigned rank;
	size_t index; /* keeps the order of adding */
};

/* Links on which this plan makes others. They must be up by then: a macvlan on a link that is down cannot be brought
 * up. */
struct lower_link {
	const struct object *link;
	UT_hash_handle hh;
};

static void add_lower_link(struct arena *arena, const struct object *link, struct lower_link **found) {
	struct lower_link *lower_link = NULL;

	if (link)
		HASH_FIND_PTR(*found, &link, lower_link);
	if (!link || lower_link)
		return;
	lower_link = arena_new(arena, struct lower_link);
	lower_link->link = link;
	HASH_ADD_PTR(*found, link, lower_link);
}

static struct lower_link *find_lower_links(struct plan *plan, const struct state *desired) {
	struct lower_link *found = NULL;

	vec_foreach(at, &plan->changes) {
		const struct need lower = (*at)->type != CHANGE_DELETE ? object_lower((*at)->desired) : (struct need){};

		add_lower_link(&plan->arena, state_find_need(desired, &lower), &found);
	}
	return found;
}

static bool is_lower_link(struct lower_link *all, const struct change *change) {
	struct lower_link *found = NULL;

	if (change->type == CHANGE_UPDATE)
		HASH_FIND_PTR(all, &change->desired, found);
	return found;
}

/* A lower link has to be up before others are made on it, and its MTU limits theirs. */
static enum stage stage_of(const struct change *change, bool lower_link) {
	const struct class *class = change_object(change)->kind->class;

	if (lower_link)
		return STAGE_LINK;
	if (class->stage)
		return class->stage(change);
	return change->type == CHANGE_DELETE ? STAGE_DELETE : STAGE_INSIDE;
}

static unsigned height_of(const struct state *desired, const struct object *object, unsigned depth);

/* On how many links an object is stacked. A link that is only named, as a bond's primary port, does not count. */
static unsigned height_alone(const struct state *desired, const struct object *object, unsigned depth) {
	unsigned height = 0;

	object_foreach_need(need, object) {
		bool stands = !object_is_link(object) || need.field->flags & (FIELD_LOWER | FIELD_CONTROLLER);
		const struct object *lower_link = stands ? state_find_need(desired, &need) : NULL;

		if (lower_link)
			height = MAX(height, height_of(desired, lower_link, depth + 1) + 1);
	}
	return height;
}

static unsigned height_of(const struct state *desired, const struct object *object, unsigned depth) {
	if (depth >= 16) /* only a bound; loops are refused earlier */
		return 0;
	unsigned height = height_alone(desired, object, depth);
	return object->twin ? MAX(height, height_alone(desired, object->twin, depth)) : height; /* made together */
}

/* Within a stage. Links are brought up before their settings are made, addresses come before routes, and routes to a gateway
 * before those that use it. */
static unsigned rank_of(const struct change *change, const struct state *desired, enum stage stage) {
	const struct object *object = change_object(change);
	unsigned rank = class_rank(object->kind->class), late = object->kind->goes_late && object->kind->goes_late(object);

	switch (stage) {
	case STAGE_LINK:
		/* A lower link is made, then changed, before those on it. What belongs to a link (its settings) is
		 * set after it is made and before it is brought up. */
		if (!object_is_link(object))
			return 3 * height_of(desired, object, 0) - 2;
		return 3 * height_of(desired, object, 0) + (change->type == CHANGE_UPDATE ? 2 : 0);
	case STAGE_INSIDE:
	case STAGE_CARRIER:
		/* An object is deleted after those that needed it. */
		return change->type == CHANGE_DELETE ? 3 * UINT8_MAX - rank : 2 * rank + late;
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
	if ((x->stage == STAGE_INSIDE || x->stage == STAGE_CARRIER) && x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

/* What a change needs. */

/* A file outside of a namespace does not wait for one that something else makes. */
static void need_namespace(struct plan *plan, struct change *change, const struct state *desired, const char *name) {
	const struct ns_state *ns = state_find(desired, name);
	const struct object *self = ns ? ns_self(ns) : NULL;

	if (self && !(self->awaited && change_object(change)->kind->class->outlives_namespace))
		plan_add_need(plan, change, self->change);
}

/* An object in another namespace is needed together with that namespace: if the namespace is foreign, it may have a
 * different object of that name. */
static void need_objects(struct plan *plan, struct change *change, const struct state *desired) {
	object_foreach_need(need, change->desired) {
		const struct object *object = state_find_need(desired, &need);

		if (object)
			plan_add_need(plan, change, object->change);
		if (!streq(need.ns, change->desired->ns))
			need_namespace(plan, change, desired, need.ns);
	}
}

/* A gateway or source that this plan must first make reachable: if one object does that, it is needed; if several on one
 * link do, the link is needed. A refused one exists, though it is not topod's, and may lead there anyway. */
static struct change *find_reach(const struct change *change, const struct ns_state *ns, const struct ip *ip) {
	const struct object *only = NULL;
	bool several = false;

	ns_foreach(object, ns) {
		if (object == change->desired || object->gone || !object_leads_to(object, ip))
			continue;
		if (!object->change || object->change->refused)
			return NULL;
		if (only && !streq_ptr(object_home_link(only), object_home_link(object)))
			return NULL;
		several |= only != NULL;
		only = object;
	}
	if (several)
		only = object_home_link(only) ? ns_find_link(ns, object_home_link(only)) : NULL;
	return only ? only->change : NULL;
}

/* Cached, because thousands of routes may have one gateway. */
struct reach {
	struct reach_key {
		const struct ns_state *ns;
		struct ip ip;
	} key;
	struct change *by;
	UT_hash_handle hh;
};

static void need_reach(struct plan *plan, struct change *change, const struct ns_state *ns, const struct ip *ip,
		       struct reach **known) {
	struct reach_key key;
	struct reach *found = NULL;

	memset(&key, 0, sizeof(key)); /* the padding is compared, too */
	key.ns = ns;
	key.ip = *ip;
	if (object_leads_to(change->desired, ip)) { /* it does not count for itself, but for others */
		plan_add_need(plan, change, find_reach(change, ns, ip));
		return;
	}
	HASH_FIND(hh, *known, &key, sizeof(key), found);
	if (!found) {
		found = arena_new(&plan->arena, struct reach);
		memcpy(&found->key, &key, sizeof(key));
		found->by = find_reach(change, ns, ip);
		HASH_ADD(hh, *known, key, sizeof(found->key), found);
	}
	plan_add_need(plan, change, found->by);
}

static void need_dependencies(struct plan *plan, struct change *change, const struct ns_state *ns, struct reach **known) {
	const struct object *object = change->desired;
	const struct ip *ip;
	const char *dev;

	for (size_t i = 0; object->kind->depends && object->kind->depends(object, i, &dev, &ip); i++)
		if (ip)
			need_reach(plan, change, ns, ip, known);
}

/* A namespace stays until its interface is given back. Otherwise the kernel would move the interface to the host under
 * another name, with our mark. */
static void need_return_first(struct plan *plan, struct change *change, const struct state *observed) {
	const struct object *self = ns_self(state_find(observed, change_object(change)->ns));

	if (change->desired && change->desired->kind->bare_create && self && self->change &&
	    self->change->type == CHANGE_DELETE)
		plan_add_need(plan, self->change, change);
}

/* An interface that is moved in must be given back first if it is somewhere else now. */
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

static void find_needs(struct plan *plan, struct change *change, const struct plan_input *input, struct reach **known) {
	if (change->type == CHANGE_DELETE)
		need_return_first(plan, change, input->observed);
	if (change->type == CHANGE_DELETE || change->done)
		return;
	need_namespace(plan, change, input->desired, change->desired->ns);
	if (change->type == CHANGE_CREATE && change->desired->twin)
		need_namespace(plan, change, input->desired, change->desired->twin->ns);
	need_objects(plan, change, input->desired);
	need_dependencies(plan, change, state_find(input->desired, change->desired->ns), known);
	need_source(plan, change);
}

/* Namespaces are numbered in the order of scanning. One in which something waits for everything else (a bridge for
 * its ports) comes after all others: the other ends of the ports are there, and each end that comes up while the
 * bridge is up has its multicast flooded to all ports. */
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

static void put_bridges_last(struct numbering *numbers, const struct plan *plan) {
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
	struct lower_link *lower_link = find_lower_links(plan, input->desired);
	struct reach *known = NULL;

	put_bridges_last(numbers, plan);
	for (size_t i = 0; i < plan->changes.n; i++) {
		struct change *change = plan->changes.items[i];
		const struct numbering *number = number_of(numbers, change);

		find_needs(plan, change, input, &known);
		enum stage stage = stage_of(change, is_lower_link(lower_link, change));
		sorted[i] = (struct sorted){ .change = change,
					     .stage = stage,
					     .ns = number ? number->number : 0,
					     .rank = rank_of(change, input->desired, stage),
					     .index = i };
	}
	HASH_CLEAR(hh, numbers);
	HASH_CLEAR(hh, lower_link);
	HASH_CLEAR(hh, known);
	qsort(sorted, plan->changes.n, sizeof(*sorted), compare);
	for (size_t i = 0; i < plan->changes.n; i++)
		plan->changes.items[i] = sorted[i].change;
}
