/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names in /run/netns, files in /etc/netns, and topod's own directory.
 *
 * inotify has two traps. `ip netns add` makes the file before it mounts the namespace onto it, and a mount causes no inotify
 * event: a name that is seen too early is remembered, and announced again when a change of /proc/self/mountinfo (which can
 * be polled) has made it a namespace. And a directory that does not exist cannot be watched: for /etc/netns/NAME the
 * directories above it are watched too, up to /etc.
 */
#include "kernel/name_watch.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "files/error_text.h"
#include "kernel/named_netns.h"

#define ETC_DIR "/etc"
#define FILES_NAME "netns"
#define FILES_DIR ETC_DIR "/" FILES_NAME

enum {
	ROUND_READS = 64,
	DIR_MASK = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR,
	OWN_MASK = IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM | IN_MOVE_SELF | IN_ONLYDIR,
	FILES_MASK = DIR_MASK | IN_CLOSE_WRITE | IN_EXCL_UNLINK,
};

/* EMFILE has two meanings: if another descriptor can be opened, it was inotify's own limit. */
static int open_inotify(struct name_watch *names) {
	struct epoll_event event = { .events = EPOLLIN };
	_cleanup_close_ int other = -1;

	names->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (names->inotify >= 0)
		return epoll_ctl(names->epoll, EPOLL_CTL_ADD, names->inotify, &event) < 0 ? -errno : 0;
	if (errno != EMFILE)
		return -errno;
	other = dup(names->epoll);
	return other < 0 ? -EMFILE : -WATCH_NO_INSTANCE;
}

/* *wd is -1 where there is no such directory (yet). Watching the same one again changes nothing; when a directory is removed,
 * the kernel removes its watch. */
