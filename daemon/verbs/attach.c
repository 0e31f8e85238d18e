/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `topod attach` and `topod detach`: tell the daemon of a namespace that something else made.
 *
 * Callers start a service or a container and must not be delayed: if no daemon runs, a note is left for the next one, and if
 * the network is not complete in time, this is only reported.
 */
#include <fcntl.h>

#include "attach/note.h"
#include "attach/owner.h"
#include "cli/daemon_client.h"
#include "files/ledger_file.h"
#include "kernel/named_netns.h"
#include "verbs/verbs.h"

enum { ATTACH_TIMEOUT_USEC = 2500 * 1000 }; /* the daemon answers within two seconds, unless it is busy or stuck */

/* ---- asking all daemons ---- */

struct asking {
	const char *method, *ns;
	const struct attach_call *call; /* NULL: Detach */
	bool done, failed;              /* a daemon has the namespace: it carried out the call, or refused it */
	bool verified;
	bool absent; /* a topology has no daemon, or one that does not answer */
	bool quiet;
	size_t n; /* daemons that do not declare the namespace */
};

static json_t *parameters_of(const struct asking *asking, int *fds, size_t *n_fds) {
	json_t *parameters = json_pack("{s:s}", "namespace", asking->ns);

	*n_fds = 0;
	if (!asking->call)
		return parameters;
	fds[(*n_fds)++] = asking->call->netns;
	json_object_set_new(parameters, "descriptor", json_integer(0));
	if (asking->call->path)
		json_object_set_new(parameters, "path", json_string(asking->call->path));
	else
		json_object_set_new(parameters, "owner", json_integer((json_int_t)*n_fds));
	if (!asking->call->path)
		fds[(*n_fds)++] = asking->call->owner;
	return parameters;
}

static void ask_one(void *userdata, const char *topology) {
	struct asking *asking = userdata;
	_cleanup_answer_ struct control_answer answer = {};
	int fds[CONTROL_FDS_MAX], r;
	size_t n_fds;

	if (asking->done || asking->failed)
		return;
	json_t *parameters = parameters_of(asking, fds, &n_fds);
	r = control_call_with(topology, asking->method, parameters, fds, n_fds, ATTACH_TIMEOUT_USEC, &answer);
	if (r == -ENOENT || r == -ECONNREFUSED || r == -ECONNRESET || r == -ETIMEDOUT) {
		asking->absent = true;
		if (r == -ETIMEDOUT)
			daemon_client_complain(topology, r);
	} else if (r < 0) {
		daemon_client_complain(topology, r);
		asking->failed = true;
	} else if (!answer.error) {
		asking->done = true;
		asking->verified = json_is_true(json_object_get(answer.parameters, "verified"));
	} else if (streq(answer.error, "org.topod.NotDeclared")) {
		asking->n++;
	} else {
		const char *reason = json_string_value(json_object_get(answer.parameters, "reason"));

		asking->failed = true;
		if (asking->quiet)
			return;
		if (streq(answer.error, "org.topod.NotAttached"))
			complain("nothing is attached as '%s'", asking->ns);
		else if (reason)
			complain("%s", reason);
		else
			daemon_client_complain_error(topology, &answer);
	}
}

/* ---- the namespace, and whose it is ---- */

static bool complain_about(int r, const char *what) {
	if (r < 0)
		complain("cannot open %s: %s", what, strerror(-r));
	return r == 0;
}

static bool open_process(pid_t pid, struct attach_call *call) {
	_cleanup_free_ char *what = xasprintf("the namespace of process %d", (int)pid);
	struct process process;
	int r = process_hold(pid, &process);

	call->owner = process.pidfd;
	if (r == -ESRCH)
		complain("there is no process %d", (int)pid);
	if (r == -ESRCH)
		return false;
	return complain_about(r ? r : process_netns(&process, &call->netns), what);
}

/* The caller's own namespace. It belongs to the caller's control group, which is that of a service if we run in its
 * ExecStartPre=; without one, to the process that started us. */
