/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trouble.h"

#include <utlist.h>

struct trouble_record *trouble_find(const struct troubles *t, const struct object *object) {
	_cleanup_text_ struct text id = {};
	struct trouble_record *record = NULL;

	if (!t->records)
		return NULL;
	object_print_id(object, &id);
	HASH_FIND_STR(t->records, id.data, record);
	return record;
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

	DL_APPEND(*list, record);
	t->n[record->state]++;
	add_namespace(t, record->ns)->n_bad += bad;
}

static void delist(struct troubles *t, struct trouble_record *record) {
	bool bad = record->state != TROUBLE_WATCHED;
	struct trouble_record **list = bad ? &t->bad : &t->watched;

	DL_DELETE(*list, record);
	t->n[record->state]--;
	trouble_namespace(t, record->ns)->n_bad -= bad;
}

/* Also where it stays the same: then it stands last in its list. */
static void set_state(struct troubles *t, struct trouble_record *record, enum trouble_state state) {
	delist(t, record);
	record->state = state;
	enlist(t, record);
}

static struct trouble_record *get(struct troubles *t, const struct object *object) {
	struct trouble_record *record = trouble_find(t, object);

	if (!record) {
		record = xmalloc(sizeof(*record));
		record->id = printed(object, object_print_id);
		record->scope = printed(object, object_print_scope);
		record->noun = printed(object, object_print_noun);
		record->ns = xstrdup(object->ns);
		HASH_ADD_KEYPTR(hh, t->records, record->id, strlen(record->id), record);
		struct trouble_ns *ns = add_namespace(t, record->ns);
		DL_APPEND2(ns->records, record, ns_prev, ns_next);
		enlist(t, record);
	}
	record->seen = t->look;
	return record;
}

bool trouble_may_try(const struct trouble_record *record, uint64_t now) {
	if (!record || record->state == TROUBLE_WATCHED || record->state == TROUBLE_HELD || now >= record->next_try_usec)
		return true;
	return record->state == TROUBLE_FAILING && now >= record->last_try_usec + TROUBLE_PAUSE_FIRST_USEC;
}

static void pause_longer(struct trouble_record *record, uint64_t now) {
	record->pause_usec = record->pause_usec ? MIN(record->pause_usec * 2, (uint64_t)TROUBLE_PAUSE_MAX_USEC)
						: TROUBLE_PAUSE_FIRST_USEC;
	record->next_try_usec = now + record->pause_usec;
}

void trouble_put_off(struct trouble_record *record, uint64_t now) {
	if (record->state == TROUBLE_FAILING && record->next_try_usec <= now)
		pause_longer(record, now);
}

static void set_error(struct trouble_record *record, const char *error) {
	free(record->error);
	record->error = error ? xstrdup(error) : NULL;
}

bool trouble_failed(struct troubles *t, const struct object *object, const char *error, struct mark mark, uint64_t now) {
	struct trouble_record *record = get(t, object);
	bool news = record->state != TROUBLE_FAILING || !streq_ptr(record->error, error);

	if (record->state != TROUBLE_FAILING)
		record->pause_usec = 0;
	set_state(t, record, TROUBLE_FAILING);
	record->mark = mark;
	record->n_tries++;
	record->last_try_usec = now;
	set_error(record, error);
	pause_longer(record, now);
	return news;
}

bool trouble_repaired(struct troubles *t, const struct object *object, uint64_t now) {
	struct trouble_record *record = get(t, object);

	if (record->state == TROUBLE_FIGHT) {
		/* Undone again after the pause: a longer one. */
		record->n_repairs++;
		pause_longer(record, now);
		return true;
	}
	if (record->state != TROUBLE_WATCHED || now - record->window_usec > TROUBLE_FIGHT_WINDOW_USEC) {
		set_state(t, record, TROUBLE_WATCHED);
		record->window_usec = now;
		record->n_repairs = 0;
		record->pause_usec = 0;
	}
	record->next_try_usec = UINT64_MAX;
	if (++record->n_repairs < TROUBLE_FIGHT_COUNT)
		return false;
	set_state(t, record, TROUBLE_FIGHT);
	pause_longer(record, now);
	return true;
}

bool trouble_left(struct troubles *t, const struct object *object, enum trouble_state state, uint64_t now) {
	struct trouble_record *record = get(t, object);
	bool news = record->state != state;

	set_state(t, record, state);
	record->last_try_usec = now;
	record->next_try_usec = UINT64_MAX;
	return news;
}

void troubles_hurry(struct troubles *t, uint64_t now) {
	for (struct trouble_record *record = t->bad; record; record = record->next)
		if (record->state == TROUBLE_FAILING)
			record->next_try_usec = now;
}

void troubles_postpone(struct troubles *t, uint64_t due, uint64_t now) {
	for (struct trouble_record *record = t->bad; record; record = record->next)
		if (record->next_try_usec <= due)
			record->next_try_usec = now + MAX(record->pause_usec, (uint64_t)TROUBLE_PAUSE_FIRST_USEC);
}

uint64_t trouble_due(const struct troubles *t) {
	uint64_t due = UINT64_MAX;

	for (const struct trouble_record *record = t->bad; record; record = record->next)
		due = MIN(due, record->next_try_usec);
	return due;
}

void trouble_expire(struct troubles *t, uint64_t now) {
	while (t->watched && now - t->watched->window_usec > TROUBLE_FIGHT_WINDOW_USEC)
		trouble_drop(t, t->watched);
}

void trouble_drop(struct troubles *t, struct trouble_record *record) {
	struct trouble_ns *ns = trouble_namespace(t, record->ns);

	delist(t, record);
	DL_DELETE2(ns->records, record, ns_prev, ns_next);
	if (!ns->records) {
		HASH_DEL(t->namespaces, ns);
		free(ns->name);
		free(ns);
	}
	HASH_DEL(t->records, record);
	free(record->id);
	free(record->ns);
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
