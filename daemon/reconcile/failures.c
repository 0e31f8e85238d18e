/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/failures.h"

#include <utlist.h>

static void print_ignored_id(const struct object *object, struct text *out) {
	object_print_id(object, out);
	text_add(out, " as the kernel keeps it");
}

static struct failure_record *find(const struct failures *t, const struct object *object,
				   void (*print)(const struct object *, struct text *)) {
	_cleanup_text_ struct text id = {};
	struct failure_record *record = NULL;

	if (!t->records)
		return NULL;
	print(object, &id);
	HASH_FIND_STR(t->records, id.data, record);
	return record;
}

struct failure_record *failure_find(const struct failures *t, const struct object *object) {
	return find(t, object, object_print_id);
}

struct failure_record *failure_find_ignored(const struct failures *t, const struct object *object) {
	return t->n_ignored ? find(t, object, print_ignored_id) : NULL;
}

static char *printed(const struct object *object, void (*print)(const struct object *, struct text *)) {
	struct text text = {};

	print(object, &text);
	return text_take(&text);
}

struct failure_ns *failure_namespace(const struct failures *t, const char *name) {
	struct failure_ns *ns = NULL;

	HASH_FIND_STR(t->namespaces, name, ns);
	return ns;
}

bool failure_in(const struct failures *t, const char *name) {
	const struct failure_ns *ns = t->bad ? failure_namespace(t, name) : NULL;

	return ns && ns->n_bad;
}

static struct failure_ns *add_namespace(struct failures *t, const char *name) {
	struct failure_ns *ns = failure_namespace(t, name);

	if (!ns) {
		ns = xmalloc(sizeof(*ns));
		ns->name = xstrdup(name);
		HASH_ADD_KEYPTR(hh, t->namespaces, ns->name, strlen(ns->name), ns);
	}
	return ns;
}

/* Into the list of its state and the counts, or out of them. */
static void enlist(struct failures *t, struct failure_record *record) {
	bool bad = record->state != FAILURE_WATCHED;
	struct failure_record **list = bad ? &t->bad : &t->watched;

	if (bad && !t->bad)
		t->n_stirs = 0; /* what happened while all was well was repaired */
	DL_APPEND(*list, record);
	t->n[record->state]++;
	record->home->n_bad += bad;
}

static void delist(struct failures *t, struct failure_record *record) {
	bool bad = record->state != FAILURE_WATCHED;
	struct failure_record **list = bad ? &t->bad : &t->watched;

	DL_DELETE(*list, record); /* NOLINT(clang-analyzer-core.NullDereference): it is in the list */
	t->n[record->state]--;
	record->home->n_bad -= bad;
}

/* Also where it stays the same: then it stands last in its list. What is told of it is printed only now: of thousands
 * that are watched nothing ever is. */
static void set_state(struct failures *t, struct failure_record *record, const struct object *object,
		      enum failure_state state) {
	if (state != FAILURE_WATCHED && !record->noun) {
		record->scope = printed(object, object_print_scope);
		record->noun = printed(object, object_print_noun);
	}
	delist(t, record);
	record->given_up = record->idle = false;
	record->state = state;
	enlist(t, record);
}

static struct failure_record *get(struct failures *t, const struct object *object, bool ignored) {
	struct failure_record *record = ignored ? failure_find_ignored(t, object) : failure_find(t, object);

	if (!record) {
		record = xmalloc(sizeof(*record));
		record->id = printed(object, ignored ? print_ignored_id : object_print_id);
		record->ignored = ignored;
		t->n_ignored += ignored;
		record->home = add_namespace(t, object->ns);
		record->ns = record->home->name;
		HASH_ADD_KEYPTR(hh, t->records, record->id, strlen(record->id), record);
		DL_APPEND2(record->home->records, record, ns_prev, ns_next);
		enlist(t, record);
	}
	record->seen = t->look;
	return record;
}

/* Too much happened, while something was left alone, for a quarrel. */
static bool is_storm(const struct failures *t) {
	return t->n_stirs >= FAILURE_STORM_COUNT;
}

/* It is not well, and more than only told of. */
static bool is_tried(const struct failure_record *record) {
	return record->state == FAILURE_FIGHT || record->state == FAILURE_FAILING;
}

/* When quiet ends its own pause; UINT64_MAX: only time does. */
static uint64_t quiet_due(const struct failures *t, const struct failure_record *record) {
	unsigned n_vain = record->state == FAILURE_FAILING ? record->n_vain : 0;

	if (record->state == FAILURE_FIGHT ? !record->calm : record->state != FAILURE_FAILING || !record->asked)
		return UINT64_MAX;
	return MAX(t->unrest_usec, record->since_usec) + ((uint64_t)FAILURE_QUIET_USEC << n_vain);
}

