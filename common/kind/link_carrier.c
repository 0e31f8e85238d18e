/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carriers: can a link send, or does it wait for something outside topod? The kernel passes a carrier on from a port to its
 * controller, and from a link to those stacked on it, a moment after the first one has it.
 */
#include "kind/link.h"
#include "model/state.h"

enum {
	CARRIER_DEPTH = 16, /* only a bound; loops are refused earlier */
};

static bool gets_carrier(const struct link *link, const struct state *state, unsigned depth);

/* A bridge gets a carrier when one of its ports forwards (br_port_state_selection()). For a port with a carrier that
 * is still disabled this is about to happen; one that listens or learns (STP) takes longer. */
static bool gets_from_port(const struct link *bridge, const struct state *state, unsigned depth) {
	ns_foreach(object, state_find(state, bridge->object.ns)) {
		const struct link *port = (const struct link *)object;

		if (object_is_link(object) && streq_ptr(port->master, bridge->name) &&
		    (port->port_state == PORT_FORWARDING || port->port_state == PORT_DISABLED) &&
		    gets_carrier(port, state, depth + 1))
			return true;
	}
	return false;
}

/* A link follows its lower link (netif_stacked_transfer_operstate()). */
static bool gets_from_below(const struct link *link, const struct state *state, unsigned depth) {
	const struct object *object = &link->object;

	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];
		const struct link_ref *ref = field_of(field, object);

		if (field->wire != WIRE_LINK || field->flags & FIELD_PEER || !object_has(object, i) || !ref->ns ||
		    !ref->name)
			continue;
		const struct ns_state *ns = state_find(state, ref->ns);
		const struct object *below = ns ? ns_find_link(ns, ref->name) : NULL;
		return below && gets_carrier((const struct link *)below, state, depth + 1);
	}
	return false;
}

static bool gets_carrier(const struct link *link, const struct state *state, unsigned depth) {
	if (!link->up || depth > CARRIER_DEPTH)
		return false;
	return !link->no_carrier || gets_from_port(link, state, depth) || gets_from_below(link, state, depth);
}

bool link_lacks_carrier(const struct link *link, const struct state *state) {
	return !gets_carrier(link, state, 0);
}

bool link_awaits_carrier(const struct state *observed, const char *ns, const char *name, const char **ret_why) {
	const struct ns_state *there = state_find(observed, ns);
	const struct link *link = there ? (const struct link *)ns_find_link(there, name) : NULL;

	*ret_why = link && link_lacks_carrier(link, observed) ? "for a carrier" : NULL;
	return link && link->up && link->no_carrier;
}
