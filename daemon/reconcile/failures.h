/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that are not as declared and are left so for now: what failed, what others keep undoing, what is only reported.
 *
 * One record per object, dropped as soon as the object is well. It decides when the object may be tried and whether
 * there is news to tell; it does not tell anything itself and knows neither the kernel nor the ledger.
 *
 * States. An object that was repaired is WATCHED for ten seconds. Five repairs in that time are contention: somebody keeps
 * undoing them, and the object is left alone for a second, then two, up to 30. A change that failed is FAILING, with the
 * same pauses. Drift that is not to be repaired is REPORTED (`drift: report`) or HELD (topod is paused).
 *
 * What ends a pause. Time always does. While a storm is on (storm.h), so does its end: then everything contested or
 * failing is tried in one plan, in the plan's order, so that what needs something else finds it. An object that was
 * repaired at the end of a storm is well again if it stays so for 250 ms. A failing object that an event asked for too
 * soon after its latest try is tried once it has been quiet for 250 ms; that doubles with each such try in vain, because
 * the try may itself cause the events. What is due but needs something that is left alone is tried as soon as that is
 * there. What the kernel gave up because of its link's carrier waits for the carrier. The table in failures.c has all of it.
 */
#pragma once

#include "model/object.h"
#include "reconcile/backoff.h"
#include "reconcile/storm.h"

enum failure_state {
	FAILURE_WATCHED, /* was repaired lately: counted, to notice contention */
	FAILURE_FAILING,
	FAILURE_CONTESTED, /* somebody keeps undoing the repair */
	FAILURE_REPORTED,  /* drift that is left as it is */
	FAILURE_HELD,      /* drift that is left while topod is paused */
	N_FAILURE_STATES,
};

/* What a record waits for. */
enum failure_wait {
	WAIT_PAUSE,   /* the end of its pause */
	WAIT_QUIET,   /* that, or that nothing happens for a while, whichever comes first */
	WAIT_NEEDS,   /* nothing but what the object needs; the pause is only until it is asked for again */
	WAIT_CARRIER, /* its link's carrier, which an event tells of */
	N_FAILURE_WAITS,
};

enum {
	FAILURE_PAUSE_FIRST_USEC = 1000 * 1000,
	FAILURE_PAUSE_MAX_USEC = 30 * 1000 * 1000,
	FAILURE_PAUSE_COSTLY_SEC = 3600,           /* the longest where a try takes the object away for a moment */
	CONTENTION_COUNT = 5,                      /* repairs of one object … */
	CONTENTION_WINDOW_USEC = 10 * 1000 * 1000, /* … within this time are contention */
};

struct failure_record {
	char *id;
	const char *ns; /* the name in home */
	struct failure_ns *home;
	char *scope, *noun, *error; /* NULL while it is only watched */
	struct position position;
	enum failure_state state;
	enum failure_wait wait;
	struct backoff backoff;    /* until the next try */
	uint64_t quiet_usec;       /* failing: how long the latest quiet was that a try in vain ended; 0: there was none */
	uint64_t quiet_since_usec; /* quiet is counted from here at the earliest */
	uint64_t last_try_usec;
	uint64_t window_usec; /* watched: when the counting of repairs began */
	size_t seen;          /* the latest scan in which it was not well, as failures.scan counts */
	size_t n_tries, n_repairs;
	uint32_t difference;                /* how it differed while it was left alone; 0: not seen yet */
	bool ignored;                       /* failing: the kernel acknowledges the change and does otherwise … */
	uint64_t fields;                    /* … with these fields; 0: with the object as such */
	bool costly;                        /* to try is to recreate the object */
	bool drifted;                       /* failing since it drifted, and not since it was first made */
	bool given_up;                      /* failing: it is there, and the kernel has given it up (a duplicate address) */
	struct failure_record *prev, *next; /* in failures.bad or failures.watched */
	struct failure_record *ns_prev, *ns_next; /* in home */
	UT_hash_handle hh;
};

/* The records of one namespace. */
struct failure_ns {
	char *name;
	struct failure_record *records;
	size_t n_bad; /* those that are more than watched */
	UT_hash_handle hh;
};

/* Zeroed is empty. What is asked after each event has a count or a list of its own: thousands may be watched. Times are
 * CLOCK_MONOTONIC, in microseconds. */
