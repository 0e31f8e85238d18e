/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder on the way must not be open to others, or somebody could take what the next name leads to for another thing. Only
 * where it is sticky may it be: names in there are their owners' alone, and so it counts whose the next one is.
 *
 * Each step is from the descriptor of a folder that was looked at to a name in it, and what that leads to is not looked
 * up a second time.
 */
#include "files/path_trust.h"

#include <fcntl.h>
#include <limits.h>

enum { LINKS_MAX = 40 }; /* as the kernel has it */

struct way {
	int folder; /* that was reached, … */
	char *rest; /* … and the names from there on, … */
	char *at;   /* … of which these are not taken yet */
	int n_links;
	uid_t owner;
};

static bool is_trusted(uid_t uid, uid_t owner) {
	return uid == 0 || uid == geteuid() || uid == owner;
}

static bool is_open_to_all(const struct stat *st) {
	return st->st_mode & S_IWOTH || (st->st_mode & S_IWGRP && st->st_uid != 0 && st->st_uid != geteuid());
}

bool path_trust_is_open(const struct stat *st, uid_t owner) {
	return is_open_to_all(st) || !is_trusted(st->st_uid, owner);
}

static char *path_of(int fd) {
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", fd);

	return realpath(link, NULL);
}

uid_t path_trust_owner(int fd) {
	_cleanup_free_ char *path = path_of(fd);
	char *slash = path ? strrchr(path, '/') : NULL;
	struct stat st = {}, folder = {};

	if (fstat(fd, &st) < 0 || (st.st_uid != 0 && st.st_uid != geteuid()) || !slash)
		return st.st_uid;
	slash[slash == path] = '\0';
	return stat(path, &folder) < 0 ? st.st_uid : folder.st_uid;
}

static void way_done(struct way *way) {
	closep(&way->folder);
	free(way->rest);
}

static int enter(struct way *way, int parent, const char *name, int flags) {
	int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);

	if (fd < 0)
		return -errno;
	closep(&way->folder);
	way->folder = fd;
	return 0;
}

/* The names from where the path begins. */
static int begin(struct way *way, const char *path, const char *behind) {
	char *rest = xasprintf("%s/%s", path, behind);

	free(way->rest);
	way->rest = way->at = rest;
	return *path == '/' ? enter(way, AT_FDCWD, "/", 0) : 0;
}

static int follow_link(struct way *way, const char *name) {
	char target[PATH_MAX];
	ssize_t n = readlinkat(way->folder, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return ++way->n_links > LINKS_MAX ? -ELOOP : begin(way, target, way->at ? way->at : "");
}

/* May somebody else change what the name in this folder leads to? */
static bool may_change(const struct way *way, const struct stat *folder, const struct stat *entry) {
	if (!path_trust_is_open(folder, way->owner))
		return false;
	return !(folder->st_mode & S_ISVTX) || !is_trusted(folder->st_uid, way->owner) ||
	       !is_trusted(entry->st_uid, way->owner);
}

/* 1: there; 0: nearer; -errno. */
static int step(struct way *way, const char *name, const struct stat *file) {
	struct stat folder, entry;

	if (fstat(way->folder, &folder) < 0 || fstatat(way->folder, name, &entry, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (may_change(way, &folder, &entry))
		return -EPERM;
	if (S_ISLNK(entry.st_mode))
		return follow_link(way, name);
	if (S_ISDIR(entry.st_mode))
		return enter(way, way->folder, name, O_NOFOLLOW);
	return entry.st_dev == file->st_dev && entry.st_ino == file->st_ino ? 1 : -ESTALE;
}

int path_trust_check(const char *path, int fd, uid_t owner, char **ret_where) {
	_cleanup_(way_done) struct way way = { .folder = -1, .owner = owner };
	struct stat file;
	char *name;
	int r = fstat(fd, &file) < 0 ? -errno : enter(&way, AT_FDCWD, ".", 0);

	if (r == 0)
		r = begin(&way, path, "");
	while (r == 0 && (name = strsep(&way.at, "/")))
		r = *name ? step(&way, name, &file) : 0;
	if (r == -EPERM)
		*ret_where = path_of(way.folder);
	return r > 0 ? 0 : r == 0 ? -ESTALE : r;
}
