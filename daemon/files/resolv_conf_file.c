/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file is put in place by renaming a finished one, so that nobody reads half of it. The directories leading to it must be
 * root's and no links (own_dir.h): others could have topod write elsewhere.
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
	FILE_MAX = 64 * 1024, /* nobody's resolv.conf is longer */
};

/* /etc/netns, and the namespace's folder in it; both are made where `make` is set. */
static int open_folders(const char *ns, bool make, int *ret_base, int *ret_folder) {
	int (*open_one)(int, const char *, int *) = make ? own_dir_make : own_dir_open;
	int r = open_one(AT_FDCWD, ETC_NETNS, ret_base);

	return r < 0 ? r : open_one(*ret_base, ns, ret_folder);
}

const char *resolv_conf_read(struct arena *arena, const char *ns, int *ret_error) {
	_cleanup_close_ int base = -1, folder = -1, fd = -1;

	int r = open_folders(ns, false, &base, &folder);

	if (r < 0) {
		*ret_error = r == -ENOENT || r == -ENOTDIR || r == -EPERM ? 0 : r;
		return NULL;
	}
	fd = openat(folder, RESOLV_CONF, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
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

/* A name that is taken stays whose it is: renameat() would take it from whoever was faster. Some file systems (NFS) cannot
 * refuse that, but have links. */
static int put_in_place(int folder, bool replace) {
	int r = renameat2(folder, UNFINISHED, folder, RESOLV_CONF, replace ? 0 : RENAME_NOREPLACE);

	if (r < 0 && errno == EINVAL && !replace) {
		r = linkat(folder, UNFINISHED, folder, RESOLV_CONF, 0);
		if (r == 0)
			unlinkat(folder, UNFINISHED, 0);
	}
	return r < 0 ? -errno : 0;
}

int resolv_conf_write(const char *ns, const char *content, bool replace) {
	_cleanup_close_ int base = -1, folder = -1, fd = -1;
	int r = open_folders(ns, true, &base, &folder);

	if (r < 0)
		return r;
	unlinkat(folder, UNFINISHED, 0); /* what a crash may have left */
	fd = openat(folder, UNFINISHED, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = fchmod(fd, 0644) < 0 ? -errno : text_file_write(fd, content, -ENOSPC);
	if (r == 0)
		r = put_in_place(folder, replace);
	if (r < 0)
		unlinkat(folder, UNFINISHED, 0);
	return r;
}

void resolv_conf_clear(const char *ns) {
	_cleanup_close_ int base = -1, folder = -1;

	if (open_folders(ns, false, &base, &folder) < 0)
		return;
	unlinkat(folder, UNFINISHED, 0);
	unlinkat(base, ns, AT_REMOVEDIR);
}

int resolv_conf_remove(const char *ns) {
	_cleanup_close_ int base = -1, folder = -1;
	int r = open_folders(ns, false, &base, &folder);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (unlinkat(folder, RESOLV_CONF, 0) < 0 && errno != ENOENT)
		return -errno;
	unlinkat(folder, UNFINISHED, 0); /* what a crash may have left beside it */
	unlinkat(base, ns, AT_REMOVEDIR);
	return 0;
}
