/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/diff.h"

/* Adding changes. */

static struct change *add(struct diff *diff, enum change_type type, const struct object *desired,
			  const struct object *observed, uint64_t fields) {
	struct change *change = arena_new(&diff->plan->arena, struct change);

	change->type = type;
	change->desired = desired;
	change->observed = observed;
	change->fields = fields;
	vec_push(&diff->plan->changes, change);
	return change;
}

/* What needs the object needs this change. */
void diff_point(struct diff *diff, struct object *object, struct change *change) {
	object->change = change;
	vec_push(&diff->plan->touched, object);
}

void diff_refuse(struct diff *diff, struct object *desired, const struct object *observed, int error, const char *text) {
	struct change *change = add(diff, CHANGE_CREATE, desired, observed, 0);

	change->done = change->refused = true;
	change->error = error;
	change->text = text;
	diff_point(diff, desired, change); /* what stands on it is not even tried */
}

uint64_t diff_all_fields(const struct object *object) {
	uint64_t mask = object->set & ~object->returning;

	for (size_t i = 0; i < object->kind->n_fields; i++)
		if (object->kind->fields[i].class == FIELD_KEY || object->kind->fields[i].flags & FIELD_ONCE)
			mask &= ~field_bit(i);
	return mask;
}

/* Is something declared by which the kernel goes at once when the link comes up? */
static bool has_before_up(const struct object *object) {
	for (size_t i = 0; i < object->kind->n_fields; i++)
		if (object_has(object, i) && object->kind->fields[i].flags & FIELD_BEFORE_UP)
			return true;
	return false;
}

/* The fields that follow in an update because the creating request cannot carry them. For the second end of a
 * pair that is also its flags and its controller; the flags also where something has to be set before. */
static uint64_t following_fields(const struct object *object, bool second) {
	const struct kind *kind = object->kind;
	bool flags_follow = second || has_before_up(object);
	uint64_t mask = 0;

	for (size_t i = 0; i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];
		bool late = field->flags & FIELD_AFTER || kind->bare_create ||
			    kind->last & field_bit(i) ||
			    (flags_follow && (field->wire == WIRE_IFF || field->wire == WIRE_IFF_NOT)) ||
			    (second && field->flags & FIELD_DEV && !(field->flags & FIELD_PEER));

		if (object_has(object, i) && late && field->class != FIELD_KEY && !(field->flags & FIELD_ONCE))
			mask |= field_bit(i);
	}
	return mask;
}

static void add_following(struct diff *diff, const struct object *object, struct change *creation, bool second) {
	uint64_t mask = following_fields(object, second);

	if (!mask)
		return;
	struct change *change = add(diff, CHANGE_UPDATE, object, NULL, mask);
	change->follows = true;
	change->again = creation->again;
	plan_add_need(diff->plan, change, creation);
}

static struct change *add_creation(struct diff *diff, struct object *object, bool again) {
	uint64_t later = following_fields(object, false);
	struct change *change = add(diff, CHANGE_CREATE, object, NULL, object->set & ~later);

	change->desired = diff_sign(diff, change);
	change->again = again;
	diff_point(diff, object, change);
	add_following(diff, object, change, false);
	if (object->twin) {
		diff_point(diff, object->twin, change);
		add_following(diff, object->twin, change, true);
	}
	return change;
}

static void add_deletion(struct diff *diff, struct object *observed, const struct object *desired, bool again) {
	if (observed->change)
		return;
	struct change *change = add(diff, CHANGE_DELETE, desired, observed, 0);
	change->again = again;
	diff_point(diff, observed, change);
}

/* Whose is it? */

static bool is_ours_by(const struct ledger_entry *entry, const struct object *observed) {
	if (entry && entry->made)
		return ledger_is_same(entry, observed);
	return observed->marked;
}

static bool is_ours(const struct diff *diff, const struct object *desired, const struct object *observed) {
	return is_ours_by(ledger_find_object(diff->input->ledger, desired), observed);
}

/* Is it topod's by what it shows itself: the mark, or what comes before the mark can be set? */
static bool bears_mark(const struct ledger_entry *entry, const struct object *observed) {
	return observed->marked || (entry && entry->made && ledger_is_signed(entry, observed));
}

/* May it be changed, or deleted to be made anew? A link under our name without our mark is somebody's who took its place. */
static bool may_go(const struct diff *diff, const struct object *desired, const struct object *observed) {
	const struct ledger_entry *entry = ledger_find_object(diff->input->ledger, desired);

	return is_ours(diff, desired, observed) && (observed->kind->class != CLASS_LINK || bears_mark(entry, observed));
}

