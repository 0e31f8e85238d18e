/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines and where they go. The words of an occurrence are made in reconcile/occurrence.c.
 *
 * In a storm (a namespace with a thousand addresses deleted, contention) the first lines are written. Later ones within the
 * window are only counted, by type, and the counts are written when the window is over. So every occurrence is in exactly
 * one line or in exactly one count.
 */
#define SD_JOURNAL_SUPPRESS_LOCATION /* no CODE_FILE= and CODE_LINE= */
#include "run/journal.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-login.h>

#include "run/messages.h"
#include "run/terminal.h"
#include "report/report.h"

/* How the lines of each type of occurrence go out. */
static const struct {
	const char *id; /* MESSAGE_ID= */
	int priority;
	bool latency; /* TOPOD_LATENCY_USEC= */
	bool always;  /* never only counted */
} types[] = {
	[OCCURRENCE_DRIFT_RESTORED] = { TOPOD_MESSAGE_DRIFT_RESTORED, LOG_NOTICE, .latency = true },
	[OCCURRENCE_DRIFT_REPORTED] = { TOPOD_MESSAGE_DRIFT_REPORTED, LOG_WARNING },
	[OCCURRENCE_DRIFT_HELD] = { TOPOD_MESSAGE_DRIFT_HELD, LOG_WARNING },
	[OCCURRENCE_DRIFT_FAILED] = { TOPOD_MESSAGE_DRIFT_FAILED, LOG_ERR },
	[OCCURRENCE_BACKED_OFF] = { TOPOD_MESSAGE_BACKED_OFF, LOG_WARNING },
	[OCCURRENCE_FAILING] = { TOPOD_MESSAGE_FAILING, LOG_ERR },
	[OCCURRENCE_RECOVERED] = { TOPOD_MESSAGE_RECOVERED, LOG_NOTICE },
	[OCCURRENCE_CONVERGED] = { TOPOD_MESSAGE_CONVERGED, LOG_INFO, .latency = true, .always = true },
	[OCCURRENCE_SPARED] = { TOPOD_MESSAGE_SPARED, LOG_NOTICE },
	[OCCURRENCE_GONE] = { TOPOD_MESSAGE_GONE, LOG_NOTICE },
	[OCCURRENCE_ARRIVED] = { TOPOD_MESSAGE_ARRIVED, LOG_NOTICE },
	[OCCURRENCE_OVERRUN] = { TOPOD_MESSAGE_OVERRUN, LOG_NOTICE },
};

/* Occurrences in a window: written, and only counted. */
struct storm {
	uint64_t began_usec, last_usec;
	size_t n_told, n_counted[ARRAY_SIZE(types)];
	bool running;
};

static struct {
	bool native, color;
	char *unit; /* "OBJECT_SYSTEMD_UNIT=topod@office.service", or NULL */
	char *topology;
	size_t n_unread; /* dropped lines that are not reported yet */
	void (*redirect)(void *userdata, const struct journal_line *line);
	void *userdata;
	struct storm storm;
} journal;

/* Fields. */

static void _printf_(3, 4) add_field(struct arena *arena, struct journal_line *line, const char *format, ...) {
	_cleanup_text_ struct text clean = {};
	va_list args;

	va_start(args, format);
	report_clean(arena_vprintf(arena, format, args), &clean);
	va_end(args);
	if (line->n_fields < JOURNAL_FIELDS_MAX)
		line->fields[line->n_fields++] = arena_strdup(arena, clean.data);
}

static void add_topology(struct arena *arena, struct journal_line *line, const char *id) {
	if (id)
		add_field(arena, line, "MESSAGE_ID=%s", id);
	if (journal.topology)
		add_field(arena, line, "TOPOD_TOPOLOGY=%s", journal.topology);
}

