/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the processes left in a namespace that has lost its name. They keep running, cut off from everything that is
 * created under that name since, and an administrator has to restart them.
 *
 * It only reads /proc and reports. Inode numbers are reused, so a namespace is also identified by its cookie, if the
 * kernel has that (Linux 5.14). The number of processes checked is limited: this happens whenever a namespace is
 * recreated, on a machine that may run any number of them.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>

#include "kernel/real_kernel.h"

enum {
	PROCESSES_MAX = 16 * 1024, /* are checked, which takes some 50 ms */
	NAMED_MAX = 3,             /* are named */
	CGROUP_BYTES = 4096,
	COMM_BYTES = 64,
};

struct search {
	int proc;               /* /proc */
	uint64_t inode, cookie; /* cookie 0: not known */
	size_t n;
	bool known; /* the namespace with that inode is the right one */
	struct text names;
};

static uint64_t number(const char *text) {
	return text ? strtoull(text, NULL, 10) : 0;
}

/* "net:[4026532281]", as in namespaces(7). */
static uint64_t inode_of(const struct search *s, int pid) {
	char path[64], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "%d/ns/net", pid);
	n = readlinkat(s->proc, path, target, sizeof(target) - 1);
	target[MAX(n, (ssize_t)0)] = '\0';
	return startswith(target, "net:[") ? number(target + strlen("net:[")) : 0;
}

static int open_file(const struct search *s, int pid, const char *name) {
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	return openat(s->proc, path, O_RDONLY | O_CLOEXEC);
}

static bool has_cookie(const struct search *s, int pid) {
	_cleanup_close_ int fd = open_file(s, pid, "ns/net");
	uint64_t cookie;

	return fd >= 0 && netns_cookie(fd, &cookie) == 0 && cookie == s->cookie;
}

static size_t read_file(const struct search *s, int pid, const char *name, char *buffer, size_t size) {
	_cleanup_close_ int fd = open_file(s, pid, name);
	ssize_t n = fd < 0 ? 0 : read(fd, buffer, size - 1);
	buffer[MAX(n, (ssize_t)0)] = '\0';
	return (size_t)MAX(n, (ssize_t)0);
}

/* The last component of a control group's path that is the name of a unit. */
static char *unit_of(char *cgroups) {
	char *unit = NULL;

	for (char *part; (part = strsep(&cgroups, "/\n"));) {
		const char *type = strrchr(part, '.');

		if (type && (streq(type, ".service") || streq(type, ".scope")))
			unit = part;
	}
	return unit;
}

static void add_name(struct search *s, int pid) {
	char cgroups[CGROUP_BYTES], comm[COMM_BYTES];

	read_file(s, pid, "cgroup", cgroups, sizeof(cgroups));
	const char *name = unit_of(cgroups);

	if (!name) {
		size_t n = read_file(s, pid, "comm", comm, sizeof(comm));

		comm[n ? n - 1 : 0] = '\0'; /* its newline */
		name = *comm ? comm : "?";
	}
	text_addf(&s->names, "%s%s, pid %d", s->names.size ? "; " : "", name, pid);
}

static void scan_process(struct search *s, int pid) {
	if (inode_of(s, pid) != s->inode)
		return;
	if (!s->known && s->cookie && !has_cookie(s, pid))
		return;
	s->known = true;
	if (s->n++ < NAMED_MAX)
		add_name(s, pid);
}

static void search(struct search *s) {
	DIR *dir = opendir("/proc");
	const struct dirent *entry;

	if (!dir)
		return;
	s->proc = dirfd(dir);
	for (int n = 0; n < PROCESSES_MAX && (entry = readdir(dir));) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		scan_process(s, (int)number(entry->d_name));
		n++;
	}
	closedir(dir);
}

const char *real_left_behind(struct kernel *kernel _unused_, struct arena *arena, const struct object *former) {
	const struct netns *netns = (const struct netns *)former;
	struct search s = { .inode = number(netns->inode), .cookie = number(netns->cookie) };
	const char *text = NULL;

	if (s.inode)
		search(&s);
	if (s.n > NAMED_MAX)
		text_addf(&s.names, " and %zu more", s.n - NAMED_MAX);
	if (s.n)
		text = arena_printf(arena, "%zu process%s: %s", s.n, s.n == 1 ? "" : "es", s.names.data);
	text_done(&s.names);
	return text;
}
