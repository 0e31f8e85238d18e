/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spec files: which are read, with which message the others are refused, and what is filled in. */
#include "spec-file-helper.h"

#include <sys/socket.h>
#include <sys/un.h>

static void assert_named(const char *name, const char *text, const char *topology) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	_cleanup_free_ char *path = path_of(name);

	write_spec(path, text, 0644);
	assert_true(spec_file_load(path, SPEC_FILE_TRUSTED, &loaded));
	assert_string_equal(loaded.spec.topology, topology);
}

static void test_name_of_the_topology(_unused_ void **state) {
	assert_named("office.yaml", "namespaces: {a: {}}\n", "office");
	assert_named("office.yml", "namespaces: {}\n", "office");
	assert_named("my.office", "namespaces: {}\n", "my.office");
	assert_named("office.yaml", "topology: other\nnamespaces: {}\n", "other");
}

/* Control characters are not sent to the terminal. */
static void assert_no_name(const char *name, const char *why) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	_cleanup_free_ char *path = path_of(name);

	write_spec(path, "namespaces: {}\n", 0644);
	assert_false(spec_file_load(path, 0, &loaded));
	_cleanup_free_ char *text = diags_format(&loaded.diags, false);
	assert_non_null(strstr(text, why));
	assert_null(strstr(text, name));
}

static void test_name_that_is_none(_unused_ void **state) {
	_cleanup_free_ char *path = path_of(".yaml"), *long_path = xasprintf("%s/%0120d.yaml", place, 1);

	write_spec(path, "namespaces: {}\n", 0644);
	assert_refused(path, 0, "topology: NAME");
	write_spec(long_path, "namespaces: {}\n", 0644);
	assert_refused(long_path, 0, "topology: NAME");
	assert_named("..yaml", "topology: fine\nnamespaces: {}\n", "fine");
	assert_no_name("\xff.yaml", "is not UTF-8 text");
	assert_no_name("\xc2\x9b"
		       "2J.yaml",
		       "contains a control character");
}

static void test_fifo(_unused_ void **state) {
	_cleanup_free_ char *path = path_of("fifo.yaml");

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(path, 0, "FIFO"); /* without waiting for a writer */
}

static void test_socket(_unused_ void **state) {
	_cleanup_free_ char *path = path_of("socket.yaml");
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_refused(path, 0, "not a file");
}

static void test_directory_device_nothing(_unused_ void **state) {
	_cleanup_free_ char *nothing = path_of("nothing.yaml");

	assert_refused(place, 0, "directory");
	assert_refused("/dev/zero", 0, "device");
	assert_refused(nothing, 0, "No such file");
}

static void test_too_large(_unused_ void **state) {
	_cleanup_free_ char *path = path_of("holes.yaml");

	write_spec(path, "", 0644);
	assert_int_equal(truncate(path, YAML_MAX_SIZE + 1), 0);
	assert_refused(path, 0, "larger than");
}

/* A file of size 0 whose first byte cannot be read, and one of size 0 that is not empty. */
static void test_not_what_it_says(_unused_ void **state) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	assert_refused("/proc/self/mem", 0, "Input/output error");
	assert_false(spec_file_load("/proc/self/status", 0, &loaded));
	_cleanup_free_ char *text = diags_format(&loaded.diags, false);
	assert_non_null(strstr(text, "/proc/self/status:1:1: error: unknown key 'Name'"));
}

static void test_unreadable(_unused_ void **state) {
	_cleanup_free_ char *path = path_of("secret.yaml"), *directory = path_of("office.d"),
			    *office = path_of("office.yaml");
	uid_t user = geteuid();

	assert_int_equal(chmod(place, 0755), 0);
	write_spec(path, "namespaces: {}\n", 0000);
	write_spec(office, "namespaces: {}\n", 0644);
	assert_int_equal(mkdir(directory, 0000), 0);
	if (user == 0) /* root can read everything */
		assert_int_equal(seteuid(12345), 0);
	assert_refused(path, 0, "secret.yaml: error: Permission denied\n");
	assert_refused(office, 0, "office.d, where its drop-ins are: Permission denied\n");
	assert_int_equal(seteuid(user), 0);
}

static void test_writable_by_others(_unused_ void **state) {
	_cleanup_free_ char *path = path_of("office.yaml");
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	write_spec(path, "namespaces: {}\n", 0666);
	assert_refused(path, SPEC_FILE_TRUSTED, "--insecure-permissions");
	assert_true(spec_file_load(path, 0, &loaded));
}