static void add_fields(struct arena *arena, struct journal_line *line, const struct occurrence *o) {
	const struct occurrence_words *words = &occurrence_words[o->type];

	add_topology(arena, line, types[o->type].id);
	if (o->ns)
		add_field(arena, line, "TOPOD_NAMESPACE=%s", o->ns);
	if (o->scope)
		add_field(arena, line, "TOPOD_OBJECT=%s%s%s", o->scope, o->noun ? " " : "", o->noun ? o->noun : "");
	if (o->parts.interface)
		add_field(arena, line, "TOPOD_INTERFACE=%s", o->parts.interface);
	if (o->parts.kind)
		add_field(arena, line, "TOPOD_KIND=%s", o->parts.kind);
	if (o->parts.key)
		add_field(arena, line, "TOPOD_KEY=%s", o->parts.key);
	if (o->position.line && o->file)
		add_field(arena, line, "TOPOD_FILE=%s", o->file);
	if (o->position.line)
		add_field(arena, line, "TOPOD_LINE=%" PRIu32, o->position.line);
	if (o->error)
		add_field(arena, line, "TOPOD_ERROR=%s", o->error);
	if (words->drift)
		add_field(arena, line, "TOPOD_DRIFT=%s", drift_name(o->drift));
	if (words->action)
		add_field(arena, line, "TOPOD_ACTION=%s", words->action);
	if (types[o->type].latency)
		add_field(arena, line, "TOPOD_LATENCY_USEC=%" PRIu64, o->latency_usec);
	if (o->left)
		add_field(arena, line, "TOPOD_LEFT_BEHIND=%s", o->left);
}

/* Where lines go. */

static struct iovec piece(const char *text) {
	return (struct iovec){ .iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) };
}

static bool send_native(const struct journal_line *line) {
	_cleanup_free_ char *message = xasprintf("MESSAGE=%s", line->text);
	_cleanup_free_ char *priority = xasprintf("PRIORITY=%d", line->priority);
	struct iovec parts[JOURNAL_FIELDS_MAX + 4] = { piece(message), piece(priority), piece("SYSLOG_IDENTIFIER=topod") };
	int n = 3;

	if (journal.unit)
		parts[n++] = piece(journal.unit);
	for (size_t i = 0; i < line->n_fields; i++)
		parts[n++] = piece(line->fields[i]);
	return sd_journal_sendv(parts, n) >= 0;
}

static const char *priority_color(int priority) {
	return priority <= LOG_ERR ? "\033[31m" : priority == LOG_WARNING ? "\033[33m" : NULL;
}

/* The reader of standard error may stop reading (a pager, a log driver that hangs), and the network must not wait for it. A
 * line that would block is dropped and counted, and the next line that does not block says so. */
static void print(const struct journal_line *line) {
	const char *color = journal.color ? priority_color(line->priority) : NULL;
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&p, 1, 0) == 0) {
		journal.n_unread++;
		return;
	}
	if (journal.n_unread)
		fprintf(stderr, "%zu line%s dropped here: nobody was reading\n", journal.n_unread,
			journal.n_unread == 1 ? " was" : "s were");
	journal.n_unread = 0;
	fprintf(stderr, "%s%s%s\n", color ? color : "", line->text, color ? "\033[0m" : "");
}

static void put(const struct journal_line *line) {
	if (journal.redirect)
		journal.redirect(journal.userdata, line);
	else if (!journal.native || !send_native(line))
		print(line);
}

/* Is the descriptor a stream to journald? JOURNAL_STREAM is its "device:inode", see systemd.exec(5). */
static bool is_journal(int fd) {
	const char *stream = getenv("JOURNAL_STREAM");
	_cleanup_free_ char *own = NULL;
	struct stat st;

	if (!stream || fstat(fd, &st) < 0)
		return false;
	own = xasprintf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return streq(stream, own);
}

/* journald looks up the unit of a line by the process that sent it, which may have ended by then: its last words, which say
 * why it failed, would be missing in `journalctl -u`. So every line names its unit in a field that this command also
 * searches, see systemd.journal-fields(7). */
static char *own_unit(void) {
	_cleanup_free_ char *unit = NULL;

	return sd_pid_get_unit(0, &unit) < 0 ? NULL : xasprintf("OBJECT_SYSTEMD_UNIT=%s", unit);
}

bool journal_is_services(void) {
	_cleanup_free_ char *unit = NULL;

	return is_journal(STDERR_FILENO) && sd_pid_get_unit(0, &unit) >= 0 && startswith(unit, "topod@");
}

void journal_open(void) {
	journal.native = is_journal(STDERR_FILENO);
	free(journal.unit);
	journal.unit = journal.native ? own_unit() : NULL;
	journal.color = !journal.native && terminal_takes_color(STDERR_FILENO);
}

void journal_redirect(void (*fn)(void *userdata, const struct journal_line *line), void *userdata) {
	journal.redirect = fn;
	journal.userdata = userdata;
}

void journal_topology(const char *topology) {
	char *old = journal.topology; /* freed last: the new one may be the same string */

	journal.topology = topology ? xstrdup(topology) : NULL;
	free(old);
}

/* Storms. */

static size_t n_counted(const struct storm *storm) {
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		n += storm->n_counted[i];
	return n;
}

