/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `topod apply` and `topod down`: converge once, to what the file declares or to nothing.
 *
 * Failures are printed at the end, and only those that remain: a change may fail at first and succeed after another one.
 */
#include "cli/patience.h"
#include "cli/process.h"
#include "run/journal.h"
#include "files/error_text.h"
#include "report/report.h"
#include "attach/cdi.h"
#include "verbs/verbs.h"

struct told_failure {
	char *scope, *noun, *text;
};

/* One run of a verb, and its results so far. */
struct work {
	const struct options *options;
	struct topology session;
	struct diags problems;             /* with positions in the file, if there is one */
	vec(struct told_failure) failures; /* the latest text about each object that failed */
	struct topology_source source;
	uint64_t usec;
	struct patience patience;
	bool removes;    /* `down`: nothing may be left */
	json_t *results; /* --json: the list to which this one is added; NULL: it is the only one, and printed */
};

/* ---- while working ---- */

static void failure_done(struct told_failure *failure) {
	free(failure->scope);
	free(failure->noun);
	free(failure->text);
}

static struct told_failure *find_failure(const struct work *work, const char *scope, const char *noun) {
	vec_foreach(failure, &work->failures)
		if (streq(failure->scope, scope) && streq(failure->noun, noun))
			return failure;
	return NULL;
}

static void note_failure(struct work *work, const struct occurrence *occurrence) {
	struct told_failure *known = find_failure(work, occurrence->scope, occurrence->noun);

	if (known) {
		free(known->text);
		known->text = occurrence_bare_text(occurrence);
	} else if (work->failures.n < DIAGS_MAX) {
		vec_push(&work->failures, (struct told_failure){ .scope = xstrdup(occurrence->scope),
								 .noun = xstrdup(occurrence->noun),
								 .text = occurrence_bare_text(occurrence) });
	}
}

static void note_spared(const struct occurrence *occurrence) {
	_cleanup_free_ char *text = occurrence_text(occurrence);

	complain("%s", text);
}

/* Processes that are cut off from a recreated namespace must be restarted. */
static void note_left(struct work *work, const struct occurrence *occurrence) {
	_cleanup_free_ char *text = occurrence->left ? occurrence_bare_text(occurrence) : NULL;

	if (text)
		diag_warning(&work->problems, occurrence->position, "%s", text);
}

static void occurred(void *userdata, const struct occurrence *occurrence) {
	struct work *work = userdata;

	switch (occurrence->type) {
	case OCCURRENCE_FAILING:
	case OCCURRENCE_DRIFT_FAILED:
	case OCCURRENCE_BACKED_OFF:
		note_failure(work, occurrence);
		break;
	case OCCURRENCE_SPARED:
		note_spared(occurrence);
		break;
	case OCCURRENCE_CONVERGED:
		work->usec = occurrence->latency_usec;
		break;
	case OCCURRENCE_DRIFT_RESTORED:
		note_left(work, occurrence);
		break;
	case OCCURRENCE_DRIFT_REPORTED:
	case OCCURRENCE_DRIFT_HELD:
	case OCCURRENCE_RECOVERED:
	case OCCURRENCE_GONE:
	case OCCURRENCE_ARRIVED:
	case OCCURRENCE_OVERRUN:
		break;
	}
}

static void progress(void *userdata, size_t n_done, size_t n_all) {
	struct work *work = userdata;

	patience_progress(&work->patience, n_done, n_all);
}

static void waits(void *userdata) {
	struct work *work = userdata;
	_cleanup_text_ struct text pending = {};

	reconciler_pending_text(work->session.reconciler, &pending);
	patience_reason(&work->patience, text_str(&pending));
}

/* ---- the result ---- */

static void add_problem(void *userdata, const struct failure *failure) {
	struct work *work = userdata;
	const struct told_failure *known = find_failure(work, failure->scope, failure->noun);

	if (known)
		diag_error(&work->problems, failure->position, "%s", known->text);
	else if (failure->state && streq(failure->state, "reported"))
		diag_error(&work->problems, failure->position, "%s: %s %s; reported only", failure->scope, failure->noun,
			   failure->error ? failure->error : "is not as declared");
	else
		diag_error(&work->problems, failure->position, "%s: %s is %s%s%s", failure->scope, failure->noun,
			   failure->state, failure->error ? ": " : "", failure->error ? failure->error : "");
}

