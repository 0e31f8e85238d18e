/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only the subject of an event is read, not the values in it; the sources know how (model/source.h). An event that none of
 * them understands, or that was cut off too early, is a hint at the whole namespace.
 */
#include "kernel/event_decode.h"

#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

/* The first source that knows the message, or the end. */
static const struct source *const *source_of(const struct source *const *sources, const struct nlmsghdr *message) {
	while (*sources && (message->nlmsg_type < (*sources)->first || message->nlmsg_type > (*sources)->last))
		sources++;
	return sources;
}

size_t event_hints(const struct source *const *sources, struct nlmsghdr *message, size_t received, struct arena *arena,
		   struct hint ret[EVENT_HINTS]) {
	struct event event = { .message = message, .cut = message->nlmsg_len > received, .arena = arena };
	bool unknown = false, known = false;
	size_t n = 0;

	message->nlmsg_len = (uint32_t)MIN((size_t)message->nlmsg_len, received);
	while ((sources = source_of(sources, message), *sources) && n < EVENT_HINTS) {
		ret[n] = (struct hint){};
		enum about about = (*sources++)->about(&event, &ret[n]);
		n += about == ABOUT_HINT;
		unknown |= about == ABOUT_UNKNOWN;
		known |= about != ABOUT_OTHER;
	}
	if (known && !unknown)
		return n;
	ret[0] = (struct hint){ .type = HINT_NAMESPACE };
	return 1;
}

/* The rest may be about any object of the same class, not only the one that the first message names. */
bool event_hint_unread(const struct source *const *sources, struct nlmsghdr *first, struct arena *arena, struct hint *ret) {
	const struct source *source = *source_of(sources, first);
	struct event event = { .message = first, .cut = true, .arena = arena };

	*ret = (struct hint){};
	if (!source || !source->grouped)
		return false;
	if (source->about(&event, ret) != ABOUT_HINT)
		*ret = (struct hint){ .type = HINT_NAMESPACE };
	ret->name = NULL;
	return true;
}

int32_t event_gone(const struct nlmsghdr *message, size_t received) {
	const struct nlattr *tb[NETNSA_NSID + 1];

	if (message->nlmsg_type != RTM_DELNSID || message->nlmsg_len > received)
		return -1;
	nl_parse(message, sizeof(struct rtgenmsg), tb, NETNSA_NSID);
	return (int32_t)nl_get_u32(tb[NETNSA_NSID], UINT32_MAX);
}
