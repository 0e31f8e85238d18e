/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan's changes as users count them: the two halves of a recreation are one item, the two ends of a pair are two,
 * and an update that only completes a creation is none.
 */
#include "kind/link.h"
#include "report/report_private.h"

/* The action on a declared object; creating a pair creates both ends. */
struct fate {
	const struct object *desired;
	const struct change *creation, *deletion;
	UT_hash_handle hh;
};

struct fates {
	struct arena arena;
	struct fate *table;
};

static struct fate *fate_of(struct fates *fates, const struct object *desired) {
	struct fate *fate = NULL;

	HASH_FIND_PTR(fates->table, &desired, fate);
	if (!fate) {
		fate = arena_new(&fates->arena, struct fate);
		fate->desired = desired;
		HASH_ADD_PTR(fates->table, desired, fate);
	}
	return fate;
}

static void fates_done(struct fates *fates) {
	HASH_CLEAR(hh, fates->table);
	arena_done(&fates->arena);
}

static void find_fates(struct fates *fates, const struct plan *plan) {
	vec_foreach(at, &plan->changes) {
		const struct change *change = *at;

		if (change->refused || !change->desired)
			continue;
		if (change->type == CHANGE_DELETE && change->recreates)
			fate_of(fates, change->desired)->deletion = change;
		if (change->type != CHANGE_CREATE)
			continue;
		fate_of(fates, change->desired)->creation = change;
		if (change->desired->twin)
			fate_of(fates, change->desired->twin)->creation = change;
	}
}

/* The fields that require recreating the object; if none does, all that differ. */
static uint64_t recreating_fields(const struct object *object, const struct object *before) {
	uint64_t differs, hard = 0;

	if (object->kind != before->kind && !object->kind->any_kind)
		return 0;
	differs = object_compare(object, before);
	for (size_t i = 0; i < object->kind->n_fields; i++)
		if (differs >> i & 1 && object->kind->fields[i].class == FIELD_RECREATE)
			hard |= field_bit(i);
	return hard ? hard : differs;
}

/* Is the object recreated only because its lower link is? A missing end of a pair counts as new, although its
 * creation is marked as a recreation: only the other end existed. */
static bool is_recreated_with_lower(struct fates *fates, const struct object *object, const struct change *creation) {
	return creation->recreates && (!object->twin || !fate_of(fates, object->twin)->deletion);
}

static void add_end(struct report_items *items, struct fates *fates, const struct object *end, const struct change *change) {
	const struct change *deletion = fate_of(fates, end)->deletion;
	struct report_item item = { .action = ACTION_CREATE, .object = end, .change = change };

	if (deletion) {
		item.action = ACTION_RECREATE;
		item.before = deletion->observed;
		item.fields = recreating_fields(end, deletion->observed);
	} else if (is_recreated_with_lower(fates, end, change)) {
		item.action = ACTION_RECREATE;
		item.along = true;
	}
	vec_push(&items->list, item);
}

/* The declared fields in which the interface that was moved in differs from the one that takes its place after the next
 * scan. */
static uint64_t differing_once(const struct object *object, const struct object *noted) {
	uint64_t mask = 0;

	for (size_t i = 0; object->kind == noted->kind && i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if ((field->flags & (FIELD_ONCE | FIELD_HIDDEN)) == FIELD_ONCE && object_has(object, i) &&
		    object_has(noted, i) && !field_equal(field, object, noted))
			mask |= field_bit(i);
	}
	return mask;
}

/* A deletion that is followed by a creation after the next scan: both are one line. */
static void set_replacement(struct report_item *item) {
	const struct change *deletion = item->change;

	item->action = ACTION_RECREATE;
	item->object = deletion->then;
	item->before = deletion->desired ? deletion->desired : deletion->observed;
	item->fields = differing_once(item->object, item->before);
}

static void add_change(struct report_items *items, struct fates *fates, const struct change *change) {
	struct report_item item = {
		.object = change_object(change), .before = change->observed, .fields = change->fields, .change = change
	};

	if (change->refused || (change->type == CHANGE_CREATE && change->observed)) {
		item.action = ACTION_REFUSED;
	} else if (change->report_only) {
		item.action = ACTION_REPORTED;
	} else if (change->type == CHANGE_CREATE) {
		add_end(items, fates, change->desired, change);
		if (change->desired->twin)
			add_end(items, fates, change->desired->twin, change);
		return;
	} else if (change->type == CHANGE_DELETE) {
		if (change->recreates && change->desired && fate_of(fates, change->desired)->creation)
			return;
		item.action = ACTION_DELETE;
		item.object = change->observed;
		if (change->then)
			set_replacement(&item);
	} else {
		item.action = change->observed ? ACTION_CHANGE : ACTION_CREATE;
	}
	vec_push(&items->list, item);
}

static void add_to_group(struct report_items *items, size_t index) {
	const char *ns = items->list.items[index].object->ns;
	struct report_group *group = NULL;

	HASH_FIND_STR(items->groups, ns, group);
	if (group) {
		items->list.items[group->last].next = index;
	} else {
		group = arena_new(&items->arena, struct report_group);
		group->ns = ns;
		group->first = index;
		HASH_ADD_KEYPTR(hh, items->groups, ns, strlen(ns), group);
	}
	group->last = index;
}

