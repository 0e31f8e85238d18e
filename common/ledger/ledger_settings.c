/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings whose write changes other settings too (kind/sysctl_reach.c): what those were before is recorded, so that
 * all of them go back.
 *
 * The entry of such a changed setting has `before`, its value without the write, and `cause`, the setting that was
 * written. While the cause is declared, an undeclared setting is left as the cause makes it; afterwards it goes back to
 * `before`.
 */
#include "kind/link.h"
#include "kind/sysctl.h"
#include "model/change.h"
#include "ledger/ledger_private.h"

/* The key, as sysctl(8) writes it, inside the ledger's id of a setting; NULL: the id is not a setting's. */
static const char *key_in_id(const char *ns, const char *id) {
	const char *rest = startswith(id, ns);

	return rest ? startswith(rest, " sysctl ") : NULL;
}

const char *ledger_one_setting(struct arena *arena, const char *ns, const char *id) {
	const char *key = key_in_id(ns, id), *why, *path = key ? sysctl_path(arena, key, &why) : NULL;
	_cleanup_text_ struct text one = {};
	unsigned factor;

	if (!path || streq(sysctl_one_name(arena, path, &factor), path))
		return NULL;
	object_print_id(&sysctl_new(arena, ns, path, "")->object, &one);
	return arena_strdup(arena, text_str(&one));
}

const struct kind *ledger_setting_kind(const struct kind *kind, const char *ns, const char *id) {
	_cleanup_(arena_done) struct arena arena = {};
	const char *key = kind == &kind_sysctl ? key_in_id(ns, id) : NULL, *why,
		   *path = key ? sysctl_path(&arena, key, &why) : NULL;

	return path ? sysctl_kind(path) : kind;
}

void ledger_unite_setting(struct ledger_entry *entry) {
	bool is_setting = kind_is_setting(entry->kind);
	const char *path = is_setting ? ledger_former(entry, SYSCTL_PATH) : NULL,
		   *value = is_setting ? ledger_former(entry, SYSCTL_VALUE) : NULL;
	_cleanup_(arena_done) struct arena arena = {};

	if (!path)
		return;
	const struct sysctl *one = sysctl_new(&arena, entry->ns, path, value ? value : "");
	ledger_set_field(entry, SYSCTL_PATH, one->path);
	if (value)
		ledger_set_field(entry, SYSCTL_VALUE, one->value);
}

static struct ledger_entry *find(const struct ledger *ledger, const char *ns, const char *path) {
	_cleanup_(arena_done) struct arena arena = {};

	return ledger_find_object(ledger, &sysctl_new(&arena, ns, path, "")->object);
}

/* The value that the setting had before topod changed anything; NULL: not known. */
static const char *untouched(const struct ledger_entry *entry) {
	return ledger_former(entry, ledger_has_field(entry, SYSCTL_CAUSE) ? SYSCTL_BEFORE : SYSCTL_VALUE);
}

static void set_before(struct ledger_entry *entry, const char *before, const char *cause) {
	ledger_set_field(entry, SYSCTL_BEFORE, before);
	ledger_set_field(entry, SYSCTL_CAUSE, cause);
}

/* Does the written setting explain the observed value, either by the value that topod found or by the present one? */
static bool is_made_so(const struct ledger_entry *origin, const struct change *change, const struct sysctl *seen) {
	const struct sysctl *now = (const struct sysctl *)change->observed;
	const char *values[] = { untouched(origin), now ? now->value : NULL };
	_cleanup_(arena_done) struct arena arena = {};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct sysctl as_it_was = *(const struct sysctl *)change->desired;
		struct sysctl_reach reaches[2];

		as_it_was.value = values[i];
		const struct sysctl_reach *reach =
			values[i] ? sysctl_find_reach(&arena, &as_it_was, seen->path, reaches) : NULL;
		if (reach && streq(reach->value, seen->value))
			return true;
	}
	return false;
}

void ledger_note_reached(struct ledger *ledger, const struct change *change, const struct object *seen, struct text *out) {
	const struct sysctl *written = (const struct sysctl *)change->desired, *sysctl = (const struct sysctl *)seen;
	const struct ledger_entry *origin = ledger_find_object(ledger, change->desired);
	struct ledger_entry *entry = ledger_find_object(ledger, seen);

	if (!origin || (entry ? ledger_has_field(entry, SYSCTL_CAUSE) : is_made_so(origin, change, sysctl)))
		return;
	/* If topod manages the setting itself, the value that it found counts. */
	const char *before =
		entry && ledger_has_field(entry, SYSCTL_VALUE) ? ledger_former(entry, SYSCTL_VALUE) : sysctl->value;
	if (!before)
		return;
	if (!entry) {
		_cleanup_text_ struct text id = {};

		object_print_id(seen, &id);
		entry = ledger_add_entry(ledger, ledger_add_namespace(ledger, seen->ns), seen->kind, text_str(&id), false);
		ledger_set_field(entry, SYSCTL_PATH, sysctl->path);
	}
	_cleanup_free_ char *value = xstrdup(before);
	set_before(entry, value, written->path);
	ledger_add_line(entry, out);
}

