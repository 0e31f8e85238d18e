/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How hints are gathered.
 *
 * The sources say which groups to join and what a message is about (model/source.h). There is one socket for each
 * protocol, which joins the groups of all its sources. A source with a filter has its own socket, so that nothing else of
 * a busy group gets through (RTNLGRP_NEIGH reports every neighbour of every namespace). The groups of a source that is
 * only_if_declared are joined while something of it is declared. All sockets are opened at the start, because hearing all
 * namespaces requires a capability that the daemon drops afterwards. Joining a group requires none, and a socket without
 * groups costs nothing.
 *
 * Only the subject of an event is needed, which is at its beginning. So only the beginning is received, of 64 events at a
 * time, and the rest is cut off.
 *
 * Overruns have a trap: a full socket reports ENOBUFS once, and then drops messages silently until its queue has been
 * empty. A scan upon ENOBUFS would miss what changes before that. So the queue is emptied first, and only then everything
 * is reported dirty.
 */
#include "kernel/events.h"

#include <assert.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "files/error_text.h"
#include "kernel/event_decode.h"
#include "kernel/name_watch.h"
#include "kernel/named_netns.h"
#include "kind/kinds.h"

enum {
	BLOCK = 64,                        /* events per recvmmsg() */
	ROUND_BLOCKS = 64,                 /* blocks per socket and dispatch: 4096 events */
	OVERRUN_TRIES = 16,                /* how often one dispatch empties a socket that overruns again */
	SMALLEST_EVENT = 512,              /* the minimum that the kernel charges for a queued event, in bytes */
	DEFAULT_RCVBUF = 16 * 1024 * 1024, /* the kernel doubles it; 10,000 new links take about 25 MB */
	CHANNELS_MAX = 16,
	SOURCES_MAX = 32,
};

/* A socket, and the sources whose groups it joins. */
struct channel {
	int fd, protocol;
	const struct source *sources[SOURCES_MAX + 1]; /* ended by NULL */
	bool wanted[SOURCES_MAX];                      /* their groups should be joined … */
	bool joined[SOURCES_MAX];                      /* … and are */
	bool polled;
	bool full; /* it overran, and could not be emptied yet */
};

struct watch {
	struct watch_handlers handlers;
	void *userdata;
	int epoll;
	struct channel channels[CHANNELS_MAX]; /* the first is rtnetlink's */
	size_t n_channels;
	const struct source *sources[SOURCES_MAX + 1]; /* all: message types are unambiguous, on any socket */
	size_t n_sources;
	int32_t own_id;      /* the id of our own namespace in itself; usually -1: none */
	bool own_id_unknown; /* querying it failed; tried again */
	size_t overruns, rcvbuf;
	struct arena arena; /* for the objects of hints, until the end of a dispatch */
	struct name_watch names;
};

/* ---- sockets ---- */

static int set_rcvbuf(int fd, size_t rcvbuf) {
	int bytes = rcvbuf == 0 ? DEFAULT_RCVBUF : (int)MIN(rcvbuf, (size_t)INT32_MAX / 2);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0)
		return -errno;
	return 0;
}

static int join_group(int fd, int group, bool on) {
	return setsockopt(fd, SOL_NETLINK, on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &group, sizeof(group)) < 0
		       ? -errno
		       : 0;
}

static bool has_group(const struct source *source, int group) {
	for (const int *g = source->groups; *g; g++)
		if (*g == group)
			return true;
	return false;
}

/* Does another joined source use the group too? */
static bool is_shared(const struct channel *c, size_t i, int group) {
	for (size_t j = 0; c->sources[j]; j++)
		if (j != i && c->joined[j] && has_group(c->sources[j], group))
			return true;
	return false;
}

static int poll_channel(struct watch *watch, struct channel *c, bool on) {
	struct epoll_event event = { .events = EPOLLIN };

	if (c->polled == on)
		return 0;
	if (epoll_ctl(watch->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, c->fd, &event) < 0)
		return -errno;
	c->polled = on;
	c->full &= on;
	return 0;
}

