/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /run/netns, where the names of namespaces are: is it sound, and does everybody see it? */
#include <inttypes.h>

#include "doctor/doctor_private.h"
#include "kernel/named_netns.h"

/* The line of /proc/self/mountinfo for a directory; see proc_pid_mountinfo(5). */
struct mounts {
	size_t n;
	bool shared; /* the topmost one */
};

static struct mounts mounts_on(const char *path) {
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	struct mounts mounts = {};
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		char place[256] = "";

		if (sscanf(line, "%*d %*d %*s %*s %255s", place) != 1 || !streq(place, path))
			continue;
		mounts.n++;
		mounts.shared = strstr(line, " shared:") != NULL;
	}
	return mounts;
}

static void check_directory(struct doctor *d) {
	const struct mounts mounts = mounts_on(NETNS_DIR);
	const char *problem = NULL;
	int r = netns_check(&problem);

	if (r < 0)
		find(d, FINDING_ERROR, say(d, "%s cannot be used: %s", NETNS_DIR, problem ? problem : strerror(-r)),
		     "no namespace can be given a name",
		     r == -EPERM ? "chown root: " NETNS_DIR "; chmod 755 " NETNS_DIR : "rm " NETNS_DIR);
	if (mounts.n > 1)
		find(d, FINDING_WARNING, say(d, "%s is mounted %zu times upon itself", NETNS_DIR, mounts.n),
		     "each name is mounted as often, and doubles with the next one: everything becomes slow",
		     "umount " NETNS_DIR);
	if (mounts.n && !mounts.shared)
		find(d, FINDING_WARNING, say(d, "%s is not shared with other mount namespaces", NETNS_DIR),
		     "services and containers do not see namespaces that are made later", "mount --make-shared " NETNS_DIR);
}

/* Names without a namespace, as a crash leaves them. */
static void check_entries(struct doctor *d) {
	const char **names = netns_names(&d->found->arena);

	for (; names && *names; names++) {
		const char *problem = NULL;
		_cleanup_close_ int fd = -1;
		int r = netns_open(*names, &fd, &problem);
		bool ours = d->spec && state_find(&d->spec->state, *names);

		if (r != -EINVAL && r != -EEXIST)
			continue;
		find(d, ours && r == -EEXIST ? FINDING_ERROR : FINDING_WARNING,
		     say(d, "%s/%s is not a namespace: %s", NETNS_DIR, *names, problem ? problem : "an empty file"),
		     ours && r == -EEXIST ? "the file's namespace of that name cannot be made" : "`ip netns` fails for it",
		     say(d, "rm %s/%s", NETNS_DIR, *names));
	}
}

void check_names(struct doctor *d) {
	char own[64] = "", first[64] = "";

	if (!d->has_rights)
		return;
	check_directory(d);
	check_entries(d);
	if (readlink("/proc/self/ns/mnt", own, sizeof(own) - 1) > 0 &&
	    readlink("/proc/1/ns/mnt", first, sizeof(first) - 1) > 0 && !streq(own, first))
		find(d, FINDING_NOTE, "this shell has its own mount namespace",
		     "namespaces that are made here have no name outside, and the daemon's may have none here",
		     "nsenter -t 1 -m topod doctor");
}