uint64_t failure_next(const struct failures *t, const struct failure_record *record) {
	uint64_t due = record->next_try_usec;

	if (record->idle)
		return UINT64_MAX; /* the carrier's event */
	if (!is_tried(record) || record->ripe || record->ignored)
		return due;
	if (is_storm(t))
		due = MIN(due, t->unrest_usec + FAILURE_QUIET_USEC);
	return MIN(due, quiet_due(t, record));
}

bool failure_may_try(const struct failures *t, const struct failure_record *record, uint64_t now) {
	if (!record || record->state == FAILURE_WATCHED || record->state == FAILURE_HELD)
		return true;
	if (record->state == FAILURE_REPORTED && record->error) /* what hid it is gone, see failure_explain() */
		return true;
	if (record->ripe || now >= failure_next(t, record))
		return true;
	return !record->ignored && record->state == FAILURE_FAILING &&
	       now >= record->last_try_usec + FAILURE_PAUSE_FIRST_USEC;
}

void failure_stir(struct failures *t, uint64_t now) {
	if (now > t->stirred_usec + FAILURE_FIGHT_WINDOW_USEC)
		t->n_stirs = 0;
	t->n_stirs++;
	t->stirred_usec = now;
}

void failure_sight(struct failures *t, struct failure_record *record, uint32_t scan, uint64_t now) {
	if (record->ignored)
		return;
	if (record->state == FAILURE_FAILING && !record->asked && record->last_try_usec < t->began_usec) {
		record->asked = true;
		record->since_usec = now;
	}
	if (record->scan == scan)
		return;
	if (record->scan)
		failure_stir(t, now);
	else
		t->stirred_usec = now; /* the answer to the repair */
	record->scan = scan;
	record->calm = false;
}

/* Everything is tried together, so that what needs something else finds it. The least thing that happens soon after belongs
 * to the storm. */
static void end_storm(struct failures *t) {
	t->n_stirs = FAILURE_STORM_COUNT - 1;
	for (struct failure_record *record = t->bad; record; record = record->next)
		record->ripe |= is_tried(record) && !record->ignored;
}

void failures_begin(struct failures *t, uint64_t now) {
	t->began_usec = now;
	if (is_storm(t) && now >= t->unrest_usec + FAILURE_QUIET_USEC)
		end_storm(t);
}

void failures_settle(struct failures *t) {
	t->unrest_usec = MAX(t->unrest_usec, t->stirred_usec);
}

static void pause_longer(struct failure_record *record, uint64_t now) {
	uint64_t max = record->costly ? FAILURE_PAUSE_COSTLY_SEC * UINT64_C(1000000) : (uint64_t)FAILURE_PAUSE_MAX_USEC;

	record->pause_usec = record->pause_usec ? MIN(record->pause_usec * 2, max) : FAILURE_PAUSE_FIRST_USEC;
	record->next_try_usec = now + record->pause_usec;
}

void failure_put_off(const struct failures *t, struct failure_record *record, uint64_t now) {
	if (record->state != FAILURE_FAILING || failure_next(t, record) > now)
		return;
	record->ripe = true;
	pause_longer(record, now);
}

/* After a try, whatever came of it. */
static void leave_alone(struct failure_record *record, uint64_t now) {
	record->since_usec = now;
	record->asked = record->ripe = false;
	pause_longer(record, now);
}

static void set_error(struct failure_record *record, const char *error) {
	free(record->error);
	record->error = error ? xstrdup(error) : NULL;
}

/* The pause grows with tries that were due: one before its time, because something moved there, begins it anew. */
static void note_try(struct failures *t, struct failure_record *record, bool first, bool due, uint64_t now) {
	t->n_retries += !first;
	record->n_tries++;
	record->last_try_usec = record->since_usec = now;
	record->asked = record->ripe = false;
	if (first || due)
		pause_longer(record, now);
	else
		record->next_try_usec = now + record->pause_usec;
}

static bool fail(struct failures *t, struct failure_record *record, const struct object *object, bool tried,
		 const char *error, struct position position, uint64_t now) {
	bool first = record->state != FAILURE_FAILING, news = first || !streq_ptr(record->error, error);
	/* Of several that are due soon after one another one look tells. */
	bool due = record->ripe || now + (tried ? 0 : record->pause_usec / 4) >= failure_next(t, record);

	tried |= first || due;
	if (first)
		record->pause_usec = record->n_vain = 0;
	else if (tried && record->n_vain < FAILURE_VAIN_MAX && now >= quiet_due(t, record))
		record->n_vain++; /* it may itself be the cause of what is heard */
	set_state(t, record, object, FAILURE_FAILING);
	record->position = position;
	set_error(record, error);
	if (tried)
		note_try(t, record, first, due, now);
	return news;
}

