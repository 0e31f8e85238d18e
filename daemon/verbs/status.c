/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod status` and `topod reload`, both answered by a running daemon. */
#include <time.h>

#include "cli/daemon_client.h"
#include "cli/patience.h"
#include "report/report.h"
#include "run/journal.h"
#include "verbs/verbs.h"

/* ---- status ---- */

struct listing {
	const struct options *options;
	json_t *all; /* with --json */
	size_t n_running;
	int code; /* the worst so far */
};

static bool is_absent(int r) {
	return r == -ENOENT || r == -ECONNREFUSED;
}

static int code_of(const json_t *status) {
	const char *state = json_string_value(json_object_get(status, "state"));

	if (json_integer_value(json_object_get(status, "paused_until_usec")) > 0)
		return EXIT_PAUSED;
	return streq_ptr(state, "converged") ? EXIT_DONE : streq_ptr(state, "degraded") ? EXIT_DEGRADED : EXIT_CONVERGING;
}

/* The worst first. */
static int worse(int a, int b) {
	static const int order[] = { EXIT_FAILED, EXIT_DEGRADED, EXIT_CONVERGING, EXIT_PAUSED, EXIT_NOT_RUNNING };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return EXIT_DONE;
}

/* ---- waiting ---- */

enum { ABSENT_PAUSE_NSEC = 100 * 1000 * 1000 }; /* between two tries while no daemon runs */

/* Is it what the user waits for? A pause ends by itself, so nobody waits for its end. */
static bool is_awaited(const json_t *status, const char *awaited) {
	int code = code_of(status);

	return code == EXIT_DONE || code == EXIT_PAUSED || (streq(awaited, "settled") && code == EXIT_DEGRADED);
}

/* Waits for the next event that can change the state. False: the connection ended, or the time is up. */
static bool wait_for_event(struct control_client *client, uint64_t deadline, struct patience *patience) {
	bool more = true, changed = false;

	while (more && !changed) {
		_cleanup_answer_ struct control_answer answer = {};
		uint64_t due = patience_due(patience);
		const json_t *event;
		const char *type;
		int r = control_next(client, -1, time_left(MIN(deadline, due)), &answer);

		event = json_object_get(answer.parameters, "event");
		more = r == 0 ? !answer.error : r == -ETIMEDOUT && due < deadline;
		type = json_string_value(json_object_get(event, "type"));
		patience_event(patience, event);
		patience_speak(patience);
		changed = type && (streq(type, "state") || streq(type, "converged") || streq(type, "paused"));
	}
	return changed;
}

/* The stream is opened before the state is queried, so that no change is missed in between. Its first event is the state. */
static void wait_for_state(const char *topology, const struct options *options, uint64_t deadline) {
	_cleanup_patience_ struct patience patience = { .topology = topology,
							.options = options,
							.speak_usec = now_monotonic() + PATIENCE_USEC };

	while (time_left(deadline)) {
		_cleanup_client_ struct control_client client = CONTROL_CLIENT_NONE;
		int r = control_open(topology, &client);

		if (r == 0)
			r = control_send(&client, "org.topod.Watch", NULL, true);
		while (r == 0 && wait_for_event(&client, deadline, &patience)) {
			_cleanup_answer_ struct control_answer answer = {};

			r = control_call(topology, "org.topod.Status", NULL,
					 MIN(time_left(deadline), (uint64_t)DAEMON_TIMEOUT_USEC), &answer);
			if (r == 0 &&
			    (answer.error || is_awaited(json_object_get(answer.parameters, "status"), options->wait)))
				return;
			r = r == -ETIMEDOUT ? 0 : r;
		}
		if (r < 0 && !is_absent(r) && r != -ECONNRESET && r != -EPIPE)
			return; /* the answer to the status reports it */
		patience_reason(&patience, "no daemon runs");
		patience_speak(&patience);
		nanosleep(&(struct timespec){ .tv_nsec = ABSENT_PAUSE_NSEC }, NULL);
	}
}

/* ---- one or all ---- */

/* Prints nothing if no daemon runs. */
static int show_status(const char *topology, struct listing *listing) {
	_cleanup_answer_ struct control_answer answer = {};
	const struct options *options = listing->options;
	json_t *status;
	int r = control_call(topology, "org.topod.Status", NULL, DAEMON_TIMEOUT_USEC, &answer);

	if (is_absent(r))
		return EXIT_NOT_RUNNING;
	if (!answered(topology, r, &answer))
		return EXIT_FAILED;
	status = json_object_get(answer.parameters, "status");
	if (listing->all) {
		json_array_append(listing->all, status); /* printed at the end, all together */
	} else {
		fputs(listing->n_running ? "\n" : "", stdout);
		print_status(status, options);
	}
	listing->n_running++;
	return code_of(status);
}

static uint64_t deadline_of(const struct options *options) {
	return options->timeout_usec ? now_monotonic() + options->timeout_usec : UINT64_MAX;
}

static void list_one(void *userdata, const char *topology) {
	struct listing *listing = userdata;
	int code = show_status(topology, listing);

	if (code != EXIT_NOT_RUNNING)
		listing->code = worse(listing->code, code);
}

struct waiting_for_all {
	const struct options *options;
	uint64_t deadline;
};

static void wait_for_one(void *userdata, const char *topology) {
	const struct waiting_for_all *all = userdata;
	_cleanup_client_ struct control_client client = CONTROL_CLIENT_NONE;

	if (!is_absent(control_open(topology, &client)))
		wait_for_state(topology, all->options, all->deadline);
}

static void print_metrics(const json_t *list) {
	_cleanup_(arena_done) struct arena arena = {};
	struct report_status *all = arena_newn(&arena, struct report_status, json_array_size(list) + 1);
	_cleanup_text_ struct text out = {};
	const json_t *status;
	size_t i, n = 0;

	json_array_foreach(list, i, status)
		n += report_status_from_json(status, &arena, &all[n]) == 0;
	report_metrics(all, n, &out);
	fputs(text_str(&out), stdout);
}

/* Prints what was collected. */
static void print_listing(struct listing *listing) {
	if (listing->options->prometheus) {
		print_metrics(listing->all);
		json_decref(listing->all);
	} else if (listing->all) {
		print_json(json_pack("{s:o}", "topologies", listing->all));
	}
}

static int status_of_all(const struct options *options) {
	bool together = options->json || options->prometheus;
	struct listing listing = { .options = options, .all = together ? json_array() : NULL };
	struct waiting_for_all waiting = { options, deadline_of(options) };
	int r;

	if (options->wait)
		(void)ledger_file_each(wait_for_one, &waiting); /* an error is reported below */
	r = ledger_file_each(list_one, &listing);
	if (r < 0)
		complain("cannot list %s: %s", TOPOD_RUN_DIR, strerror(-r));
	else if (!listing.n_running && listing.code == EXIT_DONE)
		complain("no topod is running");
	print_listing(&listing);
	return r < 0 ? EXIT_FAILED : listing.n_running || listing.code != EXIT_DONE ? listing.code : EXIT_NOT_RUNNING;
}

int verb_status(const struct options *options) {
	struct listing listing = { .options = options };
	_cleanup_free_ char *topology = NULL;
	int code;

	if (options->timeout_usec && !options->wait) {
		complain("--timeout is for --wait");
		return EXIT_USAGE;
	}
	if (!options->n_args)
		return status_of_all(options);
	topology = daemon_client_topology(options);
	if (!topology)
		return EXIT_FAILED;
	if (options->wait)
		wait_for_state(topology, options, deadline_of(options));
	listing.all = options->prometheus || options->json ? json_array() : NULL;
	code = show_status(topology, &listing);
	print_listing(&listing);
	if (code == EXIT_NOT_RUNNING)
		daemon_client_complain(topology, -ENOENT);
	return code;
}

/* ---- reload ---- */

int print_refused(const char *topology, const json_t *parameters, const struct options *options) {
	const char *diagnostics = json_string_value(json_object_get(parameters, "diagnostics"));

	if (options->json)
		print_json(json_pack("{s:[], s:O}", "topologies", "check", json_object_get(parameters, "check")));
	/* As ExecReload= of the service, whose journal has the daemon's messages about it. */
	if (journal_is_services())
		return EXIT_SPEC;
	fputs(diagnostics ? diagnostics : "", stderr);
	complain("'%s': the file was refused, nothing was changed", topology);
	return EXIT_SPEC;
}

int print_outcome(const json_t *answered, const char *what, const struct options *options) {
	json_t *status = (json_t *)(uintptr_t)answered; /* json_pack() counts references */
	bool checked = streq(what, "reloaded");
	_cleanup_(arena_done) struct arena arena = {};
	struct report_status all;
	bool good;

	if (report_status_from_json(status, &arena, &all) < 0) {
		complain("cannot parse the answer");
		return EXIT_FAILED;
	}
	good = streq(all.state, "converged") || all.paused_until_usec;
	if (options->json)
		print_json(checked ? json_pack("{s:[O], s:n}", "topologies", status, "check")
				   : json_pack("{s:[O]}", "topologies", status));
	else if (all.paused_until_usec)
		printf("%s: %s; takes effect when the pause is over, or with `topod resume %s`\n", all.topology, what,
		       all.topology);
	else if (good)
		printf("%s: %s; converged%s%s\n", all.topology, what, all.waits_text ? "; " : "",
		       all.waits_text ? all.waits_text : "");
	else
		print_status(status, options);
	return good ? EXIT_DONE : EXIT_FAILED;
}

int verb_reload(const struct options *options) {
	_cleanup_answer_ struct control_answer answer = {};
	_cleanup_free_ char *topology = daemon_client_topology(options);
	int r;

	if (!topology)
		return EXIT_FAILED;
	r = ask_patiently(topology, "Reload", options, &answer);
	if (r == 0 && answer.error && streq(answer.error, "org.topod.SpecRefused"))
		return print_refused(topology, answer.parameters, options);
	return answered(topology, r, &answer)
		       ? print_outcome(json_object_get(answer.parameters, "status"), "reloaded", options)
		       : EXIT_FAILED;
}
