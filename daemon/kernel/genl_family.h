/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Families of generic netlink, by name; see genl_family.c. */
#pragma once

#include "kernel/real_kernel.h"

/* Asks for the number of a family, which is the type of its messages. The socket is of NETLINK_GENERIC. 0 or -errno;
 * -ENOENT if the kernel has no such family, nor a module for it. */
int genl_family_ask(struct nl_socket *sock, const char *name, uint16_t *ret);

/* The same, and remembers the answer. Safe to call from several threads. */
int genl_family(struct real_kernel *k, const char *name, uint16_t *ret);
