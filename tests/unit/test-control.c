/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket against clients that stall, flood, send garbage or go away in the middle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "control_client.h"
#include "control_private.h"
#include "ledger_file.h"

enum { TURNS_MAX = 100000 }; /* a turn does something or there is nothing to do: more means that it spins */

struct house {
	sd_event *event;
	struct control *control;
	struct control_service service;
	size_t n_calls;
	struct control_call *waiting; /* of Later, until answer_later() */
};

static void method_echo(void *userdata, struct control_call *call, const json_t *parameters) {
	struct house *house = userdata;

	house->n_calls++;
	control_reply(call, json_deep_copy(parameters));
}

static void method_fail(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	struct house *house = userdata;

	house->n_calls++;
	control_error(call, "org.test.Failed", NULL);
}

static void method_later(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	struct house *house = userdata;

	house->n_calls++;
	assert_null(house->waiting);
	house->waiting = call;
}

static void method_large(void *userdata _unused_, struct control_call *call, const json_t *parameters) {
	size_t size = (size_t)json_integer_value(json_object_get(parameters, "size"));
	_cleanup_free_ char *text = xmalloc(size + 1);

	memset(text, 'x', size);
	control_reply(call, json_pack("{s:s}", "text", text));
}

static json_t *lost(size_t n) {
	return json_pack("{s:I}", "lost", (json_int_t)n);
}

static void method_stream(void *userdata _unused_, struct control_call *call, const json_t *parameters _unused_) {
	control_stream(call, json_pack("{s:s}", "first", "one"), lost);
}

static const struct control_method methods[] = {
	{ .name = "Echo", .parameters = { { "n", JSON_INTEGER }, { "text", JSON_STRING }, { "flag", JSON_TRUE } },
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

static int set_up(void **state) {
	struct house *house = xmalloc(sizeof(*house));

	assert_true(sd_event_new(&house->event) >= 0);
	house->service = (struct control_service){
		.vendor = "v", .product = "p", .version = "1", .url = "u", .interfaces = interfaces, .userdata = house,
	};
	house->control = control_new(house->event, CONTROL_NOBODY, &house->service);
	*state = house;
	return 0;
}

static int tear_down(void **state) {
	struct house *house = *state;

	control_free(house->control);
	sd_event_unref(house->event);
	free(house);
	return 0;
}

/* ---- helpers ---- */

/* Until nothing is left to do. */
static void settle(struct house *house) {
	int r = 1;

	for (int i = 0; r > 0; i++) {
		assert_true(i < TURNS_MAX);
		r = sd_event_run(house->event, 0);
		assert_true(r >= 0);
	}
}

static int connect_client(struct house *house) {
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(control_add_client(house->control, ends[0]), 0);
	return ends[1];
}

static void say(int fd, const char *data, size_t size) {
	assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), size);
}

#define SAY(fd, text) say(fd, text, sizeof(text)) /* with its NUL */

/* What came, a line per message. Returns whether the connection stands. */
static bool hear(int fd, struct text *ret) {
	char buffer[4096];
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		for (ssize_t i = 0; i < n; i++)
			text_addn(ret, buffer[i] ? &buffer[i] : "\n", 1);
	return n < 0 && errno == EAGAIN;
}

static void assert_hears(struct house *house, int fd, const char *expected) {
	_cleanup_text_ struct text text = {};

	settle(house);
	assert_true(hear(fd, &text));
	assert_string_equal(text_str(&text), expected);
}

static void assert_closed(struct house *house, int fd) {
	_cleanup_text_ struct text text = {};

	settle(house);
	assert_false(hear(fd, &text));
	assert_string_equal(text_str(&text), "");
}

#define ECHO_CALL "{\"method\":\"org.test.Echo\",\"parameters\":{\"n\":1}}"
#define ECHO_REPLY "{\"parameters\":{\"n\":1}}\n"

/* Whatever else goes on: this one is served. */
static void assert_served(struct house *house) {
	_cleanup_close_ int fd = connect_client(house);

	SAY(fd, ECHO_CALL);
	assert_hears(house, fd, ECHO_REPLY);
}

/* ---- good clients ---- */

