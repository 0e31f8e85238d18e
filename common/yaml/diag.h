/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every diagnostic about a file that a person wrote: collected, then shown all together, each with its place
 * and the line under a caret. Nothing here prints; diags_format() gives text to whoever does.
 */
#pragma once

#include "base/arena.h"
#include "base/vec.h"

/* A place in a source file. Lines and columns count from 1, columns in characters; line 0: no place known.
 * `width` is how many columns the caret line underlines (at least 1). */
struct position {
	uint32_t line;
	uint16_t column;
	uint8_t width;
	uint8_t source; /* index into diags.sources */
};

/* A file as it was read; the text must outlive the diags that refer to it (it need not end in NUL). */
struct source_text {
	const char *name; /* as the user wrote it; shown before the place */
	const char *text;
	size_t size;
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
};

/* Zeroed is empty. Keeps the first DIAGS_MAX errors and the first DIAGS_MAX warnings with their notes; what
 * follows is only counted, so that a hostile file cannot fill the memory. */
struct diags {
	struct arena arena;
	vec(struct diag) list;
	vec(struct source_text) sources;
	size_t n_errors, n_warnings; /* all of them, kept or not */
	bool dropping;               /* the latest was not kept, so its notes are not either */
};

enum { DIAGS_MAX = 200 };

/* Registers a file and returns its index for mark.source; at most 255 files. The name must live as long as
 * the text. */
uint8_t diags_add_source(struct diags *diags, struct source_text source);

void diag_error(struct diags *diags, struct position position, const char *format, ...) _printf_(3, 4);
void diag_warning(struct diags *diags, struct position position, const char *format, ...) _printf_(3, 4);
void diag_note(struct diags *diags, struct position position, const char *format, ...) _printf_(3, 4);

/* From now on every warning is an error, for whoever wants none. */
void diags_be_strict(struct diags *diags);

/* All of them in the order of their places (a note stays behind its diagnostic), in the form
 *     office.yaml:14:9: error: unknown key 'adresses' in an interface; did you mean 'addresses'?
 *       14 |         adresses: [10.0.0.1/24]
 *          |         ^^^^^^^^
 * Lines end at LF, CR or CR LF; a byte order mark is no column. Of a long line the part around the caret is
 * shown. Where some were not kept, the last line says how many. "" when there are none; otherwise the text ends
 * in a line break. Nothing in it acts on a terminal but the colours: control bytes are shown as spaces, `?` or
 * escapes. The caller frees the text with free(). */
char *diags_format(const struct diags *diags, bool color);

/* One of them without the excerpt and without a line break: "office.yaml:14:9: error: …". The caller frees. */
char *diag_format_line(const struct diags *diags, const struct diag *diag);

/* The name that a user may have meant by a text: a small edit distance, whatever the case, or another program's word for it.
 * The names in question are offered one after the other. */
struct suggestion {
	const char *near; /* so far, or NULL; as it was offered */
	const char *text;
	size_t size, distance, synonym;
};
struct suggestion suggest_for(const char *text);
void suggest(struct suggestion *s, const char *name);

/* The error "FORMAT; did you mean 'NEAR'?", or where nothing is near, "FORMAT; OTHERWISE" (NULL: only "FORMAT"). */
void diag_unknown(struct diags *diags, struct position position, const struct suggestion *s, const char *otherwise,
		  const char *format, ...) _printf_(5, 6);

void diags_done(struct diags *diags);
