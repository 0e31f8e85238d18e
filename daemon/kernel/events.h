/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where something may have changed: events of the kernel, turned into "look at this namespace again".
 *
 * One NETLINK_ROUTE and one NETLINK_NETFILTER socket hear all namespaces that have an nsid
 * (NETLINK_LISTEN_ALL_NSID); inotify watches the names in /run/netns and the files in /etc/netns. What an event
 * says is not believed: of it is read only which thing it is about, as a hint where to look, never the truth. An overrun
 * (ENOBUFS) is the hint to look everywhere.
 *
 * NETLINK_LISTEN_ALL_NSID needs CAP_NET_BROADCAST.
 */
#pragma once

#include "model/source.h"

enum {
	WATCH_NSID_HOST = -1, /* the namespace that the daemon runs in */
};

/* What was heard of; each is called from watch_dispatch() only, and only takes note: it calls no watch_…(). */
struct watch_handlers {
	void (*heard)(void *userdata, int32_t nsid, const struct hint *hint); /* something changed inside */
	void (*name_changed)(void *userdata, const char *name);               /* NETNS_DIR/NAME appeared or went away; may
	                                                                come again once it is mounted */
	void (*file_changed)(void *userdata, const char *name);               /* a file in /etc/netns/NAME, or the folder */
	void (*everything_dirty)(void *userdata);                             /* events were lost */
	void (*taken_away)(void *userdata); /* something out of a folder of watch_own_folder() */
};

struct watch;

/* Opens the sockets in the current namespace (the daemon's own). rcvbuf is the receive buffer in bytes that
 * is asked for (SO_RCVBUFFORCE, else SO_RCVBUF); 0: a default good for a burst of some 10,000 events.
 * NETNS_DIR must exist (netns_prepare()), and netns_init() must have been called. *ret is freed with
 * watch_free(). 0 or -errno. Where inotify has reached a limit, that is told by watch_dispatch(), which tries it again. */
int watch_new(struct watch **ret, const struct watch_handlers *handlers, void *userdata, size_t rcvbuf);
void watch_free(struct watch *watch);

/* An epoll descriptor that is readable when there is something to dispatch; it belongs to watch. */
int watch_fd(const struct watch *watch);

/* From now on it is heard when something is taken out of this folder, or the folder itself. 0 or -errno. */
int watch_own_folder(struct watch *watch, int folder);

/* Reads everything that is there now, without waiting, and calls the handlers; the same thing may be named more than
 * once. Bounded: returns after at most some thousand events, readable
 * again if more wait. How many events were read is added to *n_events where not NULL. everything_dirty comes
 * once at the end, when the socket that overran is empty and hears again: looking at the kernel only after it
 * misses nothing. 0 or -errno (whatever could be heard was reported all the same). */
int watch_dispatch(struct watch *watch, size_t *n_events);

/* Also watches /etc/netns/NAME (which need not exist yet, nor /etc/netns) for file_changed, not what is in
 * folders inside it. Watching a name again does nothing. 0 or -errno. */
int watch_file(struct watch *watch, const char *name);

/* Whether a source that is only_if_declared or only_if_failed is heard, in all namespaces; it is not at first. What changed before
 * the call was not heard. Where it fails, that is told by watch_dispatch(), which tries it again. */
void watch_source(struct watch *watch, const struct source *source, bool on);

/* How often an overrun happened. */
size_t watch_overruns(const struct watch *watch);
