/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the beginning of an event's message to the hint that it is; for event_json.c only. */
#pragma once

#include <linux/netlink.h>

#include "kernel/hint.h"

enum {
	EVENT_BYTES = 1024, /* of an event are read: a link's alias stands behind some 300 */
};

/* The message is whole within `received` bytes (a header's at least), or was cut off there: then its length is corrected
 * in place. False where it asks for no look. Texts in the hint point into the message. */
bool event_hint(struct nlmsghdr *message, size_t received, struct hint *ret);

/* The id of a namespace that is gone by this message, in the namespace in which that was heard; -1: it says of none. */
int32_t event_gone(const struct nlmsghdr *message, size_t received);

/* What may stand in the part of a datagram that was not received, by its first message. False: nothing. */
bool event_hint_unread(const struct nlmsghdr *first, struct hint *ret);
