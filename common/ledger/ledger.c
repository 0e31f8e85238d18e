/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger's table: entries, and how they are recorded, compared and forgotten. The format and the promises are in
 * ledger.h.
 *
 * Which former value note_field() records for a field, given that the field is worth recording (notable()):
 *
 *     recorded already                        keep it (but what topod makes again gets its new MAC address and source)
 *     identity; source of a moved link;
 *     MAC address of a link that topod makes  the desired value: by it the object is found again
 *     found object, changed by a setting      what the setting changed (ledger_former_by_setting())
 *     found object, value observed            the observed value
 *     anything else                           none: the kernel's default
 */
#include "ledger/ledger_private.h"
#include "model/kind_masks.h"

/* Entries. */

static void formers_free(struct ledger_former *formers) {
	while (formers) {
		struct ledger_former *next = formers->next;

		free(formers);
		formers = next;
	}
}

static void entry_free(struct ledger_entry *entry) {
	formers_free(entry->formers);
	free(entry->values);
	free(entry);
}

struct ledger_ns *ledger_namespace(const struct ledger *ledger, const char *name) {
	struct ledger_ns *ns = NULL;

	HASH_FIND_STR(ledger->namespaces, name, ns);
	return ns;
}

struct ledger_entry *ledger_find_in(const struct ledger_ns *ns, const char *id) {
	struct ledger_entry *entry = NULL;

	HASH_FIND_STR(ns->entries, id, entry);
	return entry;
}

struct ledger_entry *ledger_find(const struct ledger *ledger, const char *ns_name, const char *id) {
	const struct ledger_ns *ns = ledger_namespace(ledger, ns_name);

	return ns ? ledger_find_in(ns, id) : NULL;
}

struct ledger_entry *ledger_find_object(const struct ledger *ledger, const struct object *object) {
	char buffer[LEDGER_ID_GUESS];
	_cleanup_text_ struct text id = TEXT_IN(buffer);

	object_print_id(object, &id);
	return ledger_find(ledger, object->ns, id.data);
}

const char *ledger_former(const struct ledger_entry *entry, size_t field) {
	for (const struct ledger_former *former = entry->formers; former; former = former->next)
		if (former->field == field)
			return former->value;
	return NULL;
}

const char *ledger_value(const struct ledger_entry *entry, size_t field) {
	values_foreach(value, entry)
		if (value_field(value) == field)
			return value_text(value);
	return NULL;
}

static void drop_value(struct ledger_entry *entry, size_t field) {
	values_foreach(value, entry)
		if (value_field(value) == field) {
			const char *next = value_next(value), *end = entry->values + entry->values_size;

			memmove(entry->values + (value - entry->values), next, (size_t)(end - next));
			entry->values_size -= (size_t)(next - value);
			return;
		}
}

static void drop_field(struct ledger_entry *entry, size_t field) {
	entry->fields &= ~field_bit(field);
	for (struct ledger_former **at = &entry->formers; *at; at = &(*at)->next)
		if ((*at)->field == field) {
			struct ledger_former *former = *at;

			*at = former->next;
			free(former);
			return;
		}
}

/* In the order of the kind's table. */
static void add_text(struct ledger_former **at, size_t field, const char *value) {
	size_t size = strlen(value) + 1;
	struct ledger_former *former = xmalloc(sizeof(*former) + size);

	while (*at && (*at)->field < field)
		at = &(*at)->next;
	former->field = (uint8_t)field;
	memcpy(former->value, value, size);
	former->next = *at;
	*at = former;
}

void ledger_set_field(struct ledger_entry *entry, size_t field, const char *value) {
	drop_field(entry, field);
	entry->fields |= field_bit(field);
	if (value)
		add_text(&entry->formers, field, value);
}

void ledger_clear_values(struct ledger_entry *entry) {
	free(entry->values);
	entry->values = NULL;
	entry->values_size = 0;
	entry->declared_as = NULL;
}

void ledger_set_values(struct ledger_entry *entry, const struct text *values) {
	ledger_clear_values(entry);
	entry->has_declaration = true;
	entry->values_size = values->size;
	entry->values = values->size ? memcpy(xmalloc(values->size), values->data, values->size) : NULL;
}

int ledger_counterpart(const struct ledger_entry *entry, const struct kind *kind, size_t field) {
	return entry->kind == kind ? (int)field : kind_field(entry->kind, kind->fields[field].name);
}

