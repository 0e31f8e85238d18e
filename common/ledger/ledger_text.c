/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger as lines of text: writing and reading them (the format is in ledger.h). The text is data of unknown
 * origin; a damaged line is counted and skipped. What the lines mean is for ledger.c.
 */
#include "ledger/ledger_private.h"
#include "model/kind_masks.h"

#include <limits.h>

static const char header[] = "topod-ledger 1\n";

/* Control characters, and the end of a text. */
static const bool is_special[UCHAR_MAX + 1] = { [0 ... ' ' - 1] = true, ['%'] = true, [127] = true };

static void add_escaped(struct text *out, const char *text) {
	while (*text) {
		size_t plain = 0;

		while (!is_special[(unsigned char)text[plain]])
			plain++;
		text_addn(out, text, plain);
		text += plain;
		if (*text)
			text_addf(out, "%%%02X", (unsigned char)*text++);
	}
}

void ledger_add_declaration(const struct ledger_entry *entry, struct text *out) {
	text_add(out, ": ");
	add_escaped(out, entry->ns);
	text_add(out, "\t");
	add_escaped(out, entry->id);
	text_add(out, "\t");
	if (entry->place.source) {
		text_add_number(out, entry->place.source);
		text_add(out, ":");
	}
	text_add_number(out, entry->place.line);
	values_foreach(value, entry) {
		text_add(out, "\t");
		text_add(out, entry->kind->fields[value_field(value)].name);
		text_add(out, "=");
		add_escaped(out, value_text(value));
	}
	text_addn(out, "\n", 1);
}

/* Written each time, so that the latest such line also tells if there was no value. */
static void add_secrets(const struct ledger_entry *entry, struct text *out) {
	mask_foreach(i, entry->fields) {
		const char *former = ledger_former(entry, i);

		if (!(entry->kind->fields[i].flags & FIELD_SECRET))
			continue;
		text_add(out, LEDGER_SECRET);
		add_escaped(out, entry->ns);
		text_add(out, "\t");
		add_escaped(out, entry->id);
		text_add(out, "\t");
		text_add(out, entry->kind->fields[i].name);
		text_add(out, former ? "=" : "");
		add_escaped(out, former ? former : "");
		text_add(out, "\n");
	}
}

void ledger_add_line(const struct ledger_entry *entry, struct text *out) {
	text_add(out, entry->shared ? "+ shared " : entry->made ? "+ made " : "+ found ");
	text_add(out, entry->kind->name);
	text_add(out, "\t");
	add_escaped(out, entry->ns);
	text_add(out, "\t");
	add_escaped(out, entry->id);
	mask_foreach(i, entry->fields) {
		const char *former = ledger_former(entry, i);

		text_addn(out, "\t", 1);
		text_add(out, entry->kind->fields[i].name);
		if (!former || entry->kind->fields[i].flags & FIELD_SECRET)
			continue;
		text_addn(out, "=", 1);
		add_escaped(out, former);
	}
	text_addn(out, "\n", 1);
	add_secrets(entry, out);
	if (entry->has_declaration)
		ledger_add_declaration(entry, out);
}

void ledger_remove_line(const struct ledger_entry *entry, struct text *out) {
	text_add(out, "- ");
	add_escaped(out, entry->ns);
	text_add(out, "\t");
	add_escaped(out, entry->id);
	text_add(out, "\n");
}

static void add_head(const struct ledger *ledger, struct text *out) {
	text_add(out, header);
	vec_foreach(file, &ledger->files) {
		text_add(out, "= file ");
		add_escaped(out, *file);
		text_add(out, "\n");
	}
}

char *ledger_format_head(const struct ledger *ledger) {
	struct text text = {};

	add_head(ledger, &text);
	return text_take(&text);
}

char *ledger_format(const struct ledger *ledger) {
	struct text text = {};

	add_head(ledger, &text);
	for (const struct ledger_ns *ns = ledger->namespaces; ns; ns = ns->hh.next)
		for (const struct ledger_entry *entry = ns->entries; entry; entry = entry->hh.next)
			ledger_add_line(entry, &text);
	return text_take(&text);
}

/* As strsep(3), but with one delimiter, which is found faster. */
static char *next_part(char **at, char delimiter) {
	char *part = *at, *end = part ? strchr(part, delimiter) : NULL;

	if (end)
		*end++ = '\0';
	*at = end;
	return part;
}

