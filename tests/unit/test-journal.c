/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's lines: their exact words, their fields, and that a storm loses none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>

#include "run/journal.h"
#include "run/messages.h"

static const struct occurrence removed = {
	.type = OCCURRENCE_DRIFT_RESTORED,
	.drift = DRIFT_MISSING,
	.ns = "web",
	.scope = "web/eth0",
	.noun = "address 10.0.0.11/24",
	.parts = { "eth0", "address", "10.0.0.11/24" },
	.what = "was removed",
	.latency_usec = 600,
};

/* Words. */

static void check_text(const struct occurrence *occurrence, const char *expected) {
	struct occurrence placed = *occurrence;
	_cleanup_free_ char *text = NULL;

	placed.file = "office.yaml";
	text = occurrence_text(&placed);

	assert_string_equal(text, expected);
}

static void test_restored(void **state _unused_) {
	struct occurrence o = removed;

	check_text(&o, "drift: web/eth0: address 10.0.0.11/24 was removed; restored in 0.6 ms");
	o.n_followers = 1;
	check_text(&o, "drift: web/eth0: address 10.0.0.11/24 was removed; restored in 0.6 ms (and 1 object with it)");
	o.n_followers = 3;
	check_text(&o, "drift: web/eth0: address 10.0.0.11/24 was removed; restored in 0.6 ms (and 3 objects with it)");
	check_text(&(struct occurrence){ .type = OCCURRENCE_DRIFT_RESTORED,
					 .drift = DRIFT_CHANGED,
					 .ns = "web",
					 .form = FORM_ALONE,
					 .scope = "web/eth0",
					 .noun = "link",
					 .what = "mtu was changed from 1400 to 1500",
					 .latency_usec = 500 },
		   "drift: web/eth0: mtu was changed from 1400 to 1500; restored in 0.5 ms");
	check_text(&(struct occurrence){ .type = OCCURRENCE_DRIFT_RESTORED,
					 .drift = DRIFT_MISSING,
					 .ns = "web",
					 .scope = "web/eth0",
					 .noun = "link",
					 .what = "was removed",
					 .latency_usec = 2000 },
		   "drift: web/eth0: link was removed; restored in 2 ms");
	check_text(&(struct occurrence){ .type = OCCURRENCE_DRIFT_RESTORED,
					 .drift = DRIFT_CHANGED,
					 .form = FORM_FIELDS,
					 .ns = "web",
					 .scope = "web",
					 .noun = "route default via 10.0.0.1",
					 .what = "mtu was changed from 1400 to 1500",
					 .latency_usec = 500 },
		   "drift: web: route default via 10.0.0.1: mtu was changed from 1400 to 1500; restored in 0.5 ms");
}

static void test_other_drift(void **state _unused_) {
	struct occurrence o = { .type = OCCURRENCE_DRIFT_REPORTED,
				.ns = "web",
				.scope = "web",
				.noun = "route default via 10.0.0.1",
				.what = "was removed" };

	check_text(&o, "drift: web: route default via 10.0.0.1 was removed; reported only");
	o.type = OCCURRENCE_DRIFT_HELD;
	check_text(&o, "drift: web: route default via 10.0.0.1 was removed; left alone while paused");
	o.type = OCCURRENCE_DRIFT_FAILED, o.error = "Network is unreachable", o.pause_usec = 2000000;
	check_text(&o,
		   "drift: web: route default via 10.0.0.1 was removed; the repair failed: Network is unreachable; trying "
		   "again in 2 s");
	o.position.line = 14;
	check_text(&o, "drift: web: route default via 10.0.0.1 was removed; the repair failed: Network is unreachable "
		       "(office.yaml:14); trying again in 2 s");
	o.type = OCCURRENCE_BACKED_OFF, o.error = NULL, o.pause_usec = 8000000;
	check_text(&o, "drift: web: route default via 10.0.0.1 was removed; backed off for 8 s: something keeps undoing it");
	o.opponent = "route protocol 186 bgp";
	check_text(&o, "drift: web: route default via 10.0.0.1 was removed; backed off for 8 s: something keeps undoing it "
		       "(route protocol 186 bgp)");
}

