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

enum trouble_state {
	TROUBLE_WATCHED,  /* was repaired lately: counted, to notice a fight */
	TROUBLE_FAILING,
	TROUBLE_FIGHT,
	TROUBLE_REPORTED, /* drift that is left as it is */
	TROUBLE_HELD,     /* drift that is left for as long as topod is paused */
};

enum {
	TROUBLE_PAUSE_FIRST_USEC = 1000 * 1000,
	TROUBLE_PAUSE_MAX_USEC = 30 * 1000 * 1000,
	TROUBLE_PAUSE_COSTLY_SEC = 3600,            /* the same where to try is to take something away for a moment */
	TROUBLE_FIGHT_COUNT = 5,                    /* repairs of one object … */
	TROUBLE_FIGHT_WINDOW_USEC = 10 * 1000 * 1000, /* … within this time are a fight */
	TROUBLE_STORM_COUNT = 5,                    /* things that happened while something was left alone are a storm */
	TROUBLE_QUIET_USEC = 250 * 1000,            /* without anything happening: the storm is over */
	TROUBLE_VAIN_MAX = 7,                       /* how often a failing object's is doubled, to 32 s */
};

struct trouble_record {
	char *id;
	const char *ns;
	struct trouble_ns *home; /* whose name that is */
	char *scope, *noun, *error; /* NULL where it is only watched */
	enum trouble_state state;
	size_t seen;            /* the latest look in which it was not well, as troubles.look counts */
	struct mark mark;
	size_t n_tries, n_repairs;
	bool ignored;           /* failing: the kernel acknowledges it and does otherwise … */
	uint64_t fields;        /* … with these; 0: with the whole object */
	bool costly;            /* to try is to make the object anew */
	bool drifted;           /* failing since it drifted: not only made for the first time */
	uint64_t window_usec;   /* when the counting of repairs began */
	uint64_t last_try_usec, next_try_usec, pause_usec;
	uint64_t since_usec;    /* quiet is counted from here at the earliest */
	uint32_t sight;         /* how it was seen to differ while it was left alone; 0: not yet */
	bool calm;              /* fought over, and repaired after a storm: quiet ends it */
	bool asked;             /* failing, and something moved there too soon after the try … */
	unsigned n_vain;        /* … how often it was tried in vain for that */
	bool given_up;          /* failing: it is there, and the kernel has given it up (a duplicate address) … */
	bool idle;              /* … and nothing can be done about it before its link has a carrier */
	bool ripe;              /* it was due, or a storm is over: it may be tried as soon as it can be */
	struct trouble_record *prev, *next;       /* in the list of its sort */
	struct trouble_record *ns_prev, *ns_next; /* in that of its namespace */
	UT_hash_handle hh;
};

/* Of one namespace. */
struct trouble_ns {
	char *name;
	struct trouble_record *records;
	size_t n_bad;           /* those that are more than watched */
	UT_hash_handle hh;
};

/* Zeroed is empty. What is asked after each event is counted here, or in a list of its own: there may be
 * thousands that are only watched. */
struct troubles {
	struct trouble_record *records; /* by id */
	struct trouble_record *bad;     /* list: failing, fought over, reported */
	struct trouble_record *watched; /* list: the one whose window began first stands first */
	struct trouble_ns *namespaces;  /* by name */
	size_t n[TROUBLE_HELD + 1]; /* by state */
	size_t n_ignored;               /* records */
	size_t n_retries;               /* tries after the first of what failed, since the start */
	size_t look;                    /* the number of the current look */
	size_t n_stirs;                 /* things that happened while something was left alone, not long after one another */
	uint64_t unrest_usec;           /* when anything happened last … */
	uint64_t stirred_usec;          /* … in the current pass, for which it does not count yet */
	uint64_t began_usec;            /* the current pass */
};

