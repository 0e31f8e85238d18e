/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger.h"

#include "kind/netns.h"

static const char header[] = "topod-ledger 1\n";

enum {
	ID_GUESS = 128, /* bytes; room for nearly all */
};

/* Entries. */

static void entry_free(struct ledger_entry *entry) {
	for (size_t i = 0; i < entry->n; i++)
		free(entry->fields[i].former);
	free(entry->fields);
	free(entry->id);
	free(entry);
}

struct ledger_ns *ledger_namespace(const struct ledger *ledger, const char *name) {
	struct ledger_ns *ns = NULL;

	HASH_FIND_STR(ledger->namespaces, name, ns);
	return ns;
}

struct ledger_entry *ledger_find(const struct ledger *ledger, const char *ns_name, const char *id) {
	const struct ledger_ns *ns = ledger_namespace(ledger, ns_name);
	struct ledger_entry *entry = NULL;

	if (ns)
		HASH_FIND_STR(ns->entries, id, entry);
	return entry;
}

struct ledger_entry *ledger_find_object(const struct ledger *ledger, const struct object *object) {
	char buffer[ID_GUESS];
	_cleanup_text_ struct text id = TEXT_IN(buffer);

	object_print_id(object, &id);
	return ledger_find(ledger, object->ns, id.data);
}

static struct ledger_field *entry_field(const struct ledger_entry *entry, const char *name) {
	for (size_t i = 0; i < entry->n; i++)
		if (streq(entry->fields[i].name, name))
			return &entry->fields[i];
	return NULL;
}

static void entry_add_field(struct ledger_entry *entry, const struct field *field, char *former) {
	entry->fields = xrealloc(entry->fields, (entry->n + 1) * sizeof(*entry->fields));
	entry->fields[entry->n++] = (struct ledger_field){ .name = field->name, .former = former };
}

static struct ledger_ns *add_namespace(struct ledger *ledger, const char *name) {
	struct ledger_ns *ns = ledger_namespace(ledger, name);

	if (!ns) {
		ns = xmalloc(sizeof(*ns));
		ns->name = xstrdup(name);
		HASH_ADD_KEYPTR(hh, ledger->namespaces, ns->name, strlen(ns->name), ns);
	}
	return ns;
}

static struct ledger_entry *add_entry(struct ledger *ledger, const struct kind *kind, const char *ns_name,
				      const char *id, bool made) {
	struct ledger_ns *ns = add_namespace(ledger, ns_name);
	struct ledger_entry *entry = xmalloc(sizeof(*entry));

	entry->kind = kind;
	entry->ns = ns->name;
	entry->id = xstrdup(id);
	entry->made = made;
	HASH_ADD_KEYPTR(hh, ns->entries, entry->id, strlen(entry->id), entry);
	ledger->n++;
	return entry;
}

static void remove_entry(struct ledger *ledger, struct ledger_entry *entry) {
	struct ledger_ns *ns = ledger_namespace(ledger, entry->ns);

	if (!ns)
		abort(); /* an entry stands in its namespace */
	HASH_DEL(ns->entries, entry);
	entry_free(entry);
	ledger->n--;
	if (ns->entries)
		return;
	HASH_DEL(ledger->namespaces, ns);
	free(ns->name);
	free(ns);
}

/* Texts are noted as they are, so that "" and "none" stay apart. */
static bool is_text(const struct field *field) {
	return field->type == &type_text || field->type == &type_link_name;
}

static char *value_text(const struct field *field, const struct object *object) {
	struct text text = {};

	if (is_text(field)) {
		const char *value = *(const char *const *)field_of(field, object);

		text_add(&text, value ? value : "");
	} else if (field->type->exact) {
		field->type->exact(field, field_of(field, object), &text);
	} else {
		field_print(field, object, &text);
	}
	return text_take(&text);
}

/* The form as lines. */

static bool needs_escape(char c) {
	return (unsigned char)c < ' ' || c == '%' || c == 127;
}

