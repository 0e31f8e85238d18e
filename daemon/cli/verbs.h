/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the command line, and what they share: exit codes and output.
 *
 * Results go to standard output, everything else to standard error. Each verb returns its exit code.
 */
#pragma once

#include <jansson.h>

#include "cli/options.h"
#include "session/topology.h"
#include "files/spec_file.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_DIFFERENCES = 2, /* of `plan` */
	EXIT_USAGE = 64,
	EXIT_SPEC = 78, /* the spec is invalid */
};

struct verb {
	const char *name, *args; /* "plan", "SPEC" */
	const char *summary;     /* one line for the list of verbs */
	const char *help;        /* the rest of `topod help VERB`, whole lines */
	unsigned options;        /* enum option_bit */
	size_t min_args, max_args;
	int (*run)(const struct options *options);
	bool runs_command; /* what follows max_args, or `--`, is the command */
};

/* Ended by a NULL name. */
extern const struct verb verbs[];
const struct verb *verb_find(const char *name);
/* The usage of topod, or of one verb. */
void verbs_help(FILE *to);
void verb_help(const struct verb *verb, FILE *to);

int verb_run(const struct options *options);
int verb_check(const struct options *options);
int verb_plan(const struct options *options);
int verb_apply(const struct options *options);
int verb_down(const struct options *options);
int verb_status(const struct options *options);
int verb_reload(const struct options *options);
int verb_pause(const struct options *options);
int verb_resume(const struct options *options);
int verb_watch(const struct options *options);
int verb_graph(const struct options *options);
int verb_exec(const struct options *options);
int verb_schema(const struct options *options);

/* Prints "topod: …" on standard error. */
void complain(const char *format, ...) _printf_(1, 2);
/* Prints a hint below it. */
void hint(const char *format, ...) _printf_(1, 2);
/* Prints all diagnostics on standard error. */
void print_diags(const struct diags *diags, const struct options *options);
/* Prints a JSON value and a line break on standard output, and frees it. */
void print_json(json_t *json);

bool color_on(const struct options *options, FILE *stream);

enum { LOAD_QUIET = 1 << 16 }; /* in addition to enum spec_file_flags: do not print warnings */

/* Loads a spec and prints its diagnostics. */
bool load_spec(const char *path, unsigned flags, const struct options *options, struct loaded_spec *ret);
/* The flags with which a verb that changes something loads its spec. */
unsigned trusted_flags(const struct options *options);

/* Namespaces and objects, for messages. */
struct spec_counts {
	size_t n_namespaces, n_objects;
};
struct spec_counts count_spec(const struct spec *spec);
/* "12 objects in 4 namespaces" */
void print_counts(const struct spec_counts *counts, struct text *out);

/* Ignores the signals that would end topod where a write can fail instead, and gives a command that the process becomes what
 * there was before. */
void ignore_signals(void);
void restore_signals(void);

/* Allows as many open descriptors as possible, because a topology may need one per namespace. */
void raise_limits(void);
