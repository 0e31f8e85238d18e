/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing and reading netlink messages, within bounds. The writer remembers where each field was written, so that the
 * offset in the kernel's refusal leads back to a line of the file.
 *
 * Bytes only: no socket, no sequence number (nl_socket sets those), no meaning. Attributes by libmnl.
 */
#pragma once

#include <libmnl/libmnl.h>

#include "base/vec.h"
#include "yaml/diag.h"

struct field;

enum {
	NL_BUFFER_SIZE = 256 * 1024, /* unless nl_reserve() asked for more */
	NL_MESSAGE_MAX = 64 * 1024,  /* room that must be left before a message is begun */
};

/* The attribute that a field of an object was written to. */
struct nl_origin {
	uint32_t message, offset; /* index of the message; bytes from its start */
	const struct field *field;
};

/* Where in the file the content of a message is declared. */
struct nl_place {
	uint32_t message;
	struct position position;
};

/* Several messages, one after another. Empty if zeroed. */
struct nl_writer {
	char *buffer;
	size_t used, size;
	bool reserved;            /* nl_reserve() has made the buffer */
	struct nlmsghdr *message; /* being written */
	vec(struct nlmsghdr *) messages;
	vec(struct nl_origin) origins;
	vec(struct nl_place) places; /* by message */
	bool overflow;               /* something did not fit: the last message must not be sent */
};

/* Ends the current message and begins another with a fixed part of `extra` zeroed bytes, which is returned. */
void *nl_begin(struct nl_writer *w, uint16_t type, uint16_t flags, size_t extra);

void nl_put(struct nl_writer *w, uint16_t type, const void *data, size_t size);
/* Bytes without an attribute's header, for a nest that begins with a struct; size is a multiple of four. */
void nl_put_raw(struct nl_writer *w, const void *data, size_t size);
void nl_put_u8(struct nl_writer *w, uint16_t type, uint8_t value);
void nl_put_u16(struct nl_writer *w, uint16_t type, uint16_t value);
void nl_put_u32(struct nl_writer *w, uint16_t type, uint32_t value);
void nl_put_text(struct nl_writer *w, uint16_t type, const char *text);
struct nlattr *nl_nest(struct nl_writer *w, uint16_t type);
void nl_nest_end(struct nl_writer *w, struct nlattr *nest);
/* Removes the nest with all that is in it, and clears `overflow`: if an entry of a list does not fit, the list can
 * continue in another message. nest may be NULL, as nl_nest() returns it if the nest itself did not fit. */
void nl_nest_cancel(struct nl_writer *w, struct nlattr *nest);

/* Records that the next attribute is written for this field. */
void nl_origin(struct nl_writer *w, const struct field *field);

/* The field written at or around this offset of a message, or NULL. */
const struct field *nl_find_origin(const struct nl_writer *w, size_t message, uint32_t offset);

/* Records where the current message's content is declared, if that is only a part of an object. */
void nl_set_position(struct nl_writer *w, struct position position);
/* The position of a message; line 0: none was recorded. */
struct position nl_find_position(const struct nl_writer *w, size_t message);

bool nl_has_room(const struct nl_writer *w);

/* Makes the buffer at least this large, for a transaction that cannot be split. The writer must be empty. */
void nl_reserve(struct nl_writer *w, size_t size);

/* Zeroes the padding of the last message's attributes, for libraries that leave it uninitialized. extra: the size of the
 * message's own header. */
void nl_zero_gaps(struct nl_writer *w, size_t extra);
/* Removes all messages from index n on. */
void nl_truncate(struct nl_writer *w, size_t n);
void nl_clear(struct nl_writer *w);
void nl_writer_done(struct nl_writer *w);

/* The messages of a datagram one by one: the one after `before`, or the first if that is NULL. NULL if no complete one is
 * left. (mnl_nlmsg_ok() takes a length of 2 GiB or more as negative and accepts it.) */
const struct nlmsghdr *nl_next(const void *data, size_t size, const struct nlmsghdr *before);

/* The name of a request, "RTM_NEWLINK"; for a protocol without a list of names, the protocol's name. */
const char *nl_message_name(int protocol, uint16_t type);

/* Sorts the attributes after a header of `extra` bytes into tb[0 … max]; the other entries become NULL. Unknown types are
 * skipped, the nested flag is ignored, and reading ends at a malformed attribute. The message's length must have been
 * checked against the buffer (nl_next()). */
void nl_parse(const struct nlmsghdr *nlh, size_t extra, const struct nlattr **tb, size_t max);
/* The same for the attributes nested in one. If that is NULL, all entries become NULL. */
void nl_parse_nested(const struct nlattr *nest, const struct nlattr **tb, size_t max);
/* The same for the attributes in `size` bytes of data; NULL likewise. */
void nl_parse_range(const void *data, size_t size, const struct nlattr **tb, size_t max);

/* The value, or fallback if the attribute is missing or too small. */
uint64_t nl_get_u64(const struct nlattr *attr, uint64_t fallback);
uint32_t nl_get_u32(const struct nlattr *attr, uint32_t fallback);
uint16_t nl_get_u16(const struct nlattr *attr, uint16_t fallback);
uint8_t nl_get_u8(const struct nlattr *attr, uint8_t fallback);
/* A number of 1 to 8 bytes in network order, as nf_tables has them; 0 if the attribute is missing or larger. */
uint64_t nl_get_number(const struct nlattr *attr);
/* NUL-terminated text within the attribute's bounds, or NULL. */
const char *nl_get_text(const struct nlattr *attr);