static int watch_dir(struct name_watch *names, const char *path, uint32_t mask, int *wd) {
	int r = names->inotify < 0 ? open_inotify(names) : 0;

	if (r < 0)
		return r;
	*wd = inotify_add_watch(names->inotify, path, mask);
	if (*wd >= 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	return errno == ENOSPC ? -WATCH_NO_WATCH : -errno;
}

/* Names in NETNS_DIR. */

static void forget_name(struct name_watch *names, size_t i) {
	free(names->unmounted.items[i]);
	names->unmounted.items[i] = names->unmounted.items[--names->unmounted.n];
}

static bool is_unmounted(const char *name) {
	_cleanup_close_ int fd = -1;
	const char *problem;
	int r = netns_open(name, &fd, &problem);

	return r == -EINVAL || r == -EEXIST;
}

static void await_mount(struct name_watch *names, const char *name) {
	vec_foreach(known, &names->unmounted)
		if (streq(*known, name))
			return;
	vec_push(&names->unmounted, xstrdup(name));
}

/* Open while there is something to wait for; opened before the check, so that no change is missed. */
static int watch_mounts(struct name_watch *names) {
	struct epoll_event event = { .events = EPOLLPRI };

	if (names->unmounted.n == 0 || names->mounts >= 0)
		return 0;
	names->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (names->mounts < 0)
		return -errno;
	return epoll_ctl(names->epoll, EPOLL_CTL_ADD, names->mounts, &event) < 0 ? -errno : 0;
}

/* Checked at each dispatch rather than upon mountinfo's event, because that event is gone once somebody has polled. */
static void announce_mounted(struct name_watch *names) {
	for (size_t i = names->unmounted.n; i-- > 0;) {
		if (is_unmounted(names->unmounted.items[i]))
			continue;
		names->handlers->name_changed(names->userdata, names->unmounted.items[i]);
		forget_name(names, i);
	}
	if (names->unmounted.n == 0 && names->mounts >= 0)
		close(TAKE_FD(names->mounts));
}

int name_watch_arm(struct name_watch *names) {
	const char *problem;
	int r = watch_dir(names, NETNS_DIR, DIR_MASK, &names->names_wd);

	if (r == 0 && names->names_wd < 0)
		r = netns_prepare(&problem);
	if (r == 0 && names->names_wd < 0)
		r = watch_dir(names, NETNS_DIR, DIR_MASK, &names->names_wd);
	names->names_unarmed = names->names_wd < 0;
	return r;
}

static void hear_name(struct name_watch *names, struct watch_round *round, const struct inotify_event *event) {
	if (event->len == 0) { /* the directory itself went away */
		round->lost = names->names_unarmed = true;
		return;
	}
	names->handlers->name_changed(names->userdata, event->name);
	if (event->mask & (IN_CREATE | IN_MOVED_TO) && is_unmounted(event->name))
		await_mount(names, event->name);
}

/* Files in /etc/netns/NAME. */

static int arm_file(struct name_watch *names, struct watched_file *file) {
	_cleanup_free_ char *path = xasprintf("%s/%s", FILES_DIR, file->name);

	return watch_dir(names, path, FILES_MASK, &file->wd);
}

/* NAME's directory came or went. What was written into it before it was watched is covered by the call. */
static int rearm_file(struct name_watch *names, const char *name) {
	int r = 0;

	vec_foreach(file, &names->files)
		if (r == 0 && streq(file->name, name)) {
			r = arm_file(names, file);
			names->files_unarmed |= r < 0;
			names->handlers->file_changed(names->userdata, name);
		}
	return r;
}

/* FILES_DIR itself came or went. */
static int rearm_files(struct name_watch *names) {
	int r = watch_dir(names, FILES_DIR, DIR_MASK, &names->files_wd);

	names->files_unarmed = false;
	vec_foreach(file, &names->files)
		r = r ? r : rearm_file(names, file->name);
	names->files_unarmed |= r < 0;
	return r;
}

static void hear_file(struct name_watch *names, const struct inotify_event *event) {
	vec_foreach(file, &names->files)
		if (file->wd == event->wd) {
			file->wd = event->mask & IN_IGNORED ? -1 : file->wd;
			names->handlers->file_changed(names->userdata, file->name);
		}
}

int name_watch_file(struct name_watch *names, const char *name) {
	struct watched_file file = { .wd = -1 };
	int r;

	vec_foreach(known, &names->files)
		if (streq(known->name, name))
			return 0;
	r = watch_dir(names, ETC_DIR, DIR_MASK, &names->etc_wd);
	r = r ? r : watch_dir(names, FILES_DIR, DIR_MASK, &names->files_wd);
	file.name = xstrdup(name);
	r = r ? r : arm_file(names, &file);
	if (r < 0)
		free(file.name);
	else
		vec_push(&names->files, file);
	return r;
}

int name_watch_own_dir(struct name_watch *names, int fd) {
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", fd);

	return watch_dir(names, path, OWN_MASK, &names->own_wd);
}

/* Reading. */

static void hear(struct name_watch *names, struct watch_round *round, const struct inotify_event *event) {
	round->events++;
	if (event->mask & IN_Q_OVERFLOW) {
		round->overruns++;
		round->lost = true;
		round_keep_error(round, rearm_files(names));
	} else if (event->wd == names->names_wd) {
		hear_name(names, round, event);
	} else if (event->wd == names->etc_wd) {
		if (event->len > 0 && streq(event->name, FILES_NAME))
			round_keep_error(round, rearm_files(names));
	} else if (event->wd == names->files_wd) {
		if (event->len > 0)
			round_keep_error(round, rearm_file(names, event->name));
	} else if (event->wd == names->own_wd) {
		names->handlers->taken_away(names->userdata);
	} else {
		hear_file(names, event);
	}
}

static void read_inotify(struct name_watch *names, struct watch_round *round) {
	_Alignas(struct inotify_event) char buffer[16 * 1024];

	for (int i = 0; i < ROUND_READS; i++) {
		ssize_t n = read(names->inotify, buffer, sizeof(buffer));

		if (n < 0) {
			round_keep_error(round, errno == EAGAIN ? 0 : -errno);
			return;
		}
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			hear(names, round, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
}

void name_watch_read(struct name_watch *names, struct watch_round *round) {
	if (names->inotify >= 0)
		read_inotify(names, round);
	if (names->names_unarmed)
		round_keep_error(round, name_watch_arm(names));
	if (names->files_unarmed)
		round_keep_error(round, rearm_files(names));
}

void name_watch_settle(struct name_watch *names, struct watch_round *round) {
	round_keep_error(round, watch_mounts(names));
	announce_mounted(names);
}

void name_watch_init(struct name_watch *names, const struct watch_handlers *handlers, void *userdata, int epoll) {
	*names = (struct name_watch){
		.handlers = handlers,
		.userdata = userdata,
		.epoll = epoll,
		.inotify = -1,
		.mounts = -1,
		.names_wd = -1,
		.etc_wd = -1,
		.files_wd = -1,
		.own_wd = -1,
	};
}

void name_watch_done(struct name_watch *names) {
	closep(&names->inotify);
	closep(&names->mounts);
	vec_foreach(file, &names->files)
		free(file->name);
	vec_foreach(name, &names->unmounted)
		free(*name);
	vec_done(&names->files);
	vec_done(&names->unmounted);
}
