/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into topod (LD_PRELOAD), it makes one chosen request to the kernel fail. test_faults.py chooses it, through a
 * file that both have mapped, and reads there which requests were made.
 *
 * Two sorts of requests are counted. A *call* is a call of one of the functions below that concerns the network or topod's
 * files; it fails before it reaches the kernel, or returns less than there is. A *message* is one of the netlink messages in
 * a sendto(); the kernel itself refuses it, because it gets an unknown type, and the error in the answer is replaced by the
 * chosen one.
 *
 * Time runs SPEED times faster in here, so that the test need not wait for the pauses between tries.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { SPEED = 50, NAME_BYTES = 32, LOG_ENTRIES = 8192, UNKNOWN_TYPE = 0x7ff0, REFUSALS = 64 };

/* In addition to the values of errno; the same as in test_faults.py. */
enum fault { FAULT_SHORT = 1001, FAULT_LOST, FAULT_INTERRUPTED };
enum target { TARGET_CALLS, TARGET_MESSAGES, TARGETS };

/* The mapped file; the same layout as in test_faults.py. */
struct control {
	uint32_t target, moment, fault, persists; /* moment: the first request of its sort that fails, from 1; 0: none */
	uint32_t n[TARGETS], n_of_sort, n_failed, begun;
	char sort[NAME_BYTES];
	char log[TARGETS][LOG_ENTRIES][NAME_BYTES];
};

static struct control *control;

#define REAL(name)                 \
	static typeof(name) *real; \
	if (!real)                 \
	real = (typeof(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void map_control(void) {
	const char *path = getenv("TOPOD_FAULT");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		abort();
	close(fd);
	control = at;
}

/* ---- which request fails ---- */

/* Counts a request; returns its fault, or 0. */
static int meets(enum target target, const char *sort) {
	uint32_t i;

	if (!control || !control->begun)
		return 0;
	i = control->n[target]++;
	if (i < LOG_ENTRIES)
		snprintf(control->log[target][i], NAME_BYTES, "%s", sort);
	if (!control->moment || control->target != target || strcmp(control->sort, sort) != 0)
		return 0;
	control->n_of_sort++;
	if (control->n_of_sort < control->moment || (control->n_of_sort > control->moment && !control->persists))
		return 0;
	control->n_failed++;
	return (int)control->fault;
}

/* Describes a path in one word; NULL: it does not concern this test. */
static const char *place_of(const char *path) {
	static const char *const places[][2] = {
		{ "/run/lab", NULL },      { "/run/netns", "netns" }, { "/run/topod", "ledger" }, { "/etc/netns", "dns" },
		{ "/sys/net", "sysctl" },  { "/ns/net", "netns" },    { "net:[", "netns" },       { "inotify", "inotify" },
		{ "mountinfo", "mounts" }, { "rt_", NULL },           { "pipe:", NULL },          { "socket:", NULL },
		{ "anon_inode", NULL },    { "/dev/", NULL },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strstr(path, places[i][0]))
			return places[i][1];
	return "other";
}

static const char *place_of_fd(int fd, const char *name) {
	char link[64], path[8192];
	ssize_t n;

	if (fd == AT_FDCWD || (name && name[0] == '/'))
		return place_of(name);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) / 2);
	if (n < 0)
		return NULL;
	snprintf(path + n, sizeof(path) - (size_t)n, "/%s", name ? name : "");
	return place_of(path);
}

static int fault_of(const char *call, const char *place) {
	char sort[NAME_BYTES];

	if (!place)
		return 0;
	snprintf(sort, sizeof(sort), "%s %s", call, place);
	return meets(TARGET_CALLS, sort);
}

/* Sets errno if the call must fail; faults that shorten an answer do not affect other calls. */
static bool fails(int fault) {
	if (fault <= 0 || fault >= FAULT_SHORT)
		return false;
	errno = fault;
	return true;
}

/* The spec has been read: counting begins. */
static void begin(const char *path) {
	if (control && strstr(path, "/run/topod"))
		control->begun = 1;
}

/* ---- files ---- */

/* The directories that lead to the spec are opened like this: a spec that cannot be read is another test. */
static bool only_leads(int flags) {
	return (flags & (O_PATH | O_DIRECTORY)) == (O_PATH | O_DIRECTORY);
}

static int open_at(const char *call, int dir, const char *path, int flags, mode_t mode) {
	REAL(openat);
	begin(path);
	return !only_leads(flags) && fails(fault_of(call, place_of_fd(dir, path))) ? -1 : real(dir, path, flags, mode);
}

static mode_t mode_of(int flags, va_list args) {
	return flags & O_CREAT ? va_arg(args, mode_t) : 0;
}

int openat(int dir, const char *path, int flags, ...) {
	va_list args;

	va_start(args, flags);
	mode_t mode = mode_of(flags, args);
	va_end(args);
	return open_at("openat", dir, path, flags, mode);
}

int open(const char *path, int flags, ...) {
	va_list args;

	va_start(args, flags);
	mode_t mode = mode_of(flags, args);
	va_end(args);
	return open_at("open", AT_FDCWD, path, flags, mode);
}