static void test_calls(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);

	SAY(fd, ECHO_CALL);
	assert_hears(house, fd, ECHO_REPLY);
	SAY(fd, "{\"method\":\"org.test.Echo\"}");
	assert_hears(house, fd, "{\"parameters\":{}}\n");
	SAY(fd, "{\"method\":\"org.test.Fail\",\"parameters\":{}}");
	assert_hears(house, fd, "{\"error\":\"org.test.Failed\",\"parameters\":{}}\n");
	SAY(fd, "{\"method\":\"org.test.Nothing\"}");
	assert_hears(house, fd,
		     "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"org.test.Nothing\"}}\n");
}

static void test_message_in_pieces(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);

	for (size_t i = 0; i < sizeof(ECHO_CALL) - 1; i++) {
		say(fd, &ECHO_CALL[i], 1);
		assert_hears(house, fd, "");
	}
	say(fd, "", 1);
	assert_hears(house, fd, ECHO_REPLY);
}

static void test_several_messages_at_once(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);

	SAY(fd, ECHO_CALL "\0" ECHO_CALL "\0" ECHO_CALL);
	assert_hears(house, fd, ECHO_REPLY ECHO_REPLY ECHO_REPLY);
}

static void test_oneway(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);

	SAY(fd, "{\"method\":\"org.test.Fail\",\"oneway\":true}\0" ECHO_CALL);
	assert_hears(house, fd, ECHO_REPLY);
	assert_int_equal(house->n_calls, 2);
}

/* What comes behind a call that is not answered yet waits, also where nothing more comes. */
static void test_answers_keep_their_order(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);

	SAY(fd, "{\"method\":\"org.test.Later\"}\0" ECHO_CALL);
	assert_hears(house, fd, "");
	assert_int_equal(house->n_calls, 1);
	assert_served(house);
	control_reply(house->waiting, json_pack("{s:b}", "late", 1));
	assert_hears(house, fd, "{\"parameters\":{\"late\":true}}\n" ECHO_REPLY);
}

/* ---- what Varlink wants ---- */

#define ERROR(name, parameters) "{\"error\":\"org.varlink.service." name "\",\"parameters\":{" parameters "}}\n"

static void assert_answers(struct house *house, const char *call, const char *expected) {
	_cleanup_close_ int fd = connect_client(house);

	say(fd, call, strlen(call) + 1);
	assert_hears(house, fd, expected);
}

static void test_service(void **state) {
	struct house *house = *state;

	assert_answers(house, "{\"method\":\"org.varlink.service.GetInfo\"}",
		       "{\"parameters\":{\"vendor\":\"v\",\"product\":\"p\",\"version\":\"1\",\"url\":\"u\","
		       "\"interfaces\":[\"org.varlink.service\",\"org.test\"]}}\n");
	assert_answers(house, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":"
		       "\"org.test\"}}", "{\"parameters\":{\"description\":\"interface org.test\\n\\nmethod Fail() -> ()\\n\"}}\n");
	assert_answers(house, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":"
		       "\"org.tes\"}}", ERROR("InterfaceNotFound", "\"interface\":\"org.tes\""));
	assert_answers(house, "{\"method\":\"org.varlink.service.GetInterfaceDescription\"}",
		       ERROR("InvalidParameter", "\"parameter\":\"interface\""));
	assert_answers(house, "{\"method\":\"org.varlink.service.Nothing\"}",
		       ERROR("MethodNotFound", "\"method\":\"org.varlink.service.Nothing\""));
}

static void test_methods_that_are_none(void **state) {
	struct house *house = *state;

	assert_answers(house, "{\"method\":\"org.tester.Echo\"}", ERROR("InterfaceNotFound", "\"interface\":\"org.tester\""));
	assert_answers(house, "{\"method\":\"org.test.Nothing\"}", ERROR("MethodNotFound", "\"method\":\"org.test.Nothing\""));
	assert_answers(house, "{\"method\":\"Echo\"}", ERROR("MethodNotFound", "\"method\":\"Echo\""));
	assert_answers(house, "{\"method\":\"\"}", ERROR("MethodNotFound", "\"method\":\"\""));
	assert_answers(house, "{\"method\":\".\"}", ERROR("InterfaceNotFound", "\"interface\":\"\""));
	assert_answers(house, "{\"method\":\"org.test.Void\"}", ERROR("MethodNotImplemented", "\"method\":\"org.test.Void\""));
}

