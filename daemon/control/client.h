/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client side of the control socket: one call, and one answer or a stream of answers. The server is control.h.
 *
 * It knows neither methods nor their parameters, and prints nothing.
 */
#pragma once

#include "control/control.h"
#include "base/text.h"

enum {
	CONTROL_ANSWER_BYTES = 8 * 1024 * 1024, /* more than the server sends, because a later daemon may send more */
};

struct control_answer {
	json_t *message;
	const json_t *parameters; /* an object; part of message */
	const char *error;        /* part of message; NULL: success */
	bool continues;           /* more answers follow */
};

/* Calls a method of the topology's daemon and waits for the answer. Takes ownership of parameters, an object (NULL: {}).
 * Gives up after timeout_usec without a byte (UINT64_MAX: never). 0 if the daemon answered, even with an error. -ENOENT,
 * -ECONNREFUSED: no daemon runs; -EACCES: this user may not connect; -ETIMEDOUT; -ECONNRESET: the daemon ended meanwhile;
 * -EBADMSG: the answer is not Varlink; other -errno. Free with control_answer_done() in any case. */
int control_call(const char *topology, const char *method, json_t *parameters, uint64_t timeout_usec,
		 struct control_answer *ret);

/* The same with descriptors, which the caller keeps. */
int control_call_with(const char *topology, const char *method, json_t *parameters, const int *fds, size_t n_fds,
		      uint64_t timeout_usec, struct control_answer *ret);

/* The same in steps, for streams: `more` requests one. */
struct control_client {
	int fd;
	struct text in; /* received, and not returned yet */
};
#define CONTROL_CLIENT_NONE ((struct control_client){ .fd = -1 })

int control_open(const char *topology, struct control_client *ret);
int control_send(struct control_client *client, const char *method, json_t *parameters, bool more);
/* Waits for the next answer; -ECANCELED as soon as stop_fd (-1: none) is readable. Else as control_call(). */
int control_next(struct control_client *client, int stop_fd, uint64_t timeout_usec, struct control_answer *ret);
void control_close(struct control_client *client);
#define _cleanup_client_ _cleanup_(control_close)

void control_answer_done(struct control_answer *answer);
#define _cleanup_answer_ _cleanup_(control_answer_done)
