/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod status` and `topod reload`: what is asked of a running daemon. */
#include "control_client.h"
#include "report.h"
#include "verbs.h"

enum { STATUS_TIMEOUT_USEC = 10 * 1000 * 1000 }; /* a long pass lets it wait */

/* ---- asking ---- */

static void complain_call(const char *topology, int r) {
	switch (r) {
	case -ENOENT:
	case -ECONNREFUSED:
		complain("no topod runs for '%s'", topology);
		return;
	case -ETIMEDOUT:
		complain("the topod of '%s' does not answer; it may be in the middle of long work", topology);
		return;
	case -ECONNRESET:
		complain("the topod of '%s' ended before it answered", topology);
		return;
	case -EBADMSG:
		complain("what listens for '%s' does not speak as topod", topology);
		return;
	}
	_cleanup_free_ char *what = xasprintf("ask the topod of '%s'", topology);
	_cleanup_free_ char *problem = session_problem(what, r);
	complain("%s", problem);
}

/* True where the daemon answered with a result; what else it says is told. */
static bool ask(const char *topology, const char *method, uint64_t timeout_usec, struct control_answer *ret) {
	int r = control_call(topology, method, timeout_usec, ret);

	if (r < 0)
		complain_call(topology, r);
	else if (ret->error)
		complain("the topod of '%s' refuses: %s", topology, ret->error);
	return r == 0 && !ret->error;
}

static void print_status(const json_t *json, const struct options *options) {
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_text_ struct text text = {};
	struct report_status status;

	if (report_status_from_json(json, &arena, &status) < 0) {
		complain("the answer cannot be understood");
		return;
	}
	report_status_text(&status, now_realtime(), color_on(options, stdout), &text);
	fputs(text_str(&text), stdout);
}

/* ---- status ---- */

struct listing {
	const struct options *options;
	json_t *all;              /* with --json */
	size_t n_running, n_known;
	bool failed;
};

static void list_one(void *userdata, const char *topology) {
	struct listing *listing = userdata;
	_cleanup_answer_ struct control_answer answer = {};
	int r = control_call(topology, "org.topod.Status", STATUS_TIMEOUT_USEC, &answer);

	listing->n_known++;
	if (r == -ENOENT || r == -ECONNREFUSED)
		return;
	if (r < 0 || answer.error) {
		complain_call(topology, r < 0 ? r : -EBADMSG);
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
		complain("no topod runs here");
	if (options->json)
		print_json(json_pack("{s:o}", "topologies", listing.all));
	return r == 0 && listing.n_running && !listing.failed ? EXIT_DONE : EXIT_FAILED;
}

int verb_status(const struct options *options) {
	_cleanup_answer_ struct control_answer answer = {};
	_cleanup_free_ char *topology = NULL;

	if (!options->n_args)
		return status_of_all(options);
	topology = topology_of_argument(options->args[0]);
	if (!ask(topology, "org.topod.Status", STATUS_TIMEOUT_USEC, &answer))
		return EXIT_FAILED;
	if (options->json)
		print_json(json_incref(json_object_get(answer.parameters, "status")));
	else
		print_status(json_object_get(answer.parameters, "status"), options);
	return EXIT_DONE;
}

/* ---- reload ---- */

struct choice {
	char *only;
	size_t n;
};

static void choose(void *userdata, const char *topology) {
	struct choice *choice = userdata;
	_cleanup_answer_ struct control_answer answer = {};

	if (control_call(topology, "org.topod.Status", STATUS_TIMEOUT_USEC, &answer) < 0)
		return;
	if (!choice->n++)
		choice->only = xstrdup(topology);
}

/* The one that runs, where there is but one. NULL, and why was told. */
static char *only_running(void) {
	struct choice choice = {};

	(void)ledger_file_each(choose, &choice); /* where that fails, none is found */
	if (choice.n == 1)
		return choice.only;
	if (choice.n)
		complain("more than one topod runs here; say which topology");
	else
		complain("no topod runs here");
	free(choice.only);
	return NULL;
}

static int print_refused(const char *topology, const json_t *parameters, const struct options *options) {
	const char *diagnostics = json_string_value(json_object_get(parameters, "diagnostics"));

	if (options->json)
		print_json(json_incref(json_object_get(parameters, "check")));
	fputs(diagnostics ? diagnostics : "", stderr);
	complain("'%s': the file was refused, nothing was changed", topology);
	return EXIT_SPEC;
}

static int print_reloaded(const json_t *status, const struct options *options) {
	_cleanup_(arena_done) struct arena arena = {};
	struct report_status all;

	if (report_status_from_json(status, &arena, &all) < 0) {
		complain("the answer cannot be understood");
		return EXIT_FAILED;
	}
	if (options->json)
		print_json(json_deep_copy(status));
	else if (streq(all.state, "converged"))
		printf("%s: reloaded; converged\n", all.topology);
	else
		print_status(status, options);
	return streq(all.state, "converged") ? EXIT_DONE : EXIT_FAILED;
}

int verb_reload(const struct options *options) {
	_cleanup_answer_ struct control_answer answer = {};
	_cleanup_free_ char *topology = options->n_args ? topology_of_argument(options->args[0]) : only_running();
	int r;

	if (!topology)
		return EXIT_FAILED;
	r = control_call(topology, "org.topod.Reload", UINT64_MAX, &answer);
	if (r == 0 && answer.error && streq(answer.error, "org.topod.SpecRefused"))
		return print_refused(topology, answer.parameters, options);
	if (r == 0 && !answer.error)
		return print_reloaded(json_object_get(answer.parameters, "status"), options);
	if (r < 0)
		complain_call(topology, r);
	else
		complain("the topod of '%s' does not reload: %s", topology, answer.error);
	return EXIT_FAILED;
}
