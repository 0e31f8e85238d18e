/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `topod edit`: a topology's file as visudo(8) edits sudoers. The user changes a copy. It takes the file's place, by a rename,
 * only if it is valid and the user agrees with the plan; then the daemon reads it.
 *
 * The copy is in a separate directory beside the file, so that the rename stays on one file system, and has the same name
 * and the same drop-ins.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cli/daemon_client.h"
#include "cli/process.h"
#include "files/text_file.h"
#include "inside/sandbox.h"
#include "verbs/verbs.h"

enum { FILE_MAX = 64 * 1024 * 1024 };

struct edit {
	const struct options *options;
	char *path;             /* of the file itself, not of a link to it */
	int fd;                 /* of the file, locked */
	struct stat before;     /* the file as it was copied */
	char *dir, *copy, *ins; /* the copy's directory, the copy, and the link to the drop-ins beside it */
	bool kept;              /* the copy stays */
};

static void edit_done(struct edit *e) {
	if (e->copy && !e->kept) {
		(void)unlink(e->copy);
		(void)unlink(e->ins);
		(void)rmdir(e->dir);
	}
	if (e->fd >= 0)
		close(e->fd);
	free(e->path);
	free(e->dir);
	free(e->copy);
	free(e->ins);
}

/* ---- the copy ---- */

