/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For unit tests: spec files and their drop-ins in a directory of their own for each test. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "files/spec_file.h"

static char place[64];

static inline int set_up(_unused_ void **state) {
	snprintf(place, sizeof(place), "%s", "/tmp/topod-spec-XXXXXX");
	return mkdtemp(place) ? 0 : -1;
}

static inline int tear_down(_unused_ void **state) {
	_cleanup_free_ char *command = xasprintf("rm -rf '%s'", place);

	return system(command);
}

static inline char *path_of(const char *name) {
	return xasprintf("%s/%s", place, name);
}

static inline void write_spec(const char *path, const char *text, mode_t mode) {
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
}

/* One error, which begins with the name of the file or of a drop-in and contains these words. */
static inline void assert_refused(const char *path, unsigned flags, const char *words) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	assert_false(spec_file_load(path, flags, &loaded));
	assert_int_equal(loaded.diags.n_errors, 1);
	_cleanup_free_ char *text = diags_format(&loaded.diags, false), *stem = xstrdup(path);
	char *dot = strrchr(stem, '.');

	if (dot > strrchr(stem, '/'))
		*dot = '\0';
	assert_non_null(startswith(text, stem));
	if (!strstr(text, words))
		fail_msg("no '%s' in: %s", words, text);
}

/* Uses the descriptor as standard input. */
static inline bool load_from(int fd, struct loaded_spec *ret) {
	int before = dup(STDIN_FILENO);

	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	close(fd);
	bool good = spec_file_load("-", SPEC_FILE_STDIN | SPEC_FILE_TRUSTED, ret);
	dup2(before, STDIN_FILENO);
	close(before);
	return good;
}

/* Writes place/office.d/NAME. */
static inline void write_dropin(const char *name, const char *text, mode_t mode) {
	_cleanup_free_ char *directory = path_of("office.d"), *path = xasprintf("%s/%s", directory, name);

	assert_true(mkdir(directory, 0755) == 0 || errno == EEXIST);
	write_spec(path, text, mode);
}

/* Writes place/office.yaml and returns its path; the caller frees. */
static inline char *office(void) {
	char *path = path_of("office.yaml");

	write_spec(path, "namespaces: {a: {}}\n", 0644);
	return path;
}

static inline void assert_declares(const struct loaded_spec *loaded, const char *ns) {
	const struct ns_state *found = state_find(&loaded->spec.state, ns);

	assert_true(found && found->declared);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
