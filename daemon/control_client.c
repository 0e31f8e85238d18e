/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "ledger_file.h"
#include "text.h"

static int connect_to(const char *topology, int *ret_fd) {
	_cleanup_close_ int dir_fd = -1, fd = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r = ledger_file_folder(topology, &dir_fd);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd, TOPOD_SOCKET);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int send_all(int fd, const char *data, size_t size) {
	while (size > 0) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return errno == EPIPE ? -ECONNRESET : -errno;
		data += MAX(n, 0);
		size -= (size_t)MAX(n, 0);
	}
	return 0;
}

static int send_call(int fd, const char *method, json_t *parameters) {
	json_t *message = json_pack("{s:s, s:o}", "method", method, "parameters", parameters ? parameters : json_object());
	_cleanup_free_ char *text = json_dumps(message, JSON_COMPACT);

	json_decref(message);
	return send_all(fd, text, strlen(text) + 1);
}

static int wait_readable(int fd, uint64_t timeout_usec) {
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec t = { .tv_sec = (time_t)(timeout_usec / 1000000), .tv_nsec = (long)(timeout_usec % 1000000) * 1000 };
	int r = ppoll(&p, 1, timeout_usec == UINT64_MAX ? NULL : &t, NULL);

	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

/* Up to the NUL byte, which is not part of ret. */
static int receive(int fd, uint64_t timeout_usec, struct text *ret) {
	char buffer[16 * 1024], *end = NULL;

	while (!end) {
		int r = wait_readable(fd, timeout_usec);
		ssize_t n = r < 0 ? 0 : recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

		if (r < 0)
			return r;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		end = memchr(buffer, '\0', (size_t)n);
		text_addn(ret, buffer, end ? (size_t)(end - buffer) : (size_t)n);
		if (ret->size > CONTROL_ANSWER_BYTES)
			return -EBADMSG;
	}
	return 0;
}

static int read_answer(const struct text *text, struct control_answer *ret) {
	const json_t *error;

	ret->message = json_loadb(text_str(text), text->size, JSON_REJECT_DUPLICATES, NULL);
	ret->parameters = json_object_get(ret->message, "parameters");
	error = json_object_get(ret->message, "error");
	ret->error = json_string_value(error);
	if (!json_is_object(ret->parameters) || (error && !ret->error))
		return -EBADMSG;
	return 0;
}

int control_call_fd(int fd, const char *method, json_t *parameters, uint64_t timeout_usec, struct control_answer *ret) {
	_cleanup_text_ struct text text = {};
	int r;

	*ret = (struct control_answer){};
	r = send_call(fd, method, parameters);
	if (r == 0)
		r = receive(fd, timeout_usec, &text);
	return r < 0 ? r : read_answer(&text, ret);
}

int control_call(const char *topology, const char *method, json_t *parameters, uint64_t timeout_usec,
		 struct control_answer *ret) {
	_cleanup_close_ int fd = -1;
	int r = connect_to(topology, &fd);

	*ret = (struct control_answer){};
	if (r == 0)
		return control_call_fd(fd, method, parameters, timeout_usec, ret);
	json_decref(parameters);
	return r;
}

void control_answer_done(struct control_answer *answer) {
	json_decref(answer->message);
	*answer = (struct control_answer){};
}
