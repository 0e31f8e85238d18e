/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod plan`: shows what would be changed, and changes nothing. */
#include <linux/capability.h>

#include "cli/daemon_client.h"
#include "cli/process.h"
#include "doctor/lacking.h"
#include "files/privilege.h"
#include "report/report.h"
#include "verbs/verbs.h"

static int show(const struct plan *plan, const char *topology, const struct options *options) {
	struct report_summary summary = report_plan_summary(plan);
	_cleanup_text_ struct text text = {};

	if (options->json) {
		print_json(report_plan_json(plan, topology));
	} else {
		report_plan_text(plan, color_on(options, stdout), &text);
		fputs(text_str(&text), stdout);
	}
	return report_summary_total(&summary) ? EXIT_DIFFERENCES : EXIT_DONE;
}

/* Checks what the kernel lacks only if there is something to do, because the trials in a separate namespace take longer than
 * the scan of a small topology. */
static void warn(struct topology *session, const struct loaded_spec *loaded, bool changes, const struct options *options) {
	_cleanup_(diags_done) struct diags diags = {};

	vec_foreach(source, &loaded->diags.sources)
		diags_add_source(&diags, *source);
	topology_warn(session, &diags);
	if (changes)
		kernel_warn_lacks(&reconciler_spec(session->reconciler)->state, &diags);
	print_diags(&diags, options);
}

static int scan(struct topology *session, const struct loaded_spec *loaded, const struct options *options) {
	_cleanup_(state_done) struct state observed = {};
	_cleanup_(plan_done) struct plan plan = {}; /* freed before observed, because it has marked those objects */
	int r = reconciler_plan(session->reconciler, options->explain, &plan, &observed);

	warn(session, loaded, r == 0 && plan.changes.n, options);
	if (r < 0) {
		_cleanup_free_ char *problem = topology_problem("scan the network", r);

		complain("%s", problem);
		return EXIT_FAILED;
	}
	return show(&plan, session->topology, options);
}

int plan_loaded(struct loaded_spec *loaded, bool replaces, const struct options *options) {
	const struct topology_source source = topology_source(loaded, replaces);
	_cleanup_topology_ struct topology session = TOPOLOGY_NONE;
	_cleanup_free_ char *problem = NULL;

	raise_limits();
	if (topology_open_to_scan(&session, &loaded->spec, &source, &problem) < 0) {
		complain("%s", problem);
		return EXIT_FAILED;
	}
	return scan(&session, loaded, options);
}

/* A user who may not scan the network may be in the group that may query the daemon. Returns the exit code; -1: no daemon
 * manages the file. */
static int plan_by_daemon(const struct options *options) {
	_cleanup_free_ char *topology = daemon_client_manager(options->args[0]);
	_cleanup_answer_ struct control_answer answer = {};
	const json_t *changes;

	if (!topology)
		return -1;
	json_t *asked = options->explain ? json_pack("{s:b}", "explain", 1) : NULL;
	int r = control_call(topology, "org.topod.Plan", asked, UINT64_MAX, &answer);
	if (r == 0 && answer.error && streq(answer.error, "org.topod.SpecRefused"))
		return print_refused(topology, answer.parameters, options);
	if (r < 0)
		daemon_client_complain(topology, r);
	else if (answer.error && streq(answer.error, "org.topod.NoPlan"))
		complain("%s", json_string_value(json_object_get(answer.parameters, "reason")) ?: answer.error);
	else if (answer.error)
		daemon_client_complain_error(topology, &answer);
	if (r < 0 || answer.error)
		return EXIT_FAILED;
	changes = json_object_get(json_object_get(answer.parameters, "plan"), "changes");
	if (options->json)
		print_json(json_incref(json_object_get(answer.parameters, "plan")));
	else
		fputs(json_string_value(json_object_get(answer.parameters, "text")) ?: "", stdout);
	return json_array_size(changes) ? EXIT_DIFFERENCES : EXIT_DONE;
}

int verb_plan(const struct options *options) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	int code = privilege_has(CAP_SYS_ADMIN) ? -1 : plan_by_daemon(options);

	if (code >= 0)
		return code;
	if (!load_spec(options->args[0], SPEC_FILE_STDIN, options, &loaded))
		return EXIT_SPEC;
	return plan_loaded(&loaded, options->replaces, options);
}
