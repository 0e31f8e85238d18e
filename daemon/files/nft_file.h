/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the files in nft's own language of which a topology has only the paths (`nft`), once the files of the topology are read.
 *
 * It owns which files these are and how libnftables is made to read them. What becomes of their content is in common/kind.
 */
#pragma once

#include "files/spec_file.h"

/* Adds the content of the files to the namespaces' rulesets, and diagnostics with the place in these files. With SPEC_FILE_CHECK
 * it is only a warning if this process cannot have them read. flags: enum spec_file_flags. */
void nft_files_read(struct loaded_spec *loaded, unsigned flags);
