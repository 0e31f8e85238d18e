/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May this process change networks, and make namespaces? */
#include <linux/capability.h>

#include "doctor/doctor_private.h"
#include "files/privilege.h"
#include "inside/sandbox.h"
#include "kernel/named_netns.h"

void check_rights(struct doctor *d) {
	bool admin = privilege_has(CAP_SYS_ADMIN), net = privilege_has(CAP_NET_ADMIN);

	d->has_rights = admin && net && geteuid() == 0;
	if (d->has_rights)
		return;
	find(d, FINDING_ERROR,
	     geteuid() ? "you are not root"
		       : say(d, "root has no right to change networks here (without %s%s%s)", admin ? "" : "cap_sys_admin",
			     admin || net ? "" : ", ", net ? "" : "cap_net_admin"),
	     "apply, plan, run and down cannot work, and a part of this examination is left out",
	     geteuid() ? "sudo topod doctor; or, without root: topod sandbox SPEC"
		       : "podman run --privileged, or --cap-add sys_admin,net_admin");
}

/* Settings that forbid users to make namespaces, which a sandbox without root needs. */
static void say_forbidden(void *userdata, const char *path, const char *way_out, bool also_root) {
	struct doctor *d = userdata;

	find(d, also_root ? FINDING_ERROR : FINDING_NOTE, say(d, "%s forbids new namespaces", path),
	     also_root ? "no namespace can be made" : "`topod sandbox` needs root", way_out);
}

/* A refusal by a security module has the same error as a missing permission. */
static void check_modules(struct doctor *d) {
	const char *profile = first_line(d, "/proc/self/attr/current");

	if (number_in(d, "/sys/fs/selinux/enforce") == 1)
		find(d, FINDING_NOTE, "SELinux is enforcing",
		     "what its policy does not allow is refused with 'Permission denied', also to root",
		     "ausearch -m avc -ts recent");
	if (profile && strstr(profile, " (enforce)"))
		find(d, FINDING_WARNING,
		     say(d, "AppArmor confines this shell by the profile %.*s", (int)strcspn(profile, " "), profile),
		     "what the profile does not allow is refused with 'Permission denied', also to root",
		     say(d, "aa-complain %.*s", (int)strcspn(profile, " "), profile));
}

void check_namespaces(struct doctor *d) {
	long long limit = number_in(d, "/proc/sys/user/max_net_namespaces");
	size_t n = count_namespaces(d->spec);
	const char *problem = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	check_modules(d);
	sandbox_each_obstacle(say_forbidden, d);
	if (limit > 0 && (size_t)limit < n)
		find(d, FINDING_ERROR,
		     say(d, "the file has %zu namespaces, and the limit of this machine is %lld", n, limit),
		     "the last ones cannot be made", say(d, "sysctl user.max_net_namespaces=%zu", 2 * n + 100));
	if (!d->has_rights || limit == 0)
		return;
	r = netns_make(&fd, &problem);
	if (r == -EPERM || r == -EACCES)
		find(d, FINDING_ERROR, "the kernel refuses a new network namespace to root",
		     "no namespace can be made: a seccomp filter of a container or a security module forbids it",
		     first_line(d, "/sys/fs/selinux/enforce") ? "ausearch -m avc -ts recent" : "podman run --privileged");
	else if (r < 0)
		find(d, FINDING_ERROR, say(d, "cannot make a network namespace: %s", problem ? problem : strerror(-r)),
		     "no namespace can be made", r == -ENOSPC ? "sysctl user.max_net_namespaces=10000" : NULL);
}
