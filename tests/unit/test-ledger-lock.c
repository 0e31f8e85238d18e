/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock of the ledger's directory: one process has it, also while others remove the file or the directory. */
#include "ledger-file-helper.h"

#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Another process tries to take the lock. Returns 0, an errno, or 100 if the reported pid is wrong. */
static int try_elsewhere(void) {
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct ledger_file file;
		struct ledger ledger = {};
		size_t damaged;
		pid_t pid;
		int r = ledger_file_open(&file, "office", &ledger, &pid, &damaged);

		ledger_file_close(&file, true);
		_exit(r == -EALREADY && pid != getppid() ? 100 : -r);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_lock(_unused_ void **state) {
	struct ledger_file file;
	struct ledger ledger = {};

	assert_opens(&file, &ledger);
	assert_int_equal(try_elsewhere(), EALREADY);
	assert_true(exists("lock")); /* the loser removed nothing */
	ledger_file_close(&file, true);
	assert_int_equal(try_elsewhere(), 0);
}

/* Replaces libc's flock(), to do what another process might do between our opening the file and locking it. */
static void (*before_flock)(void);
static int n_flocks;

int flock(int fd, int operation) {
	n_flocks++;
	if (before_flock)
		before_flock();
	return (int)syscall(SYS_flock, fd, operation);
}

static void remove_lock(void) {
	_cleanup_free_ char *lock = path_of("lock");

	before_flock = NULL;
	assert_int_equal(unlink(lock), 0);
}

static void remove_all(void) {
	_cleanup_free_ char *office = xasprintf("%s/office", root);

	remove_lock();
	assert_int_equal(rmdir(office), 0);
	assert_int_equal(rmdir(root), 0);
}

/* Locking a file that has lost its name is worthless: the new file must be found and locked. */
static void assert_survives(void (*removal)(void)) {
	_cleanup_free_ char *lock = path_of("lock");
	struct ledger_file file;
	struct ledger ledger = {};
	struct stat st, named;

	n_flocks = 0;
	before_flock = removal;
	assert_opens(&file, &ledger);
	assert_int_equal(n_flocks, 2);
	assert_int_equal(fstat(file.lock_fd, &st), 0);
	assert_int_equal(stat(lock, &named), 0);
	assert_int_equal(st.st_ino, named.st_ino);
	assert_appends(&file, LINE(1) GONE(1));
	assert_true(exists("ledger"));
	assert_int_equal(ledger_file_compact(&file, &ledger), 0);
	ledger_file_close(&file, true);
	assert_int_not_equal(access(root, F_OK), 0);
}

static void test_lock_that_is_removed(_unused_ void **state) {
	assert_survives(remove_lock);
	assert_survives(remove_all);
}

/* Many processes come and go at once, each removing the directory at the end: never do two hold the lock together. */
static void contend(void) {
	for (int i = 0; i < 200; i++) {
		struct ledger_file file;
		struct ledger ledger = {};
		size_t damaged;
		pid_t pid;
		int r = ledger_file_open(&file, "office", &ledger, &pid, &damaged);

		if (r == 0) {
			_cleanup_free_ char *path = path_of("inside");
			int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

			if (fd < 0 || close(fd) < 0 || unlink(path) < 0)
				_exit(1);
		} else if (r != -EALREADY) {
			_exit(2);
		}
		ledger_file_close(&file, true);
		ledger_done(&ledger);
	}
	_exit(0);
}

static void test_contention(_unused_ void **state) {
	pid_t children[4];

	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		if (children[i] == 0)
			contend();
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_not_equal(access(root, F_OK), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(test_lock),
		TEST(test_lock_that_is_removed),
		TEST(test_contention),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
