/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of objects by namespace: the desired state or the observed one.
 *
 * The set is built once; then only the notes in struct object and struct ns_state change.
 */
#pragma once

#include "model/kind.h"

/* What to scan: a namespace, or only some objects in it. */
struct scope {
	const char *ns;
	const struct object *const
		*objects; /* desired objects of the namespace whose counterparts are needed; NULL: everything */
	size_t n;
};

struct dependents_index;
struct attach; /* kind/netns.h */

struct ns_state {
	const char *name;
	struct object *objects;        /* uthash by key, in the order of adding */
	struct object *self;           /* the namespace itself, one of objects; here because it is looked up often */
	bool present;                  /* observed: the namespace exists */
	const char *obstruction;       /* observed: it does not exist and its name is taken: "a link that leads nowhere" */
	int error;                     /* observed: the scan failed, -errno; the objects are incomplete */
	unsigned n_noted;              /* observed, for the planner: how many declared objects exist and are in the ledger */
	struct ns_state *desired;      /* observed, for the planner: the desired namespace of the same name, or NULL */
	const struct scope *scope;     /* observed: what was scanned; NULL: everything */
	bool adopt, exclusive;         /* desired */
	const struct attach *attach;   /* desired: how something else makes it, and makes it again (then also adopt); NULL */
	bool required;                 /* desired, with attach: the topology is not converged without it … */
	struct position wait_position; /* … as the key `wait` says */
	bool declared;                 /* desired: named in the file (or an endpoint) */
	enum drift_policy drift;
	struct position position;
	bool unchanged;                            /* desired: as in the previous file, and nothing was left to go back */
	const struct dependents_index *dependents; /* desired: which objects depend on which link; made on first use */
	UT_hash_handle hh;
};

/* An element of a linked list of objects. */
struct object_item {
	struct object *object;
	struct object_item *next;
};

/* A zeroed state is empty. */
struct state {
	struct arena arena;
	struct ns_state *namespaces; /* uthash by name, in the order of adding */
	bool crossings_known;
	/* Desired, if crossings_known: links on a lower link of another namespace (macvlan). */
	struct object_item *crossings;
};

#define NS_HOST "host"

/* Finds the namespace, or adds an empty one. The name is copied. */
struct ns_state *state_namespace(struct state *state, const char *name);
struct ns_state *state_find(const struct state *state, const char *name);
/* Removes a namespace with all its objects. */
void state_remove(struct state *state, struct ns_state *ns);

/* May others make links in this namespace? */
static inline bool ns_is_open(const struct ns_state *ns) {
	return streq(ns->name, NS_HOST) || ns->adopt;
}

/* Adds a sealed object and returns NULL. If there is one of the same identity, returns that instead and adds
 * nothing. */
struct object *ns_add(struct ns_state *ns, struct object *object);
/* Removes it from the set (its memory stays in the arena). */
void ns_remove(struct ns_state *ns, struct object *object);

/* The object of the same identity as `like`, or NULL. */
struct object *ns_find(const struct ns_state *ns, const struct object *like);
struct object *ns_find_link(const struct ns_state *ns, const char *name);
/* The namespace itself as an object; NULL: it is the host, or does not exist. */
static inline struct object *ns_self(const struct ns_state *ns) {
	return ns ? ns->self : NULL;
}
/* What another object needs, if it is in ns; else NULL. */
struct object *ns_find_need(const struct ns_state *ns, const struct need *need);
struct object *state_find_need(const struct state *state, const struct need *need);
/* The object of a class that occurs at most once in a namespace (its nftables table); NULL. */
struct object *ns_find_only(const struct ns_state *ns, const struct class *class);

void state_done(struct state *state);

/*
 * What depends on a link, in a desired state (dependents.c). This is computed for a namespace on the first call, in time
 * proportional to the namespace, and kept; later calls take time proportional to the answer.
 */
struct dependents {
	/* What a change of the link may remove silently: its addresses, the routes through it (also those without
	 * `dev`, if an address of the link reaches the gateway), its settings and its attributes as a port. An
	 * object may occur twice. */
	const struct object_item *parts;
	/* Links and ports that are lost with it: a bridge's ports, a macvlan. Those in other namespaces are in
	 * state_crossings() instead. */
	const struct object_item *links;
	/* Routes of the namespace whose gateway is on an unknown link. */
	const struct object_item *strays;
};
struct dependents state_dependents(struct state *state, struct ns_state *ns, const char *link);
/* The namespace's objects that need objects other than links (a route its next hop), and may be lost silently with
 * them. */
const struct object_item *state_users(struct state *state, struct ns_state *ns);
/* The namespace's objects that belong to no link (a setting of `all`, a table). */
const struct object_item *state_linkless(struct state *state, struct ns_state *ns);
/* All links on a lower link of another namespace. */
const struct object_item *state_crossings(struct state *state);

#define ns_foreach(o, ns) for (struct object *o = (ns) ? (ns)->objects : NULL; o; o = o->hh.next)
#define state_foreach(ns, state) for (struct ns_state *ns = (state)->namespaces; ns; ns = ns->hh.next)