/* Joins the groups that are wanted, and leaves those that are not. */
static int arm(struct watch *watch, struct channel *c, bool *ret_new) {
	bool any = false;
	int r = 0;

	for (size_t i = 0; c->sources[i]; i++) {
		bool changes = c->wanted[i] != c->joined[i];
		int failed = 0;

		for (const int *group = c->sources[i]->groups; changes && *group && failed == 0; group++)
			if (c->wanted[i] || !is_shared(c, i, *group))
				failed = join_group(c->fd, *group, c->wanted[i]);
		if (changes && failed == 0) {
			c->joined[i] = c->wanted[i];
			*ret_new |= c->joined[i];
		}
		any |= c->joined[i];
		r = r ? r : failed;
	}
	any |= c->protocol == NETLINK_ROUTE && c == &watch->channels[0];
	int polled = poll_channel(watch, c, any);
	return r ? r : polled;
}

static int subscribe(struct channel *c) {
	const struct sock_fprog *filter = c->sources[0]->filter;
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int on = 1;

	if (filter && setsockopt(c->fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof(*filter)) < 0)
		return -errno;
	if (setsockopt(c->fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof(on)) < 0 ||
	    bind(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}

static int open_channel(struct watch *watch, struct channel *c) {
	bool joined = false;

	c->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, c->protocol);
	if (c->fd < 0)
		return -errno;
	int r = set_rcvbuf(c->fd, watch->rcvbuf);
	if (r == 0)
		r = subscribe(c);
	if (r == 0 && c == &watch->channels[0])
		r = join_group(c->fd, RTNLGRP_NSID, true);
	return r < 0 ? r : arm(watch, c, &joined);
}

static void add_source(struct watch *watch, const struct source *source) {
	struct channel *c = NULL;
	size_t n = 0;

	if (!source || !source->groups)
		return;
	for (size_t i = 0; i < watch->n_sources; i++)
		if (watch->sources[i] == source)
			return; /* several kinds share it */
	for (size_t i = 0; i < watch->n_channels && !source->filter; i++)
		if (watch->channels[i].protocol == source->protocol && !watch->channels[i].sources[0]->filter)
			c = &watch->channels[i];
	if (!c) {
		assert(watch->n_channels < CHANNELS_MAX);
		c = &watch->channels[watch->n_channels++];
		*c = (struct channel){ .fd = -1, .protocol = source->protocol };
	}
	while (c->sources[n])
		n++;
	assert(watch->n_sources < SOURCES_MAX);
	watch->sources[watch->n_sources++] = source;
	c->sources[n] = source;
	c->wanted[n] = !source->only_if_declared && !source->only_if_failed;
}

void watch_source(struct watch *watch, const struct source *source, bool on) {
	for (struct channel *c = watch->channels; c < watch->channels + watch->n_channels; c++)
		for (size_t i = 0; c->sources[i]; i++)
			if (c->sources[i] == source && c->wanted[i] != on) {
				c->wanted[i] = on;
				(void)arm(watch, c,
					  &(bool){ false }); /* the next dispatch tries again and reports the error */
			}
}

static void rearm(struct watch *watch, struct watch_round *round) {
	for (size_t i = 0; i < watch->n_channels; i++)
		round_keep_error(round, arm(watch, &watch->channels[i], &round->lost));
}

/* ---- events ---- */

struct block {
	struct mmsghdr messages[BLOCK];
	struct received {
		struct iovec iov;
		union {
			struct nlmsghdr header;
			char bytes[EVENT_BYTES];
		} message;
		struct sockaddr_nl from;
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(sizeof(int32_t))];
		} control;
	} events[BLOCK];
};

static int receive_block(int fd, struct block *block) {
	for (size_t i = 0; i < BLOCK; i++) {
		struct received *e = &block->events[i];

		e->iov = (struct iovec){ .iov_base = &e->message, .iov_len = sizeof(e->message) };
		block->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &e->from,
			.msg_namelen = sizeof(e->from),
			.msg_iov = &e->iov,
			.msg_iovlen = 1,
			.msg_control = &e->control,
			.msg_controllen = sizeof(e->control),
		};
	}
	int n = recvmmsg(fd, block->messages, BLOCK, MSG_DONTWAIT, NULL);
	return n < 0 ? -errno : n;
}

