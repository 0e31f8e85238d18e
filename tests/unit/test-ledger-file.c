/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger's directory: entries are read back as written, files planted by others do no harm, nothing is left behind. */
#include "ledger-file-helper.h"

#include <signal.h>
#include <sys/resource.h>

static void open_with(struct ledger_file *file, struct ledger *ledger, const char *lines) {
	assert_opens(file, ledger);
	assert_appends(file, lines);
}

/* Which of web1, web2 and web3 the ledger knows after it is opened again: "13". */
static void assert_holds(const char *known) {
	struct ledger_file file;
	struct ledger ledger = {};

	assert_opens(&file, &ledger);
	for (char n = '1'; n <= '3'; n++) {
		const char name[] = { 'w', 'e', 'b', n, 0 };
		_cleanup_free_ char *id = xasprintf("%s namespace", name);

		assert_int_equal(ledger_find(&ledger, name, id) != NULL, strchr(known, n) != NULL);
	}
	ledger_file_close(&file, false);
	ledger_done(&ledger);
}

/* Opens a long ledger of which only web2 is still valid. */
static void open_long(struct ledger_file *file, struct ledger *ledger) {
	assert_opens(file, ledger);
	for (int i = 0; i < 1000; i++)
		assert_appends(file, LINE(1) GONE(1));
	assert_appends(file, LINE(2));
	ledger_file_close(file, false);
	assert_opens(file, ledger);
}

static void test_what_is_written_comes_back(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};

	open_with(&file, &ledger, LINE(1));
	assert_appends(&file, LINE(2) GONE(1));
	ledger_file_close(&file, true);
	assert_true(exists("ledger"));

	assert_holds("2");

	assert_int_equal(ledger_file_read("office", &ledger), 0);
	assert_non_null(ledger_find(&ledger, "web2", "web2 namespace"));
	ledger_done(&ledger);
}

static void test_reading_makes_nothing(_unused_ void **state) {
	struct ledger ledger = {};

	assert_int_equal(ledger_file_read("office", &ledger), 0);
	assert_null(ledger.namespaces);
	assert_int_not_equal(access(root, F_OK), 0);
}

/* A crash in the middle of a line: its act was never done, and the next line is written whole. */
static void test_unfinished_line(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};
	size_t damaged;

	open_with(&file, &ledger, LINE(1));
	assert_int_equal(pwrite(file.fd, "+ made netns we", 15, (off_t)file.size), 15);
	ledger_file_close(&file, false);

	assert_int_equal(open_office(&file, &ledger, &damaged), 0);
	assert_int_equal(damaged, 1);
	assert_appends(&file, LINE(2));
	ledger_file_close(&file, false);
	ledger_done(&ledger);

	assert_holds("12");
}

static void test_foreign_file(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};
	size_t damaged;

	assert_opens(&file, &ledger);
	write_file("ledger", "this is a letter\n");
	ledger_file_close(&file, false);
	assert_int_equal(open_office(&file, &ledger, &damaged), -EINVAL);
	ledger_file_close(&file, false);
	_cleanup_free_ char *text = read_back("ledger");
	assert_string_equal(text, "this is a letter\n");
}

/* ---- what others planted ---- */

static void test_links_are_not_followed(_unused_ void **state) {
	_cleanup_free_ char *office = xasprintf("%s/office", root), *ledger_path = path_of("ledger");
	struct ledger_file file;
	struct ledger ledger = {};
	size_t damaged;

	assert_int_equal(symlink(place, root), 0);
	assert_int_equal(open_office(&file, &ledger, &damaged), -ENOTDIR);
	ledger_file_close(&file, true);
	assert_int_equal(unlink(root), 0);

	assert_int_equal(mkdir(root, 0755), 0);
	assert_int_equal(symlink(place, office), 0);
	assert_int_equal(open_office(&file, &ledger, &damaged), -ENOTDIR);
	ledger_file_close(&file, true);
	assert_int_equal(ledger_file_read("office", &ledger), -ENOTDIR);
	assert_int_equal(unlink(office), 0);

	assert_int_equal(mkdir(office, 0755), 0);
	_cleanup_free_ char *victim = xasprintf("%s/victim", place);
	assert_int_equal(symlink(victim, ledger_path), 0);
	assert_int_equal(open_office(&file, &ledger, &damaged), -ELOOP);
	ledger_file_close(&file, true);
	assert_int_not_equal(access(victim, F_OK), 0);
}

