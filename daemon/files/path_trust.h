/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way that a path takes to a file: each folder and each link on it, as the kernel follows them. Whoever may change one of
 * these can have another file read in the place of the one that is meant.
 *
 * It knows neither which file that is nor what is done about it.
 */
#pragma once

#include <sys/stat.h>

#include "base/base.h"

/* May anybody write to it but root, the caller and the owner who is given? Root's and the caller's own may be open to a group,
 * which somebody must have wanted. */
bool path_trust_is_open(const struct stat *st, uid_t owner);

/* Whose the open file is: its owner; of a file of root's or the caller's, whoever owns the folder in which it lies. */
uid_t path_trust_owner(int fd);

/* -EPERM where somebody else may change the way of path to the file that is open: *ret_where, which the caller frees, is what
 * he may write to. Another -errno where it cannot be followed; -ESTALE where it leads to another file by now. 0. */
int path_trust_check(const char *path, int fd, uid_t owner, char **ret_where);
