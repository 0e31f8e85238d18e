/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that are not well: what failed and when it is tried again, what others keep undoing, what is only
 * reported.
 *
 * A record per object, gone as soon as the object is well. It decides when something may be tried, and whether
 * it is the first time that something is said about it; it says nothing itself.
 *
 * A quarrel is told from a storm by what happens while topod does nothing. In a quarrel the other side undoes each repair
 * and is silent until the next: the pauses grow. In a storm things go on being disturbed whatever topod does: then a
 * pause also ends as soon as nothing happens any more, so that a storm of minutes does not leave pauses that outlast it.
 */
#pragma once

#include "model/object.h"

enum failure_state {
	FAILURE_WATCHED, /* was repaired lately: counted, to notice a fight */
	FAILURE_FAILING,
	FAILURE_FIGHT,
	FAILURE_REPORTED, /* drift that is left as it is */
	FAILURE_HELD,     /* drift that is left for as long as topod is paused */
};

enum {
	FAILURE_PAUSE_FIRST_USEC = 1000 * 1000,
	FAILURE_PAUSE_MAX_USEC = 30 * 1000 * 1000,
	FAILURE_PAUSE_COSTLY_SEC = 3600,              /* the same where to try is to take something away for a moment */
	FAILURE_FIGHT_COUNT = 5,                      /* repairs of one object … */
	FAILURE_FIGHT_WINDOW_USEC = 10 * 1000 * 1000, /* … within this time are a fight */
	FAILURE_STORM_COUNT = 5,                      /* things that happened while something was left alone are a storm */
	FAILURE_QUIET_USEC = 250 * 1000,              /* without anything happening: the storm is over */
	FAILURE_VAIN_MAX = 7,                         /* how often a failing object's is doubled, to 32 s */
};

struct failure_record {
	char *id;
	const char *ns;
	struct failure_ns *home;    /* whose name that is */
	char *scope, *noun, *error; /* NULL where it is only watched */
	enum failure_state state;
	size_t seen; /* the latest look in which it was not well, as troubles.look counts */
	struct position position;
	size_t n_tries, n_repairs;
	bool ignored;         /* failing: the kernel acknowledges it and does otherwise … */
	uint64_t fields;      /* … with these; 0: with the whole object */
	bool costly;          /* to try is to make the object anew */
	bool drifted;         /* failing since it drifted: not only made for the first time */
	uint64_t window_usec; /* when the counting of repairs began */
	uint64_t last_try_usec, next_try_usec, pause_usec;
	uint64_t since_usec; /* quiet is counted from here at the earliest */
	uint32_t scan;       /* how it was seen to differ while it was left alone; 0: not yet */
	bool calm;           /* fought over, and repaired after a storm: quiet ends it */
	bool asked;          /* failing, and something moved there too soon after the try … */
	unsigned n_vain;     /* … how often it was tried in vain for that */
	bool given_up;       /* failing: it is there, and the kernel has given it up (a duplicate address) … */
	bool idle;           /* … and nothing can be done about it before its link has a carrier */
	bool ripe;           /* it was due, or a storm is over: it may be tried as soon as it can be */
	struct failure_record *prev, *next;       /* in the list of its sort */
	struct failure_record *ns_prev, *ns_next; /* in that of its namespace */
	UT_hash_handle hh;
};

/* Of one namespace. */
struct failure_ns {
	char *name;
	struct failure_record *records;
	size_t n_bad; /* those that are more than watched */
	UT_hash_handle hh;
};

/* Zeroed is empty. What is asked after each event is counted here, or in a list of its own: there may be
 * thousands that are only watched. */
struct failures {
	struct failure_record *records; /* by id */
	struct failure_record *bad;     /* list: failing, fought over, reported */
	struct failure_record *watched; /* list: the one whose window began first stands first */
	struct failure_ns *namespaces;  /* by name */
	size_t n[FAILURE_HELD + 1];     /* by state */
	size_t n_ignored;               /* records */
	size_t n_retries;               /* tries after the first of what failed, since the start */
	size_t look;                    /* the number of the current look */
	size_t n_stirs;                 /* things that happened while something was left alone, not long after one another */
	uint64_t unrest_usec;           /* when anything happened last … */
	uint64_t stirred_usec;          /* … in the current pass, for which it does not count yet */
	uint64_t began_usec;            /* the current pass */
};

