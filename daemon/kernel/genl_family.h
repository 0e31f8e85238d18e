/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Families of generic netlink, by name; see genl_family.c. */
#pragma once

#include "kernel/real_kernel.h"

/* Asks for the number by which messages of the family go, on a socket of NETLINK_GENERIC. -ENOENT where the kernel has no such
 * family, nor a module of it. 0 or -errno. */
int genl_family_ask(struct nl_socket *sock, const char *name, uint16_t *ret);

/* The same, asked for once. Several threads may do so. */
int genl_family(struct real_kernel *k, const char *name, uint16_t *ret);
