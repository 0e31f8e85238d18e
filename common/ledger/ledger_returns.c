/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes back when it is no longer declared: fields return to their recorded values and are then forgotten. This
 * only adds objects and fields (`gone`, `returning`) to the desired state. What topod made and deletes as a whole is
 * found by the diff.
 *
 *     the object is declared, some managed fields are not     these fields go back
 *     a found object is not declared any more                 all of its fields go back (`gone`)
 *     the same in a namespace that topod made and removes     nothing: it ends with the namespace, unless it survives it
 *     an object that topod made is not declared any more      nothing here: diff_extra.c deletes it
 */
#include "kind/link.h"
#include "kind/netns.h"
#include "ledger/ledger_private.h"
#include "model/source.h"
#include "model/kind_masks.h"

static const struct ledger_entry *namespace_itself(const struct ledger_ns *noted) {
	for (const struct ledger_entry *entry = noted ? noted->entries : NULL; entry; entry = entry->hh.next)
		if (kind_is_namespace(entry->kind))
			return entry;
	return NULL;
}

const struct ledger_entry *ledger_made_namespace(const struct ledger_ns *noted) {
	const struct ledger_entry *entry = namespace_itself(noted);

	return entry && entry->made ? entry : NULL;
}

const struct ledger_entry *ledger_attached_namespace(const struct ledger_ns *noted) {
	const struct ledger_entry *entry = namespace_itself(noted);

	return entry && !entry->made && ledger_former(entry, NETNS_LINK) ? entry : NULL;
}

bool ledger_is_only_birth(const struct ledger_entry *entry) {
	return kind_is_namespace(entry->kind) && !entry->made && !ledger_former(entry, NETNS_LINK);
}

bool ledger_keeps_namespace(const struct ledger *ledger, const struct state *desired, const struct object *seen) {
	const struct ledger_entry *made = ledger_made_namespace(ledger_namespace(ledger, seen->ns));
	const struct object *self = ns_self(state_find(desired, seen->ns));

	return made && self && !self->external && self->drift == DRIFT_RESTORE && ledger_is_same(made, seen);
}

bool ledger_outlives_namespace(const struct ledger_entry *entry) {
	return entry->kind->class->outlives_namespace || entry->kind->bare_create;
}

static void add_return(struct state *state, const struct ledger_entry *entry, size_t i, struct object *object) {
	const struct field *field = &entry->kind->fields[i];
	const char *value;

	if (ledger_is_identity(field) || field->flags & (FIELD_ONCE | FIELD_BIRTH))
		return;
	if (entry->made && field->flags & FIELD_SIGN)
		return;                                                       /* the link was made with it */
	value = field->flags & FIELD_LEDGER ? NULL : ledger_former(entry, i); /* that value was set by topod */
	if (!value && entry->kind->fallback)
		value = entry->kind->fallback(&state->arena, state_find(state, object->ns), object, i);
	if (!value)
		value = field->fallback;
	object->returning |= field_bit(i); /* to be forgotten in any case */
	if (value && field_from_text(&state->arena, object->ns, field, value, object))
		object->set |= field_bit(i);
}

/* May it be on an interface that is given back, and stay on it? */
static bool may_move_along(const struct ledger_ns *noted, const struct ledger_entry *entry) {
	if (!entry->kind->class->moves_along)
		return false;
	for (const struct ledger_entry *other = noted->entries; other; other = other->hh.next)
		if (other->kind->bare_create)
			return true;
	return false;
}

/* Adds the recorded fields that the object does not declare. */
static void add_returns(struct state *state, const struct ledger_entry *entry, struct object *object) {
	mask_foreach(i, entry->fields & ~object->set)
		add_return(state, entry, i, object);
}

static struct object *build_gone(struct state *state, struct ns_state *ns, const struct ledger_entry *entry) {
	struct object *object = object_new(&state->arena, entry->kind, ns->name);

	object->gone = true;
	object->external = entry->kind->found;
	object->drift = ns->drift;
	for (size_t i = 0; i < entry->kind->n_fields; i++) {
		const struct field *field = &entry->kind->fields[i];
		const char *noted = ledger_former(entry, i);

		if (!ledger_is_identity(field))
			continue;
		/* A part of the identity that was not declared (a rule's source) does not belong to it. */
		if (noted ? field->class != FIELD_KEY && streq(noted, "none")
			  : field->flags & FIELD_IDENTITY && !(field->flags & FIELD_REQUIRED))
			continue;
		if (!noted || !field_from_text(&state->arena, object->ns, field, noted, object))
			return NULL;
		object->set |= field_bit(i);
	}
	object_seal(&state->arena, object);
	return ns_add(ns, object) ? NULL : object;
}

