/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of a topology, its lock, and a ledger that only grows until it is replaced.
 *
 * Every file is reached through descriptors of directories that were opened without following links and belong to us
 * or to root, so that files planted in /run by others cannot redirect us. See own_dir.h.
 *
 * The lock is a file in the directory that is removed at the end. Locking a file while it is being removed would give
 * a lock that no other process ever sees. So after locking we check that the name still leads to the same file, and
 * start again if it does not. The same holds for the directory itself.
 *
 * The ledger is written at its known size, not "at the end" (O_APPEND): if a full disk cuts a write short, nothing of
 * that write counts, and the next write overwrites it.
 */
#include "files/ledger_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>

#include "model/field.h"
#include "files/own_dir.h"
#include "files/privilege.h"

#define LOCK "lock"
#define STOPPED "stopped\n" /* in the lock of a daemon that has ended */
#define LEDGER "ledger"
#define LEDGER_NEW "ledger.new"
#define SECRETS "secrets" /* lines about secrets */
#define SECRETS_NEW "secrets.new"
#define CLAIMS ".claims" /* not a valid name of a topology */

enum {
	OPEN_TRIES = 100,         /* how often the directory may be removed while we open it */
	LARGEST_LEDGER = 1 << 30, /* bytes; 100,000 objects take some 10 MiB */
	SPARED_LINES = 256,       /* a ledger of so few lines is never rewritten */
	FILE_FLAGS = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
};

static const char *root = TOPOD_RUN_DIR;

void ledger_file_set_root(const char *path) {
	root = path;
}

/* ---- directories ---- */

/* An invalid topology name could escape the directory. */
static bool is_topology(const char *name) {
	const char *why;

	return file_name_valid(name, &why);
}

int ledger_file_open_dir(const char *topology, int *ret_fd) {
	_cleanup_close_ int parent = -1;
	int r = is_topology(topology) ? own_dir_open(AT_FDCWD, root, &parent) : -ENOENT;

	return r < 0 ? r : own_dir_open(parent, topology, ret_fd);
}

