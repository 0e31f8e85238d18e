/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /etc/netns/NAME/resolv.conf: read within bounds, written as a whole. It knows no object. */
#pragma once

#include "base/arena.h"

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