/* From now on another kind of object has this name (a bridge instead of a veth). Fields that both kinds have stay
 * recorded. */
static void become(struct ledger_entry *entry, const struct kind *kind) {
	struct ledger_entry before = *entry;

	entry->kind = kind;
	entry->fields = 0;
	entry->formers = NULL;
	for (size_t i = 0; i < kind->n_fields; i++) {
		int at = ledger_counterpart(&before, kind, i);

		if (at >= 0 && ledger_has_field(&before, (size_t)at))
			ledger_set_field(entry, i, ledger_former(&before, (size_t)at));
	}
	formers_free(before.formers);
	ledger_clear_values(entry); /* the declared values are recorded again */
}

struct ledger_ns *ledger_add_namespace(struct ledger *ledger, const char *name) {
	struct ledger_ns *ns = ledger_namespace(ledger, name);

	if (!ns) {
		ns = xmalloc(sizeof(*ns));
		ns->name = xstrdup(name);
		HASH_ADD_KEYPTR(hh, ledger->namespaces, ns->name, strlen(ns->name), ns);
	}
	return ns;
}

struct ledger_entry *ledger_add_entry(struct ledger *ledger, struct ledger_ns *ns, const struct kind *kind, const char *id,
				      bool made) {
	size_t size = strlen(id);
	struct ledger_entry *entry = xmalloc(sizeof(*entry) + size + 1);

	entry->kind = kind;
	entry->ns = ns->name;
	entry->made = made;
	memcpy(entry->id, id, size + 1);
	HASH_ADD_KEYPTR(hh, ns->entries, entry->id, size, entry);
	ledger->n++;
	return entry;
}

void ledger_remove_entry(struct ledger *ledger, struct ledger_entry *entry) {
	struct ledger_ns *ns = ledger_namespace(ledger, entry->ns);

	if (!ns)
		abort(); /* every entry is in its namespace */
	HASH_DEL(ns->entries, entry);
	entry_free(entry);
	ledger->n--;
	if (ns->entries)
		return;
	HASH_DEL(ledger->namespaces, ns);
	free(ns->name);
	free(ns);
}

/* Texts are recorded verbatim, so that "" and "none" stay different. */
static bool is_text(const struct field *field) {
	return field->type == &type_text || field->type == &type_link_name;
}

void ledger_print_value(const struct field *field, const struct object *object, struct text *out) {
	if (is_text(field)) {
		const char *value = *(const char *const *)field_of(field, object);

		text_add(out, value ? value : "");
	} else {
		field_print_exact(field, object, out);
	}
}

/* Returns whether the value changed. */
static bool set_value(struct ledger_entry *entry, size_t at, const struct field *field, const struct object *object) {
	char buffer[LEDGER_VALUE_GUESS];
	_cleanup_text_ struct text value = TEXT_IN(buffer);

	ledger_print_value(field, object, &value);
	if (ledger_has_field(entry, at) && streq_ptr(ledger_former(entry, at), text_str(&value)))
		return false;
	ledger_set_field(entry, at, text_str(&value));
	return true;
}

/* Recording and forgetting. */

/* Fields worth recording: those that can go back (even if only by recreating what topod made), and those that say where to
 * (a moved link's source). A found object is also found again by its identity. */
static bool notable(const struct field *field, bool made, const struct object *observed) {
	if (ledger_is_identity(field))
		return !made;
	if (field->flags & (FIELD_BIRTH | FIELD_ONE_WAY | FIELD_LEDGER))
		return false; /* see ledger_note_birth() and ledger_note_set() */
	if (field->flags & FIELD_MARK && !made && observed && observed->owned)
		return false; /* topod's own mark is removed for good */
	return field->flags & FIELD_ONCE || field->class == FIELD_LIVE ||
	       (made && field->class == FIELD_RECREATE && field->fallback);
}

static bool note_field(const struct ledger *ledger, struct ledger_entry *entry, const struct object *desired,
		       const struct object *observed, size_t i) {
	const struct field *field = &desired->kind->fields[i];

	/* topod makes the object again: it gets a new MAC address, and may come from elsewhere. */
	if (ledger_has_field(entry, i) && entry->made && field->flags & (FIELD_SIGN | FIELD_ONCE))
		return set_value(entry, i, field, desired);
	if (!notable(field, entry->made, observed) || ledger_has_field(entry, i))
		return false;
	if (ledger_is_identity(field) || field->flags & FIELD_ONCE || (entry->made && field->flags & FIELD_SIGN))
		return set_value(entry, i, field, desired);
	const char *other = entry->made ? NULL : ledger_former_by_setting(ledger, desired, i);
	if (!other && !entry->made && observed && object_has(observed, i))
		return set_value(entry, i, field, observed);
	ledger_set_field(entry, i, other);
	return true;
}

