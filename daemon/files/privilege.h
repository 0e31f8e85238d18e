/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drops privileges once the daemon runs: every capability that it does not need, and the ability to gain new ones.
 *
 * It knows why each remaining capability is needed. It changes only the calling thread and the threads that it starts
 * later.
 */
#pragma once

#include "base/base.h"

/* The memory contains secrets: from now on the kernel writes no core dump of this process, and lets no other process of the
 * same user read it. */
void privilege_hide_memory(void);

/* Does this process have the capability (linux/capability.h)? Being root is not enough: a container's root has few. */
bool privilege_has(int capability);

/* Drops all capabilities but these, bits by number, and the ability to gain new ones. 0 or -errno. */
int privilege_keep(uint64_t capabilities);

/* Irrevocable. A needed capability that the daemon never had stays missing; this is not an error. 0 or -errno. */
int privilege_drop(void);
