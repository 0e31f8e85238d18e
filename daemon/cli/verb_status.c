/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod status` and `topod reload`, both answered by a running daemon. */
#include "cli/daemon_client.h"
#include "report/report.h"

/* ---- status ---- */

struct listing {
	const struct options *options;
	json_t *all; /* with --json */
	size_t n_running, n_known;
	bool failed;
};

static void list_one(void *userdata, const char *topology) {
	struct listing *listing = userdata;
	_cleanup_answer_ struct control_answer answer = {};
	int r = control_call(topology, "org.topod.Status", NULL, DAEMON_TIMEOUT_USEC, &answer);

	listing->n_known++;
	if (r == -ENOENT || r == -ECONNREFUSED)
		return;
	if (r < 0)
		daemon_client_complain(topology, r);
	else if (answer.error)
		daemon_client_complain_error(topology, &answer);
	if (r < 0 || answer.error) {
		listing->failed = true;
		return;
	}
	json_t *status = json_object_get(answer.parameters, "status");
	if (listing->options->json) {
		json_array_append(listing->all, status);
	} else {
		fputs(listing->n_running ? "\n" : "", stdout);
		print_status(status, listing->options);
	}
	listing->n_running++;
}

static int status_of_all(const struct options *options) {
	struct listing listing = { .options = options, .all = options->json ? json_array() : NULL };
	int r = ledger_file_each(list_one, &listing);

	if (r < 0)
		complain("cannot list %s: %s", TOPOD_RUN_DIR, strerror(-r));
	else if (!listing.n_running && !listing.failed)
		complain("no topod is running");
	if (options->json)
		print_json(json_pack("{s:o}", "topologies", listing.all));
	return r == 0 && listing.n_running && !listing.failed ? EXIT_DONE : EXIT_FAILED;
}

int verb_status(const struct options *options) {
	_cleanup_answer_ struct control_answer answer = {};
	_cleanup_free_ char *topology = NULL;

	if (!options->n_args)
		return status_of_all(options);
	topology = daemon_client_topology(options);
	if (!topology || !ask(topology, "Status", NULL, DAEMON_TIMEOUT_USEC, &answer))
		return EXIT_FAILED;
	if (options->json)
		print_json(json_incref(json_object_get(answer.parameters, "status")));
	else
		print_status(json_object_get(answer.parameters, "status"), options);
	return EXIT_DONE;
}

/* ---- reload ---- */

static int print_refused(const char *topology, const json_t *parameters, const struct options *options) {
	const char *diagnostics = json_string_value(json_object_get(parameters, "diagnostics"));

	if (options->json)
		print_json(json_incref(json_object_get(parameters, "check")));
	fputs(diagnostics ? diagnostics : "", stderr);
	complain("'%s': the file was refused, nothing was changed", topology);
	return EXIT_SPEC;
}

int print_outcome(const json_t *status, const char *what, const struct options *options) {
	_cleanup_(arena_done) struct arena arena = {};
	struct report_status all;
	bool good;

	if (report_status_from_json(status, &arena, &all) < 0) {
		complain("cannot parse the answer");
		return EXIT_FAILED;
	}
	good = streq(all.state, "converged") || all.paused_until_usec;
	if (options->json)
		print_json(json_deep_copy(status));
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
	r = control_call(topology, "org.topod.Reload", NULL, UINT64_MAX, &answer);
	if (r == 0 && answer.error && streq(answer.error, "org.topod.SpecRefused"))
		return print_refused(topology, answer.parameters, options);
	if (r == 0 && !answer.error)
		return print_outcome(json_object_get(answer.parameters, "status"), "reloaded", options);
	if (r < 0)
		daemon_client_complain(topology, r);
	else
		daemon_client_complain_error(topology, &answer);
	return EXIT_FAILED;
}
