/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/daemon_client.h"

#include "report/report.h"
#include "cli/patience.h"
#include "cli/spec_argument.h"
#include "files/ledger_file.h"
#include "session/topology.h"

void daemon_client_complain(const char *topology, int r) {
	switch (r) {
	case -ENOENT:
	case -ECONNREFUSED:
		complain("no topod is running for '%s'", topology);
		return;
	case -EACCES:
		complain("permission denied: to query the topod of '%s' you must be root or a member of the group '%s'",
			 topology, CONTROL_GROUP);
		return;
	case -ETIMEDOUT:
		complain("the topod of '%s' does not answer; it may be busy", topology);
		return;
	case -ECONNRESET:
	case -EPIPE:
		complain("the topod of '%s' ended before it answered", topology);
		return;
	case -EBADMSG:
		complain("the process on the control socket of '%s' does not speak topod's protocol", topology);
		return;
	}
	_cleanup_free_ char *what = xasprintf("ask the topod of '%s'", topology);
	_cleanup_free_ char *problem = topology_problem(what, r);
	complain("%s", problem);
}

void daemon_client_complain_error(const char *topology, const struct control_answer *answer) {
	const char *parameter = json_string_value(json_object_get(answer->parameters, "parameter"));
	const char *error = startswith(answer->error, "org.varlink.service.");

	if (!error)
		error = answer->error;
	if (streq(error, "PermissionDenied"))
		complain("permission denied: the topod of '%s' accepts this only from root and its own user; "
			 "members of the group '%s' may only read",
			 topology, CONTROL_GROUP);
	else if (streq(error, "MethodNotFound") || streq(error, "InterfaceNotFound"))
		complain("the topod of '%s' has another version and does not know this request", topology);
	else if (streq(error, "InvalidParameter") && parameter)
		complain("the topod of '%s' does not take this '%s'", topology, parameter);
	else if (streq(error, "org.topod.Stopping"))
		complain("the topod of '%s' is stopping", topology);
	else
		complain("the topod of '%s' refuses: %s", topology, error);
}

bool answered(const char *topology, int r, const struct control_answer *answer) {
	if (r < 0)
		daemon_client_complain(topology, r);
	else if (answer->error)
		daemon_client_complain_error(topology, answer);
	return r == 0 && !answer->error;
}

bool ask(const char *topology, const char *method, json_t *parameters, uint64_t timeout_usec, struct control_answer *ret) {
	_cleanup_free_ char *name = xasprintf("org.topod.%s", method);

	return answered(topology, control_call(topology, name, parameters, timeout_usec, ret), ret);
}

/* ---- calls that take long ---- */

/* Waits for events and passes on those that have been received. False: the stream has ended, or the time is over. */
static bool hear(struct control_client *stream, uint64_t timeout_usec, struct patience *patience) {
	bool more;

	do {
		_cleanup_answer_ struct control_answer answer = {};
		int r = control_next(stream, -1, timeout_usec, &answer);

		if (r == 0)
			patience_event(patience, json_object_get(answer.parameters, "event"));
		more = r == 0 && answer.continues;
	} while (more && stream->in.size && memchr(stream->in.data, '\0', stream->in.size));
	return more;
}

/* Opens the stream of events and skips the first one, which is the state before the call. */
static void listen_to(const char *topology, struct control_client *stream, struct patience *patience) {
	if (control_open(topology, stream) < 0 || control_send(stream, "org.topod.Watch", NULL, true) < 0 ||
	    !hear(stream, PATIENCE_USEC, patience))
		control_close(stream);
	patience_reason(patience, NULL);
}

int ask_patiently(const char *topology, const char *method, const struct options *options, struct control_answer *ret) {
	_cleanup_patience_ struct patience patience = { .topology = topology, .options = options };
	_cleanup_client_ struct control_client client = CONTROL_CLIENT_NONE, stream = CONTROL_CLIENT_NONE;
	_cleanup_free_ char *name = xasprintf("org.topod.%s", method);
	int r = control_open(topology, &client);

	*ret = (struct control_answer){};
	if (r < 0)
		return r;
	patience.speak_usec = now_monotonic() + PATIENCE_USEC;
	listen_to(topology, &stream, &patience);
	r = control_send(&client, name, NULL, false);
	while (r == 0) {
		r = control_next(&client, stream.fd, time_left(patience_due(&patience)), ret);
		if (r != -ECANCELED && r != -ETIMEDOUT)
			return r;
		if (r == -ECANCELED && !hear(&stream, UINT64_MAX, &patience))
			control_close(&stream);
		patience_speak(&patience);
		r = 0;
	}
	return r;
}