static bool open_own(struct attach_call *call) {
	_cleanup_free_ char *group = control_group_of_process(getpid());
	struct process parent = PROCESS_NONE;
	int r = 0;

	call->netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (call->netns < 0)
		return complain_about(-errno, "the network namespace");
	call->owner = group ? control_group_open(group) : -1;
	if (call->owner < 0) {
		r = process_hold(getppid(), &parent);
		call->owner = parent.pidfd;
	}
	return complain_about(r, "the process that called topod");
}

/* ---- verbs ---- */

static int leave_note(const char *ns, const struct attach_call *call, bool quiet) {
	int r = note_leave(ns, call);

	if (r < 0) {
		complain("no topod is running, and a note for the next one cannot be left in " TOPOD_RUN_DIR ": %s",
			 strerror(-r));
		return EXIT_FAILED;
	}
	if (!quiet)
		printf("%s: no running topod declares it; the next one attaches it\n", ns);
	return EXIT_DONE;
}

static int attach(const char *ns, const struct attach_call *call, bool quiet) {
	struct asking asking = { .method = "org.topod.Attach", .ns = ns, .call = call };

	(void)ledger_file_each(ask_one, &asking); /* on error, none is asked */
	if (asking.failed)
		return EXIT_FAILED;
	if (asking.done && !(quiet && asking.verified))
		fprintf(quiet ? stderr : stdout, "%s: attached%s\n", ns,
			asking.verified ? "" : "; its network is not complete yet");
	if (asking.done)
		return EXIT_DONE;
	if (!asking.n || asking.absent)
		return leave_note(ns, call, quiet);
	complain("no running topology declares the namespace '%s' with 'attach'", ns);
	return EXIT_FAILED;
}

static bool is_name(const char *ns) {
	const char *why;

	if (file_name_valid(ns, &why) && ns[0] != '.')
		return true;
	complain("'%s' is not the name of a namespace", ns);
	return false;
}

int attach_process(const char *ns, pid_t pid, bool quiet) {
	struct attach_call call = { .netns = -1, .owner = -1 };
	int code = EXIT_FAILED;

	if (!is_name(ns))
		return EXIT_USAGE;
	if (netns_init() == 0 && (pid ? open_process(pid, &call) : open_own(&call)))
		code = attach(ns, &call, quiet);
	closep(&call.netns);
	closep(&call.owner);
	return code;
}

int attach_path(const char *ns, const char *path) {
	_cleanup_free_ char *whole = realpath(path, NULL);
	struct attach_call call = { .netns = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), .owner = -1, .path = whole };
	int code = EXIT_FAILED;

	if (!is_name(ns))
		return EXIT_USAGE;
	if (complain_about(call.netns < 0 || !whole ? -errno : 0, path) && netns_init() == 0)
		code = attach(ns, &call, true);
	closep(&call.netns);
	return code;
}

int verb_attach(const struct options *options) {
	return attach_process(options->args[0], options->pid, false);
}

void detach_if_attached(const char *ns) {
	struct asking asking = { .method = "org.topod.Detach", .ns = ns, .quiet = true };

	if (!is_name(ns))
		return;
	note_drop(ns);
	(void)ledger_file_each(ask_one, &asking);
}

int verb_detach(const struct options *options) {
	struct asking asking = { .method = "org.topod.Detach", .ns = options->args[0] };

	if (!is_name(asking.ns))
		return EXIT_USAGE;
	note_drop(asking.ns);
	(void)ledger_file_each(ask_one, &asking); /* on error, none is asked */
	if (asking.done)
		printf("%s: detached\n", asking.ns);
	else if (!asking.failed && asking.n)
		complain("no running topology declares the namespace '%s' with 'attach'", asking.ns);
	else if (!asking.failed)
		complain("no topod is running");
	return asking.done ? EXIT_DONE : EXIT_FAILED;
}
