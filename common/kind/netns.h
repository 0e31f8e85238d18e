/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A namespace itself; see netns.c. */
#pragma once

#include "model/kind.h"

extern const struct kind kind_netns;

struct netns {
	struct object object;
	const char *inode, *born; /* observed; see struct netns_identity */
};

enum netns_field { NETNS_INODE, NETNS_BORN };

/* Of its nsfs file: the kernel gives an inode's number to another namespace soon after, but not at the same time. */
struct netns_identity {
	uint64_t inode;     /* 0: not known */
	uint64_t born_nsec; /* its ctime, which nobody can change */
};

/* Sealed; identity NULL: not known. */
struct object *netns_object(struct arena *arena, const char *ns, const struct netns_identity *identity);