/* The object that is about to be made is not the recorded one; that must hold even if topod crashes before it records the
 * new birth, or what it set. */
static bool forget_birth(struct ledger_entry *entry) {
	uint64_t before = entry->fields;

	const struct kind_masks *masks = kind_masks(entry->kind);
	mask_foreach(i, before & (masks->birth | masks->ledger))
		drop_field(entry, i);
	return entry->fields != before;
}

/* A found object none of whose fields go back needs no entry. */
static bool has_notable(const struct object *desired, const struct object *observed, uint64_t mask, bool made) {
	const struct kind_masks *masks = kind_masks(desired->kind);

	if (made)
		return true;
	mask_foreach(i, mask & masks->all & ~masks->identity & ~masks->once)
		if (notable(&desired->kind->fields[i], made, observed))
			return true;
	return false;
}

static struct ledger_entry *note(struct ledger *ledger, const struct object *desired, const struct object *observed,
				 uint64_t mask, bool made, struct text *out) {
	char buffer[LEDGER_ID_GUESS];
	_cleanup_text_ struct text id = TEXT_IN(buffer);
	bool added = false;

	object_print_id(desired, &id);
	struct ledger_entry *entry = ledger_find(ledger, desired->ns, id.data);
	if (!entry && !has_notable(desired, observed, mask, made))
		return NULL;
	if (!entry) {
		entry = ledger_add_entry(ledger, ledger_add_namespace(ledger, desired->ns), desired->kind, id.data, made);
		added = true;
	} else if (entry->kind != desired->kind) {
		become(entry, desired->kind);
		added = true;
	}
	if (made && (!entry->made || entry->shared)) {
		entry->made = true; /* the found object is gone; topod makes another one in its place */
		entry->shared = false;
		added = true;
	}
	if (made)
		added |= forget_birth(entry);
	const struct kind_masks *masks = kind_masks(desired->kind);
	mask_foreach(i, (mask & masks->all) | masks->keys | (masks->identity & desired->set))
		added |= note_field(ledger, entry, desired, observed, i);
	if (added)
		ledger_note_source(ledger, entry, desired);
	if (added)
		ledger_add_line(entry, out);
	return entry;
}

bool ledger_note(struct ledger *ledger, const struct object *desired, const struct object *observed, uint64_t mask,
		 bool made, struct text *out) {
	size_t before = out->size;

	note(ledger, desired, observed, mask, made, out);
	return out->size != before;
}

void ledger_note_birth(struct ledger *ledger, const struct object *observed, struct text *out) {
	struct ledger_entry *entry = ledger_find_object(ledger, observed);

	mask_foreach(i, entry ? kind_masks(observed->kind)->birth & observed->set : 0) {
		int at = ledger_counterpart(entry, observed->kind, i);

		if (at >= 0)
			set_value(entry, (size_t)at, &observed->kind->fields[i], observed);
	}
	if (entry)
		ledger_add_line(entry, out);
}

static void note_found_namespace(struct ledger *ledger, const struct object *observed, bool keeps, struct text *out) {
	struct ledger_entry *entry = ledger_find_object(ledger, observed);
	struct ledger_ns *ns = ledger_namespace(ledger, observed->ns);

	if (entry ? !ledger_is_same(entry, observed) : !keeps) {
		for (struct ledger_entry *next, *old = ns ? ns->entries : NULL; old; old = next) {
			next = old->hh.next;
			if (ledger_outlives_namespace(old))
				continue;
			ledger_remove_line(old, out);
			ledger_remove_entry(ledger, old); /* the last one frees ns, and then there is no next */
		}
		entry = NULL;
	}
	if (!entry) {
		_cleanup_text_ struct text id = {};

		object_print_id(observed, &id);
		entry = ledger_add_entry(ledger, ledger_add_namespace(ledger, observed->ns), observed->kind, text_str(&id),
					 false);
	}
	for (size_t i = 0; i < observed->kind->n_fields; i++)
		if (observed->kind->fields[i].flags & FIELD_BIRTH)
			drop_field(entry, i);
	ledger_note_birth(ledger, observed, out);
}

