/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting starts with the second scan of a pass: differences in the first one are drift or new, and were not tried in this
 * pass.
 */
#include "model/kind_masks.h"
#include "reconcile/ignored.h"

enum {
	IN_VAIN_ALIKE = 2,  /* acknowledged this often in a row, while it differed in the same way: not by chance */
	IN_VAIN_AT_ALL = 4, /* the same with varying differences (the kernel shows another value each time) */
	UNDONE = 2,         /* this often seen as declared, and then undone by another change of topod */
};

struct ignored_entry {
	char *id, *ns;
	uint32_t scan; /* of the latest acknowledged change */
	int round;     /* … and in which it was */
	unsigned n_acknowledged, n_alike, n_in_vain, n_undone;
	UT_hash_handle hh;
};

uint64_t ignored_fields(const struct change *change) {
	if (!change->desired || !change->observed)
		return 0;
	if (change->fields || change->desired->kind != change->observed->kind)
		return change->fields;
	return object_compare(change->desired, change->observed);
}

uint32_t ignored_sight(const struct change *change) {
	_cleanup_text_ struct text text = {};
	uint64_t fields = ignored_fields(change);

	text_addf(&text, "%d %d ", change->type, change->recreates);
	if (change->observed)
		object_print_fields(change->observed, NULL, (fields ? fields : UINT64_MAX) & change->observed->set, &text);
	return hash_bytes(text.data, text.size) | 1;
}

/* A change that completes another one, or is a consequence of it, does not count. */
static bool counts(const struct change *change) {
	return !change->completes && !(change->type == CHANGE_CREATE && change->recreates);
}

static struct ignored_entry *find(const struct ignored *ignored, const struct object *object) {
	_cleanup_text_ struct text id = {};
	struct ignored_entry *entry = NULL;

	if (!ignored->entries)
		return NULL;
	object_print_id(object, &id);
	HASH_FIND_STR(ignored->entries, id.data, entry);
	return entry;
}

static struct ignored_entry *get(struct ignored *ignored, const struct object *object) {
	struct ignored_entry *entry = find(ignored, object);
	struct text id = {};

	if (entry)
		return entry;
	object_print_id(object, &id);
	entry = xmalloc(sizeof(*entry));
	*entry = (struct ignored_entry){ .id = text_take(&id), .ns = xstrdup(object->ns) };
	HASH_ADD_KEYPTR(hh, ignored->entries, entry->id, strlen(entry->id), entry);
	return entry;
}

static void drop(struct ignored *ignored, struct ignored_entry *entry) {
	HASH_DEL(ignored->entries, entry);
	free(entry->id);
	free(entry->ns);
	free(entry);
}

void ignored_acknowledged(struct ignored *ignored, const struct change *change, int round, bool known) {
	struct ignored_entry *entry;

	if (!counts(change) || (round == 0 && !known))
		return;
	entry = get(ignored, change_object(change));
	entry->scan = ignored_sight(change);
	entry->round = round;
	entry->n_acknowledged++;
}

void ignored_seen_well(struct ignored *ignored, const struct object *object) {
	struct ignored_entry *entry = find(ignored, object);

	if (entry)
		drop(ignored, entry);
}

bool ignored_is_suspect(const struct ignored *ignored, const struct object *object) {
	const struct ignored_entry *entry = find(ignored, object);

	return entry && entry->n_in_vain;
}

/* Another object of the namespace that was changed in the previous round, and not for the first time: the two alternate. */
static const struct ignored_entry *find_other(const struct ignored *ignored, const struct ignored_entry *entry, int round,
					      bool known) {
	for (const struct ignored_entry *other = ignored->entries; other; other = other->hh.next)
		if (other != entry && other->round == round - 1 && !other->n_in_vain &&
		    (known || other->n_acknowledged > 1) && streq(other->ns, entry->ns))
			return other;
	return NULL;
}

bool ignored_again(struct ignored *ignored, const struct change *change, int round, bool known, bool settled,
		   const char **ret_undone_by) {
	struct ignored_entry *entry = counts(change) ? find(ignored, change_object(change)) : NULL;
	const struct ignored_entry *other;
	bool alike;

	*ret_undone_by = NULL;
	if (!entry)
		return false;
	alike = entry->scan == ignored_sight(change);
	if (entry->round == round - 1) {
		entry->n_in_vain++;
		entry->n_alike = alike ? entry->n_alike + 1 : 0;
		return known || (!settled && (entry->n_alike >= IN_VAIN_ALIKE || entry->n_in_vain >= IN_VAIN_AT_ALL));
	}
	/* It was as declared meanwhile. */
	entry->n_alike = entry->n_in_vain = 0;
	other = alike ? find_other(ignored, entry, round, known) : NULL;
	if (!other)
		return false;
	*ret_undone_by = other->id;
	return known || ++entry->n_undone >= UNDONE;
}

static void add_value(const struct object *desired, const struct object *observed, size_t i, bool alone, struct text *out) {
	const struct field *field = &desired->kind->fields[i];
	_cleanup_text_ struct text kept = {}, asked = {};

	if (field->flags & FIELD_UNPRINTED) {
		text_addf(out, "another %s", field->name);
		return;
	}
	field_print(field, desired, &asked);
	if (object_has(observed, i))
		field_print(field, observed, &kept);
	if (!alone)
		text_addf(out, "%s ", field->name);
	text_addf(out, "%s, not %s", kept.size ? kept.data : "none", asked.size ? asked.data : "none");
}

const char *ignored_text(struct arena *arena, const struct change *change) {
	_cleanup_text_ struct text text = {};
	uint64_t fields = ignored_fields(change);
	bool alone = !(fields & (fields - 1));

	if (!change->desired)
		return "the kernel accepts that, but it is there again";
	if (!change->observed || !fields)
		return "the kernel accepts that, but it is not there afterwards";
	mask_foreach(i, fields) {
		text_add(&text, text.size ? ", and " : "the kernel keeps ");
		add_value(change->desired, change->observed, i, alone, &text);
	}
	return arena_strdup(arena, text.data);
}

void ignored_done(struct ignored *ignored) {
	struct ignored_entry *entry, *next;

	HASH_ITER(hh, ignored->entries, entry, next)
		drop(ignored, entry);
}
