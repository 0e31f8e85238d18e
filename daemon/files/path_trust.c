/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No directory on the path may be writable by others, or they could replace the entry that the path goes on with. A sticky
 * directory may be writable, because only an entry's owner can replace it there; then the owner of the entry must be
 * trusted.
 *
 * The path is followed as the kernel does, one name at a time. Each step goes from the descriptor of a checked directory
 * to a name in it, and nothing is looked up twice, so that nothing can change between check and use.
 */
#include "files/path_trust.h"

#include <fcntl.h>
#include <limits.h>

enum { LINKS_MAX = 40 }; /* MAXSYMLINKS in include/linux/namei.h */

struct walk {
	int dir;    /* the directory that was reached */
	char *rest; /* the names that follow it, owned by us … */
	char *at;   /* … and the part of them that is still to be followed */
	int n_links;
	uid_t owner;
};

/* Does the process run in the machine's first user namespace? See user_namespaces(7) for its line. */
static bool has_all_users(void) {
	_cleanup_fclose_ FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned inside, outside, n;

	return !f || fscanf(f, "%u %u %u", &inside, &outside, &n) != 3 || (!inside && !outside && n == UINT32_MAX);
}

/* In a user namespace (a sandbox) the machine's root has no number. There the owner of "/" counts as root, although all
 * users without a number look the same: the process has only the rights of the user who made the namespace. */
static bool is_root(uid_t uid) {
	struct stat top;

	return uid == 0 || (!has_all_users() && stat("/", &top) == 0 && uid == top.st_uid);
}

static bool is_trusted(uid_t uid, uid_t owner) {
	return uid == geteuid() || uid == owner || is_root(uid);
}

bool path_trust_is_open(const struct stat *st, uid_t owner) {
	bool mine = st->st_uid == geteuid() || is_root(st->st_uid);

	return st->st_mode & S_IWOTH || (st->st_mode & S_IWGRP && !mine) || !is_trusted(st->st_uid, owner);
}

static char *path_of(int fd) {
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", fd);

	return realpath(link, NULL);
}

uid_t path_trust_owner(int fd) {
	_cleanup_free_ char *path = path_of(fd);
	char *slash = path ? strrchr(path, '/') : NULL;
	struct stat st = {}, dir = {};

	if (fstat(fd, &st) < 0 || (!is_root(st.st_uid) && st.st_uid != geteuid()) || !slash)
		return st.st_uid;
	slash[slash == path] = '\0';
	return stat(path, &dir) < 0 ? st.st_uid : dir.st_uid;
}

static void walk_done(struct walk *walk) {
	closep(&walk->dir);
	free(walk->rest);
}

static int enter(struct walk *walk, int parent, const char *name, int flags) {
	int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);

	if (fd < 0)
		return -errno;
	closep(&walk->dir);
	walk->dir = fd;
	return 0;
}

/* Follows `path`, and then the names in `behind`. */
static int begin(struct walk *walk, const char *path, const char *behind) {
	char *rest = xasprintf("%s/%s", path, behind);

	free(walk->rest);
	walk->rest = walk->at = rest;
	return *path == '/' ? enter(walk, AT_FDCWD, "/", 0) : 0;
}

static int follow_link(struct walk *walk, const char *name) {
	char target[PATH_MAX];
	ssize_t n = readlinkat(walk->dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return ++walk->n_links > LINKS_MAX ? -ELOOP : begin(walk, target, walk->at ? walk->at : "");
}

/* Can somebody else change what the name in this directory leads to? */
static bool may_change(const struct walk *walk, const struct stat *dir, const struct stat *entry) {
	if (!path_trust_is_open(dir, walk->owner))
		return false;
	return !(dir->st_mode & S_ISVTX) || !is_trusted(dir->st_uid, walk->owner) || !is_trusted(entry->st_uid, walk->owner);
}

/* Follows one name. 1: the file is reached; 0: not yet; -errno. */
static int step(struct walk *walk, const char *name, const struct stat *file) {
	struct stat dir, entry;

	if (fstat(walk->dir, &dir) < 0 || fstatat(walk->dir, name, &entry, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (may_change(walk, &dir, &entry))
		return -EPERM;
	if (S_ISLNK(entry.st_mode))
		return follow_link(walk, name);
	if (S_ISDIR(entry.st_mode))
		return enter(walk, walk->dir, name, O_NOFOLLOW);
	return entry.st_dev == file->st_dev && entry.st_ino == file->st_ino ? 1 : -ESTALE;
}

int path_trust_check(const char *path, int fd, uid_t owner, char **ret_where) {
	_cleanup_(walk_done) struct walk walk = { .dir = -1, .owner = owner };
	struct stat file;
	char *name;
	int r = fstat(fd, &file) < 0 ? -errno : enter(&walk, AT_FDCWD, ".", 0);

	if (r == 0)
		r = begin(&walk, path, "");
	while (r == 0 && (name = strsep(&walk.at, "/")))
		r = *name ? step(&walk, name, &file) : 0;
	if (r == -EPERM)
		*ret_where = path_of(walk.dir);
	return r > 0 ? 0 : r == 0 ? -ESTALE : r;
}
