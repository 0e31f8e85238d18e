/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What verbs print: results go to standard output, everything else to standard error.
 */
#pragma once

#include <jansson.h>

#include "cli/options.h"
#include "yaml/diag.h"

/* Prints "topod: …" on standard error. */
void complain(const char *format, ...) _printf_(1, 2);
/* The same, with "; did you mean '…'?" if something is near. */
void complain_unknown(const struct suggestion *meant, const char *format, ...) _printf_(2, 3);
/* Prints a hint below it. */
void hint(const char *format, ...) _printf_(1, 2);
/* Prints all diagnostics on standard error. */
void print_diags(const struct diags *diags, const struct options *options);
/* Prints a sentence in lines that fit the terminal (80 columns elsewhere). They begin at the column `indent`, where the
 * cursor already is. */
void print_wrapped(FILE *to, size_t indent, const char *sentence);
/* Prints warnings, one per line. */
void print_warnings(const char *lines);
/* Prints a JSON value and a line break on standard output, and frees it. */
void print_json(json_t *json);

/* Prints a request to the kernel, and its answer, on standard error; see struct execute_hooks. */
struct change;
void print_asked(void *userdata, const struct change *change, const char *how);

/* Does the option, or else the terminal and NO_COLOR, want colors on this stream? */
bool color_on(const struct options *options, FILE *stream);
