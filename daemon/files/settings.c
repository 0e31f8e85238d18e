/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/sys shows each namespace its own settings under the same names. The kernel keeps an entry for each of them in
 * one chain, folder by folder, and every look-up walks along it: in the thousandth namespace that takes ten times
 * as long as the setting itself. So where many are visited it is through a procfs of topod's own, which is thrown
 * away before its chains become long. It is mounted nowhere. Where the kernel gives none (a sandbox, one before 5.2)
 * the machine's /proc does as well, only more slowly.
 */
#include "files/settings.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "model/field.h"
#include "files/own_dir.h"

#define PROC "/proc"
#define ETC_NETNS "/etc/netns"
#define RESOLV_CONF "resolv.conf"
#define UNFINISHED ".resolv.conf.topod"

enum {
	FILE_MAX = 64 * 1024, /* nobody's resolv.conf is longer */
	SETTING_MAX = 1024,
	SPARED_VISITS = 4, /* for so few the making does not pay */
	VISITS_PER_PROC = 64,
};

/* The whole file as text in arena, NULL and -errno; a NUL in it ends the text. */
static const char *read_all(struct arena *arena, int fd, size_t max, int *ret_error) {
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

/* At once; `cut` is the error where only a part of it was taken. */
static int write_all(int fd, const char *text, int cut) {
	size_t size = strlen(text);
	ssize_t n;

	do
		n = write(fd, text, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (size_t)n < size ? cut : 0;
}

static int open_proc(void) {
	_cleanup_close_ int context = fsopen("proc", FSOPEN_CLOEXEC);

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC, 0);
}

void settings_visit(struct settings *settings) {
	if (settings->n_namespaces++ % VISITS_PER_PROC != SPARED_VISITS)
		return;
	closep(&settings->proc);
	settings->proc = open_proc();
}

void settings_done(struct settings *settings) {
	closep(&settings->proc);
	*settings = SETTINGS_NONE;
}

/* Names from the file and from the ledger are in the path. */
static int open_setting(const struct settings *settings, const char *path, int flags) {
	char full[sizeof(PROC "/sys/") + 256];

	if (!path_stays_below(path))
		return -EINVAL;
	if ((size_t)snprintf(full, sizeof(full), PROC "/sys/%s", path) >= sizeof(full))
		return -ENAMETOOLONG;
	flags |= O_CLOEXEC | O_NOCTTY;
	int fd = settings->proc < 0 ? open(full, flags) : openat(settings->proc, full + strlen(PROC "/"), flags);
	return fd < 0 ? -errno : fd;
}

const char *setting_read(const struct settings *settings, struct arena *arena, const char *path, int *ret_error) {
	_cleanup_close_ int fd = open_setting(settings, path, O_RDONLY);

	if (fd < 0) {
		*ret_error = fd;
		return NULL;
	}
	return read_all(arena, fd, SETTING_MAX, ret_error);
}

const char **setting_list(const struct settings *settings, struct arena *arena, const char *folder, int *ret_error) {
	_cleanup_close_ int fd = open_setting(settings, folder, O_RDONLY | O_DIRECTORY);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	vec(const char *) names = {};
	const struct dirent *entry;

	*ret_error = fd < 0 ? fd : dir ? 0 : -errno;
	if (!dir)
		return NULL;
	fd = -1; /* the stream's */
	while ((entry = readdir(dir)))
		if (path_stays_below(entry->d_name)) /* not . and .. */
			vec_push(&names, arena_strdup(arena, entry->d_name));
	vec_push(&names, NULL);
	const char **list = arena_memdup(arena, names.items, names.n * sizeof(names.items[0]));
	vec_done(&names);
	return list;
}

int setting_write(const struct settings *settings, const char *path, const char *value) {
	_cleanup_close_ int fd = open_setting(settings, path, O_WRONLY);

	/* Of a list an empty line is what takes everything out; without a byte nothing is written. */
	return fd < 0 ? fd : write_all(fd, *value ? value : "\n", -EINVAL);
}

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
	return read_all(arena, fd, MIN((size_t)st.st_size, (size_t)FILE_MAX), ret_error);
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
	r = fchmod(fd, 0644) < 0 ? -errno : write_all(fd, content, -ENOSPC);
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
