/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References to links and namespaces, and links that are said to be there already.
 *
 * In a namespace that topod makes there is nothing but what the file declares. In the host's and in an adopted one there
 * may be anything, so a reference that only uses a link (a route's `dev`, an interface of NAT) may name what the file
 * does not. One that changes the link may not: a container's eth0 and the machine's own have the same name, and
 * taken for a port, the machine's own cuts the machine off.
 */
#include "kind/physical.h"
#include "kind/route.h"
#include "language/spec_check.h"

/* The link of this namespace whose other end has that name: rather one that is no port yet. */
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

static const char *find_similar(const struct ns_state *ns, const char *name) {
	const char *names[256];
	size_t n = 0;

	ns_foreach(object, ns)
		if (object_is_link(object) && n < ARRAY_SIZE(names))
			names[n++] = ((const struct link *)object)->name;
	return diag_suggest(name, names, n);
}

/* "; did you mean …?", or "". What is looked for in the whole namespace is only worth it for what is shown. */
static const char *suggest_link(struct reading *r, const struct ns_state *ns, const char *name, bool by_spelling) {
	if (r->parse.diags->n_errors >= DIAGS_MAX || r->parse.diags->n_warnings >= DIAGS_MAX)
		return "";
	const struct object *end = find_near_end(ns, name);
	if (end)
		return arena_printf(r->parse.arena, "; did you mean %s, %s's end of %s:%s?",
				    ((const struct link *)end)->name, streq(ns->name, NS_HOST) ? "the host" : ns->name,
				    end->twin->ns, name);
	const char *near = by_spelling ? find_similar(ns, name) : NULL;
	return near ? arena_printf(r->parse.arena, "; did you mean '%s'?", near) : "";
}

static void missing_link(struct reading *r, const struct ns_state *ns, const char *name, struct position position) {
	const char *meant = suggest_link(r, ns, name, true);

	if (!check_is_open(ns))
		diag_error(r->parse.diags, position, "there is no interface '%s' in %s%s", name, ns->name, meant);
	else
		diag_error(r->parse.diags, position,
			   "no entry declares the interface '%s' in %s%s%s To use an existing one, write '%s: "
			   "{kind: existing}' under its 'interfaces'",
			   name, ns->name, meant, *meant ? "" : ".", name);
}

/* A setting names its interface as the kernel does, which is as clear as an entry, unless another was likely meant. */
static void doubt_setting(struct reading *r, const struct ns_state *ns, const char *name, struct position position) {
	const char *meant = suggest_link(r, ns, name, false);

	if (*meant)
		diag_warning(r->parse.diags, position, "this changes the interface '%s' of %s, which no entry declares%s",
			     name, ns->name, meant);
}

static void check_reference(struct reading *r, const struct object *object, const struct field *field, const char *ns_name,
			    const char *name) {
	struct position position = object_position(object, field);
	const struct ns_state *ns = state_find(&r->spec->state, ns_name);

	if (!ns)
		diag_error(r->parse.diags, position, "there is no namespace '%s'", ns_name);
	else if (ns_find_link(ns, name) || streq(name, "lo")) /* which is everywhere */
		return;
	else if (!check_is_open(ns) || !(field->flags & FIELD_USES))
		missing_link(r, ns, name, position);
	else if (object->kind->class->single_value)
		doubt_setting(r, ns, name, position);
}

static void check_nexthops(struct reading *r, const struct object *object) {
	const struct route *route = (const struct route *)object;

	for (size_t i = 0; i < route->nexthops.n; i++)
		if (route->nexthops.items[i].dev)
			check_reference(r, object, &object->kind->fields[ROUTE_NEXTHOPS], object->ns,
					route->nexthops.items[i].dev);
}

/* Do they differ in their number alone? eth1 beside eth0 is no slip. */
static bool same_stem(const char *a, const char *b) {
	size_t n = strcspn(a, "0123456789");

	return n == strcspn(b, "0123456789") && strncmp(a, b, n) == 0;
}

/* Somebody else may move it in, a VPN say: until then it waits. Or another name was meant. */
static void check_awaited(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const char *name = ((const struct link *)object)->name, *names[256], *near;
	size_t n = 0;

	ns_foreach(other, ns)
		if (object_is_link(other) && !other->awaited && n < ARRAY_SIZE(names))
			names[n++] = ((const struct link *)other)->name;
	near = diag_suggest(name, names, n);
	if (near && !same_stem(near, name))
		diag_warning(
			r->parse.diags, object->position,
			"nothing in the file makes %s: it waits until something else moves it in; or did you mean '%s'?",
			name, near);
}

/* In a namespace that topod makes there are links that exist by themselves only where others move them in. */
static void check_existing(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const struct link *link = (const struct link *)object;

	if (!object->external || streq(link->name, "lo"))
		return;
	if (object->awaited)
		check_awaited(r, ns, object);
	else if (object->implied)
		diag_error(r->parse.diags, object->position, "%s needs a 'kind': it is not an end of a link%s", link->name,
			   check_is_open(ns) ? " (write 'kind: existing' if it already exists)"
					     : " (write 'kind: existing' if something else moves it in)");
	else if (!check_is_open(ns))
		diag_error(r->parse.diags, object->position,
			   "there is no interface '%s' in %s: topod makes that namespace, and nothing in the file makes "
			   "the interface",
			   link->name, ns->name);
}

static void check_made(struct reading *r, const struct object *object) {
	const struct link *link = (const struct link *)object;

	if (!object->external && streq(link->name, "lo"))
		diag_error(r->parse.diags, object->position, "'lo' exists in every namespace and cannot be created");
	if (object->kind == &kind_physical && streq(object->ns, NS_HOST))
		diag_error(r->parse.diags, object->position,
			   "a physical interface is moved out of the host namespace; for one that stays there write "
			   "'kind: existing'");
}

/* An interface of the host that is moved does not stay there. */
static void check_source(struct reading *r, const struct object *object) {
	const struct physical *physical = (const struct physical *)object;
	struct mac mac;
	bool by_mac = physical->source && mac_parse(physical->source, &mac) == 0;
	const struct ns_state *host = physical->source ? state_find(&r->spec->state, NS_HOST) : NULL;

	ns_foreach(other, host) {
		const struct link *link = (const struct link *)other;

		if (!object_is_link(other) || (by_mac ? !object_has(other, LINK_MAC) || memcmp(&link->mac, &mac, sizeof(mac))
						      : !streq(link->name, physical->source)))
			continue;
		diag_error(r->parse.diags, object_position(object, &object->kind->fields[PHYSICAL_SOURCE]), "%s %s",
			   physical->source,
			   other->external ? "cannot be declared in the host namespace and moved out of it"
					   : "is made by this file; 'source' is for an interface that the machine has");
		diag_note(r->parse.diags, other->position, "it is declared here");
	}
}

static void check_object(struct reading *r, const struct ns_state *ns, const struct object *object) {
	object_foreach_need(need, object)
		if (need.name)
			check_reference(r, object, need.field, need.ns, need.name);
	if (object->kind == &kind_route)
		check_nexthops(r, object);
	if (object_is_link(object)) {
		check_existing(r, ns, object);
		check_made(r, object);
	}
	if (object->kind == &kind_physical)
		check_source(r, object);
}

/* Ports that no link was found for while the sections were read: by now all links are known, and which are ports. */
static void check_missing_ports(struct reading *r) {
	for (const struct missing_port *missing = r->missing_ports; missing; missing = missing->next)
		missing_link(r, missing->ns, missing->name, missing->position);
}

const struct check check_references = { .object = check_object, .whole = check_missing_ports };
