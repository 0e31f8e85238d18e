/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "files/ledger_file.h"

/* A daemon that is stuck accepts no connections, and connect(2) blocks when its queue is full. */
static int limit_wait(int fd, uint64_t timeout_usec) {
	struct timeval t = { .tv_sec = (time_t)(timeout_usec / 1000000), .tv_usec = (suseconds_t)(timeout_usec % 1000000) };

	return timeout_usec == UINT64_MAX || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) == 0 ? 0 : -errno;
}

static int connect_to(const char *topology, uint64_t timeout_usec, int *ret_fd) {
	_cleanup_close_ int dir_fd = -1, fd = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r = ledger_file_open_dir(topology, &dir_fd);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd, TOPOD_SOCKET);
	r = limit_wait(fd, timeout_usec);
	if (r < 0)
		return r;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The descriptors go with the first byte. */
static ssize_t send_some(int fd, const char *data, size_t size, const int *fds, size_t n_fds) {
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))] = {};
	struct iovec iov = { (char *)(uintptr_t)data, size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
		*cmsg = (struct cmsghdr){ CMSG_LEN(n_fds * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(cmsg), fds, n_fds * sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static int send_all(int fd, const char *data, size_t size, const int *fds, size_t n_fds) {
	while (size > 0) {
		ssize_t n = send_some(fd, data, size, fds, n_fds);

		if (n < 0 && errno != EINTR)
			return errno == EPIPE ? -ECONNRESET : errno == EAGAIN ? -ETIMEDOUT : -errno;
		n_fds = n > 0 ? 0 : n_fds;
		data += MAX(n, 0);
		size -= (size_t)MAX(n, 0);
	}
	return 0;
}

static int send_call(struct control_client *client, const char *method, json_t *parameters, bool more, const int *fds,
		     size_t n_fds) {
	json_t *message = json_pack("{s:s, s:o}", "method", method, "parameters", parameters ? parameters : json_object());
	_cleanup_free_ char *text = NULL;

	if (more)
		json_object_set_new(message, "more", json_true());
	text = json_dumps(message, JSON_COMPACT);
	json_decref(message);
	return send_all(client->fd, text, strlen(text) + 1, fds, n_fds);
}

int control_send(struct control_client *client, const char *method, json_t *parameters, bool more) {
	return send_call(client, method, parameters, more, NULL, 0);
}

static int wait_readable(int fd, int stop_fd, uint64_t timeout_usec) {
	struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = stop_fd, .events = POLLIN } };
	struct timespec t = { .tv_sec = (time_t)(timeout_usec / 1000000), .tv_nsec = (long)(timeout_usec % 1000000) * 1000 };
	int r = ppoll(p, ARRAY_SIZE(p), timeout_usec == UINT64_MAX ? NULL : &t, NULL);

	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[1].revents)
		return -ECANCELED;
	return r == 0 ? -ETIMEDOUT : 0;
}

/* Reads until there is a whole message; *ret_size is its length without the NUL byte. */
static int receive(struct control_client *client, int stop_fd, uint64_t timeout_usec, size_t *ret_size) {
	char buffer[16 * 1024], *end = client->in.size ? memchr(client->in.data, '\0', client->in.size) : NULL;
	size_t before;

	while (!end) {
		int r = wait_readable(client->fd, stop_fd, timeout_usec);
		ssize_t n = r < 0 ? 0 : recv(client->fd, buffer, sizeof(buffer), MSG_DONTWAIT);

		if (r < 0)
			return r;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		before = client->in.size;
		if (before + (size_t)n > CONTROL_ANSWER_BYTES)
			return -EBADMSG;
		text_addn(&client->in, buffer, (size_t)n);
		end = memchr(client->in.data + before, '\0', (size_t)n);
	}
	*ret_size = (size_t)(end - client->in.data);
	return 0;
}

static int read_answer(const char *text, size_t size, struct control_answer *ret) {
	const json_t *error;

	ret->message = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	ret->parameters = json_object_get(ret->message, "parameters");
	ret->continues = json_is_true(json_object_get(ret->message, "continues"));
	error = json_object_get(ret->message, "error");
	ret->error = json_string_value(error);
	if (!json_is_object(ret->parameters) || (error && !ret->error))
		return -EBADMSG;
	return 0;
}

int control_next(struct control_client *client, int stop_fd, uint64_t timeout_usec, struct control_answer *ret) {
	size_t size;
	int r;

	*ret = (struct control_answer){};
	r = receive(client, stop_fd, timeout_usec, &size);
	if (r < 0)
		return r;
	r = read_answer(client->in.data, size, ret);
	client->in.size -= size + 1;
	memmove(client->in.data, client->in.data + size + 1, client->in.size);
	return r;
}

static int open_within(const char *topology, uint64_t timeout_usec, struct control_client *ret) {
	*ret = CONTROL_CLIENT_NONE;
	return connect_to(topology, timeout_usec, &ret->fd);
}

int control_open(const char *topology, struct control_client *ret) {
	return open_within(topology, UINT64_MAX, ret);
}

void control_close(struct control_client *client) {
	closep(&client->fd);
	text_done(&client->in);
	*client = CONTROL_CLIENT_NONE;
}

int control_call(const char *topology, const char *method, json_t *parameters, uint64_t timeout_usec,
		 struct control_answer *ret) {
	return control_call_with(topology, method, parameters, NULL, 0, timeout_usec, ret);
}

int control_call_with(const char *topology, const char *method, json_t *parameters, const int *fds, size_t n_fds,
		      uint64_t timeout_usec, struct control_answer *ret) {
	_cleanup_client_ struct control_client client;
	int r = open_within(topology, timeout_usec, &client);

	*ret = (struct control_answer){};
	if (r < 0) {
		json_decref(parameters);
		return r;
	}
	r = send_call(&client, method, parameters, false, fds, n_fds);
	return r == 0 ? control_next(&client, -1, timeout_usec, ret) : r;
}

void control_answer_done(struct control_answer *answer) {
	json_decref(answer->message);
	*answer = (struct control_answer){};
}
