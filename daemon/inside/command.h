/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that this process becomes: its user, its environment, and the shell if no command is given.
 *
 * It knows nothing about namespaces.
 */
#pragma once

#include <sys/types.h>

#include "base/base.h"

/* As in a shell, env(1) and nsenter(1). */
enum {
	COMMAND_NOT_STARTED = 125, /* something before it failed */
	COMMAND_CANNOT_RUN = 126,
	COMMAND_NOT_FOUND = 127,
};

struct command_user {
	char *name, *home, *shell; /* NULL: no change of the user */
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	int n_groups;
};

/* Looks up a user by name or number, with the groups. Do it before entering a namespace, from which the user database may be
 * out of reach. False: there is no such user. Free with command_user_done(). */
bool command_user_find(const char *user, struct command_user *ret);
void command_user_done(struct command_user *user);
#define _cleanup_command_user_ _cleanup_(command_user_done)

/* Replaces the process by args, a list that ends with NULL. An empty list is a shell: the user's or $SHELL, with the label
 * in its prompt if it is interactive. user: NULL for no change. Returns only if that fails: one of the numbers above, and
 * in *ret_problem a sentence that the caller frees. */
int command_exec(char **args, const struct command_user *user, const char *label, char **ret_problem);
