/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What failed when a plan was carried out, as diagnostics of the file that asked for it: the kernel's refusal
 * stands at the line of the field that it refused.
 */
#include "report_private.h"

/* The change because of which this one was given up: the first in the chain. */
static const struct change *root_of(const struct change *change) {
	const struct change *root = change->blocked;

	for (int depth = 0; root && root->blocked && depth < 64; depth++)
		root = root->blocked;
	return root;
}

/* How many changes were given up because of each. */
struct blocked {
	const struct change *root;
	size_t n;
	UT_hash_handle hh;
};

struct blockages {
	struct arena arena;
	struct blocked *table;
};

static void blockages_done(struct blockages *b) {
	HASH_CLEAR(hh, b->table);
	arena_done(&b->arena);
}

static struct blocked *blockage(struct blockages *b, const struct change *root) {
	struct blocked *blocked = NULL;

	HASH_FIND_PTR(b->table, &root, blocked);
	return blocked;
}

/* What only completes a creation is no object of its own. */
static void count_blocked(struct blockages *b, const struct plan *plan) {
	vec_foreach(at, &plan->changes) {
		const struct change *root = root_of(*at);
		struct blocked *blocked = root && !(*at)->follows ? blockage(b, root) : NULL;

		if (!root || (*at)->follows)
			continue;
		if (!blocked) {
			blocked = arena_new(&b->arena, struct blocked);
			blocked->root = root;
			HASH_ADD_PTR(b->table, root, blocked);
		}
		blocked->n++;
	}
}

static const char *verb(enum change_type type) {
	switch (type) {
	case CHANGE_CREATE:
		return "made";
	case CHANGE_UPDATE:
		return "changed";
	case CHANGE_DELETE:
		return "removed";
	}
	abort();
}

/* "web/eth0", and what of it, unless it is the link itself. */
static void add_who(const struct object *object, struct text *out) {
	object_print_scope(object, out);
	text_add(out, ": ");
	if (object->kind->class == CLASS_LINK)
		return;
	object_print_noun(object, out);
	text_add(out, ": ");
}

static void add_refused_value(const struct change *change, struct text *out) {
	const struct object *object = change_object(change);
	const struct field *first = object->kind->fields;
	size_t i = (size_t)(change->culprit - first);

	text_add(out, "the kernel refused ");
	if (!report_shows(object, i) || !object_has(object, i))
		text_addf(out, "'%s'", change->culprit->name);
	else
		report_field(object, NULL, i, out);
}

static bool has_culprit(const struct change *change) {
	const struct kind *kind = change_object(change)->kind;

	return change->culprit >= kind->fields && change->culprit < kind->fields + kind->n_fields;
}

void report_failure_text(const struct change *change, struct text *out) {
	const struct object *object = change_object(change);

	if (change->refused) {
		object_print_scope(object, out);
		text_add(out, ": ");
		report_refusal(change, out);
		return;
	}
	add_who(object, out);
	if (has_culprit(change))
		add_refused_value(change, out);
	else
		text_addf(out, "could not be %s", verb(change->type));
	if (change->text)
		text_addf(out, ": %s (%s)", change->text, strerror(-change->error));
	else
		text_addf(out, ": %s", strerror(-change->error));
}

size_t report_failures(const struct plan *plan, struct diags *diags) {
	_cleanup_(blockages_done) struct blockages blockages = {};
	size_t n = 0;

	count_blocked(&blockages, plan);
	vec_foreach(at, &plan->changes) {
		const struct change *change = *at;
		const struct blocked *blocked = blockage(&blockages, change);
		_cleanup_text_ struct text text = {};

		if (!change->error || change->blocked || change->held)
			continue;
		report_failure_text(change, &text);
		if (blocked)
			text_addf(&text, "; %zu more that need%s it %s not tried", blocked->n, blocked->n == 1 ? "s" : "",
				  blocked->n == 1 ? "was" : "were");
		diag_error(diags, object_mark(change_object(change), change->culprit), "%s", text_str(&text));
		n++;
	}
	return n;
}
