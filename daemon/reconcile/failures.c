/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides when an object that is not as declared is tried again.
 *
 * States. An object that was repaired is WATCHED for ten seconds. Five repairs in that time are contention: somebody keeps
 * undoing them, so the object becomes CONTESTED and is left alone for a second, then two, up to 30. An object whose change
 * failed is FAILING, with the same pauses. Drift that must not be repaired is REPORTED or HELD. A record is dropped when a
 * scan finds its object as declared; a contested one only after it has stayed so for the length of its pause.
 *
 * Time always ends a pause. Four things end it earlier:
 *
 * - The end of a storm (storm.h): everything contested or failing is tried in one plan, in the plan's order, so that objects
 * find what they need. An object that was repaired then has recovered if it stays so for 250 ms (WAIT_QUIET). - Quiet: a
 * failing object that was scanned too soon after its latest try is tried after 250 ms without a disturbance. This time
 * doubles with each such try that fails, because the try itself may cause the events. - What it needs: an object that is
 * due, but needs something that is missing, is tried as soon as that is made (WAIT_NEEDS). - A carrier, for an address that
 * the kernel gave up, on a link without one (WAIT_CARRIER).
 *
 * A failing object may also be tried when an event causes a scan of its namespace, but not within a second of its latest
 * try. Only tries that were due lengthen the pause.
 *
 * The table next_wait[] says how each event changes what a record waits for. Its columns are the current wait, its rows the
 * events; all transitions go through step().
 */
#include "reconcile/failures.h"

#include <utlist.h>

static const struct backoff_limits limits = { FAILURE_PAUSE_FIRST_USEC, FAILURE_PAUSE_MAX_USEC },
				   limits_costly = { FAILURE_PAUSE_FIRST_USEC, FAILURE_PAUSE_COSTLY_SEC *UINT64_C(1000000) },
				   limits_quiet = { STORM_QUIET_USEC, STORM_QUIET_USEC << 7 };

/* Events of a record that waits. */
enum failure_event {
	EVENT_TRIED,      /* failing: tried, and it failed or the result is not known yet */
	EVENT_REPAIRED,   /* contested: repaired once more */
	EVENT_ASKED_FOR,  /* failing: scanned too soon after its latest try */
	EVENT_CHANGED,    /* contested: it differs in a new way */
	EVENT_POSTPONED,  /* due, but what it needs is missing */
	EVENT_STORM_OVER, /* contested, failing */
	EVENT_NO_CARRIER, /* failing: the kernel gave it up, and its link has no carrier, … */
	EVENT_CARRIER,    /* … or has one */
};

/* Columns: WAIT_PAUSE, WAIT_QUIET, WAIT_NEEDS, WAIT_CARRIER. */
/* clang-format off */
static const enum failure_wait next_wait[][N_FAILURE_WAITS] = {
	[EVENT_TRIED]      = { WAIT_PAUSE,   WAIT_PAUSE,   WAIT_PAUSE,   WAIT_PAUSE },
	[EVENT_REPAIRED]   = { WAIT_PAUSE,   WAIT_PAUSE,   WAIT_QUIET,   WAIT_PAUSE },
	[EVENT_ASKED_FOR]  = { WAIT_QUIET,   WAIT_QUIET,   WAIT_NEEDS,   WAIT_CARRIER },
	[EVENT_CHANGED]    = { WAIT_PAUSE,   WAIT_PAUSE,   WAIT_NEEDS,   WAIT_CARRIER },
	[EVENT_POSTPONED]  = { WAIT_NEEDS,   WAIT_NEEDS,   WAIT_NEEDS,   WAIT_CARRIER },
	[EVENT_STORM_OVER] = { WAIT_NEEDS,   WAIT_NEEDS,   WAIT_NEEDS,   WAIT_CARRIER },
	[EVENT_NO_CARRIER] = { WAIT_CARRIER, WAIT_CARRIER, WAIT_CARRIER, WAIT_CARRIER },
	[EVENT_CARRIER]    = { WAIT_PAUSE,   WAIT_QUIET,   WAIT_NEEDS,   WAIT_NEEDS },
};
/* clang-format on */

static void step(struct failure_record *record, enum failure_event event) {
	record->wait = next_wait[event][record->wait];
}

/* ---- records ---- */

