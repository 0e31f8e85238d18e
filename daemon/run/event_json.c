/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/event_json.h"

#include "run/journal.h"
#include "report/report.h"
#include "session/topology.h"

static json_t *begin(const char *type, const char *text) {
	return json_pack("{s:s, s:I, s:o}", "type", type, "when_usec", (json_int_t)now_realtime(), "text",
			 report_json_text(text));
}

static json_t *wrap(json_t *event) {
	return json_pack("{s:o}", "event", event);
}

/* Names in the kernel may contain almost any byte; they are cleaned as in other output. */
static void set_text(json_t *event, const char *key, const char *text) {
	if (text)
		json_object_set_new(event, key, report_json_text(text));
}

static void set_number(json_t *event, const char *key, uint64_t n) {
	if (n)
		json_object_set_new(event, key, json_integer((json_int_t)n));
}

/* Varlink's names have no hyphens. */
static void set_action(json_t *event, const char *action) {
	_cleanup_free_ char *name = xstrdup(action);

	for (char *c = name; *c; c++)
		*c = *c == '-' ? '_' : *c;
	set_text(event, "action", name);
}

/* As in a plan, also those that are null. */
static void set_parts(json_t *event, const struct object_parts *parts) {
	if (!parts->kind)
		return;
	json_object_set_new(event, "interface", report_json_text(parts->interface));
	json_object_set_new(event, "kind", report_json_text(parts->kind));
	json_object_set_new(event, "key", report_json_text(parts->key));
}

json_t *event_occurrence(const struct occurrence *occurrence) {
	const struct occurrence_words *words = &occurrence_words[occurrence->type];
	_cleanup_free_ char *text = occurrence_text(occurrence);
	json_t *event = begin(words->event, text);

	set_text(event, "namespace", occurrence->ns);
	set_parts(event, &occurrence->parts);
	set_text(event, "scope", occurrence->scope);
	set_text(event, "noun", occurrence->noun);
	if (words->drift) {
		set_text(event, "drift", drift_name(occurrence->drift));
		set_action(event, words->action);
	}
	set_text(event, "error", occurrence->error);
	set_text(event, "left", occurrence->left);
	set_text(event, "opponent", occurrence->opponent);
	set_text(event, "file", occurrence->position.line ? occurrence->file : NULL);
	set_number(event, "line", occurrence->position.line);
	set_number(event, "latency_usec", occurrence->latency_usec);
	set_number(event, "pause_usec", occurrence->pause_usec);
	set_number(event, "followers", occurrence->n_followers);
	set_number(event, "changes", occurrence->n_changes);
	return wrap(event);
}

json_t *event_of(const char *type, const char *text) {
	return wrap(begin(type, text));
}

json_t *event_state(const char *sentence, const char *reason) {
	json_t *event = begin("state", sentence);

	set_text(event, "reason", *reason ? reason : NULL);
	return wrap(event);
}

json_t *event_progress(size_t n_done, size_t n_all) {
	_cleanup_free_ char *text = xasprintf("%zu of %zu changes", n_done, n_all);
	json_t *event = begin("progress", text);

	json_object_set_new(event, "done", json_integer((json_int_t)n_done));
	json_object_set_new(event, "all", json_integer((json_int_t)n_all));
	return wrap(event);
}

json_t *event_lost(size_t n) {
	_cleanup_free_ char *text =
		xasprintf("%zu event%s dropped: they were read too slowly", n, n == 1 ? " was" : "s were");
	json_t *event = begin("lost", text);

	set_number(event, "count", n);
	return wrap(event);
}
