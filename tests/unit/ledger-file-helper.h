/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For unit tests: the directory of the topology "office", below a root of its own for each test. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "files/ledger_file.h"

static char place[64], root[80];

static inline int set_up(_unused_ void **state) {
	snprintf(place, sizeof(place), "%s", "/tmp/topod-ledger-XXXXXX");
	assert_non_null(mkdtemp(place));
	snprintf(root, sizeof(root), "%s/topod", place);
	ledger_file_set_root(root);
	return 0;
}

static inline int tear_down(_unused_ void **state) {
	_cleanup_free_ char *command = xasprintf("rm -rf '%s'", place);

	return system(command);
}

static inline char *path_of(const char *name) {
	return xasprintf("%s/office/%s", root, name);
}

static inline bool exists(const char *name) {
	_cleanup_free_ char *path = path_of(name);

	return access(path, F_OK) == 0;
}

static inline char *read_back(const char *name) {
	_cleanup_free_ char *path = path_of(name);
	_cleanup_close_ int fd = open(path, O_RDONLY);
	char *text = xmalloc(1 << 20);

	assert_true(fd >= 0);
	assert_true(read(fd, text, (1 << 20) - 1) >= 0);
	return text;
}

static inline void write_file(const char *name, const char *text) {
	_cleanup_free_ char *path = path_of(name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static inline int open_office(struct ledger_file *file, struct ledger *ledger, size_t *damaged) {
	pid_t pid;

	return ledger_file_open(file, "office", ledger, &pid, damaged);
}

#define LINE(n) "+ made netns\tweb" #n "\tweb" #n " namespace\n"
#define GONE(n) "- web" #n "\tweb" #n " namespace\n"

static inline void assert_opens(struct ledger_file *file, struct ledger *ledger) {
	size_t damaged;

	assert_int_equal(open_office(file, ledger, &damaged), 0);
	assert_int_equal(damaged, 0);
}

static inline void assert_appends(struct ledger_file *file, const char *lines) {
	assert_int_equal(ledger_file_append(file, lines, strlen(lines)), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