static void test_failing(void **state _unused_) {
	struct occurrence o = { .type = OCCURRENCE_FAILING,
				.ns = "web",
				.form = FORM_ALONE,
				.scope = "web/eth0",
				.noun = "link",
				.what = "mtu 70000",
				.error = "Invalid argument",
				.position = { .line = 14 },
				.pause_usec = 1000000 };
	_cleanup_free_ char *without_file = occurrence_text(&o);

	check_text(&o, "failing: web/eth0: mtu 70000: Invalid argument (office.yaml:14); trying again in 1 s");
	assert_string_equal(without_file, "failing: web/eth0: mtu 70000: Invalid argument (line 14); trying again in 1 s");
	o.form = FORM_PREDICATE, o.noun = "address 10.0.0.1/8", o.what = "cannot be made";
	check_text(
		&o,
		"failing: web/eth0: address 10.0.0.1/8 cannot be made: Invalid argument (office.yaml:14); trying again in "
		"1 s");
	o.what = NULL;
	check_text(&o, "failing: web/eth0: address 10.0.0.1/8: Invalid argument (office.yaml:14); trying again in 1 s");
	o.type = OCCURRENCE_RECOVERED;
	check_text(&o, "recovered: web/eth0: address 10.0.0.1/8 is as declared again");
}

static void test_converged(void **state _unused_) {
	struct occurrence o = {
		.type = OCCURRENCE_CONVERGED, .n_objects = 12, .n_namespaces = 4, .n_changes = 7, .latency_usec = 31000
	};

	check_text(&o, "converged: 12 objects in 4 namespaces, 7 changes, verified in 31 ms");
	o.n_objects = o.n_namespaces = o.n_changes = 1;
	check_text(&o, "converged: 1 object in 1 namespace, 1 change, verified in 31 ms");
	o.n_changes = 0;
	check_text(&o, "converged: 1 object in 1 namespace, nothing to do, verified in 31 ms");
	check_text(&(struct occurrence){ .type = OCCURRENCE_OVERRUN },
		   "events came faster than they could be read; scanning everything again");
}

/* Names come from anywhere. */
static void test_terminal(void **state _unused_) {
	struct occurrence o = removed;

	o.scope = "web/\033[2J", o.noun = "link\nfake: line";
	check_text(&o, "drift: web/?[2J: link?fake: line was removed; restored in 0.6 ms");
}

/* There is a line even if texts are missing. */
static void test_bare(void **state _unused_) {
	for (enum occurrence_type type = 0; type <= OCCURRENCE_OVERRUN; type++) {
		_cleanup_free_ char *text = occurrence_text(&(struct occurrence){ .type = type });

		assert_true(*text);
	}
}

/* Where they go: with colours to a terminal, without to anything else. */

/* What errors, warnings and others look like when standard error is fd. */
static void check_lines(int fd, int from, const char *expected) {
	char said[256] = {};
	int before = dup(STDERR_FILENO), n_lines = 0;

	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	journal_open();
	journal_log(LOG_ERR, "e");
	journal_log(LOG_WARNING, "w");
	journal_log(LOG_NOTICE, "n");
	dup2(before, STDERR_FILENO);
	close(before);
	for (size_t n = 0; n_lines < 3; n_lines += said[n++] == '\n')
		assert_int_equal(read(from, &said[n], 1), 1);
	assert_string_equal(said, expected);
}

static void test_colors(void **state _unused_) {
	const char *plain = "e\r\nw\r\nn\r\n", *colored = "\033[31me\033[0m\r\n\033[33mw\033[0m\r\nn\r\n";
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), pipe_ends[2];

	assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	int end = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(end >= 0 && pipe(pipe_ends) == 0);
	setenv("TERM", "xterm", true);
	unsetenv("NO_COLOR");
	check_lines(end, terminal, colored);
	check_lines(pipe_ends[1], pipe_ends[0], "e\nw\nn\n");
	setenv("NO_COLOR", "", true); /* same as not set, no-color.org */
	check_lines(end, terminal, colored);
	setenv("NO_COLOR", "1", true);
	check_lines(end, terminal, plain);
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", true);
	check_lines(end, terminal, plain);
	close(pipe_ends[0]), close(pipe_ends[1]), close(end), close(terminal);
}

/* Fields. */

struct said {
	size_t n, n_told;
	uint64_t n_counted;
	struct text lines, fields;
};

static void said_done(struct said *said) {
	journal_redirect(NULL, NULL);
	journal_topology(NULL);
	text_done(&said->lines);
	text_done(&said->fields);
}
#define _said_ _cleanup_(said_done) struct said

