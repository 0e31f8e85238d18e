/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which capabilities are needed was found by removing them one by one; a test repeats that. Writing root's files
 * (/run/netns, /run/topod, /etc/netns, /proc/sys/net) needs none, because the daemon is root. units/topod@.service
 * grants a slightly different set: CAP_NET_BROADCAST as well, which is needed only to open the event socket, but not
 * CAP_DAC_READ_SEARCH, which stays only if the user who started topod has it.
 *
 * capset(2) is called through syscall(2): glibc has no wrapper, and two calls do not justify libcap.
 */
#include "files/privilege.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const uint64_t needed =
	1ull << CAP_NET_ADMIN          /* requests of all kinds in all namespaces */
	| 1ull << CAP_NET_BIND_SERVICE /* tunnels over UDP ports below 1024, whose socket the kernel binds for topod */
	| 1ull << CAP_SYS_ADMIN        /* unshare, setns and mount of namespaces */
	| 1ull << CAP_SYS_PTRACE       /* following links to /proc/PID/ns/net, and reading them */
	| 1ull << CAP_DAC_READ_SEARCH /* `sudo topod run` in a user's directory: to read the file again */;

void privilege_hide_memory(void) {
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

struct capabilities {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
};

static int get_capabilities(struct capabilities *ret) {
	*ret = (struct capabilities){ .header.version = _LINUX_CAPABILITY_VERSION_3 };
	return syscall(SYS_capget, &ret->header, ret->sets) < 0 ? -errno : 0;
}

bool privilege_has(int capability) {
	struct capabilities own;

	return get_capabilities(&own) == 0 && own.sets[capability / 32].effective >> capability % 32 & 1;
}

int privilege_keep(uint64_t capabilities) {
	struct capabilities own;
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	r = get_capabilities(&own);
	if (r < 0)
		return r;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		own.sets[i].permitted &= (uint32_t)(capabilities >> 32 * i);
		own.sets[i].effective = own.sets[i].permitted;
		own.sets[i].inheritable = 0; /* this clears the ambient set too, see capabilities(7) */
	}
	return syscall(SYS_capset, &own.header, own.sets) < 0 ? -errno : 0;
}

int privilege_drop(void) {
	return privilege_keep(needed);
}
