/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "attach/engine.h"

#include <jansson.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/text.h"

enum {
	TIMEOUT_SEC = 1,
	ANSWER_BYTES = 4 * 1024 * 1024,
};

/* Both speak Docker's API, see https://docs.docker.com/reference/api/engine/ (ContainerInspect). */
static const char *const sockets[] = { "/run/podman/podman.sock", "/run/docker.sock" };

static bool is_name(const char *name) {
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return *name && !name[strspn(name, allowed)];
}

static int connect_to(const char *path) {
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval timeout = { .tv_sec = TIMEOUT_SEC };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, path);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return TAKE_FD(fd);
}

/* HTTP 1.0, so that the answer comes in one piece and ends with the connection. */
static bool ask(int fd, const char *name, struct text *answer) {
	_cleanup_free_ char *request = xasprintf("GET /containers/%s/json HTTP/1.0\r\nHost: localhost\r\n\r\n", name);
	char buffer[16 * 1024];
	ssize_t n;

	if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		return false;
	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0 && answer->size + (size_t)n < ANSWER_BYTES)
		text_addn(answer, buffer, (size_t)n);
	return n == 0;
}

static pid_t read_pid(const char *answer) {
	const char *body = strstr(answer, "\r\n\r\n");
	json_t *json = body ? json_loads(body, 0, NULL) : NULL;
	json_int_t pid = json_integer_value(json_object_get(json_object_get(json, "State"), "Pid"));

	json_decref(json);
	return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

pid_t engine_container_pid(const char *name) {
	pid_t pid = 0;

	for (size_t i = 0; !pid && is_name(name) && i < ARRAY_SIZE(sockets); i++) {
		_cleanup_close_ int fd = connect_to(sockets[i]);
		_cleanup_text_ struct text answer = {};

		if (fd >= 0 && ask(fd, name, &answer))
			pid = read_pid(text_str(&answer));
	}
	return pid;
}