int __openat_2(int dir, const char *path, int flags);
int __openat_2(int dir, const char *path, int flags) {
	return open_at("openat", dir, path, flags, 0);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags) {
	return open_at("open", AT_FDCWD, path, flags, 0);
}

int mkdirat(int dir, const char *path, mode_t mode) {
	REAL(mkdirat);
	begin(path);
	return fails(fault_of("mkdirat", place_of_fd(dir, path))) ? -1 : real(dir, path, mode);
}

int unlinkat(int dir, const char *path, int flags) {
	REAL(unlinkat);
	return fails(fault_of("unlinkat", place_of_fd(dir, path))) ? -1 : real(dir, path, flags);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags) {
	REAL(renameat2);
	return fails(fault_of("renameat2", place_of_fd(from_dir, from))) ? -1 : real(from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
	REAL(renameat);
	return fails(fault_of("renameat", place_of_fd(from_dir, from))) ? -1 : real(from_dir, from, to_dir, to);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
	REAL(linkat);
	return fails(fault_of("linkat", place_of_fd(from_dir, from))) ? -1 : real(from_dir, from, to_dir, to, flags);
}

int ftruncate(int fd, off_t size) {
	REAL(ftruncate);
	return fails(fault_of("ftruncate", place_of_fd(fd, NULL))) ? -1 : real(fd, size);
}

static size_t shortened(int fault, size_t size) {
	return fault == FAULT_SHORT ? (size + 1) / 2 : size;
}

ssize_t read(int fd, void *data, size_t size) {
	REAL(read);
	int fault = fault_of("read", place_of_fd(fd, NULL));

	if (fault == FAULT_SHORT && size > 1) /* files of this sort are small: half the room would be enough */
		size = 1;
	return fails(fault) ? -1 : real(fd, data, size);
}

ssize_t pread(int fd, void *data, size_t size, off_t at) {
	REAL(pread);
	return fails(fault_of("pread", place_of_fd(fd, NULL))) ? -1 : real(fd, data, size, at);
}

ssize_t write(int fd, const void *data, size_t size) {
	REAL(write);
	int fault = fault_of("write", place_of_fd(fd, NULL));

	return fails(fault) ? -1 : real(fd, data, shortened(fault, size));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
	REAL(pwrite);
	int fault = fault_of("pwrite", place_of_fd(fd, NULL));

	return fails(fault) ? -1 : real(fd, data, shortened(fault, size), at);
}

/* ---- namespaces and mounts ---- */

int unshare(int flags) {
	REAL(unshare);
	return fails(fault_of("unshare", "netns")) ? -1 : real(flags);
}

int setns(int fd, int type) {
	REAL(setns);
	return fails(fault_of("setns", "netns")) ? -1 : real(fd, type);
}

int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data) {
	REAL(mount);
	return fails(fault_of("mount", "netns")) ? -1 : real(source, target, type, flags, data);
}

int umount2(const char *target, int flags) {
	REAL(umount2);
	return fails(fault_of("umount2", "netns")) ? -1 : real(target, flags);
}

int fsopen(const char *type, unsigned int flags) {
	REAL(fsopen);
	return fails(fault_of("fsopen", "proc")) ? -1 : real(type, flags);
}

int fsmount(int fd, unsigned int flags, unsigned int attributes) {
	REAL(fsmount);
	return fails(fault_of("fsmount", "proc")) ? -1 : real(fd, flags, attributes);
}

int inotify_add_watch(int fd, const char *path, uint32_t mask) {
	REAL(inotify_add_watch);
	return fails(fault_of("inotify_add_watch", "inotify")) ? -1 : real(fd, path, mask);
}

/* ---- netlink ---- */

static struct refusal {
	int fd;
	uint32_t seq;
	int error;
} refusals[REFUSALS];
static size_t n_refusals;

static const char *netlink(int fd) {
	int domain = 0, protocol = 0;
	socklen_t size = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 || domain != AF_NETLINK)
		return NULL;
	size = sizeof(protocol);
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size);
	return protocol == NETLINK_ROUTE ? "route" : "netfilter";
}

