/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A link of topod's that somebody moved into another namespace and that keeps its successor from being made; see moved.c. */
#pragma once

#include "kernel/real_kernel.h"

/* Did the kernel refuse the change of a link for something that only one link can have? */
bool moved_may_hinder(const struct change *change);

/* Deletes the link that topod made as change->desired, wherever else it stands by now: in a namespace that its own one, the one
 * where it is made, or the host knows by an id. Returns whether there was one; *ret_where then says where, in arena. The
 * namespace's own links are left. */
bool moved_remove(struct real_kernel *k, const struct scan_request *look, const struct change *change, struct arena *arena,
		  const char **ret_where);