/* True if it converged; else the reasons were added to the problems or printed. */
static bool conclude(struct work *work, int r) {
	const char *restless = reconciler_restless(work->session.reconciler);
	struct reconciler_status status;

	patience_end(&work->patience);
	reconciler_status(work->session.reconciler, &status);
	reconciler_failures(work->session.reconciler, add_problem, work);
	if (r == -ETIME && status.counts.n_pending)
		complain("duplicate address detection of %zu address%s does not end: it needs a carrier; `nodad: "
			 "true` skips it",
			 status.counts.n_pending, status.counts.n_pending == 1 ? "" : "es");
	else if (r == -ETIME)
		complain("something else keeps changing the network of '%s': it does not settle (%s)",
			 work->session.topology, restless ? restless : "each scan finds something else");
	else if (r < 0 && !status.counts.n_failing)
		complain("cannot scan the network: %s", error_text(r));
	/* Converging: settled, and only a namespace with `wait: required` is missing, which is for a daemon to wait for. */
	return r == 0 && status.phase != PHASE_DEGRADED;
}

/* A namespace may be gone although its name could not be removed; then it is still in the ledger. */
static bool nothing_left(const struct work *work) {
	const struct ledger *ledger = &work->session.ledger;

	for (const struct ledger_ns *ns = work->removes ? ledger->namespaces : NULL; ns; ns = ns->hh.next)
		complain("%s: its name in /run/netns cannot be removed; the next `topod down` tries again", ns->name);
	return !work->removes || !ledger->n;
}

static struct reconciler_status status_of(const struct work *work) {
	struct reconciler_status status;

	reconciler_status(work->session.reconciler, &status);
	return status;
}

/* All changes made, also if others failed. */
static size_t count_changes(const struct reconciler_status *status) {
	return status->n_created + status->n_changed + status->n_recreated + status->n_deleted;
}

static void print_result_json(struct work *work, bool good) {
	struct reconciler_status status = status_of(work);
	json_t *check = report_check_json(NULL, &work->problems), *problems = json_object_get(check, "diagnostics");

	json_t *result =
		json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:O}", "topology", work->session.topology, "state",
			  good ? "converged" : "degraded", "namespaces", (json_int_t)status.counts.n_namespaces, "objects",
			  (json_int_t)status.counts.n_objects, "waiting", (json_int_t)status.counts.n_waiting, "changes",
			  (json_int_t)count_changes(&status), "usec", (json_int_t)work->usec, "problems", problems);
	json_decref(check);
	if (work->results)
		json_array_append_new(work->results, result);
	else
		print_json(json_pack("{s:[o]}", "topologies", result));
}

static void add_count(size_t n, const char *done, struct text *out) {
	if (n)
		text_addf(out, "%s%zu %s", text_str(out)[out->size - 1] == ' ' ? "" : ", ", n, done);
}

static void print_applied(const struct work *work) {
	struct reconciler_status status = status_of(work);
	_cleanup_text_ struct text text = {};

	print_counts(&(struct spec_counts){ status.counts.n_namespaces, status.counts.n_objects }, &text);
	text_add(&text, count_changes(&status) ? ": " : ": nothing to do");
	add_count(status.n_created, "created", &text);
	add_count(status.n_changed, "changed", &text);
	add_count(status.n_recreated, "recreated", &text);
	add_count(status.n_deleted, "deleted", &text);
	text_add(&text, "; verified in ");
	report_duration(work->usec, &text);
	if (status.counts.n_waiting)
		text_add(&text, "; ");
	reconciler_waits_text(work->session.reconciler, &text);
	printf("%s: %s\n", work->session.topology, text_str(&text));
}

static void print_removed(const struct work *work) {
	struct reconciler_status status = status_of(work);
	_cleanup_text_ struct text text = {};

	report_duration(work->usec, &text);
	if (count_changes(&status))
		printf("%s: removed; verified in %s\n", work->session.topology, text_str(&text));
	else
		printf("%s: nothing to remove\n", work->session.topology);
}

static int print_result(struct work *work, bool good, void (*print_good)(const struct work *)) {
	if (work->options->json)
		print_result_json(work, good);
	else if (good)
		print_good(work);
	if (!work->options->json)
		print_diags(&work->problems, work->options);
	return good ? EXIT_DONE : EXIT_FAILED;
}

static int open_work(struct work *work, struct spec *spec) {
	const struct topology_hooks hooks = {
		.userdata = work,
		.occurred = occurred,
		.progress = work->options->verbose ? NULL : progress,
		.waits = waits,
		.asked = work->options->verbose ? print_asked : NULL,
	};
	_cleanup_free_ char *problem = NULL, *topology = xstrdup(spec->topology);
	int r;

	raise_limits();
	work->patience.options = work->options;
	r = topology_open_once(&work->session, spec, &work->source, &hooks, &problem);
	if (r < 0)
		complain("%s", problem);
	work->patience.topology = work->session.topology;
	if (r == -EALREADY && work->removes)
		hint("end it first: `systemctl disable --now topod@%s` if it is the service", topology);
	else if (r == -EALREADY)
		hint("`topod reload %s` makes it read its file again", topology);
	if (r == 0 && work->session.n_damaged)
		complain("warning: %zu lines of the ledger could not be read; objects they recorded may remain",
			 work->session.n_damaged);
	return r;
}

