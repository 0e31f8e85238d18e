/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon's status: as JSON for the socket, and as lines for people, made from that JSON.
 *
 * The two sides may be of different versions, so reading is tolerant: missing members are empty, unknown ones are
 * ignored.
 */
#include <inttypes.h>

#include "report/report_private.h"

/* The members that are plain numbers or texts, for reading and writing. */
struct member {
	const char *key;
	size_t offset;
};

#define MEMBER(key, type, member) \
	{ key, offsetof(struct type, member) }

static const struct member status_texts[] = {
	MEMBER("topology", report_status, topology),
	MEMBER("file", report_status, file),
	MEMBER("version", report_status, version),
	MEMBER("state", report_status, state),
	MEMBER("reload_error", report_status, reload_error),
	MEMBER("waits_text", report_status, waits_text),
	MEMBER("reason", report_status, reason),
};
static const struct member status_numbers[] = {
	MEMBER("pid", report_status, pid),
	MEMBER("started_usec", report_status, started_usec),
	MEMBER("since_usec", report_status, since_usec),
	MEMBER("verified_usec", report_status, verified_usec),
	MEMBER("paused_until_usec", report_status, paused_until_usec),
	MEMBER("reloaded_usec", report_status, reloaded_usec),
};
/* The object that it is about. */
#define OBJECT_MEMBERS(type)                                                                     \
	MEMBER("scope", type, scope), MEMBER("noun", type, noun), MEMBER("namespace", type, ns), \
		MEMBER("interface", type, parts.interface), MEMBER("kind", type, parts.kind),    \
		MEMBER("key", type, parts.key)

static const struct member drift_texts[] = {
	MEMBER("text", report_drift, text),
	OBJECT_MEMBERS(report_drift),
};
static const struct member drift_numbers[] = { MEMBER("when_usec", report_drift, when_usec) };
static const struct member failure_texts[] = {
	OBJECT_MEMBERS(report_trouble),
	MEMBER("state", report_trouble, state),
	MEMBER("error", report_trouble, error),
	MEMBER("file", report_trouble, file),
};
static const struct member failure_numbers[] = {
	MEMBER("line", report_trouble, line),
	MEMBER("column", report_trouble, column),
	MEMBER("tries", report_trouble, n_tries),
	MEMBER("next_try_usec", report_trouble, next_try_usec),
};

#define COUNT_ROW(member, key, line, ...) { key, offsetof(struct report_counts, member), COUNT_##line, __VA_ARGS__ },

const struct report_count report_count_table[N_REPORT_COUNTS] = { REPORT_COUNTS(COUNT_ROW) };

/* Writing. */

static json_t *write_members(const void *base, const struct member *texts, size_t n_texts, const struct member *numbers,
			     size_t n_numbers) {
	json_t *json = json_object();

	for (size_t i = 0; i < n_texts; i++)
		report_set(json, texts[i].key,
			   report_json_text(*(const char *const *)((const char *)base + texts[i].offset)));
	for (size_t i = 0; i < n_numbers; i++)
		report_set(json, numbers[i].key,
			   json_integer((json_int_t) *
					(const uint64_t *)(const void *)((const char *)base + numbers[i].offset)));
	return json;
}

