/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inside/enter.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/vec.h"
#include "files/own_dir.h"
#include "files/privilege.h"

static int open_namespace(pid_t pid, const char *kind, int *ret_fd) {
	_cleanup_free_ char *path = xasprintf("/proc/%d/ns/%s", (int)pid, kind);

	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd >= 0 ? 0 : errno == ENOENT ? -ESRCH : -errno;
}

int inside_open_pid(pid_t pid, int *ret_fd) {
	return open_namespace(pid, "net", ret_fd);
}

const char *inside_what_is_missing(void) {
	if (privilege_has(CAP_SYS_ADMIN))
		return "the namespace belongs to another user namespace, or a security module or seccomp filter forbids it";
	return geteuid() == 0 ? "CAP_SYS_ADMIN is missing; a container needs --cap-add SYS_ADMIN"
			      : "this needs root (CAP_SYS_ADMIN)";
}

/* ---- /sys ---- */

struct kept_mount {
	char *path;
	int fd; /* of what is mounted there */
};

typedef vec(struct kept_mount) kept_mounts;

static void kept_mounts_done(kept_mounts *kept) {
	vec_foreach(mount, kept) {
		free(mount->path);
		closep(&mount->fd);
	}
	vec_done(kept);
}

static bool is_kept(const kept_mounts *kept, const char *path) {
	vec_foreach(mount, kept) {
		const char *rest = startswith(path, mount->path);

		if (rest && (*rest == '/' || !*rest))
			return true; /* below another one, or on top of it: it comes along with that */
	}
	return false;
}

/* What is mounted below /sys: the control groups, tracefs, bpffs. The fifth field of a line is the path, see
 * proc_pid_mountinfo(5); white space in it would be escaped, but does not occur here. */
static void keep_mounts(const struct stat *sys, kept_mounts *kept) {
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t allocated = 0;

	while (f && getline(&line, &allocated, f) >= 0) {
		char *rest = line, *path = NULL;
		struct stat st;
		int fd;

		for (int i = 0; i < 5; i++)
			path = strsep(&rest, " ");
		if (!path || !startswith(path, "/sys/") || is_kept(kept, path))
			continue;
		fd = open(path, O_PATH | O_CLOEXEC);
		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_dev != sys->st_dev)
			vec_push(kept, (struct kept_mount){ xstrdup(path), fd });
		else
			closep(&fd); /* a later mount of /sys hides it */
	}
}

static void warn(struct text *warnings, int error, const char *what) {
	text_addf(warnings, "%s: %s\n", what, strerror(error));
}

/* A sysfs shows the network namespace in which it was mounted. */
void inside_show_sys(struct text *warnings) {
	_cleanup_(kept_mounts_done) kept_mounts kept = {};
	unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	struct statvfs before;
	struct stat sys;

	if (stat("/sys", &sys) == 0)
		keep_mounts(&sys, &kept);
	if (statvfs("/sys", &before) == 0 && before.f_flag & ST_RDONLY)
		flags |= MS_RDONLY;
	if (mount("sysfs", "/sys", "sysfs", flags, NULL) < 0 && errno != EBUSY) { /* EBUSY: it shows this one already */
		warn(warnings, errno, "/sys still shows the interfaces of the former namespace");
		return;
	}
	vec_foreach(mounted, &kept) {
		char source[64];

		snprintf(source, sizeof(source), "/proc/self/fd/%d", mounted->fd);
		if (mount(source, mounted->path, NULL, MS_BIND | MS_REC, NULL) < 0 && errno != ENOENT)
			warn(warnings, errno, mounted->path);
	}
}

/* ---- /etc ---- */

static void show_file(const char *dir, const char *name, struct text *warnings) {
	_cleanup_free_ char *source = xasprintf("%s/%s", dir, name), *target = xasprintf("/etc/%s", name);

	if (mount(source, target, NULL, MS_BIND, NULL) < 0)
		text_addf(warnings, "cannot show %s as %s: %s\n", source, target, strerror(errno));
}

static void show_etc(const char *name, struct text *warnings) {
	_cleanup_free_ char *path = xasprintf("/etc/netns/%s", name);
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
			show_file(path, entry->d_name, warnings);
}

/* ---- the namespaces ---- */

/* The owner of a user namespace has all capabilities in it, and so over its network namespaces. */
static int join_user_of(pid_t pid) {
	_cleanup_close_ int fd = -1;
	int r = open_namespace(pid, "user", &fd);

	return r < 0 ? r : setns(fd, CLONE_NEWUSER) < 0 ? -EPERM : 0;
}

int inside_enter(int fd, pid_t pid, const char *name, struct text *warnings) {
	int r = setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;

	if (r == -EPERM && pid && join_user_of(pid) == 0)
		r = setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
	if (r == 0 && unshare(CLONE_NEWNS) < 0)
		r = -errno;
	if (r < 0)
		return r;
	/* Mounts of the machine still appear here; ours do not appear there. */
	if (mount("", "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return -errno;
	inside_show_sys(warnings);
	if (name)
		show_etc(name, warnings);
	return 0;
}
