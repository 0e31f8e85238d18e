/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How changes reach the kernel; see transport.c. */
#pragma once

#include "kernel/execute_private.h"
#include "kernel/scan_private.h"

struct transport_way {
	/* By netlink; a change is encoded into one or more messages. */
	int protocol;
	bool batched;     /* several changes are sent together */
	bool transaction; /* the messages of a change are applied as a whole or not at all */
	/* By a function instead, and a description of what it does. NULL: by messages. */
	const char *what;
	void (*call)(struct execution *x, struct change *change);
	bool inside; /* … which runs inside the namespace; the thread stays there */
	/* Reads an object as a text; see transport_read(). */
	int (*read)(struct ns_scan *scan, const struct source *source, const struct object *wanted, const char **ret_text,
		    int *ret_error);
	/* Removes what a crash between two steps left. 0 or -errno. NULL: nothing can be left. */
	int (*clear)(const struct handle *handle);
};

const struct transport_way *transport_way(enum transport transport);