int socket(int domain, int type, int protocol) {
	REAL(socket);
	return domain == AF_NETLINK && fails(fault_of("socket", "netlink")) ? -1 : real(domain, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t size) {
	REAL(bind);
	return fails(fault_of("bind", netlink(fd))) ? -1 : real(fd, address, size);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size) {
	REAL(setsockopt);
	struct timeval limit = { .tv_usec = 200 * 1000 };

	if (fails(fault_of("setsockopt", netlink(fd))))
		return -1;
	if (level == SOL_SOCKET && option == SO_RCVTIMEO)
		return real(fd, level, option, &limit, sizeof(limit));
	return real(fd, level, option, value, size);
}

/* The begin and end messages of a transaction are not requests. */
static void refuse_one(int fd, const char *protocol, struct nlmsghdr *nlh) {
	char sort[NAME_BYTES];
	int error;

	if (nlh->nlmsg_type < NLMSG_MIN_TYPE || (protocol[0] == 'n' && nlh->nlmsg_type < NLMSG_MIN_TYPE + 2))
		return;
	snprintf(sort, sizeof(sort), "%s %#x", protocol, nlh->nlmsg_type);
	error = meets(TARGET_MESSAGES, sort);
	if (error == 0)
		return;
	nlh->nlmsg_type = UNKNOWN_TYPE;
	refusals[n_refusals++ % REFUSALS] = (struct refusal){ .fd = fd, .seq = nlh->nlmsg_seq, .error = error };
}

static ssize_t send_messages(int fd, char *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_size) {
	REAL(sendto);
	const char *protocol = netlink(fd);
	struct nlmsghdr *nlh;

	for (size_t at = 0; at + sizeof(*nlh) <= size; at += NLMSG_ALIGN(nlh->nlmsg_len)) {
		nlh = (struct nlmsghdr *)(data + at);
		if (nlh->nlmsg_len < sizeof(*nlh))
			break;
		refuse_one(fd, protocol, nlh);
	}
	return real(fd, data, size, flags, to, to_size);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_size) {
	REAL(sendto);
	const char *protocol = netlink(fd);
	ssize_t n;
	char *copy;

	if (!protocol)
		return real(fd, data, size, flags, to, to_size);
	if (fails(fault_of("sendto", protocol)))
		return -1;
	copy = malloc(size);
	memcpy(copy, data, size);
	n = send_messages(fd, copy, size, flags, to, to_size);
	free(copy);
	return n;
}

static void rewrite_error(int fd, struct nlmsghdr *nlh) {
	struct nlmsgerr *err = NLMSG_DATA(nlh);

	if (nlh->nlmsg_type != NLMSG_ERROR)
		return;
	for (size_t i = 0; i < REFUSALS; i++)
		if (refusals[i].fd == fd && refusals[i].error && refusals[i].seq == nlh->nlmsg_seq) {
			err->error = -refusals[i].error;
			refusals[i].error = 0;
		}
}

static void rewrite(int fd, char *data, size_t size, int fault) {
	struct nlmsghdr *nlh;

	for (size_t at = 0; at + sizeof(*nlh) <= size; at += NLMSG_ALIGN(nlh->nlmsg_len)) {
		nlh = (struct nlmsghdr *)(data + at);
		if (nlh->nlmsg_len < sizeof(*nlh))
			return;
		rewrite_error(fd, nlh);
		if (fault == FAULT_INTERRUPTED && nlh->nlmsg_flags & NLM_F_MULTI)
			nlh->nlmsg_flags |= NLM_F_DUMP_INTR;
	}
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags) {
	REAL(recvmsg);
	const char *protocol = netlink(fd);
	int fault = fault_of("recvmsg", protocol);
	ssize_t n;

	if (fails(fault))
		return -1;
	n = real(fd, msg, flags);
	if (n < 0 || !protocol)
		return n;
	if (fault == FAULT_LOST) {
		errno = ENOBUFS;
		return -1;
	}
	rewrite(fd, msg->msg_iov[0].iov_base, (size_t)n, fault);
	if (fault != FAULT_SHORT)
		return n;
	msg->msg_flags |= MSG_TRUNC;
	return n / 2;
}

int recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags, struct timespec *timeout) {
	REAL(recvmmsg);
	int fault = fault_of("recvmmsg", netlink(fd)), got;

	if (fails(fault))
		return -1;
	got = real(fd, msgs, n, flags, timeout);
	if (got > 0 && fault == FAULT_LOST) {
		errno = ENOBUFS;
		return -1;
	}
	if (got > 0 && fault == FAULT_SHORT) {
		msgs[0].msg_len /= 2;
		msgs[0].msg_hdr.msg_flags |= MSG_TRUNC;
	}
	return got;
}

/* ---- time ---- */

typedef __int128 nsec;

static nsec to_nsec(const struct timespec *t) {
	return (nsec)t->tv_sec * 1000000000 + t->tv_nsec;
}

static struct timespec from_nsec(nsec t) {
	return (struct timespec){ .tv_sec = (time_t)(t / 1000000000), .tv_nsec = (long)(t % 1000000000) };
}

int clock_gettime(clockid_t clock, struct timespec *ret) {
	REAL(clock_gettime);
	int r = real(clock, ret);

	if (r == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME))
		*ret = from_nsec(to_nsec(ret) * SPEED);
	return r;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *former) {
	REAL(timerfd_settime);
	struct itimerspec fast = *value;

	if (to_nsec(&value->it_value))
		fast.it_value = from_nsec(to_nsec(&value->it_value) / SPEED + 1);
	return real(fd, flags, &fast, former);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask) {
	REAL(ppoll);
	struct timespec fast = timeout ? from_nsec(to_nsec(timeout) / SPEED) : (struct timespec){};

	return real(fds, n, timeout ? &fast : NULL, mask);
}

int nanosleep(const struct timespec *duration, struct timespec *left) {
	REAL(nanosleep);
	struct timespec fast = from_nsec(to_nsec(duration) / SPEED);

	return real(&fast, left);
}
