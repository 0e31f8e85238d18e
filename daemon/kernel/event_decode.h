/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the beginning of an event's message to the hint that it is; for events.c only. */
#pragma once

#include "model/source.h"

enum {
	EVENT_BYTES = 1024, /* of an event are read: a link's alias stands behind some 300 */
};

/* What the first of these sources, ended by NULL, says that knows the message. It is whole within `received` bytes (a header's at
 * least), or was cut off there: then its length is corrected in place. False where it asks for no scan. Texts in the hint point
 * into the message; objects are made in the arena. */
bool event_hint(const struct source *const *sources, struct nlmsghdr *message, size_t received, struct arena *arena,
		struct hint *ret);

/* What may stand in the part of a datagram that was not received, by its first message. False: nothing. */
bool event_hint_unread(const struct source *const *sources, struct nlmsghdr *first, struct arena *arena, struct hint *ret);

/* The id of a namespace that is gone by this message, in the namespace in which that was heard; -1: it says of none. */
int32_t event_gone(const struct nlmsghdr *message, size_t received);