static char *printed_id(const struct object *object, bool ignored) {
	struct text id = {};

	object_print_id(object, &id);
	text_add(&id, ignored ? " as the kernel keeps it" : "");
	return text_take(&id);
}

static struct failure_record *find(const struct failures *f, const struct object *object, bool ignored) {
	_cleanup_free_ char *id = f->records ? printed_id(object, ignored) : NULL;
	struct failure_record *record = NULL;

	if (id)
		HASH_FIND_STR(f->records, id, record);
	return record;
}

struct failure_record *failure_find(const struct failures *f, const struct object *object) {
	return find(f, object, false);
}

struct failure_record *failure_find_ignored(const struct failures *f, const struct object *object) {
	return f->n_ignored ? find(f, object, true) : NULL;
}

struct failure_ns *failure_namespace(const struct failures *f, const char *name) {
	struct failure_ns *ns = NULL;

	HASH_FIND_STR(f->namespaces, name, ns);
	return ns;
}

bool failure_in(const struct failures *f, const char *name) {
	const struct failure_ns *ns = f->bad ? failure_namespace(f, name) : NULL;

	return ns && ns->n_bad;
}

/* Adds the record to the list of its state and to the counts; delist() removes it. */
static void enlist(struct failures *f, struct failure_record *record) {
	bool bad = record->state != FAILURE_WATCHED;
	struct failure_record **list = bad ? &f->bad : &f->watched;

	if (bad && !f->bad)
		storm_reset(&f->storm);
	DL_APPEND(*list, record);
	f->n[record->state]++;
	record->home->n_bad += bad;
}

static void delist(struct failures *f, struct failure_record *record) {
	bool bad = record->state != FAILURE_WATCHED;
	struct failure_record **list = bad ? &f->bad : &f->watched;

	DL_DELETE(*list, record); /* NOLINT(clang-analyzer-core.NullDereference): it is in the list */
	f->n[record->state]--;
	record->home->n_bad -= bad;
}

/* If the state stays the same, the record still becomes the last of its list. Texts are printed only now, because nothing is
 * ever reported about most watched objects. */
static void set_state(struct failures *f, struct failure_record *record, const struct object *object,
		      enum failure_state state) {
	struct text scope = {}, noun = {};

	if (state != FAILURE_WATCHED && !record->noun) {
		object_print_scope(object, &scope);
		object_print_noun(object, &noun);
		record->scope = text_take(&scope);
		record->noun = text_take(&noun);
		record->parts = object_parts(object, record->scope, record->noun);
	}
	delist(f, record);
	record->given_up = false;
	record->wait = record->wait == WAIT_CARRIER ? WAIT_NEEDS : record->wait;
	record->state = state;
	enlist(f, record);
}

static struct failure_record *get(struct failures *f, const struct object *object, bool ignored) {
	struct failure_record *record = ignored ? failure_find_ignored(f, object) : failure_find(f, object);
	struct failure_ns *ns = failure_namespace(f, object->ns);

	if (!ns) {
		ns = xmalloc(sizeof(*ns));
		ns->name = xstrdup(object->ns);
		HASH_ADD_KEYPTR(hh, f->namespaces, ns->name, strlen(ns->name), ns);
	}
	if (!record) {
		record = xmalloc(sizeof(*record));
		record->id = printed_id(object, ignored);
		record->ignored = ignored;
		record->home = ns;
		record->ns = ns->name;
		f->n_ignored += ignored;
		HASH_ADD_KEYPTR(hh, f->records, record->id, strlen(record->id), record);
		DL_APPEND2(ns->records, record, ns_prev, ns_next);
		enlist(f, record);
	}
	record->seen = f->scan;
	return record;
}

void failure_drop(struct failures *f, struct failure_record *record) {
	struct failure_ns *ns = record->home;

	delist(f, record);
	f->n_ignored -= record->ignored;
	DL_DELETE2(ns->records, record, ns_prev, ns_next);
	if (!ns->records) {
		HASH_DEL(f->namespaces, ns);
		free(ns->name);
		free(ns);
	}
	HASH_DEL(f->records, record); /* NOLINT(clang-analyzer-core.NullDereference): it is in the table */
	free(record->id);
	free(record->scope);
	free(record->noun);
	free(record->error);
	free(record);
}

void failure_expire(struct failures *f, uint64_t now) {
	while (f->watched && now - f->watched->window_usec > CONTENTION_WINDOW_USEC)
		failure_drop(f, f->watched);
}