/* Found rather than made: its fields are changed, itself it is left. */
static bool is_found(const struct ns_state *desired_ns, const struct object *desired) {
	return desired->foreign || desired->gone || desired->kind->undeletable || desired_ns->adopt;
}

/* The namespace itself. */

static const char *in_the_way(struct diff *diff, const struct object *object, const struct object *seen,
			      const struct ns_state *ns) {
	const char *belongs = diff_belongs(diff, object, seen, ns);

	if (belongs)
		return belongs;
	return object->kind->class == CLASS_NETNS
		       ? "exists and is not topod's: take it over with 'adopt: true', or rename it in the file"
		       : "exists and is not topod's: take it over with 'adopt: true' on the namespace, or rename it in "
			 "the file";
}

static const char *object_in_the_way(struct diff *diff, const struct object *desired, const struct object *observed,
				     const struct ns_state *ns) {
	const char *text = observed->kernel_made && desired->kind->if_kernels ? desired->kind->if_kernels(observed) : NULL;

	return text ? text : in_the_way(diff, desired, observed, ns);
}

/* Nothing is planned inside a namespace that is somebody else's. */
bool diff_is_closed(const struct ns_state *desired) {
	const struct object *object = ns_self(desired);

	return object && object->change && object->change->done && object->change->error;
}

static const char *obstructed(struct diff *diff, const struct object *object, const struct ns_state *observed) {
	return arena_printf(&diff->plan->arena,
			    "cannot be %s: its name in /run/netns is %s; remove that, or rename the namespace in the file",
			    object->foreign ? "adopted" : "made", observed->obstruction);
}

/* What was noted when it was made. */
static const struct object *noted_birth(struct diff *diff, const struct object *like, const struct ledger_entry *entry) {
	struct object *object = arena_memdup(&diff->plan->arena, like, like->kind->size);

	object->set = 0;
	for (size_t i = 0; i < like->kind->n_fields; i++) {
		const struct field *field = &like->kind->fields[i];
		const char *noted = field->flags & FIELD_BIRTH ? ledger_former(entry, i) : NULL;

		if (noted && field_from_text(&diff->plan->arena, like->ns, field, noted, object))
			object->set |= field_bit(i);
	}
	return object->set ? object : NULL;
}

/* Somebody has taken only its name away, or what its name was mounted on. What is in it lives on. */
static void rename_namespace(struct diff *diff, struct object *object, const struct ns_state *observed) {
	uint64_t differs = object_compare(object, ns_self(observed));
	struct change *change = differs ? add(diff, CHANGE_UPDATE, object, ns_self(observed), differs) : NULL;

	if (!change || !observed->obstruction)
		return;
	change->done = change->refused = true;
	change->error = -EEXIST;
	change->text = obstructed(diff, object, observed);
}

void diff_namespace(struct diff *diff, struct ns_state *observed) {
	struct ns_state *desired = state_find(diff->input->desired, observed->name);
	struct object *object = ns_self(desired), *seen = ns_self(observed);
	const struct ledger_entry *entry = object ? ledger_find_object(diff->input->ledger, object) : NULL;

	if (!object)
		return; /* the host, or no longer declared (diff_extra) */
	const struct object *former = entry && entry->made ? noted_birth(diff, object, entry) : NULL;

	if (!seen && observed->obstruction)
		diff_refuse(diff, object, NULL, -EEXIST, obstructed(diff, object, observed));
	else if (!seen && object->foreign)
		diff_refuse(diff, object, NULL, -ENOENT, "the namespace to adopt does not exist");
	else if (!seen)
		add_creation(diff, object, false);
	else if (!diff_shares_namespace(diff, object, seen) && !object->foreign && !is_ours(diff, object, seen))
		diff_refuse(diff, object, seen, -EEXIST, in_the_way(diff, object, seen, observed));
	else if (entry)
		observed->n_noted++;
	/* What topod made itself it gives up, once and for all. */
	if (seen && object->foreign && entry && entry->made && !entry->shared)
		vec_push(&diff->plan->lost, (struct lost){ observed->name, arena_strdup(&diff->plan->arena, entry->id) });
	if (object->change)
		object->change->former = former;
	else if (seen && !object->foreign)
		rename_namespace(diff, object, observed);
}

/* What is declared. */

struct recreated {
	const struct diff *diff;
	const struct object *object;
	bool found;
};

