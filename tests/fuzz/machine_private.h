/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by machine.c (sockets and messages) and machine_files.c: which namespace a descriptor and the thread are in.
 */
#pragma once

#include "machine.h"

/* Remembers the namespace of a descriptor, which it returns. */
int machine_place_descriptor(int fd, unsigned place);
uint8_t machine_place_of(int fd);
uint64_t machine_inode_of(unsigned place);

/* The thread enters the namespace. */
void machine_stand_in(uint8_t place);
