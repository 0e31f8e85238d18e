/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "attach/owner.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "base/text.h"
#include "files/clock.h"
#include "files/own_dir.h"

#define CGROUP_DIR "/sys/fs/cgroup"

enum {
	LINE_BYTES = 4096,
	DEPTH_MAX = 8, /* of control groups below another one */
	PROCESSES_MAX = 16 * 1024,
	STARTED_FIELD = 22, /* of /proc/PID/stat, see proc_pid_stat(5) */
};

/* ---- processes ---- */

int process_hold(pid_t pid, struct process *ret) {
	*ret = (struct process){ .pid = pid, .pidfd = (int)syscall(SYS_pidfd_open, pid, 0) };
	return ret->pidfd < 0 ? -errno : 0;
}

/* The number in a line of a file of /proc: "Pid:	4711" */
static bool read_number(const char *path, const char *key, long *ret) {
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[LINE_BYTES];

	while (f && fgets(line, sizeof(line), f))
		if (startswith(line, key)) {
			*ret = strtol(line + strlen(key), NULL, 10);
			return true;
		}
	return false;
}

int process_user(pid_t pid, uid_t *ret) {
	_cleanup_free_ char *path = xasprintf("/proc/%d/status", pid);
	long user;

	if (!read_number(path, "Uid:", &user))
		return -ESRCH;
	*ret = (uid_t)user;
	return 0;
}

int process_of(int pidfd, pid_t *ret) {
	_cleanup_free_ char *path = xasprintf("/proc/self/fdinfo/%d", pidfd);
	long pid = 0;
	bool found = read_number(path, "Pid:", &pid);

	*ret = (pid_t)pid;
	return !found ? -EBADF : pid > 0 ? 0 : -ESRCH; /* -1: it has ended; 0: it is in another process namespace */
}

bool process_has_ended(const struct process *process) {
	struct pollfd p = { .fd = process->pidfd, .events = POLLIN };

	return poll(&p, 1, 0) != 0;
}

char *process_netns_path(pid_t pid) {
	return xasprintf("/proc/%d/ns/net", pid);
}

pid_t process_of_netns_path(const char *path) {
	int pid, end = 0;

	return sscanf(path, "/proc/%d/ns/net%n", &pid, &end) == 1 && end && !path[end] ? pid : 0;
}