static void test_parameters(void **state) {
	struct house *house = *state;
	static const struct {
		const char *method, *parameters, *wrong; /* NULL: none */
	} rows[] = {
		{ "Echo", "{\"n\":\"1\"}", "n" }, { "Echo", "{\"n\":1.5}", "n" },  { "Echo", "{\"text\":1}", "text" },
		{ "Echo", "{\"flag\":0}", "flag" }, { "Echo", "{\"m\":1}", "m" },  { "Echo", "{\"m\":null}", "m" },
		{ "Must", "{}", "n" },            { "Must", "{\"n\":null}", "n" }, { "Echo", "{\"flag\":false}", NULL },
		{ "Echo", "{\"flag\":true,\"n\":-1,\"text\":\"\"}", NULL },       { "Must", "{\"n\":0}", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *call = xasprintf("{\"method\":\"org.test.%s\",\"parameters\":%s}", rows[i].method,
						      rows[i].parameters);
		_cleanup_free_ char *expected =
			rows[i].wrong ? xasprintf(ERROR("InvalidParameter", "\"parameter\":\"%s\""), rows[i].wrong)
				      : xasprintf("{\"parameters\":%s}\n", rows[i].parameters);

		assert_answers(house, call, expected);
	}
	/* Nothing and null are the same. */
	assert_answers(house, "{\"method\":\"org.test.Echo\",\"parameters\":{\"n\":null}}", "{\"parameters\":{}}\n");
	assert_answers(house, "{\"method\":\"org.test.Echo\",\"parameters\":null}", "{\"parameters\":{}}\n");
}

static void test_flags(void **state) {
	struct house *house = *state;

	/* A method with one reply is one, whether or not there might be more. */
	assert_answers(house, "{\"method\":\"org.test.Echo\",\"more\":true}", "{\"parameters\":{}}\n");
	assert_answers(house, "{\"method\":\"org.test.Echo\",\"more\":null,\"oneway\":false}", "{\"parameters\":{}}\n");
	assert_answers(house, "{\"method\":\"org.test.Stream\"}", ERROR("ExpectedMore", ""));
	assert_answers(house, "{\"method\":\"org.test.Echo\",\"upgrade\":true}",
		       ERROR("MethodNotImplemented", "\"method\":\"org.test.Echo\""));
	/* Errors are not answered either. */
	assert_answers(house, "{\"method\":\"org.test.Stream\",\"oneway\":true}", "");
	assert_answers(house, "{\"method\":\"org.nothing.Echo\",\"oneway\":true}", "");
}

/* ---- who may ---- */

/* The next clients are not those who they are. */
static int connect_as(struct house *house, uid_t uid, bool may_read, bool may_change) {
	int fd = connect_client(house);
	struct peer *peer = &house->control->connections->peer;

	peer->uid = uid;
	peer->may_read = may_read;
	peer->may_change = may_change;
	return fd;
}

static void test_rights(void **state) {
	struct house *house = *state;
	_cleanup_close_ int reader = connect_as(house, 7, true, false), nobody = connect_as(house, 8, false, false);

	SAY(reader, ECHO_CALL);
	assert_hears(house, reader, ECHO_REPLY);
	SAY(reader, "{\"method\":\"org.test.Change\"}");
	assert_hears(house, reader, ERROR("PermissionDenied", ""));
	/* Nor is it told whether there is such a method. */
	SAY(nobody, ECHO_CALL "\0" "{\"method\":\"org.test.Nothing\"}\0" "{\"method\":\"org.varlink.service.GetInfo\"}\0"
		    "{\"method\":\"org.test.Stream\",\"more\":true}");
	assert_hears(house, nobody, ERROR("PermissionDenied", "") ERROR("PermissionDenied", "") ERROR("PermissionDenied", "")
		     ERROR("PermissionDenied", ""));
	assert_int_equal(house->n_calls, 1);
}

/* One who has many connections keeps nobody else away, not even with streams and calls in the middle. */
static void test_one_user_fills_the_house(void **state) {
	struct house *house = *state;
	_cleanup_close_ int quiet = connect_client(house), late = -1;
	int fds[CONTROL_CLIENTS_MAX - 1];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_as(house, 7, true, false);
		SAY(fds[i], "{\"method\":\"org.test.Stream\",\"more\":true}");
	}
	assert_hears(house, fds[0], "{\"parameters\":{\"first\":\"one\"},\"continues\":true}\n");
	late = connect_client(house);
	assert_closed(house, fds[0]);
	SAY(quiet, ECHO_CALL);
	assert_hears(house, quiet, ECHO_REPLY);
	SAY(late, ECHO_CALL);
	assert_hears(house, late, ECHO_REPLY);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

/* ---- streams ---- */

#define STREAM_CALL "{\"method\":\"org.test.Stream\",\"more\":true}"
#define FIRST "{\"parameters\":{\"first\":\"one\"},\"continues\":true}\n"

static void broadcast(struct house *house, int i) {
	control_broadcast(house->control, json_pack("{s:i}", "i", i));
}

static void test_stream(void **state) {
	struct house *house = *state;
	_cleanup_close_ int a = connect_client(house), b = connect_client(house), other = connect_client(house);

	assert_false(control_has_streams(house->control));
	broadcast(house, 0);
	SAY(a, STREAM_CALL "\0" ECHO_CALL);
	assert_hears(house, a, FIRST);
	assert_true(control_has_streams(house->control));
	broadcast(house, 1);
	SAY(b, STREAM_CALL);
	assert_hears(house, b, FIRST);
	broadcast(house, 2);
	assert_hears(house, a, "{\"parameters\":{\"i\":1},\"continues\":true}\n{\"parameters\":{\"i\":2},\"continues\":true}\n");
	assert_hears(house, b, "{\"parameters\":{\"i\":2},\"continues\":true}\n");
	assert_hears(house, other, "");
	control_end_streams(house->control, json_pack("{s:s}", "last", "one"));
	assert_hears(house, b, "{\"parameters\":{\"last\":\"one\"}}\n");
	/* The connection is free for the next call then, which waited. */
	assert_hears(house, a, "{\"parameters\":{\"last\":\"one\"}}\n" ECHO_REPLY);
	assert_false(control_has_streams(house->control));
}

/* Every number is heard, or is among those that are told to be lost, in its place. */
static void test_slow_reader(void **state) {
	struct house *house = *state;
	_cleanup_close_ int slow = connect_client(house), fast = connect_client(house);
	_cleanup_text_ struct text text = {};
	const char *at;
	int n = 40000, next = 0, lost;

	SAY(slow, STREAM_CALL);
	SAY(fast, STREAM_CALL);
	assert_hears(house, fast, FIRST);
	for (int i = 0; i < n; i++) {
		_cleanup_text_ struct text heard = {};
		_cleanup_free_ char *expected = xasprintf("{\"parameters\":{\"i\":%d},\"continues\":true}\n", i);

		broadcast(house, i);
		assert_true(hear(fast, &heard));
		assert_string_equal(text_str(&heard), expected);
	}
	/* The bound holds; the stream beside it lost nothing. */
	for (struct connection *c = house->control->connections; c; c = c->next)
		assert_true(c->out.allocated <= 2 * CONTROL_QUEUE_BYTES);
	for (size_t before = 1; before != text.size;) {
		before = text.size;
		assert_true(hear(slow, &text));
		settle(house);
	}
	at = startswith(text_str(&text), FIRST);
	assert_non_null(at);
	for (; *at; at = strchr(at, '\n') + 1) {
		int i;

		if (sscanf(at, "{\"parameters\":{\"lost\":%d}", &lost) == 1) {
			assert_true(lost > 0);
			next += lost;
			continue;
		}
		assert_int_equal(sscanf(at, "{\"parameters\":{\"i\":%d}", &i), 1);
		assert_int_equal(i, next);
		next++;
	}
	assert_int_equal(next, n);
	assert_true(text.size < 1024 * 1024);
	broadcast(house, n);
	settle(house);
	text_done(&text);
	assert_true(hear(slow, &text));
	assert_string_equal(text_str(&text), "{\"parameters\":{\"i\":40000},\"continues\":true}\n");
}

static void test_stream_whose_client_goes(void **state) {
	struct house *house = *state;
	int fd = connect_client(house), stalled = connect_client(house);

	SAY(fd, STREAM_CALL);
	SAY(stalled, STREAM_CALL);
	settle(house);
	close(fd);
	broadcast(house, 1);
	for (int i = 0; i < 40000; i++)
		broadcast(house, i);
	close(stalled);
	broadcast(house, 2);
	settle(house);
	assert_int_equal(control_n_clients(house->control), 0);
	assert_served(house);
}

/* Who has said all that he wants to say may still listen. */
static void test_half_closed(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house), stream = connect_client(house), later = connect_client(house);

	SAY(fd, ECHO_CALL "\0" ECHO_CALL);
	shutdown(fd, SHUT_WR);
	SAY(stream, STREAM_CALL);
	shutdown(stream, SHUT_WR);
	SAY(later, "{\"method\":\"org.test.Later\"}");
	shutdown(later, SHUT_WR);
	settle(house);
	broadcast(house, 1);
	control_reply(house->waiting, NULL);
	settle(house);

	_cleanup_text_ struct text text = {};
	hear(fd, &text);
	hear(stream, &text);
	hear(later, &text);
	assert_string_equal(text_str(&text), ECHO_REPLY ECHO_REPLY FIRST
			    "{\"parameters\":{\"i\":1},\"continues\":true}\n{\"parameters\":{}}\n");
}

