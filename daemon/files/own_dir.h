/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories that nobody else can write to: everything in them was put there by us or by root, and no name in them changes
 * its meaning between two calls.
 *
 * It does not know which directories exist or what they contain. Directories of root count as ours, so that a supervisor can
 * create them for a daemon that runs as another user.
 */
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include "base/base.h"

/* Does the file or directory belong to us or to root, and can nobody else write to it? */
bool is_ours(const struct stat *st);

/* Does the name in the directory still lead to this file, or has another replaced it? */
bool own_dir_leads_to(int dir, const char *name, const struct stat *st);

/* 0 if the open file is ours; -EPERM if not; other -errno. */
int own_dir_check(int fd);

/* Opens the directory NAME in parent (with AT_FDCWD a path, of which only the last part is checked). The caller closes
 * *ret_fd. 0 or -errno: -ENOTDIR for a link or something else, -EPERM if it is not ours. */
int own_dir_open(int parent, const char *name, int *ret_fd);

/* The same, but creates a missing directory with mode 0755, regardless of the umask. */
int own_dir_make(int parent, const char *name, int *ret_fd);

static inline void closedirp(DIR **dir) {
	if (*dir)
		closedir(*dir);
}
#define _cleanup_closedir_ _cleanup_(closedirp)
