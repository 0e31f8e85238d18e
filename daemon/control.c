/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection is in one of three states: its message is being read, its call is being answered, or the answer
 * is being written. In the last two nothing is read from it, so that a client that only sends fills its own
 * socket buffer and nothing here.
 *
 * A reply that is too large to be sent would be a mistake of this program's, not of the client's: it is told so.
 *
 * Everything runs at a low priority, one message per turn of the loop: a flood of calls takes no turn from the
 * events of the kernel.
 */
#include "control.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "ledger_file.h"

struct connection {
	struct control *control;
	struct connection *next;
	sd_event_source *source;
	int fd;
	uint64_t heard;             /* when, in the order of all connections */
	char *in;                   /* CONTROL_CALL_BYTES + 1, once anything came */
	size_t n_in;
	char *out;
	size_t n_out, sent;
	struct control_call *call;  /* not answered yet */
};

struct control_call {
	struct connection *connection; /* NULL: it is gone */
	bool oneway;
};

struct control {
	sd_event *event;
	sd_event_source *source;
	int fd, dir_fd;
	const struct control_method *methods;
	void *userdata;
	struct connection *connections;
	size_t n;
	uint64_t clock; /* counts what was heard */
};

/* ---- connections ---- */

static void connection_free(struct connection *c) {
	struct connection **at = &c->control->connections;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->control->n--;
	if (c->call)
		c->call->connection = NULL;
	sd_event_source_unref(c->source);
	close(c->fd);
	free(c->in);
	free(c->out);
	free(c);
}

/* A whole message that lies here, to be served next. */
static bool has_message(const struct connection *c) {
	return !c->call && !c->out && c->n_in && memchr(c->in, '\0', c->n_in);
}

/* What is waited for follows from the state. Of a message that lies here already no event would tell, but a
 * socket that can be written to is one at once. A hangup is told in any case. */
static void wait_for_next(struct connection *c) {
	uint32_t events = c->out || has_message(c) ? EPOLLOUT : c->call ? 0 : EPOLLIN;

	sd_event_source_set_io_events(c->source, events);
}

/* Writes what the socket takes. False where the connection ended. */
static bool flush_out(struct connection *c) {
	while (c->out && c->sent < c->n_out) {
		ssize_t n = send(c->fd, c->out + c->sent, c->n_out - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n < 0)
			return false;
		c->sent += (size_t)n;
	}
	free(TAKE_PTR(c->out));
	return true;
}

/* ---- answers ---- */

static char *format_reply(const char *error, json_t *parameters) {
	json_t *message = error ? json_pack("{s:s, s:O}", "error", error, "parameters", parameters)
				: json_pack("{s:O}", "parameters", parameters);
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

	json_decref(message);
	return text;
}

static char *format_bounded(const char *error, json_t *parameters) {
	char *text = format_reply(error, parameters);

	if (text && strlen(text) < CONTROL_REPLY_BYTES)
		return text;
	free(text);
	return xstrdup("{\"error\":\"org.topod.TooLarge\",\"parameters\":{}}");
}

/* The call's memory ends here, the connection's does not: its handler may be further up the stack. */
static void answer(struct control_call *call, const char *error, json_t *parameters) {
	struct connection *c = call->connection;
	json_t *given = parameters ? parameters : json_object();

	if (c)
		c->call = NULL;
	if (c && !call->oneway) {
		c->out = format_bounded(error, given);
		c->n_out = strlen(c->out) + 1;
		c->sent = 0;
	}
	if (c)
		wait_for_next(c);
	json_decref(given);
	free(call);
}

void control_reply(struct control_call *call, json_t *parameters) {
	answer(call, NULL, parameters);
}

void control_error(struct control_call *call, const char *error, json_t *parameters) {
	answer(call, error, parameters);
}

/* ---- calls ---- */

static const struct control_method *find_method(const struct control *control, const char *name) {
	for (const struct control_method *m = control->methods; m->name; m++)
		if (streq(m->name, name))
			return m;
	return NULL;
}

static struct control_call *call_new(struct connection *c, bool oneway) {
	struct control_call *call = xmalloc(sizeof(*call));

	call->connection = c;
	call->oneway = oneway;
	c->call = call;
	return call;
}

static void run_call(struct connection *c, const char *name, const json_t *parameters, bool oneway) {
	const struct control_method *method = find_method(c->control, name);
	struct control_call *call = call_new(c, oneway);

	if (!method) {
		control_error(call, "org.varlink.service.MethodNotFound", json_pack("{s:s}", "method", name));
		return;
	}
	method->fn(c->control->userdata, call, parameters);
}

/* False where it is no call. */
static bool handle_message(struct connection *c, const char *text, size_t size) {
	json_t *message = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL), *empty = json_object();
	const json_t *parameters = json_object_get(message, "parameters");
	const char *name = json_string_value(json_object_get(message, "method"));
	bool good = name && (!parameters || json_is_object(parameters) || json_is_null(parameters));

	if (good)
		run_call(c, name, json_is_object(parameters) ? parameters : empty,
			 json_is_true(json_object_get(message, "oneway")));
	json_decref(empty);
	json_decref(message);
	return good;
}