static void add_escaped(struct text *out, const char *text) {
	while (*text) {
		size_t plain = 0;

		while (text[plain] && !needs_escape(text[plain]))
			plain++;
		text_addn(out, text, plain);
		text += plain;
		if (*text)
			text_addf(out, "%%%02X", (unsigned char)*text++);
	}
}

static void add_line(const struct ledger_entry *entry, struct text *out) {
	text_add(out, entry->made ? "+ made " : "+ found ");
	text_add(out, entry->kind->name);
	text_add(out, "\t");
	add_escaped(out, entry->ns);
	text_add(out, "\t");
	add_escaped(out, entry->id);
	for (size_t i = 0; i < entry->n; i++) {
		text_add(out, "\t");
		text_add(out, entry->fields[i].name);
		if (!entry->fields[i].former)
			continue;
		text_add(out, "=");
		add_escaped(out, entry->fields[i].former);
	}
	text_add(out, "\n");
}

char *ledger_format(const struct ledger *ledger) {
	struct text text = {};

	text_add(&text, header);
	for (const struct ledger_ns *ns = ledger->namespaces; ns; ns = ns->hh.next)
		for (const struct ledger_entry *entry = ns->entries; entry; entry = entry->hh.next)
			add_line(entry, &text);
	return text_take(&text);
}

