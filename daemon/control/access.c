/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides what a caller may do, by what the kernel recorded when it connected (unix(7)): user, process, and supplementary
 * groups, which is how users are usually members of the group `topod`. Nothing that a client sends counts.
 */
#include <sys/socket.h>

#include "control/control_private.h"

/* 1, 0 or -errno. */
static int is_member(int fd, gid_t group) {
	socklen_t size = 64 * sizeof(gid_t);
	_cleanup_free_ gid_t *groups = xmalloc(size);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
		if (errno != ERANGE)
			return -errno;
		free(groups);
		groups = xmalloc(size); /* getsockopt() set the size, and the groups of a peer never change */
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
			return -errno;
	}
	for (size_t i = 0; i < size / sizeof(gid_t); i++)
		if (groups[i] == group)
			return 1;
	return 0;
}

int peer_of(int fd, gid_t readers, struct peer *ret) {
	struct ucred creds;
	socklen_t size = sizeof(creds);
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &creds, &size) < 0)
		return -errno;
	*ret = (struct peer){ .uid = creds.uid, .pid = creds.pid };
	ret->may_change = creds.uid == 0 || creds.uid == geteuid();
	ret->may_read = ret->may_change || (readers != CONTROL_NOBODY && creds.gid == readers);
	if (ret->may_read || readers == CONTROL_NOBODY)
		return 0;
	r = is_member(fd, readers);
	ret->may_read = r > 0;
	return r < 0 ? r : 0;
}