struct failure_record *failure_find(const struct failures *t, const struct object *object);
/* The same for what the kernel acknowledges and ignores of it: a record of its own, so that the rest of the object can
 * drift and be repaired meanwhile. */
struct failure_record *failure_find_ignored(const struct failures *t, const struct object *object);
/* NULL where nothing in it is known not to be well. */
struct failure_ns *failure_namespace(const struct failures *t, const char *ns);
/* Is something in it more than watched? */
bool failure_in(const struct failures *t, const char *ns);

/* May the object be changed now? What failed, also before its time: that its namespace is looked at means that
 * something moved there, so that a new try makes sense. */
bool failure_may_try(const struct failures *t, const struct failure_record *record, uint64_t now);

/* Something that is not fought over was disturbed, and repaired. */
void failure_stir(struct failures *t, uint64_t now);
/* How an object that is left alone was seen to differ: any number but 0 that stands for it. Another one than before
 * means that something happened to it. */
void failure_sight(struct failures *t, struct failure_record *record, uint32_t scan, uint64_t now);
/* A pass begins, or ends: what happened during it counts from then on. */
void failures_begin(struct failures *t, uint64_t now);
void failures_settle(struct failures *t);

/* It fails. tried: a request was made; else a look alone told so, which counts as a try only when one was due. True where
 * that is news. */
bool failure_failed(struct failures *t, const struct object *object, bool tried, const char *error, struct position position,
		    uint64_t now);
/* The kernel acknowledged a try and did otherwise, with the fields in mask (0: with the object as such). costly: to try is to
 * make the object anew. It is tried again by time alone. */
bool failure_ignored(struct failures *t, const struct object *object, uint64_t mask, bool costly, const char *error,
		     struct position position, uint64_t now);
/* What failed was tried again, and this time acknowledged. */
void failure_retried(struct failures *t);
/* Has its pause passed, or a storm? */
static inline bool failure_is_due(const struct failure_record *record, uint64_t now) {
	return record->ripe || now >= record->next_try_usec;
}
/* It was tried, and whether that was in vain shows later: the next pause is a longer one. */
void failure_tried(struct failure_record *record, uint64_t now);
/* What the kernel has given up may have become possible (a neighbour is gone): it is due now, unless it was just tried. */
void failure_revive(struct failure_record *record, uint64_t now);
/* Has the kernel given up anything? */
bool failures_given_up(const struct failures *t);
/* A repair succeeded. True where it was one too many: the object is left alone for the record's pause. */
bool failure_repaired(struct failures *t, const struct object *object, uint64_t now);
/* Drift that is left: REPORTED or HELD. True where that is news. */
bool failure_left(struct failures *t, const struct object *object, enum failure_state state, uint64_t now);

/* Why it is left, and where it is declared. */
void failure_explain(struct failure_record *record, const char *error, struct position position);

/* What failed is to be tried now, whatever its pause. */
void failures_hurry(struct failures *t, uint64_t now);
/* What was due at that time and could not be tried, since something that it needs is left alone, is asked for again after
 * as long as before. */
void failures_postpone(struct failures *t, uint64_t due, uint64_t now);

/* It is due and cannot be tried, because something that it needs is not there. */
void failure_put_off(const struct failures *t, struct failure_record *record, uint64_t now);

/* When the record is due (a try, or the end of a fight), if nothing happens until then; UINT64_MAX: never. */
uint64_t failure_next(const struct failures *t, const struct failure_record *record);
/* The first of all. */
uint64_t failure_due(const struct failures *t);
static inline size_t failure_count(const struct failures *t, enum failure_state state) {
	return t->n[state];
}

/* Drops what was watched for long enough. */
void failure_expire(struct failures *t, uint64_t now);

void failure_drop(struct failures *t, struct failure_record *record);
void failures_done(struct failures *t);