static void find_recreated(void *userdata, const struct field *field, const char *ns_name, const char *name) {
	struct recreated *r = userdata;
	const struct ns_state *ns = state_find(r->diff->input->desired, ns_name);
	const struct object *link = ns ? ns_find_link(ns, name) : NULL;

	/* A port outlives its controller. */
	if (field->flags & FIELD_PEER || (r->object->kind->class == CLASS_LINK && field->type != &type_link_ref))
		return;
	if (link && link->change && link->change->type == CHANGE_CREATE && link->change->again)
		r->found = true;
}

/* What stands on a link that is made anew will be gone by then. */
bool diff_stands_on_recreated(const struct diff *diff, const struct object *object) {
	struct recreated r = { .diff = diff, .object = object };

	object_links(object, find_recreated, &r);
	return r.found;
}

bool diff_was_looked_for(const struct ns_state *observed, const struct object *object) {
	const struct scope *scope = observed ? observed->scope : NULL;

	for (size_t i = 0; scope && i < scope->n; i++)
		if (scope->objects[i] == object)
			return true;
	return observed && !scope;
}

/* The end of a pair that makes it: the one with a controller, whose request can carry that. */
static struct object *first_end(struct object *object) {
	struct object *twin = object->twin;

	if (!twin)
		return object;
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (field->flags & FIELD_DEV && !(field->flags & FIELD_PEER) && object_has(twin, i))
			return object_has(object, i) ? object : twin;
	}
	return object;
}

/* Something foreign in the place of one end, or all of its namespace, keeps the pair from being made: nothing is deleted
 * for it. */
static bool pair_refused(struct diff *diff, struct object *object, struct object *twin, const struct object *seen_twin) {
	const struct ns_state *ns = state_find(diff->input->desired, twin->ns);

	if (diff_is_closed(ns)) {
		diff_point(diff, object, ns_self(ns)->change);
		return true;
	}
	const struct ns_state *there = state_find(diff->input->observed, twin->ns);
	if (twin->change ? !twin->change->refused
			 : seen_twin ? may_go(diff, twin, seen_twin) : !diff_belongs(diff, twin, NULL, there))
		return false;
	if (!twin->change)
		diff_refuse(diff, twin, seen_twin, -EEXIST, in_the_way(diff, twin, seen_twin, there));
	diff_point(diff, object, twin->change);
	return true;
}

/* Both ends go and come together. */
static void recreate(struct diff *diff, struct object *object, struct object *observed) {
	struct object *twin = object->twin, *seen_twin = NULL;

	if (twin) {
		const struct ns_state *ns = state_find(diff->input->observed, twin->ns);

		if (!diff_was_looked_for(ns, twin))
			vec_push(&diff->plan->also, twin);
		seen_twin = ns_find(ns, twin);
		if (pair_refused(diff, object, twin, seen_twin))
			return;
		if (seen_twin)
			add_deletion(diff, seen_twin, twin, true);
	}
	if (observed)
		add_deletion(diff, observed, object, true);
	if (!object->change)
		add_creation(diff, first_end(object), observed || seen_twin);
}

/* `seen` is what goes with the link below, or NULL. */
struct namespaces {
	struct ns_state *desired, *observed;
};

static void missing(struct diff *diff, const struct namespaces *ns, struct object *object, const struct object *seen) {
	bool fresh = ns_self(ns->desired) && ns_self(ns->desired)->change;
	const char *belongs;

	if (object->gone || diff_disputed(diff, object, NULL, ns->observed))
		return;
	/* lo and settings come along with a namespace that is made now. */
	if (object->kind->undeletable || (object->foreign && fresh))
		add(diff, CHANGE_UPDATE, object, NULL, diff_all_fields(object));
	else if (object->foreign)
		diff_refuse(diff, object, NULL, -ENODEV,
			    "there is no such interface, and 'kind: existing' never makes one");
	else if ((belongs = diff_belongs(diff, object, NULL, ns->observed)))
		diff_refuse(diff, object, NULL, -EEXIST, belongs);
	else if (object->twin)
		recreate(diff, object, NULL);
	else
		add_creation(diff, object, seen);
}

static bool needs_recreation(const struct object *object, const struct object *observed, uint64_t differs) {
	for (size_t i = 0; i < object->kind->n_fields; i++)
		if (differs & field_bit(i) && object->kind->fields[i].class == FIELD_RECREATE)
			return true;
	return object->kind->recreate && object->kind->recreate(object, observed, differs);
}

