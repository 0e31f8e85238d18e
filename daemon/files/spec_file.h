/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A topology file from its path to the desired state, with what the language leaves to the machine: the names
 * of routing tables, the machine's id, and the file's own name as the topology's.
 *
 * Beside DIR/NAME.yaml stand its drop-ins, the files DIR/NAME.d/X.yaml: they are laid over it in the order of their names. It owns
 * which files are read at all, and refuses to know what is in them. Whatever is wrong is a diagnostic, also that there is
 * no such file.
 */
#pragma once

#include <sys/stat.h>

#include "language/spec.h"

enum spec_file_flags {
	SPEC_FILE_STDIN = 1 << 0,   /* "-" is standard input, which has no drop-ins */
	SPEC_FILE_TRUSTED = 1 << 1, /* what others may write to is refused: the file will change the machine */
	SPEC_FILE_NAME = 1 << 2,    /* only the topology's name is wanted: nothing behind it is read, the spec is empty */
};

enum { SPEC_DROPINS_MAX = 100 };

struct spec_text {
	char *name; /* as the user wrote it, or as it follows from that */
	char *text;
	size_t size;
};

/* A file or directory as it was before it was read. */
struct spec_sighting {
	char *path; /* NULL: standard input */
	bool there;
	struct stat st;
};

/* The diagnostics stay as long as the spec's places are to be shown; they refer to the files. */
struct loaded_spec {
	char *name;                  /* of the file itself, as the user wrote it */
	uid_t owner;                 /* whose it is, and so all that belongs to it: see path_trust_owner() */
	vec(struct spec_text) files; /* by mark.source: the file, then its drop-ins */
	struct diags diags;
	struct spec spec;
	vec(struct spec_sighting) seen; /* while it is being loaded */
};

/* Files that change while they are read are read again, so that no half-written state counts; if they keep changing, that is
 * an error. True where the file and its drop-ins are a valid spec; warnings may be in ret->diags all the same. False where they are
 * not, or one cannot be read: then there is at least one error in ret->diags. Freed with loaded_spec_done() in any case. */
bool spec_file_load(const char *path, unsigned flags, struct loaded_spec *ret);
void loaded_spec_done(struct loaded_spec *loaded);
#define _cleanup_loaded_spec_ _cleanup_(loaded_spec_done)

/* "office" of "/etc/topod/office.yaml"; the caller frees. */
char *spec_file_topology(const char *path);

/* A path that means the same from any folder, as far as that can be told; "-" stays. The caller frees. */
char *spec_file_absolute(const char *path);

/* Are they one file, perhaps by two names? "-" is only ever itself. */
bool spec_file_same(const char *a, const char *b);