/* Events of our own namespace carry no id. Kernels older than 6.18 add the id that the namespace has for itself, if any. */
static int32_t origin(const struct watch *watch, struct msghdr *msg) {
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		int32_t nsid;

		if (c->cmsg_level != SOL_NETLINK || c->cmsg_type != NETLINK_LISTEN_ALL_NSID)
			continue;
		memcpy(&nsid, CMSG_DATA(c), sizeof(nsid));
		return nsid == watch->own_id ? WATCH_NSID_HOST : nsid;
	}
	return WATCH_NSID_HOST;
}

/* On any socket: netfilter's message types begin at 0x100. */
static bool is_id_event(const struct nlmsghdr *header) {
	return header->nlmsg_type == RTM_NEWNSID || header->nlmsg_type == RTM_DELNSID;
}

/* Reported when nothing holds the namespace any more, even if only the mount was removed and the file in NETNS_DIR
 * remains. */
static void hear_id(struct watch *watch, struct watch_round *round, int32_t from, const struct nlmsghdr *message,
		    size_t size) {
	int32_t gone = from == WATCH_NSID_HOST ? event_gone(message, size) : -1;

	round->ids_changed = true;
	if (gone >= 0)
		watch->handlers.heard(watch->userdata, gone, &(struct hint){ .type = HINT_NAMESPACE });
}

static void hear_message(struct watch *watch, struct watch_round *round, int32_t from, struct nlmsghdr *message,
			 size_t size) {
	struct hint hints[EVENT_HINTS];

	if (is_id_event(message)) {
		hear_id(watch, round, from, message, size);
		return;
	}
	size_t n = event_hints(watch->sources, message, size, &watch->arena, hints);
	for (size_t i = 0; i < n; i++)
		watch->handlers.heard(watch->userdata, from, &hints[i]);
}

/* A datagram of nf_tables has all messages of a transaction, which may be about several tables. */
static void hear_event(struct watch *watch, struct watch_round *round, struct received *e, struct msghdr *msg, size_t size) {
	int32_t from = origin(watch, msg);
	struct hint hint;

	for (size_t at = 0; size - at >= sizeof(struct nlmsghdr);) {
		struct nlmsghdr *message = (struct nlmsghdr *)(e->message.bytes + at);
		size_t length = NLMSG_ALIGN((size_t)message->nlmsg_len);

		hear_message(watch, round, from, message, size - at);
		if (length < sizeof(*message) || length >= size - at)
			break;
		at += length;
	}
	if (msg->msg_flags & MSG_TRUNC && event_hint_unread(watch->sources, &e->message.header, &watch->arena, &hint))
		watch->handlers.heard(watch->userdata, from, &hint);
}

static void hear_block(struct watch *watch, struct watch_round *round, struct block *block, int n) {
	for (int i = 0; i < n; i++) {
		struct received *e = &block->events[i];
		size_t size = block->messages[i].msg_len;

		if (e->from.nl_pid != 0 || size < sizeof(e->message.header))
			continue; /* not from the kernel */
		round->events++;
		hear_event(watch, round, e, &block->messages[i].msg_hdr, size);
	}
}

/* The largest number of events that the queue can hold. */
static size_t capacity(int fd) {
	int bytes = 0;
	socklen_t size = sizeof(bytes);

	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &size);
	return (size_t)bytes / SMALLEST_EVENT + BLOCK;
}

/* Nothing is queued until the queue has been empty. It may overrun again at once, and is then emptied again, a limited
 * number of times; the next dispatch continues. */
static void overrun(struct channel *c, struct watch_round *round, struct block *block) {
	size_t most = capacity(c->fd);
	int n = 0, tries = 0;

	round->overruns++;
	round->lost = round->ids_changed = true;
	for (size_t seen = 0; seen < most && tries < OVERRUN_TRIES && (n >= 0 || n == -ENOBUFS);) {
		n = receive_block(c->fd, block);
		tries += n == -ENOBUFS;
		seen = n < 0 ? 0 : seen + (size_t)n;
		round->events += n < 0 ? 0 : (size_t)n;
	}
	c->full = n == -ENOBUFS;
	if (n < 0 && n != -ENOBUFS && n != -EAGAIN)
		round_keep_error(round, n);
}

