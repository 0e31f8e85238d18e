/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes and their namespaces, in particular processes left in a namespace that has lost its name. They keep running, cut
 * off from everything created under that name since, and an administrator has to restart them.
 *
 * It only reads /proc and reports. Inode numbers are reused, so a namespace is also identified by its cookie, if the
 * kernel has that (Linux 5.14). The number of processes checked is limited: this happens whenever a namespace is
 * recreated, on a machine that may run any number of them.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>

#include "files/own_dir.h"
#include "kernel/real_kernel.h"

enum {
	PROCESSES_MAX = 16 * 1024, /* the number checked, which takes some 50 ms */
	NAMED_MAX = 3,             /* the number named */
	CGROUP_BYTES = 4096,
	COMM_BYTES = 64,
};

static uint64_t number(const char *text) {
	return text ? strtoull(text, NULL, 10) : 0;
}

static int open_file(int proc, int pid, const char *name) {
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	return openat(proc, path, O_RDONLY | O_CLOEXEC);
}

static size_t read_file(int proc, int pid, const char *name, char *buffer, size_t size) {
	_cleanup_close_ int fd = open_file(proc, pid, name);
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

void process_add_unit(int proc, int pid, struct text *out) {
	char cgroups[CGROUP_BYTES], comm[COMM_BYTES];

	read_file(proc, pid, "cgroup", cgroups, sizeof(cgroups));
	const char *name = unit_of(cgroups);

	if (!name) {
		size_t n = read_file(proc, pid, "comm", comm, sizeof(comm));

		comm[n ? n - 1 : 0] = '\0'; /* its newline */
		name = *comm ? comm : "?";
	}
	text_add(out, name);
}

void process_add_name(int proc, int pid, struct text *out) {
	process_add_unit(proc, pid, out);
	text_addf(out, ", pid %d", pid);
}

int process_open_netns(int proc, int pid) {
	return open_file(proc, pid, "ns/net");
}

/* "net:[4026532281]", as in namespaces(7). */
static uint64_t inode_of(int proc, int pid) {
	char path[64], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "%d/ns/net", pid);
	n = readlinkat(proc, path, target, sizeof(target) - 1);
	target[MAX(n, (ssize_t)0)] = '\0';
	return startswith(target, "net:[") ? number(target + strlen("net:[")) : 0;
}

void processes_walk(bool (*fn)(void *userdata, int proc, int pid, uint64_t netns), void *userdata) {
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	const struct dirent *entry;
	bool more = true;

	for (int n = 0; dir && more && n < PROCESSES_MAX && (entry = readdir(dir));) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		int pid = (int)number(entry->d_name);
		uint64_t netns = inode_of(dirfd(dir), pid);

		more = !netns || fn(userdata, dirfd(dir), pid, netns);
		n++;
	}
}

struct search {
	uint64_t inode, cookie; /* cookie 0: not known */
	size_t n;
	bool known; /* the namespace with that inode is the right one */
	struct text names;
};

static bool has_cookie(const struct search *s, int proc, int pid) {
	_cleanup_close_ int fd = process_open_netns(proc, pid);
	uint64_t cookie;

	return fd >= 0 && netns_cookie(fd, &cookie) == 0 && cookie == s->cookie;
}

static bool scan_process(void *userdata, int proc, int pid, uint64_t netns) {
	struct search *s = userdata;

	if (netns != s->inode || (!s->known && s->cookie && !has_cookie(s, proc, pid)))
		return true;
	s->known = true;
	if (s->n++ >= NAMED_MAX)
		return true;
	text_add(&s->names, s->names.size ? "; " : "");
	process_add_name(proc, pid, &s->names);
	return true;
}

const char *real_left_behind(struct kernel *kernel _unused_, struct arena *arena, const struct object *former) {
	const struct netns *netns = (const struct netns *)former;
	struct search s = { .inode = number(netns->inode), .cookie = number(netns->cookie) };
	const char *text = NULL;

	if (s.inode)
		processes_walk(scan_process, &s);
	if (s.n > NAMED_MAX)
		text_addf(&s.names, " and %zu more", s.n - NAMED_MAX);
	if (s.n)
		text = arena_printf(arena, "%zu process%s: %s", s.n, s.n == 1 ? "" : "es", s.names.data);
	text_done(&s.names);
	return text;
}
