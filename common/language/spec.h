/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a document to the desired state.
 *
 * The structure of the language (which section holds what) is here; values are read by the field tables. What
 * is left out is filled in (brought up, stable MAC addresses, lo), references are checked, and everything wrong is
 * reported in one run.
 */
#pragma once

#include "model/state.h"

struct spec {
	struct state state;
	const char *topology;
	bool named;               /* the file says the topology's name itself */
	const char *const *files; /* names of what it was read from, by mark.source */
	size_t n_files;
	bool remove_on_stop;
};

struct spec_options {
	const char *topology;             /* the name where the file gives none */
	const struct name_number *tables; /* rt_tables, ended by a NULL name; or NULL */
	uint8_t machine_id[16];           /* for stable MAC addresses */
};

/* Reads a source of diags into a new spec, with the sources registered behind it (drop-ins) laid over it in their order:
 * mappings are united, lists appended, and a value that contradicts an earlier file's is an error with both places.
 * False where there was an error; spec is then to be freed all the same. */
bool spec_read(struct spec *ret, struct diags *diags, uint8_t source, const struct spec_options *options);

/* Reads no more than is needed to know the topology's name: ret is an empty spec of that name. The sources are read in their
 * order, each up to its key `topology`; the first that has it counts. What stands behind it is not found fault with.
 * False where there was an error. */
bool spec_read_name(struct spec *ret, struct diags *diags, uint8_t source, const char *topology);

/* An empty desired state of that topology: what `down` converges to. */
void spec_empty(struct spec *ret, const char *topology);

/* The name of the file that the place is in, as the user wrote it; NULL where no place is known. The spec's. */
const char *spec_file_of(const struct spec *spec, struct position position);

void spec_done(struct spec *spec);