bool failure_failed(struct failures *t, const struct object *object, bool tried, const char *error, struct position position,
		    uint64_t now) {
	return fail(t, get(t, object, false), object, tried, error, position, now);
}

bool failure_ignored(struct failures *t, const struct object *object, uint64_t mask, bool costly, const char *error,
		     struct position position, uint64_t now) {
	struct failure_record *record = get(t, object, true);

	record->fields = mask;
	record->costly = costly;
	return fail(t, record, object, true, error, position, now);
}

void failure_retried(struct failures *t) {
	t->n_retries++;
}

void failure_tried(struct failure_record *record, uint64_t now) {
	record->n_tries++;
	record->last_try_usec = now;
	leave_alone(record, now);
}

void failure_revive(struct failure_record *record, uint64_t now) {
	if (record->state == FAILURE_FAILING && record->given_up)
		record->next_try_usec =
			MIN(record->next_try_usec, MAX(now, record->last_try_usec + FAILURE_PAUSE_FIRST_USEC));
}

bool failures_given_up(const struct failures *t) {
	for (const struct failure_record *record = t->bad; record; record = record->next)
		if (record->given_up)
			return true;
	return false;
}

/* Undone again after the pause: a longer one. */
static bool repaired_again(struct failure_record *record, uint64_t now) {
	record->n_repairs++;
	record->calm = record->ripe;
	record->scan = 0;
	leave_alone(record, now);
	return true;
}

bool failure_repaired(struct failures *t, const struct object *object, uint64_t now) {
	struct failure_record *record = get(t, object, false);

	if (record->state == FAILURE_FIGHT)
		return repaired_again(record, now);
	if (record->state != FAILURE_WATCHED || now - record->window_usec > FAILURE_FIGHT_WINDOW_USEC) {
		set_state(t, record, object, FAILURE_WATCHED);
		record->window_usec = now;
		record->n_repairs = 0;
		record->pause_usec = 0;
	}
	record->next_try_usec = UINT64_MAX;
	if (++record->n_repairs < FAILURE_FIGHT_COUNT)
		return false;
	set_state(t, record, object, FAILURE_FIGHT);
	record->scan = 0;
	record->calm = false;
	leave_alone(record, now);
	return true;
}

bool failure_left(struct failures *t, const struct object *object, enum failure_state state, uint64_t now) {
	struct failure_record *record = get(t, object, false);
	bool news = record->state != state;

	set_state(t, record, object, state);
	record->last_try_usec = now;
	record->next_try_usec = UINT64_MAX;
	record->ripe = false;
	return news;
}

void failure_explain(struct failure_record *record, const char *error, struct position position) {
	set_error(record, error);
	record->position = position;
}

void failures_hurry(struct failures *t, uint64_t now) {
	for (struct failure_record *record = t->bad; record; record = record->next)
		if (record->state == FAILURE_FAILING)
			record->next_try_usec = now;
}

void failures_postpone(struct failures *t, uint64_t due, uint64_t now) {
	for (struct failure_record *record = t->bad; record; record = record->next)
		if (failure_next(t, record) <= due) {
			record->ripe = true;
			record->next_try_usec = now + MAX(record->pause_usec, (uint64_t)FAILURE_PAUSE_FIRST_USEC);
		}
}

uint64_t failure_due(const struct failures *t) {
	uint64_t due = UINT64_MAX;

	for (const struct failure_record *record = t->bad; record; record = record->next)
		due = MIN(due, failure_next(t, record));
	return due;
}

void failure_expire(struct failures *t, uint64_t now) {
	while (t->watched && now - t->watched->window_usec > FAILURE_FIGHT_WINDOW_USEC)
		failure_drop(t, t->watched);
}

void failure_drop(struct failures *t, struct failure_record *record) {
	struct failure_ns *ns = record->home;

	delist(t, record);
	t->n_ignored -= record->ignored;
	DL_DELETE2(ns->records, record, ns_prev, ns_next);
	if (!ns->records) {
		HASH_DEL(t->namespaces, ns);
		free(ns->name);
		free(ns);
	}
	HASH_DEL(t->records, record); /* NOLINT(clang-analyzer-core.NullDereference): it is in the table */
	free(record->id);
	free(record->scope);
	free(record->noun);
	free(record->error);
	free(record);
}

void failures_done(struct failures *t) {
	struct failure_record *record, *next;

	HASH_ITER(hh, t->records, record, next)
	failure_drop(t, record);
}
