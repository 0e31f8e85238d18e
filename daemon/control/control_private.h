/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the control socket's files share: connections (control.c) carry bytes, calls (call.c) give them a
 * meaning, peers (access.c) say who speaks. For these only.
 */
#pragma once

#include <sys/stat.h>

#include "control/control.h"
#include "base/text.h"

struct peer {
	uid_t uid;
	pid_t pid;
	bool may_read, may_change;
};

struct connection {
	struct control *control;
	struct connection *next;
	sd_event_source *source;
	int fd;
	struct peer peer;
	uint64_t heard; /* when, in the order of all connections */
	char *in;       /* CONTROL_CALL_BYTES, once anything came */
	size_t n_in;
	struct text out;
	size_t sent;               /* of out */
	struct control_call *call; /* not answered yet, or a stream */
};

struct control_call {
	struct connection *connection; /* NULL: it is gone */
	bool oneway;
	json_t *(*lost)(size_t n); /* of a stream; else NULL */
	size_t n_lost;             /* and not told yet */
};

struct control {
	sd_event *event;
	sd_event_source *source, *others[CONTROL_OTHERS_MAX];
	size_t n_others;
	int fd, dir_fd;
	struct stat name; /* what the socket is in the folder */
	gid_t readers;
	const struct control_service *service;
	struct connection *connections;
	size_t n;
	uint64_t clock; /* counts what was heard */
};

/* Who is at the other end of the socket, and what may he do? 0 or -errno. */
int peer_of(int fd, gid_t readers, struct peer *ret);

/* Takes one message. False where it is none, which ends the connection. */
bool call_handle_message(struct connection *c, const char *text, size_t size);
/* The client has gone: streams end, other calls are still the methods'. */
void call_abandon(struct control_call *call);
/* Everything was sent: what was lost is told. */
void call_caught_up(struct connection *c);

static inline size_t connection_unsent(const struct connection *c) {
	return c->out.size - c->sent;
}
/* Puts a message behind what is to be sent, with its NUL byte, and takes care that it will be. */
void connection_put(struct connection *c, const char *message);
/* Sends what the socket takes. False where the connection ended. */
bool connection_flush(struct connection *c);