int ledger_file_stat(const char *topology, struct stat *ret) {
	_cleanup_close_ int dir_fd = -1;
	int r = ledger_file_open_dir(topology, &dir_fd);

	if (r == 0 && fstatat(dir_fd, LEDGER, ret, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	return r;
}

static int is_name(const struct dirent *entry) {
	return entry->d_name[0] != '.';
}

int ledger_file_each(void (*fn)(void *userdata, const char *topology), void *userdata) {
	_cleanup_close_ int parent = -1;
	struct dirent **entries = NULL;
	int r = own_dir_open(AT_FDCWD, root, &parent), n;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	n = scandirat(parent, ".", &entries, is_name, alphasort);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		fn(userdata, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

/* ---- the lock ---- */

static int open_file(int dir_fd, const char *name, int flags, struct stat *st, int *ret_fd) {
	_cleanup_close_ int fd = openat(dir_fd, name, flags | FILE_FLAGS, 0600);

	if (fd < 0)
		return -errno;
	if (fstat(fd, st) < 0)
		return -errno;
	if (!S_ISREG(st->st_mode) || !is_ours(st))
		return -EPERM;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int ledger_file_open_claims(int *ret_fd) {
	_cleanup_close_ int parent = -1;
	struct stat st = {};
	int r = own_dir_open(AT_FDCWD, root, &parent);

	return r < 0 ? r : open_file(parent, CLAIMS, O_RDWR | O_CREAT, &st, ret_fd);
}

static pid_t read_pid(int fd) {
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* For users and for messages only: the lock holds without it. */
static void write_lock(int fd, const char *text) {
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) < 0)
		return;
}

static void write_pid(int fd) {
	char text[32];

	snprintf(text, sizeof(text), "%d\n", getpid());
	write_lock(fd, text);
}

/* -ENOENT, -ESTALE: the directory or the lock was removed meanwhile. */
static int take_lock(struct ledger_file *file, pid_t *ret_pid) {
	_cleanup_close_ int fd = -1;
	struct stat st = {};
	int r = open_file(file->dir_fd, LOCK, O_RDWR | O_CREAT, &st, &fd);

	if (r < 0)
		return r;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		r = -errno;
		*ret_pid = r == -EWOULDBLOCK ? read_pid(fd) : 0;
		return r == -EWOULDBLOCK ? -EALREADY : r; /* not EBUSY, because other calls may return that */
	}
	if (!own_dir_leads_to(file->dir_fd, LOCK, &st))
		return -ESTALE;
	write_pid(fd);
	file->lock_fd = TAKE_FD(fd);
	return 0;
}

static int enter_once(struct ledger_file *file, pid_t *ret_pid) {
	_cleanup_close_ int parent = -1;
	int r = is_topology(file->topology) ? own_dir_make(AT_FDCWD, root, &parent) : -EINVAL;

	if (r == 0)
		r = own_dir_make(parent, file->topology, &file->dir_fd);
	if (r == 0)
		r = take_lock(file, ret_pid);
	if (r < 0 && file->dir_fd >= 0)
		close(TAKE_FD(file->dir_fd));
	return r;
}

static int enter(struct ledger_file *file, pid_t *ret_pid) {
	int r = -ENOENT;

	for (int i = 0; i < OPEN_TRIES && (r == -ENOENT || r == -ESTALE); i++)
		r = enter_once(file, ret_pid);
	return r;
}

/* ---- reading ---- */

static int read_all(int fd, const struct stat *st, struct text *ret) {
	char buffer[64 * 1024];
	ssize_t n;

	if (st->st_size > LARGEST_LEDGER)
		return -EINVAL;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		text_addn(ret, buffer, (size_t)n);
		if (ret->size > LARGEST_LEDGER)
			return -EINVAL;
	}
	return n < 0 ? -errno : 0;
}

/* *ret_fd stays -1 if there is no ledger. */
static int read_ledger(int dir_fd, int flags, struct text *ret, int *ret_fd) {
	struct stat st = {};
	int r = open_file(dir_fd, LEDGER, flags, &st, ret_fd);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return read_all(*ret_fd, &st, ret);
}

/* Former secrets are kept apart from the ledger: people copy that into reports, and programs read it. */
static int read_secrets(int dir_fd, struct text *ret, int flags, int *ret_fd) {
	struct stat st = {};
	int r = open_file(dir_fd, SECRETS, flags, &st, ret_fd);

	return r < 0 ? r : read_all(*ret_fd, &st, ret);
}

static int parse_secrets(int dir_fd, struct ledger *ledger, size_t *damaged) {
	_cleanup_free_ char *head = ledger_format_head(&(struct ledger){});
	_cleanup_text_ struct text text = {};
	_cleanup_close_ int fd = -1;
	size_t more = 0;

	text_add(&text, head);
	int r = read_secrets(dir_fd, &text, O_RDONLY, &fd);
	if (r == 0)
		privilege_hide_memory();
	if (r == 0)
		r = ledger_parse(ledger, text.data, text.size, &more);
	*damaged += more;
	return r == -ENOENT ? 0 : r;
}

/* What follows the last newline is a write that was never finished, and nothing that it announces was done. */
static void measure(struct ledger_file *file, const struct text *text) {
	file->size = file->lines = 0;
	for (size_t i = 0; i < text->size; i++)
		if (text->data[i] == '\n') {
			file->size = i + 1;
			file->lines++;
		}
}

int ledger_file_open(struct ledger_file *file, const char *topology, struct ledger *ledger, pid_t *ret_pid,
		     size_t *ret_damaged) {
	_cleanup_text_ struct text text = {};
	int r;

	*file = LEDGER_FILE_NONE;
	*ret_pid = 0;
	*ret_damaged = 0;
	file->topology = xstrdup(topology);
	r = enter(file, ret_pid);
	if (r == 0)
		r = read_ledger(file->dir_fd, O_RDWR, &text, &file->fd);
	if (r < 0 || file->fd < 0)
		return r;
	measure(file, &text);
	if (!file->size)
		return 0;
	r = ledger_parse(ledger, text_str(&text), text.size, ret_damaged);
	if (r == 0)
		r = parse_secrets(file->dir_fd, ledger, ret_damaged);
	if (r == 0 && ledger->files.n && !*ret_damaged)
		file->head = ledger_format_head(ledger);
	return r;
}

int ledger_file_read(const char *topology, struct ledger *ledger) {
	_cleanup_close_ int dir_fd = -1, fd = -1;
	_cleanup_text_ struct text text = {};
	size_t damaged;
	int r = ledger_file_open_dir(topology, &dir_fd);

	if (r == 0)
		r = read_ledger(dir_fd, O_RDONLY, &text, &fd);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = ledger_parse(ledger, text_str(&text), text.size, &damaged);
	return r < 0 ? r : parse_secrets(dir_fd, ledger, &damaged);
}

/* ---- writing ---- */

/* Writes all of it or nothing: after an error the file has its former size again. */
static int write_at(int fd, const char *data, size_t size, size_t offset) {
	size_t done = 0;
	int r = 0;

	while (r == 0 && done < size) { /* after a short write, the next one returns the reason */
		ssize_t n = pwrite(fd, data + done, size - done, (off_t)(offset + done));

		r = n < 0 ? -errno : n == 0 ? -ENOSPC : 0;
		done += r < 0 ? 0 : (size_t)n;
	}
	if (r < 0 && ftruncate(fd, (off_t)offset) < 0)
		return -EIO;
	return r;
}

static size_t count_lines(const char *text, size_t size) {
	size_t n = 0;

	for (const char *at = text; (at = memchr(at, '\n', size - (size_t)(at - text))); at++)
		n++;
	return n;
}

/* Creates a file that consists of these texts, replacing a former one. */
static int write_new(int dir_fd, const char *name, const char *head, const char *lines, size_t size, int *ret_fd) {
	_cleanup_close_ int fd = -1;
	_cleanup_text_ struct text text = {};
	struct stat st = {};
	int r;

	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	r = open_file(dir_fd, name, O_RDWR | O_CREAT | O_EXCL, &st, &fd);
	if (r < 0)
		return r;
	text_add(&text, head);
	text_addn(&text, lines, size);
	r = write_at(fd, text.data, text.size, 0);
	if (r < 0)
		unlinkat(dir_fd, name, 0);
	else
		*ret_fd = TAKE_FD(fd);
	return r;
}

static void forget_file(struct ledger_file *file) {
	closep(&file->fd);
	file->fd = -1;
	file->size = file->lines = 0;
}

/* The first lines: creates the ledger, with its header. */
static int begin(struct ledger_file *file, const char *lines, size_t size) {
	_cleanup_free_ char *head = file->head ? xstrdup(file->head) : ledger_format_head(&(struct ledger){});
	int r = write_new(file->dir_fd, LEDGER, head, lines, size, &file->fd);

	if (r < 0)
		return r;
	file->size = strlen(head) + size;
	file->lines = count_lines(head, strlen(head)) + count_lines(lines, size);
	return 0;
}

static bool has_secrets(const char *lines, size_t size) {
	for (const char *at = lines, *end = lines + size; at && at < end;
	     at = memchr(at, '\n', (size_t)(end - at)), at += !!at)
		if (startswith(at, LEDGER_SECRET))
			return true;
	return false;
}

static void divide(const char *lines, size_t size, struct text *plain, struct text *secret) {
	for (const char *at = lines, *end = lines + size, *next; at < end; at = next) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		next = newline ? newline + 1 : end;
		text_addn(startswith(at, LEDGER_SECRET) ? secret : plain, at, (size_t)(next - at));
	}
}

/* After the last whole line. */
static int append_secrets(int dir_fd, const struct text *lines) {
	_cleanup_text_ struct text before = {};
	_cleanup_close_ int fd = -1;
	int r = read_secrets(dir_fd, &before, O_RDWR | O_CREAT, &fd);
	const char *end = before.size ? memrchr(before.data, '\n', before.size) : NULL;

	return r < 0 ? r : write_at(fd, lines->data, lines->size, end ? (size_t)(end + 1 - before.data) : 0);
}

/* First, so that nothing is changed whose former value is not recorded. */
static int append_divided(struct ledger_file *file, const char *lines, size_t size) {
	_cleanup_text_ struct text plain = {}, secret = {};

	divide(lines, size, &plain, &secret);
	int r = append_secrets(file->dir_fd, &secret);
	file->has_secrets |= r == 0;
	return r < 0 ? r : ledger_file_append(file, plain.data, plain.size);
}

int ledger_file_append(struct ledger_file *file, const char *lines, size_t size) {
	int r;

	if (!size)
		return 0;
	if (has_secrets(lines, size))
		return append_divided(file, lines, size);
	if (!file->size) {
		forget_file(file);
		return begin(file, lines, size);
	}
	r = write_at(file->fd, lines, size, file->size);
	if (r < 0)
		return r;
	file->size += size;
	file->lines += count_lines(lines, size);
	return 0;
}

static int remove_file(int dir_fd, const char *name) {
	return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int replace(int dir_fd, const char *name, const char *new_name, const struct text *text, int *ret_fd) {
	int r = write_new(dir_fd, new_name, "", text->data, text->size, ret_fd);

	return r < 0 ? r : renameat(dir_fd, new_name, dir_fd, name) < 0 ? -errno : 0;
}

static int rewrite(struct ledger_file *file, const struct ledger *ledger) {
	_cleanup_free_ char *text = ledger_format(ledger);
	_cleanup_text_ struct text plain = {}, secret = {};
	_cleanup_close_ int fd = -1, secrets = -1;

	divide(text, strlen(text), &plain, &secret);
	int r = secret.size ? replace(file->dir_fd, SECRETS, SECRETS_NEW, &secret, &secrets) : 0;
	if (r == 0)
		r = replace(file->dir_fd, LEDGER, LEDGER_NEW, &plain, &fd);
	if (r == 0 && !secret.size)
		r = remove_file(file->dir_fd, SECRETS);
	if (r < 0)
		return r;
	forget_file(file);
	file->fd = TAKE_FD(fd);
	file->has_secrets = secret.size > 0;
	file->size = plain.size;
	file->lines = count_lines(plain.data, plain.size);
	return 0;
}

int ledger_file_set_head(struct ledger_file *file, const struct ledger *ledger) {
	free(file->head);
	file->head = ledger_format_head(ledger);
	return file->fd < 0 ? 0 : rewrite(file, ledger);
}

int ledger_file_compact(struct ledger_file *file, const struct ledger *ledger) {
	if (file->fd < 0)
		return 0;
	if (!ledger->namespaces) {
		int r = remove_file(file->dir_fd, LEDGER);

		if (r < 0)
			return r;
		forget_file(file);
		file->has_secrets = false;
		return remove_file(file->dir_fd, SECRETS);
	}
	/* An entry has two lines: what topod did, and how it is declared. */
	if (file->lines <= SPARED_LINES || file->lines / 4 <= ledger->n)
		return 0;
	return rewrite(file, ledger);
}

/* ---- what somebody removed ---- */

static bool leads_to(int dir_fd, const char *name, int fd) {
	struct stat st;

	return fstat(fd, &st) == 0 && own_dir_leads_to(dir_fd, name, &st);
}

/* 1: our lock is still in its place; 0: it is not; -errno: unknown. */
static int has_lock(const struct ledger_file *file) {
	_cleanup_close_ int dir = -1;
	int r = ledger_file_open_dir(file->topology, &dir);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	return r < 0 ? r : leads_to(dir, LOCK, file->lock_fd);
}

/* The new directory gets the descriptor of the former one, because others have stored that number. */
static int enter_again(struct ledger_file *file) {
	struct ledger_file fresh = LEDGER_FILE_NONE;
	pid_t pid;
	int r;

	fresh.topology = file->topology;
	r = enter(&fresh, &pid);
	if (r == -EALREADY && pid == getpid())
		r = -EAGAIN; /* our own lock is back in its place */
	if (r == 0 && dup3(fresh.dir_fd, file->dir_fd, O_CLOEXEC) < 0)
		r = -errno;
	closep(&fresh.dir_fd);
	if (r < 0) {
		closep(&fresh.lock_fd);
		return r;
	}
	closep(&file->lock_fd);
	file->lock_fd = fresh.lock_fd;
	return 0;
}

static bool has_file_of_secrets(const struct ledger_file *file) {
	struct stat st;

	return !file->has_secrets || fstatat(file->dir_fd, SECRETS, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int ledger_file_restore(struct ledger_file *file, const struct ledger *ledger) {
	bool written = file->fd < 0 || (leads_to(file->dir_fd, LEDGER, file->fd) && has_file_of_secrets(file));
	int locked = has_lock(file);
	int r = locked ? MIN(locked, 0) : enter_again(file);

	if (r < 0 || (locked && written))
		return r;
	if (ledger->namespaces)
		r = rewrite(file, ledger);
	else
		forget_file(file);
	return r < 0 ? r : 1;
}

/* ---- the end ---- */

static void found_one(void *userdata, const char *topology _unused_) {
	*(bool *)userdata = true;
}

/* Removes TOPOD_RUN_DIR after the last topology. */
static int remove_root(int parent) {
	bool any = false;
	int r = ledger_file_each(found_one, &any);

	if (r == 0 && !any)
		r = remove_file(parent, CLAIMS);
	if (r == 0 && !any)
		rmdir(root); /* fails if something that is not topod's is in it */
	return r;
}

/* The lock is removed last, so that the next topod finds either a locked directory or none. If something in it is not
 * topod's, it stays, and so does the directory. */
static int remove_dir(struct ledger_file *file) {
	_cleanup_close_ int parent = -1;
	struct stat st = {};
	int r = remove_file(file->dir_fd, LEDGER_NEW);

	if (r < 0 || fstatat(file->dir_fd, LEDGER, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return r;
	r = remove_file(file->dir_fd, SECRETS_NEW);
	if (r == 0)
		r = remove_file(file->dir_fd, SECRETS);
	if (r == 0)
		r = remove_file(file->dir_fd, TOPOD_SOCKET);
	if (r == 0)
		r = remove_file(file->dir_fd, LOCK);
	if (r == 0)
		r = own_dir_open(AT_FDCWD, root, &parent);
	if (r < 0)
		return r;
	if (unlinkat(parent, file->topology, AT_REMOVEDIR) < 0)
		return errno == ENOTEMPTY ? 0 : -errno;
	return remove_root(parent);
}

bool ledger_file_is_abandoned(const char *topology) {
	_cleanup_close_ int dir_fd = -1, fd = -1;
	char text[sizeof(STOPPED)] = "";
	struct stat st = {};

	if (ledger_file_open_dir(topology, &dir_fd) < 0)
		return false;
	if (fstatat(dir_fd, TOPOD_SOCKET, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return true; /* the daemon was killed */
	return open_file(dir_fd, LOCK, O_RDONLY, &st, &fd) == 0 && pread(fd, text, sizeof(text) - 1, 0) > 0 &&
	       streq(text, STOPPED);
}

int ledger_file_close(struct ledger_file *file, bool remove) {
	int r = 0;

	if (file->lock_fd >= 0)
		write_lock(file->lock_fd, file->of_daemon ? STOPPED : ""); /* our pid is of no more use */
	if (remove && file->lock_fd >= 0 && leads_to(file->dir_fd, LOCK, file->lock_fd))
		r = remove_dir(file);
	closep(&file->fd);
	closep(&file->lock_fd);
	closep(&file->dir_fd);
	free(file->topology);
	free(file->head);
	*file = LEDGER_FILE_NONE;
	return r;
}