static int hex(char c) {
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place; false for a damaged escape. */
static bool unescape(char *text) {
	char *to = text;

	for (; *text; text++) {
		if (*text != '%') {
			*to++ = *text;
			continue;
		}
		int high = hex(text[1]), low = high < 0 ? -1 : hex(text[2]);
		if (high < 0 || low < 0 || (!high && !low))
			return false;
		*to++ = (char)(high << 4 | low);
		text += 2;
	}
	*to = '\0';
	return true;
}

static const struct kind *any_kind_by_name(const char *name) {
	for (const struct kind *const *k = kinds; *k; k++)
		if (streq((*k)->name, name))
			return *k;
	return NULL;
}

static bool parse_addition(struct ledger *ledger, char *line) {
	char *word = strsep(&line, " "), *kind_name = strsep(&line, "\t"), *ns = strsep(&line, "\t"),
	     *id = strsep(&line, "\t");
	const struct kind *kind = kind_name ? any_kind_by_name(kind_name) : NULL;
	const char *why;

	if (!kind || !ns || !id || !unescape(ns) || !file_name_valid(ns, &why) || !unescape(id) || !*id || (!streq(word, "made") && !streq(word, "found")))
		return false;
	struct ledger_entry *before = ledger_find(ledger, ns, id);
	if (before)
		remove_entry(ledger, before);
	struct ledger_entry *entry = add_entry(ledger, kind, ns, id, streq(word, "made"));
	for (char *part; (part = strsep(&line, "\t"));) {
		char *former = strchr(part, '=');

		if (former)
			*former++ = '\0';
		int at = kind_field(kind, part);
		if (at < 0 || (former && !unescape(former)))
			return false;
		entry_add_field(entry, &kind->fields[at], former ? xstrdup(former) : NULL);
	}
	return true;
}

static bool parse_removal(struct ledger *ledger, char *line) {
	char *ns = strsep(&line, "\t");
	struct ledger_entry *entry;

	if (!line || !unescape(ns) || !unescape(line))
		return false;
	entry = ledger_find(ledger, ns, line);
	if (entry)
		remove_entry(ledger, entry);
	return true;
}

static bool parse_line(struct ledger *ledger, char *line) {
	if (startswith(line, "+ "))
		return parse_addition(ledger, line + 2);
	return startswith(line, "- ") && parse_removal(ledger, line + 2);
}

int ledger_parse(struct ledger *ledger, const char *text, size_t size, size_t *ret_damaged) {
	size_t head = strlen(header), damaged = 0;

	*ret_damaged = 0;
	if (size < head || memcmp(text, header, head) != 0)
		return size ? -EINVAL : 0;
	_cleanup_free_ char *copy = xmalloc(size - head + 1);
	memcpy(copy, text + head, size - head);
	for (char *at = copy, *end = copy + (size - head); at < end;) {
		char *newline = memchr(at, '\n', (size_t)(end - at));

		/* A line without its end was cut off by a crash: the act that it announces was never begun. */
		if (!newline || memchr(at, '\0', (size_t)(newline - at)))
			damaged++;
		if (!newline)
			break;
		*newline = '\0';
		if (strlen(at) == (size_t)(newline - at) && !parse_line(ledger, at))
			damaged++;
		at = newline + 1;
	}
	*ret_damaged = damaged;
	return 0;
}

/* Noting and forgetting. */

static bool is_identity(const struct field *field) {
	return field->class == FIELD_KEY || field->flags & FIELD_IDENTITY;
}

/* What is worth noting about a field: it can go back, or tells where to (a physical link's source). What was found is
 * found again by what it is. */
static bool notable(const struct field *field, bool made) {
	if (is_identity(field))
		return !made;
	if (field->flags & (FIELD_BIRTH | FIELD_ONE_WAY))
		return false; /* see ledger_note_birth() */
	return field->flags & FIELD_ONCE || field->class == FIELD_LIVE;
}

/* What topod made bears another sign from now on. */
static bool sign_anew(struct ledger_field *noted, const struct field *field, const struct object *desired) {
	char *sign = value_text(field, desired);
	bool same = streq_ptr(noted->former, sign);

	if (same) {
		free(sign);
	} else {
		free(noted->former);
		noted->former = sign;
	}
	return !same;
}

static bool note_field(struct ledger_entry *entry, const struct object *desired, const struct object *observed,
		       size_t i) {
	const struct field *field = &desired->kind->fields[i];
	const struct object *source = observed && object_has(observed, i) ? observed : NULL;
	struct ledger_field *noted = entry_field(entry, field->name);
	char *former = NULL;

	if (noted && entry->made && field->flags & FIELD_SIGN)
		return sign_anew(noted, field, desired);
	if (!notable(field, entry->made) || noted)
		return false;
	if (is_identity(field) || field->flags & FIELD_ONCE || (entry->made && field->flags & FIELD_SIGN))
		former = value_text(field, desired);
	else if (source && !entry->made)
		former = value_text(field, source);
	entry_add_field(entry, field, former);
	return true;
}

static void drop_field(struct ledger_entry *entry, struct ledger_field *field) {
	free(field->former);
	*field = entry->fields[--entry->n];
}

/* What is about to be made anew is another one than was noted, also if nobody comes to note which. */
static bool forget_birth(struct ledger_entry *entry, const struct kind *kind) {
	bool any = false;

	for (size_t i = 0; i < kind->n_fields; i++) {
		struct ledger_field *field = kind->fields[i].flags & FIELD_BIRTH ? entry_field(entry, kind->fields[i].name) : NULL;

		if (field)
			drop_field(entry, field);
		any |= field != NULL;
	}
	return any;
}

/* What is only made good, and not managed, has no former state to remember. */
static bool has_notable(const struct object *desired, uint64_t mask, bool made) {
	for (size_t i = 0; i < desired->kind->n_fields; i++) {
		const struct field *field = &desired->kind->fields[i];

		if (mask >> i & 1 && !is_identity(field) && notable(field, made))
			return true;
	}
	return made;
}

bool ledger_note(struct ledger *ledger, const struct object *desired, const struct object *observed, uint64_t mask,
		 bool made, struct text *out) {
	char buffer[ID_GUESS];
	_cleanup_text_ struct text id = TEXT_IN(buffer);
	bool added = false;

	object_print_id(desired, &id);
	struct ledger_entry *entry = ledger_find(ledger, desired->ns, id.data);
	if (!entry && !has_notable(desired, mask, made))
		return false;
	if (!entry) {
		entry = add_entry(ledger, desired->kind, desired->ns, id.data, made);
		added = true;
	} else if (made && !entry->made) {
		entry->made = true; /* what was found is gone, and topod made another in its place */
		added = true;
	}
	if (made)
		added |= forget_birth(entry, desired->kind);
	for (size_t i = 0; i < desired->kind->n_fields; i++)
		if (mask >> i & 1 || desired->kind->fields[i].class == FIELD_KEY ||
		    (is_identity(&desired->kind->fields[i]) && object_has(desired, i)))
			added |= note_field(entry, desired, observed, i);
	if (added)
		add_line(entry, out);
	return added;
}

void ledger_note_birth(struct ledger *ledger, const struct object *observed, struct text *out) {
	struct ledger_entry *entry = ledger_find_object(ledger, observed);

	for (size_t i = 0; entry && i < observed->kind->n_fields; i++) {
		const struct field *field = &observed->kind->fields[i];
		struct ledger_field *before = entry_field(entry, field->name);

		if (!(field->flags & FIELD_BIRTH) || !object_has(observed, i))
			continue;
		if (before)
			drop_field(entry, before);
		entry_add_field(entry, field, value_text(field, observed));
		add_line(entry, out);
	}
}

bool ledger_is_signed(const struct ledger_entry *entry, const struct object *observed) {
	for (size_t i = 0; i < observed->kind->n_fields; i++) {
		const struct field *field = &observed->kind->fields[i];
		const struct ledger_field *noted = field->flags & FIELD_SIGN ? entry_field(entry, field->name) : NULL;

		if (!noted || !noted->former || !object_has(observed, i))
			continue;
		_cleanup_free_ char *value = value_text(field, observed);
		return streq(value, noted->former);
	}
	return false;
}

struct ledger_entry *ledger_find_signed(const struct ledger *ledger, const struct object *observed) {
	for (const struct ledger_ns *ns = ledger->namespaces; ns; ns = ns->hh.next)
		for (struct ledger_entry *entry = ns->entries; entry; entry = entry->hh.next)
			if (entry->made && entry->kind == observed->kind && ledger_is_signed(entry, observed))
				return entry;
	return NULL;
}

bool ledger_is_same(const struct ledger_entry *entry, const struct object *observed) {
	for (size_t i = 0; entry->kind == observed->kind && i < observed->kind->n_fields; i++) {
		const struct field *field = &observed->kind->fields[i];
		const struct ledger_field *noted = entry_field(entry, field->name);

		if (!(field->flags & FIELD_BIRTH) || !object_has(observed, i))
			continue;
		_cleanup_free_ char *value = value_text(field, observed);
		if (noted ? !streq_ptr(value, noted->former) : entry->made)
			return false;
	}
	return true;
}

void ledger_forget(struct ledger *ledger, const char *ns, const char *id, struct text *out) {
	struct ledger_entry *entry = ledger_find(ledger, ns, id);

	if (!entry)
		return;
	text_add(out, "- ");
	add_escaped(out, ns);
	text_add(out, "\t");
	add_escaped(out, id);
	text_add(out, "\n");
	remove_entry(ledger, entry);
}

static bool manages_something(const struct ledger_entry *entry) {
	for (size_t i = 0; i < entry->n; i++) {
		int at = kind_field(entry->kind, entry->fields[i].name);

		if (at >= 0 && !is_identity(&entry->kind->fields[at]) && !(entry->kind->fields[at].flags & FIELD_ONCE))
			return true;
	}
	return false;
}

void ledger_forget_fields(struct ledger *ledger, const struct object *object, uint64_t mask, struct text *out) {
	struct ledger_entry *entry = ledger_find_object(ledger, object);

	if (!entry)
		return;
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		struct ledger_field *field = entry_field(entry, object->kind->fields[i].name);

		if (field && mask >> i & 1)
			drop_field(entry, field);
	}
	if (entry->made || manages_something(entry)) {
		add_line(entry, out);
		return;
	}
	_cleanup_free_ char *id = xstrdup(entry->id);
	ledger_forget(ledger, object->ns, id, out);
}

