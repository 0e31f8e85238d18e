/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an error means that says only that something is full: which limit was reached, and where it is set.
 */
#pragma once

#include <errno.h>

/* Limits of inotify. inotify_init1(2) and inotify_add_watch(2) report them as EMFILE and ENOSPC, which also stand for
 * other limits. */
enum {
	WATCH_NO_INSTANCE = EUSERS,
	WATCH_NO_WATCH = ENOSR,
};

/* A sentence without an end, in static memory; NULL where the error's own words are as good. */
const char *error_of_limit(int error);

/* The same, and else strerror(3)'s words. */
const char *error_text(int error);
