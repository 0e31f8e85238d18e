/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the hints are gathered.
 *
 * Of an event only what it is about is wanted, which stands in front. So only its beginning is received, of sixty-four
 * events at a time, and what is behind is left to be cut off.
 *
 * Overruns have a trap. A socket that is full says ENOBUFS once, and from then on drops silently until its
 * queue was empty. Whoever looked at the kernel upon ENOBUFS, before having emptied the queue, would not
 * hear of what changed in between: the queue is emptied first, and only then everything is called dirty.
 *
 * Of the neighbours of all namespaces (RTNLGRP_NEIGH) only forwarding entries for unknown addresses are of interest, and only
 * where such are declared, and neighbours that are gone, while an address has failed for one: each have a socket of their own,
 * whose filter lets the others of that group not through.
 *
 * inotify has two. `ip netns add` makes the file before it mounts the namespace onto it, and a mount is no
 * inotify event: a name that is seen too early is kept in mind, and announced again when a change of
 * /proc/self/mountinfo (which can be polled) has made it a namespace. And a folder that does not exist cannot
 * be watched: for /etc/netns/NAME the folders above it are watched too, as far up as /etc.
 */
#include "kernel/events.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#include "files/error_text.h"
#include "kernel/named_netns.h"
#include "base/vec.h"
#include "kernel/event_decode.h"

#define ETC_DIR "/etc"
#define FILES_NAME "netns"
#define FILES_DIR ETC_DIR "/" FILES_NAME

enum {
	BLOCK = 64,                        /* events per recvmmsg() */
	ROUND_BLOCKS = 64,                 /* blocks per socket and dispatch: 4096 events */
	OVERRUN_TRIES = 16,                /* how often one dispatch empties a socket that is full again */
	SMALLEST_EVENT = 512,              /* what the kernel at least charges for a queued one */
	DEFAULT_RCVBUF = 16 * 1024 * 1024, /* the kernel doubles it; 10,000 new links take about 25 MB */
	FOLDER_MASK = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR,
	OWN_MASK = IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM | IN_MOVE_SELF | IN_ONLYDIR,
	FORWARDING = 2, /* their places among the subscriptions */
	NEIGHBOURS = 3,
	FILES_MASK = FOLDER_MASK | IN_CLOSE_WRITE | IN_EXCL_UNLINK,
};

/* Of a message about a neighbour: it is of a bridge or the like (ndm_family), and its hardware address is all zeros. */
static struct sock_filter forwarding_filter[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_BRIDGE, 0, 9),
	BPF_STMT(BPF_LD | BPF_IMM, NLMSG_HDRLEN + sizeof(struct ndmsg)),
	BPF_STMT(BPF_LDX | BPF_IMM, NDA_LLADDR),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
		 (uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR)), /* where the attribute begins; 0: there is none */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, 0),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_IND, NLA_HDRLEN),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, NLA_HDRLEN + 4),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

/* A filter reads numbers in network order, a message has them in the machine's. */
#define AS_READ(number) (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap16(number) : (number))

/* Of a message about a neighbour: it is forgotten, or has failed. */
static struct sock_filter neighbours_filter[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AS_READ(RTM_DELNEIGH), 3, 0),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_state)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AS_READ(NUD_FAILED), 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

/* What is listened to; each list ends with 0. */
static const struct subscription {
	int protocol;
	int groups[16];
	const struct sock_fprog *filter;
	bool on_demand; /* only from watch_forwarding() or watch_neighbours() on */
} subscriptions[] = {
	{ NETLINK_ROUTE,
	  { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
	    RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF, RTNLGRP_NSID } },
	{ NETLINK_NETFILTER, { NFNLGRP_NFTABLES } },
	[FORWARDING] = { NETLINK_ROUTE,
			 { RTNLGRP_NEIGH },
			 .on_demand = true,
			 .filter = &(const struct sock_fprog){ ARRAY_SIZE(forwarding_filter), forwarding_filter } },
	[NEIGHBOURS] = { NETLINK_ROUTE,
			 { RTNLGRP_NEIGH },
			 .on_demand = true,
			 .filter = &(const struct sock_fprog){ ARRAY_SIZE(neighbours_filter), neighbours_filter } },
};

struct watched_file {
	char *name; /* NAME of /etc/netns/NAME */
	int wd;     /* -1: the folder does not exist */
};

