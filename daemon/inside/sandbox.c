/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three processes: the one that the user started, which waits; the first one inside, which builds the network and reaps
 * orphans; the command. The kernel kills everything in a process namespace with its first process, and that one dies with
 * the user's process (PR_SET_PDEATHSIG). The command is not the first process inside, which would ignore signals without a
 * handler.
 *
 * What an ordinary user may mount over is a directory that exists. If /run/netns does not, /run is replaced by a tmpfs with
 * everything that was in it bound into it.
 */
#include "inside/sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "files/own_dir.h"
#include "files/privilege.h"
#include "files/text_file.h"
#include "inside/command.h"
#include "inside/enter.h"

/* ---- what forbids it ---- */

/* Settings that can keep a user from making namespaces, their value in that case, and how to allow it. */
static const struct {
	const char *path, *forbids, *way_out;
	bool networks; /* no network at all can be made, also outside of a sandbox */
} limits[] = {
	{ "/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1 (Debian)", false },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
	  "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for topod with `userns,` (Ubuntu)",
	  false },
	{ "/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=1000", false },
	{ "/proc/sys/user/max_net_namespaces", "0", "sysctl user.max_net_namespaces=1000", true },
	{ "/proc/sys/user/max_mnt_namespaces", "0", "sysctl user.max_mnt_namespaces=1000", false },
	{ "/proc/sys/user/max_pid_namespaces", "0", "sysctl user.max_pid_namespaces=1000", false },
};

static bool is_set(const char *path, const char *value) {
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char text[32] = "";

	if (f && fgets(text, sizeof(text), f))
		text[strcspn(text, "\n")] = '\0';
	return streq(text, value);
}

void sandbox_each_obstacle(sandbox_obstacle_fn fn, void *userdata) {
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (is_set(limits[i].path, limits[i].forbids))
			fn(userdata, limits[i].path, limits[i].way_out, limits[i].networks);
}

static char *problem_of(const char *what, int error) {
	struct text out = {};
	size_t before;

	text_addf(&out, "cannot make a sandbox: %s: %s", what, strerror(error));
	before = out.size;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (is_set(limits[i].path, limits[i].forbids))
			text_addf(&out, "\n%s forbids it; to allow it: %s", limits[i].path, limits[i].way_out);
	if (out.size == before && error == ENOSPC)
		text_add(&out, "\na limit of namespaces is reached, see /proc/sys/user/max_*_namespaces");
	else if (out.size == before && error == EPERM)
		text_add(
			&out,
			"\na seccomp filter (of a container), a chroot or a security module (SELinux, AppArmor) forbids it; "
			"root with all capabilities needs no user namespace");
	else if (out.size == before && (error == EINVAL || error == ENOSYS))
		text_add(&out, "\nthe kernel has no user namespaces (CONFIG_USER_NS)");
	return text_take(&out);
}

/* ---- namespaces ---- */

static int write_to(const char *path, const char *text) {
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : text_file_write(fd, text, -EIO);
}

/* The user becomes root inside, and no other user exists there. See user_namespaces(7) about setgroups. */
static int map_user(uid_t uid, gid_t gid) {
	_cleanup_free_ char *users = xasprintf("0 %u 1", (unsigned)uid), *groups = xasprintf("0 %u 1", (unsigned)gid);
	int r = write_to("/proc/self/setgroups", "deny");

	if (r == 0)
		r = write_to("/proc/self/uid_map", users);
	return r == 0 ? write_to("/proc/self/gid_map", groups) : r;
}

static int make_namespaces(char **ret_problem) {
	uid_t uid = geteuid();
	gid_t gid = getegid();
	/* Root in a container may lack these capabilities, too; in a new user namespace it has them. */
	bool user = !privilege_has(CAP_SYS_ADMIN) || !privilege_has(CAP_NET_ADMIN);
	int r = 0;

	if (unshare((user ? CLONE_NEWUSER : 0) | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID) < 0) {
		*ret_problem = problem_of("namespaces", errno);
		return -EPERM;
	}
	if (user)
		r = map_user(uid, gid);
	if (r < 0)
		*ret_problem = problem_of("the user in the user namespace", -r);
	return r;
}

static void bring_lo_up(void) {
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd >= 0)
		(void)ioctl(fd, SIOCSIFFLAGS, &lo); /* a topology that needs it reports it */
}

/* ---- directories ---- */

static int mount_tmpfs(const char *path) {
	return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0 ? -errno : 0;
}

static bool make_target(int dir, const char *name, mode_t mode) {
	_cleanup_close_ int file = -1;

	if (S_ISDIR(mode))
		return mkdirat(dir, name, 0755) == 0;
	file = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	return file >= 0;
}

