/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and files of namespaces, watched by inotify; for events.c only. See name_watch.c. */
#pragma once

#include "base/vec.h"
#include "kernel/events.h"

struct watched_file {
	char *name; /* NAME of /etc/netns/NAME */
	int wd;     /* -1: the directory does not exist */
};

struct name_watch {
	const struct watch_handlers *handlers;
	void *userdata;
	int epoll; /* borrowed */
	int inotify;
	int mounts;                        /* /proc/self/mountinfo, while a mount is waited for */
	int names_wd, etc_wd, files_wd;    /* of NETNS_DIR, /etc, /etc/netns */
	int own_wd;                        /* of name_watch_own_dir() */
	bool names_unarmed, files_unarmed; /* could not be watched: tried again */
	vec(struct watched_file) files;
	vec(char *) unmounted; /* names that appeared before their namespace */
};

/* What one dispatch has found out so far. */
struct watch_round {
	size_t events, overruns;
	bool lost;        /* events were */
	bool ids_changed; /* of namespaces */
	int error;        /* the first */
};

static inline void round_keep_error(struct watch_round *round, int r) {
	round->error = round->error ? round->error : r;
}

/* Handlers, userdata and epoll are the caller's. */
void name_watch_init(struct name_watch *names, const struct watch_handlers *handlers, void *userdata, int epoll);
void name_watch_done(struct name_watch *names);
/* Watches NETNS_DIR, and creates it if somebody has removed it. 0 or -errno. */
int name_watch_arm(struct name_watch *names);
/* See watch_file() and watch_own_dir(). */
int name_watch_file(struct name_watch *names, const char *name);
int name_watch_own_dir(struct name_watch *names, int fd);
/* Reads all events, and retries watches that failed. */
void name_watch_read(struct name_watch *names, struct watch_round *round);
/* At the end of a dispatch: announces names that were mounted meanwhile. */
void name_watch_settle(struct name_watch *names, struct watch_round *round);
