/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named network namespaces as iproute2 keeps them: a file in /run/netns onto which the namespace is mounted.
 *
 * The only caller of unshare(), setns(), mount() and umount2() in the daemon. It knows names, descriptors, identities and
 * nsids, but not what is inside a namespace. See ip-netns(8) and iproute2's ip/ipnetns.c for the layout that `ip netns`
 * expects. The caller checks names (not empty, no '/', not "." or ".."). All paths go through a descriptor of the directory
 * with O_NOFOLLOW, so a symbolic link placed there is not followed.
 */
#pragma once

#include <sys/types.h>

#include "kind/netns.h"

#define NETNS_DIR "/run/netns"

/* ret_problem: a phrase that says more than the error number, in static memory, or NULL. */

/* May names be created in NETNS_DIR, if it exists? Errors are those of netns_prepare(); nothing is changed. */
int netns_check(const char **ret_problem);

/* Keeps the directory's descriptor open from its next use until this is called with false, so that it is not opened for
 * each name; it is still checked for each. Not for long, because something may be mounted on the directory meanwhile. Off
 * at first. */
void netns_keep_dir(bool keep);

/* Prepares NETNS_DIR, as the first `ip netns add` after a boot does: a directory (0755) that is a mount point with shared
 * propagation. A mount that is shared already (/proc/self/mountinfo) is left alone, so that mounts never stack. An
 * flock() on the directory keeps two processes from doing it at once. -EPERM if it belongs to another user or others may
 * write to it, -ENOTDIR if it is a symbolic link; netns_name() and netns_delete() refuse the same. 0 or -errno. */
int netns_prepare(const char **ret_problem);

/* Creates a namespace without a name. The caller closes *ret_fd; without another reference the namespace goes with it.
 * The calling thread stays where it was. 0 or -errno. */
int netns_make(int *ret_fd, const char **ret_problem);

/* Gives it a name. -EEXIST if the name is taken, also by an empty file that a crash left (see netns_remove_stale()). 0 or
 * -errno; nothing is left behind on error. */
int netns_name(int fd, const char *name, const char **ret_problem);

/* Removes the name of this namespace: unmounts and unlinks it, as `ip netns delete` does. The kernel dismantles the
 * namespace later. -ENOENT if the name does not exist, or is something else by now, which is left alone. 0 or -errno. */
int netns_delete(const char *name, const struct netns_identity *identity, const char **ret_problem);

/* Opens the namespace NAME, also through a symbolic link (the usual way to name a container's namespace).
 *   -ENOENT: there is no such name.
 *   -EINVAL: an empty file without permissions, as `ip netns add` and netns_name() create before they mount. Another process
 *            may be in between, or has crashed there.
 *   -EEXIST: the name is something else; *ret_problem says what: "a link that leads nowhere".
 * 0 or -errno; the caller closes. */
int netns_open(const char *name, int *ret_fd, const char **ret_problem);
/* The same, with its identity. */
int netns_open_identified(const char *name, int *ret_fd, struct netns_identity *ret, const char **ret_problem);

/* Removes what a crash between creating the file and mounting leaves. -EEXIST if NAME is anything else: a namespace, a
 * link, another file. 0 or -errno. */
int netns_remove_stale(const char *name);

/* What distinguishes it from another namespace that had or will have the same name. 0 or -errno. */
int netns_identity(int fd, struct netns_identity *ret);
static inline bool netns_is_same(const struct netns_identity *a, const struct netns_identity *b) {
	if (a->cookie && b->cookie)
		return a->cookie == b->cookie;
	/* The time is left unknown if it is meaningless: see struct netns_identity. */
	return a->inode == b->inode && (!a->born_nsec || !b->born_nsec || a->born_nsec == b->born_nsec);
}

/* Its cookie, which is unique until the next boot; -ENOPROTOOPT before Linux 5.14. Before Linux 6.18 the thread visits the
 * namespace for it: see netns_enter(). 0 or -errno. */
int netns_cookie(int fd, uint64_t *ret);

/* Gives a namespace that something else keeps alive a name: a symbolic link to it, such as /proc/4711/ns/net, which does not
 * keep it alive. A link of topod's that leads to `former` (NULL: there is none) is replaced. -EEXIST if the name is anything
 * else. 0 or -errno. */
int netns_link(const char *name, const char *target, const char *former, const char **ret_problem);
/* Removes such a link; -ENOENT if the name does not exist or is anything else, which is left alone. 0 or -errno. */
int netns_unlink(const char *name, const char *target);
/* Is the name a symbolic link with exactly this text? */
bool netns_leads_to(const char *name, const char *target);

/* Is it the namespace in which topod runs? Also true if that cannot be determined. */
bool netns_is_home(const struct netns_identity *identity);

/* 0 if it is the descriptor of a network namespace; -EINVAL. */
int netns_check_fd(int fd);

/* Is this namespace mounted under the name? */
bool netns_is_named(const char *name, const struct netns_identity *identity);

/* A descriptor of /proc/self/mountinfo, for poll(2) with POLLPRI: ready when any mount has changed. inotify does not
 * report unmounting. The caller closes. -errno. */
int netns_watch_mounts(void);

/* The ids under which the socket's namespace (NETLINK_ROUTE) knows those behind fds, in as few requests as possible; -1
 * if it has none for one. With `assign`, each without an id is given one first (RTM_NEWNSID): events of a namespace without
 * an id are not heard. fd -1 is the process's own namespace, which may have an id like any other. 0 or -errno. */
struct nl_socket;
int netns_ids(struct nl_socket *sock, const int *fds, size_t n, bool assign, int32_t *ret);

/* Does the socket's namespace have one with this id that is not being dismantled? */
bool netns_lives(struct nl_socket *sock, int32_t id);

/* The id under which the current namespace knows the one behind fd; *ret is -1 if it has none. 0 or -errno. */
int netns_known_id(int fd, int32_t *ret);

/* The names in NETNS_DIR, in alphabetical order, ended by NULL; they and the list are in arena. Not every name has to be a
 * namespace. */
struct arena;
const char **netns_names(struct arena *arena);
/* The name in NETNS_DIR, in arena, of the namespace behind fd, also through a symbolic link; NULL if it has none. */
const char *netns_name_of_fd(int fd, struct arena *arena);

/* The name in NETNS_DIR, in arena, of the namespace that the socket's namespace knows by this id; NULL if it has none. */
const char *netns_name_of(struct nl_socket *sock, int32_t id, struct arena *arena);

/* Puts the calling thread into the namespace behind fd, and back:
 *     _cleanup_(netns_leave) struct netns_visit visit = NETNS_VISIT_NONE;
 *     r = netns_enter(&visit, fd);
 * Entering again with the same visit goes to another namespace. fd -1 is the process's own namespace, the one in which
 * netns_init() was called; leaving always returns there, so visits do not nest. -EBADF before netns_init(). Leaving
 * cannot fail: it aborts if the kernel refuses. */
struct netns_visit {
	bool away;
};
#define NETNS_VISIT_NONE ((struct netns_visit){})
int netns_init(void);
/* Its descriptor; -1 before netns_init(). */
int netns_home(void);
int netns_enter(struct netns_visit *visit, int fd);
void netns_leave(struct netns_visit *visit);
