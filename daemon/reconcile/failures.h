/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that are not as declared and are left so for now: those that failed, that others keep undoing, or that are only
 * reported.
 *
 * There is one record per object, dropped when the object is as declared again. It decides when the object may be tried, and
 * whether there is something new to report. It reports nothing itself, and knows neither the kernel nor the ledger. The
 * rules are explained at the head of failures.c.
 */
#pragma once

#include "model/object.h"
#include "reconcile/backoff.h"
#include "reconcile/storm.h"

enum failure_state {
	FAILURE_WATCHED, /* repaired recently: repairs are counted, to notice contention */
	FAILURE_FAILING,
	FAILURE_CONTESTED, /* somebody keeps undoing the repair */
	FAILURE_REPORTED,  /* drift that is left alone: `drift: report` */
	FAILURE_HELD,      /* drift that is left alone while topod is paused */
	N_FAILURE_STATES,
};

/* What ends the wait of a record. */
enum failure_wait {
	WAIT_PAUSE,   /* time: the end of its pause */
	WAIT_QUIET,   /* time, or a quiet period, whichever comes first */
	WAIT_NEEDS,   /* what the object needs is made; until then it is planned again after each pause */
	WAIT_CARRIER, /* its link gets a carrier, which causes an event */
	N_FAILURE_WAITS,
};

enum {
	FAILURE_PAUSE_FIRST_USEC = 1000 * 1000,
	FAILURE_PAUSE_MAX_USEC = 30 * 1000 * 1000,
	FAILURE_PAUSE_COSTLY_SEC = 3600,           /* the longest pause if a try deletes the object for a moment */
	CONTENTION_COUNT = 5,                      /* repairs of one object … */
	CONTENTION_WINDOW_USEC = 10 * 1000 * 1000, /* … within this time are contention */
};

struct failure_record {
	char *id;
	const char *ns; /* the name in home */
	struct failure_ns *home;
	char *scope, *noun, *error; /* NULL while the object is only watched */
	struct object_parts parts;  /* of scope and noun */
	struct position position;
	enum failure_state state;
	enum failure_wait wait;
	struct backoff backoff;    /* until the next try */
	uint64_t quiet_usec;       /* failing: the quiet period before the latest try that failed; 0: there was none */
	uint64_t quiet_since_usec; /* a quiet period begins here at the earliest */
	uint64_t last_try_usec;
	uint64_t window_usec; /* watched: when counting of repairs began */
	size_t seen;          /* the number (failures.scan) of the latest scan in which it was not as declared */
	size_t n_tries, n_repairs;
	uint32_t difference;                /* how it differed while it was left alone; 0: not seen yet */
	bool ignored;                       /* failing: the kernel acknowledges the change and ignores it … */
	uint64_t fields;                    /* … for these fields; 0: for the object as such */
	bool costly;                        /* a try recreates the object */
	bool drifted;                       /* failing since it drifted, not since it was first made */
	bool given_up;                      /* failing: it exists, but the kernel does not use it (a duplicate address) */
	struct failure_record *prev, *next; /* in failures.bad or failures.watched */
	struct failure_record *ns_prev, *ns_next; /* in home */
	UT_hash_handle hh;
};

/* The records of one namespace. */
struct failure_ns {
	char *name;
	struct failure_record *records;
	size_t n_bad; /* records that are not just watched */
	UT_hash_handle hh;
};

/* Zeroed is empty. There are counts and lists for everything that is needed after each event, because thousands of objects
 * may be watched. Times are CLOCK_MONOTONIC, in microseconds. */
struct failures {
	struct failure_record *records; /* by id */
	struct failure_record *bad;     /* list: all that are not just watched */
	struct failure_record *watched; /* list, the oldest window first */
	struct failure_ns *namespaces;  /* by name */
	size_t n[N_FAILURE_STATES];     /* records, by state */
	size_t n_ignored;               /* records of changes that the kernel ignores */
	size_t n_retries;               /* retries of failed changes, since the start */
	size_t scan;                    /* the number of the current scan */
	struct storm storm;
};

