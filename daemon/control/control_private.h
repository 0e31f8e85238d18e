/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of the control socket, and for them only: control.c moves bytes over connections, call.c turns them
 * into calls, access.c finds out who is at the other end.
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
	uint64_t heard; /* control.clock when it last sent something */
	char *in;       /* CONTROL_CALL_BYTES; NULL before the first byte */
	size_t n_in;
	int fds[CONTROL_FDS_MAX]; /* received, and not taken by a call yet */
	size_t n_fds;
	struct text out;
	size_t sent;               /* bytes of out */
	struct control_call *call; /* in progress, or a stream; else NULL */
};

struct control_call {
	struct connection *connection; /* NULL: the client has gone */
	bool oneway;
	json_t *(*lost)(size_t n); /* only a stream has it */
	size_t n_lost;             /* replies dropped since the last lost() */
	int fds[CONTROL_FDS_MAX];
	size_t n_fds;
};

struct control {
	sd_event *event;
	sd_event_source *source, *others[CONTROL_OTHERS_MAX];
	size_t n_others;
	int fd, dir_fd;
	struct stat name; /* of the socket in the directory */
	gid_t readers;
	const struct control_service *service;
	struct connection *connections;
	size_t n;
	uint64_t clock; /* counts reads, for connection.heard */
};

/* Finds out who is at the other end of the socket, and what they may do. 0 or -errno. */
int peer_of(int fd, gid_t readers, struct peer *ret);

/* Handles one message. False if it is not a call: then the caller ends the connection. */
bool call_handle_message(struct connection *c, const char *text, size_t size);
/* The client is gone. Ends a stream; another call stays until its method answers it. */
void call_abandon(struct control_call *call);
/* Everything was sent: a stream can now report what it lost. */
void call_caught_up(struct connection *c);

static inline size_t connection_unsent(const struct connection *c) {
	return c->out.size - c->sent;
}
static inline void close_fds(int *fds, size_t *n) {
	while (*n)
		close(fds[--*n]);
}
/* Queues a message and its NUL byte. NULL: only updates which events the connection waits for. */
void connection_put(struct connection *c, const char *message);
/* Sends as much as the socket accepts. False if the connection ended. */
bool connection_flush(struct connection *c);