#define WRITE(base, what) \
	write_members(base, what##_texts, ARRAY_SIZE(what##_texts), what##_numbers, ARRAY_SIZE(what##_numbers))

json_t *report_status_json(const struct report_status *status) {
	json_t *json = WRITE(status, status), *drifts = json_array(), *failures = json_array(), *waits = json_array();

	for (size_t i = 0; i < N_REPORT_COUNTS; i++)
		report_set(json, report_count_table[i].key,
			   json_integer((json_int_t)report_count(&report_count_table[i], &status->counts)));
	for (size_t i = 0; i < status->n_latest; i++)
		json_array_append_new(drifts, WRITE(&status->drifts[i], drift));
	for (size_t i = 0; i < status->n_troubles; i++)
		json_array_append_new(failures, WRITE(&status->failures[i], failure));
	report_set(json, "latest", drifts);
	for (size_t i = 0; i < status->n_waits; i++)
		json_array_append_new(waits, WRITE(&status->waits[i], failure));
	report_set(json, "troubles", failures);
	report_set(json, "waits", waits);
	return json;
}

/* Reading. */

static uint64_t read_number(const json_t *json, const char *key) {
	json_int_t value = json_integer_value(json_object_get(json, key));

	return value > 0 ? (uint64_t)value : 0;
}

static void read_members(const json_t *json, void *base, const struct member *texts, size_t n_texts,
			 const struct member *numbers, size_t n_numbers) {
	for (size_t i = 0; i < n_texts; i++)
		*(const char **)(void *)((char *)base + texts[i].offset) =
			json_string_value(json_object_get(json, texts[i].key));
	for (size_t i = 0; i < n_numbers; i++) {
		*(uint64_t *)(void *)((char *)base + numbers[i].offset) = read_number(json, numbers[i].key);
	}
}

#define READ(json, base, what) \
	read_members(json, base, what##_texts, ARRAY_SIZE(what##_texts), what##_numbers, ARRAY_SIZE(what##_numbers))

static void read_drifts(const json_t *list, struct arena *arena, struct report_status *ret) {
	struct report_drift *drifts = arena_newn(arena, struct report_drift, json_array_size(list));

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct report_drift *drift = &drifts[ret->n_latest];

		READ(json_array_get(list, i), drift, drift);
		ret->n_latest += drift->text != NULL;
	}
	ret->drifts = drifts;
}

static const struct report_trouble *read_troubles(const json_t *list, struct arena *arena, size_t *ret_n) {
	struct report_trouble *failures = arena_newn(arena, struct report_trouble, json_array_size(list));

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct report_trouble *failure = &failures[*ret_n];

		READ(json_array_get(list, i), failure, failure);
		*ret_n += failure->scope && failure->state;
	}
	return failures;
}

int report_status_from_json(const json_t *json, struct arena *arena, struct report_status *ret) {
	*ret = (struct report_status){};
	READ(json, ret, status);
	for (size_t i = 0; i < N_REPORT_COUNTS; i++)
		*report_count_of(&report_count_table[i], &ret->counts) = read_number(json, report_count_table[i].key);
	read_drifts(json_object_get(json, "latest"), arena, ret);
	ret->failures = read_troubles(json_object_get(json, "troubles"), arena, &ret->n_troubles);
	ret->waits = read_troubles(json_object_get(json, "waits"), arena, &ret->n_waits);
	return ret->topology && ret->state ? 0 : -EINVAL;
}

/* For people. */

struct page {
	const struct report_status *status;
	uint64_t now;
	bool color;
	struct text *out;
};

static void begin(struct page *page, const char *label) {
	text_addf(page->out, "%10s  ", label);
}

static void colored(struct page *page, const char *color, const char *text) {
	text_add(page->out, page->color ? color : "");
	report_clean(text, page->out);
	text_add(page->out, page->color ? "\033[0m" : "");
}

static void add_ago(struct page *page, uint64_t when) {
	if (page->now < when + 1000000) {
		text_add(page->out, "just now");
		return;
	}
	/* Whole seconds are precise enough. */
	report_duration((page->now - when) / 1000000 * 1000000, page->out);
	text_add(page->out, " ago");
}

static const char *state_color(const char *state) {
	return streq(state, "converged") ? "\033[1;32m" : streq(state, "degraded") ? "\033[1;31m" : "\033[1;33m";
}

static void add_state(struct page *page) {
	const struct report_status *s = page->status;

	begin(page, "state");
	colored(page, state_color(s->state), s->state);
	if (s->since_usec) {
		text_add(page->out, ", since ");
		add_ago(page, s->since_usec);
	}
	if (s->paused_until_usec > page->now) {
		text_add(page->out, "; paused for another ");
		report_duration(s->paused_until_usec - page->now, page->out);
	}
	text_add(page->out, "\n");
	if (s->reason) {
		begin(page, "reason");
		report_clean(s->reason, page->out);
		text_add(page->out, "\n");
	}
	if (s->verified_usec && !streq(s->state, "converged")) {
		begin(page, "verified");
		add_ago(page, s->verified_usec);
		text_add(page->out, "\n");
	}
}

/* The namespaces with problems, each once. */
static void add_affected(struct page *page) {
	const struct report_status *s = page->status;

	if (!s->n_troubles)
		return;
	begin(page, "where");
	for (size_t i = 0; i < s->n_troubles; i++) {
		const char *ns = s->failures[i].scope;
		size_t size = strcspn(ns, "/"), earlier = 0;

		while (earlier < i && (strncmp(s->failures[earlier].scope, ns, size) != 0 ||
				       !strchr("/", s->failures[earlier].scope[size])))
			earlier++;
		if (earlier < i)
			continue;
		_cleanup_free_ char *name = strndup(ns, size);
		text_add(page->out, i ? ", " : "");
		report_clean(name ? name : "", page->out);
	}
	text_add(page->out, "\n");
}

