/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/nl_message.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

static size_t room(const struct nl_writer *w) {
	return (size_t)(w->buffer + w->size - (char *)w->message);
}

static void end_message(struct nl_writer *w) {
	if (w->message)
		w->used = (size_t)((char *)w->message - w->buffer) + MNL_ALIGN(w->message->nlmsg_len);
	w->message = NULL;
}

bool nl_has_room(const struct nl_writer *w) {
	size_t used = w->used;

	if (w->message)
		used = (size_t)((const char *)w->message - w->buffer) + w->message->nlmsg_len;
	return used + NL_MESSAGE_MAX <= MAX(w->size, (size_t)NL_BUFFER_SIZE);
}

static void take_buffer(struct nl_writer *w, char *buffer, size_t size) {
	free(w->buffer);
	w->buffer = buffer;
	w->size = size;
}

void nl_reserve(struct nl_writer *w, size_t size) {
	size = MAX(size, (size_t)NL_BUFFER_SIZE);
	if (w->used || w->message || (w->reserved && w->size >= size))
		return;
	take_buffer(w, xmalloc_raw(size), size);
	w->reserved = true;
}

void *nl_begin(struct nl_writer *w, uint16_t type, uint16_t flags, size_t extra) {
	static char nowhere[256]; /* a message that does not fit is written here and never sent */

	end_message(w);
	if (!w->buffer)
		take_buffer(w, xmalloc_raw(NL_BUFFER_SIZE), NL_BUFFER_SIZE);
	if (w->used + MNL_NLMSG_HDRLEN + MNL_ALIGN(extra) > w->size || extra > sizeof(nowhere)) {
		w->overflow = true;
		memset(nowhere, 0, sizeof(nowhere));
		return nowhere;
	}
	w->message = mnl_nlmsg_put_header(w->buffer + w->used);
	w->message->nlmsg_type = type;
	w->message->nlmsg_flags = NLM_F_REQUEST | flags;
	vec_push(&w->messages, w->message);
	return extra ? mnl_nlmsg_put_extra_header(w->message, extra) : NULL;
}

/* Zeroes the padding up to a multiple of four; libmnl does so only since 1.0.5. */
void nl_put(struct nl_writer *w, uint16_t type, const void *data, size_t size) {
	if (!w->message || !mnl_attr_put_check(w->message, room(w), type, size, data)) {
		w->overflow = true;
		return;
	}
	size_t filling = MNL_ALIGN(size) - size;
	memset((char *)mnl_nlmsg_get_payload_tail(w->message) - filling, 0, filling);
}

void nl_put_raw(struct nl_writer *w, const void *data, size_t size) {
	if (!w->message || w->message->nlmsg_len + size > room(w)) {
		w->overflow = true;
		return;
	}
	memcpy(mnl_nlmsg_get_payload_tail(w->message), data, size);
	w->message->nlmsg_len += (uint32_t)size;
}

static void zero_gaps(char *at, const char *end) {
	while (end - at >= (ptrdiff_t)sizeof(struct nlattr)) {
		const struct nlattr *attr = (const struct nlattr *)(void *)at;
		char *next = at + MNL_ALIGN(attr->nla_len);

		if (attr->nla_type & NLA_F_NESTED)
			zero_gaps(at + MNL_ATTR_HDRLEN, at + attr->nla_len);
		else
			memset(at + attr->nla_len, 0, (size_t)(next - at) - attr->nla_len);
		at = next;
	}
}

void nl_zero_gaps(struct nl_writer *w, size_t extra) {
	if (w->message)
		zero_gaps(mnl_nlmsg_get_payload_offset(w->message, extra), mnl_nlmsg_get_payload_tail(w->message));
}

void nl_put_u8(struct nl_writer *w, uint16_t type, uint8_t value) {
	nl_put(w, type, &value, sizeof(value));
}

void nl_put_u16(struct nl_writer *w, uint16_t type, uint16_t value) {
	nl_put(w, type, &value, sizeof(value));
}