void ledger_note_attached(struct ledger *ledger, const struct object *observed, struct text *out) {
	note_found_namespace(ledger, observed, false, out);
}

void ledger_note_adopted(struct ledger *ledger, const struct object *observed, struct text *out) {
	note_found_namespace(ledger, observed, true, out);
}

void ledger_note_set(struct ledger *ledger, const struct object *object, uint64_t fields, struct text *out) {
	struct ledger_entry *entry = NULL;
	bool changed = false;

	fields &= object->set & ~object->returning;
	mask_foreach(i, fields & kind_masks(object->kind)->ledger) {
		entry = entry ? entry : ledger_find_object(ledger, object);
		changed |= entry && entry->kind == object->kind && set_value(entry, i, &object->kind->fields[i], object);
	}
	if (changed)
		ledger_add_line(entry, out);
}

static void recall(const struct ledger_entry *entry, struct arena *arena, struct object *seen) {
	mask_foreach(i, entry && entry->kind == seen->kind ? entry->fields & kind_masks(seen->kind)->ledger : 0) {
		const char *noted = ledger_former(entry, i);

		if (noted && field_from_text(arena, seen->ns, &seen->kind->fields[i], noted, seen))
			seen->set |= field_bit(i);
	}
}

void ledger_recall(const struct ledger *ledger, struct state *observed) {
	state_foreach(ns, observed)
		ns_foreach(object, ns)
			if (kind_masks(object->kind)->ledger)
				recall(ledger_find_object(ledger, object), &observed->arena, object);
}

static bool knows_sign(const struct ledger_entry *entry, const struct field *field, const struct object *observed) {
	for (const struct ledger_former *former = entry->formers; former; former = former->next)
		if (entry->kind->fields[former->field].flags & FIELD_SIGN && ledger_is_value(former->value, field, observed))
			return true;
	return false;
}

bool ledger_has_sign(const struct ledger_entry *entry) {
	for (const struct ledger_former *former = entry->formers; former; former = former->next)
		if (entry->kind->fields[former->field].flags & FIELD_SIGN)
			return true;
	return false;
}

bool ledger_is_signed(const struct ledger_entry *entry, const struct object *observed) {
	mask_foreach(i, observed->set & kind_masks(observed->kind)->sign)
		if (knows_sign(entry, &observed->kind->fields[i], observed))
			return true;
	return false;
}

struct ledger_entry *ledger_find_signed(const struct ledger *ledger, const struct object *observed) {
	for (const struct ledger_ns *ns = ledger->namespaces; ns; ns = ns->hh.next)
		for (struct ledger_entry *entry = ns->entries; entry; entry = entry->hh.next)
			if (entry->made && (entry->kind == observed->kind || entry->kind->any_kind) &&
			    ledger_is_signed(entry, observed))
				return entry;
	return NULL;
}

/* Only if both have the unique value. */
static const struct field *unique_birth(const struct ledger_entry *entry, const struct object *observed, size_t *ret) {
	mask_foreach(i, entry->kind == observed->kind ? observed->set & entry->fields : 0)
		if (observed->kind->fields[i].flags & FIELD_UNIQUE && ledger_former(entry, i)) {
			*ret = i;
			return &observed->kind->fields[i];
		}
	return NULL;
}

bool ledger_is_same(const struct ledger_entry *entry, const struct object *observed) {
	size_t at;
	const struct field *unique = unique_birth(entry, observed, &at);

	if (unique)
		return ledger_is_value(ledger_former(entry, at), unique, observed);
	mask_foreach(i, entry->kind == observed->kind ? observed->set & kind_masks(observed->kind)->birth : 0) {
		const struct field *field = &observed->kind->fields[i];

		if (field->flags & FIELD_UNIQUE)
			continue;
		const char *noted = ledger_former(entry, i);
		if (noted || ledger_has_field(entry, i) ? !noted || !ledger_is_value(noted, field, observed) : entry->made)
			return false;
	}
	return true;
}

void ledger_forget(struct ledger *ledger, const char *ns, const char *id, struct text *out) {
	struct ledger_entry *entry = ledger_find(ledger, ns, id);

	if (!entry)
		return;
	ledger_remove_line(entry, out);
	ledger_remove_entry(ledger, entry);
}