struct watch {
	struct watch_handlers handlers;
	void *userdata;
	int epoll, inotify;
	int sockets[ARRAY_SIZE(subscriptions)];
	int32_t own_id; /* by which our own namespace knows itself: usually none, which is -1 */
	size_t overruns, rcvbuf;
	bool full[ARRAY_SIZE(subscriptions)];              /* it overran, and could not be emptied yet */
	bool wanted[ARRAY_SIZE(subscriptions)];            /* it is on demand, and was asked for … */
	bool joined[ARRAY_SIZE(subscriptions)];            /* … and is heard */
	bool own_id_unknown, names_unarmed, files_unarmed; /* could not be asked or watched lately: tried again */

	int names_wd, etc_wd, files_wd; /* of NETNS_DIR, ETC_DIR, FILES_DIR */
	int own_wd;                     /* of watch_own_folder() */
	vec(struct watched_file) files;
	vec(char *) unmounted; /* names that were seen before their namespace */
	int mounts;            /* /proc/self/mountinfo, while there are such */
};

/* What one dispatch has found out so far. */
struct round {
	size_t events;
	bool lost, ids_changed;
	int error; /* the first */
};

static void keep_error(struct round *round, int r) {
	round->error = round->error ? round->error : r;
}

static int poll_for(struct watch *watch, int fd, uint32_t events) {
	struct epoll_event event = { .events = events };

	return epoll_ctl(watch->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* ---- event sockets ---- */

static int set_rcvbuf(int fd, size_t rcvbuf) {
	int bytes = rcvbuf == 0 ? DEFAULT_RCVBUF : (int)MIN(rcvbuf, (size_t)INT32_MAX / 2);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0)
		return -errno;
	return 0;
}

static int join(int fd, const struct subscription *s, bool on) {
	for (const int *group = s->groups; *group; group++)
		if (setsockopt(fd, SOL_NETLINK, on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, group,
			       sizeof(*group)) < 0)
			return -errno;
	return 0;
}

static int subscribe(int fd, const struct subscription *s) {
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int on = 1;

	if (s->filter && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, s->filter, sizeof(*s->filter)) < 0)
		return -errno;
	if (setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return s->on_demand ? 0 : join(fd, s, true);
}

static int open_socket(struct watch *watch, size_t i) {
	const struct subscription *s = &subscriptions[i];
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, s->protocol), r;

	if (fd < 0)
		return -errno;
	watch->sockets[i] = fd;
	r = set_rcvbuf(fd, watch->rcvbuf);
	if (r == 0)
		r = subscribe(fd, s);
	return r < 0 || s->on_demand ? r : poll_for(watch, fd, EPOLLIN);
}

