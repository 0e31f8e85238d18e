/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results for people and for programs: a plan, its outcome, a file's diagnostics, a daemon's status.
 *
 * Everything here is a function of its arguments: it prints nothing, reads no clock (the time is an argument) and does
 * not know the reconciler; the daemon fills the plain structs below. A text ends in a newline, and control characters
 * in names are replaced, so that they cannot control a terminal. JSON values are jansson's and owned by the caller
 * (json_decref()).
 */
#pragma once

#include <jansson.h>

#include "plan/plan.h"
#include "report/counts.h"

/* Plans (report_plan.c). */

/* The number of lines in the plan's text: both ends of a pair count, updates that complete a creation do not. */
struct report_summary {
	size_t n_create, n_change, n_recreate, n_delete, n_refused, n_report;
	size_t n_give_up;    /* made by topod, which will not remove them any more */
	size_t n_namespaces; /* namespaces with changes */
};

struct report_summary report_plan_summary(const struct plan *plan);

/* The number of lines; 0: there is nothing to do. */
static inline size_t report_summary_total(const struct report_summary *s) {
	return s->n_create + s->n_change + s->n_recreate + s->n_delete + s->n_refused + s->n_report + s->n_give_up;
}

/* Prints "1 address waits for a carrier, 2 interfaces wait to be moved in", in the order of the list; nothing if it
 * is empty. */
void report_waiting_text(const struct waiting *waiting, size_t n, struct text *out);

/* Prints "nothing to do", or "3 to create, 1 to change, 0 to recreate, 2 to delete in 2 namespaces". */
void report_summary_text(const struct report_summary *summary, struct text *out);

/* Prints the plan like a diff, by namespace:
 *
 *     web
 *         + namespace
 *         + eth0: veth to host:c1, mtu 1400
 *         ~ br0: mtu 1400 -> 1500
 *       -/+ eth1: veth to host:c2 (queues 1 -> 2)
 *         ! eth2: link exists and is not topod's: …
 *
 *     left as it is
 *         = web/br1: bridge belongs to topology 'b' (/etc/topod/b.yaml:7)
 *
 * with a line of counts at the end, and another line if something waits. The plan must not have been carried out, and its
 * desired state must not have been used for another plan in between. */
void report_plan_text(const struct plan *plan, bool color, struct text *out);

/* {"topology",
 *  "changes": [{"action", "namespace", "object", "kind", "fields": {NAME: {"from", "to"}}, "reason"?, "error"?}],
 *  "waiting": [{"namespace", "object", "waits"}],
 *  "spared": [{"object", "reason"}], "explained"?: the same,
 *  "summary": {"create", "change", "recreate", "delete", "refused", "reported", "give_up", "namespaces"}}
 *
 * "waiting" lists objects that wait for something outside topod. "object" is unique in the topology. Numbers and booleans
 * are JSON's, other values are texts as in the file; "from" is null if there was no value. */
json_t *report_plan_json(const struct plan *plan, const char *topology);

/* Diagnostics (report_json.c). */

/* {"file", "drop_ins": [NAME], "valid", "errors", "warnings",
 *  "diagnostics": [{"severity", "file", "line", "column", "message"}]}; line and column are null if not known. */
json_t *report_check_json(const char *file, const struct diags *diags);

/* Status (report_status.c). */

enum { REPORT_DRIFTS_MAX = 10 };

/* An occurrence, as the journal has it. */
struct report_drift {
	uint64_t when_usec;       /* CLOCK_REALTIME */
	const char *text;         /* the journal's line: "drift: web/eth0: address 10.0.0.11/24 was removed; …" */
	const char *scope, *noun; /* "web/eth0", "address 10.0.0.11/24"; may be NULL */
	const char *ns;           /* these two: NULL if it is not about an object */
	struct object_parts parts;
};

/* An object with a problem. */
struct report_trouble {
	const char *scope, *noun;
	const char *ns; /* these two: as in a drift */
	struct object_parts parts;
	const char *state; /* "failing", "fought over", "reported", "held" */
	const char *error; /* NULL: none */
	const char *file;  /* NULL: the position is not known */
	uint64_t line, column;
	uint64_t n_tries;
	uint64_t next_try_usec; /* CLOCK_REALTIME; 0: none is planned */
};

/* A daemon's status. Texts are borrowed: from the caller or, after reading JSON, from that. */
struct report_status {
	const char *topology, *file, *version;
	const char *state; /* "converging", "converged", "degraded" */
	uint64_t pid;
	uint64_t started_usec;      /* all times CLOCK_REALTIME; 0: never */
	uint64_t since_usec;        /* when the state last changed */
	uint64_t verified_usec;     /* when the kernel was last read back and found as declared */
	uint64_t paused_until_usec; /* nothing is enforced until then; 0: not paused */
	struct report_counts counts;
	uint64_t reloaded_usec;            /* the latest reload, successful or not; 0: none */
	const char *reload_error;          /* the first error if the latest reload was refused; else NULL */
	const struct report_drift *drifts; /* the latest first */
	size_t n_latest;                   /* number of entries in drifts */
	const struct report_trouble *failures;
	size_t n_troubles;
	const struct report_trouble *waits; /* objects that wait for something outside topod; `error` says for what */
	size_t n_waits;
	const char *waits_text; /* a summary of waits, or NULL */
	const char *reason;     /* what takes its time while it is converging, or NULL */
};

json_t *report_status_json(const struct report_status *status);

/* Reads the JSON of report_status_json(), possibly of another version: missing members, or those of another type,
 * are left empty. The lists are made in arena; texts belong to the JSON, which must outlive ret. 0, or -EINVAL if it
 * has no topology or state. */
int report_status_from_json(const json_t *json, struct arena *arena, struct report_status *ret);

/* Prints a few aligned lines; times are relative to `now_usec` (CLOCK_REALTIME): "2 min 3 s ago". */
void report_status_text(const struct report_status *status, uint64_t now_usec, bool color, struct text *out);

/* Prints the status of several daemons as OpenMetrics text. A counter's samples end in _total, so that programs which read
 * Prometheus' older format (node_exporter's textfile collector) understand them as well. */
void report_metrics(const struct report_status *all, size_t n, struct text *out);

/* Prints a time span: "0.6 ms", "31 ms", "1.2 s", "3 min 20 s", "2 h 5 min", "4 d 3 h". */
void report_duration(uint64_t usec, struct text *out);

/* Adds text with control characters as `?`, so that foreign names cannot control a terminal. */
void report_clean(const char *piece, struct text *out);

/* A cleaned text as JSON: jansson refuses text that is not UTF-8, and a name from the kernel may be anything. NULL
 * becomes null. */
json_t *report_json_text(const char *text);