static void test_writable_by_a_group(_unused_ void **state) {
	_cleanup_free_ char *path = path_of("office.yaml");
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	write_spec(path, "namespaces: {}\n", 0664);
	assert_true(spec_file_load(path, SPEC_FILE_TRUSTED, &loaded));
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_refused(path, SPEC_FILE_TRUSTED, "--insecure-permissions");
	assert_int_equal(chmod(path, 0644), 0);
	loaded_spec_done(&loaded);
	assert_true(spec_file_load(path, SPEC_FILE_TRUSTED, &loaded)); /* somebody's own file, for sudo */
}

static void test_dash_is_a_file_too(_unused_ void **state) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	assert_false(spec_file_load("-", 0, &loaded)); /* means a file of that name, which does not exist */
}

static void test_stream(_unused_ void **state) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "topology: piped\nnamespaces: {}\n", 31), 31);
	close(ends[1]);
	assert_true(load_from(ends[0], &loaded));
	assert_string_equal(loaded.spec.topology, "piped");
}

static void assert_stream_refused(int fd, const char *expected) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	assert_true(fd >= 0);
	assert_false(load_from(fd, &loaded));
	_cleanup_free_ char *text = diags_format(&loaded.diags, false);
	assert_string_equal(text, expected);
}

/* Its size is known only after reading. */
static void test_stream_without_end(_unused_ void **state) {
	assert_stream_refused(open("/dev/zero", O_RDONLY | O_CLOEXEC), "-: error: the file is larger than 64 MiB\n");
	assert_stream_refused(open(place, O_RDONLY | O_CLOEXEC), "-: error: this is a directory, not a file\n");
}

static void test_places_are_kept(_unused_ void **state) {
	_cleanup_free_ char *path = path_of("office.yaml");
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	write_spec(path, "namespaces:\n  web: {adopts: true}\n", 0644);
	assert_false(spec_file_load(path, 0, &loaded));
	_cleanup_free_ char *text = diags_format(&loaded.diags, false);
	assert_non_null(strstr(text, ":2:9: error: "));
	assert_non_null(strstr(text, "  2 |   web: {adopts: true}\n"));
}

static void test_dropins_in_order(_unused_ void **state) {
	_cleanup_free_ char *path = office(), *last = path_of("office.d/b.yaml");
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	write_dropin("b.yaml", "namespaces: {c: {}}", 0644);
	write_dropin("10-x.yaml", "namespaces: {b: {}}", 0644);
	write_dropin("9.yaml", "drift: restore\n", 0644);
	write_dropin(".hidden.yaml", "wrong: 1", 0644);
	write_dropin(".#b.yaml", "wrong: 2", 0644);
	write_dropin("b.yaml~", "wrong: 3", 0644);
	write_dropin("#b.yaml#", "wrong: 4", 0644);
	write_dropin("b.yaml.dpkg-old", "wrong: 5", 0644);
	write_dropin("README", "wrong: 6", 0644);
	assert_true(spec_file_load(path, SPEC_FILE_TRUSTED, &loaded));
	assert_int_equal(loaded.files.n, 4);
	assert_string_equal(loaded.files.items[3].name, last);
	assert_non_null(state_find(&loaded.spec.state, "c"));
	assert_int_equal(loaded.diags.n_warnings, 0);
	assert_string_equal(loaded.spec.topology, "office");
}

/* The first file with a name counts; all of them are still checked as files. */
static void test_name_alone(_unused_ void **state) {
	_cleanup_free_ char *path = office();
	_cleanup_loaded_spec_ struct loaded_spec loaded = {}, first = {};

	write_dropin("10-x.yaml", "topology: dropped\nwrong", 0644);
	write_dropin("b.yaml", "topology: other\n", 0644);
	assert_true(spec_file_load(path, SPEC_FILE_NAME, &loaded));
	assert_string_equal(loaded.spec.topology, "dropped");
	assert_null(loaded.spec.state.namespaces);
	write_spec(path, "topology: mine\nwrong", 0644);
	assert_true(spec_file_load(path, SPEC_FILE_NAME, &first));
	assert_string_equal(first.spec.topology, "mine");
	write_dropin("10-x.yaml", "", 0666);
	assert_refused(path, SPEC_FILE_NAME | SPEC_FILE_TRUSTED, "others may write to this file");
}

