/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon gives up once it runs: every capability that it does not need, and the way to gain any.
 *
 * It knows why each one that stays is needed, and nothing of what is done with it. Only the calling thread is changed,
 * and threads that it starts later.
 */
#pragma once

#include "base/base.h"

/* For good. What is missing already, because a supervisor took it, is not asked for. 0 or -errno. */
int privilege_drop(void);