const char *ledger_former_by_setting(const struct ledger *ledger, const struct object *object, size_t field) {
	_cleanup_(arena_done) struct arena arena = {};
	uint32_t mode;

	if (!object_is_link(object) || field != LINK_ADDRESS_GENERATION)
		return NULL;
	const char *name = ((const struct link *)object)->name;
	const struct ledger_entry *entry =
		find(ledger, object->ns, arena_printf(&arena, "net/ipv6/conf/%s/addr_gen_mode", name));
	const char *before = entry && ledger_has_field(entry, SYSCTL_CAUSE) ? untouched(entry) : NULL;
	if (!before || parse_u32(before, &mode) < 0)
		return NULL;
	for (const struct enum_name *n = link_address_generation_names; n->name; n++)
		if (n->value == mode)
			return n->name;
	return NULL;
}

static bool topod_made_link(const struct ledger *ledger, const char *ns, const char *name) {
	_cleanup_free_ char *id = xasprintf("%s/%s link", ns, name);
	const struct ledger_entry *entry = ledger_find(ledger, ns, id);

	return entry && entry->made;
}

/* Is the setting declared as topod found it, so that it was never written? */
static bool was_found_so(const struct ledger_entry *source, const char *before) {
	const char *declared = ledger_value(source, SYSCTL_VALUE);
	_cleanup_(arena_done) struct arena arena = {};

	return declared &&
	       ledger_is_value(before, &source->kind->fields[SYSCTL_VALUE],
			       &sysctl_new(&arena, source->ns, ledger_former(source, SYSCTL_PATH), declared)->object);
}

/* The observed value is topod's own doing if a setting that reaches this one, or whose value this one got when it
 * was created, was written earlier. Without that write it would have the value that the other setting had before. */
bool ledger_note_source(struct ledger *ledger, struct ledger_entry *entry, const struct object *object) {
	const struct sysctl *sysctl = (const struct sysctl *)object;
	_cleanup_(arena_done) struct arena arena = {};
	const char *path;
	bool at_birth;

	if (!object_is_setting(object) || ledger_has_field(entry, SYSCTL_CAUSE))
		return false;
	for (unsigned i = 0; (path = sysctl_source(&arena, sysctl->path, i, &at_birth)); i++) {
		const struct ledger_entry *source = find(ledger, object->ns, path);
		const char *before = source ? untouched(source) : NULL;

		if (!before || was_found_so(source, before) ||
		    (at_birth && !topod_made_link(ledger, object->ns, sysctl->dev)))
			continue;
		const char *cause = ledger_former(source, SYSCTL_CAUSE);
		set_before(entry, before, cause ? cause : path);
		return true;
	}
	return false;
}

/* The value that the cause gives the setting; NULL: the cause is no longer declared. */
static const char *value_by_cause(const struct state *state, const struct ledger_entry *entry, struct arena *arena) {
	const char *cause = ledger_former(entry, SYSCTL_CAUSE), *path = ledger_former(entry, SYSCTL_PATH);
	const struct ns_state *ns = state_find(state, entry->ns);
	const struct object *found = cause && ns ? ns_find(ns, &sysctl_new(arena, entry->ns, cause, "")->object) : NULL;
	struct sysctl_reach reaches[2];

	if (!found || found->gone || !path)
		return NULL;
	const struct sysctl_reach *reach = sysctl_find_reach(arena, (const struct sysctl *)found, path, reaches);
	return reach ? reach->value
		     : ((const struct sysctl *)found)->value; /* a new interface gets the value of `default` */
}

bool ledger_setting_rests(const struct state *state, const struct ledger_entry *entry) {
	_cleanup_(arena_done) struct arena arena = {};

	return kind_is_setting(entry->kind) && !ledger_has_field(entry, SYSCTL_VALUE) &&
	       value_by_cause(state, entry, &arena);
}

void ledger_return_setting(struct state *state, const struct ledger_entry *entry, struct object *object) {
	struct sysctl *sysctl = (struct sysctl *)object;
	const char *value = value_by_cause(state, entry, &state->arena);

	object->returning = field_bit(SYSCTL_VALUE);
	if (!value) {
		object->returning |= field_bit(SYSCTL_BEFORE) | field_bit(SYSCTL_CAUSE);
		value = untouched(entry);
	}
	if (!value)
		return;
	sysctl->value = arena_strdup(&state->arena, value);
	object->set |= field_bit(SYSCTL_VALUE);
}