static void test_dropin_with_another_suffix(_unused_ void **state) {
	_cleanup_free_ char *path = office();
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	write_dropin("10.yml", "wrong: 1", 0644);
	assert_true(spec_file_load(path, 0, &loaded));
	_cleanup_free_ char *text = diags_format(&loaded.diags, false);
	assert_non_null(strstr(text, "office.d/10.yml is not read: the name of a drop-in must end in .yaml"));
}

static void test_dropin_that_is_none(_unused_ void **state) {
	_cleanup_free_ char *path = office(), *fifo = path_of("office.d/fifo.yaml"), *directory = path_of("office.d");

	write_dropin("a.yaml", "", 0644);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_refused(path, 0, "FIFO");
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(symlink("nowhere", fifo), 0);
	assert_refused(path, 0, "fifo.yaml: error: No such file");
	assert_int_equal(unlink(fifo), 0);
	_cleanup_free_ char *command = xasprintf("rm -r '%s' && touch '%s'", directory, directory);
	assert_int_equal(system(command), 0);
	assert_refused(path, 0, "office.d, where its drop-ins are: Not a directory");
}

static void test_too_many_dropins(_unused_ void **state) {
	_cleanup_free_ char *path = office();
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	char name[32];

	for (int i = 0; i < SPEC_DROPINS_MAX; i++) {
		snprintf(name, sizeof(name), "%d.yaml", i);
		write_dropin(name, "drift: restore\n", 0644);
	}
	assert_true(spec_file_load(path, 0, &loaded));
	write_dropin("last.yaml", "", 0644);
	assert_refused(path, 0, "more than 100 drop-ins");
}

static void test_dropins_too_large_together(_unused_ void **state) {
	_cleanup_free_ char *path = office(), *holes = path_of("office.d/holes.yaml");

	write_dropin("holes.yaml", "", 0644);
	assert_int_equal(truncate(holes, YAML_MAX_SIZE), 0);
	assert_refused(path, 0, "larger than 64 MiB, together with those before it");
}

static void test_dropins_writable_by_others(_unused_ void **state) {
	_cleanup_free_ char *path = office(), *directory = path_of("office.d"), *dropin = path_of("office.d/a.yaml");
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	write_dropin("a.yaml", "namespaces: {}", 0646);
	assert_refused(path, SPEC_FILE_TRUSTED, "a.yaml: error: others may write to this file");
	assert_int_equal(chmod(dropin, 0644), 0);
	assert_int_equal(chmod(directory, 01777), 0); /* others may add one */
	assert_refused(path, SPEC_FILE_TRUSTED, "where its drop-ins are; remove that permission");
	assert_true(spec_file_load(path, 0, &loaded));
}

static void test_directory_writable_by_others(_unused_ void **state) {
	_cleanup_free_ char *path = office(), *cwd = getcwd(NULL, 0);
	_cleanup_loaded_spec_ struct loaded_spec loaded = {}, near = {};

	assert_int_equal(chmod(place, 0777), 0);
	assert_refused(path, SPEC_FILE_TRUSTED, "which leads to this file");
	assert_int_equal(chdir(place), 0);
	assert_refused("office.yaml", SPEC_FILE_TRUSTED, "which leads to this file");
	assert_int_equal(chmod(place, 01777), 0);
	assert_true(spec_file_load("office.yaml", SPEC_FILE_TRUSTED, &near));
	assert_int_equal(chdir(cwd), 0);
	assert_true(spec_file_load(path, SPEC_FILE_TRUSTED, &loaded));
}

/* Refused at first, and accepted once nobody else can write to the directory. */
static void assert_guarded(const char *path, const char *directory) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	assert_int_equal(chmod(directory, 0777), 0);
	assert_refused(path, SPEC_FILE_TRUSTED, directory);
	assert_int_equal(chmod(directory, 0755), 0);
	assert_true(spec_file_load(path, SPEC_FILE_TRUSTED, &loaded));
}

static char *make_directory(const char *name) {
	char *path = path_of(name);

	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
	return path;
}