/* A daemon that ends says so before it closes. */
static void test_last_words(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);
	_cleanup_text_ struct text text = {};

	SAY(fd, "{\"method\":\"org.test.Later\"}");
	settle(house);
	control_error(house->waiting, "org.test.Ending", NULL);
	control_free(house->control);
	house->control = NULL;
	assert_false(hear(fd, &text));
	assert_string_equal(text_str(&text), "{\"error\":\"org.test.Ending\",\"parameters\":{}}\n");
}

/* ---- beside a source that is always ready ---- */

struct busy {
	struct house *house;
	size_t n_turns, calls_seen, most;
};

static int on_busy(sd_event_source *source, int fd _unused_, uint32_t events _unused_, void *userdata) {
	struct busy *busy = userdata;

	busy->most = MAX(busy->most, busy->house->n_calls - busy->calls_seen);
	busy->calls_seen = busy->house->n_calls;
	if (++busy->n_turns >= 1000 || busy->calls_seen >= 100)
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return sd_event_source_set_priority(source, CONTROL_PRIORITY);
}

/* None keeps the others waiting. */
static void test_turns(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house), other = connect_client(house);
	struct busy busy[CONTROL_OTHERS_MAX];
	sd_event_source *sources[CONTROL_OTHERS_MAX];
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	for (size_t i = 0; i < CONTROL_OTHERS_MAX; i++) {
		_cleanup_close_ int copy = dup(ends[1]);

		busy[i] = (struct busy){ .house = house };
		assert_true(sd_event_add_io(house->event, &sources[i], copy, 4 /* EPOLLOUT */, on_busy, &busy[i]) >= 0);
		sd_event_source_set_io_fd_own(sources[i], true);
		TAKE_FD(copy);
		control_take_turns(house->control, sources[i]);
	}
	for (int i = 0; i < 50; i++) {
		SAY(fd, ECHO_CALL);
		SAY(other, ECHO_CALL);
	}
	settle(house);
	assert_int_equal(house->n_calls, 100);
	for (size_t i = 0; i < CONTROL_OTHERS_MAX; i++) {
		assert_true(busy[i].n_turns < 1000); /* they came through */
		assert_int_equal(busy[i].most, 1);   /* and one at a time */
		sd_event_source_unref(sources[i]);
	}
	close(ends[0]);
	close(ends[1]);
}

