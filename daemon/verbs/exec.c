/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod exec`: becomes a command or a shell in a namespace. */
#include "cli/process.h"
#include "verbs/verbs.h"
#include "inside/command.h"
#include "inside/enter.h"
#include "kernel/named_netns.h"

/* The namespace to enter. */
struct place {
	struct arena arena;
	int fd;           /* -1: the current one */
	const char *name; /* in /run/netns; NULL: it has none */
	char *label;      /* for the prompt, and for messages */
};
#define PLACE_NONE ((struct place){ .fd = -1 })

static void place_done(struct place *place) {
	closep(&place->fd);
	free(place->label);
	arena_done(&place->arena);
}

static void no_such_name(const char *name) {
	_cleanup_(arena_done) struct arena arena = {};
	struct suggestion meant = suggest_for(name);

	for (const char **known = netns_names(&arena); *known; known++)
		suggest(&meant, *known);
	complain_unknown(&meant, "there is no namespace '%s'", name);
	hint("namespaces are those in " NETNS_DIR ", as for `ip netns`; use --pid PID for that of a process");
}

static bool find_name(const char *name, struct place *place) {
	const char *problem = NULL;
	int r = strchr(name, '/') || streq(name, ".") || streq(name, "..") || !*name
			? -ENOENT
			: netns_open(name, &place->fd, &problem);

	if (r == -ENOENT && streq(name, NS_HOST))
		r = 0; /* where we are */
	else if (r == 0)
		place->name = name;
	if (r == -ENOENT)
		no_such_name(name);
	else if (r < 0)
		complain("cannot open namespace '%s': %s", name, problem ? problem : strerror(-r));
	place->label = xstrdup(name);
	return r == 0;
}

static bool find_pid(pid_t pid, struct place *place) {
	int r = inside_open_pid(pid, &place->fd);

	if (r == -ESRCH)
		complain("there is no process %d", (int)pid);
	else if (r < 0)
		complain("cannot open the namespace of process %d: %s (this needs root or the process's user)", (int)pid,
			 strerror(-r));
	if (r < 0)
		return false;
	place->name = netns_name_of_fd(place->fd, &place->arena);
	place->label = place->name ? xstrdup(place->name) : xasprintf("pid %d", (int)pid);
	return true;
}

static bool enter(const struct place *place, pid_t pid) {
	_cleanup_text_ struct text warnings = {};
	int r = place->fd < 0 ? 0 : inside_enter(place->fd, pid, place->name, &warnings);

	print_warnings(text_str(&warnings));
	if (r < 0)
		complain("cannot enter the namespace '%s': %s", place->label, strerror(-r));
	if (r == -EPERM)
		hint("%s", inside_what_is_missing());
	return r == 0;
}

int verb_exec(const struct options *options) {
	_cleanup_(place_done) struct place place = PLACE_NONE;
	_cleanup_command_user_ struct command_user user = {};
	_cleanup_free_ char *problem = NULL;
	int r;

	if (!options->n_args == !options->pid) {
		complain(options->pid ? "either NS or --pid names the namespace, not both" : "`exec` needs NS or --pid");
		return EXIT_USAGE;
	}
	if (options->user && !command_user_find(options->user, &user)) {
		complain("there is no user '%s'", options->user);
		return COMMAND_NOT_STARTED;
	}
	if (!(options->pid ? find_pid(options->pid, &place) : find_name(options->args[0], &place)) ||
	    !enter(&place, options->pid))
		return COMMAND_NOT_STARTED;
	setenv("TOPOD_NAMESPACE", place.label, 1);
	restore_process();
	r = command_exec(options->command, options->user ? &user : NULL, place.label, &problem);
	ignore_signals();
	complain("%s", problem);
	return r;
}
