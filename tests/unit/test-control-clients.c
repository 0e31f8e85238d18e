/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket against clients that stall, flood, send garbage or go away in the middle. */
#include "control-helper.h"

#include <dirent.h>
#include <fcntl.h>

#include "files/own_dir.h"

static void test_garbage(void **state) {
	struct house *house = *state;
	static const char *const garbage[] = {
		"",
		"x",
		"[]",
		"{}",
		"7",
		"null",
		"{\"method\":7}",
		"{\"method\":\"org.test.Echo\",\"parameters\":[]}",
		"{\"method\":\"org.test.Echo\",\"oneway\":1}",
		"{\"method\":\"org.test.Echo\",\"more\":\"yes\"}",
		"{\"method\":\"org.test.Stream\",\"more\":true,\"oneway\":true}",
		"{\"method\":\"org.test.Echo\"} more",
		"\xff\xfe",
		"{\"method\":\"org.test.Echo\",\"method\":\"x\"}",
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

/* A message that never ends. */
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

/* Many messages that together fill the buffer: none is lost, and the end of the buffer is not taken for end of file. */
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

/* Nothing is read from a client that only sends until it has read its answers. */
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

	/* When it does begin to read, everything continues. */
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

/* The one that was silent longest is disconnected; a client that waits for an answer, or has just sent something, stays. */
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

/* A user with many connections cannot lock out others, not even with streams and unfinished calls. */
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

/* No source starves the others. */
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
		assert_true(busy[i].n_turns < 1000); /* the calls were served */
		assert_int_equal(busy[i].most, 1);   /* one at a time */
		sd_event_source_unref(sources[i]);
	}
	close(ends[0]);
	close(ends[1]);
}

/* ---- descriptors ---- */

static size_t count_fds(void) {
	_cleanup_closedir_ DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(dir))
		n++;
	return n;
}

/* n descriptors come with the first byte. */
static void say_with_fds(int fd, const char *data, size_t size, size_t n) {
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
	struct iovec iov = { (char *)(uintptr_t)data, size };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(n * sizeof(int))
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);

	*cmsg = (struct cmsghdr){ CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	_cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < n; i++)
		memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &null, sizeof(int));
	assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), size);
}

/* They belong to the call until it is answered; descriptors beyond the limit, or from a client that may only read, are
 * closed. */
static void test_descriptors(void **state) {
	static const char later[] = "{\"method\":\"org.test.Later\"}", half[] = "{\"method\":";
	struct house *house = *state;
	size_t before = count_fds();

	for (size_t n = 1; n <= 8; n++) {
		int fd = connect_client(house);
		size_t connected = count_fds(), taken = MIN(n, (size_t)CONTROL_FDS_MAX);

		say_with_fds(fd, later, sizeof(later), n);
		settle(house);
		struct control_call *call = TAKE_PTR(house->waiting);
		assert_int_equal(count_fds(), connected + taken);
		assert_true(control_descriptor(call, 0) >= 0);
		assert_int_equal(control_descriptor(call, (json_int_t)taken), -1);
		assert_int_equal(control_descriptor(call, -1), -1);
		assert_int_equal(control_descriptor(call, INT64_MAX), -1);
		control_reply(call, NULL);
		assert_int_equal(count_fds(), connected);
		/* They are closed with a connection that ends in the middle of a message. */
		say_with_fds(fd, half, strlen(half), n);
		settle(house);
		close(fd);
		settle(house);
		assert_int_equal(count_fds(), before);
	}
	int fd = connect_client(house);
	size_t connected = count_fds();
	house->control->connections->peer.may_change = false;
	say_with_fds(fd, later, sizeof(later), 2);
	settle(house);
	assert_int_equal(count_fds(), connected);
	assert_int_equal(control_descriptor(house->waiting, 0), -1);
	control_reply(TAKE_PTR(house->waiting), NULL);
	close(fd);
	settle(house);
}

int main(void) {
	const struct CMUnitTest tests[] = {
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
		TEST(test_one_user_fills_the_house),
		TEST(test_turns),
		TEST(test_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