/* ---- others ---- */

static void test_garbage(void **state) {
	struct house *house = *state;
	static const char *const garbage[] = {
		"", "x", "[]", "{}", "7", "null", "{\"method\":7}", "{\"method\":\"org.test.Echo\",\"parameters\":[]}",
		"{\"method\":\"org.test.Echo\",\"oneway\":1}", "{\"method\":\"org.test.Echo\",\"more\":\"yes\"}",
		"{\"method\":\"org.test.Stream\",\"more\":true,\"oneway\":true}", "{\"method\":\"org.test.Echo\"} more", "\xff\xfe", "{\"method\":\"org.test.Echo\",\"method\":\"x\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
		_cleanup_close_ int fd = connect_client(house);

		say(fd, garbage[i], strlen(garbage[i]) + 1);
		assert_closed(house, fd);
		assert_served(house);
	}
	assert_int_equal(house->n_calls, ARRAY_SIZE(garbage)); /* of the others */
	settle(house);
	assert_int_equal(control_n_clients(house->control), 0);
}

static void test_depth(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);
	char text[20000];

	memset(text, '[', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	say(fd, text, sizeof(text));
	assert_closed(house, fd);
	assert_served(house);
}

/* A message without an end. */
static void test_endless_message(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);
	char text[4096];
	size_t sent = 0;
	ssize_t n;

	memset(text, 'a', sizeof(text));
	while ((n = send(fd, text, sizeof(text), MSG_NOSIGNAL)) > 0) {
		sent += (size_t)n;
		settle(house);
	}
	assert_int_equal(errno, EPIPE);
	assert_true(sent >= CONTROL_CALL_BYTES && sent <= 2 * CONTROL_CALL_BYTES);
	assert_served(house);
}

