/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The declared values of an entry: by them other topologies see whether they declare the same.
 */
#include "ledger/ledger_private.h"
#include "model/kind_masks.h"

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

/* What the topology declares of these fields, as an entry has it. */
static void declared_values(const struct object *desired, uint64_t mask, struct text *out) {
	const struct kind_masks *masks = kind_masks(desired->kind);

	mask_foreach(i, desired->set & mask & ~desired->returning &
				~(masks->keys | masks->once | masks->birth | masks->one_way)) {
		value_begin(out, i);
		print_declared(&desired->kind->fields[i], desired, out);
		value_end(out);
	}
}

static bool has_values(const struct ledger_entry *entry, const struct object *desired, const struct text *values) {
	return entry->has_declaration && entry->values_size == values->size &&
	       (!values->size || memcmp(entry->values, values->data, values->size) == 0) &&
	       entry->place.line == desired->position.line && entry->place.source == desired->position.source;
}

/* Returns whether the entry says so already. Otherwise `values` are what it has to say. */
static bool is_declared(struct ledger_entry *entry, const struct object *desired, uint64_t mask, struct text *values) {
	if (entry->declared_as == desired || desired->kind->class->per_topology)
		return true;
	if (entry->kind != desired->kind)
		return false;
	declared_values(desired, mask, values);
	if (!has_values(entry, desired, values))
		return false;
	entry->declared_as = mask == UINT64_MAX ? desired : NULL;
	return true;
}

bool ledger_is_declared(struct ledger_entry *entry, const struct object *desired, uint64_t mask) {
	char buffer[LEDGER_VALUES_GUESS];
	_cleanup_text_ struct text values = TEXT_IN(buffer);

	return is_declared(entry, desired, mask, &values);
}

void ledger_declare_entry(struct ledger_entry *entry, const struct object *desired, uint64_t mask, struct text *out) {
	char buffer[LEDGER_VALUES_GUESS];
	_cleanup_text_ struct text values = TEXT_IN(buffer);

	if (!entry || entry->kind != desired->kind || is_declared(entry, desired, mask, &values))
		return;
	ledger_set_values(entry, &values);
	entry->place = desired->position;
	entry->declared_as = mask == UINT64_MAX ? desired : NULL;
	ledger_add_declaration(entry, out);
}

void ledger_declare(struct ledger *ledger, const struct object *desired, uint64_t mask, struct text *out) {
	ledger_declare_entry(ledger_find_object(ledger, desired), desired, mask, out);
}