static int hex(char c) {
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Unescapes in place; false if an escape is damaged. */
static bool unescape(char *text) {
	char *to = text = strchrnul(text, '%');

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

/* The state of reading. */
struct ledger_reader {
	struct ledger *ledger;
	struct ledger_ns *ns;       /* of the line before, usually the same as the next line's; NULL: it may be gone */
	struct ledger_entry *entry; /* likewise */
	const struct kind *kind;    /* likewise; NULL: there is none */
};

static const struct kind *find_kind(struct ledger_reader *reader, const char *name) {
	if (reader->kind && streq(reader->kind->name, name))
		return reader->kind;
	reader->kind = NULL;
	for (const struct kind *const *k = kinds; *k && !reader->kind; k++)
		if (*(*k)->name == *name && streq((*k)->name, name))
			reader->kind = *k;
	return reader->kind;
}

/* Fields are written in the table's order, so each is searched from *at, where the one before it was found. */
static bool find_field(const struct kind *kind, const char *name, size_t *at) {
	size_t tried = 0;

	for (; tried < kind->n_fields && (*kind->fields[*at].name != *name || !streq(kind->fields[*at].name, name)); tried++)
		*at = *at + 1 < kind->n_fields ? *at + 1 : 0;
	return tried < kind->n_fields;
}

/* Adds a part of a line, "mtu" or "mtu=1500". */
static bool parse_field(struct ledger_entry *entry, char *part, size_t *at) {
	const struct kind *kind = entry->kind;
	char *former = strchr(part, '=');

	if (former)
		*former++ = '\0';
	if (!find_field(kind, part, at) || (former && !unescape(former)))
		return false;
	if (!ledger_has_field(entry, *at))
		ledger_set_field(entry, *at, former);
	return true;
}

/* Adds an entry, replacing one of the same id. */
static struct ledger_entry *renew_entry(struct ledger_reader *reader, const struct kind *kind, const char *ns,
					const char *id, bool made) {
	struct ledger_entry *before;

	if (!reader->ns || !streq(reader->ns->name, ns))
		reader->ns = ledger_add_namespace(reader->ledger, ns);
	before = ledger_find_in(reader->ns, id);
	if (before) {
		ledger_remove_entry(reader->ledger, before);
		reader->ns = ledger_add_namespace(reader->ledger, ns);
	}
	return ledger_add_entry(reader->ledger, reader->ns, kind, id, made);
}

/* A name that was valid on the line before is not checked again. */
static bool is_namespace(const struct ledger_reader *reader, const char *name) {
	const char *why;

	return (reader->ns && streq(reader->ns->name, name)) || file_name_valid(name, &why);
}

static bool parse_addition(struct ledger_reader *reader, char *line) {
	char *word = next_part(&line, ' '), *kind_name = next_part(&line, '\t'), *ns = next_part(&line, '\t'),
	     *id = next_part(&line, '\t');
	const struct kind *kind = kind_name ? find_kind(reader, kind_name) : NULL;
	size_t at = 0;

	if (!kind || !ns || !id || !unescape(ns) || !is_namespace(reader, ns) || !unescape(id) || !*id ||
	    (!streq(word, "made") && !streq(word, "found") && !streq(word, "shared")))
		return false;
	_cleanup_(arena_done) struct arena arena = {};
	kind = ledger_setting_kind(kind, ns, id);
	const char *one = ledger_one_setting(&arena, ns, id);
	/* The setting has lines under two names: the one that was written first has the value from before topod. */
	if (one && ledger_find(reader->ledger, ns, one))
		return true;
	struct ledger_entry *entry = reader->entry = renew_entry(reader, kind, ns, one ? one : id, !streq(word, "found"));
	bool good = true;
	entry->shared = streq(word, "shared");
	for (char *part; good && (part = next_part(&line, '\t'));)
		good = parse_field(entry, part, &at);
	if (one)
		ledger_unite_setting(entry);
	return good;
}

/* "12", "1:12". */
static bool parse_place(char *text, struct position *ret) {
	const char *first = next_part(&text, ':');
	uint32_t source = 0, line;

	if ((text && parse_u32(first, &source) < 0) || source > UINT8_MAX || parse_u32(text ? text : first, &line) < 0)
		return false;
	*ret = (struct position){ .line = line, .source = (uint8_t)source };
	return true;
}

/* Reads the declared values of the entry on the line before. */
static bool parse_declaration(struct ledger_reader *reader, char *line) {
	char *ns = next_part(&line, '\t'), *id = next_part(&line, '\t'), *place = next_part(&line, '\t');
	struct ledger_entry *entry;
	size_t at = 0;

	if (!id || !place || !unescape(ns) || !unescape(id))
		return false;
	entry = reader->entry && streq(reader->entry->id, id) && streq(reader->entry->ns, ns)
			? reader->entry
			: ledger_find(reader->ledger, ns, id);
	if (!entry || !parse_place(place, &entry->place))
		return false;
	char buffer[LEDGER_VALUES_GUESS];
	_cleanup_text_ struct text values = TEXT_IN(buffer);
	bool good = true;
	for (char *part; good && (part = next_part(&line, '\t'));) {
		char *value = strchr(part, '=');

		if (value)
			*value++ = '\0';
		good = value && find_field(entry->kind, part, &at) && unescape(value);
		if (!good)
			break;
		value_begin(&values, at);
		text_add(&values, value);
		value_end(&values);
	}
	ledger_set_values(entry, &values);
	return good;
}

/* What a secret of the entry was before topod. If the entry is gone, the line has no meaning. */
static bool parse_secret(struct ledger_reader *reader, char *line) {
	char *ns = next_part(&line, '\t'), *id = next_part(&line, '\t'), *value = line ? strchr(line, '=') : NULL;
	size_t at = 0;

	if (value)
		*value++ = '\0';
	if (!line || !unescape(ns) || !unescape(id) || (value && !unescape(value)))
		return false;
	struct ledger_entry *entry = ledger_find(reader->ledger, ns, id);
	if (!entry || !find_field(entry->kind, line, &at) || !ledger_has_field(entry, at))
		return true;
	if (!(entry->kind->fields[at].flags & FIELD_SECRET))
		return false;
	ledger_set_field(entry, at, value);
	return true;
}

static bool parse_removal(struct ledger_reader *reader, char *line) {
	char *ns = next_part(&line, '\t');
	struct ledger_entry *entry;

	if (!line || !unescape(ns) || !unescape(line))
		return false;
	_cleanup_(arena_done) struct arena arena = {};
	const char *one = ledger_one_setting(&arena, ns, line);
	entry = ledger_find(reader->ledger, ns, one ? one : line);
	if (entry)
		ledger_remove_entry(reader->ledger, entry);
	reader->ns = NULL;
	reader->entry = NULL;
	return true;
}

static bool parse_file(struct ledger *ledger, char *path) {
	if (!*path || !unescape(path))
		return false;
	vec_push(&ledger->files, xstrdup(path));
	return true;
}

static bool parse_line(struct ledger_reader *reader, char *line) {
	if (startswith(line, "= file "))
		return parse_file(reader->ledger, line + strlen("= file "));
	if (startswith(line, "+ "))
		return parse_addition(reader, line + 2);
	if (startswith(line, ": "))
		return parse_declaration(reader, line + 2);
	if (startswith(line, LEDGER_SECRET))
		return parse_secret(reader, line + strlen(LEDGER_SECRET));
	return startswith(line, "- ") && parse_removal(reader, line + 2);
}

int ledger_parse(struct ledger *ledger, const char *text, size_t size, size_t *ret_damaged) {
	struct ledger_reader reader = { .ledger = ledger };
	size_t head = strlen(header), damaged = 0;

	*ret_damaged = 0;
	if (size < head || memcmp(text, header, head) != 0)
		return size ? -EINVAL : 0;
	_cleanup_free_ char *copy = xmalloc_raw(size - head + 1);
	memcpy(copy, text + head, size - head);
	for (char *at = copy, *end = copy + (size - head); at < end;) {
		char *newline = memchr(at, '\n', (size_t)(end - at));

		/* A line without a newline was cut off by a crash: the act that it announces never began. */
		if (!newline || memchr(at, '\0', (size_t)(newline - at)))
			damaged++;
		if (!newline)
			break;
		*newline = '\0';
		if (strlen(at) == (size_t)(newline - at) && !parse_line(&reader, at))
			damaged++;
		at = newline + 1;
	}
	*ret_damaged = damaged;
	return 0;
}