/* As many bytes as a message may have, in many messages: none is lost, and the buffer's end is no end of file. */
static void test_full_buffer(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);
	_cleanup_text_ struct text all = {}, heard = {};
	size_t n = CONTROL_CALL_BYTES / sizeof(ECHO_CALL) + 10;

	for (size_t i = 0; i < n; i++)
		text_addn(&all, ECHO_CALL, sizeof(ECHO_CALL));
	say(fd, all.data, all.size);
	for (size_t before = 1; before != heard.size;) {
		before = heard.size;
		settle(house);
		assert_true(hear(fd, &heard));
	}
	assert_int_equal(house->n_calls, n);
	assert_int_equal(heard.size, n * strlen(ECHO_REPLY));
}

/* A client that only sends is read no further than its answers are taken. */
static void test_client_that_does_not_read(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);
	ssize_t n = 1;

	while (n > 0) {
		n = send(fd, ECHO_CALL, sizeof(ECHO_CALL), MSG_NOSIGNAL);
		settle(house);
	}
	assert_int_equal(errno, EAGAIN);
	size_t calls = house->n_calls;
	settle(house);
	assert_int_equal(house->n_calls, calls);
	assert_served(house);

	/* It goes on where it begins to read after all. */
	_cleanup_text_ struct text text = {};
	assert_true(hear(fd, &text));
	settle(house);
	assert_true(house->n_calls > calls + 1);
}

static void test_gone_in_the_middle_of_a_message(void **state) {
	struct house *house = *state;
	int fd = connect_client(house);

	say(fd, ECHO_CALL, 10);
	settle(house);
	close(fd);
	settle(house);
	assert_int_equal(control_n_clients(house->control), 0);
	assert_int_equal(house->n_calls, 0);
}

static void test_gone_while_its_call_waits(void **state) {
	struct house *house = *state;
	int fd = connect_client(house);

	SAY(fd, "{\"method\":\"org.test.Later\"}");
	settle(house);
	close(fd);
	settle(house);
	assert_int_equal(control_n_clients(house->control), 0);
	control_reply(house->waiting, NULL);
	assert_served(house);
}

static void test_gone_before_it_reads(void **state) {
	struct house *house = *state;
	int fd = connect_client(house);

	SAY(fd, "{\"method\":\"org.test.Large\",\"parameters\":{\"size\":900000}}");
	close(fd);
	settle(house);
	assert_int_equal(control_n_clients(house->control), 0);
	assert_served(house);
}

static void test_server_goes_before_the_answer(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);

	SAY(fd, "{\"method\":\"org.test.Later\"}");
	settle(house);
	control_free(house->control);
	house->control = NULL;
	control_reply(house->waiting, NULL);
	assert_closed(house, fd);
}

static void test_large_answers(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);
	_cleanup_text_ struct text text = {};

	SAY(fd, "{\"method\":\"org.test.Large\",\"parameters\":{\"size\":900000}}");
	for (int i = 0; i < 1000 && !strchr(text_str(&text), '\n'); i++) {
		settle(house);
		assert_true(hear(fd, &text));
	}
	assert_true(text.size > 900000);
	SAY(fd, "{\"method\":\"org.test.Large\",\"parameters\":{\"size\":2000000}}");
	assert_hears(house, fd, "{\"error\":\"org.topod.TooLarge\",\"parameters\":{}}\n");
}