static bool open_file(struct edit *e, const char *argument) {
	_cleanup_free_ char *path = spec_argument(argument);

	e->path = realpath(path, NULL);
	e->fd = e->path ? open(e->path, O_RDONLY | O_CLOEXEC) : -1;
	if (e->fd < 0 || fstat(e->fd, &e->before) < 0) {
		complain("%s: %s", path, strerror(errno));
		hint_about_argument(argument);
		if (errno == ENOENT)
			hint("`topod init TEMPLATE %s` makes one", path);
		return false;
	}
	if (flock(e->fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	complain("%s: somebody else is editing it", path);
	return false;
}

static const char *read_all(struct arena *arena, int fd) {
	int error;

	return lseek(fd, 0, SEEK_SET) < 0 ? NULL : text_file_read(arena, fd, FILE_MAX, &error);
}

static int write_copy(struct edit *e) {
	_cleanup_(arena_done) struct arena arena = {};
	const char *text = read_all(&arena, e->fd);
	_cleanup_close_ int fd = text ? open(e->copy, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600) : -1;

	return fd < 0 ? -errno : text_file_write(fd, text, -EIO);
}

static bool make_copy(struct edit *e) {
	const char *name = strrchr(e->path, '/') + 1;
	_cleanup_free_ char *dropins = spec_file_dropins(e->path);
	char *dir = xasprintf("%.*s.topod-edit-XXXXXX", (int)(name - e->path), e->path);
	int r;

	if (!mkdtemp(dir)) {
		complain("cannot write beside %s: %s", e->path, strerror(errno));
		free(dir);
		return false;
	}
	e->dir = dir;
	e->copy = xasprintf("%s/%s", dir, name);
	e->ins = spec_file_dropins(e->copy);
	r = write_copy(e);
	if (r == 0 && access(dropins, F_OK) == 0 && symlink(dropins, e->ins) < 0)
		r = -errno;
	if (r < 0)
		complain("cannot copy %s: %s", e->path, strerror(-r));
	return r == 0;
}

/* ---- the editor ---- */

/* As in visudo(8); the variables may contain arguments. */
static const char *choose_editor(void) {
	static const char *const variables[] = { "SUDO_EDITOR", "VISUAL", "EDITOR" };

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			return value;
	}
	return access("/usr/bin/sensible-editor", X_OK) == 0 ? "/usr/bin/sensible-editor" : "vi";
}

static bool run_editor(struct edit *e) {
	_cleanup_free_ char *words = xstrdup(choose_editor()), *problem = NULL;
	char *args[16] = {}, *rest = words, *word;
	sigset_t before;
	size_t n = 0;

	while (n < ARRAY_SIZE(args) - 2 && (word = strsep(&rest, " \t")))
		if (*word)
			args[n++] = word;
	args[n] = e->copy;
	sigprocmask(SIG_SETMASK, NULL, &before);
	restore_process();
	int code = sandbox_command(args, NULL, &problem);
	ignore_signals();
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (problem)
		complain("%s", problem);
	else if (code)
		complain("the editor ended with the status %d", code);
	return code == 0;
}

/* ---- what comes of it ---- */

static bool is_changed(const struct edit *e) {
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_close_ int fd = open(e->copy, O_RDONLY | O_CLOEXEC);
	const char *old = read_all(&arena, e->fd), *new = fd < 0 ? NULL : read_all(&arena, fd);

	return !new || !old || !streq(old, new);
}

/* The first letter of the answer; 0: end of input. */
static char ask_user(const char *question) {
	char line[64];

	fflush(stdout);
	fputs(question, stderr);
	return fgets(line, sizeof(line), stdin) ? line[0] : '\0';
}

/* Did another program replace or change the file while it was edited? */
static bool is_overtaken(const struct edit *e) {
	struct stat now;

	return stat(e->path, &now) < 0 || now.st_ino != e->before.st_ino || now.st_dev != e->before.st_dev ||
	       now.st_mtim.tv_sec != e->before.st_mtim.tv_sec || now.st_mtim.tv_nsec != e->before.st_mtim.tv_nsec;
}

static int keep_copy(struct edit *e, const char *why) {
	e->kept = true;
	complain("%s", why);
	hint("your version is in %s", e->copy);
	return EXIT_FAILED;
}

static int put_in_place(struct edit *e) {
	_cleanup_close_ int fd = open(e->copy, O_RDONLY | O_CLOEXEC);

	if (is_overtaken(e))
		return keep_copy(e, "somebody else has changed the file meanwhile; it was left as it is");
	if (fd < 0 || fchown(fd, e->before.st_uid, e->before.st_gid) < 0 || fchmod(fd, e->before.st_mode & 07777) < 0 ||
	    fsync(fd) < 0 || rename(e->copy, e->path) < 0) {
		_cleanup_free_ char *why = xasprintf("cannot replace %s: %s", e->path, strerror(errno));

		return keep_copy(e, why);
	}
	return EXIT_DONE;
}

static int reload(struct edit *e, const char *topology) {
	_cleanup_client_ struct control_client client = CONTROL_CLIENT_NONE;
	char *args[] = { (char *)(uintptr_t)topology, NULL };
	struct options options = *e->options;

	options.args = args;
	options.n_args = 1;
	if (control_open(topology, &client) == 0)
		return verb_reload(&options);
	printf("%s: the file is in place; no daemon manages it, `topod apply` applies it\n", topology);
	return EXIT_DONE;
}

/* Shows the result of checking the copy, asks, and does what the user chose. -1: edit it again. */
static int decide(struct edit *e) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	_cleanup_free_ char *topology = NULL;
	bool good = spec_file_load(e->copy, 0, &loaded);
	char answer;

	print_diags(&loaded.diags, e->options);
	if (good) {
		topology = xstrdup(loaded.spec.topology);
		(void)plan_loaded(&loaded, true, e->options);
	}
	do
		answer = ask_user(good ? "Put it in place? (y)es, (e)dit again, (d)iscard: "
				       : "The file has errors. (e)dit again, (d)iscard: ");
	while (answer && !strchr(good ? "yed" : "ed", answer));
	if (answer == 'e')
		return -1;
	if (!answer)
		return keep_copy(e, "no answer; nothing was changed");
	if (answer == 'd') {
		complain("discarded, nothing was changed");
		return EXIT_FAILED;
	}
	int code = put_in_place(e);
	return code == EXIT_DONE ? reload(e, topology) : code;
}

int verb_edit(const struct options *options) {
	_cleanup_(edit_done) struct edit e = { .options = options, .fd = -1 };
	int code = -1;

	if (!open_file(&e, options->args[0]) || !make_copy(&e))
		return EXIT_FAILED;
	while (code < 0) {
		if (!run_editor(&e))
			return is_changed(&e) ? keep_copy(&e, "nothing was changed") : EXIT_FAILED;
		if (!is_changed(&e)) {
			complain("unchanged");
			return EXIT_DONE;
		}
		code = decide(&e);
	}
	return code;
}
