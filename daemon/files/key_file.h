/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the secret keys whose paths are in a topology (struct key_file), once the topology's files are read.
 *
 * It decides which key files are acceptable. It does not know what a key is for, and shows none: messages have the path.
 */
#pragma once

#include "files/spec_file.h"

/* Fills in the keys of the spec. A problem is a diagnostic at the place where the path is written: an error, or a warning if
 * `flags` has SPEC_FILE_CHECK, which also accepts a file that the caller may not read. Permissions that are too wide are an
 * error only with SPEC_FILE_TRUSTED, and else a warning. */
void key_files_read(struct loaded_spec *loaded, unsigned flags);
