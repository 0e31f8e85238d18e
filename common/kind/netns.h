/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A namespace itself; see netns.c. */
#pragma once

#include "model/kind.h"

extern const struct class class_netns;
extern const struct kind kind_netns;

struct netns {
	struct object object;
	const char *inode, *born, *cookie; /* observed; see struct netns_identity */
	bool named; /* observed: its name in /run/netns stands for it; false: it is only held by a descriptor */
};

enum netns_field { NETNS_INODE, NETNS_BORN, NETNS_COOKIE, NETNS_NAMED };

/* Of its nsfs file: the kernel gives an inode's number to another namespace soon after, but not at the same time. */
struct netns_identity {
	uint64_t inode;     /* 0: not known */
	uint64_t born_nsec; /* its ctime, which nobody can change */
	uint64_t cookie;    /* SO_NETNS_COOKIE, which is never given out again; 0: not asked for */
};

/* Sealed, and under its name; identity NULL: not known. */
struct object *netns_object(struct arena *arena, const char *ns, const struct netns_identity *identity);
