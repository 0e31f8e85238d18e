/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folders that nobody else may write to: what is found in them was put there by us or by root, and a name stays what it
 * was between two steps.
 *
 * It knows neither which folders there are nor what is in them. Root's count as ours, so that a supervisor may make them
 * for a daemon with a user of its own.
 */
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include "base/base.h"

/* Does a file or folder belong to us or to root, and may nobody else write to it? */
bool is_ours(const struct stat *st);

/* Does the name in the folder lead to this file, and not to another that was put there since? */
bool own_dir_leads_to(int folder, const char *name, const struct stat *st);

/* -EPERM where what is open is not ours. 0 or -errno. */
int own_dir_check(int fd);

/* Opens the folder NAME in parent (AT_FDCWD: a path, of which only the last part is guarded); *ret_fd is the caller's.
 * -ENOTDIR where it is a link or no folder, -EPERM where it is not ours. 0 or -errno. */
int own_dir_open(int parent, const char *name, int *ret_fd);

/* The same, but makes it where it is missing, with the mode 0755 whatever the umask is. */
int own_dir_make(int parent, const char *name, int *ret_fd);

static inline void closedirp(DIR **dir) {
	if (*dir)
		closedir(*dir);
}
#define _cleanup_closedir_ _cleanup_(closedirp)
