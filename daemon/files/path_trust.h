/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a path safe? A file is only as trustworthy as the directories leading to it: a user who can write to one of them, or
 * replace a symbolic link on the way, can make the path lead to another file.
 *
 * It checks permissions and owners. It does not know which file it is, nor what happens if the answer is no.
 */
#pragma once

#include <sys/stat.h>

#include "base/base.h"

/* Can anybody write to it except root, the caller and the given owner? A file of root or of the caller may be
 * group-writable, because only they can have allowed that. */
bool path_trust_is_open(const struct stat *st, uid_t owner);

/* Who the open file belongs to: its owner or, if that is root or the caller, the owner of the directory that it is in. */
uid_t path_trust_owner(int fd);

/* 0 if only trusted users can change where the path leads. -EPERM if somebody else can: *ret_where, which the caller
 * frees, is the directory that they can write to. -ESTALE if the path leads to another file than the open one by now;
 * other -errno if it cannot be followed. */
int path_trust_check(const char *path, int fd, uid_t owner, char **ret_where);
