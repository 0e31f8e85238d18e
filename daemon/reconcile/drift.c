/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/drift.h"

#include "files/error_text.h"
#include "kind/link.h"

const char *change_error(struct arena *arena, const struct change *change) {
	const char *error = error_text(change->error);

	/* topod's own sentences stand alone; the kernel's words are completed by the error they came with. */
	if (!change->text)
		return arena_strdup(arena, error);
	if (change->refused)
		return arena_strdup(arena, change->text);
	return arena_printf(arena, "%s (%s)", change->text, error);
}

static void print_changed_fields(const struct object *desired, const struct object *observed, uint64_t mask, bool hidden,
				 struct text *out) {
	for (size_t i = 0; i < desired->kind->n_fields; i++) {
		const struct field *field = &desired->kind->fields[i];

		if (!(mask >> i & 1) || !!(field->flags & FIELD_HIDDEN && !(field->flags & FIELD_DEV)) != hidden)
			continue;
		if (hidden && !(field->flags & FIELD_ONE_WAY) && !object_has(observed, i))
			continue; /* there are no words for it */
		text_add(out, out->size ? ", " : "");
		if (field->flags & FIELD_ONE_WAY) {
			text_addf(out, "%s was %s", field->doc,
				  *(const uint32_t *)field_of(field, desired) ? "removed" : "added");
			continue;
		}
		if (field->flags & FIELD_OPAQUE) {
			text_add(out, "was changed");
			continue;
		}
		if (!object_has(observed, i)) { /* the kernel has taken it away: all of IPv6 below an MTU of 1280 */
			text_addf(out, "%s was lost", field->name);
			continue;
		}
		if (!desired->kind->class->single_value)
			text_addf(out, "%s ", field->name);
		text_add(out, "was changed from ");
		field_print(field, desired, out);
		text_add(out, " to ");
		field_print(field, observed, out);
	}
}

/* What a recreation is for: the fields of what stood there. */
static const struct object *replaced(const struct plan *plan, const struct change *change) {
	vec_foreach(at, &plan->changes)
		if ((*at)->type == CHANGE_DELETE && (*at)->desired == change->desired)
			return (*at)->observed;
	return NULL;
}

static void describe_update(const struct object *desired, const struct object *observed, uint64_t mask, struct text *out) {
	print_changed_fields(desired, observed, mask, false, out);
	if (!out->size)
		print_changed_fields(desired, observed, mask, true, out);
}

static enum drift_kind describe(const struct plan *plan, const struct change *change, struct text *out) {
	const struct object *before = change->observed;

	if (change->type == CHANGE_DELETE) {
		text_add(out, "was added");
		return DRIFT_EXTRA;
	}
	if (change->type == CHANGE_CREATE && !before)
		before = change->recreates ? replaced(plan, change) : NULL;
	if (!before) {
		text_add(out, change->moved ? "was moved to " : "was removed");
		text_add(out, change->moved ? change->moved : "");
		return DRIFT_MISSING;
	}
	if (change->told)
		text_add(out, change->text);
	else if (object_is_namespace(before))
		text_add(out, change->type == CHANGE_UPDATE ? "was left without its name" : "was replaced by another");
	else if (before->kind == change->desired->kind || change->desired->kind->any_kind)
		describe_update(change->desired, before,
				change->type == CHANGE_UPDATE ? change->fields : object_compare(change->desired, before),
				out);
	else
		text_addf(out, "was replaced by another of kind %s", before->kind->name);
	if (!out->size)
		text_add(out, change->type == CHANGE_UPDATE ? "was changed" : "was replaced");
	return DRIFT_CHANGED;
}

/* What was tried, where nothing was there before that could have drifted. */
static void describe_try(const struct change *change, struct text *out) {
	text_done(out);
	if (change->refused)
		text_add(out, change->text);
	else if (change->type == CHANGE_UPDATE)
		object_print_fields(change->desired, NULL, change->fields, out);
	else
		text_add(out, change->type == CHANGE_DELETE ? "cannot be removed" : "cannot be made");
}

/* Does the object need the link of that scope (a port its bridge)? */
static bool stands_on(const struct object *object, const char *scope) {
	object_foreach_need(need, object) {
		const char *rest = need.name ? startswith(scope, need.ns) : NULL;

		if (rest && *rest == '/' && streq(rest + 1, need.name))
			return true;
	}
	return false;
}

/* A link takes along what is on it, on the other end of a pair, and what stands on it. What goes with something on the link,
 * as a route with an address, may have gone with any link of the namespace. */
static bool goes_with_link(const struct drift_line *line, const struct object *object, const char *scope) {
	bool above = stands_on(object, line->occurrence.scope) || (line->twin_scope && stands_on(object, line->twin_scope));
	const struct class *class = object->kind->class;

	if (class == line->class)
		return line->occurrence.drift == DRIFT_MISSING && above;
	if (above || streq(line->occurrence.scope, scope) || streq_ptr(line->twin_scope, scope))
		return true;
	return class->part_of != line->class && class_goes_with(class, line->class) &&
	       (streq(line->ns, object->ns) || streq_ptr(line->twin_ns, object->ns));
}

