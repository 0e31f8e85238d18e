/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A finished temporary file is renamed, so that nobody reads half of it. The directories leading to it must belong to
 * root or us and must not be symbolic links (own_dir.h), or others could make topod write elsewhere.
 */
#include "files/resolv_conf_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "files/own_dir.h"
#include "files/text_file.h"

#define ETC_NETNS "/etc/netns"
#define RESOLV_CONF "resolv.conf"
#define UNFINISHED ".resolv.conf.topod"

enum {
	FILE_MAX = 64 * 1024, /* bytes; far more than resolv.conf(5) can use */
};

/* Opens /etc/netns and the namespace's directory in it; creates both if `make` is set. */
static int open_dirs(const char *ns, bool make, int *ret_base, int *ret_dir) {
	int (*open_one)(int, const char *, int *) = make ? own_dir_make : own_dir_open;
	int r = open_one(AT_FDCWD, ETC_NETNS, ret_base);

	return r < 0 ? r : open_one(*ret_base, ns, ret_dir);
}

const char *resolv_conf_read(struct arena *arena, const char *ns, int *ret_error) {
	_cleanup_close_ int base = -1, dir = -1, fd = -1;

	int r = open_dirs(ns, false, &base, &dir);

	if (r < 0) {
		*ret_error = r == -ENOENT || r == -ENOTDIR || r == -EPERM ? 0 : r;
		return NULL;
	}
	fd = openat(dir, RESOLV_CONF, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
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
static int put_in_place(int dir, bool replace) {
	int r = renameat2(dir, UNFINISHED, dir, RESOLV_CONF, replace ? 0 : RENAME_NOREPLACE);

	if (r < 0 && errno == EINVAL && !replace) {
		r = linkat(dir, UNFINISHED, dir, RESOLV_CONF, 0);
		if (r == 0)
			unlinkat(dir, UNFINISHED, 0);
	}
	return r < 0 ? -errno : 0;
}

int resolv_conf_write(const char *ns, const char *content, bool replace) {
	_cleanup_close_ int base = -1, dir = -1, fd = -1;
	int r = open_dirs(ns, true, &base, &dir);

	if (r < 0)
		return r;
	unlinkat(dir, UNFINISHED, 0); /* a crash may have left it; O_EXCL would fail */
	fd = openat(dir, UNFINISHED, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = fchmod(fd, 0644) < 0 ? -errno : text_file_write(fd, content, -ENOSPC);
	if (r == 0)
		r = put_in_place(dir, replace);
	if (r < 0)
		unlinkat(dir, UNFINISHED, 0);
	return r;
}

void resolv_conf_clear(const char *ns) {
	_cleanup_close_ int base = -1, dir = -1;

	if (open_dirs(ns, false, &base, &dir) < 0)
		return;
	unlinkat(dir, UNFINISHED, 0);
	unlinkat(base, ns, AT_REMOVEDIR);
}

int resolv_conf_remove(const char *ns) {
	_cleanup_close_ int base = -1, dir = -1;
	int r = open_dirs(ns, false, &base, &dir);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (unlinkat(dir, RESOLV_CONF, 0) < 0 && errno != ENOENT)
		return -errno;
	unlinkat(dir, UNFINISHED, 0); /* a crash may have left it */
	unlinkat(base, ns, AT_REMOVEDIR);
	return 0;
}
