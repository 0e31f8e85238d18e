/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the ledger's files share: ledger.c has the table and what is noted in it, ledger_text.c its form as text,
 * ledger_returns.c what goes back.
 */
#pragma once

#include "plan/ledger.h"

enum {
	LEDGER_ID_GUESS = 128, /* bytes; room for nearly all */
};

/* By what an object that was found is found again. */
static inline bool ledger_is_identity(const struct field *field) {
	return field->class == FIELD_KEY || field->flags & FIELD_IDENTITY;
}

static inline bool ledger_has_field(const struct ledger_entry *entry, size_t field) {
	return entry->fields & field_bit(field);
}

/* Does it tell of a field that topod changed? */
bool ledger_manages(const struct ledger_entry *entry);

struct ledger_entry *ledger_find_in(const struct ledger_ns *ns, const char *id);

/* The namespace's part, which is added where there is none; it is to get an entry, for it goes with its last one. */
struct ledger_ns *ledger_add_namespace(struct ledger *ledger, const char *name);
struct ledger_entry *ledger_add_entry(struct ledger *ledger, struct ledger_ns *ns, const struct kind *kind, const char *id,
				      bool made);
void ledger_remove_entry(struct ledger *ledger, struct ledger_entry *entry);

/* What the topology declares of it: one more value; none. */
void ledger_set_value(struct ledger_entry *entry, size_t field, const char *value);
void ledger_clear_values(struct ledger_entry *entry);

/* Value may be NULL. One that is there already is replaced. */
void ledger_set_field(struct ledger_entry *entry, size_t field, const char *value);

/* ledger_settings.c. A setting that is noted for the first time: was it changed by another one that was written earlier?
 * Returns whether that was noted, too. */
bool ledger_note_source(struct ledger *ledger, struct ledger_entry *entry, const struct object *object);
/* What a field of a link was before a setting changed it, as text: the kernel has them in one. NULL: nothing did. */
const char *ledger_former_by_setting(const struct ledger *ledger, const struct object *object, size_t field);
/* What a setting that is not declared any more goes back to. */
void ledger_return_setting(struct state *state, const struct ledger_entry *entry, struct object *object);

/* topod 0.1 recorded a setting under each of its names. The id under the name that counts (sysctl_one_name()); NULL if `id`
 * is that already, or is about something else. */
const char *ledger_one_setting(struct arena *arena, const char *ns, const char *id);
/* Brings what such an entry says of the setting under that name, too: its path, and the value in that file's unit. */
void ledger_unite_setting(struct ledger_entry *entry);

/* The lines that say that an entry is there (with what is declared of it; that alone), and that it is gone. */
void ledger_add_line(const struct ledger_entry *entry, struct text *out);
void ledger_add_declaration(const struct ledger_entry *entry, struct text *out);
void ledger_remove_line(const struct ledger_entry *entry, struct text *out);
