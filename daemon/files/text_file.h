/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes small files as a whole. It knows neither paths nor contents. */
#pragma once

#include <sys/types.h>

#include "base/arena.h"

/* The file, up to max bytes, as a text in arena; it ends at the first NUL byte. NULL on error, with -errno in *ret_error. */
const char *text_file_read(struct arena *arena, int fd, size_t max, int *ret_error);
/* Writes the text in one call, as /proc wants it. 0 or -errno; `cut` if only a part was written. */
int text_file_write(int fd, const char *text, int cut);
/* Replaces the file of that name by a new one with this text and mode, or creates it. 0 or -errno. */
int text_file_replace(int dir, const char *name, mode_t mode, const char *text);
