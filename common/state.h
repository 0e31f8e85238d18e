/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of objects by namespace: what is wanted, or what was seen. Built once, then only read.
 */
#pragma once

#include "kind.h"

/* Where to look: a namespace, or only some things in it. */
struct scope {
	const char *ns;
	const struct object *const *objects; /* desired ones of that namespace, whose counterparts are looked for; NULL:
						whatever there is */
	size_t n;
};

struct ns_state {
	const char *name;
	struct object *objects;      /* uthash by key, in the order of adding */
	bool present;                /* observed: the namespace exists */
	unsigned n_noted;            /* observed; planner's: how many declared objects are there and in the ledger */
	const struct scope *scope;   /* observed: where only some things were looked for; NULL: everything is here */
	bool adopt, exclusive;       /* desired */
	bool declared;               /* desired: named in the file (or an endpoint) */
	enum drift_policy drift;
	struct mark mark;
	UT_hash_handle hh;
};

/* Zeroed is empty. */
struct state {
	struct arena arena;
	struct ns_state *namespaces; /* uthash by name, in the order of adding */
};

#define NS_HOST "host"

/* Finds, or adds an empty one. The name is copied. */
struct ns_state *state_namespace(struct state *state, const char *name);
struct ns_state *state_find(const struct state *state, const char *name);

/* Adds a sealed object; the one of the same identity where there is one already (object is then not
 * added), else NULL. */
struct object *ns_add(struct ns_state *ns, struct object *object);
/* Takes it out of the set again (its memory stays in the arena). */
void ns_remove(struct ns_state *ns, struct object *object);

/* The object of the same identity, or NULL. */
struct object *ns_find(const struct ns_state *ns, const struct object *like);
struct object *ns_find_link(const struct ns_state *ns, const char *name);
/* The namespace itself as an object; NULL for the host, or where it does not exist. */
struct object *ns_self(const struct ns_state *ns);
struct object *ns_find_key(const struct ns_state *ns, const void *key, size_t size);

void state_done(struct state *state);

#define ns_foreach(o, ns) for (struct object *o = (ns) ? (ns)->objects : NULL; o; o = o->hh.next)
#define state_foreach(ns, state) \
	for (struct ns_state *ns = (state)->namespaces; ns; ns = ns->hh.next)