/* Takes one whole message out of what was read. 1: there was one; 0: not yet; -EBADMSG. */
static int next_message(struct connection *c) {
	char *end = c->n_in ? memchr(c->in, '\0', c->n_in) : NULL;
	size_t size;

	if (!end)
		return c->n_in >= CONTROL_CALL_BYTES ? -EBADMSG : 0;
	size = (size_t)(end - c->in);
	if (!handle_message(c, c->in, size))
		return -EBADMSG;
	c->n_in -= size + 1;
	memmove(c->in, end + 1, c->n_in);
	return 1;
}

/* False where the connection ended. */
static bool read_some(struct connection *c) {
	ssize_t n;

	if (!c->in)
		c->in = xmalloc(CONTROL_CALL_BYTES);
	n = recv(c->fd, c->in + c->n_in, CONTROL_CALL_BYTES - c->n_in, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->n_in += (size_t)n;
	c->heard = ++c->control->clock;
	return n > 0;
}

static int serve(struct connection *c, uint32_t events) {
	int r = 0;

	if (events & (EPOLLHUP | EPOLLERR) && !(events & EPOLLIN))
		return -ECONNRESET;
	if (events & EPOLLIN && !read_some(c)) /* asked for only where there is room for more */
		return -ECONNRESET;
	if (!flush_out(c))
		return -ECONNRESET;
	if (!c->call && !c->out)
		r = next_message(c);
	if (r < 0)
		return r;
	return flush_out(c) ? 0 : -ECONNRESET; /* an answer that was given at once goes out at once */
}

static int on_connection(sd_event_source *source _unused_, int fd _unused_, uint32_t events, void *userdata) {
	struct connection *c = userdata;

	if (serve(c, events) < 0)
		connection_free(c);
	else
		wait_for_next(c);
	return 0;
}

/* ---- clients ---- */

/* Whoever waits for an answer is not pushed out. */
static struct connection *find_idlest(const struct control *control) {
	struct connection *idlest = NULL;

	for (struct connection *c = control->connections; c; c = c->next)
		if (!c->call && (!idlest || c->heard < idlest->heard))
			idlest = c;
	return idlest;
}

static bool push_out(struct control *control) {
	struct connection *idlest = find_idlest(control);

	if (idlest)
		connection_free(idlest);
	return idlest;
}

int control_add_client(struct control *control, int fd) {
	struct connection *c;
	int r;

	if (control->n >= CONTROL_CLIENTS_MAX && !push_out(control)) {
		close(fd);
		return -EBUSY;
	}
	c = xmalloc(sizeof(*c));
	c->control = control;
	c->fd = fd;
	c->heard = ++control->clock;
	c->next = control->connections;
	control->connections = c;
	control->n++;
	r = sd_event_add_io(control->event, &c->source, fd, EPOLLIN, on_connection, c);
	if (r >= 0)
		r = sd_event_source_set_priority(c->source, CONTROL_PRIORITY);
	if (r < 0)
		connection_free(c);
	return r < 0 ? r : 0;
}

size_t control_n_clients(const struct control *control) {
	return control->n;
}

static int on_listen(sd_event_source *source _unused_, int fd, uint32_t events _unused_, void *userdata) {
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (client >= 0)
		(void)control_add_client(userdata, client); /* it sees that it was closed */
	else if (errno == EMFILE || errno == ENFILE)
		push_out(userdata);
	return 0;
}

/* ---- the whole ---- */

/* The mode is set before there is a name: bind() takes it over. Paths of sockets are short, so the folder is
 * named by its descriptor. */
static int open_socket(int dir_fd) {
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fd < 0)
		return -errno;
	if (unlinkat(dir_fd, TOPOD_SOCKET, 0) < 0 && errno != ENOENT)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd, TOPOD_SOCKET);
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		return -errno;
	return TAKE_FD(fd);
}

struct control *control_new(sd_event *event, const struct control_method *methods, void *userdata) {
	struct control *control = xmalloc(sizeof(*control));

	control->event = sd_event_ref(event);
	control->fd = control->dir_fd = -1;
	control->methods = methods;
	control->userdata = userdata;
	return control;
}

int control_listen(struct control **ret, sd_event *event, int dir_fd, const struct control_method *methods,
		   void *userdata) {
	struct control *control = control_new(event, methods, userdata);
	int r = control->fd = open_socket(dir_fd);

	if (r >= 0) {
		control->dir_fd = dir_fd;
		r = sd_event_add_io(event, &control->source, control->fd, EPOLLIN, on_listen, control);
	}
	if (r >= 0)
		r = sd_event_source_set_priority(control->source, CONTROL_PRIORITY);
	if (r < 0)
		control_free(control);
	else
		*ret = control;
	return r < 0 ? r : 0;
}

void control_free(struct control *control) {
	if (!control)
		return;
	while (control->connections)
		connection_free(control->connections);
	sd_event_source_unref(control->source);
	if (control->dir_fd >= 0)
		unlinkat(control->dir_fd, TOPOD_SOCKET, 0);
	closep(&control->fd);
	sd_event_unref(control->event);
	free(control);
}
