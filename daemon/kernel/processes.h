/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes are in which network namespace, as /proc shows it (left_behind.c). */
#pragma once

#include "base/text.h"

/* Calls fn for each process (up to a limit), with a descriptor of /proc and the inode of the network namespace, until it
 * returns false. */
void processes_walk(bool (*fn)(void *userdata, int proc, int pid, uint64_t netns), void *userdata);
/* Its network namespace, which the caller closes; -1. */
int process_open_netns(int proc, int pid);
/* The unit of its control group, or the program: "web.service" */
void process_add_unit(int proc, int pid, struct text *out);
/* "web.service, pid 131" */
void process_add_name(int proc, int pid, struct text *out);