/* Every directory on the path counts, and so does each one that contains a symbolic link on it. */
static void test_path_open_to_others(_unused_ void **state) {
	_cleanup_free_ char *open = make_directory("open"), *deep = make_directory("open/deep"),
			    *safe = make_directory("safe");
	_cleanup_free_ char *file = path_of("open/deep/office.yaml"), *real = path_of("safe/real.yaml");
	_cleanup_free_ char *hop = path_of("open/hop"), *link = path_of("link.yaml");
	_cleanup_free_ char *drop_ins = make_directory("open/x.d"), *dropin = path_of("open/x.d/a.yaml"),
			    *beside = path_of("link.d");

	write_spec(file, "namespaces: {}\n", 0644);
	assert_guarded(file, open);
	write_spec(real, "namespaces: {}\n", 0644);
	assert_int_equal(symlink("../safe/real.yaml", hop), 0);
	assert_int_equal(symlink(hop, link), 0);
	assert_guarded(link, open);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink(real, link), 0);
	write_spec(dropin, "namespaces: {}\n", 0644);
	assert_int_equal(symlink(drop_ins, beside), 0);
	assert_guarded(link, open);
	assert_int_equal(unlink(beside), 0);
}

/* In a sticky directory everybody can create files: one beside a file of root is not its drop-in, and a link is only as
 * trusted as its owner. */
static void test_others_in_a_sticky_directory(_unused_ void **state) {
	_cleanup_free_ char *sticky = make_directory("sticky"), *path = path_of("sticky/s.yaml"),
			    *link = path_of("sticky/l.yaml");
	_cleanup_free_ char *directory = make_directory("sticky/s.d"), *dropin = path_of("sticky/s.d/a.yaml");
	_cleanup_loaded_spec_ struct loaded_spec own = {}, others = {};

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(sticky, 01777), 0);
	write_spec(path, "namespaces: {}\n", 0644);
	write_spec(dropin, "namespaces: {}\n", 0644);
	assert_true(spec_file_load(path, SPEC_FILE_TRUSTED, &own));
	assert_int_equal(chown(dropin, 12345, 12345), 0);
	assert_refused(path, SPEC_FILE_TRUSTED, "a.yaml: error: others may write to this file");
	assert_int_equal(chown(directory, 12345, 12345), 0);
	assert_refused(path, SPEC_FILE_TRUSTED, "where its drop-ins are");
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_true(spec_file_load(path, SPEC_FILE_TRUSTED, &others));
	assert_int_equal(symlink("s.yaml", link), 0);
	assert_int_equal(lchown(link, 12346, 12346), 0);
	assert_refused(link, SPEC_FILE_TRUSTED, "which leads to this file");
}

static void test_declares_nothing(_unused_ void **state) {
	static const char *const texts[] = {
		"", "\n\n", "# all of it\n", "{}\n", "---\n...\n", "topology: office\n", "drift: report\nlinks: []\n"
	};
	_cleanup_free_ char *path = path_of("office.yaml");
	_cleanup_loaded_spec_ struct loaded_spec meant = {}, elsewhere = {};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		write_spec(path, texts[i], 0644);
		assert_refused(path, 0, "write 'namespaces: {}'");
	}
	write_spec(path, "namespaces: {}\n", 0644);
	assert_true(spec_file_load(path, 0, &meant));
	write_dropin("a.yaml", "# nothing\n", 0644);
	assert_refused(path, 0, "a.yaml: error: this declares nothing");
	write_spec(path, "topology: office\n", 0644);
	write_dropin("a.yaml", "namespaces: {a: {}}\n", 0644);
	assert_true(spec_file_load(path, 0, &elsewhere));
	assert_declares(&elsewhere, "a");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(test_name_of_the_topology),
		TEST(test_name_that_is_none),
		TEST(test_fifo),
		TEST(test_socket),
		TEST(test_directory_device_nothing),
		TEST(test_too_large),
		TEST(test_not_what_it_says),
		TEST(test_unreadable),
		TEST(test_writable_by_others),
		TEST(test_writable_by_a_group),
		TEST(test_dash_is_a_file_too),
		TEST(test_stream),
		TEST(test_stream_without_end),
		TEST(test_places_are_kept),
		TEST(test_dropins_in_order),
		TEST(test_name_alone),
		TEST(test_dropin_with_another_suffix),
		TEST(test_dropin_that_is_none),
		TEST(test_too_many_dropins),
		TEST(test_dropins_too_large_together),
		TEST(test_dropins_writable_by_others),
		TEST(test_directory_writable_by_others),
		TEST(test_path_open_to_others),
		TEST(test_others_in_a_sticky_directory),
		TEST(test_declares_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
