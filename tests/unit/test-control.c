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

#include "control.h"
#include "control_client.h"
#include "ledger_file.h"

enum { TURNS_MAX = 100000 }; /* a turn does something or there is nothing to do: more means that it spins */

struct house {
	sd_event *event;
	struct control *control;
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

static const struct control_method methods[] = {
	{ "org.test.Echo", method_echo },   { "org.test.Fail", method_fail },
	{ "org.test.Later", method_later }, { "org.test.Large", method_large },
	{},
};

static int set_up(void **state) {
	struct house *house = xmalloc(sizeof(*house));

	assert_true(sd_event_new(&house->event) >= 0);
	house->control = control_new(house->event, methods, house);
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

/* ---- others ---- */

static void test_garbage(void **state) {
	struct house *house = *state;
	static const char *const garbage[] = {
		"", "x", "[]", "{}", "7", "null", "{\"method\":7}", "{\"method\":\"org.test.Echo\",\"parameters\":[]}",
		"{\"method\":\"org.test.Echo\"} more", "\xff\xfe", "{\"method\":\"org.test.Echo\",\"method\":\"x\"}",
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
	assert_int_equal(control_listen(&house->control, house->event, dir_fd, methods, house), 0);
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

/* A dead daemon's socket is in nobody's way. */
static void test_socket_that_was_left(void **state) {
	struct house *house = *state;
	_cleanup_close_ int dir_fd = folder_fd();
	struct control *dead;
	struct control_answer answer;

	assert_int_equal(control_listen(&dead, house->event, dir_fd, methods, house), 0);
	_cleanup_free_ char *from = xasprintf("%s/office/" TOPOD_SOCKET, place), *to = xasprintf("%s/away", place);
	assert_int_equal(rename(from, to), 0);
	control_free(dead);
	assert_int_equal(rename(to, from), 0);
	assert_int_equal(control_call("office", "org.test.Echo", NULL, 0, &answer), -ECONNREFUSED);
	assert_int_equal(control_listen(&house->control, house->event, dir_fd, methods, house), 0);
}

/* ---- a client with a server that is none ---- */

static int call_with(const char *reply, size_t size, bool close_after) {
	struct control_answer answer;
	int ends[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(send(ends[1], reply, size, 0), size);
	if (close_after)
		shutdown(ends[1], SHUT_WR);
	r = control_call_fd(ends[0], "org.test.Echo", NULL, 1, &answer);
	control_answer_done(&answer);
	close(ends[0]);
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
		SOCKET_TEST(test_socket_that_was_left),
		cmocka_unit_test(test_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
