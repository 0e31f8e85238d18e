/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a reload would change, for members of the group who may read but not scan the network themselves. The file is read
 * and the network scanned as in `topod plan`, separately from the daemon's own state, which does not change.
 */
#include "report/report.h"
#include "run/loop_private.h"

static void answer(struct control_call *call, struct topology *session, bool explains) {
	_cleanup_(state_done) struct state observed = {};
	_cleanup_(plan_done) struct plan plan = {}; /* freed before observed, because it has marked those objects */
	_cleanup_text_ struct text text = {};
	int r = reconciler_plan(session->reconciler, explains, &plan, &observed);

	if (r < 0) {
		_cleanup_free_ char *problem = topology_problem("scan the network", r);

		control_error(call, "org.topod.NoPlan", json_pack("{s:s}", "reason", problem));
		return;
	}
	report_plan_text(&plan, false, &text);
	control_reply(call,
		      json_pack("{s:o, s:s}", "plan", report_plan_json(&plan, session->topology), "text", text_str(&text)));
}

void loop_plan(struct loop *l, struct control_call *call, bool explains) {
	_cleanup_loaded_spec_ struct loaded_spec fresh = {};
	_cleanup_topology_ struct topology session = TOPOLOGY_NONE;
	_cleanup_free_ char *problem = NULL;

	if (!loop_read_again(l, &fresh)) {
		loop_answer_refused(call, &fresh);
		return;
	}
	const struct topology_source source = topology_source(&fresh, l->options->replaces);
	if (topology_open_to_scan(&session, &fresh.spec, &source, &problem) < 0)
		control_error(call, "org.topod.NoPlan", json_pack("{s:s}", "reason", problem));
	else
		answer(call, &session, explains);
}
