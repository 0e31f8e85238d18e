/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings in files, on the real kernel: a failed read or write gives the right error and leaves nothing behind. */
#include "lab.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "files/etc_file.h"
#include "kernel/proc_sys.h"

#define FORWARD "net/ipv4/ip_forward"
#define FOLDER "/etc/netns/web"
#define CONF FOLDER "/resolv.conf"
#define UNFINISHED FOLDER "/.resolv.conf.topod"

static struct proc_sys settings;
static struct arena arena;

/* ---- /proc/sys ---- */

static void check_value(const char *path, const char *expected) {
	int error = -1;
	const char *value = setting_read(&settings, &arena, path, &error);

	ok(error);
	assert_string_equal(value, expected);
}

static void check_unreadable(const char *path, int expected) {
	int error = 0;

	assert_null(setting_read(&settings, &arena, path, &error));
	assert_int_equal(error, expected);
}

static void check_settings(void) {
	char far[300];

	snprintf(far, sizeof(far), "%0299d", 0);
	ok(setting_write(&settings, FORWARD, "0"));
	check_value(FORWARD, "0\n");
	ok(setting_write(&settings, FORWARD, "1"));
	check_value(FORWARD, "1\n");
	assert_int_equal(setting_write(&settings, FORWARD, "yes"), -EINVAL);
	assert_int_equal(setting_write(&settings, FORWARD, "1 2"), -EINVAL); /* the kernel would use only the first */
	check_value(FORWARD, "1\n");
	check_unreadable("net/ipv4/conf/eth9/rp_filter", -ENOENT);
	assert_int_equal(setting_write(&settings, "net/ipv4/conf/eth9/rp_filter", "1"), -ENOENT);
	check_unreadable("net/ipv4/route/flush", -EACCES); /* write-only */
	assert_int_equal(setting_write(&settings, "net/ipv4/tcp_available_congestion_control", "x"), -EACCES);
	check_unreadable("net/ipv6/conf/lo/stable_secret", -EIO); /* as long as it is not set */
	check_unreadable("net/ipv4", -EISDIR);
	check_unreadable("net/../../version", -EINVAL);
	assert_int_equal(setting_write(&settings, "../" FORWARD, "0"), -EINVAL);
	check_unreadable(far, -ENAMETOOLONG);
	assert_int_equal(setting_write(&settings, far, "0"), -ENAMETOOLONG);
}

/* Through the machine's /proc, and through topod's private one. */
static void test_settings(_unused_ void **state) {
	settings = PROC_SYS_NONE;
	check_settings();
	for (int i = 0; i < 100; i++)
		proc_sys_visit(&settings);
	assert_true(settings.proc >= 0);
	check_settings();
	proc_sys_done(&settings);
	assert_int_equal(settings.proc, -1);
}

/* ---- resolv.conf ---- */

static bool is_there(const char *path) {
	struct stat st;

	return lstat(path, &st) == 0;
}

static int clear_etc(_unused_ void **state) {
	run("if mountpoint -q " FOLDER "; then umount " FOLDER "; fi; rm -rf /etc/netns");
	return 0;
}

/* Checks what is read; NULL: nothing. */
static void check_content(const char *expected, int expected_error) {
	int error = -1;
	const char *content = etc_file_read(&arena, "web", "resolv.conf", &error);

	assert_int_equal(error, expected_error);
	if (expected)
		assert_string_equal(content, expected);
	else
		assert_null(content);
}

static void test_file(_unused_ void **state) {
	struct stat st;
	mode_t before = umask(0077);

	check_content(NULL, 0);
	ok(etc_file_write("web", "resolv.conf", "first\n", false));
	umask(before);
	check_content("first\n", 0);
	assert_true(stat(CONF, &st) == 0 && (st.st_mode & 07777) == 0644);
	assert_true(stat(FOLDER, &st) == 0 && (st.st_mode & 07777) == 0755);
	assert_int_equal(etc_file_write("web", "resolv.conf", "second\n", false), -EEXIST);
	check_content("first\n", 0);
	put_file(UNFINISHED, "left by a crash"); /* longer than what is written */
	ok(etc_file_write("web", "resolv.conf", "third\n", true));
	check_content("third\n", 0);
	assert_false(is_there(UNFINISHED));
	put_file(UNFINISHED, "left by another crash");
	ok(etc_file_remove("web", "resolv.conf"));
	assert_false(is_there(FOLDER));
	ok(etc_file_remove("web", "resolv.conf"));
}

