/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users and groups of this machine by name, as the C library knows them (/etc/passwd, /etc/group, NSS). */
#pragma once

#include "base/base.h"

/* The number of the user, or of the group; false: there is none of this name. */
bool find_account(const char *name, bool group, uint32_t *ret);
