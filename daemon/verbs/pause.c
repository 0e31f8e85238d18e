/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `topod pause` and `topod resume`: a daemon changes nothing during maintenance. */
#include "cli/daemon_client.h"
#include "run/loop.h"
#include "report/report.h"
#include "verbs/verbs.h"

int verb_pause(const struct options *options) {
	_cleanup_answer_ struct control_answer answer = {};
	_cleanup_free_ char *topology = NULL;
	_cleanup_text_ struct text span = {};
	uint64_t usec = options->for_usec ? options->for_usec : LOOP_PAUSE_SEC * UINT64_C(1000000);

	if (usec % 1000000 || usec > LOOP_PAUSE_MAX_SEC * UINT64_C(1000000)) {
		complain("--for takes whole seconds, at most %d hours", LOOP_PAUSE_MAX_SEC / 3600);
		return EXIT_USAGE;
	}
	topology = daemon_client_topology(options);
	if (!topology || !ask(topology, "Pause", json_pack("{s:I}", "seconds", (json_int_t)(usec / 1000000)),
			      DAEMON_TIMEOUT_USEC, &answer))
		return EXIT_FAILED;
	report_duration(usec, &span);
	if (options->json)
		print_json(json_pack("{s:[O]}", "topologies", json_object_get(answer.parameters, "status")));
	else
		printf("%s: paused for %s; `topod resume %s` ends it earlier\n", topology, span.data, topology);
	return EXIT_DONE;
}

int verb_resume(const struct options *options) {
	_cleanup_answer_ struct control_answer answer = {};
	_cleanup_free_ char *topology = daemon_client_topology(options);

	if (!topology || !answered(topology, ask_patiently(topology, "Resume", options, &answer), &answer))
		return EXIT_FAILED;
	return print_outcome(json_object_get(answer.parameters, "status"), "resumed", options);
}
