/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "attach/note.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "attach/owner.h"
#include "files/ledger_file.h"
#include "files/own_dir.h"
#include "files/text_file.h"

/* Not the name of a topology: those do not begin with a dot. */
#define NOTES_DIR ".attach"

enum { NOTE_BYTES = 16 * 1024 };

static int open_notes(int *ret_fd) {
	_cleanup_close_ int run = -1;
	int r = own_dir_make(AT_FDCWD, TOPOD_RUN_DIR, &run);

	return r < 0 ? r : own_dir_make(run, NOTES_DIR, ret_fd);
}

/* "COOKIE pid PID", "COOKIE group PATH" or "COOKIE path PATH" */
static char *describe(const struct attach_call *call, const struct netns_identity *identity) {
	unsigned long long key = identity->cookie ? identity->cookie : identity->inode;
	_cleanup_free_ char *group = call->path ? NULL : control_group_of_directory(call->owner);
	pid_t pid;

	if (call->path)
		return xasprintf("%llu path %s\n", key, call->path);
	if (group)
		return xasprintf("%llu group %s\n", key, group);
	return process_of(call->owner, &pid) == 0 ? xasprintf("%llu pid %d\n", key, pid) : NULL;
}

void note_drop(const char *ns) {
	_cleanup_close_ int run = -1, dir = -1;

	if (own_dir_open(AT_FDCWD, TOPOD_RUN_DIR, &run) < 0 || own_dir_open(run, NOTES_DIR, &dir) < 0)
		return;
	(void)unlinkat(dir, ns, 0);
	(void)unlinkat(run, NOTES_DIR, AT_REMOVEDIR); /* if it was the last one */
}

int note_leave(const char *ns, const struct attach_call *call) {
	_cleanup_close_ int dir = -1;
	_cleanup_free_ char *text = NULL;
	struct netns_identity identity;
	int r = open_notes(&dir);

	if (r < 0)
		return r;
	r = netns_identity(call->netns, &identity);
	text = r < 0 ? NULL : describe(call, &identity);
	if (!text)
		return r < 0 ? r : -ESRCH;
	return text_file_replace(dir, ns, 0600, text);
}

static bool is_still(int fd, unsigned long long key) {
	struct netns_identity identity;

	return fd >= 0 && netns_check_fd(fd) == 0 && netns_identity(fd, &identity) == 0 &&
	       key == (identity.cookie ? identity.cookie : identity.inode);
}

static bool read_note(const char *text, struct attach_call *ret) {
	char word[8], path[PATH_MAX];
	unsigned long long key;
	struct process process = PROCESS_NONE;

	if (sscanf(text, "%llu %7s %4095[^\n]", &key, word, path) != 3)
		return false;
	if (streq(word, "pid") && process_hold(atoi(path), &process) == 0) {
		ret->owner = process.pidfd;
		(void)process_netns(&process, &ret->netns);
	} else if (streq(word, "group") && path[0] == '/' && control_group_find(path, NULL, 0, &process)) {
		(void)process_netns(&process, &ret->netns);
		closep(&process.pidfd);
		ret->owner = control_group_open(path);
	} else if (streq(word, "path") && path[0] == '/') {
		ret->netns = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		ret->path = xstrdup(path);
	}
	return is_still(ret->netns, key);
}

bool note_take(const char *ns, struct attach_call *ret) {
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_close_ int run = -1, dir = -1, fd = -1;
	const char *text = NULL;
	int r;

	*ret = (struct attach_call){ .netns = -1, .owner = -1 };
	if (own_dir_open(AT_FDCWD, TOPOD_RUN_DIR, &run) < 0 || own_dir_open(run, NOTES_DIR, &dir) < 0)
		return false;
	fd = openat(dir, ns, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && own_dir_check(fd) == 0)
		text = text_file_read(&arena, fd, NOTE_BYTES, &r);
	if (fd >= 0)
		(void)unlinkat(dir, ns, 0);
	(void)unlinkat(run, NOTES_DIR, AT_REMOVEDIR); /* if it was the last one */
	if (text && read_note(text, ret))
		return true;
	note_done(ret);
	return false;
}

void note_done(struct attach_call *call) {
	closep(&call->netns);
	closep(&call->owner);
	free((char *)(uintptr_t)call->path);
	*call = (struct attach_call){ .netns = -1, .owner = -1 };
}
