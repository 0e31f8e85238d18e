/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Collecting diagnostics and formatting them as text.
 *
 * The text may go to a terminal while it quotes a file that anybody may have written: apart from its own colours, no
 * text leaves this file that could control a terminal. A control character in a message is shown as an escape, in an
 * excerpt as one `?` (a tab as one space), so that the caret below keeps its column.
 *
 * Formatting takes time linear in the source's size: the diagnostics are sorted by position, so that one walk over each
 * source finds their lines.
 */
#include "yaml/diag.h"

#include "base/utf8.h"
#include "yaml/diag_secret.h"

enum {
	NOTES_UNTIL = 4 * DIAGS_MAX, /* no more notes are added to a longer list */
	EXCERPT_COLUMNS = 100,       /* of a longer line, only this much around the caret is shown */
	GUTTER = 4,                  /* minimum width of the line number before an excerpt */
};

uint8_t diags_add_source(struct diags *diags, struct source_text source) {
	if (diags->sources.n >= UINT8_MAX)
		abort();
	vec_push(&diags->sources, source);
	return (uint8_t)(diags->sources.n - 1);
}

uint32_t diags_add_origin(struct diags *diags, const char *name) {
	if (!diags->origins.n)
		vec_push(&diags->origins, NULL);
	vec_push(&diags->origins, arena_strdup(&diags->arena, name));
	return (uint32_t)(diags->origins.n - 1);
}

const char *diags_origin(const struct diags *diags, struct position position) {
	return position.origin < diags->origins.n ? diags->origins.items[position.origin] : NULL;
}

void diags_done(struct diags *diags) {
	vec_done(&diags->list);
	vec_done(&diags->origins);
	vec_done(&diags->sources);
	arena_done(&diags->arena);
	*diags = (struct diags){};
}

static void keep(struct diags *diags, enum severity severity, struct position position, const char *format, va_list args)
	_printf_(4, 0);

static void keep(struct diags *diags, enum severity severity, struct position position, const char *format, va_list args) {
	if (diags->dropping)
		return;
	const char *text = arena_vprintf(&diags->arena, format, args);
	vec_push(&diags->list, (struct diag){ .severity = severity,
					      .position = position,
					      .text = text,
					      .format = format,
					      .last = position.origin });
}

/* Is this one covered by a diagnostic in the list: the same mistake for another origin, or its cause? */
static bool fold(struct diags *diags, enum severity severity, struct position position, const char *format) {
	vec_foreach(diag, &diags->list) {
		bool same = diag->severity == severity && diag->format == format &&
			    diag->position.origin != position.origin && diags_origin(diags, diag->position) &&
			    diags_origin(diags, position);

		if (!(same || diag->cause) || !position.line || !position_same(&diag->position, &position))
			continue;
		if (same && diag->last != position.origin) {
			diag->n_more++;
			diag->last = position.origin;
		}
		diags->n_folded[severity]++;
		return true;
	}
	return false;
}

/* Should one more be kept? n counts it and all before it. */
static bool is_kept(struct diags *diags, enum severity severity, size_t n, struct position position, const char *format) {
	return !fold(diags, severity, position, format) && n - diags->n_folded[severity] <= DIAGS_MAX;
}

/* Errors and warnings have separate limits, so that many warnings cannot hide an error. */
void diag_verror(struct diags *diags, struct position position, const char *format, va_list args) {
	diags->dropping = !is_kept(diags, SEVERITY_ERROR, ++diags->n_errors, position, format);
	keep(diags, SEVERITY_ERROR, position, format, args);
}

void diag_error(struct diags *diags, struct position position, const char *format, ...) {
	va_list args;

	va_start(args, format);
	diag_verror(diags, position, format, args);
	va_end(args);
}

void diag_unknown(struct diags *diags, struct position position, const struct suggestion *s, const char *otherwise,
		  const char *format, ...) {
	va_list args;

	va_start(args, format);
	const char *text = arena_vprintf(&diags->arena, format, args);
	va_end(args);
	otherwise = s->advice ? s->advice : otherwise;
	if (s->near)
		diag_error(diags, position, "%s; did you mean '%s'?", text, s->near);
	else
		diag_error(diags, position, "%s%s%s", text, otherwise ? "; " : "", otherwise ? otherwise : "");
}