/* Anything else with the file's name is reported as different content, and is neither followed nor waited for. */
static void test_no_file(_unused_ void **state) {
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CONF };

	run("mkdir -p " FOLDER " && echo precious >/etc/victim && ln -s /etc/victim " CONF);
	check_content("", 0);
	ok(etc_file_remove("web", "resolv.conf"));
	assert_true(is_there("/etc/victim"));
	run("mkdir -p " FOLDER " && mkfifo " CONF);
	check_content("", 0);
	run("rm " CONF);
	ok(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	check_content("", 0);
	run("rm " CONF " && mkdir " CONF);
	check_content("", 0);
	assert_int_equal(etc_file_write("web", "resolv.conf", "x", true), -EISDIR);
	assert_false(is_there(UNFINISHED));
	assert_int_equal(etc_file_remove("web", "resolv.conf"), -EISDIR);
}

static void test_bounded(_unused_ void **state) {
	int error;

	run("mkdir -p " FOLDER " && head -c 10000000 /dev/zero | tr '\\0' x >" CONF);
	assert_int_equal(strlen(etc_file_read(&arena, "web", "resolv.conf", &error)), 8 * 1024 * 1024);
	ok(error);
}

/* The directory belongs to others or is not a directory: its contents are not read, and only writing reports an error. */
static void test_directory_of_others(_unused_ void **state) {
	run("mkdir -p " FOLDER " && echo theirs >" CONF " && chmod 0777 " FOLDER);
	check_content(NULL, 0);
	assert_int_equal(etc_file_write("web", "resolv.conf", "x", true), -EPERM);
	assert_int_equal(etc_file_remove("web", "resolv.conf"), -EPERM);
	etc_file_clear("web", "resolv.conf");
	assert_true(is_there(CONF));
	run("chmod 0755 " FOLDER " && mv " FOLDER " /etc/elsewhere && ln -s /etc/elsewhere " FOLDER);
	check_content(NULL, 0);
	assert_int_equal(etc_file_write("web", "resolv.conf", "x", true), -ENOTDIR);
	run("rm " FOLDER " && touch " FOLDER);
	assert_int_equal(etc_file_write("web", "resolv.conf", "x", true), -ENOTDIR);
	run("rm -r /etc/elsewhere");
}

/* A file is changed as a whole or not at all, also if there is no space. */
static void test_no_room(_unused_ void **state) {
	char text[8192] = {};

	memset(text, 'x', sizeof(text) - 1);
	run("mkdir -p " FOLDER " && mount -n -t tmpfs -o size=8k,mode=755 none " FOLDER);
	ok(etc_file_write("web", "resolv.conf", "as it was\n", false));
	assert_int_equal(etc_file_write("web", "resolv.conf", text, true), -ENOSPC);
	assert_false(is_there(UNFINISHED));
	check_content("as it was\n", 0);
	run("head -c 4096 /dev/zero >" FOLDER "/filler");
	assert_int_equal(etc_file_write("web", "resolv.conf", "x\n", true), -ENOSPC);
	assert_false(is_there(UNFINISHED));
	check_content("as it was\n", 0);
}

static void test_neighbours(_unused_ void **state) {
	ok(etc_file_write("web", "resolv.conf", "ours\n", false));
	put_file(FOLDER "/hosts", "somebody's\n");
	put_file(UNFINISHED, "left by a crash");
	etc_file_clear("web", "resolv.conf");
	assert_false(is_there(UNFINISHED));
	check_content("ours\n", 0);
	ok(etc_file_remove("web", "resolv.conf"));
	assert_true(is_there(FOLDER "/hosts"));
	ok(etc_file_remove("web", "hosts"));
	etc_file_clear("web", "resolv.conf");
	assert_false(is_there(FOLDER));
	etc_file_clear("web", "resolv.conf");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
		cmocka_unit_test_teardown(test_file, clear_etc),
		cmocka_unit_test_teardown(test_no_file, clear_etc),
		cmocka_unit_test_teardown(test_bounded, clear_etc),
		cmocka_unit_test_teardown(test_directory_of_others, clear_etc),
		cmocka_unit_test_teardown(test_no_room, clear_etc),
		cmocka_unit_test_teardown(test_neighbours, clear_etc),
	};
	int r = seclude(true);

	if (r == 0)
		r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_done(&arena);
	return r;
}
