/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `topod watch`: prints a daemon's events, one per line, until the daemon stops or the user ends it.
 *
 * SIGINT and SIGTERM are read through signalfd(2), so that topod then exits with success, after writing all output.
 */
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>

#include "cli/daemon_client.h"
#include "report/report.h"
#include "verbs/verbs.h"

static int open_stop(void) {
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static const char *event_color(const char *type, const char *action) {
	static const struct {
		const char *name, *color;
	} colors[] = {
		{ "restored", "\033[33m" },  { "reported", "\033[33m" },   { "held", "\033[33m" },
		{ "failed", "\033[31m" },    { "backed_off", "\033[31m" }, { "failing", "\033[31m" },
		{ "refused", "\033[31m" },   { "lost", "\033[31m" },       { "recovered", "\033[32m" },
		{ "converged", "\033[32m" }, { "paused", "\033[1m" },      { "resumed", "\033[1m" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(colors); i++)
		if (streq(colors[i].name, action ? action : type))
			return colors[i].color;
	return "";
}

/* "14:05:33.123  drift: web/eth0: …"; the text comes from the daemon. */
static void print_line(const json_t *event, const char *text, bool color) {
	const char *type = json_string_value(json_object_get(event, "type"));
	uint64_t when = (uint64_t)json_integer_value(json_object_get(event, "when_usec"));
	time_t seconds = (time_t)(when / 1000000);
	_cleanup_text_ struct text clean = {};
	char clock[32];
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &tm));
	report_clean(text, &clean);
	printf("%s.%03u  %s%s%s\n", clock, (unsigned)(when / 1000 % 1000),
	       color ? event_color(type ? type : "", json_string_value(json_object_get(event, "action"))) : "",
	       text_str(&clean), color ? "\033[0m" : "");
}

static void print_event(const json_t *event, const struct options *options) {
	const char *text = json_string_value(json_object_get(event, "text"));
	_cleanup_free_ char *json = NULL;

	if (!options->json) {
		print_line(event, text ? text : "?", color_on(options, stdout));
		return;
	}
	json = json_dumps(event, JSON_COMPACT | JSON_ENSURE_ASCII);
	puts(json ? json : "null");
}

/* 1: there is more; 0: the end; or -errno. */
static int print_next(struct control_client *client, const char *topology, int stop_fd, const struct options *options) {
	_cleanup_answer_ struct control_answer answer = {};
	int r = control_next(client, stop_fd, UINT64_MAX, &answer);

	if (r == -ECANCELED)
		return 0;
	if (r < 0)
		daemon_client_complain(topology, r);
	else if (answer.error)
		daemon_client_complain_error(topology, &answer);
	if (r < 0 || answer.error)
		return r < 0 ? r : -EPROTO;
	print_event(json_object_get(answer.parameters, "event"), options);
	return fflush(stdout) == 0 && answer.continues; /* main() reports an error of standard output */
}

int verb_watch(const struct options *options) {
	_cleanup_client_ struct control_client client = CONTROL_CLIENT_NONE;
	_cleanup_close_ int stop_fd = open_stop();
	_cleanup_free_ char *topology = daemon_client_topology(options);
	int r;

	if (!topology)
		return EXIT_FAILED;
	r = control_open(topology, &client);
	if (r == 0)
		r = control_send(&client, "org.topod.Watch", NULL, true);
	if (r < 0)
		daemon_client_complain(topology, r);
	else
		do
			r = print_next(&client, topology, stop_fd, options);
		while (r > 0);
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