void failures_done(struct failures *f) {
	struct failure_record *record, *next;

	HASH_ITER(hh, f->records, record, next)
		failure_drop(f, record);
}

/* ---- when ---- */

/* Is it retried, not only reported? */
static bool is_tried(const struct failure_record *record) {
	return record->state == FAILURE_CONTESTED || record->state == FAILURE_FAILING;
}

/* When quiet ends the record's pause; UINT64_MAX: never. */
static uint64_t quiet_end(const struct failures *f, const struct failure_record *record) {
	if (record->wait != WAIT_QUIET)
		return UINT64_MAX;
	return MAX(f->storm.unrest_usec, record->quiet_since_usec) + backoff_next(&limits_quiet, record->quiet_usec);
}

uint64_t failure_next(const struct failures *f, const struct failure_record *record) {
	uint64_t due = record->backoff.due_usec;

	if (record->wait == WAIT_CARRIER)
		return UINT64_MAX;
	if (record->wait == WAIT_NEEDS || record->ignored || !is_tried(record))
		return due;
	if (storm_is_on(&f->storm))
		due = MIN(due, storm_end(&f->storm));
	return MIN(due, quiet_end(f, record));
}

uint64_t failure_due(const struct failures *f) {
	uint64_t due = UINT64_MAX;

	for (const struct failure_record *record = f->bad; record; record = record->next)
		due = MIN(due, failure_next(f, record));
	return due;
}

bool failure_may_try(const struct failures *f, const struct failure_record *record, uint64_t now) {
	if (!record || record->state == FAILURE_WATCHED || record->state == FAILURE_HELD)
		return true;
	if (record->state == FAILURE_REPORTED &&
	    record->error) /* hidden by something that is gone now, see failure_explain() */
		return true;
	if (record->wait == WAIT_NEEDS || record->wait == WAIT_CARRIER || now >= failure_next(f, record))
		return true;
	return !record->ignored && record->state == FAILURE_FAILING &&
	       now >= record->last_try_usec + FAILURE_PAUSE_FIRST_USEC;
}

bool failure_is_due(const struct failure_record *record, uint64_t now) {
	return record->wait == WAIT_NEEDS || (record->wait != WAIT_CARRIER && now >= record->backoff.due_usec);
}

/* ---- what happens ---- */

static void pause_longer(struct failure_record *record, uint64_t now) {
	backoff_start(&record->backoff, record->costly ? &limits_costly : &limits, now);
}

void failures_begin(struct failures *f, uint64_t now) {
	if (!storm_begin_pass(&f->storm, now))
		return;
	for (struct failure_record *record = f->bad; record; record = record->next)
		if (is_tried(record) && !record->ignored)
			step(record, EVENT_STORM_OVER);
}

void failures_settle(struct failures *f) {
	storm_end_pass(&f->storm);
}

void failure_seen(struct failures *f, struct failure_record *record, uint32_t difference, uint64_t now) {
	if (record->ignored)
		return;
	if (record->state == FAILURE_FAILING && record->wait == WAIT_PAUSE && record->last_try_usec < f->storm.began_usec) {
		step(record, EVENT_ASKED_FOR);
		record->quiet_since_usec = now;
	}
	if (record->difference == difference)
		return;
	if (record->difference)
		storm_disturbed(&f->storm, now);
	else
		storm_answered(&f->storm, now);
	record->difference = difference;
	if (record->state == FAILURE_CONTESTED)
		step(record, EVENT_CHANGED);
}

static void set_error(struct failure_record *record, const char *error) {
	free(record->error);
	record->error = error ? xstrdup(error) : NULL;
}

static bool fail(struct failures *f, struct failure_record *record, const struct object *object, bool tried,
		 const char *error, struct position position, uint64_t now) {
	bool first = record->state != FAILURE_FAILING, news = first || !streq_ptr(record->error, error);
	/* One scan counts as a try of several objects that are due soon after one another. */
	uint64_t soon = tried ? now : now + record->backoff.pause_usec / 4;
	bool due = record->wait == WAIT_NEEDS || record->wait == WAIT_CARRIER || soon >= failure_next(f, record);

	tried |= first || due;
	if (first)
		record->backoff.pause_usec = record->quiet_usec = 0;
	else if (tried && now >= quiet_end(f, record))
		record->quiet_usec = backoff_next(&limits_quiet, record->quiet_usec);
	set_state(f, record, object, FAILURE_FAILING);
	record->position = position;
	set_error(record, error);
	if (!tried)
		return news;
	f->n_retries += !first;
	record->n_tries++;
	record->last_try_usec = record->quiet_since_usec = now;
	step(record, EVENT_TRIED);
	/* Pauses grow with tries that were due. An early one, because of an event, starts the same pause again. */
	if (first || due)
		pause_longer(record, now);
	else
		record->backoff.due_usec = now + record->backoff.pause_usec;
	return news;
}