/* Fields can be compared only within one table; the common ones of links stand first in each. In one of another kind all
 * differ, those included that ask for another link. */
static uint64_t differences(const struct diff *diff, const struct object *object, const struct object *observed) {
	uint64_t differs;

	if (object->kind != observed->kind && !object->kind->any_kind)
		return ~UINT64_C(0);
	differs = object_compare(object, observed);
	if (differs && diff->input->kept)
		differs &= ~diff->input->kept(diff->input->userdata, object, differs);
	return differs;
}

/* What goes back is otherwise left as it is: a request that says all of an object (a route, an address) says that, too. */
static const struct object *complete(struct diff *diff, const struct object *object, const struct object *observed) {
	struct object *whole;

	if (!object->gone || object->kind != observed->kind)
		return object;
	whole = arena_memdup(&diff->plan->arena, object, object->kind->size);
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (object_has(object, i) || object->returning & field_bit(i) || !object_has(observed, i))
			continue;
		memcpy(field_of(field, whole), field_of(field, observed), field->type->size);
		whole->set |= field_bit(i);
	}
	return whole;
}

/* What is to go back to a link that is not there any more (a former controller) goes back to none. */
static void settle_returning(struct object *object, const struct ns_state *observed) {
	for (size_t i = 0; !observed->scope && i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (!(object->returning & field_bit(i)) || field->type != &type_link_name || !field->fallback)
			continue;
		const char **name = field_of(field, object);
		if (**name && !ns_find_link(observed, *name))
			*name = field->fallback;
	}
}

/* What was noted about an object that goes, under its name: for what is given back rather than deleted. */
static const struct object *noted_object(struct diff *diff, const struct object *seen) {
	const struct ledger_entry *entry = ledger_find_object(diff->input->ledger, seen);

	if (!entry || !entry->kind->bare_create)
		return NULL;
	struct object *object = object_new(&diff->plan->arena, entry->kind, seen->ns);
	for (size_t i = 0; i < entry->kind->n_fields; i++) {
		const struct field *field = &entry->kind->fields[i];
		const char *former = field->flags & FIELD_ONCE ? ledger_former(entry, i) : NULL;

		if (field->class == FIELD_KEY) /* the same place in the table of any link */
			memcpy(field_of(field, object), field_of(field, seen), field->type->size);
		else if (former)
			*(const char **)field_of(field, object) = arena_strdup(&diff->plan->arena, former);
		else
			continue;
		object->set |= field_bit(i);
	}
	object_seal(&diff->plan->arena, object);
	return object;
}

/* What was moved in and is not what is wanted here any more goes back first, as it was, and what was made goes before something is
 * moved into its place; another look follows, and then what is wanted comes. In one step the ledger would know the one for the
 * other after a crash in between. */
static bool goes_first(struct diff *diff, struct object *object, struct object *seen) {
	const struct object *noted = noted_object(diff, seen);

	if (noted ? object->kind == noted->kind && object->kind->is_same_source(object, noted, seen) : !object->kind->bare_create)
		return false;
	if (!may_go(diff, object, seen))
		return false;
	add_deletion(diff, seen, noted, false);
	diff_point(diff, object, seen->change);
	return true;
}

static void present(struct diff *diff, struct ns_state *desired, struct ns_state *observed_ns, struct object *object,
		    struct object *observed) {
	settle_returning(object, observed_ns);
	const char *belongs = diff_belongs(diff, object, observed, observed_ns);
	if (belongs)
		diff_refuse(diff, object, observed, -EEXIST, belongs);
	if (belongs || diff_disputed(diff, object, observed, observed_ns))
		return;
	uint64_t left = diff_left_fields(diff, object, observed, observed_ns);
	uint64_t differs = differences(diff, object, observed) & ~left;
	const struct ledger_entry *entry = ledger_find_object(diff->input->ledger, object);
	bool ours = is_ours_by(entry, observed), found = is_found(desired, object), again;

	if (observed->pending)
		diff_pending(diff, object, observed);
	if (observed->failed)
		vec_push(&diff->plan->failed, object);
	if (object->kind->found && !object->gone && !streq(object_home_link(object), "lo"))
		vec_push(&diff->plan->found, (struct found){ object, observed });
	observed_ns->n_noted += entry != NULL;
	if (entry && entry->made && !found && goes_first(diff, object, observed))
		return;
	again = differs && needs_recreation(object, observed, differs);
	if (differs && (again || !found) && !may_go(diff, object, observed)) {
		diff_refuse(diff, object, observed, -EEXIST, object_in_the_way(diff, object, observed, observed_ns));
		return;
	}
	bool shared = (ours || found) && diff_note(diff, object, observed, observed_ns, left, differs);
	if (ours && !found && !entry && !shared)
		vec_push(&diff->plan->unnoted, object); /* else what is put right would count as found */
	if (again)
		recreate(diff, object, observed);
	else if (differs)
		add(diff, CHANGE_UPDATE, complete(diff, object, observed), observed, differs);
}

