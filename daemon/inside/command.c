/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inside/command.h"

#include <grp.h>
#include <pwd.h>

#include "inside/prompt.h"

/* ---- the user ---- */

static const struct passwd *look_up(const char *user) {
	const struct passwd *found = getpwnam(user);
	char *end;
	unsigned long number;

	if (found || *user < '0' || *user > '9')
		return found;
	errno = 0;
	number = strtoul(user, &end, 10);
	return *end || errno || number >= (uid_t)-1 ? NULL : getpwuid((uid_t)number);
}

bool command_user_find(const char *user, struct command_user *ret) {
	const struct passwd *found = look_up(user);
	int n = 0;

	*ret = (struct command_user){};
	if (!found)
		return false;
	*ret = (struct command_user){
		.name = xstrdup(found->pw_name),
		.home = xstrdup(found->pw_dir),
		.shell = xstrdup(found->pw_shell && *found->pw_shell ? found->pw_shell : "/bin/sh"),
		.uid = found->pw_uid,
		.gid = found->pw_gid,
	};
	getgrouplist(ret->name, ret->gid, NULL, &n);
	ret->groups = xmalloc((size_t)n * sizeof(gid_t));
	ret->n_groups = n;
	return getgrouplist(ret->name, ret->gid, ret->groups, &ret->n_groups) >= 0;
}

void command_user_done(struct command_user *user) {
	free(user->name);
	free(user->home);
	free(user->shell);
	free(user->groups);
	*user = (struct command_user){};
}

/* Sets the environment as su(1) does without --login. */
static int become(const struct command_user *user) {
	if (setgroups((size_t)user->n_groups, user->groups) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	setenv("HOME", user->home, 1);
	setenv("SHELL", user->shell, 1);
	setenv("USER", user->name, 1);
	setenv("LOGNAME", user->name, 1);
	return 0;
}

/* ---- the command ---- */

static const char *choose_shell(const struct command_user *user) {
	const char *own = getenv("SHELL");
	const struct passwd *found;

	if (user)
		return user->shell;
	if (own && *own == '/' && access(own, X_OK) == 0)
		return own;
	found = getpwuid(geteuid());
	return found && found->pw_shell && access(found->pw_shell, X_OK) == 0 ? found->pw_shell : "/bin/sh";
}

int command_exec(char **args, const struct command_user *user, const char *label, char **ret_problem) {
	_cleanup_free_ char *shell = *args ? NULL : xstrdup(choose_shell(user));
	const char *program = shell ? shell : *args;
	char **more = shell && isatty(STDIN_FILENO) ? prompt_prepare(shell, label) : (char *[]){ NULL };
	char *shell_args[] = { shell, more[0], more[0] ? more[1] : NULL, NULL };
	int r = user ? become(user) : 0;

	if (r < 0) {
		*ret_problem = xasprintf("cannot become user '%s': %s%s", user->name, strerror(-r),
					 r == -EINVAL ? " (the user does not exist in this user namespace)" : "");
		return COMMAND_NOT_STARTED;
	}
	execvp(program, shell ? shell_args : args);
	r = errno == ENOENT ? COMMAND_NOT_FOUND : COMMAND_CANNOT_RUN;
	*ret_problem = xasprintf("cannot run '%s': %s", program, strerror(errno));
	return r;
}
