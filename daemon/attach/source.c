/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where topod looks for a namespace by itself: the process of a pidfile, a file on which the namespace is mounted, the
 * processes of a unit.
 *
 * Files are watched through their directories, because they are replaced. For a directory that does not exist yet, the
 * nearest existing one above it is watched. A namespace that is found is compared with the attached one; a file that leads
 * to no namespace is silently ignored, because it may be about to be written.
 */
#include "attach/attachments.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "attach/engine.h"
#include "base/text.h"

enum {
	MASK = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF |
	       IN_ONLYDIR | IN_EXCL_UNLINK,
	PIDFILE_BYTES = 32,
	/* The time of a file is that of the last tick of the kernel's clock, at most a hundredth of a second ago. */
	TICK_USEC = 10 * 1000,
};

/* ---- watching ---- */

static bool open_inotify(struct attachments *a) {
	struct epoll_event event = { .events = EPOLLIN };

	if (a->inotify >= 0)
		return true;
	a->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	event.data.fd = a->inotify;
	return a->inotify >= 0 && epoll_ctl(a->epoll, EPOLL_CTL_ADD, a->inotify, &event) == 0;
}

/* The directory that contains the path, or the nearest existing one above it. */
static int watch_above(const struct attachments *a, const char *path) {
	_cleanup_free_ char *dir = xstrdup(path);
	int wd = -1;

	for (char *slash; wd < 0 && (slash = strrchr(dir, '/'));) {
		slash[slash == dir ? 1 : 0] = '\0';
		wd = inotify_add_watch(a->inotify, dir, MASK);
		if (slash == dir)
			break;
	}
	return wd;
}

/* Several items may share a watch, so it stays while any of them is there. */
void source_watch(struct attachments *a, struct attachment *item, const char *path) {
	char *target;

	if (!open_inotify(a))
		return;
	item->watches[0] = watch_above(a, path);
	target = realpath(path, NULL);
	item->watches[1] = target && !streq(target, path) ? watch_above(a, target) : -1;
	free(target);
}

/* ---- files ---- */

static void begin(struct attachments *a, struct attachment *item, int netns, const char *link, const char *group,
		  struct process process) {
	struct netns_identity found;
	_cleanup_free_ char *problem = NULL;

	if (attachment_check(a, item, netns, &found, &problem) < 0 || netns_is_same(&found, &item->detached) ||
	    (item->link && netns_is_same(&found, &item->identity)))
		closep(&process.pidfd);
	else
		(void)attachment_begin(a, item, &found, link, group, process, &problem);
}

static void begin_with_process(struct attachments *a, struct attachment *item, const char *group, struct process process) {
	_cleanup_free_ char *link = process_netns_path(process.pid);
	_cleanup_close_ int netns = -1;

	if (process_netns(&process, &netns) < 0)
		closep(&process.pidfd);
	else
		begin(a, item, netns, link, group, process);
}

/* Only root may name other users' processes. */
static bool may_name(const struct stat *file, pid_t pid) {
	uid_t user;

	return !(file->st_mode & (S_IWGRP | S_IWOTH)) &&
	       (file->st_uid == 0 || (process_user(pid, &user) == 0 && user == file->st_uid));
}

/* The number counts only if that process had started before it was written. */
static void look_at_pidfile(struct attachments *a, struct attachment *item) {
	_cleanup_close_ int fd = open(item->value, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct process process = PROCESS_NONE;
	char text[PIDFILE_BYTES] = "";
	uint64_t started, written;
	struct stat st;
	long pid;
	char *end;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || read(fd, text, sizeof(text) - 1) <= 0)
		return;
	pid = strtol(text, &end, 10);
	if (pid <= 0 || pid > INT_MAX || end[strspn(end, " \t\r\n")])
		return;
	written = (uint64_t)st.st_mtim.tv_sec * 1000000 + (uint64_t)st.st_mtim.tv_nsec / 1000;
	if (process_hold((pid_t)pid, &process) < 0 || process_started((pid_t)pid, &started) < 0 ||
	    started > written + TICK_USEC || !may_name(&st, (pid_t)pid))
		closep(&process.pidfd);
	else
		begin_with_process(a, item, NULL, process);
}

/* A link to /proc/PID/ns/net ends with the process. */
static void look_at_path(struct attachments *a, struct attachment *item) {
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = xmalloc(PATH_MAX);
	ssize_t n = readlink(item->value, text, PATH_MAX - 1);
	struct process process;

	text[MAX(n, (ssize_t)0)] = '\0';
	if (process_of_netns_path(text)) {
		if (process_hold(process_of_netns_path(text), &process) == 0)
			begin_with_process(a, item, NULL, process);
		return;
	}
	fd = open(item->value, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		begin(a, item, fd, item->value, NULL, PROCESS_NONE);
}

/* Takes up a unit that already runs; one that starts calls topod. */
static void look_at_unit(struct attachments *a, struct attachment *item) {
	_cleanup_free_ char *group = item->link ? NULL : control_group_of_unit(item->value);
	struct process process;

	if (group && control_group_find(group, NULL, 0, &process))
		begin_with_process(a, item, group, process);
}

/* Takes up a container that already runs; one that starts calls the hook. */
static void look_at_container(struct attachments *a, struct attachment *item) {
	pid_t pid = item->link ? 0 : engine_container_pid(item->value);
	struct process process;

	if (pid && process_hold(pid, &process) == 0)
		begin_with_process(a, item, NULL, process);
}

void source_begin(struct attachments *a, struct attachment *item) {
	if (item->source == ATTACH_CONTAINER)
		look_at_container(a, item);
	else if (item->source == ATTACH_UNIT)
		look_at_unit(a, item);
	source_look(a, item);
}

void source_look(struct attachments *a, struct attachment *item) {
	switch (item->source) {
	case ATTACH_CALL:
	case ATTACH_UNIT:
	case ATTACH_CONTAINER:
		return;
	case ATTACH_PIDFILE:
		source_watch(a, item, item->value); /* before it is read, so that no change is missed */
		look_at_pidfile(a, item);
		return;
	case ATTACH_PATH:
		source_watch(a, item, item->value);
		look_at_path(a, item);
		return;
	}
}

void source_check(struct attachments *a, struct attachment *item) {
	if (item->link && item->process.pidfd < 0 && !item->searching && !attachment_is_there(item))
		attachment_end(a, item);
	source_look(a, item);
}

void source_read_events(struct attachments *a) {
	_Alignas(struct inotify_event) char buffer[16 * 1024];
	ssize_t n = read(a->inotify, buffer, sizeof(buffer));

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *event = (const void *)(buffer + at);

		at += (ssize_t)(sizeof(*event) + event->len);
		for (size_t i = 0; i < a->items.n; i++) {
			struct attachment *item = a->items.items[i];

			if (event->mask & IN_Q_OVERFLOW ||
			    (event->wd >= 0 && (event->wd == item->watches[0] || event->wd == item->watches[1])))
				source_check(a, item);
		}
	}
}