void diag_warning(struct diags *diags, struct position position, const char *format, ...) {
	va_list args;

	diags->dropping = !is_kept(diags, SEVERITY_WARNING, ++diags->n_warnings, position, format);
	va_start(args, format);
	keep(diags, SEVERITY_WARNING, position, format, args);
	va_end(args);
}

void diag_note(struct diags *diags, struct position position, const char *format, ...) {
	va_list args;

	if (diags->list.n >= NOTES_UNTIL)
		return;
	va_start(args, format);
	keep(diags, SEVERITY_NOTE, position, format, args);
	va_end(args);
}

void diags_have_consequences(struct diags *diags, size_t from) {
	for (size_t i = from; i < diags->list.n; i++)
		diags->list.items[i].cause = diags->list.items[i].severity == SEVERITY_ERROR;
}

void diags_be_strict(struct diags *diags) {
	vec_foreach(diag, &diags->list)
		if (diag->severity == SEVERITY_WARNING)
			diag->severity = SEVERITY_ERROR;
	diags->n_errors += diags->n_warnings;
	diags->n_folded[SEVERITY_ERROR] += diags->n_folded[SEVERITY_WARNING];
	diags->n_warnings = diags->n_folded[SEVERITY_WARNING] = 0;
}

/* The state of formatting. */
struct output {
	FILE *file;
	bool color;
	const struct diags *diags;
	size_t source;               /* the source being walked, … */
	size_t line;                 /* … the current line, from 1, … */
	size_t line_start;           /* … and its offset */
	struct diag_secrets secrets; /* of the source of the latest message */
};

static const char *severity_name(enum severity severity) {
	switch (severity) {
	case SEVERITY_ERROR:
		return "error";
	case SEVERITY_WARNING:
		return "warning";
	case SEVERITY_NOTE:
		return "note";
	}
	abort();
}

static const char *severity_color(enum severity severity) {
	switch (severity) {
	case SEVERITY_ERROR:
		return "\033[1;31m";
	case SEVERITY_WARNING:
		return "\033[1;35m";
	case SEVERITY_NOTE:
		return "\033[1;36m";
	}
	abort();
}

static void put_color(struct output *out, const char *sequence) {
	if (out->color)
		fputs(sequence, out->file);
}

static const struct source_text *source_of(const struct output *out, struct position position) {
	return position.source < out->diags->sources.n ? &out->diags->sources.items[position.source] : NULL;
}

/* Prints a message's text, with everything that could control a terminal as an escape, and without its source's secrets. */
static void put_text(FILE *file, const struct diag_secrets *secrets, const char *text) {
	size_t size = strlen(text), n;
	uint32_t code;

	for (size_t i = 0; i < size; i += MAX(n, (size_t)1)) {
		n = diag_secrets_match(secrets, text + i);
		if (n) {
			fputs("(hidden)", file);
			continue;
		}
		n = utf8_decode(text + i, size - i, &code);
		if (n == 0 || (code < 0x80 && utf8_is_unsafe(code)))
			fprintf(file, "\\x%02x", code);
		else if (utf8_is_unsafe(code))
			fprintf(file, "\\u%04x", code);
		else
			fwrite(text + i, 1, n, file);
	}
}

static void put_place(struct output *out, struct position position) {
	const struct diag_secrets none = {};

	if (position.source >= out->diags->sources.n)
		return;
	put_color(out, "\033[1m");
	put_text(out->file, &none, out->diags->sources.items[position.source].name);
	if (position.line)
		fprintf(out->file, ":%u:%u", position.line, position.column);
	fputs(":", out->file);
	put_color(out, "\033[0m");
	fputs(" ", out->file);
}

