/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes the files /etc/netns/NAME/FILE (resolv.conf, hosts), which `ip netns exec NAME` shows as /etc/FILE.
 *
 * It owns the paths and their permissions. It does not know what the text means, nor any object.
 */
#pragma once

#include "base/arena.h"

/* The whole file, as a text in arena; empty if the name is not that of a regular file. NULL and 0 in *ret_error if there is
 * no file or the directory belongs to somebody else (writing reports that); NULL and -errno if it cannot be read. */
const char *etc_file_read(struct arena *arena, const char *ns, const char *file, int *ret_error);
/* Writes all of it or nothing. 0 or -errno: -EEXIST if the name is taken and `replace` is not set. */
int etc_file_write(const char *ns, const char *file, const char *content, bool replace);
/* Removes the file, and its directory if that is empty then. 0 or -errno. */
int etc_file_remove(const char *ns, const char *file);
/* Removes a temporary file that a crash left, and the directory if that is empty then. */
void etc_file_clear(const char *ns, const char *file);