static void hear(void *userdata, const struct journal_line *line) {
	struct said *said = userdata;

	said->n++;
	text_addf(&said->lines, "%d %s\n", line->priority, line->text);
	for (size_t i = 0; i < line->n_fields; i++) {
		const char *count = startswith(line->fields[i], "TOPOD_COUNT=");

		text_addf(&said->fields, "%s\n", line->fields[i]);
		if (count)
			said->n_counted += strtoull(count, NULL, 10);
		else if (startswith(line->fields[i], "TOPOD_DRIFT="))
			said->n_told++;
	}
}

static void begin(struct said *said, const char *topology) {
	journal_redirect(hear, said);
	journal_topology(topology);
}

static void test_fields(void **state _unused_) {
	_said_ said = {};
	struct occurrence failed = { .type = OCCURRENCE_DRIFT_FAILED,
				     .drift = DRIFT_CHANGED,
				     .ns = "web",
				     .form = FORM_ALONE,
				     .scope = "web/eth0",
				     .noun = "link",
				     .what = "mtu was changed from 1400 to 1500",
				     .error = "no",
				     .position = { .line = 3 },
				     .file = "office.d/10-mtu.yaml" };

	begin(&said, "office");
	journal_occurrence(&removed, 1);
	assert_string_equal(said.lines.data, "5 drift: web/eth0: address 10.0.0.11/24 was removed; restored in 0.6 ms\n");
	assert_string_equal(said.fields.data, "MESSAGE_ID=" TOPOD_MESSAGE_DRIFT_RESTORED "\nTOPOD_TOPOLOGY=office\n"
					      "TOPOD_NAMESPACE=web\nTOPOD_OBJECT=web/eth0 address 10.0.0.11/24\n"
					      "TOPOD_INTERFACE=eth0\nTOPOD_KIND=address\nTOPOD_KEY=10.0.0.11/24\n"
					      "TOPOD_DRIFT=missing\nTOPOD_ACTION=restored\nTOPOD_LATENCY_USEC=600\n");
	text_done(&said.fields);
	text_done(&said.lines);
	journal_occurrence(&failed, 2);
	assert_string_equal(said.lines.data, "3 drift: web/eth0: mtu was changed from 1400 to 1500; the repair failed: no "
					     "(office.d/10-mtu.yaml:3)\n");
	assert_string_equal(said.fields.data,
			    "MESSAGE_ID=" TOPOD_MESSAGE_DRIFT_FAILED "\nTOPOD_TOPOLOGY=office\n"
			    "TOPOD_NAMESPACE=web\nTOPOD_OBJECT=web/eth0 link\nTOPOD_FILE=office.d/10-mtu.yaml\n"
			    "TOPOD_LINE=3\nTOPOD_ERROR=no\nTOPOD_DRIFT=changed\nTOPOD_ACTION=failed\n");
	journal_flush(UINT64_MAX);
}

