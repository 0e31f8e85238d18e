/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/chosen_mac.h"

#include <fcntl.h>
#include <sys/mount.h>

#include "kernel/named_netns.h"
#include "kind/link.h"

enum {
	NET_ADDR_SET = 3, /* linux/netdevice.h: set by a user */
	MAC_IS_LOCAL = 2, /* in the first byte: locally administered (IEEE 802) */
};

/* The sysfs of the network namespace that the thread is in; -errno. The caller closes. */
static int open_sysfs(void) {
	_cleanup_close_ int fs = fsopen("sysfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	return fd < 0 ? -errno : fd;
}

/* A small number in a file of sysfs; -1 if it cannot be read. */
static int read_digit(int dir, const char *path) {
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	char text[2] = "";

	if (fd < 0 || read(fd, text, 1) != 1 || *text < '0' || *text > '9')
		return -1;
	return *text - '0';
}

static void read_links(const struct ns_state *ns, int sysfs) {
	ns_foreach(object, ns) {
		struct link *link = (struct link *)object;
		char path[64];
		int type = -1;

		if (!object_is_link(object))
			continue;
		snprintf(path, sizeof(path), "class/net/%s/addr_assign_type", link->name);
		if (sysfs >= 0)
			type = read_digit(sysfs, path);
		link->mac_chosen = type >= 0 ? type == NET_ADDR_SET : !(link->mac.bytes[0] & MAC_IS_LOCAL);
	}
}

void chosen_mac_read(struct state *observed) {
	_cleanup_(netns_leave) struct netns_visit visit = NETNS_VISIT_NONE;

	state_foreach(ns, observed) {
		_cleanup_close_ int fd = -1, sysfs = -1;
		const char *problem;
		bool there = streq(ns->name, NS_HOST) || netns_open(ns->name, &fd, &problem) == 0;

		if (there && netns_enter(&visit, fd) == 0)
			sysfs = open_sysfs();
		read_links(ns, sysfs);
	}
}