static bool is_absent_or_wrong(const struct diff *diff, const struct object *object, const struct object *seen) {
	return !seen || needs_recreation(object, seen, differences(diff, object, seen));
}

static void diff_object(struct diff *diff, const struct namespaces *ns, struct object *object, bool only_whole) {
	struct object *seen = ns_find(ns->observed, object);

	if (diff_waits_for_link(diff, ns->desired, object, seen))
		return;
	if (only_whole && (object->foreign || !is_absent_or_wrong(diff, object, seen)))
		return;
	if (diff_waits_for_source(diff, ns->desired, ns->observed, object))
		return;
	const char *going = seen && object->foreign && !object->gone && seen->kind->class == CLASS_LINK
				    ? diff_goes_with(diff, seen) : NULL;

	if (going)
		diff_refuse(diff, object, seen, -ENODEV,
			    arena_printf(&diff->plan->arena, "goes with the namespace '%s', which is not in the file any more: its other "
				     "end, or what it stands on, is there", going));
	else if (!seen || diff_stands_on_recreated(diff, object))
		missing(diff, ns, object, seen);
	else
		present(diff, ns->desired, ns->observed, object, seen);
	if (seen) /* after its change, which would have to wait as what fails does */
		diff_tell_left(diff, object, seen, ns->observed);
}

void diff_class(struct diff *diff, struct ns_state *observed, enum object_class class, bool only_whole) {
	struct namespaces ns = { state_find(diff->input->desired, observed->name), observed };
	const struct scope *scope = observed->scope;

	if (!ns.desired || diff_is_closed(ns.desired))
		return;
	for (size_t i = 0; scope && i < scope->n; i++) {
		struct object *object = ns_find(ns.desired, scope->objects[i]);

		if (object && object->kind->class == class && !object->change)
			diff_object(diff, &ns, object, only_whole);
	}
	if (scope)
		return;
	ns_foreach(object, ns.desired)
		if (object->kind->class == class && !object->change)
			diff_object(diff, &ns, object, only_whole);
}

/* What is not declared. */

struct vanishing {
	const struct ns_state *observed;
	bool found;
};

static void find_vanishing(void *userdata, const struct field *field, const char *ns, const char *name) {
	struct vanishing *v = userdata;
	const struct object *link = streq(ns, v->observed->name) ? ns_find_link(v->observed, name) : NULL;

	if (!(field->flags & FIELD_PEER) && link && link->change && link->change->type == CHANGE_DELETE)
		v->found = true;
}

/* Goes by itself with its link. */
static bool goes_along(const struct ns_state *observed, const struct object *object) {
	struct vanishing v = { .observed = observed };

	if (object->kind->class != CLASS_LINK)
		object_links(object, find_vanishing, &v);
	return v.found;
}

/* Does the update give the link another controller, or none? */
static bool changes_controller(const struct change *change) {
	for (uint64_t left = change->fields; left; left &= left - 1) {
		const struct field *field = &change->desired->kind->fields[__builtin_ctzll(left)];

		if (field->flags & FIELD_DEV && !(field->flags & FIELD_PEER))
			return true;
	}
	return false;
}

struct leaving {
	const struct plan *plan;
	const struct object *port;
	bool found;
};

static void find_leaving(void *userdata, const struct field *field _unused_, const char *ns _unused_, const char *name) {
	struct leaving *leaving = userdata;
	_cleanup_text_ struct text scope = {}, other = {};

	text_addf(&scope, "%s/%s", leaving->port->ns, name);
	vec_foreach(at, &leaving->plan->changes) {
		const struct change *change = *at;

		if (change->type != CHANGE_UPDATE || change->desired->kind->class != CLASS_LINK ||
		    !streq(change->desired->ns, leaving->port->ns) || !changes_controller(change))
			continue;
		text_done(&other);
		object_print_scope(change->desired, &other);
		leaving->found |= streq(other.data, scope.data);
	}
}

