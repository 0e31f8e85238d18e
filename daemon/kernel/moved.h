/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A link of topod's that somebody moved into another namespace, which prevents it from being created again; see moved.c. */
#pragma once

#include "kernel/real_kernel.h"

/* May the kernel have refused the change because of something that only one link can have? */
bool moved_may_hinder(const struct change *change);

/* Deletes the link that topod created as change->desired if it is now in another namespace for which its own namespace, the
 * one where it is created, or the host has an id. Returns whether there was one; *ret_where then says where, in arena. */
bool moved_remove(struct real_kernel *k, const struct scan_request *request, const struct change *change,
		  struct arena *arena, const char **ret_where);
