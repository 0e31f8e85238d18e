/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For unit tests: a house is a server of the control socket in this process, with methods of every sort, together with
 * clients that are driven step by step. Each test decides which methods are served and how its clients behave.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>

#include "control/control_private.h"

enum { TURNS_MAX = 100000 }; /* each turn should do something: more turns than this mean a busy loop */

struct house {
	sd_event *event;
	struct control *control;
	struct control_service service;
	size_t n_calls;
	struct control_call *waiting; /* a call of Later, until answer_later() */
};

static inline void method_echo(void *userdata, struct control_call *call, const json_t *parameters) {
	struct house *house = userdata;

	house->n_calls++;
	control_reply(call, json_deep_copy(parameters));
}

static inline void method_fail(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	struct house *house = userdata;

	house->n_calls++;
	control_error(call, "org.test.Failed", NULL);
}

static inline void method_later(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	struct house *house = userdata;

	house->n_calls++;
	assert_null(house->waiting);
	house->waiting = call;
}

static inline void method_large(void *userdata _unused_, struct control_call *call, const json_t *parameters) {
	size_t size = (size_t)json_integer_value(json_object_get(parameters, "size"));
	_cleanup_free_ char *text = xmalloc(size + 1);

	memset(text, 'x', size);
	control_reply(call, json_pack("{s:s}", "text", text));
}

static inline json_t *lost(size_t n) {
	return json_pack("{s:I}", "lost", (json_int_t)n);
}

static inline void method_stream(void *userdata _unused_, struct control_call *call, const json_t *parameters _unused_) {
	control_stream(call, json_pack("{s:s}", "first", "one"), lost);
}

static const struct control_method methods[] = {
	{ .name = "Echo",
	  .parameters = { { "n", JSON_INTEGER }, { "text", JSON_STRING }, { "flag", JSON_TRUE } },
	  .fn = method_echo },
	{ .name = "Must", .parameters = { { "n", JSON_INTEGER, true } }, .fn = method_echo },
	{ .name = "Fail", .fn = method_fail },
	{ .name = "Later", .fn = method_later },
	{ .name = "Large", .parameters = { { "size", JSON_INTEGER, true } }, .fn = method_large },
	{ .name = "Change", .right = CONTROL_CHANGE, .fn = method_echo },
	{ .name = "Stream", .streams = true, .fn = method_stream },
	{ .name = "Void" },
	{},
};
static const struct control_interface interfaces[] = {
	{ .name = "org.test", .description = "interface org.test\n\nmethod Fail() -> ()\n", .methods = methods },
	{},
};

static inline int set_up(void **state) {
	struct house *house = xmalloc(sizeof(*house));

	assert_true(sd_event_new(&house->event) >= 0);
	house->service = (struct control_service){
		.vendor = "v",
		.product = "p",
		.version = "1",
		.url = "u",
		.interfaces = interfaces,
		.userdata = house,
	};
	house->control = control_new(house->event, CONTROL_NOBODY, &house->service);
	*state = house;
	return 0;
}

static inline int tear_down(void **state) {
	struct house *house = *state;

	control_free(house->control);
	sd_event_unref(house->event);
	free(house);
	return 0;
}

/* Runs the loop until nothing is left to do. */
static inline void settle(struct house *house) {
	int r = 1;

	for (int i = 0; r > 0; i++) {
		assert_true(i < TURNS_MAX);
		r = sd_event_run(house->event, 0);
		assert_true(r >= 0);
	}
}

static inline int connect_client(struct house *house) {
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(control_add_client(house->control, ends[0]), 0);
	return ends[1];
}

static inline void say(int fd, const char *data, size_t size) {
	assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), size);
}

#define SAY(fd, text) say(fd, text, sizeof(text)) /* including its NUL byte */

/* Reads what has arrived, as one line per message. True if the connection is still open. */
static inline bool hear(int fd, struct text *ret) {
	char buffer[4096];
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		for (ssize_t i = 0; i < n; i++)
			text_addn(ret, buffer[i] ? &buffer[i] : "\n", 1);
	return n < 0 && errno == EAGAIN;
}

static inline void assert_hears(struct house *house, int fd, const char *expected) {
	_cleanup_text_ struct text text = {};

	settle(house);
	assert_true(hear(fd, &text));
	assert_string_equal(text_str(&text), expected);
}

static inline void assert_closed(struct house *house, int fd) {
	_cleanup_text_ struct text text = {};

	settle(house);
	assert_false(hear(fd, &text));
	assert_string_equal(text_str(&text), "");
}

#define ECHO_CALL "{\"method\":\"org.test.Echo\",\"parameters\":{\"n\":1}}"
#define ECHO_REPLY "{\"parameters\":{\"n\":1}}\n"

/* A new client is still served. */
static inline void assert_served(struct house *house) {
	_cleanup_close_ int fd = connect_client(house);

	SAY(fd, ECHO_CALL);
	assert_hears(house, fd, ECHO_REPLY);
}

/* ---- what Varlink requires ---- */

#define ERROR(name, parameters) "{\"error\":\"org.varlink.service." name "\",\"parameters\":{" parameters "}}\n"

static inline void assert_answers(struct house *house, const char *call, const char *expected) {
	_cleanup_close_ int fd = connect_client(house);

	say(fd, call, strlen(call) + 1);
	assert_hears(house, fd, expected);
}

/* The next clients appear to be another user. */
static inline int connect_as(struct house *house, uid_t uid, bool may_read, bool may_change) {
	int fd = connect_client(house);
	struct peer *peer = &house->control->connections->peer;

	peer->uid = uid;
	peer->may_read = may_read;
	peer->may_change = may_change;
	return fd;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
