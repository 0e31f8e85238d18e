/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces that topod only finds and that somebody renames: what topod changed on them must still go back. The kernel
 * keeps a link's index for as long as the link exists and does not give it to another one soon after, so the index is
 * recorded with the first thing that topod does there.
 */
#include "ledger/ledger_private.h"

#include <inttypes.h>

#include "kind/link.h"
#include "kind/sysctl.h"

static const char *noted_index(const struct ledger_entry *entry) {
	int at = entry->made || !kind_is_link(entry->kind) ? -1 : kind_field(entry->kind, "index");

	return at < 0 ? NULL : ledger_former(entry, (size_t)at);
}

bool ledger_note_index(struct ledger *ledger, const struct object *link, const struct object *seen, struct text *out) {
	int at = kind_field(link->kind, "index");
	struct ledger_entry *entry = ledger_find_object(ledger, link);
	char value[16];

	snprintf(value, sizeof(value), "%" PRIu32, ((const struct link *)seen)->ifindex);
	if (at < 0 || (entry && (entry->kind != link->kind || streq_ptr(ledger_former(entry, (size_t)at), value))))
		return false;
	if (!entry) {
		_cleanup_text_ struct text id = {};

		object_print_id(link, &id);
		entry = ledger_add_entry(ledger, ledger_add_namespace(ledger, link->ns), link->kind, id.data, false);
		ledger_set_field(entry, LINK_NAME, object_home_link(link));
	}
	ledger_set_field(entry, (size_t)at, value);
	ledger_add_line(entry, out);
	return true;
}

/* If the entry is about the link or something on it: the rest of its id after the link; else NULL. */
static const char *behind_link(const struct ledger_entry *entry, const char *link) {
	const char *rest = startswith(entry->id, entry->ns);

	rest = rest && *rest == '/' ? startswith(rest + 1, link) : NULL;
	return rest && *rest == ' ' ? rest : NULL;
}

bool ledger_is_only_place(const struct ledger_entry *entry) {
	return noted_index(entry) && !ledger_manages(entry);
}

bool ledger_place_is_needed(const struct ledger *ledger, const struct ledger_entry *place) {
	const char *link = ledger_former(place, LINK_NAME);

	for (const struct ledger_entry *other = ledger_namespace(ledger, place->ns)->entries; other; other = other->hh.next)
		if (other != place && other->declared && link && behind_link(other, link))
			return true;
	return false;
}

const char *ledger_renamed(const struct ledger_entry *entry, const struct ns_state *observed) {
	const char *index = noted_index(entry), *name = index ? ledger_former(entry, LINK_NAME) : NULL;
	uint32_t wanted;

	if (!name || ns_find_link(observed, name) || parse_u32(index, &wanted) < 0)
		return NULL;
	ns_foreach(seen, observed)
		if (object_is_link(seen) && !seen->owned && ((const struct link *)seen)->ifindex == wanted)
			return ((const struct link *)seen)->name;
	return NULL;
}

static char *replace(const char *text, const char *from, const char *to) {
	const char *at = strstr(text, from);

	return at ? xasprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) : xstrdup(text);
}

/* Settings have the name within their path. */
static char *replace_part(const char *text, char separator, const char *from, const char *to) {
	_cleanup_free_ char *old = xasprintf("%c%s%c", separator, from, separator);
	_cleanup_free_ char *new = xasprintf("%c%s%c", separator, to, separator);

	return replace(text, old, new);
}

static char *new_id(const struct ledger_entry *entry, const char *from, const char *to) {
	const char *rest = behind_link(entry, from);
	_cleanup_free_ char *id = rest ? xasprintf("%s/%s%s", entry->ns, to, rest) : xstrdup(entry->id);

	return kind_is_setting(entry->kind) ? replace_part(id, '.', from, to) : xstrdup(id);
}

static char *new_value(const struct ledger_entry *entry, size_t field, const char *value, const char *from, const char *to) {
	if (kind_is_setting(entry->kind) && field == SYSCTL_PATH)
		return replace_part(value, '/', from, to);
	return xstrdup(entry->kind->fields[field].type == &type_link_name && streq(value, from) ? to : value);
}

static void rename_entry(struct ledger *ledger, struct ledger_entry *entry, const char *from, const char *to,
			 struct text *out) {
	_cleanup_free_ char *id = new_id(entry, from, to);

	if (streq(id, entry->id) || ledger_find(ledger, entry->ns, id))
		return;
	struct ledger_entry *renamed =
		ledger_add_entry(ledger, ledger_namespace(ledger, entry->ns), entry->kind, id, entry->made);
	renamed->shared = entry->shared;
	renamed->has_declaration = entry->has_declaration;
	renamed->place = entry->place;
	renamed->values = TAKE_PTR(entry->values);
	renamed->values_size = entry->values_size;
	for (size_t i = 0; i < entry->kind->n_fields; i++) {
		const char *former = ledger_former(entry, i);
		_cleanup_free_ char *value = former ? new_value(entry, i, former, from, to) : NULL;

		if (ledger_has_field(entry, i))
			ledger_set_field(renamed, i, value);
	}
	ledger_add_line(renamed, out);
	ledger_remove_line(entry, out);
	ledger_remove_entry(ledger, entry);
}

void ledger_rename(struct ledger *ledger, const char *ns_name, const char *from, const char *to, struct text *out) {
	const struct ledger_ns *ns = ledger_namespace(ledger, ns_name);
	struct ledger_entry *last = ns ? ELMT_FROM_HH(ns->entries->hh.tbl, ns->entries->hh.tbl->tail) : NULL;

	for (struct ledger_entry *entry = ns ? ns->entries : NULL, *next; entry; entry = next) {
		next = entry == last ? NULL : entry->hh.next; /* renamed entries are appended */
		rename_entry(ledger, entry, from, to, out);
	}
}
