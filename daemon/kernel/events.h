/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where something may have changed: events of the kernel, turned into hints where to scan.
 *
 * Netlink sockets hear all namespaces that have an nsid (NETLINK_LISTEN_ALL_NSID, which needs CAP_NET_BROADCAST); inotify
 * watches the names in /run/netns and the files in /etc/netns. The values in an event are not trusted: it only tells which
 * object to scan. After an overrun (ENOBUFS) everything must be scanned.
 */
#pragma once

#include "model/source.h"

enum {
	WATCH_NSID_HOST = -1, /* the namespace that the daemon runs in */
};

/* Called only from watch_dispatch(). A handler only records the event; it must not call any watch_…(). */
struct watch_handlers {
	void (*heard)(void *userdata, int32_t nsid, const struct hint *hint); /* something changed inside */
	/* NETNS_DIR/NAME appeared or disappeared; called again once it is mounted. */
	void (*name_changed)(void *userdata, const char *name);
	void (*file_changed)(void *userdata, const char *name); /* a file in /etc/netns/NAME, or the directory */
	void (*everything_dirty)(void *userdata);               /* events were lost */
	void (*taken_away)(void *userdata);                     /* something in a directory of watch_own_dir() was removed */
};

struct watch;

/* Opens the sockets in the current namespace (the daemon's own). rcvbuf is the size of the receive buffer in bytes
 * (SO_RCVBUFFORCE, else SO_RCVBUF); 0: a default for a burst of some 10,000 events. NETNS_DIR must exist
 * (netns_prepare()), and netns_init() must have been called. *ret is freed with watch_free(). 0 or -errno. If inotify has
 * reached a limit, watch_dispatch() reports that and tries again. */
int watch_new(struct watch **ret, const struct watch_handlers *handlers, void *userdata, size_t rcvbuf);
void watch_free(struct watch *watch);

/* An epoll descriptor, owned by watch, that is readable when there is something to dispatch. */
int watch_fd(const struct watch *watch);

/* From now on `taken_away` is called when something in this directory, or the directory itself, is removed. 0 or -errno. */
int watch_own_dir(struct watch *watch, int dir_fd);

/* Reads all events that are there, without waiting, and calls the handlers, perhaps more than once for the same object.
 * Returns after at most some thousand events; if there are more, the descriptor stays readable. The number of events is
 * added to *n_events if that is not NULL. After an overrun everything_dirty is called once at the end, when the socket is
 * empty and receives events again: a scan after it misses nothing. 0 or -errno (events that could be read were still
 * reported). */
int watch_dispatch(struct watch *watch, size_t *n_events);

/* Also watches the files in /etc/netns/NAME, but not those in directories below it. It need not exist yet, nor
 * /etc/netns. Watching a name twice does nothing. 0 or -errno. */
int watch_file(struct watch *watch, const char *name);

/* Begins or ends hearing a source that is only_if_declared or only_if_failed, in all namespaces. Changes before the call
 * are not reported. If joining fails, watch_dispatch() reports that and tries again. */
void watch_source(struct watch *watch, const struct source *source, bool on);

/* The number of overruns so far. */
size_t watch_overruns(const struct watch *watch);
