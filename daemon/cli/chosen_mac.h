/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which links have a MAC address that somebody chose, rather than one that the kernel generated or took from another link.
 *
 * Only sysfs shows it (addr_assign_type), and each sysfs shows one network namespace. It is read through a detached mount.
 */
#pragma once

#include "model/state.h"

/* Sets link->mac_chosen of all observed links. If sysfs cannot be read, an address counts as chosen unless it is locally
 * administered, because the kernel generates only such addresses. */
void chosen_mac_read(struct state *observed);
