/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages to systemd, read from the socket as systemd does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "run/notify.h"

static int manager = -1;

static int set_up(void **state _unused_) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(sa_family_t); /* the kernel chooses an abstract name */
	char name[16];

	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (manager < 0 || bind(manager, (struct sockaddr *)&address, size) < 0)
		return -1;
	size = sizeof(address);
	if (getsockname(manager, (struct sockaddr *)&address, &size) < 0)
		return -1;
	snprintf(name, sizeof(name), "@%.*s", (int)(size - offsetof(struct sockaddr_un, sun_path) - 1),
		 address.sun_path + 1);
	return setenv("NOTIFY_SOCKET", name, 1);
}

static int tear_down(void **state _unused_) {
	close(manager);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

/* Checks the next message; "": there is none. */
static void check_told(const char *expected) {
	char message[512];
	ssize_t n = recv(manager, message, sizeof(message) - 1, 0);

	message[MAX(n, 0)] = '\0';
	assert_string_equal(message, expected);
}

static void test_sentences(void **state _unused_) {
	notify_ready("Converged: %d objects", 12);
	check_told("READY=1\nSTATUS=Converged: 12 objects");
	notify_status("Converging");
	check_told("STATUS=Converging");
	notify_stopping("Stopping; %s", "the network stays");
	check_told("STOPPING=1\nSTATUS=Stopping; the network stays");
	check_told("");
}

static void test_reloading(void **state _unused_) {
	notify_reloading(UINT64_C(5000000123));
	check_told("RELOADING=1\nMONOTONIC_USEC=5000000123\nSTATUS=Reading the file again.");
	notify_extend(30000000);
	check_told("EXTEND_TIMEOUT_USEC=30000000");
}

/* A sentence with a line break must not become another variable. */
static void test_one_line(void **state _unused_) {
	notify_status("%s", "bad\nREADY=1\rx");
	check_told("STATUS=bad READY=1 x");
}

static void test_watchdog(void **state _unused_) {
	uint64_t now = 1000000;

	assert_true(notify_watchdog_usec() == 0);
	notify_alive(now);
	check_told("");
	setenv("WATCHDOG_USEC", "8000000", 1);
	assert_true(notify_watchdog_usec() == 8000000);
	notify_alive(now);
	check_told("WATCHDOG=1");
	notify_alive(now + 1999999); /* too early for another one */
	check_told("");
	notify_alive(now + 2000000);
	check_told("WATCHDOG=1");
	setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
	assert_true(notify_watchdog_usec() == 0);
}

static void test_nobody_listens(void **state _unused_) {
	unsetenv("NOTIFY_SOCKET");
	notify_ready("to nobody");
	check_told("");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sentences, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reloading, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_watchdog, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nobody_listens, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
