/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the values of secret keys in a source, so that no excerpt and no message shows them.
 *
 * It searches the text, not the tree of nodes, because the line with the error may be the one that keeps the text from being
 * YAML. So it may hide more than the value, but never less, as long as the key is written plainly.
 */
#include "yaml/diag_secret.h"

enum { SHORTEST = 4 }; /* a shorter value is hidden only in its place, because it might be part of any word */

static bool at_end(const struct source_text *source, size_t at) {
	return at >= source->size || source->text[at] == '\n' || source->text[at] == '\r';
}

static size_t skip(const struct source_text *source, size_t at, const char *chars) {
	while (at < source->size && source->text[at] && strchr(chars, source->text[at]))
		at++;
	return at;
}

static size_t skip_word(const struct source_text *source, size_t at) {
	while (!at_end(source, at) && !strchr(" \t,}]", source->text[at]))
		at++;
	return at;
}

/* The end of an unquoted value: of a key on its own line, or of one of several in braces. */
static size_t plain_end(const struct source_text *source, size_t at) {
	for (; !at_end(source, at) && source->text[at] != '}'; at++) {
		const char *two = at + 1 < source->size ? source->text + at : "  ";

		if (strncmp(two, ", ", 2) == 0 || strncmp(two, " #", 2) == 0)
			break;
	}
	return at;
}

static size_t quoted_end(const struct source_text *source, size_t at) {
	const char *end = memchr(source->text + at + 1, source->text[at], source->size - at - 1);

	return end ? (size_t)(end - source->text) : source->size;
}

/* Which values to hide: a path may be shown if one is expected. */
enum secret { SECRET_ANY, SECRET_NO_PATH };

static void add_value(struct diag_secrets *secrets, const struct source_text *source, size_t at, enum secret which,
		      bool follow);

/* The value is where the anchor is. */
static void add_anchored(struct diag_secrets *secrets, const struct source_text *source, size_t name, size_t end,
			 enum secret which) {
	for (size_t i = 0; i + (end - name) < source->size; i++)
		if (source->text[i] == '&' && memcmp(source->text + i + 1, source->text + name, end - name) == 0 &&
		    skip_word(source, i) == i + 1 + (end - name))
			add_value(secrets, source, i, which, false);
}

/* A key may begin with a slash as well: base64 of 32 bytes has 44 characters, the last one '='. */
static bool is_path(const char *text, size_t size) {
	return *text == '/' && !(size == 44 && text[size - 1] == '=');
}

static void add_value(struct diag_secrets *secrets, const struct source_text *source, size_t at, enum secret which,
		      bool follow) {
	size_t end;

	at = skip(source, at, " \t");
	while (at < source->size && (source->text[at] == '&' || source->text[at] == '!'))
		at = skip(source, skip_word(source, at), " \t");
	if (at_end(source, at) || source->text[at] == '|' || source->text[at] == '>') { /* on the next line */
		while (!at_end(source, at))
			at++;
		at = skip(source, at, " \t\r\n");
	}
	if (at >= source->size)
		return;
	if (source->text[at] == '*' && follow) {
		add_anchored(secrets, source, at + 1, skip_word(source, at), which);
		return;
	}
	bool quoted = source->text[at] == '"' || source->text[at] == '\'';
	end = quoted ? quoted_end(source, at) : plain_end(source, at);
	at += quoted;
	while (end > at && strchr(" \t", source->text[end - 1]))
		end--;
	if (end > at && !(which == SECRET_NO_PATH && is_path(source->text + at, end - at)))
		vec_push(&secrets->spans, (struct diag_span){ at, end });
}

static void add_key(struct diag_secrets *secrets, const struct source_text *source, const char *key) {
	size_t n = strlen(key);
	enum secret which = n > 5 && streq(key + n - 5, "-file") ? SECRET_NO_PATH : SECRET_ANY;

	for (size_t at = 0; at < source->size;) {
		const char *found = memmem(source->text + at, source->size - at, key, n);

		if (!found)
			return;
		at = (size_t)(found - source->text) + n;
		size_t colon = skip(source, skip(source, at, "\"'"), " \t");
		if (colon < source->size && source->text[colon] == ':')
			add_value(secrets, source, colon + 1, which, true);
	}
}

bool source_has_secrets(const struct source_text *source) {
	for (const char *const *key = source->secret_keys; key && *key; key++)
		if (memmem(source->text, source->size, *key, strlen(*key)))
			return true;
	return false;
}

void diag_secrets_find(struct diag_secrets *secrets, const struct source_text *source) {
	vec_clear(&secrets->spans);
	secrets->source = source;
	for (const char *const *key = source->secret_keys; key && *key; key++)
		add_key(secrets, source, *key);
}

size_t diag_secrets_end(const struct diag_secrets *secrets, size_t at) {
	vec_foreach(span, &secrets->spans) {
		size_t size = span->end - span->start;

		if (at >= span->start && at < span->end)
			return span->end;
		if (size >= SHORTEST && at + size <= secrets->source->size &&
		    memcmp(secrets->source->text + at, secrets->source->text + span->start, size) == 0)
			return at + size;
	}
	return at;
}

size_t diag_secrets_match(const struct diag_secrets *secrets, const char *text) {
	vec_foreach(span, &secrets->spans) {
		size_t size = span->end - span->start;

		if (size >= SHORTEST && strncmp(text, secrets->source->text + span->start, size) == 0)
			return size;
	}
	return 0;
}

void diag_secrets_done(struct diag_secrets *secrets) {
	vec_done(&secrets->spans);
}