/* Going back. */

const struct ledger_entry *ledger_made_namespace(const struct ledger_ns *noted) {
	for (const struct ledger_entry *entry = noted->entries; entry; entry = entry->hh.next)
		if (entry->kind == &kind_netns)
			return entry->made ? entry : NULL;
	return NULL;
}

bool ledger_outlives_namespace(const struct ledger_entry *entry) {
	return entry->kind->transport == TRANSPORT_FILE || entry->kind->bare_create;
}

static void add_return(struct state *state, const struct ledger_entry *entry, size_t i, struct object *object) {
	const struct field *field = &entry->kind->fields[i];
	const struct ledger_field *noted = entry_field(entry, field->name);
	const char *value = noted ? noted->former : NULL;

	if (!noted || is_identity(field) || field->flags & (FIELD_ONCE | FIELD_BIRTH) || object_has(object, i))
		return;
	if (!value)
		value = field->fallback;
	object->returning |= UINT64_C(1) << i; /* forgotten in any case */
	if (value && field_from_text(&state->arena, object->ns, field, value, object))
		object->set |= UINT64_C(1) << i;
}

static struct object *build_gone(struct state *state, struct ns_state *ns, const struct ledger_entry *entry) {
	struct object *object = object_new(&state->arena, entry->kind, ns->name);

