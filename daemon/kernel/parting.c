/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting until removed namespaces are dismantled. The kernel does that later, in a work queue, batch by batch, and
 * reports only its beginning (RTM_DELNSID). But an open file of /proc/sys/net does not keep a namespace alive, and
 * reading it fails once the namespace's settings are gone, which is after its interfaces are: ops_undo_list() in
 * net/core/net_namespace.c works in the reverse order of the setup.
 *
 * A namespace that still has processes in it is not dismantled. Its id shows this, though not at once: a closed netlink
 * socket holds its namespace for an RCU grace period (netlink_release()).
 */
#include <fcntl.h>
#include <time.h>

#include "kernel/parting.h"

enum {
	PAUSE_FIRST_NSEC = 500 * 1000,
	PAUSE_MAX_NSEC = 10 * 1000 * 1000,
	HELD_NSEC = 100 * 1000 * 1000,       /* a namespace that exists after that is held by somebody else */
	WAIT_NSEC = 2 * 1000 * 1000 * 1000l, /* in all; for namespaces that take longer, events follow */
};

static void drop(struct parting_ns *ns) {
	closep(&ns->file);
	*ns = (struct parting_ns){ .file = -1 };
}

/* This setting is set up first, and so it is removed last. */
static int open_setting(int fd) {
	_cleanup_(netns_leave) struct netns_visit visit = NETNS_VISIT_NONE;

	return netns_enter(&visit, fd) < 0 ? -1 : open("/proc/sys/net/core/somaxconn", O_RDONLY | O_CLOEXEC);
}

void parting_watch(struct parting *parting, struct nl_socket *host, int fd) {
	struct parting_ns *ns = &parting->last[parting->n++ % PARTING_WATCHED];

	if (parting->n > PARTING_WATCHED)
		drop(ns);
	*ns = (struct parting_ns){ .file = open_setting(fd) };
	if (ns->file >= 0 && netns_ids(host, &fd, 1, true, &ns->id) < 0)
		drop(ns);
}

static bool is_whole(const struct parting_ns *ns) {
	char byte;

	return ns->file >= 0 && pread(ns->file, &byte, 1, 0) >= 0;
}

void parting_await(struct parting *parting, struct nl_socket *host) {
	long waited = 0, pause = PAUSE_FIRST_NSEC;

	for (size_t i = 0; i < MIN(parting->n, (size_t)PARTING_WATCHED); i++) {
		struct parting_ns *ns = &parting->last[i];

		while (is_whole(ns) && waited < (waited >= HELD_NSEC && netns_lives(host, ns->id) ? HELD_NSEC : WAIT_NSEC)) {
			nanosleep(&(struct timespec){ .tv_nsec = pause }, NULL);
			waited += pause;
			pause = MIN(pause * 2, (long)PAUSE_MAX_NSEC);
		}
		drop(ns);
	}
	parting->n = 0;
}