/* What a port says of itself ends with its being one. */
static bool leaves_controller(const struct plan *plan, const struct object *object) {
	struct leaving leaving = { .plan = plan, .port = object };

	if (object->kind->class == CLASS_PORT)
		object_links(object, find_leaving, &leaving);
	return leaving.found;
}

static bool is_pointless(const struct diff *diff, const struct change *change) {
	const struct object *seen = change->observed;

	if (change->type != CHANGE_UPDATE || !change->desired->gone || !seen)
		return false;
	return goes_along(state_find(diff->input->observed, seen->ns), seen) || leaves_controller(diff->plan, seen);
}

void diff_pointless(struct diff *diff) {
	struct plan *plan = diff->plan;
	size_t n = 0;

	for (size_t i = 0; i < plan->changes.n; i++)
		if (!is_pointless(diff, plan->changes.items[i]))
			plan->changes.items[n++] = plan->changes.items[i];
	plan->changes.n = n;
}

bool diff_is_as_made(const struct ledger_entry *entry, const struct object *seen) {
	return (bears_mark(entry, seen) || !entry->kind->markable) && ledger_is_same(entry, seen);
}

/* A link that was made under another name, and renamed or moved since: it bears the mark, and the ledger knows its sign.
 * Another is made in its place, and nobody would ever take this one away. */
static bool is_stray(const struct diff *diff, const struct object *seen) {
	return seen->kind->class == CLASS_LINK && seen->marked && ledger_find_signed(diff->input->ledger, seen);
}

static bool to_be_deleted(struct diff *diff, const struct ns_state *desired, const struct ns_state *observed,
			  const struct object *seen) {
	const struct ledger_entry *entry;

	if (seen->change || seen->kernel_made || seen->kind->undeletable)
		return false;
	entry = ledger_find_object(diff->input->ledger, seen);
	if (entry && entry->made && diff_is_as_made(entry, seen) && !diff_is_void(entry, diff->input->ledger, observed))
		return !diff_spares(diff, entry, seen, observed);
	if (!entry && is_stray(diff, seen))
		return true;
	return desired && desired->exclusive && !diff_is_closed(desired) && seen->kind->class != CLASS_NETNS &&
	       !diff_spares(diff, NULL, seen, observed);
}

static bool outlives_namespace(const struct diff *diff, const struct object *seen) {
	const struct ledger_entry *entry = ledger_find_object(diff->input->ledger, seen);

	return seen->kind->class == CLASS_DNS || (entry && ledger_outlives_namespace(entry));
}

/* A link of ours that stands elsewhere goes before the one that is made in its place (all deletions do), which says where it was. */
static void note_moved(struct diff *diff, const struct object *seen) {
	const struct ledger_entry *entry = seen->change && is_stray(diff, seen) ? ledger_find_signed(diff->input->ledger, seen) : NULL;
	_cleanup_text_ struct text where = {};

	object_print_scope(seen, &where);
	ns_foreach(object, entry ? state_find(diff->input->desired, entry->ns) : NULL)
		if (object->change && object->change->type == CHANGE_CREATE && object_same_key(object->change->desired, object) &&
		    ledger_find_object(diff->input->ledger, object) == entry)
			object->change->moved = arena_strdup(&diff->plan->arena, where.data);
}

static void delete_extra(struct diff *diff, struct ns_state *observed, const struct ns_state *desired, bool links,
			 bool all_goes) {
	ns_foreach(seen, observed) {
		if ((seen->kind->class == CLASS_LINK) != links || seen->kind->class == CLASS_NETNS ||
		    (desired && ns_find(desired, seen)) || !to_be_deleted(diff, desired, observed, seen))
			continue;
		if (!goes_along(observed, seen) && (!all_goes || outlives_namespace(diff, seen)))
			add_deletion(diff, seen, noted_object(diff, seen), false);
		note_moved(diff, seen);
	}
}

void diff_extra(struct diff *diff, struct ns_state *observed) {
	const struct ns_state *desired = state_find(diff->input->desired, observed->name);
	struct object *ns = ns_self(observed);
	bool all_goes = false;

	if (desired && diff_is_closed(desired)) {
		delete_extra(diff, observed, desired, false, true); /* a file of ours lies beside the namespace */
		return;
	}
	if (ns && !(desired && ns_self(desired)) && to_be_deleted(diff, desired, observed, ns)) {
		add_deletion(diff, ns, NULL, false);
		all_goes = true;
	}
	delete_extra(diff, observed, desired, true, all_goes);
	delete_extra(diff, observed, desired, false, all_goes);
}
