/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of objects by namespace: what is wanted, or what was seen. Built once, then only read.
 */
#pragma once

#include "model/kind.h"

/* Where to look: a namespace, or only some things in it. */
struct scope {
	const char *ns;
	const struct object *const *objects; /* desired ones of that namespace, whose counterparts are looked for; NULL:
						whatever there is */
	size_t n;
};

struct standing;

struct ns_state {
	const char *name;
	struct object *objects;    /* uthash by key, in the order of adding */
	struct object *self;       /* the namespace itself, one of objects; asked for with each of the others */
	bool present;              /* observed: the namespace exists */
	const char *obstruction;   /* observed: it does not exist, and its name is taken: "a link that leads nowhere" */
	int error;                 /* observed: looking at it failed, -errno; what is here is not all that is there */
	unsigned n_noted;          /* observed; planner's: how many declared objects are there and in the ledger */
	struct ns_state *desired;  /* observed; planner's: the desired one of the same name, or NULL */
	const struct scope *scope; /* observed: where only some things were looked for; NULL: everything is here */
	bool adopt, exclusive;     /* desired */
	bool declared;             /* desired: named in the file (or an endpoint) */
	enum drift_policy drift;
	struct position position;
	bool unchanged;                  /* desired: as in the file before, when all that goes back had done so */
	const struct standing *standing; /* desired: what stands on which link, once that was asked for */
	UT_hash_handle hh;
};

/* An element of a list of objects. */
struct object_item {
	struct object *object;
	struct object_item *next;
};

/* Zeroed is empty. */
struct state {
	struct arena arena;
	struct ns_state *namespaces; /* uthash by name, in the order of adding */
	bool crossings_known;
	struct object_item *crossings; /* desired: links that stand on one of another namespace (macvlan), likewise */
};

#define NS_HOST "host"

/* Finds, or adds an empty one. The name is copied. */
struct ns_state *state_namespace(struct state *state, const char *name);
struct ns_state *state_find(const struct state *state, const char *name);
/* Takes a namespace of the state out of it, with all that it holds. */
void state_remove(struct state *state, struct ns_state *ns);

/* May others have made links there that the file does not declare? */
static inline bool ns_is_open(const struct ns_state *ns) {
	return streq(ns->name, NS_HOST) || ns->adopt;
}

/* Adds a sealed object; the one of the same identity where there is one already (object is then not
 * added), else NULL. */
struct object *ns_add(struct ns_state *ns, struct object *object);
/* Takes it out of the set again (its memory stays in the arena). */
void ns_remove(struct ns_state *ns, struct object *object);

/* The object of the same identity, or NULL. */
struct object *ns_find(const struct ns_state *ns, const struct object *like);
struct object *ns_find_link(const struct ns_state *ns, const char *name);
/* The namespace itself as an object; NULL for the host, or where it does not exist. */
static inline struct object *ns_self(const struct ns_state *ns) {
	return ns ? ns->self : NULL;
}
/* What another object needs, where that is in ns; NULL. */
struct object *ns_find_need(const struct ns_state *ns, const struct need *need);
struct object *state_find_need(const struct state *state, const struct need *need);
/* That of a class of which a namespace has one at most (its NAT table); NULL. */
struct object *ns_find_only(const struct ns_state *ns, const struct class *class);

void state_done(struct state *state);

/*
 * What stands on a link, of a desired state (dependents.c). It is found out for a namespace when it is first asked
 * for, in a time that grows with the namespace, and remembered: the next answer costs what it is long.
 */
struct standing_on {
	/* What a change of the link may take away silently: its addresses, the routes by it (those without `dev`, too, where
	 * an address of the link reaches the gateway), its attributes as a port, its settings. An object may be
	 * there twice. */
	const struct object_item *parts;
	/* Links and ports that are lost with it: a bridge's ports, a macvlan. Those of other namespaces are not here, but
	 * in state_crossings(). */
	const struct object_item *links;
	/* Routes of the namespace by gateways of which nobody knows the link. */
	const struct object_item *strays;
};
struct standing_on state_dependents(struct state *state, struct ns_state *ns, const char *link);
/* Its objects that need others than links (a route its next hop), and may be lost with those silently. */
const struct object_item *state_users(struct state *state, struct ns_state *ns);
/* Its objects that belong to no link (a setting of all, a table). */
const struct object_item *state_linkless(struct state *state, struct ns_state *ns);
/* Links that stand on one of another namespace, all of them. */
const struct object_item *state_crossings(struct state *state);

#define ns_foreach(o, ns) for (struct object *o = (ns) ? (ns)->objects : NULL; o; o = o->hh.next)
#define state_foreach(ns, state) for (struct ns_state *ns = (state)->namespaces; ns; ns = ns->hh.next)
