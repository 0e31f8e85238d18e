/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns the beginning of an event's message into a hint; for events.c only. */
#pragma once

#include "model/source.h"

enum {
	EVENT_HINTS = 4,    /* of one event at most */
	EVENT_BYTES = 1024, /* of each event are read; a link's alias begins after some 300 */
};

/* Asks all of these sources (ended by NULL) that know the message, and returns how many hints they gave: 0 if no scan is needed. If
 * the message was cut off after `received` bytes (at least a header), its length is corrected in place. Texts in hints point
 * into the message; objects are allocated in the arena. */
size_t event_hints(const struct source *const *sources, struct nlmsghdr *message, size_t received, struct arena *arena,
		   struct hint ret[EVENT_HINTS]);

/* A hint for the part of a datagram that was not received, from its first message. False if nothing can be missing. */
bool event_hint_unread(const struct source *const *sources, struct nlmsghdr *first, struct arena *arena, struct hint *ret);

/* The id of the namespace that this message reports as gone, as the receiving namespace knows it; -1: none. */
int32_t event_gone(const struct nlmsghdr *message, size_t received);