/* ---- which topology ---- */

bool daemon_client_names_file(const char *argument) {
	const char *dot = strrchr(argument, '.');

	return strchr(argument, '/') || (dot && (streq(dot, ".yaml") || streq(dot, ".yml")));
}

/* The topology's name in the file, or the one that follows from the file's name. */
static char *name_in(const char *path, bool *ret_named) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	bool good = spec_file_load(path, SPEC_FILE_NAME, &loaded);

	*ret_named = loaded.spec.named;
	if (good || loaded.spec.topology)
		return xstrdup(loaded.spec.topology);
	return spec_file_topology(path);
}

struct search {
	const char *path;
	char *found;
	char *other; /* the first other file that a daemon manages */
};

static void compare(void *userdata, const char *topology) {
	struct search *search = userdata;
	_cleanup_answer_ struct control_answer answer = {};
	const char *file;

	if (search->found || control_call(topology, "org.topod.Status", NULL, DAEMON_TIMEOUT_USEC, &answer) < 0)
		return;
	file = json_string_value(json_object_get(json_object_get(answer.parameters, "status"), "file"));
	if (file && spec_file_same(file, search->path))
		search->found = xstrdup(topology);
	else if (file && !search->other)
		search->other = xstrdup(file);
}

/* The daemon that manages the file is meant, even if the file is invalid by now or names another topology. So the name in
 * the file only says which daemon to ask first. */
static char *topology_of_file(const char *argument) {
	bool named;
	_cleanup_free_ char *path = spec_file_absolute(argument), *name = name_in(argument, &named), *other = NULL;
	struct search search = { .path = path };

	compare(&search, name);
	other = TAKE_PTR(search.other);
	if (!search.found)
		(void)ledger_file_each(compare, &search); /* on error, none is found */
	free(search.other);
	if (search.found)
		return search.found;
	if (named || !other)
		return TAKE_PTR(name);
	complain("the topod of '%s' manages %s; %s only has the same file name", name, other, path);
	hint("for that one, write '%s' instead of the file", name);
	return NULL;
}

struct choice {
	char *only;
	struct text names; /* of all: "lab, office" */
	size_t n;
};

/* A daemon that answers is running. If it refuses this caller, the verb's own call reports that. */
static void choose(void *userdata, const char *topology) {
	struct choice *choice = userdata;
	_cleanup_answer_ struct control_answer answer = {};
	int r = control_call(topology, "org.topod.Status", NULL, DAEMON_TIMEOUT_USEC, &answer);

	if (r < 0 && r != -EACCES)
		return;
	if (!choice->n++)
		choice->only = xstrdup(topology);
	text_add(&choice->names, choice->names.size ? ", " : "");
	text_add(&choice->names, topology);
}

char *daemon_client_manager(const char *argument) {
	_cleanup_free_ char *written = spec_argument(argument), *path = spec_file_absolute(written);
	_cleanup_answer_ struct control_answer answer = {};
	struct search search = { .path = path };

	if (!daemon_client_names_file(argument) &&
	    control_call(argument, "org.topod.Status", NULL, DAEMON_TIMEOUT_USEC, &answer) == 0 && !answer.error)
		return xstrdup(argument);
	(void)ledger_file_each(compare, &search); /* on error, none is found */
	free(search.other);
	return search.found;
}

/* The name of a topology comes first; else a NAME means the file of the service, which may give another name. */
static char *topology_of_argument(const char *argument) {
	_cleanup_free_ char *path = spec_argument(argument);
	_cleanup_close_ int fd = -1;

	if (daemon_client_names_file(argument))
		return topology_of_file(argument);
	return streq(path, argument) || ledger_file_open_dir(argument, &fd) == 0 ? xstrdup(argument)
										 : topology_of_file(path);
}

char *daemon_client_topology(const struct options *options) {
	struct choice choice = {};

	if (options->n_args)
		return topology_of_argument(options->args[0]);
	(void)ledger_file_each(choose, &choice); /* on error, none is found */
	if (choice.n != 1)
		free(TAKE_PTR(choice.only));
	if (choice.n > 1)
		complain("several topologies are running: %s; say which one", choice.names.data);
	else if (!choice.n)
		complain("no topod is running");
	text_done(&choice.names);
	return choice.only;
}

/* ---- answers ---- */

bool print_status(const json_t *json, const struct options *options) {
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_text_ struct text text = {};
	struct report_status status;

	if (report_status_from_json(json, &arena, &status) < 0) {
		complain("cannot parse the answer");
		return false;
	}
	report_status_text(&status, now_realtime(), color_on(options, stdout), &text);
	fputs(text_str(&text), stdout);
	return true;
}
