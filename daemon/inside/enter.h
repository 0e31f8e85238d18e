/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Enters a network namespace for good, as `ip netns exec` does: with a mount namespace in which /sys describes it, and in
 * which the files of /etc/netns/NAME/ are those of /etc.
 *
 * Only for a process that becomes a command afterwards: there is no way back. It knows neither users nor commands.
 */
#pragma once

#include <sys/types.h>

#include "base/text.h"

/* Opens the network namespace of a process. -ESRCH: there is no such process, or it is ending. 0 or -errno; the caller
 * closes *ret_fd. */
int inside_open_pid(pid_t pid, int *ret_fd);

/* Enters the network namespace behind fd. If this is not allowed and pid is not 0, it enters the user namespace of that
 * process first, which its owner may do. name is that in /run/netns, for the files of /etc; NULL: it has none. Adds a line
 * for each mount that failed to warnings. 0 or -errno, then nothing has changed. */
int inside_enter(int fd, pid_t pid, const char *name, struct text *warnings);

/* Shows the network namespace in /sys; what is mounted below stays. The process must have its own mount namespace. Adds
 * lines to warnings as inside_enter() does. */
void inside_show_sys(struct text *warnings);

/* Why inside_enter() was refused with -EPERM: a clause in static memory that says what is missing. */
const char *inside_what_is_missing(void);