/* The one that was silent longest makes room; whoever waits for an answer, or has just spoken, stays. */
static void test_too_many_clients(void **state) {
	struct house *house = *state;
	int fds[CONTROL_CLIENTS_MAX], later;

	later = connect_client(house);
	SAY(later, "{\"method\":\"org.test.Later\"}");
	settle(house);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX - 1; i++)
		fds[i] = connect_client(house);
	SAY(fds[0], ECHO_CALL);
	assert_hears(house, fds[0], ECHO_REPLY);
	assert_int_equal(control_n_clients(house->control), CONTROL_CLIENTS_MAX);

	fds[CONTROL_CLIENTS_MAX - 1] = connect_client(house);
	assert_int_equal(control_n_clients(house->control), CONTROL_CLIENTS_MAX);
	assert_closed(house, fds[1]);
	assert_hears(house, fds[0], "");
	control_reply(house->waiting, NULL);
	assert_hears(house, later, "{\"parameters\":{}}\n");
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		close(fds[i]);
	close(later);
}

static void test_all_wait(void **state) {
	struct house *house = *state;
	struct control_call *calls[CONTROL_CLIENTS_MAX];
	int fds[CONTROL_CLIENTS_MAX], ends[2];

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		fds[i] = connect_client(house);
		SAY(fds[i], "{\"method\":\"org.test.Later\"}");
		settle(house);
		calls[i] = TAKE_PTR(house->waiting);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_int_equal(control_add_client(house->control, ends[0]), -EBUSY);
	assert_closed(house, ends[1]);
	close(ends[1]);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		control_reply(calls[i], NULL);
		assert_hears(house, fds[i], "{\"parameters\":{}}\n");
		close(fds[i]);
	}
}

/* ---- the socket, and the client of `topod status` ---- */

static char place[64];

static int set_up_socket(void **state) {
	struct house *house;
	_cleanup_free_ char *folder = NULL;

	snprintf(place, sizeof(place), "%s", "/tmp/topod-control-XXXXXX");
	assert_non_null(mkdtemp(place));
	assert_int_equal(chmod(place, 0755), 0);
	folder = xasprintf("%s/office", place);
	assert_int_equal(mkdir(folder, 0755), 0);
	ledger_file_set_root(place);
	set_up(state);
	house = *state;
	control_free(house->control);
	house->control = NULL;
	return 0;
}

static int tear_down_socket(void **state) {
	_cleanup_free_ char *command = xasprintf("rm -rf '%s'", place);

	tear_down(state);
	return system(command);
}

struct caller {
	const char *method;
	struct control_answer answer;
	int r;
	int done; /* written to when it has its answer */
};

static void *call_in_thread(void *userdata) {
	struct caller *caller = userdata;

	caller->r = control_call("office", caller->method, NULL, 10 * 1000 * 1000, &caller->answer);
	assert_int_equal(write(caller->done, "x", 1), 1);
	return NULL;
}

