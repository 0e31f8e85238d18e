/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trouble.h"

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

static struct trouble_record *get(struct troubles *t, const struct object *object) {
	struct trouble_record *record = trouble_find(t, object);

	if (!record) {
		record = xmalloc(sizeof(*record));
		record->id = printed(object, object_print_id);
		record->scope = printed(object, object_print_scope);
		record->noun = printed(object, object_print_noun);
		record->ns = xstrdup(object->ns);
		HASH_ADD_KEYPTR(hh, t->records, record->id, strlen(record->id), record);
	}
	record->seen = true;
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
	record->state = TROUBLE_FAILING;
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
		record->state = TROUBLE_WATCHED;
		record->window_usec = now;
		record->n_repairs = 0;
		record->pause_usec = 0;
	}
	record->next_try_usec = UINT64_MAX;
	if (++record->n_repairs < TROUBLE_FIGHT_COUNT)
		return false;
	record->state = TROUBLE_FIGHT;
	pause_longer(record, now);
	return true;
}

bool trouble_left(struct troubles *t, const struct object *object, enum trouble_state state, uint64_t now) {
	struct trouble_record *record = get(t, object);
	bool news = record->state != state;

	record->state = state;
	record->last_try_usec = now;
	record->next_try_usec = UINT64_MAX;
	return news;
}

void troubles_hurry(struct troubles *t, uint64_t now) {
	for (struct trouble_record *record = t->records; record; record = record->hh.next)
		if (record->state == TROUBLE_FAILING)
			record->next_try_usec = now;
}

void troubles_postpone(struct troubles *t, uint64_t due, uint64_t now) {
	for (struct trouble_record *record = t->records; record; record = record->hh.next)
		if (record->next_try_usec <= due)
			record->next_try_usec = now + MAX(record->pause_usec, (uint64_t)TROUBLE_PAUSE_FIRST_USEC);
}

uint64_t trouble_due(const struct troubles *t) {
	uint64_t due = UINT64_MAX;

	for (const struct trouble_record *record = t->records; record; record = record->hh.next)
		due = MIN(due, record->next_try_usec);
	return due;
}

size_t trouble_count(const struct troubles *t, enum trouble_state state) {
	size_t n = 0;

	for (const struct trouble_record *record = t->records; record; record = record->hh.next)
		n += record->state == state;
	return n;
}

void trouble_drop(struct troubles *t, struct trouble_record *record) {
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
