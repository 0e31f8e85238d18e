/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named network namespaces as iproute2 keeps them: a file in /run/netns onto which the namespace is mounted.
 *
 * The only caller of unshare(), setns(), mount() and umount2() in topod. It knows names, descriptors, identities
 * and nsids, and nothing of what is inside a namespace. See ip-netns(8) and iproute2's ip/ipnetns.c for the
 * layout that `ip netns` expects. Names are checked by the caller (not empty, no '/', not "." or ".."); all
 * paths go through a descriptor of the folder with O_NOFOLLOW, so that a link planted there leads nowhere.
 */
#pragma once

#include <sys/types.h>

#include "kind/netns.h"

#define NETNS_DIR "/run/netns"

/* Where a function has ret_problem: *ret_problem is a sentence that says more than the error's number, in static memory, or
 * NULL where there is none. */

/* May names be made in NETNS_DIR, should it exist already? Errors as netns_prepare(), which it does not do. */
int netns_check(const char **ret_problem);

/* The folder's descriptor is kept from its next use until this is called again, to spare opening it for each name; it is
 * checked for each all the same. Not for long: it may be mounted upon meanwhile. Not set at first. */
void netns_keep_folder(bool keep);

/* Makes NETNS_DIR ready, as the first `ip netns add` of a boot does: a folder (0755), a mount point of its
 * own with shared propagation. Looks at /proc/self/mountinfo first: what is a shared mount already is left
 * alone, so that mounts never stack. An flock() on the folder keeps two processes from doing it at once.
 * -EPERM where it is another user's or others may write to it, -ENOTDIR where it is a link; netns_name() and
 * netns_delete() refuse the same. 0 or -errno. */
int netns_prepare(const char **ret_problem);

/* Makes a namespace without a name; *ret_fd is a descriptor of it (the caller closes), and without another reference it
 * goes with that. The calling thread stays where it was. 0 or -errno. */
int netns_make(int *ret_fd, const char **ret_problem);

/* Gives it a name. -EEXIST where that is taken, also by an empty file that a crash left (see netns_remove_stale()).
 * 0 or -errno; nothing is left behind on error. */
int netns_name(int fd, const char *name, const char **ret_problem);

/* Removes the name of this namespace: unmounts and unlinks it, as `ip netns delete` does. The kernel's own tearing down
 * is asynchronous. -ENOENT where the name does not exist, or by now is something else, which is left alone. 0 or -errno. */
int netns_delete(const char *name, const struct netns_identity *identity, const char **ret_problem);

/* Opens the namespace NAME, also through a symbolic link (the usual way to name a container's namespace).
 *   -ENOENT: there is no such name.
 *   -EINVAL: an empty file without permissions, as `ip netns add` and netns_name() make before they mount. Somebody may be
 *            half-way, or has crashed there.
 *   -EEXIST: anything else stands there. *ret_problem says what: "a link that leads nowhere".
 * 0 or -errno; the caller closes. */
int netns_open(const char *name, int *ret_fd, const char **ret_problem);

/* Removes what a crash between making the file and mounting leaves. -EEXIST where NAME is anything else: a namespace, a link,
 * another file. 0 or -errno. */
int netns_remove_stale(const char *name);

/* By which it is told from one that had the name before or has it later. 0 or -errno. */
int netns_identity(int fd, struct netns_identity *ret);
static inline bool netns_is_same(const struct netns_identity *a, const struct netns_identity *b) {
	return a->inode == b->inode && a->born_nsec == b->born_nsec;
}

/* Its cookie, which no other namespace ever has; -ENOPROTOOPT before Linux 5.14. The thread visits it: see netns_enter().
 * 0 or -errno. */
int netns_cookie(int fd, uint64_t *ret);

/* Is this namespace mounted under the name? */
bool netns_is_named(const char *name, const struct netns_identity *identity);

/* A descriptor of /proc/self/mountinfo, for poll(2) with POLLPRI: readable when any mount has changed. inotify tells nothing
 * of a mount that is taken away. The caller closes. -errno. */
int netns_watch_mounts(void);

/* The ids under which the socket's namespace (NETLINK_ROUTE) knows those behind fds, in as few requests as may be; -1
 * where it has none for it. With `assign` each is given one first where it has none (RTM_NEWNSID): without an id no
 * event of it is heard. fd -1 is the process's own namespace, which may have an id as any other. 0 or -errno. */
struct nl_socket;
int netns_ids(struct nl_socket *sock, const int *fds, size_t n, bool assign, int32_t *ret);

/* Does a namespace with this id live, as the socket's one knows it? One that is being taken apart does not. */
bool netns_lives(struct nl_socket *sock, int32_t id);

/* The id under which the current namespace knows the one behind fd; *ret is -1 where there is none. 0 or -errno. */
int netns_known_id(int fd, int32_t *ret);

/* The name in NETNS_DIR, in arena, of the namespace that the socket's one knows by this id; NULL where it has none there. */
struct arena;
const char *netns_name_of(struct nl_socket *sock, int32_t id, struct arena *arena);

/* Puts the calling thread into the namespace behind fd and leaves it again:
 *     _cleanup_(netns_leave) struct netns_visit visit = NETNS_VISIT_NONE;
 *     r = netns_enter(&visit, fd);
 * Entering again with the same visit moves on. fd -1 is the process's own namespace, the one in which
 * netns_init() was called; leaving always returns there, so visits do not nest. -EBADF before netns_init().
 * Leaving cannot fail: it aborts where the kernel refuses. */
struct netns_visit {
	bool away;
};
#define NETNS_VISIT_NONE ((struct netns_visit){})
int netns_init(void);
/* Its descriptor; -1 before netns_init(). */
int netns_home(void);
int netns_enter(struct netns_visit *visit, int fd);
void netns_leave(struct netns_visit *visit);
