/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of namespaces, and visits to a namespace.
 *
 * A named namespace is created in two steps: an empty file, and the namespace mounted onto it. A process that dies
 * between the two leaves a stale file. It differs from a namespace by its file system (not nsfs), and from other files by
 * being empty and without permissions. Only such a file is removed, and only a namespace of the expected identity is
 * unmounted: a link to a container's namespace, or a file with notes, is not topod's.
 *
 * Mounting and unmounting need paths. They are given as /proc/self/fd/N of a file or directory that was opened with
 * O_NOFOLLOW before, so that the checked file is the one acted upon. A symbolic link is followed only to see where it leads
 * (open_linked()).
 *
 * Only the network namespace is switched. `ip netns exec` also creates a mount namespace with its own /sys; a daemon that
 * did so would hide its mounts from everybody else.
 */
#include "kernel/named_netns.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/net_namespace.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "base/vec.h"
#include "files/own_dir.h"

#ifndef NS_GET_ID
#define NS_GET_ID _IOR(NSIO, 13, __u64) /* linux/nsfs.h of Linux 6.18 */
#endif

/* The thread's own; /proc/self is the main thread's. */
#define CURRENT_NETNS "/proc/thread-self/ns/net"

enum {
	FD_PATH = 320, /* room for /proc/self/fd/N/NAME, where a name is at most NAME_MAX (255) bytes */
	LOCK_TRIES = 50,
	LOCK_PAUSE_NSEC = 10 * 1000 * 1000,
};

static int home = -1;               /* the namespace that netns_leave() returns to … */
static dev_t nsfs;                  /* … and its file system, which all namespaces share; 0: not known yet */
static _Thread_local bool visiting; /* the thread is in another one */

static bool keeping;
static int kept = -1; /* the directory, while it is kept open */

void netns_keep_dir(bool keep) {
	keeping = keep;
	closep(&kept);
	kept = -1;
}

static void own_dir_done(int *fd) {
	if (*fd != kept)
		closep(fd);
}

/* For reading only: whatever is found is checked, regardless of its creator. */
static int open_dir(int *ret_fd) {
	*ret_fd = kept >= 0 ? kept : open(NETNS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0)
		return errno == ELOOP ? -ENOTDIR : -errno;
	if (keeping)
		kept = *ret_fd;
	return 0;
}

static const char *own_dir_problem(int error) {
	return error == -EPERM     ? NETNS_DIR " belongs to another user, or others may write to it"
	       : error == -ENOTDIR ? NETNS_DIR " is not a directory"
				   : NULL;
}

/* To create or remove names. Others who may write there could replace them meanwhile. */
static int open_own(int *ret_fd, const char **ret_problem) {
	int r = open_dir(ret_fd);

	if (r == 0)
		r = own_dir_check(*ret_fd);
	*ret_problem = own_dir_problem(r);
	return r;
}

int netns_check(const char **ret_problem) {
	_cleanup_(own_dir_done) int dir = -1;
	int r = open_own(&dir, ret_problem);

	return r == -ENOENT ? 0 : r;
}

/* ---- the directory ---- */

enum mounted { NOT_MOUNTED, MOUNTED, MOUNTED_SHARED };

/* One line of proc_pid_mountinfo(5): ID PARENT DEV ROOT POINT OPTIONS [shared:N …] - TYPE SOURCE OPTIONS */
static enum mounted read_mount(char *line, uint64_t id) {
	char *rest = line, *field;

	for (int i = 0; (field = strsep(&rest, " ")) && !streq(field, "-"); i++) {
		if ((i == 0 && id && strtoull(field, NULL, 10) != id) || (i == 4 && !streq(field, NETNS_DIR)))
			return NOT_MOUNTED;
		if (i > 5 && startswith(field, "shared:"))
			return MOUNTED_SHARED;
	}
	return MOUNTED;
}

/* If several mounts have the directory's path, the one through which it was opened counts: the others are below it, or
 * hidden with an earlier /run. */
