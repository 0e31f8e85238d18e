/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers two questions about each change: what happened to the object, in words, and is that only a consequence of
 * something that already has a line?
 *
 * What happened follows from what the scan found instead of the declared object (describe()):
 *
 *     found                                  words
 *     nothing                                "was removed", or "was moved to web" if the plan found the object there
 *     an object that is not declared         "was added"
 *     an object of another kind              "was replaced by another of kind veth"
 *     the same object with other values      "mtu was changed from 1500 to 1400"
 *     a namespace with another identity      "was replaced by another"
 *
 * Consequences follow from how the kernel deletes (goes_with()). With a namespace disappears everything in it, and the other
 * ends of its pairs. With a link disappears what is on it and on the other end of its pair, what stands on it, and perhaps
 * what depended on its addresses: any route of the namespace. With an object of another class disappear the classes that are
 * part of it, such as routes with an address. The plan is ordered so that the cause comes before its consequences; that
 * order is all that is needed here, because a line only counts what comes after it.
 *
 * Only repairs are combined. Each failure has its own line, because each may have its own reason.
 */
#include "reconcile/drift.h"

#include "files/error_text.h"
#include "kind/link.h"

const char *change_error(struct arena *arena, const struct change *change) {
	const char *error = error_text(change->error);

	/* topod's own texts are complete; the kernel's need the error. */
	if (!change->text)
		return arena_strdup(arena, error);
	if (change->refused)
		return arena_strdup(arena, change->text);
	return arena_printf(arena, "%s (%s)", change->text, error);
}

/* ---- what happened ---- */

/* Describes one field. True if the words have their own subject ("mtu was changed …", not "was changed …"). */
static bool print_changed_field(const struct object *desired, const struct object *observed, size_t i, struct text *out) {
	const struct field *field = &desired->kind->fields[i];
	bool first = !out->size;

	text_add(out, first ? "" : ", ");
	if (field->flags & FIELD_ONE_WAY) {
		text_addf(out, "%s was %s", field->doc, *(const uint32_t *)field_of(field, desired) ? "removed" : "added");
		return true;
	}
	if (field->flags & FIELD_OPAQUE) {
		text_addf(out, "%s%swas changed", first ? "" : field->name, first ? "" : " ");
		return false;
	}
	if (!object_has(observed, i)) { /* the kernel has removed it, as all of IPv6 below an MTU of 1280 */
		text_addf(out, "%s was lost", field->name);
		return true;
	}
	if (!desired->kind->class->single_value)
		text_addf(out, "%s ", field->name);
	text_add(out, "was changed");
	if (!(field->flags & FIELD_SECRET)) {
		text_add(out, " from ");
		field_print(field, desired, out);
		text_add(out, " to ");
		field_print(field, observed, out);
	}
	return !desired->kind->class->single_value;
}

/* Describes the fields that users know; the hidden ones only if there is nothing else. True if the words of the first one
 * have their own subject. */
static bool print_changed_fields(const struct object *desired, const struct object *observed, uint64_t mask,
				 struct text *out) {
	bool subject = false;

	for (int hidden = 0; hidden <= 1 && !out->size; hidden++)
		for (size_t i = 0; i < desired->kind->n_fields; i++) {
			const struct field *field = &desired->kind->fields[i];
			bool is_hidden = field->flags & FIELD_HIDDEN && !(field->flags & FIELD_DEV), first = !out->size;

			if (!(mask >> i & 1) || is_hidden != hidden)
				continue;
			if (hidden && !(field->flags & FIELD_ONE_WAY) && !object_has(observed, i))
				continue; /* there are no words for it */
			subject = print_changed_field(desired, observed, i, out) ? subject || first : subject;
		}
	return subject;
}

/* The object that was in the place of one that is recreated. */
static const struct object *replaced(const struct plan *plan, const struct change *change) {
	vec_foreach(at, &plan->changes)
		if ((*at)->type == CHANGE_DELETE && (*at)->desired == change->desired)
			return (*at)->observed;
	return NULL;
}

static bool describe(const struct plan *plan, const struct change *change, enum drift_kind *ret, struct text *out) {
	const struct object *before = change->observed;
	bool subject = false;

	*ret = change->type == CHANGE_DELETE ? DRIFT_EXTRA : DRIFT_CHANGED;
	if (change->type == CHANGE_DELETE) {
		text_add(out, "was added");
		return false;
	}
	if (change->type == CHANGE_CREATE && !before)
		before = change->recreates ? replaced(plan, change) : NULL;
	if (!before) {
		*ret = DRIFT_MISSING;
		text_addf(out, "was %s%s", change->moved ? "moved to " : "removed", change->moved ? change->moved : "");
	} else if (change->report_only) {
		text_add(out, change->text);
	} else if (object_is_namespace(before)) {
		text_add(out, change->type == CHANGE_UPDATE ? "was left without its name" : "was replaced by another");
	} else if (before->kind == change->desired->kind || change->desired->kind->any_kind) {
		uint64_t fields = change->type == CHANGE_UPDATE ? change->fields : object_compare(change->desired, before);

		subject = print_changed_fields(change->desired, before, fields, out);
	} else {
		text_addf(out, "was replaced by another of kind %s", before->kind->name);
	}
	if (!out->size)
		text_add(out, change->type == CHANGE_UPDATE ? "was changed" : "was replaced");
	return subject;
}