static void add_counts(const struct storm *storm, struct text *out) {
	const char *separator = ": ";

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!storm->n_counted[i])
			continue;
		text_addf(out, "%s%zu %s", separator, storm->n_counted[i], occurrence_words[i].counted);
		separator = ", ";
	}
}

/* Writes the counts as a line and resets them. */
static void tell_counts(struct storm *storm, uint64_t until_usec) {
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_text_ struct text text = {};
	struct journal_line line = { .priority = LOG_WARNING };
	size_t n = n_counted(storm);

	if (!n)
		return;
	text_addf(&text, "and %zu more in ", n);
	report_duration(MIN(until_usec - storm->began_usec, (uint64_t)JOURNAL_WINDOW_USEC), &text);
	add_counts(storm, &text);
	line.text = text.data;
	add_topology(&arena, &line, TOPOD_MESSAGE_SUMMARY);
	add_field(&arena, &line, "TOPOD_COUNT=%zu", n);
	memset(storm->n_counted, 0, sizeof(storm->n_counted));
	put(&line);
}

static bool is_over(const struct storm *storm, uint64_t now_usec) {
	return now_usec >= storm->began_usec + JOURNAL_WINDOW_USEC;
}

void journal_flush(uint64_t now_usec) {
	struct storm *storm = &journal.storm;

	if (!storm->running || !is_over(storm, now_usec))
		return;
	tell_counts(storm, now_usec == UINT64_MAX ? storm->last_usec : now_usec);
	*storm = (struct storm){};
}

uint64_t journal_due(void) {
	return n_counted(&journal.storm) ? journal.storm.began_usec + JOURNAL_WINDOW_USEC : UINT64_MAX;
}

/* True if the line may be written; else it was counted. */
static bool admit(struct storm *storm, enum occurrence_type type, uint64_t now_usec) {
	journal_flush(now_usec);
	if (!storm->running)
		*storm = (struct storm){ .running = true, .began_usec = now_usec };
	storm->last_usec = now_usec;
	if (storm->n_told < JOURNAL_BURST) {
		storm->n_told++;
		return true;
	}
	storm->n_counted[type]++;
	return false;
}

void journal_occurrence(const struct occurrence *occurrence, uint64_t now_usec) {
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_free_ char *text = NULL;
	struct journal_line line = { .priority = types[occurrence->type].priority };

	if (types[occurrence->type].always)
		tell_counts(&journal.storm, now_usec); /* earlier occurrences come first */
	else if (!admit(&journal.storm, occurrence->type, now_usec))
		return;
	line.text = text = occurrence_text(occurrence);
	add_fields(&arena, &line, occurrence);
	put(&line);
}

/* Other lines. */

static void _printf_(3, 0) put_words(int priority, const char *id, const char *format, va_list args) {
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_text_ struct text text = {};
	struct journal_line line = { .priority = priority };

	report_clean(arena_vprintf(&arena, format, args), &text);
	line.text = text_str(&text);
	add_topology(&arena, &line, id);
	put(&line);
}

void journal_log(int priority, const char *format, ...) {
	va_list args;

	va_start(args, format);
	put_words(priority, NULL, format, args);
	va_end(args);
}

void journal_message(int priority, const char *id, const char *format, ...) {
	va_list args;

	va_start(args, format);
	put_words(priority, id, format, args);
	va_end(args);
}

static void log_diag(const struct diags *diags, const struct diag *diag) {
	static const int priorities[] = {
		[SEVERITY_ERROR] = LOG_ERR,
		[SEVERITY_WARNING] = LOG_WARNING,
		[SEVERITY_NOTE] = LOG_NOTICE,
	};
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_free_ char *text = diag_format_line(diags, diag);
	struct journal_line line = { .priority = priorities[diag->severity], .text = text };

	add_topology(&arena, &line, TOPOD_MESSAGE_FILE_REFUSED);
	if (diag->position.source < diags->sources.n)
		add_field(&arena, &line, "TOPOD_FILE=%s", diags->sources.items[diag->position.source].name);
	if (diag->position.line)
		add_field(&arena, &line, "TOPOD_LINE=%" PRIu32, diag->position.line);
	put(&line);
}

void journal_diags(const struct diags *diags) {
	size_t n = 0;

	vec_foreach(diag, &diags->list) {
		n += diag->severity != SEVERITY_NOTE;
		log_diag(diags, diag);
	}
	if (diags->n_errors + diags->n_warnings > n)
		journal_log(LOG_ERR, "and %zu more errors or warnings", diags->n_errors + diags->n_warnings - n);
}
