/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/trouble.h"

#include <utlist.h>

static void print_ignored_id(const struct object *object, struct text *out) {
	object_print_id(object, out);
	text_add(out, " as the kernel keeps it");
}

static struct trouble_record *find(const struct troubles *t, const struct object *object,
				   void (*print)(const struct object *, struct text *)) {
	_cleanup_text_ struct text id = {};
	struct trouble_record *record = NULL;

	if (!t->records)
		return NULL;
	print(object, &id);
	HASH_FIND_STR(t->records, id.data, record);
	return record;
}

struct trouble_record *trouble_find(const struct troubles *t, const struct object *object) {
	return find(t, object, object_print_id);
}

struct trouble_record *trouble_find_ignored(const struct troubles *t, const struct object *object) {
	return t->n_ignored ? find(t, object, print_ignored_id) : NULL;
}

static char *printed(const struct object *object, void (*print)(const struct object *, struct text *)) {
	struct text text = {};

	print(object, &text);
	return text_take(&text);
}

struct trouble_ns *trouble_namespace(const struct troubles *t, const char *name) {
	struct trouble_ns *ns = NULL;

	HASH_FIND_STR(t->namespaces, name, ns);
	return ns;
}

bool trouble_in(const struct troubles *t, const char *name) {
	const struct trouble_ns *ns = t->bad ? trouble_namespace(t, name) : NULL;

	return ns && ns->n_bad;
}

static struct trouble_ns *add_namespace(struct troubles *t, const char *name) {
	struct trouble_ns *ns = trouble_namespace(t, name);

	if (!ns) {
		ns = xmalloc(sizeof(*ns));
		ns->name = xstrdup(name);
		HASH_ADD_KEYPTR(hh, t->namespaces, ns->name, strlen(ns->name), ns);
	}
	return ns;
}

/* Into the list of its state and the counts, or out of them. */
static void enlist(struct troubles *t, struct trouble_record *record) {
	bool bad = record->state != TROUBLE_WATCHED;
	struct trouble_record **list = bad ? &t->bad : &t->watched;

	if (bad && !t->bad)
		t->n_stirs = 0; /* what happened while all was well was repaired */
	DL_APPEND(*list, record);
	t->n[record->state]++;
	record->home->n_bad += bad;
}

static void delist(struct troubles *t, struct trouble_record *record) {
	bool bad = record->state != TROUBLE_WATCHED;
	struct trouble_record **list = bad ? &t->bad : &t->watched;

	DL_DELETE(*list, record); /* NOLINT(clang-analyzer-core.NullDereference): it is in the list */
	t->n[record->state]--;
	record->home->n_bad -= bad;
}

/* Also where it stays the same: then it stands last in its list. What is told of it is printed only now: of thousands
 * that are watched nothing ever is. */
static void set_state(struct troubles *t, struct trouble_record *record, const struct object *object,
		      enum trouble_state state) {
	if (state != TROUBLE_WATCHED && !record->noun) {
		record->scope = printed(object, object_print_scope);
		record->noun = printed(object, object_print_noun);
	}
	delist(t, record);
	record->given_up = record->idle = false;
	record->state = state;
	enlist(t, record);
}

