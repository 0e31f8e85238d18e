/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status as OpenMetrics text: https://github.com/prometheus/OpenMetrics, specification/OpenMetrics.md. All samples of a
 * metric are together, regardless of the topology.
 */
#include <inttypes.h>

#include "report/report_private.h"

/* As the value of a label: backslash, quote and line break are escaped. */
static void add_label(const char *name, const char *value, struct text *out) {
	_cleanup_text_ struct text clean = {};

	report_clean(value ? value : "", &clean);
	text_addf(out, "%s=\"", name);
	for (const char *c = text_str(&clean); *c; c++)
		text_addf(out, "%s%c", strchr("\\\"", *c) ? "\\" : "", *c);
	text_add(out, "\"");
}

static void begin_metric(const char *name, bool counter, const char *unit, const char *help, struct text *out) {
	text_addf(out, "# TYPE topod_%s %s\n", name, counter ? "counter" : "gauge");
	if (unit)
		text_addf(out, "# UNIT topod_%s %s\n", name, unit);
	text_addf(out, "# HELP topod_%s %s\n", name, help);
}

/* Begins a sample; the caller adds more labels, and the value. */
static void begin_sample(const char *name, const char *suffix, const struct report_status *status, struct text *out) {
	text_addf(out, "topod_%s%s{", name, suffix);
	add_label("topology", status->topology, out);
}

static bool is_in_state(const struct report_status *status, const char *state) {
	return status->paused_until_usec ? streq(state, "paused") : streq_ptr(status->state, state);
}

static void add_states(const struct report_status *all, size_t n, struct text *out) {
	static const char *const states[] = { "converged", "converging", "degraded", "paused" };

	begin_metric("state", false, NULL, "The state of the topology: 1 for the one that it is in.", out);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(states); k++) {
			begin_sample("state", "", &all[i], out);
			text_add(out, ",");
			add_label("state", states[k], out);
			text_addf(out, "} %d\n", is_in_state(&all[i], states[k]));
		}
}

static void add_versions(const struct report_status *all, size_t n, struct text *out) {
	begin_metric("daemon", false, NULL, "The daemon that manages the topology; always 1.", out);
	for (size_t i = 0; i < n; i++) {
		begin_sample("daemon", "", &all[i], out);
		text_add(out, ",");
		add_label("version", all[i].version, out);
		text_add(out, "} 1\n");
	}
}

static void add_counts(const struct report_status *all, size_t n, struct text *out) {
	for (size_t k = 0; k < N_REPORT_COUNTS; k++) {
		const struct report_count *row = &report_count_table[k];

		begin_metric(row->key, row->grows, NULL, row->help, out);
		for (size_t i = 0; i < n; i++) {
			begin_sample(row->key, row->grows ? "_total" : "", &all[i], out);
			text_addf(out, "} %zu\n", report_count(row, &all[i].counts));
		}
	}
}

/* Times are seconds since 1970, 0 for never. */
static void add_times(const struct report_status *all, size_t n, struct text *out) {
	static const struct {
		const char *name, *help;
		size_t offset;
	} times[] = {
		{ "start_time_seconds", "When the daemon was started.", offsetof(struct report_status, started_usec) },
		{ "state_time_seconds", "When the state last changed.", offsetof(struct report_status, since_usec) },
		{ "verified_time_seconds", "When the kernel was last read back and found as declared.",
		  offsetof(struct report_status, verified_usec) },
		{ "reload_time_seconds", "When the file was last read again.",
		  offsetof(struct report_status, reloaded_usec) },
		{ "paused_until_time_seconds", "When the pause ends.", offsetof(struct report_status, paused_until_usec) },
	};

	for (size_t k = 0; k < ARRAY_SIZE(times); k++) {
		begin_metric(times[k].name, false, "seconds", times[k].help, out);
		for (size_t i = 0; i < n; i++) {
			uint64_t usec = *(const uint64_t *)(const void *)((const char *)&all[i] + times[k].offset);

			begin_sample(times[k].name, "", &all[i], out);
			text_addf(out, "} %" PRIu64 ".%06" PRIu64 "\n", usec / 1000000, usec % 1000000);
		}
	}
}

void report_metrics(const struct report_status *all, size_t n, struct text *out) {
	if (n) {
		add_versions(all, n, out);
		add_states(all, n, out);
		begin_metric("reload_refused", false, NULL, "Whether the file was refused when it was last read again.",
			     out);
		for (size_t i = 0; i < n; i++) {
			begin_sample("reload_refused", "", &all[i], out);
			text_addf(out, "} %d\n", all[i].reload_error != NULL);
		}
		add_times(all, n, out);
		add_counts(all, n, out);
	}
	text_add(out, "# EOF\n");
}
