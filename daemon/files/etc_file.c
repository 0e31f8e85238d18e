/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A finished temporary file is renamed, so that nobody reads half of it. The directories leading to it must belong to
 * root or us and must not be symbolic links (own_dir.h), or others could make topod write elsewhere.
 */
#include "files/etc_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "files/own_dir.h"
#include "files/text_file.h"

#define ETC_NETNS "/etc/netns"

enum {
	FILE_MAX = 8 * 1024 * 1024, /* bytes; a hosts file of 100,000 lines has about 3 MiB */
};

/* The temporary file. */
struct unfinished {
	char name[64];
};

static struct unfinished unfinished_of(const char *file) {
	struct unfinished ret;

	snprintf(ret.name, sizeof(ret.name), ".%s.topod", file);
	return ret;
}

/* Opens /etc/netns and the namespace's directory in it; creates both if `make` is set. */
static int open_dirs(const char *ns, bool make, int *ret_base, int *ret_dir) {
	int (*open_one)(int, const char *, int *) = make ? own_dir_make : own_dir_open;
	int r = open_one(AT_FDCWD, ETC_NETNS, ret_base);

	return r < 0 ? r : open_one(*ret_base, ns, ret_dir);
}

const char *etc_file_read(struct arena *arena, const char *ns, const char *file, int *ret_error) {
	_cleanup_close_ int base = -1, dir = -1, fd = -1;

	int r = open_dirs(ns, false, &base, &dir);

	if (r < 0) {
		*ret_error = r == -ENOENT || r == -ENOTDIR || r == -EPERM ? 0 : r;
		return NULL;
	}
	fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		*ret_error = errno == ENOENT || errno == ELOOP || errno == ENXIO ? 0 : -errno;
		return errno == ELOOP || errno == ENXIO ? "" : NULL; /* a link; a socket */
	}
	struct stat st;
	*ret_error = fstat(fd, &st) < 0 ? -errno : 0;
	if (*ret_error < 0)
		return NULL;
	if (!S_ISREG(st.st_mode))
		return "";
	return text_file_read(arena, fd, MIN((size_t)st.st_size, (size_t)FILE_MAX), ret_error);
}

/* A plain renameat() would overwrite a file that somebody created meanwhile. Where the file system does not know
 * RENAME_NOREPLACE (NFS), linkat() does the same. */
static int put_in_place(int dir, const char *from, const char *to, bool replace) {
	int r = renameat2(dir, from, dir, to, replace ? 0 : RENAME_NOREPLACE);

	if (r < 0 && errno == EINVAL && !replace) {
		r = linkat(dir, from, dir, to, 0);
		if (r == 0)
			unlinkat(dir, from, 0);
	}
	return r < 0 ? -errno : 0;
}

int etc_file_write(const char *ns, const char *file, const char *content, bool replace) {
	struct unfinished unfinished = unfinished_of(file);
	_cleanup_close_ int base = -1, dir = -1, fd = -1;
	int r = open_dirs(ns, true, &base, &dir);

	if (r < 0)
		return r;
	unlinkat(dir, unfinished.name, 0); /* a crash may have left it; O_EXCL would fail */
	fd = openat(dir, unfinished.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = fchmod(fd, 0644) < 0 ? -errno : text_file_write(fd, content, -ENOSPC);
	if (r == 0)
		r = put_in_place(dir, unfinished.name, file, replace);
	if (r < 0)
		unlinkat(dir, unfinished.name, 0);
	return r;
}

void etc_file_clear(const char *ns, const char *file) {
	struct unfinished unfinished = unfinished_of(file);
	_cleanup_close_ int base = -1, dir = -1;

	if (open_dirs(ns, false, &base, &dir) < 0)
		return;
	unlinkat(dir, unfinished.name, 0);
	unlinkat(base, ns, AT_REMOVEDIR);
}

int etc_file_remove(const char *ns, const char *file) {
	struct unfinished unfinished = unfinished_of(file);
	_cleanup_close_ int base = -1, dir = -1;
	int r = open_dirs(ns, false, &base, &dir);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (unlinkat(dir, file, 0) < 0 && errno != ENOENT)
		return -errno;
	unlinkat(dir, unfinished.name, 0); /* a crash may have left it */
	unlinkat(base, ns, AT_REMOVEDIR);
	return 0;
}