static struct trouble_record *get(struct troubles *t, const struct object *object, bool ignored) {
	struct trouble_record *record = ignored ? trouble_find_ignored(t, object) : trouble_find(t, object);

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
static bool is_storm(const struct troubles *t) {
	return t->n_stirs >= TROUBLE_STORM_COUNT;
}

/* It is not well, and more than only told of. */
static bool is_tried(const struct trouble_record *record) {
	return record->state == TROUBLE_FIGHT || record->state == TROUBLE_FAILING;
}

/* When quiet ends its own pause; UINT64_MAX: only time does. */
static uint64_t quiet_due(const struct troubles *t, const struct trouble_record *record) {
	unsigned n_vain = record->state == TROUBLE_FAILING ? record->n_vain : 0;

	if (record->state == TROUBLE_FIGHT ? !record->calm : record->state != TROUBLE_FAILING || !record->asked)
		return UINT64_MAX;
	return MAX(t->unrest_usec, record->since_usec) + ((uint64_t)TROUBLE_QUIET_USEC << n_vain);
}

uint64_t trouble_next(const struct troubles *t, const struct trouble_record *record) {
	uint64_t due = record->next_try_usec;

	if (record->idle)
		return UINT64_MAX; /* the carrier's event */
	if (!is_tried(record) || record->ripe || record->ignored)
		return due;
	if (is_storm(t))
		due = MIN(due, t->unrest_usec + TROUBLE_QUIET_USEC);
	return MIN(due, quiet_due(t, record));
}

bool trouble_may_try(const struct troubles *t, const struct trouble_record *record, uint64_t now) {
	if (!record || record->state == TROUBLE_WATCHED || record->state == TROUBLE_HELD)
		return true;
	if (record->state == TROUBLE_REPORTED && record->error) /* what hid it is gone, see trouble_explain() */
		return true;
	if (record->ripe || now >= trouble_next(t, record))
		return true;
	return !record->ignored && record->state == TROUBLE_FAILING && now >= record->last_try_usec + TROUBLE_PAUSE_FIRST_USEC;
}

void trouble_stir(struct troubles *t, uint64_t now) {
	if (now > t->stirred_usec + TROUBLE_FIGHT_WINDOW_USEC)
		t->n_stirs = 0;
	t->n_stirs++;
	t->stirred_usec = now;
}

void trouble_sight(struct troubles *t, struct trouble_record *record, uint32_t sight, uint64_t now) {
	if (record->ignored)
		return;
	if (record->state == TROUBLE_FAILING && !record->asked && record->last_try_usec < t->began_usec) {
		record->asked = true;
		record->since_usec = now;
	}
	if (record->sight == sight)
		return;
	if (record->sight)
		trouble_stir(t, now);
	else
		t->stirred_usec = now; /* the answer to the repair */
	record->sight = sight;
	record->calm = false;
}

/* Everything is tried together, so that what needs something else finds it. The least thing that happens soon after belongs
 * to the storm. */
static void end_storm(struct troubles *t) {
	t->n_stirs = TROUBLE_STORM_COUNT - 1;
	for (struct trouble_record *record = t->bad; record; record = record->next)
		record->ripe |= is_tried(record) && !record->ignored;
}

void troubles_begin(struct troubles *t, uint64_t now) {
	t->began_usec = now;
	if (is_storm(t) && now >= t->unrest_usec + TROUBLE_QUIET_USEC)
		end_storm(t);
}

void troubles_settle(struct troubles *t) {
	t->unrest_usec = MAX(t->unrest_usec, t->stirred_usec);
}

static void pause_longer(struct trouble_record *record, uint64_t now) {
	uint64_t max = record->costly ? TROUBLE_PAUSE_COSTLY_SEC * UINT64_C(1000000) : (uint64_t)TROUBLE_PAUSE_MAX_USEC;

	record->pause_usec = record->pause_usec ? MIN(record->pause_usec * 2, max) : TROUBLE_PAUSE_FIRST_USEC;
	record->next_try_usec = now + record->pause_usec;
}

void trouble_put_off(const struct troubles *t, struct trouble_record *record, uint64_t now) {
	if (record->state != TROUBLE_FAILING || trouble_next(t, record) > now)
		return;
	record->ripe = true;
	pause_longer(record, now);
}

/* After a try, whatever came of it. */
static void leave_alone(struct trouble_record *record, uint64_t now) {
	record->since_usec = now;
	record->asked = record->ripe = false;
	pause_longer(record, now);
}

static void set_error(struct trouble_record *record, const char *error) {
	free(record->error);
	record->error = error ? xstrdup(error) : NULL;
}

/* The pause grows with tries that were due: one before its time, because something moved there, begins it anew. */
static void note_try(struct troubles *t, struct trouble_record *record, bool first, bool due, uint64_t now) {
	t->n_retries += !first;
	record->n_tries++;
	record->last_try_usec = record->since_usec = now;
	record->asked = record->ripe = false;
	if (first || due)
		pause_longer(record, now);
	else
		record->next_try_usec = now + record->pause_usec;
}

static bool fail(struct troubles *t, struct trouble_record *record, const struct object *object, bool tried,
		 const char *error, struct mark mark, uint64_t now) {
	bool first = record->state != TROUBLE_FAILING, news = first || !streq_ptr(record->error, error);
	/* Of several that are due soon after one another one look tells. */
	bool due = record->ripe || now + (tried ? 0 : record->pause_usec / 4) >= trouble_next(t, record);

	tried |= first || due;
	if (first)
		record->pause_usec = record->n_vain = 0;
	else if (tried && record->n_vain < TROUBLE_VAIN_MAX && now >= quiet_due(t, record))
		record->n_vain++; /* it may itself be the cause of what is heard */
	set_state(t, record, object, TROUBLE_FAILING);
	record->mark = mark;
	set_error(record, error);
	if (tried)
		note_try(t, record, first, due, now);
	return news;
}

bool trouble_failed(struct troubles *t, const struct object *object, bool tried, const char *error, struct mark mark,
		    uint64_t now) {
	return fail(t, get(t, object, false), object, tried, error, mark, now);
}

bool trouble_ignored(struct troubles *t, const struct object *object, uint64_t mask, bool costly, const char *error,
		     struct mark mark, uint64_t now) {
	struct trouble_record *record = get(t, object, true);