struct failure_record *failure_find(const struct failures *f, const struct object *object);
/* The record of a change of the object that the kernel acknowledges and ignores. It is a separate one, so that the rest of
 * the object can drift and be repaired meanwhile. */
struct failure_record *failure_find_ignored(const struct failures *f, const struct object *object);
/* NULL if the namespace has no records. */
struct failure_ns *failure_namespace(const struct failures *f, const char *ns);
/* Is anything in the namespace failing, contested, reported or held? */
bool failure_in(const struct failures *f, const char *ns);
static inline size_t failure_count(const struct failures *f, enum failure_state state) {
	return f->n[state];
}

/* Call these at the beginning and end of a pass: what happens during a pass interrupts quiet only when it is over. */
void failures_begin(struct failures *f, uint64_t now);
void failures_settle(struct failures *f);

/* May the object be changed now? record may be NULL. A failing object may be tried early: its namespace is scanned because
 * something happened there, so a new try makes sense. */
bool failure_may_try(const struct failures *f, const struct failure_record *record, uint64_t now);
/* Is the record's own pause over? Unlike failure_may_try() this asks neither for storms nor for quiet. */
bool failure_is_due(const struct failure_record *record, uint64_t now);

/* The object was found to differ while it is left alone. difference: a number that represents how it differs, not 0; another
 * number than before is a disturbance. */
void failure_seen(struct failures *f, struct failure_record *record, uint32_t difference, uint64_t now);

/* A change of the object failed. tried: a request was sent; if a scan alone showed the failure, it counts as a try only if
 * one was due. True if that is news. */
bool failure_failed(struct failures *f, const struct object *object, bool tried, const char *error, struct position position,
		    uint64_t now);
/* The kernel acknowledged a try and ignored the fields in mask (0: the object as such). costly: a try recreates the object.
 * Only time leads to the next try. True if that is news. */
bool failure_ignored(struct failures *f, const struct object *object, uint64_t mask, bool costly, const char *error,
		     struct position position, uint64_t now);
/* A retry was acknowledged. */
void failure_retried(struct failures *f);
/* An object that the kernel had given up was recreated; the result is not known yet. */
void failure_tried(struct failure_record *record, uint64_t now);
/* A repair succeeded. True if that makes the object contested: then it is left alone for the record's pause. */
bool failure_repaired(struct failures *f, const struct object *object, uint64_t now);
/* Drift is left alone, as REPORTED or HELD. True if that is news. */
bool failure_left(struct failures *f, const struct object *object, enum failure_state state, uint64_t now);
/* Sets the reason, and the position in the file. */
void failure_explain(struct failure_record *record, const char *error, struct position position);
/* The kernel has given up the failing object. idle: a try is useless before its link has a carrier. */
void failure_given_up(struct failure_record *record, bool idle);
/* The reason why the kernel gave up the object may be gone (a neighbour has gone): it is due now, unless it was just
 * tried. */
void failure_revive(struct failure_record *record, uint64_t now);
/* Has the kernel given up any object? */
bool failures_given_up(const struct failures *f);

/* Everything that is failing is due now. */
void failures_hurry(struct failures *f, uint64_t now);
/* The object is due and cannot be tried, because something that it needs is missing. */
void failure_put_off(const struct failures *f, struct failure_record *record, uint64_t now);
/* The same for all objects that were due at that time and were not tried. */
void failures_postpone(struct failures *f, uint64_t due, uint64_t now);

/* When the object is due for a try, or its contention ends, if nothing happens until then; UINT64_MAX: never. */
uint64_t failure_next(const struct failures *f, const struct failure_record *record);
/* When the first of all is due. */
uint64_t failure_due(const struct failures *f);

/* Drops objects that were watched for long enough. */
void failure_expire(struct failures *f, uint64_t now);
void failure_drop(struct failures *f, struct failure_record *record);
void failures_done(struct failures *f);
