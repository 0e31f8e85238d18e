/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A namespace itself; see netns.c. */
#pragma once

#include "model/kind.h"

extern const struct class class_netns;
extern const struct kind kind_netns;

struct netns {
	struct object object;
	const char *inode, *born, *cookie; /* observed; see struct netns_identity */
	bool named; /* observed: its name in /run/netns refers to it; false: only a descriptor holds it */
};

enum netns_field { NETNS_INODE, NETNS_BORN, NETNS_COOKIE, NETNS_NAMED };

/* From its nsfs file. The kernel reuses an inode number soon, but never for two namespaces at the same time. */
struct netns_identity {
	uint64_t inode;     /* 0: not known */
	uint64_t born_nsec; /* its ctime, which cannot be changed */
	uint64_t cookie;    /* SO_NETNS_COOKIE, which is never reused; 0: not read */
};

/* Makes a sealed object; identity NULL: not known. */
struct object *netns_object(struct arena *arena, const char *ns, const struct netns_identity *identity);
