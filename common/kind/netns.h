/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A namespace itself; see netns.c. */
#pragma once

#include "kind.h"

struct netns {
	struct object object;
	const char *inode;   /* observed: of its nsfs file, unique while it lives */
};

enum netns_field { NETNS_INODE };

/* Sealed; inode 0: not known. */
struct object *netns_object(struct arena *arena, const char *ns, uint64_t inode);
