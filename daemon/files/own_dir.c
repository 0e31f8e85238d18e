/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "files/own_dir.h"

#include <fcntl.h>

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

bool is_ours(const struct stat *st) {
	return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

bool own_dir_leads_to(int dir, const char *name, const struct stat *st) {
	struct stat now;

	return fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

int own_dir_check(int fd) {
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return is_ours(&st) ? 0 : -EPERM;
}

int own_dir_open(int parent, const char *name, int *ret_fd) {
	_cleanup_close_ int fd = openat(parent, name, DIR_FLAGS);
	int r;

	if (fd < 0)
		return errno == ELOOP ? -ENOTDIR : -errno;
	r = own_dir_check(fd);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

/* Everybody may list it, even if the umask says otherwise. */
int own_dir_make(int parent, const char *name, int *ret_fd) {
	bool made = mkdirat(parent, name, 0755) == 0;
	int r;

	if (!made && errno != EEXIST)
		return -errno;
	r = own_dir_open(parent, name, ret_fd);
	if (r == 0 && made && fchmod(*ret_fd, 0755) < 0)
		return -errno;
	return r;
}