struct failures {
	struct failure_record *records; /* by id */
	struct failure_record *bad;     /* list: all that are more than watched */
	struct failure_record *watched; /* list, the oldest window first */
	struct failure_ns *namespaces;  /* by name */
	size_t n[N_FAILURE_STATES];     /* records, by state */
	size_t n_ignored;               /* records of what the kernel ignores */
	size_t n_retries;               /* tries after the first of what failed, since the start */
	size_t scan;                    /* the number of the current scan */
	struct storm storm;
};

struct failure_record *failure_find(const struct failures *f, const struct object *object);
/* The record of what the kernel acknowledges and ignores of the object: a separate one, so that the rest of the object can
 * drift and be repaired meanwhile. */
struct failure_record *failure_find_ignored(const struct failures *f, const struct object *object);
/* NULL where the namespace has no records. */
struct failure_ns *failure_namespace(const struct failures *f, const char *ns);
/* Is anything in the namespace more than watched? */
bool failure_in(const struct failures *f, const char *ns);
static inline size_t failure_count(const struct failures *f, enum failure_state state) {
	return f->n[state];
}

/* A pass begins, or ends: what happens during a pass counts for quiet and storms when it is over. */
void failures_begin(struct failures *f, uint64_t now);
void failures_settle(struct failures *f);

/* May the object be changed now? record may be NULL. What failed may be tried before its time: its namespace is scanned
 * because something happened there, so a new try makes sense. */
bool failure_may_try(const struct failures *f, const struct failure_record *record, uint64_t now);
/* Is the record's own pause over? Unlike failure_may_try() this asks neither for storms nor for quiet. */
bool failure_is_due(const struct failure_record *record, uint64_t now);

/* What the object was left alone for: difference is any number but 0 that stands for how it differs. Another one than
 * before is a disturbance. */
void failure_seen(struct failures *f, struct failure_record *record, uint32_t difference, uint64_t now);

/* A change of the object failed. tried: a request was sent; else a scan alone showed it, which counts as a try only when
 * one was due. True where that is news. */
bool failure_failed(struct failures *f, const struct object *object, bool tried, const char *error, struct position position,
		    uint64_t now);
/* The kernel acknowledged a try and did otherwise, with the fields in mask (0: with the object as such). costly: to try is
 * to recreate the object. Only time leads to the next try. True where that is news. */
bool failure_ignored(struct failures *f, const struct object *object, uint64_t mask, bool costly, const char *error,
		     struct position position, uint64_t now);
/* What failed was tried again and acknowledged. */
void failure_retried(struct failures *f);
/* What the kernel had given up was tried again; what comes of it is not known yet. */
void failure_tried(struct failure_record *record, uint64_t now);
/* A repair succeeded. True where that makes it contested: the object is left alone for the record's pause. */
bool failure_repaired(struct failures *f, const struct object *object, uint64_t now);
/* Drift is left, as REPORTED or HELD. True where that is news. */
bool failure_left(struct failures *f, const struct object *object, enum failure_state state, uint64_t now);
/* Why it is left, and where it is declared. */
void failure_explain(struct failure_record *record, const char *error, struct position position);
/* The kernel has given the failing object up. idle: nothing can be done about it before its link has a carrier. */
void failure_given_up(struct failure_record *record, bool idle);
/* Something changed (a neighbour is gone) that may make possible what the kernel gave up: it is due now, unless it was just
 * tried. */
void failure_revive(struct failure_record *record, uint64_t now);
/* Has the kernel given up anything? */
bool failures_given_up(const struct failures *f);

/* Whatever is failing is due now. */
void failures_hurry(struct failures *f, uint64_t now);
/* It is due and cannot be tried, because something that it needs is not there. */
void failure_put_off(const struct failures *f, struct failure_record *record, uint64_t now);
/* The same for all that was due at that time and was not tried. */
void failures_postpone(struct failures *f, uint64_t due, uint64_t now);

/* When the record is due (a try, or the end of contention) if nothing happens until then; UINT64_MAX: never. */
uint64_t failure_next(const struct failures *f, const struct failure_record *record);
/* When the first of all is. */
uint64_t failure_due(const struct failures *f);

/* Drops what was watched for long enough. */
void failure_expire(struct failures *f, uint64_t now);
void failure_drop(struct failures *f, struct failure_record *record);
void failures_done(struct failures *f);