static void test_directory_that_others_may_write_to(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};
	size_t damaged;

	assert_int_equal(mkdir(root, 0755), 0);
	assert_int_equal(chmod(root, 0777), 0);
	assert_int_equal(open_office(&file, &ledger, &damaged), -EPERM);
	ledger_file_close(&file, true);
	assert_int_equal(ledger_file_read("office", &ledger), -EPERM);
}

static void test_directory_of_another_user(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};
	size_t damaged;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(root, 0755), 0);
	assert_int_equal(chown(root, 12345, 12345), 0);
	assert_int_equal(open_office(&file, &ledger, &damaged), -EPERM);
	ledger_file_close(&file, true);
}

static void test_ledger_that_is_no_file(_unused_ void **state) {
	_cleanup_free_ char *path = path_of("ledger");
	struct ledger_file file;
	struct ledger ledger = {};
	size_t damaged;

	assert_opens(&file, &ledger);
	ledger_file_close(&file, false);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(open_office(&file, &ledger, &damaged), -EPERM);
	ledger_file_close(&file, true);
}

static void test_mode_whatever_the_umask(_unused_ void **state) {
	_cleanup_free_ char *office = xasprintf("%s/office", root);
	struct ledger_file file;
	struct ledger ledger = {};
	struct stat st;
	mode_t before = umask(0077);

	assert_opens(&file, &ledger);
	umask(before);
	assert_int_equal(stat(root, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(office, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	ledger_file_close(&file, true);
}

/* ---- writing ---- */

/* A limit on the file's size stands for a full disk. */
static void test_full_disk(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};
	struct rlimit before, limit;
	size_t size;

	open_with(&file, &ledger, LINE(1));
	size = file.size;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){ .rlim_cur = size + 10, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int r = ledger_file_append(&file, LINE(2), strlen(LINE(2)));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, -EFBIG);

	struct stat st;
	assert_int_equal(fstat(file.fd, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_appends(&file, LINE(3));
	ledger_file_close(&file, false);
	assert_holds("13");
}

static void test_compaction(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};

	open_long(&file, &ledger);
	size_t before = file.size;
	assert_int_equal(ledger_file_compact(&file, &ledger), 0);
	assert_true(file.size < before / 100);
	assert_false(exists("ledger.new"));
	assert_appends(&file, LINE(3));
	ledger_file_close(&file, false);
	ledger_done(&ledger);

	assert_holds("23");
}

#define SECRET_ID "host\thost sysctl net.ipv6.conf.e0.stable_secret"
#define SECRET_LINE "+ found secret-sysctl\t" SECRET_ID "\tpath=net/ipv6/conf/e0/stable_secret\tvalue\n"

static void assert_keeps_secret(struct ledger_file *file, struct ledger *ledger, const char *value) {
	assert_opens(file, ledger);
	const struct ledger_entry *entry = ledger_find(ledger, "host", strchr(SECRET_ID, '\t') + 1);
	assert_non_null(entry);
	assert_string_equal(ledger_former(entry, (size_t)kind_field(entry->kind, "value")), value);
}

/* Lines about secrets are in a separate file, which only its owner can read, and are read with the ledger. */
static void test_secrets_are_kept_apart(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};

	open_with(&file, &ledger, LINE(1) SECRET_LINE "! " SECRET_ID "\tvalue=2001:db8::1\n" LINE(2));
	assert_appends(&file, SECRET_LINE "! " SECRET_ID "\tvalue=2001:db8::2\n");
	_cleanup_free_ char *lines = read_back("ledger"), *secrets = read_back("secrets"), *path = path_of("secrets");
	assert_null(strstr(lines, "db8"));
	assert_string_equal(secrets, "! " SECRET_ID "\tvalue=2001:db8::1\n! " SECRET_ID "\tvalue=2001:db8::2\n");
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ledger_file_close(&file, false);
	assert_holds("12");

	assert_keeps_secret(&file, &ledger, "2001:db8::2");
	assert_int_equal(ledger_file_set_head(&file, &ledger), 0); /* rewrites all of it */
	assert_int_equal(ledger_file_restore(&file, &ledger), 0);
	assert_int_equal(unlink(path), 0); /* somebody takes it away while it is in memory */
	assert_int_equal(ledger_file_restore(&file, &ledger), 1);
	_cleanup_free_ char *anew = read_back("secrets");
	assert_string_equal(anew, "! " SECRET_ID "\tvalue=2001:db8::2\n");
	ledger_file_close(&file, false);
	ledger_done(&ledger);

	assert_keeps_secret(&file, &ledger, "2001:db8::2");
	ledger_done(&ledger);
	assert_int_equal(ledger_file_compact(&file, &ledger), 0);
	assert_false(exists("secrets"));
	assert_int_equal(ledger_file_close(&file, true), 0);
	assert_false(exists(""));
}

/* A crash cut the last line off: the next one begins where it did. */
static void test_unfinished_secret(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};

	open_with(&file, &ledger, SECRET_LINE "! " SECRET_ID "\tvalue=2001:db8::1\n");
	ledger_file_close(&file, false);
	write_file("secrets", "! " SECRET_ID "\tvalue=2001:db8::1\n! host\tho");
	assert_int_equal(open_office(&file, &ledger, &(size_t){ 0 }), 0);
	assert_appends(&file, SECRET_LINE "! " SECRET_ID "\tvalue=2001:db8::2\n");
	ledger_file_close(&file, false);
	ledger_done(&ledger);
	assert_keeps_secret(&file, &ledger, "2001:db8::2");
	ledger_file_close(&file, false);
	ledger_done(&ledger);
}