int process_netns(const struct process *process, int *ret_fd) {
	_cleanup_free_ char *path = process_netns_path(process->pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	if (process_has_ended(process))
		return -ESRCH;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int process_started(pid_t pid, uint64_t *ret_usec) {
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[LINE_BYTES], *field;

	if (!f || !fgets(line, sizeof(line), f))
		return -ESRCH;
	field = strrchr(line, ')'); /* the second field is the program's name, which may contain anything */
	for (int i = 2; field && i < STARTED_FIELD; i++)
		field = strchr(field + 1, ' ');
	if (!field)
		return -EIO;
	uint64_t ticks = strtoull(field, NULL, 10), hz = (uint64_t)sysconf(_SC_CLK_TCK);
	*ret_usec = now_realtime() - clock_usec(CLOCK_BOOTTIME) + ticks * 1000000 / hz;
	return 0;
}

/* ---- control groups ---- */

/* Where systemd's tree of control groups is: alone, beside those of version 1, or as one of those. */
static const char *tree(void) {
	static const char *const trees[] = { CGROUP_DIR "/unified", CGROUP_DIR "/systemd" };
	struct statfs fs;

	if (statfs(CGROUP_DIR, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		return CGROUP_DIR;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++)
		if (statfs(trees[i], &fs) == 0 && (fs.f_type == CGROUP2_SUPER_MAGIC || fs.f_type == CGROUP_SUPER_MAGIC))
			return trees[i];
	return NULL;
}

static bool is_tree(int fd) {
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == CGROUP2_SUPER_MAGIC || fs.f_type == CGROUP_SUPER_MAGIC);
}

char *control_group_of_process(pid_t pid) {
	_cleanup_free_ char *path = xasprintf("/proc/%d/cgroup", pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[LINE_BYTES];

	/* "0::PATH" of version 2, "1:name=systemd:PATH" where systemd uses version 1 */
	while (f && fgets(line, sizeof(line), f)) {
		char *unified = strstr(line, "::"), *systemd = strstr(line, ":name=systemd:");
		char *group = unified ? unified + 2 : systemd ? systemd + strlen(":name=systemd:") : NULL;

		if (!group)
			continue;
		group[strcspn(group, "\n")] = '\0';
		if (group[0] == '/' && group[1])
			return xstrdup(group);
	}
	return NULL;
}

char *control_group_of_directory(int fd) {
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", fd);
	const char *top = tree(), *below;
	char path[LINE_BYTES];
	ssize_t n = readlink(link, path, sizeof(path) - 1);

	if (n < 0 || !top || !is_tree(fd))
		return NULL;
	path[n] = '\0';
	below = startswith(path, top) ? path + strlen(top) : "";
	return below[0] == '/' && below[1] ? xstrdup(below) : NULL;
}

int control_group_open(const char *group) {
	const char *top = tree();
	_cleanup_free_ char *path = xasprintf("%s%s", top ? top : "", group);
	int fd = top ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

	return fd < 0 ? -ENOENT : fd;
}

static bool find_unit(int dir, const char *path, const char *unit, int depth, char **ret) {
	_cleanup_closedir_ DIR *stream = fdopendir(fcntl(dir, F_DUPFD_CLOEXEC, 0));
	const struct dirent *entry;

	while (stream && !*ret && (entry = readdir(stream))) {
		_cleanup_free_ char *below = xasprintf("%s/%s", path, entry->d_name);
		_cleanup_close_ int fd = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (streq(entry->d_name, unit)) {
			*ret = TAKE_PTR(below);
			continue;
		}
		fd = depth > 0 ? openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
		if (fd >= 0)
			find_unit(fd, below, unit, depth - 1, ret);
	}
	return *ret;
}

char *control_group_of_unit(const char *unit) {
	_cleanup_close_ int fd = control_group_open("/");
	char *group = NULL;

	if (fd >= 0)
		find_unit(fd, "", unit, DEPTH_MAX, &group);
	return group;
}

static bool is_wanted(pid_t pid, const struct netns_identity *wanted, struct process *ret) {
	_cleanup_close_ int fd = -1;
	struct netns_identity found;
	bool good = process_hold(pid, ret) == 0 && process_netns(ret, &fd) == 0 && netns_identity(fd, &found) == 0 &&
		    (wanted ? netns_is_same(&found, wanted) : !netns_is_home(&found));

	if (!good) {
		closep(&ret->pidfd);
		*ret = PROCESS_NONE;
	}
	return good;
}

static bool find_in(int dir, const struct netns_identity *wanted, pid_t except, int depth, struct process *ret) {
	int list = openat(dir, "cgroup.procs", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fclose_ FILE *f = list < 0 ? NULL : fdopen(list, "re");
	_cleanup_closedir_ DIR *stream = NULL;
	const struct dirent *entry;
	int pid;

	for (int n = 0; f && n < PROCESSES_MAX && fscanf(f, "%d", &pid) == 1; n++)
		if (pid > 0 && pid != except && is_wanted(pid, wanted, ret))
			return true;
	stream = depth > 0 ? fdopendir(fcntl(dir, F_DUPFD_CLOEXEC, 0)) : NULL;
	while (stream && (entry = readdir(stream))) {
		_cleanup_close_ int fd = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		fd = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && find_in(fd, wanted, except, depth - 1, ret))
			return true;
	}
	return false;
}

bool control_group_find(const char *group, const struct netns_identity *wanted, pid_t except, struct process *ret) {
	_cleanup_close_ int fd = control_group_open(group);

	*ret = PROCESS_NONE;
	return fd >= 0 && find_in(fd, wanted, except, DEPTH_MAX, ret);
}
