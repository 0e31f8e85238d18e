/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "files/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>

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

int text_file_replace(int dir, const char *name, mode_t mode, const char *text) {
	_cleanup_free_ char *new = xasprintf(".%s.new", name);
	_cleanup_close_ int fd = -1;
	int r;

	(void)unlinkat(dir, new, 0); /* left by a crash */
	fd = openat(dir, new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	r = fd < 0 ? -errno : text_file_write(fd, text, -EIO);
	if (r == 0 && (fchmod(fd, mode) < 0 || renameat(dir, new, dir, name) < 0))
		r = -errno;
	if (r < 0 && fd >= 0)
		(void)unlinkat(dir, new, 0);
	return r;
}
