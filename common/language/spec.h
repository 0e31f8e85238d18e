/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a document to the desired state.
 *
 * The steps are in spec_read() (spec.c). Values are read by the field tables; keys that are left out are filled in
 * (interfaces are brought up, MAC addresses, lo); references are checked; and all mistakes are reported in one run.
 */
#pragma once

#include "base/text.h"
#include "model/state.h"

struct spec {
	struct state state;
	const char *topology;
	bool named;               /* the file contains the topology's name */
	const char *const *files; /* names of the files that were read, by position.source */
	size_t n_files;
	bool remove_on_stop;
};

struct spec_options {
	const char *topology;                                              /* the name if the file has none */
	const struct name_number *tables;                                  /* rt_tables, ended by a NULL name; or NULL */
	bool (*find_account)(const char *name, bool group, uint32_t *ret); /* see struct parse; or NULL */
	uint8_t machine_id[16];                                            /* for stable MAC addresses */
	struct text *written_out; /* if not NULL, the merged file without abbreviations is added, with its name */
};

/* Reads a source of diags, merged with the sources registered after it (drop-ins, in this order), into a new spec:
 * mappings are merged, lists appended, and a value that contradicts an earlier file is an error with both places.
 * False after an error; the spec must be freed in any case. */
bool spec_read(struct spec *ret, struct diags *diags, uint8_t source, const struct spec_options *options);

/* Reads only what is needed for the topology's name: ret is an empty spec of that name. The sources are read in
 * order, each up to its key `topology`; the first that has the key counts. Mistakes after it are not reported. False
 * after an error. */
bool spec_read_name(struct spec *ret, struct diags *diags, uint8_t source, const char *topology);

/* An empty desired state of the topology, to which `down` converges. */
void spec_empty(struct spec *ret, const char *topology);

/* The name of the file that contains the position, as the user wrote it; NULL: the position is unknown. Owned by the
 * spec. */
const char *spec_file_of(const struct spec *spec, struct position position);

void spec_done(struct spec *spec);
