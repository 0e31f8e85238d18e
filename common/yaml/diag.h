/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnostics about files that users wrote: collected, then shown together, each with its position and the line with a
 * caret below. Nothing here prints; diags_format() returns the text.
 */
#pragma once

#include "base/arena.h"
#include "base/vec.h"

/* A position in a source file. Lines and columns count from 1, columns in characters; line 0: the position is not
 * known. `width` is the number of columns to underline (at least 1). */
struct position {
	uint32_t line;
	uint16_t column;
	uint8_t width;
	uint8_t source; /* index into diags.sources */
	/* Which of the things that the text stands for (`h7` of `h[1-20]`): index into diags.origins; or 0. */
	uint32_t origin;
};

/* Is it the same place in the text, regardless of the origin? */
static inline bool position_same(const struct position *a, const struct position *b) {
	return a->line == b->line && a->column == b->column && a->source == b->source;
}

/* A file as read. The text must outlive the diags that refer to it; it need not end in NUL. */
struct source_text {
	const char *name; /* as the user wrote it; shown before the position */
	const char *text;
	size_t size;
	/* Endings of keys whose values are not shown; ended by NULL, or NULL. If the key ends in "-file", a path is shown. */
	const char *const *secret_keys;
};

enum severity {
	SEVERITY_ERROR,
	SEVERITY_WARNING,
	SEVERITY_NOTE, /* belongs to the diagnostic before it, for example the other of two places */
};

struct diag {
	enum severity severity;
	struct position position;
	const char *text;
	const char *format; /* of the text: an equal one at the same place is the same mistake */
	size_t n_more;      /* other origins for which it is the same; they are not in the list */
	uint32_t last;      /* the latest of these */
	bool cause;         /* see diags_have_consequences() */
};

/* Zeroed is empty. Keeps the first DIAGS_MAX errors and the first DIAGS_MAX warnings with their notes; further ones
 * are only counted, so that a hostile file cannot fill the memory. */
struct diags {
	struct arena arena;
	vec(struct diag) list;
	vec(struct source_text) sources;
	vec(const char *) origins;   /* names; the first is not used */
	size_t n_errors, n_warnings; /* all, kept or not */
	size_t n_folded[2];          /* of each, those covered by another diagnostic in the list */
	bool dropping;               /* the latest one was not kept, so its notes are not either */
};

enum { DIAGS_MAX = 200 };

/* Does the text contain a key whose value is not shown? */
bool source_has_secrets(const struct source_text *source);

/* Registers a file and returns its index for position.source; at most 255 files. The name must live as long as the
 * text. */
uint8_t diags_add_source(struct diags *diags, struct source_text source);

/* Registers one of the things that a text stands for, by its name, and returns its index for position.origin. A mistake that
 * several of them have at the same place is shown once, "(for h7 and 12 more)". The name is copied. */
uint32_t diags_add_origin(struct diags *diags, const char *name);
/* The name; NULL if the position has no origin. */
const char *diags_origin(const struct diags *diags, struct position position);

void diag_error(struct diags *diags, struct position position, const char *format, ...) _printf_(3, 4);
void diag_verror(struct diags *diags, struct position position, const char *format, va_list args) _printf_(3, 0);
void diag_warning(struct diags *diags, struct position position, const char *format, ...) _printf_(3, 4);
void diag_note(struct diags *diags, struct position position, const char *format, ...) _printf_(3, 4);

/* Takes the errors from the given index of the list on as causes: later errors at the same places are not shown. */
void diags_have_consequences(struct diags *diags, size_t from);

/* Turns all warnings so far into errors. */
void diags_be_strict(struct diags *diags);

/* All diagnostics in the order of their positions (notes after their diagnostic), in the form
 *     office.yaml:14:9: error: unknown key 'adresses' in an interface; did you mean 'addresses'?
 *       14 |         adresses: [10.0.0.1/24]
 *          |         ^^^^^^^^
 * Lines end at LF, CR or CR LF; a byte order mark is not a column. Of a long line the part around the caret is
 * shown. If some diagnostics were not kept, the last line says how many. "" if there are none; otherwise the text
 * ends in a newline. Apart from colours, nothing in it controls a terminal: control characters are shown as spaces, `?` or
 * escapes. The caller frees the text with free(). */
char *diags_format(const struct diags *diags, bool color);

/* One diagnostic without the excerpt and without a newline: "office.yaml:14:9: error: …". The caller frees. */
char *diag_format_line(const struct diags *diags, const struct diag *diag);

/* The name that a user may have meant: within a small edit distance, ignoring case, or another program's word for
 * it. The candidates are passed to suggest() one by one. */
struct suggestion {
	const char *near;   /* the best candidate so far, or NULL */
	const char *advice; /* without near: what to do instead, or NULL */
	const char *text;
	size_t size, distance, synonym;
};
struct suggestion suggest_for(const char *text);
/* The same for a key of something ("an interface") or for "a verb", which may belong elsewhere (other_words.h). */
struct suggestion suggest_for_in(const char *text, const char *where);
void suggest(struct suggestion *s, const char *name);

/* Adds the error "FORMAT; did you mean 'NEAR'?"; if there is no suggestion, "FORMAT; ADVICE" or "FORMAT; OTHERWISE"
 * (otherwise NULL: only "FORMAT"). */
void diag_unknown(struct diags *diags, struct position position, const struct suggestion *s, const char *otherwise,
		  const char *format, ...) _printf_(5, 6);

void diags_done(struct diags *diags);