void nl_put_u32(struct nl_writer *w, uint16_t type, uint32_t value) {
	nl_put(w, type, &value, sizeof(value));
}

void nl_put_text(struct nl_writer *w, uint16_t type, const char *text) {
	nl_put(w, type, text, strlen(text) + 1);
}

struct nlattr *nl_nest(struct nl_writer *w, uint16_t type) {
	struct nlattr *nest = w->message ? mnl_attr_nest_start_check(w->message, room(w), type) : NULL;

	if (!nest)
		w->overflow = true;
	return nest;
}

void nl_nest_end(struct nl_writer *w, struct nlattr *nest) {
	if (nest && w->message)
		mnl_attr_nest_end(w->message, nest);
}

void nl_nest_cancel(struct nl_writer *w, struct nlattr *nest) {
	w->overflow = false;
	if (nest && w->message)
		mnl_attr_nest_cancel(w->message, nest);
	while (w->message && w->origins.n && w->origins.items[w->origins.n - 1].message == w->messages.n - 1 &&
	       w->origins.items[w->origins.n - 1].offset >= w->message->nlmsg_len)
		w->origins.n--;
}

void nl_origin(struct nl_writer *w, const struct field *field) {
	if (!w->message)
		return;
	vec_push(&w->origins, (struct nl_origin){ .message = (uint32_t)w->messages.n - 1,
						  .offset = MNL_ALIGN(w->message->nlmsg_len),
						  .field = field });
}

const struct field *nl_find_origin(const struct nl_writer *w, size_t message, uint32_t offset) {
	const struct field *found = NULL;

	/* The kernel points to an attribute or to one inside it: take the last that begins at or before the offset. */
	vec_foreach(origin, &w->origins)
		if (origin->message == message && origin->offset <= offset)
			found = origin->field;
	return found;
}

void nl_set_position(struct nl_writer *w, struct position position) {
	vec_push(&w->places, (struct nl_place){ (uint32_t)w->messages.n - 1, position });
}

struct position nl_find_position(const struct nl_writer *w, size_t message) {
	size_t low = 0, high = w->places.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->places.items[middle].message < message)
			low = middle + 1;
		else
			high = middle;
	}
	return low < w->places.n && w->places.items[low].message == message ? w->places.items[low].position
									    : (struct position){};
}

void nl_truncate(struct nl_writer *w, size_t n) {
	w->overflow = false;
	if (n >= w->messages.n)
		return;
	w->used = (size_t)((char *)w->messages.items[n] - w->buffer);
	w->message = NULL;
	w->messages.n = n;
	while (w->origins.n && w->origins.items[w->origins.n - 1].message >= n)
		w->origins.n--;
	while (w->places.n && w->places.items[w->places.n - 1].message >= n)
		w->places.n--;
}

void nl_clear(struct nl_writer *w) {
	w->used = 0;
	w->message = NULL;
	w->overflow = false;
	vec_clear(&w->messages);
	vec_clear(&w->origins);
	vec_clear(&w->places);
}

void nl_writer_done(struct nl_writer *w) {
	free(w->buffer);
	vec_done(&w->messages);
	vec_done(&w->origins);
	vec_done(&w->places);
	*w = (struct nl_writer){};
}

const struct nlmsghdr *nl_next(const void *data, size_t size, const struct nlmsghdr *before) {
	size_t at = before ? (size_t)((const char *)before - (const char *)data) + MNL_ALIGN((size_t)before->nlmsg_len) : 0;
	const struct nlmsghdr *nlh;

	if (at > size || size - at < sizeof(*nlh))
		return NULL;
	nlh = (const void *)((const char *)data + at);
	return nlh->nlmsg_len >= sizeof(*nlh) && nlh->nlmsg_len <= size - at ? nlh : NULL;
}

/* libmnl's own loops trust the length in the header; this one stops at the given end. */
void nl_parse_range(const void *data, size_t size, const struct nlattr **tb, size_t max) {
	memset(tb, 0, sizeof(*tb) * (max + 1));
	for (size_t at = 0; data && at < size && size - at >= sizeof(struct nlattr);) {
		const struct nlattr *attr = (const void *)((const char *)data + at);
		uint16_t type = attr->nla_type & NLA_TYPE_MASK;

		if (attr->nla_len < sizeof(*attr) || attr->nla_len > size - at)
			return;
		if (type <= max)
			tb[type] = attr;
		at += MNL_ALIGN(attr->nla_len);
	}
}

