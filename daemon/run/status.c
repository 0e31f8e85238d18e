/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/status.h"

#include <time.h>

#include "run/journal.h"
#include "session/topology.h"
#include "files/spec_file.h"

void status_init(struct status *status, const char *file) {
	*status = (struct status){ .file = spec_file_absolute(file), .phase = PHASE_CONVERGING };
	status->started_usec = status->since_usec = now_realtime();
}

void status_done(struct status *status) {
	for (size_t i = 0; i < REPORT_DRIFTS_MAX; i++)
		arena_done(&status->latest[i].arena);
	free(status->reload_error);
	free(status->file);
}

/* ---- collecting ---- */

static const char *keep(struct told_drift *note, const char *text) {
	return text ? arena_strdup(&note->arena, text) : NULL;
}

void status_note(struct status *status, const struct occurrence *occurrence) {
	struct told_drift *note = &status->latest[status->n_noted % REPORT_DRIFTS_MAX];
	_cleanup_free_ char *text = occurrence_text(occurrence);
	const struct object_parts *parts = &occurrence->parts;

	if (!occurrence_words[occurrence->type].drift)
		return;
	arena_done(&note->arena);
	note->drift = (struct report_drift){
		.when_usec = now_realtime(),
		.text = keep(note, text),
		.scope = keep(note, occurrence->scope),
		.noun = keep(note, occurrence->noun),
		.ns = keep(note, occurrence->ns),
		.parts = { .interface = keep(note, parts->interface), .kind = parts->kind, .key = keep(note, parts->key) },
	};
	status->n_noted++;
}

bool status_phase(struct status *status, enum phase phase) {
	if (status->phase == phase)
		return false;
	status->phase = phase;
	status->since_usec = now_realtime();
	return true;
}

void status_reloaded(struct status *status, const char *error) {
	free(status->reload_error);
	status->reload_error = error ? xstrdup(error) : NULL;
	status->reloaded_usec = now_realtime();
}

/* ---- as JSON ---- */

static const char *phase_name(enum phase phase) {
	static const char *const names[] = {
		[PHASE_CONVERGING] = "converging",
		[PHASE_CONVERGED] = "converged",
		[PHASE_DEGRADED] = "degraded",
	};

	return names[phase];
}

/* The difference of the two clocks changes when the wall clock is set, so it is computed each time. */
static uint64_t to_realtime(uint64_t monotonic_usec) {
	return monotonic_usec && monotonic_usec != UINT64_MAX ? now_realtime() - now_monotonic() + monotonic_usec : 0;
}

struct failure_list {
	struct report_trouble items[STATUS_TROUBLES_MAX];
	size_t n;
};

static void add_trouble(void *userdata, const struct failure *failure) {
	struct failure_list *list = userdata;

	if (list->n == STATUS_TROUBLES_MAX)
		return;
	list->items[list->n++] = (struct report_trouble){
		.scope = failure->scope,
		.noun = failure->noun,
		.ns = failure->ns,
		.parts = failure->parts,
		.state = failure->state,
		.error = failure->error,
		.file = failure->file,
		.line = failure->position.line,
		.column = failure->position.column,
		.n_tries = failure->n_tries,
		.next_try_usec = to_realtime(failure->next_try_usec),
	};
}

/* The latest first. */
static size_t list_drifts(const struct status *status, struct report_drift *ret) {
	size_t n = MIN(status->n_noted, (size_t)REPORT_DRIFTS_MAX);

	for (size_t i = 0; i < n; i++)
		ret[i] = status->latest[(status->n_noted - 1 - i) % REPORT_DRIFTS_MAX].drift;
	return n;
}

void status_reason(const struct reconciler *reconciler, struct text *out) {
	struct reconciler_status now;

	reconciler_status(reconciler, &now);
	if (now.phase != PHASE_CONVERGING)
		return;
	reconciler_pending_text(reconciler, out);
	if (out->size && now.counts.n_waiting)
		text_add(out, "; ");
	reconciler_waits_text(reconciler, out);
}

