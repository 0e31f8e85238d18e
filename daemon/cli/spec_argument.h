/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The argument SPEC of a verb: which file it means, and the spec in it.
 */
#pragma once

#include "cli/options.h"
#include "files/spec_file.h"

enum { LOAD_QUIET = 1 << 16 }; /* in addition to enum spec_file_flags: do not print warnings */

/* The file that the argument SPEC means: a NAME that is not a file means TOPOD_CONFIG_DIR/NAME.yaml, if that exists. The
 * caller frees. */
char *spec_argument(const char *argument);
/* If it does not mean any file, says so below the error. */
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
