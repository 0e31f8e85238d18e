/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings that are files: /proc/sys/net of the current namespace, and /etc/netns/NAME/resolv.conf.
 *
 * Bounded reading and whole writing; it knows no namespace (the caller has entered it) and no object.
 */
#pragma once

#include "base/arena.h"

/* Through which /proc the settings are reached; see settings.c. */
struct settings {
	int proc;              /* -1: the machine's own */
	unsigned n_namespaces; /* visited so far */
};
#define SETTINGS_NONE ((struct settings){ .proc = -1 })

/* To be called once for each namespace that was entered, before its settings are read or written. */
void settings_visit(struct settings *settings);
/* Back to SETTINGS_NONE. */
void settings_done(struct settings *settings);

/* The value of a setting ("net/ipv4/ip_forward"), or NULL with -errno in *ret_error; in arena. */
const char *setting_read(const struct settings *settings, struct arena *arena, const char *path, int *ret_error);
/* What stands below a folder of them ("net/ipv6/conf"): names in arena, ended by NULL. NULL with -errno in *ret_error. */
const char **setting_list(const struct settings *settings, struct arena *arena, const char *folder, int *ret_error);
/* 0 or -errno: -ENOENT where the kernel has no such setting, -EINVAL where it refuses the value or a part of it. */
int setting_write(const struct settings *settings, const char *path, const char *value);

/* The whole resolv.conf of a namespace; empty where something other than a file has its name. NULL and 0 in *ret_error
 * where there is none, also because the folder is somebody else's: writing it will tell; NULL and -errno where it cannot
 * be read. */
const char *resolv_conf_read(struct arena *arena, const char *ns, int *ret_error);
/* Written as a whole, or not at all; -EEXIST where something has its name and is not to be replaced. 0 or -errno. */
int resolv_conf_write(const char *ns, const char *content, bool replace);
/* Removes it, and its folder where nothing else is in it. 0 or -errno. */
int resolv_conf_remove(const char *ns);
/* Takes away what a crash left of a file that is not in its place yet, and the folder where it is empty. */
void resolv_conf_clear(const char *ns);