void nl_parse(const struct nlmsghdr *nlh, size_t extra, const struct nlattr **tb, size_t max) {
	size_t head = MNL_NLMSG_HDRLEN + MNL_ALIGN(extra);

	nl_parse_range((const char *)nlh + head, nlh->nlmsg_len > head ? nlh->nlmsg_len - head : 0, tb, max);
}

void nl_parse_nested(const struct nlattr *nest, const struct nlattr **tb, size_t max) {
	nl_parse_range(nest ? mnl_attr_get_payload(nest) : NULL, nest ? mnl_attr_get_payload_len(nest) : 0, tb, max);
}

uint64_t nl_get_u64(const struct nlattr *attr, uint64_t fallback) {
	return attr && mnl_attr_get_payload_len(attr) >= sizeof(uint64_t) ? mnl_attr_get_u64(attr) : fallback;
}

uint32_t nl_get_u32(const struct nlattr *attr, uint32_t fallback) {
	return attr && mnl_attr_get_payload_len(attr) >= sizeof(uint32_t) ? mnl_attr_get_u32(attr) : fallback;
}

uint16_t nl_get_u16(const struct nlattr *attr, uint16_t fallback) {
	return attr && mnl_attr_get_payload_len(attr) >= sizeof(uint16_t) ? mnl_attr_get_u16(attr) : fallback;
}

uint8_t nl_get_u8(const struct nlattr *attr, uint8_t fallback) {
	return attr && mnl_attr_get_payload_len(attr) >= sizeof(uint8_t) ? mnl_attr_get_u8(attr) : fallback;
}

uint64_t nl_get_number(const struct nlattr *attr) {
	const uint8_t *bytes = attr ? mnl_attr_get_payload(attr) : NULL;
	size_t n = attr ? mnl_attr_get_payload_len(attr) : 0;
	uint64_t number = 0;

	for (size_t i = 0; i < n && n <= sizeof(number); i++)
		number = number << 8 | bytes[i];
	return number;
}

const char *nl_get_text(const struct nlattr *attr) {
	const char *text;

	if (!attr)
		return NULL;
	text = mnl_attr_get_payload(attr);
	return memchr(text, '\0', mnl_attr_get_payload_len(attr)) ? text : NULL;
}

const char *nl_message_name(int protocol, uint16_t type) {
#define NAME(message) \
	{ message, #message }
	static const struct {
		uint16_t type;
		const char *name;
	} names[] = {
		NAME(RTM_NEWLINK),     NAME(RTM_DELLINK),    NAME(RTM_SETLINK),    NAME(RTM_NEWADDR),
		NAME(RTM_DELADDR),     NAME(RTM_NEWROUTE),   NAME(RTM_DELROUTE),   NAME(RTM_NEWNEIGH),
		NAME(RTM_DELNEIGH),    NAME(RTM_NEWRULE),    NAME(RTM_DELRULE),    NAME(RTM_NEWNEXTHOP),
		NAME(RTM_DELNEXTHOP),  NAME(RTM_NEWQDISC),   NAME(RTM_DELQDISC),   NAME(RTM_NEWTCLASS),
		NAME(RTM_DELTCLASS),   NAME(RTM_NEWTFILTER), NAME(RTM_DELTFILTER), NAME(RTM_NEWLINKPROP),
		NAME(RTM_DELLINKPROP),
	};
#undef NAME

	for (size_t i = 0; protocol == NETLINK_ROUTE && i < ARRAY_SIZE(names); i++)
		if (names[i].type == type)
			return names[i].name;
	return protocol == NETLINK_NETFILTER ? "nf_tables transaction"
	       : protocol == NETLINK_GENERIC ? "generic netlink"
					     : "rtnetlink";
}
