/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system calls are called through syscall(2), because glibc has wrappers for them only since 2.36. */
#include "inside/prompt.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "files/text_file.h"

/* The files find the label in TOPOD_PROMPT and close descriptor 9. It has one digit, because only bash can close others. */
enum { PROMPT_FD = 9 };
#define PROMPT_DIR "/proc/self/fd/9"

/* Something may set the prompt again each time (a theme, the state of a git directory): bash and zsh look before each. */
static const char bash_file[] = "exec 9<&-\n"
				"[ -f ~/.bashrc ] && . ~/.bashrc\n"
				"_topod_label=$TOPOD_PROMPT\n"
				"unset TOPOD_PROMPT\n"
				"_topod_prompt() { case $PS1 in \"$_topod_label\"*) ;; *) PS1=$_topod_label$PS1 ;; esac; }\n"
				"PROMPT_COMMAND=${PROMPT_COMMAND-}$'\\n'_topod_prompt\n";

/* zsh takes all its files from ZDOTDIR, which the user's .zshenv may set too. */
static const char zsh_first_file[] = "_topod_dir=$ZDOTDIR\n"
				     "if [[ -n ${TOPOD_ZDOTDIR-} ]]; then ZDOTDIR=$TOPOD_ZDOTDIR; else unset ZDOTDIR; fi\n"
				     "unset TOPOD_ZDOTDIR\n"
				     "[[ -f ${ZDOTDIR-$HOME}/.zshenv ]] && . ${ZDOTDIR-$HOME}/.zshenv\n"
				     "_topod_user_dir=${ZDOTDIR-}\n"
				     "ZDOTDIR=$_topod_dir\n";
static const char zsh_file[] = "exec 9<&-\n"
			       "if [[ -n $_topod_user_dir ]]; then ZDOTDIR=$_topod_user_dir; else unset ZDOTDIR; fi\n"
			       "unset _topod_dir _topod_user_dir\n"
			       "[[ -f ${ZDOTDIR-$HOME}/.zshrc ]] && . ${ZDOTDIR-$HOME}/.zshrc\n"
			       "_topod_label=$TOPOD_PROMPT\n"
			       "unset TOPOD_PROMPT\n"
			       "_topod_prompt() { [[ $PROMPT == \"$_topod_label\"* ]] || PROMPT=$_topod_label$PROMPT }\n"
			       "precmd_functions+=(_topod_prompt)\n";

/* Every other shell of the Bourne family reads $ENV if it is interactive (POSIX, sh). */
static const char sh_file[] = "exec 9<&-\n"
			      "unset ENV\n"
			      "if [ -n \"${TOPOD_ENV-}\" ]; then ENV=$TOPOD_ENV; fi\n"
			      "unset TOPOD_ENV\n"
			      "if [ -r \"${ENV-}\" ]; then . \"$ENV\"; fi\n"
			      "PS1=$TOPOD_PROMPT${PS1-'$ '}\n"
			      "unset TOPOD_PROMPT\n";

/* Returns its root directory or -errno. */
static int make_tmpfs(void) {
	_cleanup_close_ int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	int fd;

	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
	    syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return fd < 0 ? -errno : fd;
}

static bool write_file(int dir, const char *name, const char *text) {
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	return fd >= 0 && fchmod(fd, 0444) == 0 && text_file_write(fd, text, -EIO) == 0;
}

/* Shells expand special characters in a prompt, so only harmless ones are kept. */
static void set_label(const char *label) {
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@+- ";
	_cleanup_free_ char *text = xasprintf("[%s] ", label);

	for (char *at = text + 1; at[2]; at++)
		if (!strchr(harmless, *at))
			*at = '?';
	setenv("TOPOD_PROMPT", text, 1);
}

/* The variable leads the shell to our files; `former` keeps its value for them. */
static void divert(const char *name, const char *former, const char *value) {
	const char *before = getenv(name);

	if (before)
		setenv(former, before, 1);
	else
		unsetenv(former);
	setenv(name, value, 1);
}

char **prompt_prepare(const char *shell, const char *label) {
	static char option[] = "--rcfile", file[] = PROMPT_DIR "/bashrc"; /* execvp(3) wants them writable */
	static char *bash_args[] = { option, file, NULL };
	static char *no_args[] = { NULL };
	const char *slash = strrchr(shell, '/'), *name = slash ? slash + 1 : shell;
	_cleanup_close_ int dir = make_tmpfs();

	if (dir < 0 || !write_file(dir, "bashrc", bash_file) || !write_file(dir, ".zshenv", zsh_first_file) ||
	    !write_file(dir, ".zshrc", zsh_file) || !write_file(dir, "shrc", sh_file))
		return no_args;
	if (fcntl(PROMPT_FD, F_GETFD) >= 0 || dup2(dir, PROMPT_FD) < 0)
		return no_args; /* the caller uses that descriptor to pass something to the shell */
	set_label(label);
	if (streq(name, "bash"))
		return bash_args;
	if (streq(name, "zsh"))
		divert("ZDOTDIR", "TOPOD_ZDOTDIR", PROMPT_DIR);
	else
		divert("ENV", "TOPOD_ENV", PROMPT_DIR "/shrc");
	return no_args;
}