/* Entries that cannot be bound are left out: what users need of /run is little. */
static void copy_entry(int from, const char *name, int to) {
	char source[PATH_MAX], target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISLNK(st.st_mode)) {
		n = readlinkat(from, name, target, sizeof(target) - 1);
		target[MAX(n, (ssize_t)0)] = '\0';
		if (n > 0)
			(void)!symlinkat(target, to, name);
		return;
	}
	snprintf(source, sizeof(source), "/proc/self/fd/%d/%s", from, name);
	snprintf(target, sizeof(target), "/proc/self/fd/%d/%s", to, name);
	if (make_target(to, name, st.st_mode) && mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0)
		(void)unlinkat(to, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
}

/* A directory in which we can make others, with everything that is there. */
static int replace_directory(const char *path) {
	_cleanup_closedir_ DIR *from = opendir(path);
	_cleanup_close_ int to = -1;
	const struct dirent *entry;
	int r = from ? mount_tmpfs(path) : -errno;

	if (r == 0)
		to = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && to < 0)
		r = -errno;
	while (r == 0 && (entry = readdir(from)))
		if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
			copy_entry(dirfd(from), entry->d_name, to);
	return r;
}

/* An empty directory of our own at DIR/NAME. The parent is replaced if there is no such directory: nothing is left behind. */
static int make_place_in(const char *dir, const char *name, bool *replaced) {
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	int r = 0;

	if (access(path, F_OK) < 0 && !*replaced) {
		r = replace_directory(dir);
		*replaced = r == 0;
	}
	if (r == 0 && access(path, F_OK) < 0 && mkdir(path, 0755) < 0)
		r = -errno;
	return r == 0 ? mount_tmpfs(path) : r;
}

/* /proc of the process namespace. A container that hides parts of /proc forbids this; then the outer one stays, which is
 * enough for topod. */
static void show_proc(void) {
	(void)!mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static char *make_places(struct text *warnings) {
	bool run_replaced = false, etc_replaced = false;
	int r = mount("", "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0 ? -errno : 0;

	if (r == 0)
		r = make_place_in("/run", "netns", &run_replaced);
	if (r == 0)
		r = make_place_in("/run", "topod", &run_replaced);
	if (r == 0)
		r = make_place_in("/etc", "netns", &etc_replaced);
	if (r < 0)
		return problem_of("mounts", -r);
	show_proc();
	inside_show_sys(warnings);
	return NULL;
}

/* ---- processes ---- */

static void all_signals(sigset_t *ret) {
	static const int passed[] = { SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM };

	sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		sigaddset(ret, passed[i]);
}

/* Waits for the child, and passes signals on to it. Signals of the terminal (SI_KERNEL) go to the whole group, so the child
 * already has them. */
static int wait_for(pid_t child, const sigset_t *signals) {
	siginfo_t info;
	int status;

	for (;;) {
		pid_t ended;

		while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
			if (ended == child)
				return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (sigwaitinfo(signals, &info) > 0 && info.si_signo != SIGCHLD && info.si_code != SI_KERNEL)
			kill(child, info.si_signo);
	}
}

/* The first process of a namespace ignores signals without a handler. */
static void end(int number) {
	_exit(128 + number);
}

static _noreturn_ void live_inside(int (*inside)(void *userdata, const char *problem, const char *warnings),
				   void *userdata) {
	_cleanup_free_ char *problem = NULL;
	_cleanup_text_ struct text warnings = {};
	int code;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, end);
	signal(SIGHUP, end);
	signal(SIGINT, end);
	signal(SIGQUIT, end);
	bring_lo_up();
	problem = make_places(&warnings);
	code = inside(userdata, problem, text_str(&warnings));
	free(TAKE_PTR(problem));
	text_done(&warnings);
	exit(code);
}

int sandbox_run(int (*inside)(void *userdata, const char *problem, const char *warnings), void *userdata,
		char **ret_problem) {
	sigset_t signals, before;
	pid_t pid;

	fflush(NULL);
	if (make_namespaces(ret_problem) < 0)
		return COMMAND_NOT_STARTED;
	all_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, &before);
	pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		live_inside(inside, userdata);
	}
	if (pid > 0)
		_exit(wait_for(
			pid,
			&signals)); /* without handlers of exit(3): with the process namespace gone there are no threads */
	*ret_problem = problem_of("a process", errno);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return COMMAND_NOT_STARTED;
}

int sandbox_command(char **args, const char *label, char **ret_problem) {
	sigset_t signals, before;
	pid_t pid;

	all_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, &before);
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		*ret_problem = xasprintf("cannot start the command: %s", strerror(errno));
		return COMMAND_NOT_STARTED;
	}
	if (pid > 0)
		return wait_for(pid, &signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return command_exec(args, NULL, label, ret_problem);
}
