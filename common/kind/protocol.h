/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocols of routes, rules and next hops (rtm_protocol), by which the kernel shows who made them. */
#pragma once

#include "model/kind.h"

/* "protocol bird", in arena. */
const char *protocol_text(struct arena *arena, uint32_t protocol);
/* The same for an object that a routing daemon or a DHCP client maintains; NULL: somebody configured it. */
const char *protocol_keeper(struct arena *arena, const struct object *observed, uint32_t protocol);
/* Is this the protocol of routes that somebody added by hand, rather than a routing daemon? */
bool protocol_is_by_hand(uint32_t protocol);
