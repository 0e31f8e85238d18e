/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads a topology file: from its path to the desired state. It adds what the language takes from the machine: the names
 * of routing tables, the machine's id, and the file's name as the topology's name.
 *
 * The drop-ins of DIR/NAME.yaml are the files DIR/NAME.d/X.yaml; they are merged into it in the order of their names. It
 * decides which files are read, and does not know what is in them. Every problem is a diagnostic, also a missing file.
 */
#pragma once

#include <sys/stat.h>

#include "language/spec.h"

enum spec_file_flags {
	SPEC_FILE_STDIN = 1 << 0,   /* "-" is standard input, which has no drop-ins */
	SPEC_FILE_TRUSTED = 1 << 1, /* refuse files that others can write to: this one will change the machine */
	SPEC_FILE_EXPAND = 1 << 3,  /* also write out what the file abbreviates */
	SPEC_FILE_CHECK = 1 << 4,   /* only checked, perhaps on another machine: keys need not be readable */
	SPEC_FILE_NAME = 1 << 2,    /* read the topology's name only; the spec stays empty */
};

enum { SPEC_DROPINS_MAX = 100 };

struct spec_text {
	char *name; /* the path as the user wrote it; of a drop-in, derived from that */
	char *text;
	size_t size;
};

/* What a file or directory looked like before it was read. */
struct spec_sighting {
	char *path; /* NULL: standard input */
	bool there;
	struct stat st;
};

/* Keep it as long as positions of the spec are shown: the diagnostics refer to the texts of the files. */
struct loaded_spec {
	char *name;                  /* the path of the file, as the user wrote it */
	uid_t owner;                 /* trusted for the file, its drop-ins and their directories: path_trust_owner() */
	vec(struct spec_text) files; /* the file, then its drop-ins; the index is position.source */
	struct diags diags;
	struct spec spec;
	struct text written_out;        /* with SPEC_FILE_EXPAND, if it is valid: the file and its drop-ins, written out */
	vec(struct spec_sighting) seen; /* only while loading */
};

/* Loads the file and its drop-ins. If one changes meanwhile, all are read again, so that no half-written state counts; if
 * that goes on, it is an error. True if they are a valid spec, perhaps with warnings in ret->diags. False if they are not
 * or cannot be read; then ret->diags has at least one error. Free with loaded_spec_done() in any case. */
bool spec_file_load(const char *path, unsigned flags, struct loaded_spec *ret);
void loaded_spec_done(struct loaded_spec *loaded);
#define _cleanup_loaded_spec_ _cleanup_(loaded_spec_done)

/* "office" of "/etc/topod/office.yaml"; the caller frees. */
char *spec_file_topology(const char *path);
/* "/etc/topod/office.d", where its drop-ins are; the caller frees. */
char *spec_file_dropins(const char *path);

/* The path made absolute, if the working directory is known; "-" stays. The caller frees. */
char *spec_file_absolute(const char *path);

/* Do both paths lead to the same file? "-" equals only "-". */
bool spec_file_same(const char *a, const char *b);

/* The bytes that represent this machine in the MAC addresses that topod computes; unchanged if the machine has no id. */
void spec_file_machine_id(uint8_t ret[16]);