struct block {
	struct mmsghdr messages[BLOCK];
	struct event {
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
		struct event *e = &block->events[i];

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

/* Events of our own namespace carry no id; older kernels (6.18 is newer) add the one that the namespace has of
 * itself, if any. */
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

/* The two types mean the same on either socket: netfilter's begin at 0x100. */
static bool is_id_event(const struct nlmsghdr *header) {
	return header->nlmsg_type == RTM_NEWNSID || header->nlmsg_type == RTM_DELNSID;
}

/* A namespace is gone once nothing holds it: so it is told of one, too, of which only the mount was taken away, and the file
 * in NETNS_DIR left. */
static void hear_id(struct watch *watch, struct round *round, int32_t from, const struct nlmsghdr *message, size_t size) {
	int32_t gone = from == WATCH_NSID_HOST ? event_gone(message, size) : -1;

	round->ids_changed = true;
	if (gone >= 0)
		watch->handlers.heard(watch->userdata, gone, &(struct hint){ .type = HINT_NAMESPACE });
}

static void hear_message(struct watch *watch, struct round *round, int32_t from, struct nlmsghdr *message, size_t size) {
	struct hint hint;

	if (is_id_event(message))
		hear_id(watch, round, from, message, size);
	else if (event_hint(message, size, &hint))
		watch->handlers.heard(watch->userdata, from, &hint);
}

/* All messages of a datagram: nf_tables puts those of a transaction together, about whatever tables. */
static void hear_event(struct watch *watch, struct round *round, struct event *e, struct msghdr *msg, size_t size) {
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
	if (msg->msg_flags & MSG_TRUNC && event_hint_unread(&e->message.header, &hint))
		watch->handlers.heard(watch->userdata, from, &hint);
}

static void hear_block(struct watch *watch, struct round *round, struct block *block, int n) {
	for (int i = 0; i < n; i++) {
		struct event *e = &block->events[i];
		size_t size = block->messages[i].msg_len;

		if (e->from.nl_pid != 0 || size < sizeof(e->message.header))
			continue; /* not from the kernel */
		round->events++;
		hear_event(watch, round, e, &block->messages[i].msg_hdr, size);
	}
}

/* How many events the queue can hold at most. */
static size_t capacity(int fd) {
	int bytes = 0;
	socklen_t size = sizeof(bytes);

	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &size);
	return (size_t)bytes / SMALLEST_EVENT + BLOCK;
}

/* Until the queue has been empty once nothing is added to it. It may be full again as soon as it was: to be emptied anew,
 * but not without end; the next dispatch goes on. */
static void overrun(struct watch *watch, struct round *round, struct block *block, size_t i) {
	size_t most = capacity(watch->sockets[i]);
	int n = 0, tries = 0;

	watch->overruns++;
	round->lost = round->ids_changed = true;
	for (size_t seen = 0; seen < most && tries < OVERRUN_TRIES && (n >= 0 || n == -ENOBUFS);) {
		n = receive_block(watch->sockets[i], block);
		tries += n == -ENOBUFS;
		seen = n < 0 ? 0 : seen + (size_t)n;
		round->events += n < 0 ? 0 : (size_t)n;
	}
	watch->full[i] = n == -ENOBUFS;
	if (n < 0 && n != -ENOBUFS && n != -EAGAIN)
		keep_error(round, n);
}

static void read_socket(struct watch *watch, struct round *round, size_t i) {
	struct block block;

	if (watch->full[i])
		overrun(watch, round, &block, i);
	for (int blocks = 0; blocks < ROUND_BLOCKS && !watch->full[i] && watch->sockets[i] >= 0; blocks++) {
		int n = receive_block(watch->sockets[i], &block);

		if (n >= 0)
			hear_block(watch, round, &block, n);
		else if (n == -ENOBUFS)
			overrun(watch, round, &block, i);
		else if (n != -EAGAIN)
			keep_error(round, n);
		/* Less than a block: the queue was empty, and what ended it otherwise (an overrun) is told by the next poll. */
		if (n != -ENOBUFS && n < BLOCK)
			return;
	}
}

/* Events of our own namespace that came before its new id was known went under a number that nobody knows. */
static void renew_own_id(struct watch *watch, struct round *round) {
	int32_t id;
	int r = netns_known_id(-1, &id);

	keep_error(round, r);
	watch->own_id_unknown = r < 0;
	if (r < 0 || id == watch->own_id)
		return;
	watch->own_id = id;
	watch->handlers.heard(watch->userdata, WATCH_NSID_HOST, &(struct hint){ .type = HINT_NAMESPACE });
}

/* ---- folders ---- */

/* EMFILE has two meanings: it was a limit of inotify's own where another descriptor can be had. */
static int open_inotify(struct watch *watch) {
	_cleanup_close_ int other = -1;

	watch->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->inotify >= 0)
		return poll_for(watch, watch->inotify, EPOLLIN);
	if (errno != EMFILE)
		return -errno;
	other = dup(watch->epoll);
	return other < 0 ? -EMFILE : -WATCH_NO_INSTANCE;
}

/* The watch of a folder, -1 where there is no such folder (yet). Watching the same one again changes nothing;
 * the watch of a folder that was removed is taken away by the kernel. */