static void read_channel(struct watch *watch, struct channel *c, struct watch_round *round) {
	struct block block;

	if (c->full)
		overrun(c, round, &block);
	for (int blocks = 0; blocks < ROUND_BLOCKS && !c->full; blocks++) {
		int n = receive_block(c->fd, &block);

		if (n >= 0)
			hear_block(watch, round, &block, n);
		else if (n == -ENOBUFS)
			overrun(c, round, &block);
		else if (n != -EAGAIN)
			round_keep_error(round, n);
		/* Less than a block: the queue is empty, or an overrun cut it short, which the next poll reports. */
		if (n != -ENOBUFS && n < BLOCK)
			return;
	}
}

/* Events of our own namespace that came before its new id was known had an unknown id. */
static void renew_own_id(struct watch *watch, struct watch_round *round) {
	int32_t id;
	int r = netns_known_id(-1, &id);

	round_keep_error(round, r);
	watch->own_id_unknown = r < 0;
	if (r < 0 || id == watch->own_id)
		return;
	watch->own_id = id;
	watch->handlers.heard(watch->userdata, WATCH_NSID_HOST, &(struct hint){ .type = HINT_NAMESPACE });
}

/* ---- the whole ---- */

static int build(struct watch *watch) {
	int r = 0;

	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (watch->epoll < 0)
		return -errno;
	name_watch_init(&watch->names, &watch->handlers, watch->userdata, watch->epoll);
	for (const struct class *const *class = classes; *class; class ++)
		add_source(watch, (*class)->source);
	for (const struct kind *const *kind = kinds; *kind; kind++)
		add_source(watch, (*kind)->source);
	for (size_t i = 0; i < watch->n_channels && r == 0; i++)
		r = open_channel(watch, &watch->channels[i]);
	if (r == 0)
		r = name_watch_arm(&watch->names);
	if (r == -WATCH_NO_INSTANCE || r == -WATCH_NO_WATCH)
		r = 0; /* no names are watched until there is room; the first dispatch reports that */
	return r < 0 ? r : netns_known_id(-1, &watch->own_id); /* last: from now on, changes are heard */
}

int watch_new(struct watch **ret, const struct watch_handlers *handlers, void *userdata, size_t rcvbuf) {
	struct watch *watch = xmalloc(sizeof(*watch));
	int r;

	watch->handlers = *handlers;
	watch->userdata = userdata;
	watch->epoll = -1;
	watch->rcvbuf = rcvbuf;
	name_watch_init(&watch->names, &watch->handlers, watch->userdata, -1);
	r = build(watch);
	if (r < 0)
		watch_free(watch);
	else
		*ret = watch;
	return r;
}

void watch_free(struct watch *watch) {
	if (!watch)
		return;
	closep(&watch->epoll);
	for (size_t i = 0; i < watch->n_channels; i++)
		closep(&watch->channels[i].fd);
	name_watch_done(&watch->names);
	arena_done(&watch->arena);
	free(watch);
}

int watch_file(struct watch *watch, const char *name) {
	return name_watch_file(&watch->names, name);
}

int watch_own_dir(struct watch *watch, int dir_fd) {
	return name_watch_own_dir(&watch->names, dir_fd);
}

int watch_fd(const struct watch *watch) {
	return watch->epoll;
}

size_t watch_overruns(const struct watch *watch) {
	return watch->overruns;
}

int watch_dispatch(struct watch *watch, size_t *n_events) {
	struct watch_round round = {};

	for (size_t i = 0; i < watch->n_channels; i++)
		if (watch->channels[i].polled)
			read_channel(watch, &watch->channels[i], &round);
	name_watch_read(&watch->names, &round);
	rearm(watch, &round);
	if (round.ids_changed || watch->own_id_unknown)
		renew_own_id(watch, &round);
	name_watch_settle(&watch->names, &round);
	watch->overruns += round.overruns;
	arena_done(&watch->arena);
	if (round.lost)
		watch->handlers.everything_dirty(watch->userdata);
	if (n_events)
		*n_events += round.events;
	return round.error;
}
