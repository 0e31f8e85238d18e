/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections: accepting them, and moving bytes in and out. call.c knows what the bytes mean.
 *
 * A connection is in one of three states: reading a message, waiting for the answer to its call, or writing the answer.
 * In the last two nothing is read from it, so a client that only sends fills its own socket buffer, not the daemon's memory.
 * A client that has finished sending (shutdown(2)) still gets its answers.
 *
 * Everything runs at a low priority, one message per turn of the loop: a flood of calls cannot delay the kernel's events.
 * A flood of events cannot lock out clients either: see control_take_turns().
 */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "control/control_private.h"
#include "files/own_dir.h"
#include "files/ledger_file.h"

/* ---- connections ---- */

/* While every slot is used by a client that waits for an answer, others wait in the socket's queue: containers that start
 * together call together. */
static void listen_again(const struct control *control) {
	if (control->source)
		sd_event_source_set_enabled(control->source, SD_EVENT_ON);
}

static void connection_free(struct connection *c) {
	struct connection **at = &c->control->connections;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->control->n--;
	listen_again(c->control);
	if (c->call)
		call_abandon(c->call);
	sd_event_source_unref(c->source);
	close(c->fd);
	close_fds(c->fds, &c->n_fds);
	free(c->in);
	text_done(&c->out);
	free(c);
}

/* Is a whole message in the buffer, ready to be handled? */
static bool has_message(const struct connection *c) {
	return !c->call && !connection_unsent(c) && c->n_in && memchr(c->in, '\0', c->n_in);
}

/* The state says which event to wait for. A message that is in the buffer already causes no event; waiting for EPOLLOUT
 * does, because the socket is writable. EPOLLHUP is always reported. */
static void wait_for_next(struct connection *c) {
	uint32_t events = connection_unsent(c) || has_message(c) ? EPOLLOUT : c->call ? 0 : EPOLLIN;

	listen_again(c->control); /* it may be idle now */
	sd_event_source_set_io_events(c->source, events);
}

static bool flush_once(struct connection *c) {
	while (connection_unsent(c)) {
		ssize_t n = send(c->fd, c->out.data + c->sent, connection_unsent(c), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n < 0)
			return false;
		c->sent += (size_t)n;
	}
	text_done(&c->out);
	c->sent = 0;
	return true;
}

bool connection_flush(struct connection *c) {
	if (!flush_once(c))
		return false;
	if (connection_unsent(c))
		return true;
	call_caught_up(c);
	return flush_once(c);
}

/* Drops sent bytes before it allocates more. */
void connection_put(struct connection *c, const char *message) {
	if (message && c->sent) {
		memmove(c->out.data, c->out.data + c->sent, connection_unsent(c));
		c->out.size -= c->sent;
		c->sent = 0;
	}
	if (message)
		text_addn(&c->out, message, strlen(message) + 1);
	wait_for_next(c);
}

/* ---- messages ---- */

/* Handles one message of the buffer. 1: done; 0: none is complete yet; -EBADMSG. */
static int next_message(struct connection *c) {
	char *end = c->n_in ? memchr(c->in, '\0', c->n_in) : NULL;
	size_t size;

	if (!end)
		return c->n_in >= CONTROL_CALL_BYTES ? -EBADMSG : 0;
	size = (size_t)(end - c->in);
	if (!call_handle_message(c, c->in, size))
		return -EBADMSG;
	c->n_in -= size + 1;
	memmove(c->in, end + 1, c->n_in);
	return 1;
}

/* They belong to the next call. Descriptors beyond the limit, and those of callers who may not use them, are closed. */
static void take_fds(struct connection *c, struct msghdr *message) {
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg; cmsg = CMSG_NXTHDR(message, cmsg)) {
		size_t n = cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS
				   ? (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int)
				   : 0;

		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
			if (c->peer.may_change && c->n_fds < CONTROL_FDS_MAX)
				c->fds[c->n_fds++] = fd;
			else
				close(fd);
		}
	}
}

/* False if the connection ended. */
static bool read_some(struct connection *c) {
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
	struct iovec iov;
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	ssize_t n;

	if (!c->in)
		c->in = xmalloc(CONTROL_CALL_BYTES);
	iov = (struct iovec){ c->in + c->n_in, CONTROL_CALL_BYTES - c->n_in };
	n = recvmsg(c->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n >= 0)
		take_fds(c, &message);
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
	if (events & EPOLLIN && !read_some(c)) /* the buffer has room: else EPOLLIN was not waited for */
		return -ECONNRESET;
	if (!connection_flush(c))
		return -ECONNRESET;
	if (!c->call && !connection_unsent(c))
		r = next_message(c);
	if (r < 0)
		return r;
	return connection_flush(c) ? 0 : -ECONNRESET; /* a method may have answered at once */
}

static void give_way(const struct control *control) {
	for (size_t i = 0; i < control->n_others; i++)
		sd_event_source_set_priority(control->others[i], SD_EVENT_PRIORITY_NORMAL);
}

static int on_connection(sd_event_source *source _unused_, int fd _unused_, uint32_t events, void *userdata) {
	struct connection *c = userdata;

	give_way(c->control);
	if (serve(c, events) < 0)
		connection_free(c);
	else
		wait_for_next(c);
	return 0;
}

/* ---- clients ---- */

static size_t count_of(const struct control *control, uid_t uid) {
	size_t n = 0;

	for (const struct connection *c = control->connections; c; c = c->next)
		n += c->peer.uid == uid;
	return n;
}

/* Should a be disconnected rather than b? First those of the user with most connections, so that nobody can lock others
 * out; streams last; then the one that was silent longest. */
