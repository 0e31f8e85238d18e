/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing and reading netlink messages: bounded, and with a memory of which field was written where, so that
 * the offset in the kernel's refusal leads back to a line of the file.
 *
 * Bytes only: no socket, no sequence number (netlink sets those), no meaning. Attributes by libmnl.
 */
#pragma once

#include <libmnl/libmnl.h>

#include "base/vec.h"

struct field;

enum {
	NL_BUFFER_SIZE = 256 * 1024, /* unless nl_reserve() asked for more */
	NL_MESSAGE_MAX = 64 * 1024,  /* room that must be left before a message is begun */
};

/* Where an attribute stands that a field of an object was written to. */
struct nl_origin {
	uint32_t message, offset; /* index of the message; bytes from its start */
	const struct field *field;
};

/* Several messages, one behind another. Zeroed is empty. */
struct nl_writer {
	char *buffer;
	size_t used, size;
	bool reserved;            /* the buffer has no bytes that were never written */
	struct nlmsghdr *message; /* being written */
	vec(struct nlmsghdr *) messages;
	vec(struct nl_origin) origins;
	bool overflow; /* something did not fit: the last message is not to be sent */
};

/* Begins a message with a fixed part of `extra` zeroed bytes, returned; ends the one before. */
void *nl_begin(struct nl_writer *w, uint16_t type, uint16_t flags, size_t extra);

void nl_put(struct nl_writer *w, uint16_t type, const void *data, size_t size);
void nl_put_u8(struct nl_writer *w, uint16_t type, uint8_t value);
void nl_put_u16(struct nl_writer *w, uint16_t type, uint16_t value);
void nl_put_u32(struct nl_writer *w, uint16_t type, uint32_t value);
void nl_put_text(struct nl_writer *w, uint16_t type, const char *text);
struct nlattr *nl_nest(struct nl_writer *w, uint16_t type);
void nl_nest_end(struct nl_writer *w, struct nlattr *nest);
/* Takes out the nest and all in it instead: a list of which one more entry does not fit goes on in another message. That it did
 * not fit is forgotten. NULL, which is a nest that itself did not fit, is no nest. */
void nl_nest_cancel(struct nl_writer *w, struct nlattr *nest);

/* Remembers that the next attribute stands for this field. */
void nl_origin(struct nl_writer *w, const struct field *field);

/* The field that was written at or around this offset of a message, or NULL. */
const struct field *nl_find_origin(const struct nl_writer *w, size_t message, uint32_t offset);

bool nl_has_room(const struct nl_writer *w);

/* Makes the buffer at least so large, for a transaction that cannot be sent in parts. The writer must be empty. */
void nl_reserve(struct nl_writer *w, size_t size);

/* Zeroes what fills the attributes of the last message up to multiples of four, for libraries that leave that as it was.
 * extra: the size of the message's own header. */
void nl_zero_gaps(struct nl_writer *w, size_t extra);
/* Takes out all messages from index n on. */
void nl_truncate(struct nl_writer *w, size_t n);
void nl_clear(struct nl_writer *w);
void nl_writer_done(struct nl_writer *w);

/* The messages of a datagram one by one: the one behind `before`, which NULL makes the first. NULL where no whole one
 * is left. (mnl_nlmsg_ok() takes a length of 2 GiB and more for a negative one, and so for good.) */
const struct nlmsghdr *nl_next(const void *data, size_t size, const struct nlmsghdr *before);

/* Sorts the attributes behind a header of `extra` bytes into tb[0 … max], whose other entries become NULL;
 * unknown and nested-flagged types are handled; a malformed attribute ends the reading. The message's own
 * length must be within the buffer already (nl_next). */
void nl_parse(const struct nlmsghdr *nlh, size_t extra, const struct nlattr **tb, size_t max);
/* The same for what is nested in an attribute; NULL gives all NULL. */
void nl_parse_nested(const struct nlattr *nest, const struct nlattr **tb, size_t max);

/* The value where the attribute is there and has at least that size; else fallback. */
uint32_t nl_get_u32(const struct nlattr *attr, uint32_t fallback);
uint8_t nl_get_u8(const struct nlattr *attr, uint8_t fallback);
/* NUL-terminated text within the attribute's bounds, or NULL. */
const char *nl_get_text(const struct nlattr *attr);
