/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/occurrence.h"

#include <inttypes.h>

#include "report/report.h"

const struct occurrence_words occurrence_words[N_OCCURRENCE_TYPES] = {
	[OCCURRENCE_DRIFT_RESTORED] = { "drift", "restored", "restored", true },
	[OCCURRENCE_DRIFT_REPORTED] = { "drift", "reported", "reported only", true },
	[OCCURRENCE_DRIFT_HELD] = { "drift", "held", "left while paused", true },
	[OCCURRENCE_DRIFT_FAILED] = { "drift", "failed", "not repaired", true },
	[OCCURRENCE_BACKED_OFF] = { "drift", "backed-off", "backed off", true },
	[OCCURRENCE_FAILING] = { "failing", "failed", "failing" },
	[OCCURRENCE_RECOVERED] = { "recovered", NULL, "recovered" },
	[OCCURRENCE_CONVERGED] = { "converged", NULL, "converged" },
	[OCCURRENCE_SPARED] = { "spared", NULL, "left to other topologies" },
	[OCCURRENCE_GONE] = { "gone", NULL, "gone" },
	[OCCURRENCE_ARRIVED] = { "arrived", NULL, "arrived" },
	[OCCURRENCE_OVERRUN] = { "overrun", NULL, "overruns of events" },
};

const char *drift_name(enum drift_kind drift) {
	static const char *const names[] = {
		[DRIFT_MISSING] = "missing",
		[DRIFT_CHANGED] = "changed",
		[DRIFT_EXTRA] = "extra",
	};

	return names[drift];
}

static void add_matter(const char *head, const struct occurrence *o, const char *what, struct text *out) {
	const char *noun = o->noun ? o->noun : "", *separator = o->form == FORM_FIELDS ? ": " : " ";

	text_addf(out, "%s%s: ", head, o->scope ? o->scope : "?");
	if (o->form == FORM_ALONE && *what)
		noun = "";
	text_addf(out, "%s%s%s", noun, *noun && *what ? separator : "", what);
}

static void add_duration(const char *words, uint64_t usec, struct text *out) {
	text_add(out, words);
	report_duration(usec, out);
}

/* Adds where it is declared, and when it is tried again. */
static void add_retry(const struct occurrence *o, bool bare, struct text *out) {
	if (bare)
		return;
	if (o->position.line && o->file)
		text_addf(out, " (%s:%" PRIu32 ")", o->file, o->position.line);
	else if (o->position.line)
		text_addf(out, " (line %" PRIu32 ")", o->position.line);
	if (o->pause_usec)
		add_duration("; trying again in ", o->pause_usec, out);
}

static void add_converged(const struct occurrence *o, struct text *out) {
	text_add(out, "converged: ");
	if (o->n_objects)
		text_addf(out, "%zu object%s in %zu namespace%s, ", o->n_objects, o->n_objects == 1 ? "" : "s",
			  o->n_namespaces, o->n_namespaces == 1 ? "" : "s");
	if (o->n_changes)
		text_addf(out, "%zu change%s", o->n_changes, o->n_changes == 1 ? "" : "s");
	else
		text_add(out, "nothing to do");
	add_duration(", verified in ", o->latency_usec, out);
	if (o->waits)
		text_addf(out, "; %s", o->waits);
}

static void add_words(const struct occurrence *o, bool bare, struct text *out) {
	const char *what = o->what ? o->what : "";

	if (occurrence_words[o->type].drift)
		add_matter(bare ? "" : "drift: ", o, what, out);
	switch (o->type) {
	case OCCURRENCE_DRIFT_RESTORED:
		add_duration("; restored in ", o->latency_usec, out);
		if (o->n_followers)
			text_addf(out, " (and %zu object%s with it)", o->n_followers, o->n_followers == 1 ? "" : "s");
		break;
	case OCCURRENCE_DRIFT_REPORTED:
		text_add(out, "; reported only");
		break;
	case OCCURRENCE_DRIFT_HELD:
		text_add(out, "; left alone while paused");
		break;
	case OCCURRENCE_DRIFT_FAILED:
		text_addf(out, "; the repair failed: %s", o->error ? o->error : "unknown reason");
		add_retry(o, bare, out);
		break;
	case OCCURRENCE_BACKED_OFF:
		if (!bare)
			add_duration("; backed off for ", o->pause_usec, out);
		text_add(out, ": something keeps undoing it");
		if (o->opponent)
			text_addf(out, " (%s)", o->opponent);
		break;
	case OCCURRENCE_FAILING:
		add_matter(bare ? "" : "failing: ", o, what, out);
		if (o->error)
			text_addf(out, ": %s", o->error);
		add_retry(o, bare, out);
		break;
	case OCCURRENCE_RECOVERED:
		add_matter("recovered: ", o, o->what ? o->what : "is as declared again", out);
		break;
	case OCCURRENCE_CONVERGED:
		add_converged(o, out);
		break;
	case OCCURRENCE_SPARED:
		add_matter("left alone: ", o, what, out);
		break;
	case OCCURRENCE_GONE:
		add_matter("gone: ", o, what, out);
		break;
	case OCCURRENCE_ARRIVED:
		add_matter("arrived: ", o, what, out);
		break;
	case OCCURRENCE_OVERRUN:
		text_add(out,
			 o->pause_usec
				 ? "events keep coming faster than they can be read; until that ends everything is scanned "
				   "several times a second"
				 : "events came faster than they could be read; scanning everything again");
		break;
	}
	if (o->left)
		text_addf(out, "; left in the old one: %s", o->left);
}

static char *words(const struct occurrence *occurrence, bool bare) {
	_cleanup_text_ struct text raw = {};
	struct text clean = {};

	add_words(occurrence, bare, &raw);
	report_clean(text_str(&raw), &clean);
	return text_take(&clean);
}

char *occurrence_text(const struct occurrence *occurrence) {
	return words(occurrence, false);
}

char *occurrence_bare_text(const struct occurrence *occurrence) {
	return words(occurrence, true);
}