static int on_done(sd_event_source *source, int fd _unused_, uint32_t events _unused_, void *userdata _unused_) {
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

/* The client waits in a thread of its own while the loop serves it. */
static void call_over_socket(struct house *house, struct caller *caller) {
	sd_event_source *source;
	pthread_t thread;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	caller->done = ends[1];
	assert_true(sd_event_add_io(house->event, &source, ends[0], 1 /* EPOLLIN */, on_done, NULL) >= 0);
	assert_int_equal(pthread_create(&thread, NULL, call_in_thread, caller), 0);
	assert_int_equal(sd_event_loop(house->event), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	sd_event_source_unref(source);
	close(ends[0]);
	close(ends[1]);
}

static int folder_fd(void) {
	int fd;

	assert_int_equal(ledger_file_folder("office", &fd), 0);
	return fd;
}

static void test_socket(void **state) {
	struct house *house = *state;
	_cleanup_close_ int dir_fd = folder_fd();
	struct caller caller = { .method = "org.test.Fail" };
	struct stat st;

	assert_int_equal(fchmodat(dir_fd, ".", 0755, 0), 0);
	assert_int_equal(control_listen(&house->control, house->event, dir_fd, CONTROL_NOBODY, &house->service), 0);
	assert_int_equal(fstatat(dir_fd, TOPOD_SOCKET, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	call_over_socket(house, &caller);
	assert_int_equal(caller.r, 0);
	assert_string_equal(caller.answer.error, "org.test.Failed");
	control_answer_done(&caller.answer);
	control_free(house->control);
	house->control = NULL;
	assert_int_not_equal(fstatat(dir_fd, TOPOD_SOCKET, &st, 0), 0);
}

static void test_nobody_listens(_unused_ void **state) {
	struct control_answer answer;

	assert_int_equal(control_call("office", "org.test.Echo", NULL, 0, &answer), -ENOENT);
	assert_int_equal(control_call("other", "org.test.Echo", NULL, 0, &answer), -ENOENT);
}

/* The group may come in, with nothing but the socket. */
static void test_socket_of_a_group(void **state) {
	struct house *house = *state;
	_cleanup_close_ int dir_fd = folder_fd();
	struct stat st;

	assert_int_equal(control_listen(&house->control, house->event, dir_fd, getegid(), &house->service), 0);
	assert_int_equal(fstatat(dir_fd, TOPOD_SOCKET, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_gid, getegid());
}

/* A dead daemon's socket is in nobody's way. */
static void test_socket_that_was_left(void **state) {
	struct house *house = *state;
	_cleanup_close_ int dir_fd = folder_fd();
	struct control *dead;
	struct control_answer answer;

	assert_int_equal(control_listen(&dead, house->event, dir_fd, CONTROL_NOBODY, &house->service), 0);
	_cleanup_free_ char *from = xasprintf("%s/office/" TOPOD_SOCKET, place), *to = xasprintf("%s/away", place);
	assert_int_equal(rename(from, to), 0);
	control_free(dead);
	assert_int_equal(rename(to, from), 0);
	assert_int_equal(control_call("office", "org.test.Echo", NULL, 0, &answer), -ECONNREFUSED);
	assert_int_equal(control_listen(&house->control, house->event, dir_fd, CONTROL_NOBODY, &house->service), 0);
}

/* ---- a client with a server that is none ---- */

static int call_with(const char *reply, size_t size, bool close_after) {
	_cleanup_client_ struct control_client client = CONTROL_CLIENT_NONE;
	struct control_answer answer;
	int ends[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(send(ends[1], reply, size, 0), size);
	if (close_after)
		shutdown(ends[1], SHUT_WR);
	client.fd = ends[0];
	assert_int_equal(control_send(&client, "org.test.Echo", NULL, false), 0);
	r = control_next(&client, -1, 1, &answer);
	control_answer_done(&answer);
	close(ends[1]);
	return r;
}

static void test_client(_unused_ void **state) {
	assert_int_equal(call_with("{\"parameters\":{}}", 18, false), 0);
	assert_int_equal(call_with("{\"parameters\":[]}", 18, false), -EBADMSG);
	assert_int_equal(call_with("{\"error\":7,\"parameters\":{}}", 28, false), -EBADMSG);
	assert_int_equal(call_with("garbage", 8, false), -EBADMSG);
	assert_int_equal(call_with("{\"param", 7, true), -ECONNRESET);
	assert_int_equal(call_with("{\"param", 7, false), -ETIMEDOUT);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
#define SOCKET_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up_socket, tear_down_socket)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(test_calls),
		TEST(test_message_in_pieces),
		TEST(test_several_messages_at_once),
		TEST(test_oneway),
		TEST(test_answers_keep_their_order),
		TEST(test_service),
		TEST(test_methods_that_are_none),
		TEST(test_parameters),
		TEST(test_flags),
		TEST(test_rights),
		TEST(test_one_user_fills_the_house),
		TEST(test_stream),
		TEST(test_slow_reader),
		TEST(test_stream_whose_client_goes),
		TEST(test_half_closed),
		TEST(test_last_words),
		TEST(test_turns),
		TEST(test_garbage),
		TEST(test_depth),
		TEST(test_endless_message),
		TEST(test_full_buffer),
		TEST(test_client_that_does_not_read),
		TEST(test_gone_in_the_middle_of_a_message),
		TEST(test_gone_while_its_call_waits),
		TEST(test_gone_before_it_reads),
		TEST(test_server_goes_before_the_answer),
		TEST(test_large_answers),
		TEST(test_too_many_clients),
		TEST(test_all_wait),
		SOCKET_TEST(test_socket),
		SOCKET_TEST(test_nobody_listens),
		SOCKET_TEST(test_socket_of_a_group),
		SOCKET_TEST(test_socket_that_was_left),
		cmocka_unit_test(test_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
