/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket as a file, its owner and group, and the client of `topod status`, also with a server that
 * misbehaves. */
#include "control-helper.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "control/client.h"
#include "files/ledger_file.h"

static char place[64];

static int set_up_socket(void **state) {
	struct house *house;
	_cleanup_free_ char *directory = NULL;

	snprintf(place, sizeof(place), "%s", "/tmp/topod-control-XXXXXX");
	assert_non_null(mkdtemp(place));
	assert_int_equal(chmod(place, 0755), 0);
	directory = xasprintf("%s/office", place);
	assert_int_equal(mkdir(directory, 0755), 0);
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
	int done; /* written to when the answer has arrived */
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

/* The client waits in its own thread while the loop serves it. */
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

static int own_dir_fd(void) {
	int fd;

	assert_int_equal(ledger_file_open_dir("office", &fd), 0);
	return fd;
}

static void test_socket(void **state) {
	struct house *house = *state;
	_cleanup_close_ int dir_fd = own_dir_fd();
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

/* The group may connect, and may open nothing else. */
static void test_socket_of_a_group(void **state) {
	struct house *house = *state;
	_cleanup_close_ int dir_fd = own_dir_fd();
	struct stat st;

	assert_int_equal(control_listen(&house->control, house->event, dir_fd, getegid(), &house->service), 0);
	assert_int_equal(fstatat(dir_fd, TOPOD_SOCKET, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_gid, getegid());
}

/* The socket of a dead daemon does not prevent a new one. */
static void test_socket_that_was_left(void **state) {
	struct house *house = *state;
	_cleanup_close_ int dir_fd = own_dir_fd();
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

/* If the process has no descriptor left for a new client, the connection that was silent longest is closed. */
static void test_no_descriptor_left(void **state) {
	struct house *house = *state;
	_cleanup_close_ int dir_fd = own_dir_fd();
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct rlimit before, few;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/office/" TOPOD_SOCKET, place);
	assert_int_equal(control_listen(&house->control, house->event, dir_fd, CONTROL_NOBODY, &house->service), 0);
	_cleanup_close_ int idle = connect_client(house),
			    late = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int next = dup(dir_fd); /* the lowest free number */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	close(next);
	few = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(connect(late, (struct sockaddr *)&address, sizeof(address)), 0);
	SAY(late, ECHO_CALL);
	assert_closed(house, idle);
	assert_hears(house, late, ECHO_REPLY);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* ---- a client with a server that misbehaves ---- */

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

/* More bytes than any answer, without an end: the client gives up. */
static void *send_without_end(void *userdata) {
	const int *fd = userdata;
	_cleanup_free_ char *text = xmalloc(1 << 16);

	memset(text, 'x', 1 << 16);
	while (send(*fd, text, 1 << 16, MSG_NOSIGNAL) > 0)
		;
	return NULL;
}

static void test_endless_answer(_unused_ void **state) {
	struct control_client client = CONTROL_CLIENT_NONE;
	struct control_answer answer;
	pthread_t thread;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	client.fd = ends[0];
	assert_int_equal(pthread_create(&thread, NULL, send_without_end, &ends[1]), 0);
	assert_int_equal(control_next(&client, -1, UINT64_MAX, &answer), -EBADMSG);
	assert_true(client.in.size <= CONTROL_ANSWER_BYTES);
	control_answer_done(&answer);
	control_close(&client);
	assert_int_equal(pthread_join(thread, NULL), 0);
	close(ends[1]);
}

static void test_server_that_is_gone(_unused_ void **state) {
	_cleanup_client_ struct control_client client = CONTROL_CLIENT_NONE;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	client.fd = ends[0];
	close(ends[1]);
	assert_int_equal(control_send(&client, "org.test.Echo", NULL, false), -ECONNRESET);
}

#define SOCKET_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up_socket, tear_down_socket)

int main(void) {
	const struct CMUnitTest tests[] = {
		SOCKET_TEST(test_socket),
		SOCKET_TEST(test_nobody_listens),
		SOCKET_TEST(test_socket_of_a_group),
		SOCKET_TEST(test_socket_that_was_left),
		SOCKET_TEST(test_no_descriptor_left),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_endless_answer),
		cmocka_unit_test(test_server_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
