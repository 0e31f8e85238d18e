/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the files in nft's own language of which a topology has only the paths (`nft`), once the files of the topology are read.
 *
 * It decides which files these are and has libnftables load them. common/kind/nft_file.c handles their content.
 */
#pragma once

#include "files/spec_file.h"

/* Adds the content of the files to the namespaces' rulesets, and diagnostics with positions in these files. Without
 * SPEC_FILE_TRUSTED it is only a warning if this process cannot load them. flags: enum spec_file_flags. */
void nft_files_read(struct loaded_spec *loaded, unsigned flags);
