/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings: /proc/sys/net of the current namespace, which the caller has entered. Reading is bounded; a value is written
 * at once. It knows no object.
 */
#pragma once

#include "base/arena.h"

/* The /proc through which settings are reached; see proc_sys.c. */
struct proc_sys {
	int proc;              /* -1: the machine's own */
	unsigned n_namespaces; /* visited so far */
};
#define PROC_SYS_NONE ((struct proc_sys){ .proc = -1 })

/* Called once for each namespace that is entered, before its settings are read or written. */
void proc_sys_visit(struct proc_sys *settings);
/* Back to PROC_SYS_NONE. */
void proc_sys_done(struct proc_sys *settings);

/* The value of a setting ("net/ipv4/ip_forward"), or NULL with -errno in *ret_error; in arena. */
const char *setting_read(const struct proc_sys *settings, struct arena *arena, const char *path, int *ret_error);
/* The names in a directory of settings ("net/ipv6/conf"), in arena, ended by NULL. NULL with -errno in *ret_error. */
const char **setting_list(const struct proc_sys *settings, struct arena *arena, const char *path, int *ret_error);
/* 0 or -errno: -ENOENT if the kernel has no such setting, -EINVAL if it refuses the value or a part of it. */
int setting_write(const struct proc_sys *settings, const char *path, const char *value);