bool ledger_manages(const struct ledger_entry *entry) {
	const struct kind_masks *masks = kind_masks(entry->kind);

	return entry->fields & ~masks->identity & ~masks->once;
}

void ledger_forget_fields(struct ledger *ledger, const struct object *object, uint64_t mask, struct text *out) {
	struct ledger_entry *entry = ledger_find_object(ledger, object);

	if (!entry)
		return;
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		int at = mask >> i & 1 ? ledger_counterpart(entry, object->kind, i) : -1;

		if (at < 0)
			continue;
		drop_field(entry, (size_t)at);
		drop_value(entry, (size_t)at);
	}
	entry->declared_as = NULL;
	if (entry->made || ledger_manages(entry)) {
		ledger_add_line(entry, out);
		return;
	}
	_cleanup_free_ char *id = xstrdup(entry->id);
	ledger_forget(ledger, object->ns, id, out);
}

void ledger_note_creation(struct ledger *ledger, const struct object *desired, bool made, struct text *out) {
	ledger_declare_entry(note(ledger, desired, NULL, desired->set, made, out), desired, UINT64_MAX, out);
}

static void inherit_field(struct ledger_entry *entry, size_t i, const struct ledger_entry *other) {
	int at = ledger_counterpart(other, entry->kind, i);

	if (at >= 0 && ledger_has_field(other, (size_t)at))
		ledger_set_field(entry, i, ledger_former(other, (size_t)at));
}

void ledger_note_share(struct ledger *ledger, const struct object *desired, const struct object *observed, uint64_t mask,
		       const struct ledger_entry *other, struct text *out) {
	struct ledger_entry *entry = ledger_find_object(ledger, desired);
	uint64_t before = entry ? entry->fields : 0;
	_cleanup_text_ struct text line = {};

	ledger_note(ledger, desired, observed, mask, other->made && !desired->external, &line);
	entry = ledger_find_object(ledger, desired);
	if (!entry && object_is_namespace(desired))
		entry = ledger_add_entry(ledger, ledger_add_namespace(ledger, desired->ns), desired->kind, other->id, true);
	if (!entry)
		return;
	if (object_is_namespace(desired)) {
		entry->made = true;
		entry->shared = desired->external;
	}
	for (size_t i = 0; i < desired->kind->n_fields; i++) {
		bool birth = desired->kind->fields[i].flags & FIELD_BIRTH;

		/* A setting's hidden fields record its value before another setting was written (ledger_settings.c). */
		birth |= desired->kind->transport == TRANSPORT_SYSCTL && desired->kind->fields[i].flags & FIELD_HIDDEN &&
			 !object_has(desired, i) && !before;
		if (birth || (mask & ~before & field_bit(i) && ledger_has_field(entry, i) &&
			      !ledger_is_identity(&desired->kind->fields[i])))
			inherit_field(entry, i, other);
	}
	ledger_add_line(entry, out);
}

static void ns_free(struct ledger_ns *ns) {
	struct ledger_entry *entry = ns->entries, *next;

	HASH_CLEAR(hh, ns->entries);
	for (; entry; entry = next) {
		next = entry->hh.next;
		entry_free(entry);
	}
	free(ns->name);
	free(ns);
}

static void forget_files(struct ledger *ledger) {
	vec_foreach(file, &ledger->files)
		free(*file);
	vec_done(&ledger->files);
}

static bool same_files(const struct ledger *ledger, char *const *files, size_t n) {
	for (size_t i = 0; i < MIN(n, ledger->files.n); i++)
		if (!streq(ledger->files.items[i], files[i]))
			return false;
	return ledger->files.n == n;
}

bool ledger_set_files(struct ledger *ledger, char *const *files, size_t n) {
	if (same_files(ledger, files, n))
		return false;
	forget_files(ledger);
	for (size_t i = 0; i < n; i++)
		vec_push(&ledger->files, xstrdup(files[i]));
	return true;
}

void ledger_done(struct ledger *ledger) {
	struct ledger_ns *ns = ledger->namespaces, *next;

	forget_files(ledger);
	HASH_CLEAR(hh, ledger->namespaces);
	for (; ns; ns = next) {
		next = ns->hh.next;
		ns_free(ns);
	}
	ledger->n = 0;
}
