/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The declared values of an entry: by them other topologies see whether they declare the same.
 */
#include "ledger/ledger_private.h"

/* As the file declares it. The value of a secret before topod is recorded elsewhere, see ledger_text.c. */
static void print_declared(const struct field *field, const struct object *object, struct text *out) {
	if (field->flags & FIELD_SECRET)
		text_add(out, FIELD_HIDDEN_VALUE);
	else
		ledger_print_value(field, object, out);
}

bool ledger_is_value(const char *noted, const struct field *field, const struct object *object) {
	char buffer[LEDGER_VALUE_GUESS];
	_cleanup_text_ struct text value = TEXT_IN(buffer);

	print_declared(field, object, &value);
	return streq(text_str(&value), noted);
}

/* Is the field's value part of what the topology declares? */
static bool is_declaration(const struct object *desired, uint64_t mask, size_t i) {
	const struct field *field = &desired->kind->fields[i];

	return desired->set & mask & ~desired->returning & field_bit(i) && field->class != FIELD_KEY &&
	       !(field->flags & (FIELD_ONCE | FIELD_BIRTH | FIELD_ONE_WAY));
}

static size_t count_values(const struct ledger_entry *entry) {
	size_t n = 0;

	for (const struct ledger_former *value = entry->values; value; value = value->next)
		n++;
	return n;
}

bool ledger_is_declared(struct ledger_entry *entry, const struct object *desired, uint64_t mask) {
	size_t n = 0;

	if (entry->declared_as == desired || desired->kind->class->per_topology)
		return true;
	if (entry->kind != desired->kind)
		return false;
	for (size_t i = 0; i < desired->kind->n_fields; i++) {
		const char *value = is_declaration(desired, mask, i) ? ledger_value(entry, i) : NULL;

		if (is_declaration(desired, mask, i) &&
		    !(value && ledger_is_value(value, &desired->kind->fields[i], desired)))
			return false;
		n += value != NULL;
	}
	if (!entry->has_declaration || n != count_values(entry) || entry->place.line != desired->position.line ||
	    entry->place.source != desired->position.source)
		return false;
	entry->declared_as = mask == UINT64_MAX ? desired : NULL;
	return true;
}

void ledger_declare_entry(struct ledger_entry *entry, const struct object *desired, uint64_t mask, struct text *out) {
	if (!entry || entry->kind != desired->kind || ledger_is_declared(entry, desired, mask))
		return;
	ledger_clear_values(entry);
	for (size_t i = 0; i < desired->kind->n_fields; i++) {
		char buffer[LEDGER_VALUE_GUESS];
		_cleanup_text_ struct text value = TEXT_IN(buffer);

		if (!is_declaration(desired, mask, i))
			continue;
		print_declared(&desired->kind->fields[i], desired, &value);
		ledger_set_value(entry, i, text_str(&value));
	}
	entry->has_declaration = true;
	entry->place = desired->position;
	entry->declared_as = mask == UINT64_MAX ? desired : NULL;
	ledger_add_declaration(entry, out);
}

void ledger_declare(struct ledger *ledger, const struct object *desired, uint64_t mask, struct text *out) {
	ledger_declare_entry(ledger_find_object(ledger, desired), desired, mask, out);
}

bool ledger_renew_places(struct ledger *ledger, const struct state *desired) {
	bool moved = false;

	for (const struct ledger_ns *ns = ledger->namespaces; ns; ns = ns->hh.next) {
		for (struct ledger_entry *entry = ns->entries; entry; entry = entry->hh.next)
			entry->declared_as = NULL;
		ns_foreach(object, state_find(desired, ns->name)) {
			struct ledger_entry *entry = ledger_find_object(ledger, object);

			if (!entry || !entry->place.line || !object->position.line ||
			    (entry->place.line == object->position.line && entry->place.source == object->position.source))
				continue;
			entry->place = object->position;
			moved = true;
		}
	}
	return moved;
}
