/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the ledger share: ledger.c has the entries, ledger_text.c their form as text, ledger_returns.c what
 * goes back.
 */
#pragma once

#include "ledger/ledger.h"

enum {
	LEDGER_ID_GUESS = 128,   /* bytes; enough for nearly all ids … */
	LEDGER_VALUE_GUESS = 64, /* … and values */
	LEDGER_VALUES_GUESS = 256,
};

/* The fields by which a found object is recognised. */
static inline bool ledger_is_identity(const struct field *field) {
	return field->class == FIELD_KEY || field->flags & FIELD_IDENTITY;
}

static inline bool ledger_has_field(const struct ledger_entry *entry, size_t field) {
	return entry->fields & field_bit(field);
}

/* Does the entry contain a field that topod changed? */
bool ledger_manages(const struct ledger_entry *entry);

struct ledger_entry *ledger_find_in(const struct ledger_ns *ns, const char *id);

/* The namespace's entries; added if there are none. The caller must add an entry, because a namespace is removed
 * with its last one. */
struct ledger_ns *ledger_add_namespace(struct ledger *ledger, const char *name);
struct ledger_entry *ledger_add_entry(struct ledger *ledger, struct ledger_ns *ns, const struct kind *kind, const char *id,
				      bool made);
void ledger_remove_entry(struct ledger *ledger, struct ledger_entry *entry);

/* The declared values are one block: for each field, in the order of the table, a byte with its number, and the value with a
 * NUL. */
static inline size_t value_field(const char *value) {
	return (unsigned char)*value;
}

static inline const char *value_text(const char *value) {
	return value + 1;
}

static inline const char *value_next(const char *value) {
	return value + 1 + strlen(value + 1) + 1;
}

#define values_foreach(value, entry)                                                                       \
	for (const char *value = (entry)->values; value && value < (entry)->values + (entry)->values_size; \
	     value = value_next(value))

/* Adds to such a block a field, whose value with its NUL follows. */
static inline void value_begin(struct text *values, size_t field) {
	text_addn(values, &(char){ (char)field }, 1);
}

static inline void value_end(struct text *values) {
	text_addn(values, "", 1);
}

/* Set all declared values to a copy of these; remove all. */
void ledger_set_values(struct ledger_entry *entry, const struct text *values);
void ledger_clear_values(struct ledger_entry *entry);

/* The value as it is recorded. */
void ledger_print_value(const struct field *field, const struct object *object, struct text *out);
/* Records what the topology declares of an object; entry NULL: nothing. mask: of the fields. */
void ledger_declare_entry(struct ledger_entry *entry, const struct object *desired, uint64_t mask, struct text *out);

/* Sets a managed field and its former value, which may be NULL. Replaces a previous one. */
void ledger_set_field(struct ledger_entry *entry, size_t field, const char *value);

/* In ledger_settings.c. For a setting that is recorded for the first time: if another setting that was written earlier
 * changed it, records that too and returns true. */
bool ledger_note_source(struct ledger *ledger, struct ledger_entry *entry, const struct object *object);
/* The value of a link's field, as text, before a setting changed it (the kernel keeps both in one place). NULL: no
 * setting did. */
const char *ledger_former_by_setting(const struct ledger *ledger, const struct object *object, size_t field);
/* Sets the value to which an undeclared setting goes back. */
void ledger_return_setting(struct state *state, const struct ledger_entry *entry, struct object *object);

/* topod 0.1 recorded a setting under each of its names. Returns the id under the name that counts (sysctl_one_name()); NULL
 * if `id` has that name already, or is not about a setting. */
const char *ledger_one_setting(struct arena *arena, const char *ns, const char *id);
/* 0.1 recorded secret settings like any other; this is the kind that they have now. */
const struct kind *ledger_setting_kind(const struct kind *kind, const char *ns, const char *id);
/* Converts such an entry to that name: its path, and its values to that file's unit. */
void ledger_unite_setting(struct ledger_entry *entry);

/* Lines that add an entry with its declared values, add these alone, and remove the entry. */
void ledger_add_line(const struct ledger_entry *entry, struct text *out);
void ledger_add_declaration(const struct ledger_entry *entry, struct text *out);
void ledger_remove_line(const struct ledger_entry *entry, struct text *out);