	record->fields = mask;
	record->costly = costly;
	return fail(t, record, object, true, error, mark, now);
}

void trouble_retried(struct troubles *t) {
	t->n_retries++;
}

void trouble_tried(struct trouble_record *record, uint64_t now) {
	record->n_tries++;
	record->last_try_usec = now;
	leave_alone(record, now);
}

void trouble_revive(struct trouble_record *record, uint64_t now) {
	if (record->state == TROUBLE_FAILING && record->given_up)
		record->next_try_usec = MIN(record->next_try_usec,
					    MAX(now, record->last_try_usec + TROUBLE_PAUSE_FIRST_USEC));
}

bool troubles_given_up(const struct troubles *t) {
	for (const struct trouble_record *record = t->bad; record; record = record->next)
		if (record->given_up)
			return true;
	return false;
}

/* Undone again after the pause: a longer one. */
static bool repaired_again(struct trouble_record *record, uint64_t now) {
	record->n_repairs++;
	record->calm = record->ripe;
	record->sight = 0;
	leave_alone(record, now);
	return true;
}

bool trouble_repaired(struct troubles *t, const struct object *object, uint64_t now) {
	struct trouble_record *record = get(t, object, false);

	if (record->state == TROUBLE_FIGHT)
		return repaired_again(record, now);
	if (record->state != TROUBLE_WATCHED || now - record->window_usec > TROUBLE_FIGHT_WINDOW_USEC) {
		set_state(t, record, object, TROUBLE_WATCHED);
		record->window_usec = now;
		record->n_repairs = 0;
		record->pause_usec = 0;
	}
	record->next_try_usec = UINT64_MAX;
	if (++record->n_repairs < TROUBLE_FIGHT_COUNT)
		return false;
	set_state(t, record, object, TROUBLE_FIGHT);
	record->sight = 0;
	record->calm = false;
	leave_alone(record, now);
	return true;
}

bool trouble_left(struct troubles *t, const struct object *object, enum trouble_state state, uint64_t now) {
	struct trouble_record *record = get(t, object, false);
	bool news = record->state != state;

	set_state(t, record, object, state);
	record->last_try_usec = now;
	record->next_try_usec = UINT64_MAX;
	record->ripe = false;
	return news;
}

void trouble_explain(struct trouble_record *record, const char *error, struct mark mark) {
	set_error(record, error);
	record->mark = mark;
}

void troubles_hurry(struct troubles *t, uint64_t now) {
	for (struct trouble_record *record = t->bad; record; record = record->next)
		if (record->state == TROUBLE_FAILING)
			record->next_try_usec = now;
}

void troubles_postpone(struct troubles *t, uint64_t due, uint64_t now) {
	for (struct trouble_record *record = t->bad; record; record = record->next)
		if (trouble_next(t, record) <= due) {
			record->ripe = true;
			record->next_try_usec = now + MAX(record->pause_usec, (uint64_t)TROUBLE_PAUSE_FIRST_USEC);
		}
}

uint64_t trouble_due(const struct troubles *t) {
	uint64_t due = UINT64_MAX;

	for (const struct trouble_record *record = t->bad; record; record = record->next)
		due = MIN(due, trouble_next(t, record));
	return due;
}

void trouble_expire(struct troubles *t, uint64_t now) {
	while (t->watched && now - t->watched->window_usec > TROUBLE_FIGHT_WINDOW_USEC)
		trouble_drop(t, t->watched);
}

void trouble_drop(struct troubles *t, struct trouble_record *record) {
	struct trouble_ns *ns = record->home;

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

void troubles_done(struct troubles *t) {
	struct trouble_record *record, *next;

	HASH_ITER(hh, t->records, record, next)
		trouble_drop(t, record);
}
