/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod plan`: shows what would be changed, and changes nothing. */
#include "cli/process.h"
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

static void warn(struct topology *session, const struct loaded_spec *loaded, const struct options *options) {
	_cleanup_(diags_done) struct diags diags = {};

	vec_foreach(source, &loaded->diags.sources)
		diags_add_source(&diags, *source);
	topology_warn(session, &diags);
	print_diags(&diags, options);
}

static int scan(struct topology *session, const struct options *options) {
	_cleanup_(state_done) struct state observed = {};
	_cleanup_(plan_done) struct plan plan = {}; /* freed before observed, because it has marked those objects */
	int r = reconciler_plan(session->reconciler, &plan, &observed);

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
	warn(&session, loaded, options);
	return scan(&session, options);
}

int verb_plan(const struct options *options) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};

	if (!load_spec(options->args[0], SPEC_FILE_STDIN, options, &loaded))
		return EXIT_SPEC;
	return plan_loaded(&loaded, options->replaces, options);
}