static void test_few_old_lines_stay(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};

	open_with(&file, &ledger, LINE(1) LINE(2) GONE(1));
	ledger_file_close(&file, false);
	assert_opens(&file, &ledger);
	size_t before = file.size;
	assert_int_equal(ledger_file_compact(&file, &ledger), 0);
	assert_int_equal(file.size, before);
	ledger_file_close(&file, false);
	ledger_done(&ledger);
}

/* A file too large to be a ledger is refused before anything is read. */
static void test_too_large(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};
	size_t damaged;

	open_with(&file, &ledger, LINE(1));
	ledger_file_close(&file, false);
	_cleanup_free_ char *path = path_of("ledger");
	assert_int_equal(truncate(path, ((off_t)1 << 30) + 1), 0);
	assert_int_equal(open_office(&file, &ledger, &damaged), -EINVAL);
	ledger_file_close(&file, false);
	assert_int_equal(ledger_file_read("office", &ledger), -EINVAL);
	assert_null(ledger.namespaces);
}

/* A crash in the middle of the first line: the ledger is empty. */
static void test_no_whole_line(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};

	assert_opens(&file, &ledger);
	ledger_file_close(&file, false);
	write_file("ledger", "topod-led");
	assert_opens(&file, &ledger);
	assert_int_equal(ledger_file_append(&file, "", 0), 0); /* nothing to say changes nothing */
	assert_appends(&file, LINE(1));
	ledger_file_close(&file, false);
	_cleanup_free_ char *text = read_back("ledger");
	assert_string_equal(text, "topod-ledger 1\n" LINE(1));
}

/* If the shorter file cannot be created, the long one stays valid. */
static void test_compaction_is_hindered(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};
	_cleanup_free_ char *in_the_way = path_of("ledger.new");

	open_long(&file, &ledger);
	size_t before = file.size;
	assert_int_equal(mkdir(in_the_way, 0700), 0);
	assert_int_equal(ledger_file_compact(&file, &ledger), -EISDIR);
	assert_int_equal(file.size, before);
	assert_appends(&file, LINE(3));
	ledger_file_close(&file, false);
	ledger_done(&ledger);

	assert_holds("23");
}