/* Describes what was tried, if nothing existed before that could have drifted. Returns the same as describe(). */
static bool describe_try(const struct change *change, struct text *out) {
	if (change->refused) {
		text_add(out, change->text);
		return false;
	}
	if (change->type == CHANGE_UPDATE) {
		object_print_fields(change->desired, NULL, change->fields, out);
		return true;
	}
	text_add(out, change->type == CHANGE_DELETE ? "cannot be removed" : "cannot be made");
	return false;
}

/* ---- consequences ---- */

static struct drift_place place_of(struct arena *arena, const struct object *object) {
	const char *link = object_home_link(object);

	return (struct drift_place){ arena_strdup(arena, object->ns), link ? arena_strdup(arena, link) : NULL };
}

static bool is_at(const struct drift_place *place, const struct object *object) {
	return streq_ptr(place->ns, object->ns) && streq_ptr(place->link, object_home_link(object));
}

/* Does the object need the link at that place, as a port needs its bridge? */
static bool needs(const struct object *object, const struct drift_place *place) {
	object_foreach_need(need, object)
		if (need.name && streq_ptr(place->link, need.name) && streq(place->ns, need.ns))
			return true;
	return false;
}

/* With a link disappears everything on it, everything on the other end of its pair, and all links made on it. An object that
 * disappears with something on the link, like a route with an address, may have disappeared with any link of the
 * namespace. */
static bool goes_with_link(const struct drift_line *line, const struct object *object) {
	const struct class *class = object->kind->class;
	bool above = needs(object, &line->place) || needs(object, &line->twin);

	if (class == line->class)
		return line->occurrence.drift == DRIFT_MISSING && above;
	if (above || is_at(&line->place, object) || is_at(&line->twin, object))
		return true;
	return class->part_of != line->class && class_goes_with(class, line->class) &&
	       (streq(line->place.ns, object->ns) || streq_ptr(line->twin.ns, object->ns));
}

/* Is it a consequence of what the line reports? */
static bool goes_with(const struct drift_line *line, const struct object *object) {
	if (line->alone ||
	    (line->occurrence.type != OCCURRENCE_DRIFT_RESTORED && line->occurrence.type != OCCURRENCE_BACKED_OFF))
		return false;
	if (line->class == &class_netns)
		return streq(line->place.ns, object->ns) || (object->twin && streq(line->place.ns, object->twin->ns));
	if (line->class == &class_link)
		return goes_with_link(line, object);
	return class_goes_with(object->kind->class, line->class) && streq(line->place.ns, object->ns) &&
	       line->occurrence.drift == DRIFT_MISSING;
}

/* ---- lines ---- */

struct occurrence *drift_note(struct drift_lines *lines, const struct plan *plan, const struct change *change,
			      enum occurrence_type type) {
	const struct object *object = change_object(change);
	_cleanup_text_ struct text scope = {}, noun = {}, what = {}, id = {};
	const struct drift_place nowhere = {};
	struct arena *arena = &lines->arena;
	enum drift_kind drift;
	bool subject;

	if (type == OCCURRENCE_DRIFT_RESTORED && (change->completes || (change->type == CHANGE_DELETE && change->recreates)))
		return NULL;
	vec_foreach(line, &lines->list)
		if (type == OCCURRENCE_DRIFT_RESTORED && goes_with(line, object)) {
			line->occurrence.n_followers++;
			return NULL;
		}
	subject = describe(plan, change, &drift, &what);
	if (type == OCCURRENCE_FAILING) {
		text_done(&what);
		subject = describe_try(change, &what);
	}
	object_print_scope(object, &scope);
	object_print_noun(object, &noun);
	object_print_id(object, &id);
	const char *place = arena_strdup(arena, text_str(&scope)), *thing = arena_strdup(arena, text_str(&noun));
	struct drift_line line = {
		.occurrence = {
			.type = type,
			.drift = drift,
			.form = !subject ? FORM_PREDICATE : object_is_link(object) ? FORM_ALONE : FORM_FIELDS,
			.ns = arena_strdup(arena, object->ns),
			.scope = place,
			.noun = thing,
			.parts = object_parts(object, place, thing),
			.what = arena_strdup(arena, text_str(&what)),
			.position = object == change_object(change) ? change_position(change) : object_position(object, change->culprit),
		},
		.class = object->kind->class,
		.id = arena_strdup(arena, id.data),
		.place = place_of(arena, object),
		.twin = object->twin ? place_of(arena, object->twin) : nowhere,
		/* Losing its link-local address affects nothing else of an interface. */
		.alone = object_is_link(object) && change->type == CHANGE_UPDATE &&
			 !(change->fields & ~(field_bit(LINK_OWN_ADDRESSES) | field_bit(LINK_OWN_ROUTES))),
	};
	vec_push(&lines->list, line);
	return &lines->list.items[lines->list.n - 1].occurrence;
}

size_t drift_retract(struct drift_lines *lines, const struct object *object) {
	_cleanup_text_ struct text id = {};
	size_t n = 0, n_retracted = 0;

	object_print_id(object, &id);
	vec_foreach(line, &lines->list) {
		const struct occurrence *o = &line->occurrence;
		bool restored = o->type == OCCURRENCE_DRIFT_RESTORED || o->type == OCCURRENCE_BACKED_OFF;

		if (restored && streq(line->id, id.data))
			n_retracted += 1 + o->n_followers;
		else
			lines->list.items[n++] = *line;
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
