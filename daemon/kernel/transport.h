/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways to the kernel; see transport.c. */
#pragma once

#include "kernel/execute_private.h"
#include "kernel/scan_private.h"

struct transport_way {
	/* Netlink messages, of which a change becomes one or more. */
	int protocol;
	bool batched;     /* those of several changes go out together */
	bool transaction; /* those of one change are applied as a whole or not at all */
	/* No messages: carries out the change. NULL: messages. */
	void (*call)(struct execution *x, struct change *change);
	bool inside; /* … from within the namespace, where the thread stays */
	/* What is read as a text; see transport_read(). */
	int (*read)(struct ns_scan *scan, const struct object *wanted, const char **ret_text, int *ret_error);
	/* Takes away what a crash between two steps left. 0 or -errno. NULL: nothing is left. */
	int (*clear)(const char *ns);
};

const struct transport_way *transport_way(enum transport transport);