bool failure_failed(struct failures *f, const struct object *object, bool tried, const char *error, struct position position,
		    uint64_t now) {
	return fail(f, get(f, object, false), object, tried, error, position, now);
}

bool failure_ignored(struct failures *f, const struct object *object, uint64_t mask, bool costly, const char *error,
		     struct position position, uint64_t now) {
	struct failure_record *record = get(f, object, true);

	record->fields = mask;
	record->costly = costly;
	return fail(f, record, object, true, error, position, now);
}

void failure_retried(struct failures *f) {
	f->n_retries++;
}

void failure_tried(struct failure_record *record, uint64_t now) {
	record->n_tries++;
	record->last_try_usec = record->quiet_since_usec = now;
	step(record, EVENT_TRIED);
	pause_longer(record, now);
}

bool failure_repaired(struct failures *f, const struct object *object, uint64_t now) {
	struct failure_record *record = get(f, object, false);

	if (record->state != FAILURE_CONTESTED) {
		if (record->state != FAILURE_WATCHED || now - record->window_usec > CONTENTION_WINDOW_USEC) {
			set_state(f, record, object, FAILURE_WATCHED);
			record->window_usec = now;
			record->n_repairs = 0;
			record->backoff.pause_usec = 0;
		}
		record->backoff.due_usec = UINT64_MAX;
		record->wait = WAIT_PAUSE;
		if (++record->n_repairs < CONTENTION_COUNT)
			return false;
		set_state(f, record, object, FAILURE_CONTESTED);
		record->quiet_usec = 0;
	} else {
		record->n_repairs++;
	}
	record->difference = 0;
	record->quiet_since_usec = now;
	step(record, EVENT_REPAIRED);
	pause_longer(record, now);
	return true;
}

bool failure_left(struct failures *f, const struct object *object, enum failure_state state, uint64_t now) {
	struct failure_record *record = get(f, object, false);
	bool news = record->state != state;

	set_state(f, record, object, state);
	record->last_try_usec = now;
	record->wait = WAIT_PAUSE;
	record->backoff.due_usec = UINT64_MAX;
	return news;
}

void failure_explain(struct failure_record *record, const char *error, struct position position) {
	set_error(record, error);
	record->position = position;
}

void failure_given_up(struct failure_record *record, bool idle) {
	record->given_up = true;
	step(record, idle ? EVENT_NO_CARRIER : EVENT_CARRIER);
}

void failure_revive(struct failure_record *record, uint64_t now) {
	if (record->state == FAILURE_FAILING && record->given_up)
		record->backoff.due_usec =
			MIN(record->backoff.due_usec, MAX(now, record->last_try_usec + FAILURE_PAUSE_FIRST_USEC));
}

bool failures_given_up(const struct failures *f) {
	for (const struct failure_record *record = f->bad; record; record = record->next)
		if (record->given_up)
			return true;
	return false;
}

void failures_hurry(struct failures *f, uint64_t now) {
	for (struct failure_record *record = f->bad; record; record = record->next)
		if (record->state == FAILURE_FAILING)
			record->backoff.due_usec = now;
}

void failure_put_off(const struct failures *f, struct failure_record *record, uint64_t now) {
	if (record->state != FAILURE_FAILING || failure_next(f, record) > now)
		return;
	step(record, EVENT_POSTPONED);
	pause_longer(record, now);
}

void failures_postpone(struct failures *f, uint64_t due, uint64_t now) {
	for (struct failure_record *record = f->bad; record; record = record->next)
		if (failure_next(f, record) <= due) {
			step(record, EVENT_POSTPONED);
			record->backoff.due_usec = now + MAX(record->backoff.pause_usec, (uint64_t)FAILURE_PAUSE_FIRST_USEC);
		}
}
