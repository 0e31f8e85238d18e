/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spec files that somebody writes while they are read: the result is what stands there in the end, or an error. */
#include "spec-file-helper.h"

/* Changes the files while they are read: called after each read(), with its number. */
static void (*while_reading)(unsigned n);
static unsigned n_reads;

ssize_t __real_read(int fd, void *buffer, size_t size); /* NOLINT: names given by the linker's --wrap */
ssize_t __wrap_read(int fd, void *buffer, size_t size);

ssize_t __wrap_read(int fd, void *buffer, size_t size) {
	ssize_t n = __real_read(fd, buffer, size);

	if (while_reading)
		while_reading(++n_reads);
	return n;
}

static bool load_while(const char *path, void (*happens)(unsigned n), struct loaded_spec *ret) {
	n_reads = 0;
	while_reading = happens;
	bool good = spec_file_load(path, 0, ret);
	while_reading = NULL;
	return good;
}

static void add_text(const char *name, const char *text) {
	_cleanup_free_ char *path = path_of(name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void finish_writing(unsigned n) {
	if (n == 1)
		add_text("office.yaml", "  b: {}\n");
}

static void test_written_while_read(_unused_ void **state) {
	_cleanup_free_ char *path = path_of("office.yaml");
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	write_spec(path, "namespaces:\n  a: {}\n", 0644);
	assert_true(load_while(path, finish_writing, &loaded));
	assert_declares(&loaded, "b");
	assert_int_equal(loaded.files.n, 1);
}

static void replace(unsigned n) {
	_cleanup_free_ char *path = path_of("office.yaml"), *new = path_of("new");

	if (n != 2)
		return;
	write_spec(new, "namespaces: {b: {}}\n", 0644);
	assert_int_equal(rename(new, path), 0);
}

static void test_replaced_while_read(_unused_ void **state) {
	_cleanup_free_ char *path = office();
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	assert_true(load_while(path, replace, &loaded));
	assert_declares(&loaded, "b");
	assert_null(state_find(&loaded.spec.state, "a"));
}

static void finish_dropin(unsigned n) {
	if (n == 3) /* the first two reads are of the file itself */
		add_text("office.d/a.yaml", "namespaces: {b: {}}\n");
}

static void make_dropin(unsigned n) {
	if (n == 1)
		write_dropin("b.yaml", "namespaces: {c: {}}\n", 0644);
}

static void test_dropin_written_while_read(_unused_ void **state) {
	_cleanup_free_ char *path = office();
	_cleanup_loaded_spec_ struct loaded_spec first = {}, loaded = {}, added = {};

	assert_true(load_while(path, make_dropin, &first)); /* the directory is created meanwhile */
	assert_declares(&first, "c");
	write_dropin("a.yaml", "", 0644);
	assert_true(load_while(path, finish_dropin, &loaded));
	assert_declares(&loaded, "b");
	assert_true(load_while(path, make_dropin, &added)); /* rewritten */
	assert_int_equal(added.files.n, 3);
}

static void go_on_writing(unsigned n) {
	if (n % 2) /* at each read(), the end of the file would never be reached */
		add_text("office.yaml", "#\n");
}

static void test_never_finished(_unused_ void **state) {
	_cleanup_free_ char *path = office();
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	assert_false(load_while(path, go_on_writing, &loaded));
	_cleanup_free_ char *text = diags_format(&loaded.diags, false);
	assert_non_null(strstr(text, "keeps changing while it is read"));
}

static void test_standard_input_written_while_read(_unused_ void **state) {
	_cleanup_free_ char *path = path_of("office.yaml");
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	write_spec(path, "# a line before\ntopology: t\nnamespaces:\n  a: {}\n", 0644);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 16, SEEK_SET), 16); /* as `{ read line; topod apply -; } <office.yaml` */
	n_reads = 0;
	while_reading = finish_writing;
	bool good = load_from(fd, &loaded);
	while_reading = NULL;
	assert_true(good);
	assert_declares(&loaded, "b");
	assert_non_null(startswith(loaded.files.items[0].text, "topology"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(test_written_while_read),
		TEST(test_replaced_while_read),
		TEST(test_dropin_written_while_read),
		TEST(test_never_finished),
		TEST(test_standard_input_written_while_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