static bool is_idler(const struct connection *a, const struct connection *b) {
	size_t n_a = count_of(a->control, a->peer.uid), n_b = count_of(b->control, b->peer.uid);

	if (n_a != n_b)
		return n_a > n_b;
	if (!a->call != !b->call)
		return !a->call;
	return a->heard < b->heard;
}

/* Has it sent a call that we have not read yet? This only counts for clients who may change something; others could keep all
 * slots that way. */
static bool has_called(const struct connection *c) {
	int n;

	return c->peer.may_change && ioctl(c->fd, FIONREAD, &n) == 0 && n > 0;
}

/* A client that is waiting for an answer is never disconnected. */
static struct connection *find_idlest(const struct control *control) {
	struct connection *idlest = NULL;

	for (struct connection *c = control->connections; c; c = c->next)
		if ((c->call ? c->call->lost != NULL : !has_called(c)) && (!idlest || is_idler(c, idlest)))
			idlest = c;
	return idlest;
}

static bool disconnect_one(struct control *control) {
	struct connection *idlest = find_idlest(control);

	if (idlest)
		connection_free(idlest);
	return idlest;
}

int control_add_client(struct control *control, int fd) {
	struct peer peer;
	struct connection *c;
	int r = peer_of(fd, control->readers, &peer);

	if (r == 0 && control->n >= CONTROL_CLIENTS_MAX && !disconnect_one(control))
		r = -EBUSY;
	if (r < 0) {
		close(fd);
		return r;
	}
	c = xmalloc(sizeof(*c));
	c->control = control;
	c->fd = fd;
	c->peer = peer;
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
	struct control *control = userdata;
	int client;

	give_way(control);
	if (control->n >= CONTROL_CLIENTS_MAX && !find_idlest(control)) {
		sd_event_source_set_enabled(control->source, SD_EVENT_OFF);
		return 0;
	}
	client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client >= 0)
		(void)control_add_client(userdata, client); /* on error the client sees a closed connection */
	else if (errno == EMFILE || errno == ENFILE)
		disconnect_one(userdata);
	return 0;
}

/* ---- the socket ---- */

/* The mode is set before the name exists (bind() copies it) and extended after the group is set, so that nobody can connect
 * in between. sun_path is short, so the directory is named by its descriptor. */
static int open_socket(int dir_fd) {
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fd < 0)
		return -errno;
	if (unlinkat(dir_fd, TOPOD_SOCKET, 0) < 0 && errno != ENOENT)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd, TOPOD_SOCKET);
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* 0; 1 if not permitted; -errno. Nobody else can put a link into this directory, so fchmodat() is safe. */
static int open_for_group(int dir_fd, gid_t readers) {
	if (readers == CONTROL_NOBODY)
		return 0;
	if (fchownat(dir_fd, TOPOD_SOCKET, (uid_t)-1, readers, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == EPERM || errno == EACCES ? 1 : -errno;
	return fchmodat(dir_fd, TOPOD_SOCKET, 0660, 0) < 0 ? -errno : 0;
}

struct control *control_new(sd_event *event, gid_t readers, const struct control_service *service) {
	struct control *control = xmalloc(sizeof(*control));

	control->event = sd_event_ref(event);
	control->fd = control->dir_fd = -1;
	control->readers = readers;
	control->service = service;
	return control;
}

/* Returns as control_listen(). */
static int begin_to_listen(struct control *control, int *ret_fd) {
	int r = *ret_fd = open_socket(control->dir_fd);

	if (r >= 0)
		r = fstatat(control->dir_fd, TOPOD_SOCKET, &control->name, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	if (r == 0)
		r = open_for_group(control->dir_fd, control->readers);
	return r >= 0 && listen(*ret_fd, SOMAXCONN) < 0 ? -errno : r;
}

/* Does the name in the directory lead to our socket? */
static bool has_name(const struct control *control) {
	return control->dir_fd >= 0 && own_dir_leads_to(control->dir_fd, TOPOD_SOCKET, &control->name);
}

int control_listen(struct control **ret, sd_event *event, int dir_fd, gid_t readers, const struct control_service *service) {
	struct control *control = control_new(event, readers, service);
	int closed, r;

	control->dir_fd = dir_fd;
	r = closed = begin_to_listen(control, &control->fd);
	if (r >= 0)
		r = sd_event_add_io(event, &control->source, control->fd, EPOLLIN, on_listen, control);
	if (r >= 0)
		r = sd_event_source_set_priority(control->source, CONTROL_PRIORITY);
	if (r < 0)
		control_free(control);
	else
		*ret = control;
	return r < 0 ? r : closed;
}

int control_restore(struct control *control) {
	int fd, closed, r;

	if (has_name(control))
		return 0;
	r = closed = begin_to_listen(control, &fd);
	if (r >= 0)
		r = sd_event_source_set_io_fd(control->source, fd);
	if (r < 0) {
		closep(&fd);
		return r;
	}
	closep(&control->fd);
	control->fd = fd;
	return closed;
}

void control_take_turns(struct control *control, sd_event_source *other) {
	if (control->n_others < CONTROL_OTHERS_MAX)
		control->others[control->n_others++] = other;
}

void control_free(struct control *control) {
	if (!control)
		return;
	for (struct connection *c = control->connections; c; c = c->next)
		(void)connection_flush(c);
	while (control->connections)
		connection_free(control->connections);
	sd_event_source_unref(control->source);
	if (has_name(control))
		unlinkat(control->dir_fd, TOPOD_SOCKET, 0);
	closep(&control->fd);
	sd_event_unref(control->event);
	free(control);
}
