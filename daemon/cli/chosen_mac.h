/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which links have a MAC address that somebody chose, rather than one that the kernel drew or took from another link.
 *
 * Only sysfs shows it (addr_assign_type), each sysfs that of one network namespace. It is read through a mount that is
 * attached nowhere.
 */
#pragma once

#include "model/state.h"

/* Sets link->mac_chosen of all observed links. Where sysfs cannot be read, an address counts as chosen that is not locally
 * administered, because the kernel draws only such ones. */
void chosen_mac_read(struct state *observed);
