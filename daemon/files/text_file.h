/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files as texts. */
#pragma once

#include "base/arena.h"

/* The whole file, of at most max bytes, as a text in arena; a NUL ends it. NULL, and -errno in *ret_error. */
const char *text_file_read(struct arena *arena, int fd, size_t max, int *ret_error);
/* Writes the text at once. 0 or -errno; `cut` where only a part of it was taken. */
int text_file_write(int fd, const char *text, int cut);
