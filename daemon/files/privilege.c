/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which capabilities stay was found by taking them away one by one; a test does it again. Root's files can be written
 * without any, because they are root's: /run/netns, /run/topod, /etc/netns and the settings in /proc/sys/net. What
 * units/topod@.service gives differs in two: CAP_NET_BROADCAST is needed to open the socket for events only, and
 * CAP_DAC_READ_SEARCH stays where somebody started topod who has it, which the service does not.
 *
 * capset(2) is called as the kernel has it: glibc has no function for it, and two calls are not worth a library.
 */
#include "files/privilege.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const uint64_t needed = 1ull << CAP_NET_ADMIN    /* requests of every kind, in every namespace */
			       | 1ull << CAP_SYS_ADMIN  /* unshare, setns and mount of namespaces */
			       | 1ull << CAP_SYS_PTRACE /* following links to /proc/PID/ns/net, and reading them */
			       | 1ull << CAP_DAC_READ_SEARCH /* `sudo topod run` in a user's own folder: to read again */;

int privilege_drop(void) {
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		sets[i].permitted &= (uint32_t)(needed >> 32 * i);
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0; /* and with it the ambient ones */
	}
	return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}
