/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A namespace itself; see netns.c. */
#pragma once

#include "kind.h"

struct netns {
	struct object object;
};

/* Sealed. */
struct object *netns_object(struct arena *arena, const char *ns);