void ledger_add_recorded(const struct ledger *ledger, const char *ns, struct state *wanted) {
	const struct ledger_ns *noted = ledger_namespace(ledger, ns);

	for (const struct ledger_entry *entry = noted ? noted->entries : NULL; entry; entry = entry->hh.next) {
		const struct class *class = entry->kind->class;

		if (class->permanent && class->source && (class->source->only_if_declared || class->single_value) &&
		    entry->values && !kind_flagged(entry->kind, FIELD_SECRET))
			(void)build_gone(wanted, state_namespace(wanted, ns), entry);
	}
}

static void return_declared(struct state *state, struct object *object, struct ledger_entry *entry) {
	entry->declared = true;
	if (object->kind == entry->kind && !object->kind->class->single_value)
		add_returns(state, entry, object);
}

/* `adopt: true` was added: topod gives up a namespace that it made. */
static bool is_given_up(const struct ledger_ns *noted, const struct ns_state *ns) {
	const struct ledger_entry *made = ledger_made_namespace(noted);

	return ns_self(ns) && ns_self(ns)->external && made && !made->shared;
}

static void return_undeclared(struct state *state, const struct ledger_entry *entry, bool given_up) {
	struct object *object = build_gone(state, state_namespace(state, entry->ns), entry);

	if (object && entry->kind->class->single_value)
		ledger_return_setting(state, entry, object);
	else if (object)
		add_returns(state, entry, object);
	/* lo was down because the kernel makes it so, not because somebody wanted that, so its entry is forgotten and lo
	 * stays up. */
	if (object && given_up && object_is_link(object) && streq(object_home_link(object), "lo"))
		object->set &= ~(object->returning & field_bit(LINK_UP));
}

/* The file was read again: is the object declared elsewhere in it? No line is written for that. */
static bool renew_place(struct ledger_entry *entry, const struct object *object) {
	if (!entry->place.line || !object->position.line ||
	    (entry->place.line == object->position.line && entry->place.source == object->position.source))
		return false;
	entry->place = object->position;
	return true;
}

/* Returns whether a place changed. */
static bool returns_of(const struct ledger_ns *noted, struct state *desired) {
	/* This adds namespaces that are no longer declared, so that they are scanned too. */
	struct ns_state *ns = state_namespace(desired, noted->name);
	struct ledger_entry *entry;
	bool moved = false;

	for (entry = noted->entries; entry; entry = entry->hh.next) {
		entry->declared &= ns->unchanged;
		entry->declared_as = NULL;
	}
	ns_foreach(object, ns) {
		char buffer[LEDGER_ID_GUESS];
		_cleanup_text_ struct text id = TEXT_IN(buffer);

		object_print_id(object, &id);
		entry = ledger_find_in(noted, id.data);
		if (!entry)
			continue;
		moved |= renew_place(entry, object);
		if (!ns->unchanged)
			return_declared(desired, object, entry);
	}
	if (ns->unchanged)
		return moved;
	/* See the table at the head of the file. */
	const struct ledger_entry *made = ledger_made_namespace(noted);
	bool goes = !ns_self(ns) && made && !made->shared && !made->left;
	for (entry = noted->entries; entry; entry = entry->hh.next)
		if (!entry->declared && !entry->made && !kind_is_namespace(entry->kind) && ledger_manages(entry) &&
		    (!goes || ledger_outlives_namespace(entry) || may_move_along(noted, entry)) &&
		    !ledger_setting_rests(desired, entry))
			return_undeclared(desired, entry, is_given_up(noted, ns) || (made && made->left));
	return moved;
}

bool ledger_concerns(const struct ledger_ns *noted, const struct ns_state *desired, const struct class *class) {
	ns_foreach(object, desired)
		if (object->kind->class == class)
			return true;
	for (const struct ledger_entry *entry = noted ? noted->entries : NULL; entry; entry = entry->hh.next)
		if (entry->kind->class == class)
			return true;
	return false;
}

/* Somebody may have moved a link that was moved in back to the host by hand: the host must be scanned to find it. */
static void scan_sources(const struct ledger_ns *noted, struct state *desired) {
	for (const struct ledger_entry *entry = noted->entries; entry; entry = entry->hh.next)
		if (entry->kind->bare_create)
			state_namespace(desired, NS_HOST);
}

bool ledger_add_returns(const struct ledger *ledger, struct state *desired) {
	bool moved = false;

	for (const struct ledger_ns *ns = ledger->namespaces; ns; ns = ns->hh.next) {
		moved |= returns_of(ns, desired);
		scan_sources(ns, desired);
	}
	return moved;
}