static void put_message(struct output *out, const struct diag *diag) {
	const struct source_text *source = source_of(out, diag->position);

	if (source && source != out->secrets.source)
		diag_secrets_find(&out->secrets, source);
	put_place(out, diag->position);
	put_color(out, severity_color(diag->severity));
	fprintf(out->file, "%s:", severity_name(diag->severity));
	put_color(out, "\033[0m");
	fputs(" ", out->file);
	put_text(out->file, &out->secrets, diag->text);
	const char *origin = diags_origin(out->diags, diag->position);
	if (!origin)
		return;
	fputs(" (for ", out->file);
	put_text(out->file, &out->secrets, origin);
	if (diag->n_more)
		fprintf(out->file, " and %zu more", diag->n_more);
	fputs(")", out->file);
}

/* Line breaks are LF, CR and CR LF. */
static bool is_break(char c) {
	return c == '\n' || c == '\r';
}

/* A byte order mark is not a column of the first line. */
static size_t skip_bom(const struct source_text *source) {
	return source->size >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* Moves forward to a line; false: the source has no such line. */
static bool seek_line(struct output *out, struct position position, const struct source_text *source) {
	if (out->source != position.source || position.line < out->line || out->line == 0) {
		out->source = position.source;
		out->line = 1;
		out->line_start = skip_bom(source);
	}
	for (size_t i = out->line_start; out->line < position.line; i++) {
		if (i >= source->size)
			return false;
		if (!is_break(source->text[i]))
			continue;
		if (source->text[i] == '\r' && i + 1 < source->size && source->text[i + 1] == '\n')
			i++;
		out->line++;
		out->line_start = i + 1;
	}
	return out->line_start < source->size;
}

/* The number of terminal cells of a character: none if it combines with the one before, two for East Asian
 * characters and emoji. Only by ranges; anything more precise depends on the terminal. */
static int cells(uint32_t code) {
	static const struct {
		uint32_t first, last;
		int n;
	} ranges[] = {
		{ 0x300, 0x36f, 0 },   { 0x1100, 0x115f, 2 },   { 0x2e80, 0xa4cf, 2 },   { 0xac00, 0xd7a3, 2 },
		{ 0xf900, 0xfaff, 2 }, { 0xfe00, 0xfe0f, 0 },   { 0xfe30, 0xfe6f, 2 },   { 0xff00, 0xff60, 2 },
		{ 0xffe0, 0xffe6, 2 }, { 0x1f300, 0x1f64f, 2 }, { 0x1f900, 0x1f9ff, 2 }, { 0x20000, 0x3fffd, 2 },
	};

	for (size_t i = 0; code >= 0x300 && i < ARRAY_SIZE(ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return ranges[i].n;
	return 1;
}

/* One character of a source line as shown. Returns its size in the source; 0: the line ends. */
static size_t shown(const struct source_text *source, size_t at, const char **ret_text, int *ret_size, int *ret_cells) {
	uint32_t code;

	if (at >= source->size || is_break(source->text[at]))
		return 0;
	size_t n = utf8_decode(source->text + at, source->size - at, &code);
	bool visible = n && !utf8_is_unsafe(code);
	*ret_text = visible ? source->text + at : code == '\t' ? " " : "?";
	*ret_size = visible ? (int)n : 1;
	*ret_cells = visible ? cells(code) : 1;
	return n ? n : 1;
}

/* Where the carets are below the part of a line that is shown, in cells. */
struct excerpt {
	size_t before, under;
};

/* The position's column, but at most the one after the line's end. */
static size_t find_column(const struct source_text *source, size_t line_start, struct position position) {
	size_t column = 1, n;
	const char *text;
	int size, width;

	for (; column < position.column && (n = shown(source, line_start, &text, &size, &width)); column++)
		line_start += n;
	return column;
}

static struct excerpt put_line(struct output *out, const struct source_text *source, struct position position) {
	size_t column = find_column(source, out->line_start, position), end = column + MAX(position.width, (uint8_t)1);
	size_t first = end <= EXCERPT_COLUMNS ? 1 : column - MIN(column - 1, (size_t)EXCERPT_COLUMNS / 2);
	struct excerpt excerpt = {};
	size_t at = out->line_start, i = 1, n, hidden = 0;
	const char *text;
	int size, width;

	for (; (n = shown(source, at, &text, &size, &width)) && i < first + EXCERPT_COLUMNS; at += n, i++) {
		if (i < first)
			continue;
		hidden = MAX(hidden, diag_secrets_end(&out->secrets, at));
		if (at < hidden) {
			text = "*";
			size = width = 1;
		}
		bool cut = i == first && first > 1;
		fprintf(out->file, "%.*s", cut ? (int)strlen("…") : size, cut ? "…" : text);
		if (i < column)
			excerpt.before += cut ? 1 : (size_t)width;
		else if (i < end)
			excerpt.under += (size_t)width;
	}
	fputs(n ? "…\n" : "\n", out->file);
	excerpt.under = MAX(excerpt.under, (size_t)1);
	return excerpt;
}

static void put_excerpt(struct output *out, const struct diag *diag) {
	const struct source_text *source = source_of(out, diag->position);

	if (diag->position.line == 0 || !source || !seek_line(out, diag->position, source))
		return;
	int gutter = fprintf(out->file, "%*u", GUTTER, diag->position.line);
	fputs(" | ", out->file);
	struct excerpt excerpt = put_line(out, source, diag->position);
	fprintf(out->file, "%*s | %*s", gutter, "", (int)excerpt.before, "");
	put_color(out, severity_color(diag->severity));
	for (size_t i = 0; i < excerpt.under; i++)
		fputc('^', out->file);
	put_color(out, "\033[0m");
	fputc('\n', out->file);
}

static int compare_places(const void *a, const void *b) {
	const struct diag *x = *(const struct diag *const *)a, *y = *(const struct diag *const *)b;

	if (x->position.source != y->position.source)
		return x->position.source < y->position.source ? -1 : 1;
	if (x->position.line != y->position.line)
		return x->position.line < y->position.line ? -1 : 1;
	if (x->position.column != y->position.column)
		return x->position.column < y->position.column ? -1 : 1;
	return (x > y) - (x < y); /* the order of the list */
}

static void put_diag(struct output *out, const struct diag *diag) {
	put_message(out, diag);
	fputc('\n', out->file);
	put_excerpt(out, diag);
}

/* Prints the diagnostics in the order of their positions, each with its notes. */
static void put_sorted(struct output *out) {
	const struct diag *list = out->diags->list.items, *end = list ? list + out->diags->list.n : NULL;
	vec(const struct diag *) heads = {};

	for (const struct diag *diag = list; diag < end; diag++)
		if (diag->severity != SEVERITY_NOTE || diag == list)
			vec_push(&heads, diag);
	if (heads.n)
		qsort(heads.items, heads.n, sizeof(heads.items[0]), compare_places);
	vec_foreach(head, &heads) {
		put_diag(out, *head);
		for (const struct diag *note = *head + 1; note < end && note->severity == SEVERITY_NOTE; note++)
			put_diag(out, note);
	}
	vec_done(&heads);
}

static void put_rest(struct output *out, size_t n, enum severity severity) {
	const char *what = severity_name(severity);
	size_t shown_n = out->diags->n_folded[severity];

	vec_foreach(diag, &out->diags->list)
		shown_n += diag->severity == severity;
	if (n > shown_n)
		fprintf(out->file, "… and %zu more %s%s\n", n - shown_n, what, n - shown_n == 1 ? "" : "s");
}

static FILE *open_text(char **text, size_t *size) {
	FILE *file = open_memstream(text, size);

	if (!file)
		abort();
	return file;
}

char *diags_format(const struct diags *diags, bool color) {
	char *text = NULL;
	size_t size;
	struct output out = { .file = open_text(&text, &size), .color = color, .diags = diags };

	put_sorted(&out);
	put_rest(&out, diags->n_errors, SEVERITY_ERROR);
	put_rest(&out, diags->n_warnings, SEVERITY_WARNING);
	diag_secrets_done(&out.secrets);
	if (fclose(out.file) != 0)
		abort();
	return text;
}

char *diag_format_line(const struct diags *diags, const struct diag *diag) {
	char *text = NULL;
	size_t size;
	struct output out = { .file = open_text(&text, &size), .diags = diags };

	put_message(&out, diag);
	diag_secrets_done(&out.secrets);
	if (fclose(out.file) != 0)
		abort();
	return text;
}
