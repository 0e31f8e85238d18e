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
	EXIT_NOT_RUNNING = 3, /* of `status`, as are the next ones; 3 as systemctl(1) and LSB have it */
	EXIT_DEGRADED = 4,
	EXIT_CONVERGING = 5,
	EXIT_PAUSED = 6,
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
int verb_list(const struct options *options);
int verb_show(const struct options *options);
int verb_init(const struct options *options);
int verb_version(const struct options *options);
int verb_sandbox(const struct options *options);
int verb_exec(const struct options *options);
int verb_schema(const struct options *options);

/* Prints "topod: …" on standard error. */
void complain(const char *format, ...) _printf_(1, 2);
/* The same, with "; did you mean '…'?" if something is near. */
void complain_unknown(const struct suggestion *meant, const char *format, ...) _printf_(2, 3);
/* Prints a hint below it. */
void hint(const char *format, ...) _printf_(1, 2);
/* Prints all diagnostics on standard error. */
void print_diags(const struct diags *diags, const struct options *options);
/* Prints warnings, one a line. */
void print_warnings(const char *lines);
/* Applies a spec, as `apply` does, but prints only what goes wrong. Returns the exit code. */
int apply_quietly(struct loaded_spec *loaded, const struct options *options);
/* Prints a JSON value and a line break on standard output, and frees it. */
void print_json(json_t *json);

bool color_on(const struct options *options, FILE *stream);

enum { LOAD_QUIET = 1 << 16 }; /* in addition to enum spec_file_flags: do not print warnings */

/* The file that the argument SPEC means: a NAME that is no file is TOPOD_CONFIG_DIR/NAME.yaml, if that exists. The caller
 * frees. */
char *spec_argument(const char *argument);
/* If it means no file at all, says so below the error. */
void hint_about_argument(const char *argument);
/* Loads a spec, by the argument that means it, and prints its diagnostics. */
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

/* Ignores the signals that would end topod where a write can fail instead; restore_process() undoes that and raise_limits() for
 * a command. */
void ignore_signals(void);
void restore_process(void);

/* Allows as many open descriptors as possible, because a topology may need one per namespace. */
void raise_limits(void);
