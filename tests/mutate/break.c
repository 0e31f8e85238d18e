/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * topod with one row of its field tables broken, to see whether a test notices. This file is linked with all of topod; nothing in
 * topod knows of it.
 *
 *   TOPOD_BREAK="HOW MAPPING.KEY[.KEY]" topod-broken ...   the row of the reference page, broken in one way:
 *
 *     unread   the value in the file is ignored
 *     equal    what is observed always counts as what is declared
 *     unsent   requests to the kernel leave it out
 *     class    what is changed in place is recreated, and the other way round; another identity becomes another value
 *
 *   TOPOD_BREAK=list topod-broken                  prints "HOW MAPPING.KEY ROW" of all of them; several names may be of one row
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kind/kinds.h"
#include "kind/link.h"
#include "language/schema_private.h"
#include "model/change.h"

enum how { UNREAD, EQUAL, UNSENT, CLASS, N_HOW };
static const char *const how_names[N_HOW] = { "unread", "equal", "unsent", "class" };

enum { ROWS_MAX = 64, KINDS_MAX = 64 };

static struct {
	enum how how;
	const char *path; /* NULL: nothing is broken */
	const struct field *rows[ROWS_MAX];
	size_t n_rows;
} broken;

static struct {
	const struct kind *kind;
	int (*encode)(struct encode *encode, const struct change *change);
} encoders[KINDS_MAX];

static bool is_broken(enum how how, const struct field *field) {
	for (size_t i = 0; broken.path && broken.how == how && i < broken.n_rows; i++)
		if (broken.rows[i] == field)
			return true;
	return false;
}

/* ---- what is broken ---- */

bool __real_fields_parse(struct parse *p, const struct node *mapping, const struct fields_parse *f);
bool __wrap_fields_parse(struct parse *p, const struct node *mapping, const struct fields_parse *f);
bool __real_field_equal(const struct field *field, const void *a, const void *b);
bool __wrap_field_equal(const struct field *field, const void *a, const void *b);

bool __wrap_fields_parse(struct parse *p, const struct node *mapping, const struct fields_parse *f) {
	for (size_t i = 0; i < f->n; i++) {
		if (!is_broken(UNREAD, &f->fields[i]))
			continue;
		void *value = field_of(&f->fields[i], f->base);
		size_t size = f->fields[i].type->size;
		void *before = memcpy(malloc(size), value, size);
		bool good = __real_fields_parse(p, mapping, f);

		memcpy(value, before, size);
		*f->set &= ~field_bit(i);
		free(before);
		return good;
	}
	return __real_fields_parse(p, mapping, f);
}

bool __wrap_field_equal(const struct field *field, const void *a, const void *b) {
	return is_broken(EQUAL, field) || __real_field_equal(field, a, b);
}

static int encode_without(struct encode *encode, const struct change *change) {
	const struct kind *kind = change_object(change)->kind;
	struct change less = *change;
	size_t k = 0;

	while (encoders[k].kind != kind)
		k++;
	if (!change->desired)
		return encoders[k].encode(encode, change);
	struct object *desired = arena_memdup(encode->arena, change->desired, kind->size);
	for (size_t i = 0; i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];

		if (!is_broken(UNSENT, field))
			continue;
		memset(field_of(field, desired), 0, field->type->size);
		if (field->type == &type_text || field->type == &type_link_name)
			*(const char **)field_of(field, desired) = "";
		desired->set &= ~field_bit(i);
		less.fields &= ~field_bit(i);
	}
	less.desired = desired;
	return encoders[k].encode(encode, &less);
}

/* The tables are read-only once the program is loaded. */
static void make_writable(const void *at, size_t size) {
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)at / page * page;

	if (mprotect((void *)begin, (uintptr_t)at + size - begin, PROT_READ | PROT_WRITE) < 0) {
		perror("mprotect");
		_exit(EXIT_FAILURE);
	}
}

static void change_class(const struct field *row) {
	struct field *field = (struct field *)(uintptr_t)row;

	make_writable(field, sizeof(*field));
	field->class = field->class == FIELD_LIVE ? FIELD_RECREATE : FIELD_LIVE;
}

static bool has_broken_row(const struct kind *kind) {
	for (size_t i = 0; i < kind->n_fields; i++)
		if (is_broken(UNSENT, &kind->fields[i]))
			return true;
	return false;
}