static void test_actions(void **state _unused_) {
	static const struct {
		enum occurrence_type type;
		const char *line;
		bool drift;
	} rows[] = {
		{ OCCURRENCE_DRIFT_RESTORED, "TOPOD_ACTION=restored\n", true },
		{ OCCURRENCE_DRIFT_REPORTED, "TOPOD_ACTION=reported\n", true },
		{ OCCURRENCE_DRIFT_HELD, "TOPOD_ACTION=held\n", true },
		{ OCCURRENCE_DRIFT_FAILED, "TOPOD_ACTION=failed\n", true },
		{ OCCURRENCE_BACKED_OFF, "TOPOD_ACTION=backed-off\n", true },
		{ OCCURRENCE_FAILING, "TOPOD_ACTION=failed\n", false },
		{ OCCURRENCE_RECOVERED, NULL, false },
		{ OCCURRENCE_CONVERGED, NULL, false },
		{ OCCURRENCE_OVERRUN, NULL, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_said_ said = {};

		begin(&said, "office");
		journal_occurrence(&(struct occurrence){ .type = rows[i].type, .drift = DRIFT_EXTRA }, 1);
		assert_int_equal(said.n, 1);
		assert_non_null(strstr(said.fields.data, rows[i].line ? rows[i].line : "TOPOD_TOPOLOGY=office\n"));
		assert_int_equal(strstr(said.fields.data, "TOPOD_ACTION") != NULL, rows[i].line != NULL);
		assert_int_equal(strstr(said.fields.data, "TOPOD_DRIFT=extra\n") != NULL, rows[i].drift);
		assert_null(strstr(said.fields.data, "TOPOD_NAMESPACE"));
		journal_flush(UINT64_MAX);
	}
}

static void test_log(void **state _unused_) {
	_said_ said = {};

	begin(&said, "office");
	journal_log(LOG_WARNING, "%d lines\nof %s", 3, "the ledger");
	assert_string_equal(said.lines.data, "4 3 lines?of the ledger\n");
	assert_string_equal(said.fields.data, "TOPOD_TOPOLOGY=office\n");
	journal_topology(NULL);
	text_done(&said.fields);
	journal_log(LOG_INFO, "no topology");
	assert_string_equal(text_str(&said.fields), "");
}

static void test_diags(void **state _unused_) {
	_cleanup_(diags_done) struct diags diags = {};
	_said_ said = {};

	begin(&said, "office");
	diags_add_source(&diags, (struct source_text){ "office.yaml", "a: 1\n", 5 });
	diag_error(&diags, (struct position){ .line = 1, .column = 1 }, "unknown key 'a'");
	diag_note(&diags, (struct position){ .line = 1, .column = 4 }, "first here");
	diag_warning(&diags, (struct position){}, "hm");
	journal_diags(&diags);
	assert_string_equal(said.lines.data,
			    "3 office.yaml:1:1: error: unknown key 'a'\n5 office.yaml:1:4: note: first here\n"
			    "4 office.yaml: warning: hm\n");
	assert_string_equal(
		said.fields.data,
		"MESSAGE_ID=" TOPOD_MESSAGE_FILE_REFUSED "\nTOPOD_TOPOLOGY=office\nTOPOD_FILE=office.yaml\nTOPOD_LINE=1\n"
		"MESSAGE_ID=" TOPOD_MESSAGE_FILE_REFUSED "\nTOPOD_TOPOLOGY=office\nTOPOD_FILE=office.yaml\nTOPOD_LINE=1\n"
		"MESSAGE_ID=" TOPOD_MESSAGE_FILE_REFUSED "\nTOPOD_TOPOLOGY=office\nTOPOD_FILE=office.yaml\n");
	for (size_t i = 0; i < DIAGS_MAX + 4; i++)
		diag_error(&diags, (struct position){ .line = 1, .column = 1 }, "again");
	text_done(&said.lines);
	journal_diags(&diags);
	assert_non_null(strstr(said.lines.data, "\n3 and 5 more errors or warnings\n"));
}

/* Storms. */

static const char *last_line(struct said *said) {
	char *end = said->lines.data + said->lines.size - 1;

	*end = '\0';
	char *start = strrchr(said->lines.data, '\n');
	return start ? start + 1 : said->lines.data;
}

static void test_storm(void **state _unused_) {
	struct occurrence failed = removed;
	_said_ said = {};

	begin(&said, "office");
	assert_true(journal_due() == UINT64_MAX);
	failed.type = OCCURRENCE_DRIFT_FAILED, failed.error = "no";
	for (int i = 0; i < JOURNAL_BURST; i++)
		journal_occurrence(&removed, 1000000);
	assert_int_equal(said.n, JOURNAL_BURST);
	assert_true(journal_due() == UINT64_MAX); /* nothing is held back yet */
	for (int i = 0; i < 400; i++)
		journal_occurrence(&removed, 2000000);
	for (int i = 0; i < 12; i++)
		journal_occurrence(&failed, 3000000);
	assert_int_equal(said.n, JOURNAL_BURST);
	assert_true(journal_due() == 1000000 + JOURNAL_WINDOW_USEC);
	journal_flush(1000000 + JOURNAL_WINDOW_USEC - 1); /* too early */
	assert_int_equal(said.n, JOURNAL_BURST);
	journal_flush(1000000 + JOURNAL_WINDOW_USEC);
	assert_int_equal(said.n, JOURNAL_BURST + 1);
	assert_string_equal(last_line(&said), "4 and 412 more in 5 s: 400 restored, 12 not repaired");
	assert_non_null(
		strstr(said.fields.data, "MESSAGE_ID=" TOPOD_MESSAGE_SUMMARY "\nTOPOD_TOPOLOGY=office\nTOPOD_COUNT=412\n"));
	assert_true(journal_due() == UINT64_MAX);
	journal_flush(UINT64_MAX); /* nothing is left */
	assert_int_equal(said.n, JOURNAL_BURST + 1);
}

/* Without a timer, the next line reports what was counted before it. */
static void test_next_line_tells(void **state _unused_) {
	_said_ said = {};

	begin(&said, NULL);
	for (int i = 0; i < JOURNAL_BURST + 7; i++)
		journal_occurrence(&removed, 1000000);
	journal_occurrence(&removed, 60000000);
	assert_int_equal(said.n, JOURNAL_BURST + 2);
	assert_non_null(strstr(said.lines.data, "\n4 and 7 more in 5 s: 7 restored\n5 drift: "));
	journal_flush(UINT64_MAX);
}

/* The end of the daemon comes in the middle of a window. */
static void test_end(void **state _unused_) {
	_said_ said = {};

	begin(&said, NULL);
	for (int i = 0; i < JOURNAL_BURST + 7; i++)
		journal_occurrence(&removed, 1000000 + (uint64_t)i * 10000);
	journal_flush(UINT64_MAX);
	assert_string_equal(last_line(&said), "4 and 7 more in 1.1 s: 7 restored");
}

/* Convergence is never only counted, and its line comes after the earlier ones. */
static void test_converged_in_a_storm(void **state _unused_) {
	_said_ said = {};

	begin(&said, NULL);
	for (int i = 0; i < JOURNAL_BURST + 7; i++)
		journal_occurrence(&removed, 1000000);
	journal_occurrence(&(struct occurrence){ .type = OCCURRENCE_CONVERGED, .latency_usec = 5000 }, 3000000);
	assert_non_null(strstr(said.lines.data, "\n4 and 7 more in 2 s: 7 restored\n6 converged: "));
	journal_occurrence(&removed, 3000001); /* the window goes on */
	assert_int_equal(said.n, JOURNAL_BURST + 2);
	journal_flush(UINT64_MAX);
	assert_string_equal(last_line(&said), "4 and 1 more in 2 s: 1 restored");
}

/* At any rate, written and counted occurrences together are all of them. */
static void test_nothing_is_lost(void **state _unused_) {
	_said_ said = {};
	uint64_t now = 1, seed = 12345, n = 0;

	begin(&said, "office");
	for (int i = 0; i < 20000; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		now += (seed >> 33) % 3 ? (seed >> 40) % 1000 : (seed >> 40) % 200000;
		if ((seed >> 60) == 3)
			journal_flush(now);
		journal_occurrence(&removed, now);
		n++;
	}
	journal_flush(UINT64_MAX);
	assert_true(said.n_counted > 0);
	assert_int_equal(said.n_told + said.n_counted, n);
}

/* Every kind of message has its own id, and the catalog explains it. */
static void test_identities(void **state _unused_) {
	static const char *const ids[] = {
		TOPOD_MESSAGE_DRIFT_RESTORED, TOPOD_MESSAGE_DRIFT_REPORTED, TOPOD_MESSAGE_DRIFT_FAILED,
		TOPOD_MESSAGE_BACKED_OFF,     TOPOD_MESSAGE_FAILING,        TOPOD_MESSAGE_RECOVERED,
		TOPOD_MESSAGE_CONVERGED,      TOPOD_MESSAGE_OVERRUN,        TOPOD_MESSAGE_SUMMARY,
		TOPOD_MESSAGE_FILE_REFUSED,   TOPOD_MESSAGE_DRIFT_HELD,     TOPOD_MESSAGE_PAUSED,
		TOPOD_MESSAGE_RESUMED,        TOPOD_MESSAGE_SPARED,         TOPOD_MESSAGE_GONE,
		TOPOD_MESSAGE_ARRIVED,
	};
	static char catalog[65536];
	_cleanup_fclose_ FILE *file = fopen(TOPOD_SOURCE "/units/topod.catalog", "re");

	assert_non_null(file);
	assert_in_range(fread(catalog, 1, sizeof(catalog) - 1, file), 1000, sizeof(catalog) - 2);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		_cleanup_free_ char *head = xasprintf("\n-- %s\nSubject: ", ids[i]);

		assert_int_equal(strlen(ids[i]), 32);
		assert_non_null(strstr(catalog, head));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restored),
		cmocka_unit_test(test_other_drift),
		cmocka_unit_test(test_failing),
		cmocka_unit_test(test_converged),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_colors),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_diags),
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_next_line_tells),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_converged_in_a_storm),
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_identities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
