/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting until namespaces that were removed are taken apart; see parting.c. */
#pragma once

#include "kernel/real_kernel.h"

enum { PARTING_WATCHED = 8 }; /* the last ones: the kernel is through with the others by then */

/* Zeroed is empty. */
struct parting {
	struct parting_ns {
		int file;   /* a setting of it, -1: not watched */
		int32_t id; /* in the host's namespace */
	} last[PARTING_WATCHED];
	size_t n;
};

/* Before the namespace's name and descriptors go. Where it cannot be watched it is not waited for. */
void parting_watch(struct parting *parting, struct nl_socket *host, int fd);
/* Until all that are watched are taken apart, for at most two seconds; then it is empty. */
void parting_await(struct parting *parting, struct nl_socket *host);