static void replace_encoders(void) {
	size_t n = 0;

	for (const struct kind *const *k = kinds; *k; k++) {
		struct kind *kind = (struct kind *)(uintptr_t)*k;

		if (!kind->encode || !has_broken_row(kind))
			continue;
		encoders[n].kind = kind;
		encoders[n++].encode = kind->encode;
		make_writable(kind, sizeof(*kind));
		kind->encode = encode_without;
	}
}

/* ---- the rows ---- */

/* Is the row in a table of a kind that has netlink messages of its own, and so seen by encode_without()? What tun and tap have is set
 * by ioctls. */
static bool is_encoded(const struct field *row) {
	for (const struct kind *const *k = kinds; *k; k++)
		if ((*k)->encode && *k != &kind_tun && *k != &kind_tap && row >= (*k)->fields &&
		    row < (*k)->fields + (*k)->n_fields)
			return true;
	return false;
}

/* Is it in the table of a kind at all, and not a part of a value? */
static bool is_of_kind(const struct field *row) {
	for (const struct kind *const *k = kinds; *k; k++)
		if (row >= (*k)->fields && row < (*k)->fields + (*k)->n_fields)
			return true;
	return false;
}

static bool can_break(enum how how, const struct field *row) {
	switch (how) {
	case UNREAD:
		return true;
	case UNSENT:
		return is_encoded(row);
	case EQUAL:
	case CLASS: /* of what identity is, another value is another object in any case */
		return is_of_kind(row) && !(row->flags & FIELD_IDENTITY) && (how == CLASS || row->class != FIELD_KEY);
	case N_HOW:
		break;
	}
	return false;
}

static void take_row(const struct field *row) {
	for (size_t i = 0; i < broken.n_rows; i++)
		if (broken.rows[i] == row)
			return;
	if (broken.n_rows < ROWS_MAX)
		broken.rows[broken.n_rows++] = row;
}

static void each_row(const char *mapping, const struct field *row) {
	_cleanup_text_ struct text path = {};

	text_addf(&path, "%s.%s", mapping, row->name);
	for (enum how how = 0; !broken.path && how < N_HOW; how++)
		if (can_break(how, row))
			printf("%s %s %p\n", how_names[how], text_str(&path), (const void *)row);
	if (broken.path && streq(text_str(&path), broken.path))
		take_row(row);
	for (size_t i = 0; i < row->type->n_keys; i++)
		each_row(text_str(&path), &row->type->keys[i]);
}

/* The rows that all links have stand in the table of each kind. */
static void take_all_links(void) {
	const char *name = strchr(broken.path, '.') + 1;

	if (strncmp(broken.path, "interface.", strlen("interface.")) != 0)
		return;
	for (const struct kind *const *k = kinds; *k; k++)
		for (size_t i = 0; kind_is_link(*k) && i < LINK_N_FIELDS; i++)
			if (streq((*k)->fields[i].name, name))
				take_row(&(*k)->fields[i]);
}

__attribute__((constructor)) static void break_row(void) {
	char *what = getenv("TOPOD_BREAK");
	_schema_mappings_ mappings = {};

	if (!what || !*what)
		return;
	char *space = strchr(what, ' ');
	size_t how = 0;
	while (space && how < N_HOW && strncmp(how_names[how], what, (size_t)(space - what)) != 0)
		how++;
	broken.how = how < N_HOW ? (enum how)how : UNREAD;
	broken.path = space ? space + 1 : NULL;
	schema_collect(&mappings);
	for (size_t i = 0; i < mappings.list.n; i++) {
		const struct mapping *m = &mappings.list.items[i].is;

		for (const struct field *row = m->fields; row < m->fields + m->n_fields; row++)
			if (schema_shows(m, row))
				each_row(m->name, row);
	}
	if (!space)
		exit(EXIT_SUCCESS);
	take_all_links();
	if (how == N_HOW || !broken.n_rows) {
		fprintf(stderr, "topod-broken: there is no '%s'\n", what);
		exit(EXIT_FAILURE);
	}
	if (how == UNSENT)
		replace_encoders();
	for (size_t i = 0; how == CLASS && i < broken.n_rows; i++)
		change_class(broken.rows[i]);
}
