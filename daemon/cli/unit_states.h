/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The instances of topod@.service that systemd knows. It knows no topology. */
#pragma once

#include "base/base.h"

/* Calls fn for each loaded instance: "office", "failed" (ActiveState in org.freedesktop.systemd1(5)). Does nothing if no
 * systemd answers. */
void unit_states_each(void (*fn)(void *userdata, const char *instance, const char *state), void *userdata);