static void work_done(struct work *work) {
	patience_end(&work->patience);
	topology_close(&work->session);
	diags_done(&work->problems);
	vec_foreach(failure, &work->failures)
		failure_done(failure);
	vec_done(&work->failures);
}

static int converge(struct work *work, struct spec *spec, void (*print_good)(const struct work *)) {
	_cleanup_free_ char *topology = xstrdup(spec->topology);
	int code, r;

	if (open_work(work, spec) < 0)
		return EXIT_FAILED;
	topology_warn(&work->session, &work->problems);
	code = print_result(work, conclude(work, topology_settle(&work->session)) && nothing_left(work), print_good);
	r = topology_close(&work->session);
	if (work->removes && code == EXIT_DONE)
		(void)cdi_remove(topology); /* the rest names devices that the next daemon removes */
	if (r == 0)
		return code;
	complain("the directory " TOPOD_RUN_DIR "/%s cannot be removed: %s", topology, error_text(r));
	return EXIT_FAILED;
}

/* ---- the verbs ---- */

static int apply(struct loaded_spec *loaded, const struct options *options, void (*print_good)(const struct work *)) {
	_cleanup_(work_done) struct work work = { .options = options, .session = TOPOLOGY_NONE };

	work.source = topology_source(loaded, options->replaces);
	vec_foreach(source, &loaded->diags.sources)
		diags_add_source(&work.problems, *source);
	return converge(&work, &loaded->spec, print_good);
}

int verb_apply(const struct options *options) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	if (!load_spec(options->args[0], SPEC_FILE_STDIN | trusted_flags(options), options, &loaded))
		return EXIT_SPEC;
	return apply(&loaded, options, print_applied);
}

static void print_nothing(_unused_ const struct work *work) {
}

int apply_quietly(struct loaded_spec *loaded, const struct options *options) {
	return apply(loaded, options, print_nothing);
}

/* Does the argument name a topology rather than a file? */
static bool names_topology(const char *argument) {
	_cleanup_close_ int fd = -1;

	return !strchr(argument, '/') && access(argument, F_OK) < 0 && ledger_file_open_dir(argument, &fd) == 0;
}

static int topology_to_remove(const struct options *options, struct loaded_spec *loaded, char **ret) {
	const char *name = options->topology, *why;

	if (!name && names_topology(options->args[0]))
		name = options->args[0];
	if (name && !file_name_valid(name, &why)) {
		complain("the topology's name '%s' %s", name, why);
		return EXIT_USAGE;
	}
	if (!name && !load_spec(options->args[0], SPEC_FILE_STDIN | SPEC_FILE_NAME | LOAD_QUIET | trusted_flags(options),
				options, loaded)) {
		hint("`topod down --topology NAME` removes a topology without its file");
		return EXIT_SPEC;
	}
	*ret = xstrdup(name ? name : loaded->spec.topology);
	return EXIT_DONE;
}

static int remove_topology(const char *topology, struct work *work) {
	_cleanup_(spec_done) struct spec nothing = {};

	spec_empty(&nothing, topology);
	return converge(work, &nothing, print_removed);
}

struct removal {
	const struct options *options;
	json_t *results;
	int code;
};

static void remove_one(void *userdata, const char *topology) {
	struct removal *removal = userdata;
	_cleanup_(work_done) struct work work = {
		.options = removal->options, .session = TOPOLOGY_NONE, .removes = true, .results = removal->results
	};
	int code = remove_topology(topology, &work);

	removal->code = removal->code == EXIT_DONE ? code : removal->code;
}

/* A topology that a daemon manages is refused as usual, and the rest is removed. */
static int remove_all(const struct options *options) {
	struct removal removal = { .options = options, .results = json_array() };
	int r = ledger_file_each(remove_one, &removal);

	if (r < 0)
		complain("cannot list %s: %s", TOPOD_RUN_DIR, strerror(-r));
	if (options->json)
		print_json(json_pack("{s:O}", "topologies", removal.results));
	json_decref(removal.results);
	return r < 0 ? EXIT_FAILED : removal.code;
}

int verb_down(const struct options *options) {
	_cleanup_(work_done) struct work work = { .options = options, .session = TOPOLOGY_NONE, .removes = true };
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	_cleanup_free_ char *topology = NULL;
	int code;

	if ((options->topology != NULL) + (options->n_args > 0) + options->all != 1) {
		complain("`down` needs a SPEC, --topology NAME or --all, and only one of them");
		return EXIT_USAGE;
	}
	if (options->all)
		return remove_all(options);
	code = topology_to_remove(options, &loaded, &topology);
	if (code != EXIT_DONE)
		return code;
	if (loaded.name)
		work.source = topology_source(&loaded, options->replaces);
	return remove_topology(topology, &work);
}