static int find_mount(int dir, enum mounted *ret) {
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t allocated = 0;
	struct statx stx;
	uint64_t id;

	if (!f || statx(dir, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
		return -errno;
	id = stx.stx_mask & STATX_MNT_ID ? stx.stx_mnt_id : 0; /* before Linux 5.8: take any */
	*ret = NOT_MOUNTED;
	while (*ret == NOT_MOUNTED && getline(&line, &allocated, f) >= 0)
		*ret = read_mount(line, id);
	return ferror(f) ? -EIO : 0;
}

/* Two processes that prepare the directory at the same time would stack mounts; iproute2 takes this lock too. But
 * everyone who can read the directory can hold the lock, so we wait no longer than the operation normally takes. */
static int lock_dir(int dir) {
	int r = -EWOULDBLOCK;

	for (int i = 0; i < LOCK_TRIES && r == -EWOULDBLOCK; i++) {
		if (i > 0)
			nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NSEC }, NULL);
		r = flock(dir, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	}
	return r == -EWOULDBLOCK ? 0 : r;
}

int netns_prepare(const char **ret_problem) {
	_cleanup_close_ int dir = -1;
	enum mounted mounted = NOT_MOUNTED;
	int r = own_dir_make(AT_FDCWD, NETNS_DIR, &dir);

	*ret_problem = own_dir_problem(r);
	if (r < 0)
		return r;
	r = lock_dir(dir);
	if (r == 0)
		r = find_mount(dir, &mounted);
	if (r < 0)
		return r;
	if (mounted == NOT_MOUNTED && mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	if (mounted != MOUNTED_SHARED && mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) < 0)
		return -errno;
	netns_keep_dir(keeping); /* hides the directory below */
	return 0;
}

/* ---- names ---- */

static int open_current(int *ret_fd) {
	*ret_fd = open(CURRENT_NETNS, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

/* A thread in the wrong namespace would configure the wrong machine: abort instead. */
static void set_back(int fd) {
	if (setns(fd, CLONE_NEWNET) < 0)
		abort_with("topod: cannot return to its own network namespace: exiting\n");
}

/* The namespace that the thread is in, to return to it. */
static int find_place(int *ret_fd) {
	*ret_fd = home;
	return visiting || home < 0 ? open_current(ret_fd) : 0;
}

static void place_done(int *fd) {
	if (*fd != home)
		closep(fd);
}

/* ENOSPC means something else at each step. Returns -error. */
static int full(int error, const char *what, const char **ret_problem) {
	if (error == ENOSPC)
		*ret_problem = what;
	return -error;
}

int netns_make(int *ret_fd, const char **ret_problem) {
	_cleanup_(place_done) int before = -1;
	int r = find_place(&before);

	if (r < 0)
		return r;
	if (unshare(CLONE_NEWNET) < 0)
		return full(errno, "the limit of network namespaces is reached (sysctl user.max_net_namespaces)",
			    ret_problem);
	r = open_current(ret_fd);
	set_back(before);
	return r;
}

static int mount_onto(int file, int fd, const char **ret_problem) {
	char source[FD_PATH], target[FD_PATH];

	snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
	snprintf(target, sizeof(target), "/proc/self/fd/%d", file);
	if (mount(source, target, "none", MS_BIND, NULL) < 0)
		return full(errno, "the limit of mounts is reached (sysctl fs.mount-max)", ret_problem);
	return 0;
}

int netns_name(int fd, const char *name, const char **ret_problem) {
	_cleanup_(own_dir_done) int dir = -1;
	_cleanup_close_ int file = -1;
	int r = open_own(&dir, ret_problem);

	if (r < 0)
		return r;
	file = openat(dir, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
	if (file < 0)
		return full(errno, "the file system of " NETNS_DIR " is full", ret_problem);
	r = mount_onto(file, fd, ret_problem);
	if (r < 0)
		unlinkat(dir, name, 0);
	return r;
}

/* ---- identity ---- */

static struct netns_identity identity_of(const struct stat *st) {
	return (struct netns_identity){ .inode = st->st_ino,
					.born_nsec =
						(uint64_t)st->st_ctim.tv_sec * 1000000000 + (uint64_t)st->st_ctim.tv_nsec };
}

/* Before Linux 6.18 only a socket of the namespace tells it. The thread may be visiting another namespace, to which it
 * returns. */
static int ask_inside(int fd, uint64_t *ret) {
	_cleanup_(place_done) int before = -1;
	_cleanup_close_ int sock = -1;
	socklen_t size = sizeof(*ret);
	int r = find_place(&before);

	if (r < 0)
		return r;
	if (setns(fd, CLONE_NEWNET) < 0)
		return -errno;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = sock < 0 || getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, ret, &size) < 0 ? -errno : 0;
	set_back(before);
	return r;
}

/* Since Linux 6.18 the cookie is the id that the ioctl returns: preinit_net() in net/core/net_namespace.c. */
int netns_cookie(int fd, uint64_t *ret) {
	static atomic_bool unknown;

	if (!unknown && ioctl(fd, NS_GET_ID, ret) == 0)
		return 0;
	unknown = unknown || errno == ENOTTY;
	return ask_inside(fd, ret);
}

static struct netns_identity identify(int fd, const struct stat *st) {
	struct netns_identity identity = identity_of(st);

	(void)netns_cookie(fd, &identity.cookie); /* an older kernel has none */
	return identity;
}

int netns_identity(int fd, struct netns_identity *ret) {
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = identify(fd, &st);
	return 0;
}

bool netns_is_home(const struct netns_identity *identity) {
	struct netns_identity own;

	return netns_identity(home, &own) < 0 || netns_is_same(identity, &own);
}

/* ---- opening and removing ---- */

static bool is_on_nsfs(int fd) {
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

static bool is_netns(int fd, struct stat *ret) {
	return fstat(fd, ret) == 0 && (nsfs ? ret->st_dev == nsfs : is_on_nsfs(fd)) &&
	       ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

int netns_check_fd(int fd) {
	struct stat st;

	return is_netns(fd, &st) ? 0 : -EINVAL;
}

/* The errors of open(2) for a link, a socket, a device without a driver, and a file without permissions (not every root
 * may override them). */
static bool error_is_of_another_file(int error) {
	return error == ELOOP || error == ENXIO || error == ENODEV || error == EACCES;
}

/* A link is followed only to see whether it leads to a network namespace, and only if nobody else can have created it.
 * O_PATH does not open what it leads to: no device is started, no FIFO is waited for. */
static int open_linked(int dir, const char *name, int *ret_fd, struct stat *ret, const char **ret_problem) {
	_cleanup_close_ int path = -1, fd = -1;
	char target[FD_PATH];

	*ret_problem = "a symbolic link, and others may write to " NETNS_DIR;
	if (own_dir_check(dir) < 0)
		return -EEXIST;
	path = openat(dir, name, O_PATH | O_CLOEXEC);
	if (path < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return -errno;
	*ret_problem = path >= 0 ? "a symbolic link to something other than a network namespace"
		       : errno == EACCES
			       ? "a symbolic link that topod may not follow (to /proc/PID/ns/net that needs CAP_SYS_PTRACE)"
			       : "a dangling symbolic link";
	if (path < 0 || !is_on_nsfs(path))
		return -EEXIST;
	snprintf(target, sizeof(target), "/proc/self/fd/%d", path);
	fd = open(target, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!is_netns(fd, ret))
		return -EEXIST;
	*ret_problem = NULL;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* topod and iproute2 create the file under a name empty and without permissions. Only the kernel knows for sure whether
 * something is mounted on it: see netns_remove_stale(). */
static bool looks_left_over(const struct stat *st) {
	return S_ISREG(st->st_mode) && (st->st_mode & 07777) == 0 && st->st_size == 0;
}

/* Describes what could not be opened as a namespace. `error` is the error of opening it. */
static int open_other(int dir, const char *name, int error, int *ret_fd, struct stat *ret, const char **ret_problem) {
	_cleanup_close_ int path = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (path < 0 || fstat(path, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return open_linked(dir, name, ret_fd, ret, ret_problem);
	if (is_on_nsfs(path) && error)
		return error; /* a namespace that may not be opened */
	if (!is_on_nsfs(path) && looks_left_over(&st))
		return -EINVAL;
	*ret_problem = is_on_nsfs(path)      ? "a namespace of another kind"
		       : S_ISDIR(st.st_mode) ? "a directory"
					     : "a file that is not a network namespace";
	return -EEXIST;
}

static int open_name(const char *name, int *ret_fd, struct stat *ret, const char **ret_problem) {
	_cleanup_(own_dir_done) int dir = -1;
	_cleanup_close_ int fd = -1;
	int r;

	*ret_problem = NULL;
	r = open_dir(&dir);
	if (r < 0)
		return r;
	/* O_NONBLOCK: a FIFO must not block us. */
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	r = fd < 0 ? -errno : 0;
	if (r < 0 && !error_is_of_another_file(-r))
		return r;
	if (r < 0 || !is_netns(fd, ret))
		return open_other(dir, name, r, ret_fd, ret, ret_problem);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int netns_open(const char *name, int *ret_fd, const char **ret_problem) {
	struct stat st;

	return open_name(name, ret_fd, &st, ret_problem);
}

int netns_open_identified(const char *name, int *ret_fd, struct netns_identity *ret, const char **ret_problem) {
	struct stat st;
	int r = open_name(name, ret_fd, &st, ret_problem);

	if (r == 0)
		*ret = identify(*ret_fd, &st);
	return r;
}

/* was_ours: a namespace of topod was mounted on it, regardless of who created the file. */
static int remove_left_over(int dir, const char *name, bool was_ours) {
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (was_ours ? !S_ISREG(st.st_mode) || st.st_size : !looks_left_over(&st))
		return -EEXIST;
	if (unlinkat(dir, name, 0) == 0)
		return 0;
	/* EBUSY: something is mounted on it. EEXIST does not come from the kernel here: it means that the file is somebody
	 * else's. */
	return errno == EBUSY ? -EEXIST : errno == EEXIST ? -EIO : -errno;
}

int netns_remove_stale(const char *name) {
	_cleanup_(own_dir_done) int dir = -1;
	const char *problem;
	int r = open_own(&dir, &problem);

	return r < 0 ? r : remove_left_over(dir, name, false);
}

/* Is this namespace mounted there, and not just linked? In one system call, because all are checked after each mount. */
static bool is_mounted_there(int dir, const char *name, const struct netns_identity *identity) {
	struct netns_identity found;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	found = identity_of(&st); /* the mount holds the inode, so both parts count */
	return found.inode == identity->inode && found.born_nsec == identity->born_nsec;
}

/* Several mounts may be stacked on a name. */
int netns_delete(const char *name, const struct netns_identity *identity, const char **ret_problem) {
	_cleanup_(own_dir_done) int dir = -1;
	char path[FD_PATH];
	int r = open_own(&dir, ret_problem);

	if (r < 0)
		return r;
	if (!is_mounted_there(dir, name, identity))
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	do {
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return errno == EINVAL ? -ENOENT : -errno; /* EINVAL: another process was faster */
		r = remove_left_over(dir, name, true);
	} while (r == -EEXIST && is_mounted_there(dir, name, identity));
	return r == -EEXIST || r == -ENOENT ? 0 : r; /* it is another namespace now */
}

/* ---- symbolic links ---- */

static bool leads_to(int dir, const char *name, const char *target) {
	char found[PATH_MAX];
	ssize_t n = readlinkat(dir, name, found, sizeof(found));

	return n >= 0 && (size_t)n == strlen(target) && memcmp(found, target, (size_t)n) == 0;
}

bool netns_leads_to(const char *name, const char *target) {
	_cleanup_(own_dir_done) int dir = -1;

	return open_dir(&dir) == 0 && leads_to(dir, name, target);
}

int netns_unlink(const char *name, const char *target) {
	_cleanup_(own_dir_done) int dir = -1;
	const char *problem;
	int r = open_own(&dir, &problem);

	if (r < 0)
		return r;
	if (!leads_to(dir, name, target))
		return -ENOENT;
	return unlinkat(dir, name, 0) < 0 ? -errno : 0;
}

int netns_link(const char *name, const char *target, const char *former, const char **ret_problem) {
	_cleanup_(own_dir_done) int dir = -1;
	int r = open_own(&dir, ret_problem);

	if (r < 0 || leads_to(dir, name, target))
		return r;
	/* Replaces the former one atomically, so that the name is never missing. */
	bool replaces = former && leads_to(dir, name, former);
	_cleanup_free_ char *beside = replaces ? xasprintf(".%s.topod", name) : NULL;
	if (beside)
		(void)unlinkat(dir, beside, 0); /* left by a crash */
	if (symlinkat(target, dir, beside ? beside : name) < 0)
		return full(errno, "the file system of " NETNS_DIR " is full", ret_problem);
	return beside && renameat(dir, beside, dir, name) < 0 ? -errno : 0;
}

bool netns_is_named(const char *name, const struct netns_identity *identity) {
	_cleanup_(own_dir_done) int dir = -1;

	return open_dir(&dir) == 0 && is_mounted_there(dir, name, identity);
}

int netns_watch_mounts(void) {
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int compare_names(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **netns_names(struct arena *arena) {
	_cleanup_closedir_ DIR *dir = opendir(NETNS_DIR);
	vec(const char *) names = {};
	const struct dirent *entry;
	const char **list;

	while (dir && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			vec_push(&names, arena_strdup(arena, entry->d_name));
	if (names.n)
		qsort(names.items, names.n, sizeof(*names.items), compare_names);
	vec_push(&names, NULL);
	list = arena_memdup(arena, names.items, names.n * sizeof(*names.items));
	vec_done(&names);
	return list;
}

const char *netns_name_of_fd(int fd, struct arena *arena) {
	struct netns_identity wanted, found;

	if (netns_identity(fd, &wanted) < 0)
		return NULL;
	for (const char **name = netns_names(arena); *name; name++) {
		_cleanup_close_ int other = -1;
		const char *problem;

		if (netns_open(*name, &other, &problem) == 0 && netns_identity(other, &found) == 0 &&
		    netns_is_same(&wanted, &found))
			return *name;
	}
	return NULL;
}

/* ---- visits ---- */

int netns_init(void) {
	struct stat st;
	int fd, r;

	r = open_current(&fd);
	if (r < 0)
		return r;
	closep(&home);
	home = fd;
	nsfs = fstat(fd, &st) == 0 ? st.st_dev : 0;
	return 0;
}

int netns_enter(struct netns_visit *visit, int fd) {
	if (home < 0)
		return -EBADF; /* there would be no way back */
	if (setns(fd < 0 ? home : fd, CLONE_NEWNET) < 0)
		return -errno;
	visit->away = visiting = fd >= 0;
	return 0;
}

int netns_home(void) {
	return home;
}

void netns_leave(struct netns_visit *visit) {
	if (!visit->away)
		return;
	set_back(home);
	visit->away = visiting = false;
}
