/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "files/text_file.h"

const char *text_file_read(struct arena *arena, int fd, size_t max, int *ret_error) {
	_cleanup_free_ char *text = xmalloc(max + 1);
	size_t n = 0;

	while (n < max) {
		ssize_t got = read(fd, text + n, max - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*ret_error = -errno;
			return NULL;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret_error = 0;
	return arena_strdup(arena, text);
}

int text_file_write(int fd, const char *text, int cut) {
	size_t size = strlen(text);
	ssize_t n;

	do
		n = write(fd, text, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (size_t)n < size ? cut : 0;
}