/* An empty ledger that cannot be removed, because somebody put a directory there, can still be written and read. */
static void test_removal_is_hindered(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};
	_cleanup_free_ char *path = path_of("ledger");

	open_with(&file, &ledger, LINE(1) GONE(1));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(ledger_file_compact(&file, &ledger), -EISDIR);
	assert_true(file.fd >= 0);
	ledger_file_close(&file, true);
	assert_true(exists("ledger")); /* and the directory too, because something else is in it */
	assert_int_equal(rmdir(path), 0);
}

/* A directory that cannot be removed is an error, unless somebody else's file is in it. */
static void test_directory_that_stays(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};
	_cleanup_free_ char *unfinished = path_of("ledger.new"), *theirs = path_of("letter");

	assert_opens(&file, &ledger);
	assert_int_equal(mkdir(unfinished, 0700), 0);
	assert_int_equal(ledger_file_close(&file, true), -EISDIR);
	assert_int_equal(rmdir(unfinished), 0);

	assert_opens(&file, &ledger);
	write_file("letter", "");
	assert_int_equal(ledger_file_close(&file, true), 0);
	assert_int_equal(unlink(theirs), 0); /* it was there */
}

/* ---- the end ---- */

static void test_nothing_is_left(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};

	open_with(&file, &ledger, LINE(1) GONE(1));
	assert_int_equal(ledger_file_compact(&file, &ledger), 0);
	assert_false(exists("ledger"));
	write_file("ledger.new", ""); /* left by a crash */
	write_file(TOPOD_SOCKET, ""); /* left by a killed daemon */
	ledger_file_close(&file, true);
	assert_int_not_equal(access(root, F_OK), 0);
}

static void test_the_last_one_removes_the_parent(_unused_ void **state) {
	struct ledger_file office, other;
	struct ledger ledger = {};
	pid_t pid;
	size_t damaged;

	assert_opens(&office, &ledger);
	assert_int_equal(ledger_file_open(&other, "other", &ledger, &pid, &damaged), 0);
	ledger_file_close(&office, true);
	assert_int_equal(access(root, F_OK), 0);
	ledger_file_close(&other, true);
	assert_int_not_equal(access(root, F_OK), 0);
}

static void collect(void *userdata, const char *topology) {
	text_add(userdata, topology);
	text_add(userdata, ",");
}

static void test_listing(_unused_ void **state) {
	_cleanup_text_ struct text names = {};
	struct ledger_file b, a;
	struct ledger ledger = {};
	pid_t pid;
	size_t damaged;

	assert_int_equal(ledger_file_each(collect, &names), 0);
	assert_string_equal(text_str(&names), "");
	assert_int_equal(ledger_file_open(&b, "b", &ledger, &pid, &damaged), 0);
	assert_int_equal(ledger_file_open(&a, "a", &ledger, &pid, &damaged), 0);
	assert_int_equal(ledger_file_each(collect, &names), 0);
	assert_string_equal(text_str(&names), "a,b,");
	ledger_file_close(&a, true);
	ledger_file_close(&b, true);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_written_comes_back),
		TEST(test_reading_makes_nothing),
		TEST(test_unfinished_line),
		TEST(test_foreign_file),
		TEST(test_links_are_not_followed),
		TEST(test_directory_that_others_may_write_to),
		TEST(test_directory_of_another_user),
		TEST(test_ledger_that_is_no_file),
		TEST(test_mode_whatever_the_umask),
		TEST(test_full_disk),
		TEST(test_compaction),
		TEST(test_secrets_are_kept_apart),
		TEST(test_unfinished_secret),
		TEST(test_few_old_lines_stay),
		TEST(test_too_large),
		TEST(test_no_whole_line),
		TEST(test_compaction_is_hindered),
		TEST(test_removal_is_hindered),
		TEST(test_directory_that_stays),
		TEST(test_nothing_is_left),
		TEST(test_the_last_one_removes_the_parent),
		TEST(test_listing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
