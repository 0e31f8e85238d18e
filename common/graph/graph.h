/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a picture of a topology shows: namespaces with their links, which link leads where, and what is said beside them
 * (addresses, default routes, the entries of tables).
 *
 *     host ─┬─ br-lan bridge 10.0.0.1/24        a space, its links, their captions
 *           └─ masquerade source 10.0.0.0/24    a note
 *
 * A graph refers to the state and the topology's name, which must outlive it. It is a function of its arguments.
 */
#pragma once

#include <jansson.h>

#include "base/vec.h"
#include "model/state.h"

/* The state of an object in a running topology; of several, the largest counts. */
enum graph_mark {
	GRAPH_WELL,
	GRAPH_WAITS,
	GRAPH_DRIFTED,
	GRAPH_FAILS,
	GRAPH_N_MARKS,
};

/* "waits"; NULL for GRAPH_WELL. */
const char *graph_mark_name(enum graph_mark mark);

struct graph_marks {
	void *userdata;
	enum graph_mark (*of)(void *userdata, const struct object *object);
};

struct graph_link {
	const struct object *object;
	const char *name, *kind;       /* kind: "" if it would add nothing (the end of a pair) */
	const char *caption;           /* addresses and what identifies it ("id 5"); "" */
	struct graph_link *peer;       /* the other end of a pair */
	struct graph_link *lower;      /* what it is made on */
	struct graph_link *controller; /* the bridge, bond or VRF that it is a port of */
	const char *underlay;          /* the namespace in which its outer packets travel; NULL: its own */
	/* Drawn below it (first, then its siblings by `next`): its ports, and what is made on it in the same namespace. */
	struct graph_link *below, *next;
	struct graph_space *space;
	size_t id; /* unique in the graph */
	enum graph_mark mark;
};

struct graph_space {
	const char *name;
	vec(struct graph_link *) links;
	struct graph_link *top;  /* the first of those that are not drawn below another one */
	vec(const char *) notes; /* "default via 10.0.0.1"; the entries of tables */
	size_t id;
	enum graph_mark mark; /* of the namespace itself and of what belongs to no link */
};

struct graph {
	const char *topology;
	struct arena arena;
	vec(struct graph_space *) spaces; /* with something in it, in the order of the file */
};

/* Zeroes and fills ret; graph_done() frees it. marks NULL: the topology is not running. */
void graph_make(struct graph *ret, const char *topology, const struct state *state, const struct graph_marks *marks);
void graph_done(struct graph *graph);
#define _cleanup_graph_ _cleanup_(graph_done)

struct graph_style {
	bool color, utf8;
	unsigned width; /* cells of a line, longer ones are cut; 0: no limit */
};

/* A tree. */
void graph_text(const struct graph *graph, const struct graph_style *style, struct text *out);
/* Graphviz' language (dot(1)): a cluster for each namespace, or only a box if there are many. */
void graph_dot(const struct graph *graph, struct text *out);
/* The engine of Graphviz for that text. */
const char *graph_dot_engine(const struct graph *graph);
/* Mermaid's flowchart, which Markdown pages of code hosters show. */
void graph_mermaid(const struct graph *graph, struct text *out);
/* {"topology", "namespaces": [{"namespace", "state", "notes": [TEXT], "interfaces": [{"interface", "kind", "caption", "state",
 *  "peer", "lower", "controller": {"namespace", "interface"} or null, "underlay": NAME or null}]}]}; "state" is null, "waits",
 * "drifted" or "fails". */
json_t *graph_json(const struct graph *graph);
