/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References to links and namespaces, and links that are declared as existing.
 *
 * A namespace that topod makes contains only what the file declares. The host's namespace and an adopted one may
 * contain anything, so a reference that only uses a link (a route's `dev`, an interface of NAT) may name an undeclared
 * one there. A reference that changes the link may not: a container's eth0 and the machine's own have the same name,
 * and making the machine's own a port would cut the machine off.
 */
#include "language/spec_check.h"

/* A link in this namespace whose other end has this name; preferably one that is not a port yet. */
static const struct object *find_near_end(const struct ns_state *ns, const char *far_name) {
	const struct object *found = NULL;

	ns_foreach(object, ns) {
		if (!object->twin || !streq(((const struct link *)object->twin)->name, far_name))
			continue;
		if (!object_has(object, LINK_MASTER))
			return object;
		found = found ? found : object;
	}
	return found;
}

/* "; did you mean …?", or "". The search goes through the whole namespace, so it is done only for messages that will
 * be shown. */
static const char *suggest_link(struct reading *r, const struct ns_state *ns, const char *name, bool by_spelling) {
	if (r->parse.diags->n_errors >= DIAGS_MAX || r->parse.diags->n_warnings >= DIAGS_MAX)
		return "";
	const struct object *end = find_near_end(ns, name);
	if (end)
		return arena_printf(r->parse.arena, "; did you mean %s, %s's end of %s:%s?",
				    ((const struct link *)end)->name, streq(ns->name, NS_HOST) ? "the host" : ns->name,
				    end->twin->ns, name);
	struct suggestion near = suggest_for(name);
	ns_foreach(object, by_spelling ? ns : NULL)
		if (object_is_link(object))
			suggest(&near, ((const struct link *)object)->name);
	return near.near ? arena_printf(r->parse.arena, "; did you mean '%s'?", near.near) : "";
}

static void missing_link(struct reading *r, const struct ns_state *ns, const char *name, struct position position) {
	const char *meant = suggest_link(r, ns, name, true);

	if (!ns_is_open(ns))
		diag_error(r->parse.diags, position, "there is no interface '%s' in %s%s", name, ns->name, meant);
	else
		diag_error(r->parse.diags, position,
			   "no entry declares the interface '%s' in %s%s%s To use an existing one, write '%s: "
			   "{kind: existing}' under its 'interfaces'",
			   name, ns->name, meant, *meant ? "" : ".", name);
}

/* A setting names its interface in the kernel's words, which is as clear as an entry; warns only if another
 * interface was probably meant. */
static void check_setting(struct reading *r, const struct ns_state *ns, const char *name, struct position position) {
	const char *meant = suggest_link(r, ns, name, false);

	if (*meant)
		diag_warning(r->parse.diags, position, "this changes the interface '%s' of %s, which no entry declares%s",
			     name, ns->name, meant);
}

static void check_reference(struct reading *r, const struct object *object, const struct field *field, const char *ns_name,
			    const char *name) {
	struct position position = object_position(object, field);
	const struct ns_state *ns = state_find(r->state, ns_name);

	if (!ns)
		diag_error(r->parse.diags, position, "there is no namespace '%s'", ns_name);
	else if (ns_find_link(ns, name) || streq(name, "lo")) /* every namespace has it */
		return;
	else if (!ns_is_open(ns) || !(field->flags & FIELD_USES))
		missing_link(r, ns, name, position);
	else if (object->kind->class->single_value)
		check_setting(r, ns, name, position);
}

/* Checks links that are named inside a value, such as the next hops of a route. */
static void check_inner(struct reading *r, const struct object *object) {
	for (uint64_t left = object->set; left; left &= left - 1) {
		const struct field *field = &object->kind->fields[__builtin_ctzll(left)];
		const char *dev;

		for (size_t i = 0; field->type->names_link && field->type->names_link(field_of(field, object), i, &dev); i++)
			if (dev)
				check_reference(r, object, field, object->ns, dev);
	}
}

/* Checks objects that are named by number only: next hops. */
static void check_number(struct reading *r, const struct ns_state *ns, const struct object *object,
			 const struct need *need) {
	_cleanup_text_ struct text number = {};

	if (ns_is_open(ns) || ns_find_need(ns, need))
		return;
	type_integer.print(need->field, need->key, &number);
	diag_error(r->parse.diags, object_position(object, need->field), "there is no %s %s in %s", need->class->name,
		   text_str(&number), ns->name);
}

/* Do the names differ only in their number? eth1 beside eth0 is probably not a typing mistake. */
static bool same_stem(const char *a, const char *b) {
	size_t n = strcspn(a, "0123456789");

	return n == strcspn(b, "0123456789") && strncmp(a, b, n) == 0;
}

/* topod waits until somebody else, such as a VPN, moves the interface in; but perhaps another name was meant. */
static void check_awaited(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const char *name = ((const struct link *)object)->name;
	struct suggestion meant = suggest_for(name);

	ns_foreach(other, ns)
		if (object_is_link(other) && !other->awaited)
			suggest(&meant, ((const struct link *)other)->name);
	if (meant.near && !same_stem(meant.near, name))
		diag_warning(
			r->parse.diags, object->position,
			"nothing in the file makes %s: it waits until something else moves it in; or did you mean '%s'?",
			name, meant.near);
}

/* A namespace that topod makes has an `existing` link only if others move it in. */
static void check_existing(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const struct link *link = (const struct link *)object;

	if (!object->external || streq(link->name, "lo"))
		return;
	if (object->awaited)
		check_awaited(r, ns, object);
	else if (object->implied)
		diag_error(r->parse.diags, object->position, "%s needs a 'kind': it is not an end of a link%s", link->name,
			   ns_is_open(ns) ? " (write 'kind: existing' if it already exists)"
					  : " (write 'kind: existing' if something else moves it in)");
	else if (!ns_is_open(ns))
		diag_error(r->parse.diags, object->position,
			   "there is no interface '%s' in %s: topod makes that namespace, and nothing in the file makes "
			   "the interface",
			   link->name, ns->name);
}

static void check_made(struct reading *r, const struct object *object) {
	const struct link *link = (const struct link *)object;

	if (!object->external && streq(link->name, "lo"))
		diag_error(r->parse.diags, object->position, "'lo' exists in every namespace and cannot be created");
}

/* The namespace in which a tunnel's outer packets travel, and the interface by which they leave it. */
static void check_underlay(struct reading *r, const struct object *object) {
	const struct need lower = object_lower(object);

	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];
		const struct link_ref *ref = field_of(field, object);

		if (!(field->flags & FIELD_UNDERLAY) || !object_has(object, i))
			continue;
		const char *ns = ref->ns ? ref->ns : object->ns;
		if (!state_find(r->state, ns))
			diag_error(r->parse.diags, object_position(object, field), "there is no namespace '%s'", ns);
		else if (lower.field && !streq(lower.ns, ns))
			diag_error(r->parse.diags, object_position(object, lower.field),
				   "this is an interface of %s, but 'underlay' is %s: write '%s: %s:INTERFACE', and leave "
				   "'underlay' out",
				   lower.ns, ns, lower.field->name, ns);
	}
}

static void check_object(struct reading *r, const struct ns_state *ns, const struct object *object) {
	object_foreach_need(need, object)
		if (need.name)
			check_reference(r, object, need.field, need.ns, need.name);
		else
			check_number(r, ns, object, &need);
	check_inner(r, object);
	if (object_is_link(object))
		check_underlay(r, object);
	if (object_is_link(object)) {
		check_existing(r, ns, object);
		check_made(r, object);
	}
}

/* Reports ports whose link was not found while sections were read, now that all links are known. */
static void check_missing_links(struct reading *r) {
	for (const struct missing_link *missing = r->missing_links; missing; missing = missing->next)
		missing_link(r, missing->ns, missing->name, missing->position);
}

const struct check check_references = { .object = check_object, .whole = check_missing_links };
