/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/patience.h"

#include "cli/output.h"
#include "files/clock.h"
#include "report/report.h"

static void remove_progress(struct patience *p) {
	if (p->progress_shown)
		fputs("\r\033[K", stderr);
	p->progress_shown = false;
}

void patience_progress(struct patience *p, size_t n_done, size_t n_all) {
	if (p->options->quiet || !color_on(p->options, stderr) || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%s: %zu of %zu changes\033[K", p->topology, n_done, n_all);
	p->progress_shown = true;
}

uint64_t patience_due(const struct patience *p) {
	return p->reason && !p->told && !p->options->quiet ? p->speak_usec : UINT64_MAX;
}

void patience_speak(struct patience *p) {
	_cleanup_text_ struct text clean = {};

	if (now_monotonic() < patience_due(p))
		return;
	remove_progress(p);
	report_clean(p->reason, &clean); /* a daemon's words */
	fprintf(stderr, "%s: waiting: %s\n", p->topology, text_str(&clean));
	p->told = true;
	p->speak_usec = now_monotonic() + PATIENCE_AGAIN_USEC;
}

void patience_reason(struct patience *p, const char *reason) {
	if (streq_ptr(p->reason, reason))
		return;
	free(p->reason);
	p->reason = reason && *reason ? xstrdup(reason) : NULL;
	p->told = false;
	patience_speak(p);
}

void patience_event(struct patience *p, const json_t *event) {
	const char *type = json_string_value(json_object_get(event, "type"));

	if (streq_ptr(type, "state"))
		patience_reason(p, json_string_value(json_object_get(event, "reason")));
	if (streq_ptr(type, "progress"))
		patience_progress(p, (size_t)json_integer_value(json_object_get(event, "done")),
				  (size_t)json_integer_value(json_object_get(event, "all")));
}

void patience_end(struct patience *p) {
	remove_progress(p);
	free(TAKE_PTR(p->reason));
}
