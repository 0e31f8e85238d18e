/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removes a namespace's name, and measures how long it is away.
 *
 * `ip netns delete` unmounts the name and then unlinks its file, in two steps. Mounting the namespace there again in between
 * would make the second step fail, so the time until the name is back has two parts: the wait from the unmount to the
 * removal of the file, and the repair from there to the mount. The two kinds differ in what ends the wait: `netns-deleted`
 * runs the real `ip netns delete`, which unlinks; after `netns-unmounted` only the repairer does. Both parts are measured by
 * the kernel's events: of mountinfo for mounts, of inotify for the file.
 */
#include "subject.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NAMES "/run/netns"

enum { PATIENCE_MS = 5000 };

enum loss { DELETED, UNMOUNTED };

static const char *const losses[] = { "netns-deleted", "netns-unmounted" };

/* The name, what was mounted on it, and when it was seen to disappear and return; 0: not yet. */
struct name {
	char name[NS_NAME_SIZE], path[sizeof(NAMES) + NS_NAME_SIZE];
	ino_t inode;
	int mounts, inotify;
	double unmounted, unlinked, back;
};

struct outcome {
	struct times whole, wait, repair;
	unsigned lost, failed; /* names that did not come back; times that ip failed */
};

static bool is_mounted(const struct name *n) {
	struct stat st;

	return stat(n->path, &st) == 0 && st.st_ino == n->inode;
}

static void open_name(const struct options *o, unsigned number, struct name *n) {
	struct stat st;

	*n = (struct name){ .mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC),
			    .inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
	shape_ns_name(&o->shape, number, n->name);
	snprintf(n->path, sizeof(n->path), NAMES "/%s", n->name);
	if (n->mounts < 0 || n->inotify < 0 || inotify_add_watch(n->inotify, NAMES, IN_DELETE) < 0)
		die("cannot watch " NAMES ": %m");
	if (stat(n->path, &st) < 0)
		die("%s: %m", n->path);
	n->inode = st.st_ino;
}

static void close_name(struct name *n) {
	closep(&n->mounts);
	closep(&n->inotify);
}

static pid_t take_away(const struct name *n, enum loss loss) {
	pid_t child = fork();

	if (child < 0)
		die("cannot fork: %m");
	if (child > 0)
		return child;
	if (loss == DELETED)
		execlp("ip", "ip", "netns", "delete", n->name, NULL);
	_exit(loss == UNMOUNTED && umount2(n->path, MNT_DETACH) == 0 ? 0 : 127);
}

static void hear_unlink(struct name *n) {
	_Alignas(struct inotify_event) char buffer[4096];
	ssize_t size = read(n->inotify, buffer, sizeof(buffer));

	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *e = (const void *)(buffer + at);
		if (e->len && streq(e->name, n->name) && !n->unlinked)
			n->unlinked = now_ms();
		at += (ssize_t)(sizeof(*e) + e->len);
	}
}

/* Waits until the name is back, or until that takes too long. */
static void observe(struct name *n) {
	double deadline = now_ms() + PATIENCE_MS;

	for (double left; !n->back && (left = deadline - now_ms()) > 0;) {
		struct pollfd p[] = { { .fd = n->mounts, .events = POLLPRI }, { .fd = n->inotify, .events = POLLIN } };
		if (poll(p, ARRAY_SIZE(p), (int)left + 1) <= 0)
			continue;
		hear_unlink(n);
		if (!p[0].revents)
			continue;
		if (!is_mounted(n))
			n->unmounted = n->unmounted ? n->unmounted : now_ms();
		else if (n->unmounted || n->unlinked)
			n->back = now_ms();
	}
}

static void lose(const struct options *o, unsigned number, enum loss loss, struct outcome *out) {
	struct name n;
	int status;

	open_name(o, number, &n);
	pid_t child = take_away(&n, loss);
	observe(&n);
	if (waitpid(child, &status, 0) < 0 || status)
		out->failed++;
	close_name(&n);
	if (!n.back || !is_mounted(&n)) {
		out->lost++;
		return;
	}
	/* If unmounting, unlinking and mounting were so fast that only their end was seen, all of it counts as the wait. */
	double unlinked = n.unlinked ? n.unlinked : n.back;
	double unmounted = n.unmounted ? n.unmounted : unlinked;
	add_time(&out->whole, n.back - unmounted);
	add_time(&out->wait, unlinked - unmounted);
	add_time(&out->repair, n.back - unlinked);
}

static void print_outcome(const struct options *o, struct outcome *out) {
	printf("{\"verb\": \"unname\", \"shape\": \"%s\", \"n\": %u, \"kind\": \"%s\", \"count\": %zu, \"lost\": %u, "
	       "\"failed\": %u",
	       form_names[o->shape.form], o->shape.n, o->kind, out->whole.count, out->lost, out->failed);
	print_times("", &out->whole);
	print_times("wait_", &out->wait);
	print_times("repair_", &out->repair);
	puts("}");
	times_done(&out->whole);
	times_done(&out->wait);
	times_done(&out->repair);
}

int verb_unname(const struct options *o) {
	struct outcome out = { 0 };
	size_t loss = 0;

	while (loss < ARRAY_SIZE(losses) && !streq(o->kind, losses[loss]))
		loss++;
	if (loss == ARRAY_SIZE(losses)) {
		fprintf(stderr, "floor: no such way to lose a name: %s\n", o->kind);
		return 64;
	}
	/* Each time another one, so that none looks contested. */
	for (unsigned i = 0; i < o->count; i++) {
		lose(o, 1 + i % o->shape.n, (enum loss)loss, &out);
		pause_ms(o->pause_ms);
	}
	print_outcome(o, &out);
	return out.lost ? 1 : 0;
}