/* Is it a consequence of what the line tells? A namespace takes along what is in it and the other ends of its pairs. */
static bool follows(const struct drift_line *line, const struct object *object, const char *scope) {
	if (line->class == &class_netns)
		return streq(line->ns, object->ns) || (object->twin && streq(line->ns, object->twin->ns));
	if (line->class == &class_link)
		return goes_with_link(line, object, scope);
	return class_goes_with(object->kind->class, line->class) && streq(line->ns, object->ns) &&
	       line->occurrence.drift == DRIFT_MISSING;
}

/* Did it come back with something that is told of already? */
static struct drift_line *leader(struct drift_lines *lines, const struct object *object, const char *scope) {
	vec_foreach(line, &lines->list) {
		enum occurrence_type type = line->occurrence.type;

		if (!line->alone && (type == OCCURRENCE_DRIFT_RESTORED || type == OCCURRENCE_BACKED_OFF) &&
		    follows(line, object, scope))
			return line;
	}
	return NULL;
}

static struct object *copy_head(struct arena *arena, const struct object *object) {
	struct object *copy = arena_memdup(arena, object, sizeof(*object));

	copy->ns = arena_strdup(arena, object->ns);
	return copy;
}

static void note_twin(struct arena *arena, const struct object *twin, struct drift_line *line) {
	_cleanup_text_ struct text scope = {};

	object_print_scope(twin, &scope);
	line->twin_ns = arena_strdup(arena, twin->ns);
	line->twin_scope = arena_strdup(arena, scope.data);
}

struct occurrence *drift_note(struct drift_lines *lines, const struct plan *plan, const struct change *change,
			      enum occurrence_type type) {
	const struct object *object = change_object(change);
	_cleanup_text_ struct text scope = {}, noun = {}, what = {};
	struct arena *arena = &lines->arena;
	struct drift_line *lead;

	if (type == OCCURRENCE_DRIFT_RESTORED && (change->completes || (change->type == CHANGE_DELETE && change->recreates)))
		return NULL;
	object_print_scope(object, &scope);
	lead = leader(lines, object, scope.data);
	if (lead && type == OCCURRENCE_DRIFT_RESTORED) {
		lead->occurrence.n_followers++;
		return NULL;
	}
	object_print_noun(object, &noun);
	enum drift_kind drift = describe(plan, change, &what);
	if (type == OCCURRENCE_FAILING)
		describe_try(change, &what);
	vec_push(
		&lines->list,
		(struct drift_line){
			.occurrence = { .type = type,
					.drift = drift,
					.object = copy_head(arena, object),
					.scope = arena_strdup(arena, scope.data),
					.noun = arena_strdup(arena, noun.data),
					.what = arena_strdup(arena, text_str(&what)),
					.position = object_position(object, change->culprit) },
			.class = object->kind->class,
			.ns = arena_strdup(arena, object->ns),
			/* Without its link-local address an interface has all else; what went at the same time did not go with it. */
			.alone = object_is_link(object) && change->type == CHANGE_UPDATE &&
				 !(change->fields & ~(field_bit(LINK_OWN_ADDRESSES) | field_bit(LINK_OWN_ROUTES))),
		});
	if (object->twin)
		note_twin(arena, object->twin, &lines->list.items[lines->list.n - 1]);
	return &lines->list.items[lines->list.n - 1].occurrence;
}

size_t drift_retract(struct drift_lines *lines, const struct object *object) {
	_cleanup_text_ struct text scope = {}, noun = {};
	size_t n = 0, n_retracted = 0, before = lines->list.n;

	object_print_scope(object, &scope);
	object_print_noun(object, &noun);
	for (size_t i = 0; i < before; i++) {
		const struct occurrence *o = &lines->list.items[i].occurrence;
		bool restored = o->type == OCCURRENCE_DRIFT_RESTORED || o->type == OCCURRENCE_BACKED_OFF;

		if (!restored || !streq(o->scope, scope.data) || !streq(o->noun, noun.data))
			lines->list.items[n++] = lines->list.items[i];
		else
			n_retracted += 1 + o->n_followers;
	}
	lines->list.n = n;
	return n_retracted;
}

void drift_tell(struct drift_lines *lines, void (*fn)(void *userdata, const struct occurrence *), void *userdata) {
	vec_foreach(line, &lines->list)
		fn(userdata, &line->occurrence);
	vec_clear(&lines->list);
	arena_done(&lines->arena);
}

void drift_done(struct drift_lines *lines) {
	vec_done(&lines->list);
	arena_done(&lines->arena);
}
