/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other side of the control socket: one call, and one answer or a stream of them. See control.h.
 */
#pragma once

#include "control/control.h"
#include "base/text.h"

enum {
	CONTROL_ANSWER_BYTES = 8 * 1024 * 1024, /* the longest answer that is read, also of a later daemon */
};

struct control_answer {
	json_t *message;
	const json_t *parameters; /* an object, in message */
	const char *error;        /* in message; NULL: none */
	bool continues;           /* others follow */
};

/* Calls a method of the topology's daemon (parameters: an object, taken over; NULL: {}) and waits for the answer, at
 * most timeout_usec (UINT64_MAX: for ever) without a byte of it. 0 where it answered, an error included; freed with
 * control_answer_done() in any case. -ENOENT, -ECONNREFUSED: no daemon runs; -EACCES: not for this user; -ETIMEDOUT;
 * -ECONNRESET where it ended meanwhile; -EBADMSG where it does not speak so; other -errno. */
int control_call(const char *topology, const char *method, json_t *parameters, uint64_t timeout_usec,
		 struct control_answer *ret);

/* The same in its parts, for streams: `more` asks for one. */
struct control_client {
	int fd;
	struct text in; /* came, and was not returned yet */
};
#define CONTROL_CLIENT_NONE ((struct control_client){ .fd = -1 })

int control_open(const char *topology, struct control_client *ret);
int control_send(struct control_client *client, const char *method, json_t *parameters, bool more);
/* The next answer. -ECANCELED as soon as stop_fd (-1: none) is readable. */
int control_next(struct control_client *client, int stop_fd, uint64_t timeout_usec, struct control_answer *ret);
void control_close(struct control_client *client);
#define _cleanup_client_ _cleanup_(control_close)

void control_answer_done(struct control_answer *answer);
#define _cleanup_answer_ _cleanup_(control_answer_done)