	object->gone = true;
	object->foreign = entry->kind == &kind_existing;
	object->drift = ns->drift;
	for (size_t i = 0; i < entry->kind->n_fields; i++) {
		const struct field *field = &entry->kind->fields[i];
		const struct ledger_field *noted = entry_field(entry, field->name);

		if (!is_identity(field) || (field->class != FIELD_KEY && noted && streq_ptr(noted->former, "none")))
			continue;
		if (!noted || !noted->former ||
		    !field_from_text(&state->arena, object->ns, field, noted->former, object))
			return NULL;
		object->set |= UINT64_C(1) << i;
	}
	object_seal(&state->arena, object);
	return ns_add(ns, object) ? NULL : object;
}

static void return_declared(struct state *state, struct object *object, struct ledger_entry *entry) {
	entry->declared = true;
	for (size_t i = 0; object->kind == entry->kind && i < entry->kind->n_fields; i++)
		add_return(state, entry, i, object);
}

static void return_undeclared(struct state *state, const struct ledger_entry *entry) {
	struct object *object = build_gone(state, state_namespace(state, entry->ns), entry);

	for (size_t i = 0; object && i < entry->kind->n_fields; i++)
		add_return(state, entry, i, object);
}

static void returns_of(const struct ledger_ns *noted, struct state *desired) {
	/* Namespaces that are no longer declared are looked at as well. */
	struct ns_state *ns = state_namespace(desired, noted->name);
	struct ledger_entry *entry;

	for (entry = noted->entries; entry; entry = entry->hh.next)
		entry->declared = false;
	ns_foreach(object, ns) {
		char buffer[ID_GUESS];
		_cleanup_text_ struct text id = TEXT_IN(buffer);

		object_print_id(object, &id);
		HASH_FIND_STR(noted->entries, id.data, entry);
		if (entry)
			return_declared(desired, object, entry);
	}
	/* What was made and is not declared is deleted whole; that is the plan's to see. With a namespace goes everything
	 * that is inside of it. */
	bool goes = !ns_self(ns) && ledger_made_namespace(noted);
	for (entry = noted->entries; entry; entry = entry->hh.next)
		if (!entry->declared && !entry->made && (!goes || ledger_outlives_namespace(entry)))
			return_undeclared(desired, entry);
}

void ledger_add_returns(const struct ledger *ledger, struct state *desired) {
	for (const struct ledger_ns *ns = ledger->namespaces; ns; ns = ns->hh.next)
		returns_of(ns, desired);
}

void ledger_done(struct ledger *ledger) {
	struct ledger_ns *ns, *next_ns;
	struct ledger_entry *entry, *next;

	HASH_ITER(hh, ledger->namespaces, ns, next_ns)
		HASH_ITER(hh, ns->entries, entry, next)
			remove_entry(ledger, entry); /* the last one takes ns along */
}