static void add_reload(struct page *page) {
	if (!page->status->reload_error)
		return;
	begin(page, "reload");
	colored(page, "\033[1;31m", "refused");
	if (page->status->reloaded_usec) {
		text_add(page->out, " ");
		add_ago(page, page->status->reloaded_usec);
	}
	text_add(page->out, "; the previous file stays in force: ");
	report_clean(page->status->reload_error, page->out);
	text_add(page->out, "\n");
}

static void add_parts(struct page *page, enum count_line line) {
	for (size_t i = 0; i < N_REPORT_COUNTS; i++) {
		const struct report_count *row = &report_count_table[i];
		size_t n = report_count(row, &page->status->counts);

		if (row->line == line && n)
			text_addf(page->out, ", %zu %s", n, n == 1 ? row->one : row->several);
	}
	text_add(page->out, "\n");
}

static void add_counts(struct page *page) {
	const struct report_counts *counts = &page->status->counts;

	begin(page, "objects");
	text_addf(page->out, "%zu in %zu namespace%s", counts->n_objects, counts->n_namespaces,
		  counts->n_namespaces == 1 ? "" : "s");
	add_parts(page, COUNT_OBJECTS);
	begin(page, "drift");
	text_addf(page->out, "%zu seen, %zu restored", counts->n_drifts, counts->n_restored);
	add_parts(page, COUNT_DRIFT);
}

static void add_latest(struct page *page) {
	const struct report_status *s = page->status;

	for (size_t i = 0; i < s->n_latest; i++) {
		begin(page, i ? "" : "latest");
		add_ago(page, s->drifts[i].when_usec);
		text_add(page->out, ": ");
		report_clean(s->drifts[i].text, page->out);
		text_add(page->out, "\n");
	}
}

/* What it is and why, with its position: "web/eth0 address 10.0.0.11/24: File exists (office.yaml:14)". */
static void add_matter(struct page *page, const struct report_trouble *t, const char *separator) {
	report_clean(t->scope, page->out);
	if (t->noun) {
		text_add(page->out, " ");
		report_clean(t->noun, page->out);
	}
	if (t->error) {
		text_add(page->out, separator);
		report_clean(t->error, page->out);
	}
	if (t->file && t->line) {
		text_add(page->out, " (");
		report_clean(t->file, page->out);
		text_addf(page->out, ":%" PRIu64 ")", t->line);
	}
}

static void add_waits(struct page *page) {
	for (size_t i = 0; i < page->status->n_waits; i++) {
		begin(page, i ? "" : "waiting");
		add_matter(page, &page->status->waits[i], " ");
		text_add(page->out, "\n");
	}
}

static void add_trouble(struct page *page, const struct report_trouble *t) {
	colored(page, "\033[31m", t->state);
	text_add(page->out, ": ");
	add_matter(page, t, streq(t->state, "reported") ? " " : ": "); /* the sentence continues with the object */
	if (t->n_tries)
		text_addf(page->out, "; tried %" PRIu64 " time%s", t->n_tries, t->n_tries == 1 ? "" : "s");
	if (t->next_try_usec > page->now) {
		text_add(page->out, ", again in ");
		report_duration(t->next_try_usec - page->now, page->out);
	}
	text_add(page->out, "\n");
}

void report_status_text(const struct report_status *status, uint64_t now_usec, bool color, struct text *out) {
	struct page page = { .status = status, .now = now_usec, .color = color, .out = out };

	begin(&page, "topology");
	colored(&page, "\033[1m", status->topology);
	if (status->file) {
		text_add(out, " (");
		report_clean(status->file, out);
		text_add(out, ")");
	}
	text_add(out, "\n");
	add_state(&page);
	add_affected(&page);
	add_reload(&page);
	add_counts(&page);
	add_latest(&page);
	add_waits(&page);
	for (size_t i = 0; i < status->n_troubles; i++) {
		begin(&page, i ? "" : "trouble");
		add_trouble(&page, &status->failures[i]);
	}
}