struct trouble_record *trouble_find(const struct troubles *t, const struct object *object);
/* The same for what the kernel acknowledges and ignores of it: a record of its own, so that the rest of the object can
 * drift and be repaired meanwhile. */
struct trouble_record *trouble_find_ignored(const struct troubles *t, const struct object *object);
/* NULL where nothing in it is known not to be well. */
struct trouble_ns *trouble_namespace(const struct troubles *t, const char *ns);
/* Is something in it more than watched? */
bool trouble_in(const struct troubles *t, const char *ns);

/* May the object be changed now? What failed, also before its time: that its namespace is looked at means that
 * something moved there, so that a new try makes sense. */
bool trouble_may_try(const struct troubles *t, const struct trouble_record *record, uint64_t now);

/* Something that is not fought over was disturbed, and repaired. */
void trouble_stir(struct troubles *t, uint64_t now);
/* How an object that is left alone was seen to differ: any number but 0 that stands for it. Another one than before
 * means that something happened to it. */
void trouble_sight(struct troubles *t, struct trouble_record *record, uint32_t sight, uint64_t now);
/* A pass begins, or ends: what happened during it counts from then on. */
void troubles_begin(struct troubles *t, uint64_t now);
void troubles_settle(struct troubles *t);

/* It fails. tried: a request was made; else a look alone told so, which counts as a try only when one was due. True where
 * that is news. */
bool trouble_failed(struct troubles *t, const struct object *object, bool tried, const char *error, struct mark mark,
		    uint64_t now);
/* The kernel acknowledged a try and did otherwise, with the fields in mask (0: with the object as such). costly: to try is to
 * make the object anew. It is tried again by time alone. */
bool trouble_ignored(struct troubles *t, const struct object *object, uint64_t mask, bool costly, const char *error,
		     struct mark mark, uint64_t now);
/* What failed was tried again, and this time acknowledged. */
void trouble_retried(struct troubles *t);
/* Has its pause passed, or a storm? */
static inline bool trouble_is_due(const struct trouble_record *record, uint64_t now) {
	return record->ripe || now >= record->next_try_usec;
}
/* It was tried, and whether that was in vain shows later: the next pause is a longer one. */
void trouble_tried(struct trouble_record *record, uint64_t now);
/* What the kernel has given up may have become possible (a neighbour is gone): it is due now, unless it was just tried. */
void trouble_revive(struct trouble_record *record, uint64_t now);
/* Has the kernel given up anything? */
bool troubles_given_up(const struct troubles *t);
/* A repair succeeded. True where it was one too many: the object is left alone for the record's pause. */
bool trouble_repaired(struct troubles *t, const struct object *object, uint64_t now);
/* Drift that is left: REPORTED or HELD. True where that is news. */
bool trouble_left(struct troubles *t, const struct object *object, enum trouble_state state, uint64_t now);

/* Why it is left, and where it is declared. */
void trouble_explain(struct trouble_record *record, const char *error, struct mark mark);

/* What failed is to be tried now, whatever its pause. */
void troubles_hurry(struct troubles *t, uint64_t now);
/* What was due at that time and could not be tried, since something that it needs is left alone, is asked for again after
 * as long as before. */
void troubles_postpone(struct troubles *t, uint64_t due, uint64_t now);

/* It is due and cannot be tried, because something that it needs is not there. */
void trouble_put_off(const struct troubles *t, struct trouble_record *record, uint64_t now);

/* When the record is due (a try, or the end of a fight), if nothing happens until then; UINT64_MAX: never. */
uint64_t trouble_next(const struct troubles *t, const struct trouble_record *record);
/* The first of all. */
uint64_t trouble_due(const struct troubles *t);
static inline size_t trouble_count(const struct troubles *t, enum trouble_state state) {
	return t->n[state];
}

/* Drops what was watched for long enough. */
void trouble_expire(struct troubles *t, uint64_t now);

void trouble_drop(struct troubles *t, struct trouble_record *record);
void troubles_done(struct troubles *t);
