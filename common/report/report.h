/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results for people and for programs: a plan, what came of it, a file's diagnostics, a daemon's status.
 *
 * Everything here is a function of its arguments: it prints nothing, asks no clock (the time is given) and knows
 * no reconciler; the daemon fills the plain structs below. Text ends in a line break, and names from the kernel
 * or the file cannot act on a terminal. JSON is jansson's; every json_t returned is the caller's (json_decref()).
 */
#pragma once

#include <jansson.h>

#include "plan/plan.h"
#include "report/counts.h"

/* Plans (report_plan.c). */

/* As many as there are lines in the plan's text: both ends of a pair count, what follows a creation does not. */
struct report_summary {
	size_t n_create, n_change, n_recreate, n_delete, n_refused;
	size_t n_give_up;    /* made by topod, and never removed by it from then on */
	size_t n_namespaces; /* in which something is to be done */
};

struct report_summary report_plan_summary(const struct plan *plan);

/* 0: there is nothing to do. */
static inline size_t report_summary_total(const struct report_summary *s) {
	return s->n_create + s->n_change + s->n_recreate + s->n_delete + s->n_refused + s->n_give_up;
}

/* "1 address waits for a carrier, 2 interfaces wait to be moved in", in the order of the list; adds nothing where it is empty. */
void report_waiting_text(const struct waiting *waiting, size_t n, struct text *out);

/* "nothing to do", or "3 to create, 1 to change, 0 to recreate, 2 to delete in 2 namespaces", "1 to give up". */
void report_summary_text(const struct report_summary *summary, struct text *out);

/* Like a diff, by namespaces:
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
 * with a line of counts at the end, and another one where something waits. The plan must not have been carried out, and the desired state that it was made from
 * must not have been planned again in between. */
void report_plan_text(const struct plan *plan, bool color, struct text *out);

/* "waiting": [{"namespace", "object", "waits"}] are those that wait for something outside of topod.
 * {"topology", "waiting", "changes": [{"action", "namespace", "object", "kind", "fields": {NAME: {"from", "to"}}, "reason"?,
 * "error"?}], "spared": [{"object", "reason"}], "summary": {"create", "change", "recreate", "delete", "refused", "give_up", "namespaces"}}. "object" is unique in the
 * topology; numbers and booleans are such, other values text as in the file; "from" is null where there was none. */
json_t *report_plan_json(const struct plan *plan, const char *topology);

/* Diagnostics (report_json.c). */

/* {"file", "drop_ins": [NAME], "valid", "errors", "warnings", "diagnostics": [{"severity", "file", "line", "column", "message"}]}; line and
 * column are null where no place is known. */
json_t *report_check_json(const char *file, const struct diags *diags);

/* Status (report_status.c). */

enum { REPORT_DRIFTS_MAX = 10 };

/* Something that happened, as the journal tells it. */
struct report_drift {
	uint64_t when_usec;       /* CLOCK_REALTIME */
	const char *text;         /* the journal's line: "drift: web/eth0: address 10.0.0.11/24 was removed; …" */
	const char *scope, *noun; /* "web/eth0", "address 10.0.0.11/24"; may be NULL */
};

/* An object that is not well. */
struct report_trouble {
	const char *scope, *noun;
	const char *state; /* "failing", "fought over", "reported", "held" */
	const char *error; /* NULL: none */
	const char *file;  /* NULL: no place is known */
	uint64_t line, column;
	uint64_t n_tries;
	uint64_t next_try_usec; /* CLOCK_REALTIME; 0: none is planned */
};

/* What a daemon says of itself. Texts are borrowed: the caller's, or (from JSON) the JSON's. */
struct report_status {
	const char *topology, *file, *version;
	const char *state; /* "converging", "converged", "degraded" */
	uint64_t pid;
	uint64_t started_usec;      /* all times CLOCK_REALTIME; 0: never */
	uint64_t since_usec;        /* the state is what it is since then */
	uint64_t verified_usec;     /* the kernel was last read back and found equal */
	uint64_t paused_until_usec; /* nothing is enforced until then; 0: not paused */
	struct report_counts counts;
	uint64_t reloaded_usec;            /* the latest reload, whether it was taken or not; 0: none */
	const char *reload_error;          /* the latest reload was refused: its first error; else NULL */
	const struct report_drift *drifts; /* the latest first */
	size_t n_latest;                   /* entries of drifts */
	const struct report_trouble *failures;
	size_t n_troubles;
	const struct report_trouble *waits; /* objects that wait for something outside: error says for what */
	size_t n_waits;
	const char *waits_text; /* all of them in a few words, or NULL */
};

json_t *report_status_json(const struct report_status *status);

/* Reads what report_status_json() made, perhaps that of another version: what is missing or of another type is
 * left empty. The lists are made in arena; texts stay the JSON's, which must outlive ret. 0, or -EINVAL where it is no
 * object with a topology and a state. */
int report_status_from_json(const json_t *json, struct arena *arena, struct report_status *ret);

/* A few aligned lines; times are told as so long before `now_usec` (CLOCK_REALTIME). */
void report_status_text(const struct report_status *status, uint64_t now_usec, bool color, struct text *out);

/* "0.6 ms", "31 ms", "1.2 s", "3 min 20 s", "2 h 5 min", "4 d 3 h": a time span for people. */
void report_duration(uint64_t usec, struct text *out);

/* Adds text with control bytes as `?`, so that names from elsewhere cannot act on a terminal. */
void report_clean(const char *piece, struct text *out);

/* A text, cleaned: jansson refuses what is no UTF-8, and a name from the kernel may be anything. NULL: null. */
json_t *report_json_text(const char *text);