void report_items_make(struct report_items *items, const struct plan *plan) {
	_cleanup_(fates_done) struct fates fates = {};

	items->n_give_up = plan->n_given_up;
	find_fates(&fates, plan);
	vec_foreach(change, &plan->changes)
		if (!(*change)->completes)
			add_change(items, &fates, *change);
	for (size_t i = 0; i < items->list.n; i++)
		add_to_group(items, i);
}

void report_items_done(struct report_items *items) {
	HASH_CLEAR(hh, items->groups);
	vec_done(&items->list);
	arena_done(&items->arena);
}

struct report_summary report_items_summary(const struct report_items *items) {
	size_t n[N_ACTIONS] = {};

	vec_foreach(item, &items->list)
		n[item->action]++;
	return (struct report_summary){
		n[ACTION_CREATE],  n[ACTION_CHANGE],   n[ACTION_RECREATE], n[ACTION_DELETE],
		n[ACTION_REFUSED], n[ACTION_REPORTED], items->n_give_up,   HASH_COUNT(items->groups)
	};
}

struct report_summary report_plan_summary(const struct plan *plan) {
	_cleanup_(report_items_done) struct report_items items = {};

	report_items_make(&items, plan);
	return report_items_summary(&items);
}

/* Fields in words. */

bool report_shows(const struct object *object, size_t i) {
	const struct field *field = &object->kind->fields[i];

	if (field->class == FIELD_KEY || field->flags & FIELD_OPAQUE)
		return false;
	/* It is normally hidden, because it is declared elsewhere, as `ports`; but here users look for it. */
	if (object_is_link(object) && i == LINK_MASTER)
		return true;
	return !(field->flags & FIELD_HIDDEN);
}

static void add_value(const struct object *object, size_t i, struct text *out) {
	const struct field *field = &object->kind->fields[i];
	_cleanup_text_ struct text value = {};

	if (object_is_link(object) && i == LINK_UP)
		text_add(out, ((const struct link *)object)->up ? "up" : "down");
	else if (field->flags & FIELD_SECRET)
		text_add(&value, FIELD_HIDDEN_VALUE);
	else
		field_print(field, object, &value);
	report_clean(text_str(&value), out);
}

static void add_name(const struct object *object, const struct object *before, size_t i, struct text *out) {
	if (object_is_link(object) && i == LINK_UP)
		return; /* "up" and "down" need no name */
	if (object->kind->class->single_value)
		text_add(out, before ? "" : "= ");
	else if (object_is_link(object) && i == LINK_MASTER)
		text_add(out, before ? "controller " : "port of ");
	else
		text_addf(out, "%s ", object->kind->fields[i].name);
}

void report_field(const struct object *object, const struct object *before, size_t i, struct text *out) {
	/* Tables of different kinds agree only on the common fields of links. */
	if (before && (!object_has(before, i) || (before->kind != object->kind && i >= LINK_N_FIELDS)))
		before = NULL;
	add_name(object, before, i, out);
	if (before && object->kind->fields[i].flags & FIELD_SECRET) {
		text_add(out, "differs ");
	} else if (before) {
		add_value(before, i, out);
		text_add(out, " -> ");
	}
	add_value(object, i, out);
}

static void add_reasons(const struct report_item *item, struct text *out) {
	const struct object *object = item->object;
	size_t before = out->size;

	for (size_t i = 0; i < object->kind->n_fields; i++) {
		bool peer = object->kind->fields[i].flags & FIELD_PEER;

		if (!(item->fields >> i & 1) || !(peer || report_shows(object, i)))
			continue;
		text_add(out, out->size > before ? ", " : "");
		if (peer)
			text_add(out, "its other end is elsewhere");
		else
			report_field(object, item->before, i, out);
	}
	for (size_t i = 0; i < object->kind->n_fields && out->size == before; i++)
		if (item->fields >> i & 1 && object->kind->fields[i].flags & FIELD_ONE_WAY)
			text_add(out, object->kind->fields[i].doc);
	/* If none of its own fields differ, its other end is missing, or the order is wrong. */
	if (out->size == before)
		text_add(out, object_is_link(object) ? "with its other end" : "after the one that is declared first");
}

void report_reason(const struct report_item *item, struct text *out) {
	if (item->along) {
		text_addf(out, "along with %s", object_is_link(item->object) ? "its lower interface" : "its interface");
	} else if (item->object->kind != item->before->kind && (item->change->then || !item->object->kind->any_kind)) {
		text_add(out, "is a ");
		object_print_noun(item->before, out);
	} else if (item->change->revives) {
		text_add(out, "duplicate address detection found another host with it");
	} else {
		add_reasons(item, out);
	}
}

const char *report_short_scope(const struct object *object, struct text *scope) {
	_cleanup_text_ struct text raw = {};
	const char *slash;

	object_print_scope(object, &raw);
	report_clean(raw.data, scope);
	slash = strchr(text_str(scope), '/');
	return slash ? slash + 1 : "";
}

void report_refusal(const struct change *change, struct text *out) {
	if (change->text) { /* it follows the noun: "exists and is not topod's" */
		object_print_noun(change_object(change), out);
		text_add(out, " ");
	}
	report_clean(change->text ? change->text : strerror(-change->error), out);
}
