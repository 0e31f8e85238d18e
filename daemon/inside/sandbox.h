/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sandbox: separate network, mount and process namespaces. A caller without the capabilities for them becomes root of a
 * user namespace first. Everything in it ends with it, even after kill -9.
 *
 * It knows no topology: what happens inside is a function of the caller.
 */
#pragma once

#include "base/text.h"

/* Makes a sandbox and calls inside() in the first process of its process namespace, which exits with what inside() returns.
 * problem: what is missing in the sandbox, then inside() should only print it; else NULL. warnings: lines about what cannot
 * be mounted. Inside, lo is up, and /sys, /proc, /run/netns, /run/topod and /etc/netns are the sandbox's own. Signals are
 * passed on to the process, and when it ends, the caller ends with the same status. Returns COMMAND_NOT_STARTED if there is
 * no sandbox, and in *ret_problem, which the caller frees, what failed, and below it how to allow that. */
int sandbox_run(int (*inside)(void *userdata, const char *problem, const char *warnings), void *userdata,
		char **ret_problem);

/* Calls fn for each setting of the kernel that forbids a sandbox; way_out: the command that allows it; networks: it forbids
 * network namespaces altogether. */
typedef void (*sandbox_obstacle_fn)(void *userdata, const char *path, const char *way_out, bool networks);
void sandbox_each_obstacle(sandbox_obstacle_fn fn, void *userdata);

/* To be called in inside(): runs a command like command_exec(), but in a child process, and passes signals on to it. Returns
 * its exit status, 128 and the number of the signal that ended it, or as command_exec(). */
int sandbox_command(char **args, const char *label, char **ret_problem);
