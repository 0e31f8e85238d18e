/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: the server side of Varlink (https://varlink.org). A message is one JSON object and a NUL byte.
 *
 * It owns sockets, buffers and their limits, who may call what, and org.varlink.service, by which the service describes
 * itself. The other interfaces are tables that the caller gives it; it does not know what their methods do.
 *
 * The calls on one connection are answered one at a time, in order. A client can harm only its own connection: with too
 * many clients, one of the user who has most of them is disconnected; an invalid message ends the connection; descriptors
 * that come with a message are closed, unless the caller has CONTROL_CHANGE; a stream that is read too slowly loses events,
 * and is told how many.
 */
#pragma once

#include <jansson.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "base/base.h"

/* The group whose members may read. */
#define CONTROL_GROUP "topod"
#define CONTROL_NOBODY ((gid_t)-1)

enum {
	CONTROL_CLIENTS_MAX = 32,
	CONTROL_CALL_BYTES = 64 * 1024,    /* the longest accepted message */
	CONTROL_REPLY_BYTES = 1024 * 1024, /* the longest sent message */
	CONTROL_QUEUE_BYTES = 256 * 1024,  /* unread bytes of a stream, in addition to the socket's own buffer */
	CONTROL_PRIORITY = 100,            /* after everything that maintains the topology */
	CONTROL_PARAMETERS_MAX = 4,
	CONTROL_FDS_MAX = 4, /* descriptors that come with a call */
	CONTROL_OTHERS_MAX = 4,
};

/* A call that is not answered yet. The answer may take long, and the client may disconnect meanwhile. */
struct control_call;

enum control_right {
	CONTROL_READ,   /* members of the group, and everyone with CONTROL_CHANGE */
	CONTROL_CHANGE, /* root and the daemon's own user */
};

struct control_parameter {
	const char *name;
	json_type type; /* JSON_TRUE for a bool */
	bool required;
};

struct control_method {
	const char *name; /* "Status"; NULL ends the list */
	enum control_right right;
	bool streams; /* answers with control_stream(); the call must have `more` */
	struct control_parameter parameters[CONTROL_PARAMETERS_MAX]; /* ends at the first without a name */
	/* Answers the call exactly once, now or later, with control_reply(), control_error() or control_stream(). parameters
	 * is an object, checked against the table and without nulls; it is valid until the function returns. NULL: the
	 * interface has the method, but this service does not implement it. */
	void (*fn)(void *userdata, struct control_call *call, const json_t *parameters);
};

struct control_interface {
	const char *name;        /* "org.topod"; NULL ends the list */
	const char *description; /* the text of its .varlink file */
	const struct control_method *methods;
};

struct control_service {
	const char *vendor, *product, *version, *url;
	const struct control_interface *interfaces; /* without org.varlink.service */
	void *userdata;                             /* for their methods */
};

struct control;

/* Listens on TOPOD_SOCKET in the directory dir_fd, for its owner and the group `readers` (CONTROL_NOBODY: for its owner
 * only). Replaces a socket that a dead daemon left. service must outlive the control. 0; 1 if giving the socket to the
 * group is not permitted, so that only its owner can connect; -errno. Free with control_free(). */
int control_listen(struct control **ret, sd_event *event, int dir_fd, gid_t readers, const struct control_service *service);

/* Listens again if somebody has removed the socket's name. Returns the same as control_listen(). */
int control_restore(struct control *control);

/* Creates a control without a listening socket, for tests and for control_listen(). */
struct control *control_new(sd_event *event, gid_t readers, const struct control_service *service);

/* Takes ownership of a connected, non-blocking stream socket. 0, or -errno after closing it. */
int control_add_client(struct control *control, int fd);

size_t control_n_clients(const struct control *control);

/* Makes the control and another event source take turns, so that neither starves the other if both are always ready. The
 * other source starts at the normal priority, and its handler sets CONTROL_PRIORITY each time it runs; after each
 * message that is served here it gets the normal priority back. At most CONTROL_OTHERS_MAX sources, which must outlive
 * the control. */
void control_take_turns(struct control *control, sd_event_source *other);

/* Sends what can be sent without waiting, ends all connections and removes the socket. Answering a pending call afterwards
 * has no effect. */
void control_free(struct control *control);

/* Both end the call and take ownership of parameters; NULL is {}. */
void control_reply(struct control_call *call, json_t *parameters);
void control_error(struct control_call *call, const char *error, json_t *parameters);
/* The error "org.varlink.service.InvalidParameter". */
void control_invalid(struct control_call *call, const char *parameter);

/* Who called: "user 0, process 4711". The caller frees. */
char *control_caller(const struct control_call *call);
/* The number of its process, which may have ended; 0: the client is gone. */
pid_t control_caller_pid(const struct control_call *call);
/* The index-th descriptor that came with the call, valid until it is answered; -1: there is none. */
int control_descriptor(const struct control_call *call, json_int_t index);

/* Answers the call with `first`, and then with everything that is broadcast, until its client disconnects. Takes ownership
 * of first. lost() makes the parameters of a reply that stands for n dropped replies. */
void control_stream(struct control_call *call, json_t *first, json_t *(*lost)(size_t n));
bool control_has_streams(const struct control *control);
void control_broadcast(struct control *control, json_t *parameters);
/* Sends the last reply of every stream. */
void control_end_streams(struct control *control, json_t *parameters);
