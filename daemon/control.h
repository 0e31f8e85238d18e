/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: Varlink's form (one JSON object per message, ended by a NUL byte), server side.
 *
 * It owns sockets, buffers and their limits, and knows methods by their names only. Calls on one connection are
 * answered in their order, one at a time. Whatever a client does costs at most its own connection: too many
 * clients push out the one that was silent longest, too long or wrong messages end the connection, and what nobody
 * reads is not written twice. See https://varlink.org for the form.
 */
#pragma once

#include <jansson.h>
#include <systemd/sd-event.h>

#include "base.h"

/* Whose members may read. */
#define CONTROL_GROUP "topod"

enum {
	CONTROL_CLIENTS_MAX = 32,
	CONTROL_CALL_BYTES = 64 * 1024,         /* the longest message that is taken */
	CONTROL_REPLY_BYTES = 1024 * 1024,      /* the longest that is sent */
	CONTROL_PRIORITY = 100,                 /* after everything that keeps the topology */
};

/* A call until it is answered, which may be much later; its client may be gone meanwhile. */
struct control_call;

struct control_method {
	const char *name;  /* "org.topod.Status"; NULL ends the list */
	/* Answers the call, now or later, once: with control_reply() or control_error(). parameters is an object and is
	 * valid until the function returns. */
	void (*fn)(void *userdata, struct control_call *call, const json_t *parameters);
};

struct control;

/* Listens on TOPOD_SOCKET in the folder behind dir_fd, for its owner only; replaces a socket that a dead daemon
 * left. methods must stay. 0 or -errno; freed with control_free(). */
int control_listen(struct control **ret, sd_event *event, int dir_fd, const struct control_method *methods,
		   void *userdata);

/* Without a socket to listen on; for control_listen() and tests. */
struct control *control_new(sd_event *event, const struct control_method *methods, void *userdata);

/* Takes over a connected stream socket that does not block. 0 or -errno; then it was closed. */
int control_add_client(struct control *control, int fd);

size_t control_n_clients(const struct control *control);

/* Ends every connection and removes the socket. Calls that wait may still be answered: nobody hears it. */
void control_free(struct control *control);

/* Both end the call. parameters are taken over; NULL is {}. */
void control_reply(struct control_call *call, json_t *parameters);
void control_error(struct control_call *call, const char *error, json_t *parameters);