static int watch_folder(struct watch *watch, const char *path, uint32_t mask, int *wd) {
	int r = watch->inotify < 0 ? open_inotify(watch) : 0;

	if (r < 0)
		return r;
	*wd = inotify_add_watch(watch->inotify, path, mask);
	if (*wd >= 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	return errno == ENOSPC ? -WATCH_NO_WATCH : -errno;
}

/* ---- names in NETNS_DIR ---- */

static void forget_name(struct watch *watch, size_t i) {
	free(watch->unmounted.items[i]);
	watch->unmounted.items[i] = watch->unmounted.items[--watch->unmounted.n];
}

static bool is_unmounted(const char *name) {
	_cleanup_close_ int fd = -1;
	const char *problem;
	int r = netns_open(name, &fd, &problem);

	return r == -EINVAL || r == -EEXIST;
}

static void await_mount(struct watch *watch, const char *name) {
	for (size_t i = 0; i < watch->unmounted.n; i++)
		if (streq(watch->unmounted.items[i], name))
			return;
	vec_push(&watch->unmounted, xstrdup(name));
}

/* While there is something to wait for; before it is asked for, so that nothing falls in between. */
static int watch_mounts(struct watch *watch) {
	if (watch->unmounted.n == 0 || watch->mounts >= 0)
		return 0;
	watch->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	return watch->mounts < 0 ? -errno : poll_for(watch, watch->mounts, EPOLLPRI);
}

/* Asked at each dispatch rather than upon mountinfo's event: that event is gone once somebody has polled. */
static void announce_mounted(struct watch *watch) {
	for (size_t i = watch->unmounted.n; i-- > 0;) {
		if (is_unmounted(watch->unmounted.items[i]))
			continue;
		watch->handlers.name_changed(watch->userdata, watch->unmounted.items[i]);
		forget_name(watch, i);
	}
	if (watch->unmounted.n == 0 && watch->mounts >= 0)
		close(TAKE_FD(watch->mounts));
}

/* Where somebody has removed the folder it is made again, as at the start. */
static int arm_names(struct watch *watch) {
	const char *problem;
	int r = watch_folder(watch, NETNS_DIR, FOLDER_MASK, &watch->names_wd);

	if (r == 0 && watch->names_wd < 0)
		r = netns_prepare(&problem);
	if (r == 0 && watch->names_wd < 0)
		r = watch_folder(watch, NETNS_DIR, FOLDER_MASK, &watch->names_wd);
	watch->names_unarmed = watch->names_wd < 0;
	return r;
}

static void hear_name(struct watch *watch, struct round *round, const struct inotify_event *event) {
	if (event->len == 0) { /* the folder itself went away */
		round->lost = watch->names_unarmed = true;
		return;
	}
	watch->handlers.name_changed(watch->userdata, event->name);
	if (event->mask & (IN_CREATE | IN_MOVED_TO) && is_unmounted(event->name))
		await_mount(watch, event->name);
}

/* ---- files in /etc/netns/NAME ---- */

static int arm_file(struct watch *watch, struct watched_file *file) {
	_cleanup_free_ char *path = xasprintf("%s/%s", FILES_DIR, file->name);

	return watch_folder(watch, path, FILES_MASK, &file->wd);
}

/* NAME's folder came or went. What was written into it before it was watched is covered by the call. */
static int rearm_file(struct watch *watch, const char *name) {
	int r = 0;

	vec_foreach(file, &watch->files)
		if (r == 0 && streq(file->name, name)) {
			r = arm_file(watch, file);
			watch->files_unarmed |= r < 0;
			watch->handlers.file_changed(watch->userdata, name);
		}
	return r;
}

/* FILES_DIR itself came or went. */
static int rearm_files(struct watch *watch) {
	int r = watch_folder(watch, FILES_DIR, FOLDER_MASK, &watch->files_wd);

	watch->files_unarmed = false;
	vec_foreach(file, &watch->files)
		r = r ? r : rearm_file(watch, file->name);
	watch->files_unarmed |= r < 0;
	return r;
}

static void hear_file(struct watch *watch, const struct inotify_event *event) {
	vec_foreach(file, &watch->files)
		if (file->wd == event->wd) {
			file->wd = event->mask & IN_IGNORED ? -1 : file->wd;
			watch->handlers.file_changed(watch->userdata, file->name);
		}
}

int watch_file(struct watch *watch, const char *name) {
	struct watched_file file = { .wd = -1 };
	int r;

	vec_foreach(known, &watch->files)
		if (streq(known->name, name))
			return 0;
	r = watch_folder(watch, ETC_DIR, FOLDER_MASK, &watch->etc_wd);
	r = r ? r : watch_folder(watch, FILES_DIR, FOLDER_MASK, &watch->files_wd);
	file.name = xstrdup(name);
	r = r ? r : arm_file(watch, &file);
	if (r < 0)
		free(file.name);
	else
		vec_push(&watch->files, file);
	return r;
}

int watch_own_folder(struct watch *watch, int folder) {
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", folder);

	return watch_folder(watch, path, OWN_MASK, &watch->own_wd);
}

/* ---- inotify ---- */

static void hear_inotify(struct watch *watch, struct round *round, const struct inotify_event *event) {
	round->events++;
	if (event->mask & IN_Q_OVERFLOW) {
		watch->overruns++;
		round->lost = true;
		keep_error(round, rearm_files(watch));
	} else if (event->wd == watch->names_wd) {
		hear_name(watch, round, event);
	} else if (event->wd == watch->etc_wd) {
		if (event->len > 0 && streq(event->name, FILES_NAME))
			keep_error(round, rearm_files(watch));
	} else if (event->wd == watch->files_wd) {
		if (event->len > 0)
			keep_error(round, rearm_file(watch, event->name));
	} else if (event->wd == watch->own_wd) {
		watch->handlers.taken_away(watch->userdata);
	} else {
		hear_file(watch, event);
	}
}

static void read_inotify(struct watch *watch, struct round *round) {
	_Alignas(struct inotify_event) char buffer[16 * 1024];

	for (int i = 0; i < ROUND_BLOCKS; i++) {
		ssize_t n = read(watch->inotify, buffer, sizeof(buffer));

		if (n < 0) {
			keep_error(round, errno == EAGAIN ? 0 : -errno);
			return;
		}
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			hear_inotify(watch, round, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
}

/* ---- neighbours, on demand ---- */

/* The sockets are there from the start: hearing all namespaces takes a capability that the daemon gives up then. Joining a
 * group takes none, and without one a socket costs nothing. */
static int arm(struct watch *watch, size_t i) {
	int r = join(watch->sockets[i], &subscriptions[i], watch->wanted[i]);

	if (watch->joined[i] && !watch->wanted[i])
		epoll_ctl(watch->epoll, EPOLL_CTL_DEL, watch->sockets[i], NULL);
	else if (r == 0 && watch->wanted[i])
		r = poll_for(watch, watch->sockets[i], EPOLLIN);
	watch->joined[i] = r == 0 && watch->wanted[i];
	watch->full[i] &= watch->joined[i];
	return r;
}

static void rearm(struct watch *watch, struct round *round) {
	for (size_t i = 0; i < ARRAY_SIZE(subscriptions); i++) {
		if (!watch->wanted[i] || watch->joined[i])
			continue;
		int r = arm(watch, i);
		round->lost |= r == 0;
		keep_error(round, r);
	}
}

static void want(struct watch *watch, size_t i, bool on) {
	if (watch->wanted[i] == on)
		return;
	watch->wanted[i] = on;
	(void)arm(watch, i); /* the next dispatch tries again, and tells */
}

/* ---- the whole ---- */

static int build(struct watch *watch) {
	int r = 0;

	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (watch->epoll < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(subscriptions) && r == 0; i++)
		r = open_socket(watch, i);
	if (r == 0)
		r = arm_names(watch);
	if (r == -WATCH_NO_INSTANCE || r == -WATCH_NO_WATCH)
		r = 0; /* until there is room nothing of names is heard, which the first dispatch says */
	return r < 0 ? r : netns_known_id(-1, &watch->own_id); /* last: a change from now on is heard */
}

int watch_new(struct watch **ret, const struct watch_handlers *handlers, void *userdata, size_t rcvbuf) {
	struct watch *watch = xmalloc(sizeof(*watch));
	int r;

	watch->handlers = *handlers;
	watch->userdata = userdata;
	watch->epoll = watch->inotify = watch->mounts = -1;
	watch->names_wd = watch->etc_wd = watch->files_wd = watch->own_wd = -1;
	for (size_t i = 0; i < ARRAY_SIZE(watch->sockets); i++)
		watch->sockets[i] = -1;
	watch->rcvbuf = rcvbuf;
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
	closep(&watch->inotify);
	closep(&watch->mounts);
	for (size_t i = 0; i < ARRAY_SIZE(watch->sockets); i++)
		closep(&watch->sockets[i]);
	vec_foreach(file, &watch->files)
		free(file->name);
	vec_foreach(name, &watch->unmounted)
		free(*name);
	vec_done(&watch->files);
	vec_done(&watch->unmounted);
	free(watch);
}

void watch_forwarding(struct watch *watch, bool on) {
	want(watch, FORWARDING, on);
}

void watch_neighbours(struct watch *watch, bool on) {
	want(watch, NEIGHBOURS, on);
}

int watch_fd(const struct watch *watch) {
	return watch->epoll;
}

size_t watch_overruns(const struct watch *watch) {
	return watch->overruns;
}

int watch_dispatch(struct watch *watch, size_t *n_events) {
	struct round round = {};

	for (size_t i = 0; i < ARRAY_SIZE(watch->sockets); i++)
		if (!subscriptions[i].on_demand || watch->joined[i])
			read_socket(watch, &round, i);
	if (watch->inotify >= 0)
		read_inotify(watch, &round);
	rearm(watch, &round);
	if (watch->names_unarmed)
		keep_error(&round, arm_names(watch));
	if (watch->files_unarmed)
		keep_error(&round, rearm_files(watch));
	if (round.ids_changed || watch->own_id_unknown)
		renew_own_id(watch, &round);
	keep_error(&round, watch_mounts(watch));
	announce_mounted(watch);
	if (round.lost)
		watch->handlers.everything_dirty(watch->userdata);
	if (n_events)
		*n_events += round.events;
	return round.error;
}
