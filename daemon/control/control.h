/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: Varlink (https://varlink.org), server side. One JSON object per message, ended by a NUL byte.
 *
 * It owns sockets, buffers and their limits, who may call what, and the service's description of itself
 * (org.varlink.service); the interfaces that it serves are tables given to it. Calls on one connection are answered
 * in their order, one at a time. Whatever a client does costs at most its own connection: too many clients push out
 * one of the user who has most of them, wrong messages end the connection, what nobody reads is not written twice,
 * and a stream that is read too slowly loses events, which is counted and told in it.
 */
#pragma once

#include <jansson.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "base/base.h"

/* Whose members may read. */
#define CONTROL_GROUP "topod"
#define CONTROL_NOBODY ((gid_t)-1)

enum {
	CONTROL_CLIENTS_MAX = 32,
	CONTROL_CALL_BYTES = 64 * 1024,    /* the longest message that is taken */
	CONTROL_REPLY_BYTES = 1024 * 1024, /* the longest that is sent */
	CONTROL_QUEUE_BYTES = 256 * 1024,  /* of a stream, and not read yet, beside the socket's own buffer */
	CONTROL_PRIORITY = 100,            /* after everything that keeps the topology */
	CONTROL_PARAMETERS_MAX = 4,
	CONTROL_OTHERS_MAX = 3,
};

/* A call until it is answered, which may be much later; its client may be gone meanwhile. */
struct control_call;

enum control_right {
	CONTROL_READ,   /* the group's members, and whoever may change */
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
	bool streams; /* answered with many replies by control_stream(), to calls with `more` only */
	struct control_parameter parameters[CONTROL_PARAMETERS_MAX]; /* up to the first without a name */
	/* Answers the call, now or later, once: with control_reply(), control_error() or control_stream(). parameters is
	 * an object of what was given, checked against the table, without nulls, and valid until the function returns.
	 * NULL: the interface has the method, and this service does not. */
	void (*fn)(void *userdata, struct control_call *call, const json_t *parameters);
};

struct control_interface {
	const char *name;        /* "org.topod"; NULL ends the list */
	const char *description; /* the text of its .varlink file */
	const struct control_method *methods;
};

struct control_service {
	const char *vendor, *product, *version, *url;
	const struct control_interface *interfaces; /* beside org.varlink.service */
	void *userdata;                             /* of their methods */
};

struct control;

/* Listens on TOPOD_SOCKET in the folder behind dir_fd, for its owner and the group `readers` (CONTROL_NOBODY: for its
 * owner only); replaces a socket that a dead daemon left. service must stay. 0, or 1 where the group could not be given
 * the socket (no privilege to), so that it is its owner's alone; -errno. Freed with control_free(). */
int control_listen(struct control **ret, sd_event *event, int dir_fd, gid_t readers, const struct control_service *service);

/* Listens anew where somebody has taken the socket's name away. As control_listen(). */
int control_restore(struct control *control);

/* Without a socket to listen on; for control_listen() and tests. */
struct control *control_new(sd_event *event, gid_t readers, const struct control_service *service);

/* Takes over a connected stream socket that does not block. 0 or -errno; then it was closed. */
int control_add_client(struct control *control, int fd);

size_t control_n_clients(const struct control *control);

/* Another source of the loop, with the normal priority, that may be ready without end, and whose handler gives it
 * CONTROL_PRIORITY each time. It gets the normal one back after each message that is served here: so they take
 * turns, and neither keeps the other waiting for ever. At most CONTROL_OTHERS_MAX; they must outlive the control. */
void control_take_turns(struct control *control, sd_event_source *other);

/* Ends every connection, once what is ready to be sent was sent as far as that is possible at once, and removes the
 * socket. Calls that wait may still be answered: nobody hears it. */
void control_free(struct control *control);

/* Both end the call. parameters are taken over; NULL is {}. */
void control_reply(struct control_call *call, json_t *parameters);
void control_error(struct control_call *call, const char *error, json_t *parameters);
/* The same with "org.varlink.service.InvalidParameter". */
void control_invalid(struct control_call *call, const char *parameter);

/* Who calls: "user 0, process 4711". The caller frees. */
char *control_caller(const struct control_call *call);

/* The call is answered with `first`, and from here on with everything that is broadcast, until its client goes. lost
 * makes the parameters of a reply that tells that n replies were left out in its place. All are taken over. */
void control_stream(struct control_call *call, json_t *first, json_t *(*lost)(size_t n));
bool control_has_streams(const struct control *control);
void control_broadcast(struct control *control, json_t *parameters);
/* The last reply of every stream. */
void control_end_streams(struct control *control, json_t *parameters);
