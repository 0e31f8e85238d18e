/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting until removed namespaces are dismantled; see parting.c. */
#pragma once

#include "kernel/real_kernel.h"

enum { PARTING_WATCHED = 8 }; /* only the last ones: by then the kernel has finished with the others */

/* Empty if zeroed. */
struct parting {
	struct parting_ns {
		int file;   /* an open setting of it; -1: not watched */
		int32_t id; /* in the host's namespace */
	} last[PARTING_WATCHED];
	size_t n;
};

/* Called before the namespace's name and descriptors go. If it cannot be watched, nothing will wait for it. */
void parting_watch(struct parting *parting, struct nl_socket *host, int fd);
/* Waits until all watched namespaces are dismantled, for at most two seconds, and empties the list. */
void parting_await(struct parting *parting, struct nl_socket *host);
