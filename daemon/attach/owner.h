/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ends a namespace that something else makes: the end of a process, or of a control group's last process. It knows
 * neither names of namespaces nor what follows from the end.
 *
 * A process is named by a pidfd; its number leads to its namespace only while the pidfd says that it has not ended.
 */
#pragma once

#include <sys/types.h>

#include "kernel/named_netns.h"

struct process {
	pid_t pid;
	int pidfd; /* readable as soon as it has ended; -1 */
};
#define PROCESS_NONE ((struct process){ .pidfd = -1 })

/* Takes hold of the process that has this number now. The caller closes pidfd. 0 or -errno; -ESRCH: there is no such
 * process. */
int process_hold(pid_t pid, struct process *ret);
/* The number of the process behind a pidfd. 0 or -errno: -ESRCH if it has ended, -EBADF if it is not a pidfd. */
int process_of(int pidfd, pid_t *ret);
/* Has it ended? Then another process may have its number. */
bool process_has_ended(const struct process *process);
/* Opens the network namespace of the held process. The caller closes. 0 or -errno. */
int process_netns(const struct process *process, int *ret_fd);
/* "/proc/4711/ns/net", which the caller frees; and the number in such a text, 0 for any other text. */
char *process_netns_path(pid_t pid);
pid_t process_of_netns_path(const char *path);
/* When it started, CLOCK_REALTIME in microseconds, up to a hundredth of a second too early. 0 or -errno. */
int process_started(pid_t pid, uint64_t *ret_usec);

/* Its real user; /proc/PID itself belongs to root if the process cannot be traced. 0 or -errno. */
int process_user(pid_t pid, uid_t *ret);

/* "/system.slice/web.service", which the caller frees; NULL: it is in the root control group, or that cannot be read. */
char *control_group_of_process(pid_t pid);
/* The same for a directory of the control groups' file system; NULL: it is not one. */
char *control_group_of_directory(int fd);
/* The control group of a running unit; NULL: there is none. The caller frees. */
char *control_group_of_unit(const char *unit);
/* Opens its directory. The caller closes. -errno. */
int control_group_open(const char *group);

/* Finds a process in the control group, or in one below it, but not `except`, whose network namespace is `wanted`; NULL: any
 * but the one in which topod runs. False: there is none. The caller closes its pidfd. */
bool control_group_find(const char *group, const struct netns_identity *wanted, pid_t except, struct process *ret);
