/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Explains an errno: for one that only says that something is full, which limit was reached and where to raise it.
 *
 * It knows the limits of the machine and nothing about the operation that failed: the caller names that.
 */
#pragma once

#include <errno.h>

/* Limits of inotify. inotify_init1(2) and inotify_add_watch(2) report them as EMFILE and ENOSPC, which also stand for
 * other limits; so the caller replaces them by these. */
enum {
	WATCH_NO_INSTANCE = EUSERS,
	WATCH_NO_WATCH = ENOSR,
};

/* A clause in static memory; NULL if it would add nothing to strerror(3). */
const char *error_of_limit(int error);

/* The same, or strerror(3)'s text. */
const char *error_text(int error);