json_t *status_json(const struct status *status, const struct reconciler *reconciler) {
	_cleanup_(arena_done) struct arena arena = {};
	struct failure_list failures = {}, waits = {};
	_cleanup_text_ struct text waits_text = {}, reason = {};
	struct report_drift drifts[REPORT_DRIFTS_MAX];
	struct reconciler_status now;
	struct report_status all = {
		.topology = reconciler_spec(reconciler)->topology,
		.file = status->file,
		.version = TOPOD_VERSION,
		.pid = getpid(),
		.started_usec = status->started_usec,
		.since_usec = status->since_usec,
		.reloaded_usec = status->reloaded_usec,
		.reload_error = status->reload_error,
		.drifts = drifts,
		.paused_until_usec = to_realtime(status->paused_until_usec),
	};

	reconciler_status(reconciler, &now);
	reconciler_failures(reconciler, add_trouble, &failures);
	reconciler_waits(reconciler, &arena, add_trouble, &waits);
	reconciler_waits_text(reconciler, &waits_text);
	all.counts = now.counts;
	all.verified_usec = to_realtime(now.converged_usec);
	all.state = phase_name(now.phase);
	all.n_latest = list_drifts(status, drifts);
	all.failures = failures.items;
	all.n_troubles = failures.n;
	all.waits = waits.items;
	all.n_waits = waits.n;
	all.waits_text = waits_text.size ? waits_text.data : NULL;
	status_reason(reconciler, &reason);
	all.reason = reason.size ? reason.data : NULL;
	return report_status_json(&all);
}

/* ---- as a sentence ---- */

static void add_count(struct text *out, size_t n, const char *what) {
	if (n)
		text_addf(out, "%s%zu %s", out->size && out->data[out->size - 1] != ' ' ? ", " : "", n, what);
}

/* Adds the first failure as an example. */
static void add_example(const struct reconciler *reconciler, struct text *out) {
	struct failure_list list = {};

	reconciler_failures(reconciler, add_trouble, &list);
	if (!list.n)
		return;
	text_addf(out, " (%s: %s", list.items[0].scope, list.items[0].noun);
	if (list.items[0].error)
		text_addf(out, "%s%s", streq(list.items[0].state, "reported") ? " " : ": ", list.items[0].error);
	text_add(out, list.n > 1 ? "; …)" : ")");
}

static void add_degraded(const struct reconciler *reconciler, const struct report_counts *counts, struct text *out) {
	text_add(out, "Degraded: ");
	for (size_t i = 0; i < N_REPORT_COUNTS; i++)
		if (report_count_table[i].degraded)
			add_count(out, report_count(&report_count_table[i], counts), report_count_table[i].degraded);
	add_example(reconciler, out);
}

/* Gives the time of the end, not the remaining time, which would change the sentence every second. */
static void add_pause(const struct status *status, struct text *out) {
	time_t until = (time_t)(to_realtime(status->paused_until_usec) / 1000000);
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&until, &tm));
	text_addf(out, "Paused until %s; ", text);
}

static void add_waits(const struct reconciler *reconciler, const struct report_counts *counts, struct text *out) {
	if (counts->n_waiting)
		text_add(out, "; ");
	reconciler_waits_text(reconciler, out);
}

static void add_sentence(const struct status *status, const struct reconciler *reconciler, struct text *out) {
	struct reconciler_status now;
	const struct report_counts *counts = &now.counts;
	_cleanup_text_ struct text reason = {};

	reconciler_status(reconciler, &now);
	if (status->paused_until_usec)
		add_pause(status, out);
	switch (now.phase) {
	case PHASE_CONVERGING:
		status_reason(reconciler, &reason);
		text_addf(out, "Converging%s%s", reason.size ? ": " : "", text_str(&reason));
		break;
	case PHASE_CONVERGED:
		text_addf(out, "Converged: %zu object%s in %zu namespace%s", counts->n_objects,
			  counts->n_objects == 1 ? "" : "s", counts->n_namespaces, counts->n_namespaces == 1 ? "" : "s");
		add_waits(reconciler, counts, out);
		break;
	case PHASE_DEGRADED:
		add_degraded(reconciler, counts, out);
		break;
	}
	if (status->reload_error)
		text_addf(out, "; the changed file was refused: %s", status->reload_error);
}

/* The sentence goes to the service manager, which accepts only valid UTF-8 and shows it unfiltered, and to `topod watch`. */
void status_sentence(const struct status *status, const struct reconciler *reconciler, struct text *out) {
	_cleanup_text_ struct text raw = {};

	add_sentence(status, reconciler, &raw);
	report_clean(text_str(&raw), out);
}
