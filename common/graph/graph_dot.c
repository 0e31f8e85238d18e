/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A graph in Graphviz' language: a cluster for each namespace, a box for each link, one for its notes.
 *
 *     other end of a pair       a thick line
 *     port of                   a thin line to the controller
 *     made on                   a dashed arrow to the lower link
 *     outer packets travel in   a dotted arrow to that namespace
 *
 * Layers would put many namespaces into one row or column that fits no screen. So each namespace of a large graph is one
 * box, which lists its links with an address or a kind, and linked boxes attract each other (sfdp).
 */
#include "graph/graph.h"

enum { LAYERS_MAX = 40 }; /* namespaces */

static bool is_large(const struct graph *graph) {
	return graph->spaces.n > LAYERS_MAX;
}

const char *graph_dot_engine(const struct graph *graph) {
	return is_large(graph) ? "sfdp" : "dot";
}

static const char *const colors[GRAPH_N_MARKS] = {
	[GRAPH_WELL] = "#4a5568", [GRAPH_WAITS] = "#2b6cb0", [GRAPH_DRIFTED] = "#c05621", [GRAPH_FAILS] = "#c53030"
};

static const char *const fills[GRAPH_N_MARKS] = {
	[GRAPH_WELL] = "#ffffff", [GRAPH_WAITS] = "#ebf8ff", [GRAPH_DRIFTED] = "#fffaf0", [GRAPH_FAILS] = "#fff5f5"
};

/* Inside double quotes. */
static void add_quoted(const char *piece, struct text *out) {
	for (; *piece; piece++) {
		if (*piece == '"' || *piece == '\\')
			text_add(out, "\\");
		text_addn(out, piece, 1);
	}
}

/* One address per line, because boxes stand side by side. */
static void add_pieces(const char *caption, struct text *out) {
	for (const char *at = caption, *end; *at; at = *end ? end + 2 : end) {
		end = strstr(at, ", ");
		end = end ? end : at + strlen(at);
		text_add(out, "\\n");
		for (; at < end; at++) {
			const char piece[] = { *at, '\0' };

			add_quoted(piece, out);
		}
	}
}

static void add_link(const struct graph_link *link, struct text *out) {
	text_addf(out, "    n%zu [label=\"", link->id);
	add_quoted(link->name, out);
	if (*link->kind)
		text_addf(out, " (%s)", link->kind);
	add_pieces(link->caption, out);
	text_addf(out, "\", color=\"%s\", fillcolor=\"%s\"", colors[link->mark], fills[link->mark]);
	if (link->mark)
		text_addf(out, ", tooltip=\"%s\", penwidth=2", graph_mark_name(link->mark));
	text_add(out, "];\n");
}

/* Also an anchor for edges to the namespace, so there is always one. */
static void add_notes(const struct graph_space *space, struct text *out) {
	text_addf(out, "    n%zu [", space->id);
	if (!space->notes.n && space->links.n) {
		text_add(out, "style=invis, shape=point, label=\"\", width=0, height=0, fixedsize=true];\n");
		return;
	}
	text_add(out, "shape=plaintext, style=\"\", label=\"");
	vec_foreach(note, &space->notes) {
		add_quoted(*note, out);
		text_add(out, "\\l");
	}
	text_add(out, "\"];\n");
}

static void add_space(const struct graph_space *space, struct text *out) {
	text_addf(out, "  subgraph cluster%zu {\n    label=\"", space->id);
	add_quoted(space->name, out);
	text_addf(out, "\"; margin=6; color=\"%s\";\n", colors[space->mark]);
	vec_foreach(link, &space->links)
		add_link(*link, out);
	add_notes(space, out);
	text_add(out, "  }\n");
}

/* A namespace as one box. */
static void add_box(const struct graph_space *space, struct text *out) {
	enum graph_mark mark = space->mark;

	text_addf(out, "  n%zu [label=\"", space->id);
	add_quoted(space->name, out);
	text_add(out, "\\n");
	vec_foreach(link, &space->links) {
		const struct graph_link *l = *link;

		mark = MAX(mark, l->mark);
		if (!*l->kind && !*l->caption && !l->mark)
			continue;
		add_quoted(l->name, out);
		text_addf(out, *l->kind ? " (%s) " : " ", l->kind);
		add_quoted(l->caption, out);
		text_add(out, "\\l");
	}
	vec_foreach(note, &space->notes) {
		add_quoted(*note, out);
		text_add(out, "\\l");
	}
	text_addf(out, "\", color=\"%s\", fillcolor=\"%s\"", colors[mark], fills[mark]);
	if (mark)
		text_addf(out, ", tooltip=\"%s\", penwidth=2", graph_mark_name(mark));
	text_add(out, "];\n");
}

static const struct graph_space *find_space(const struct graph *graph, const char *name) {
	for (size_t i = 0; i < graph->spaces.n; i++)
		if (streq(graph->spaces.items[i]->name, name))
			return graph->spaces.items[i];
	return NULL;
}

/* Edges between boxes: links that lead to another namespace. */
static void add_box_edges(const struct graph *graph, const struct graph_link *link, struct text *out) {
	const struct graph_space *underlay = link->underlay ? find_space(graph, link->underlay) : NULL;
	size_t id = link->space->id;

	if (link->peer && link->id < link->peer->id && link->peer->space != link->space)
		text_addf(out, "  n%zu -> n%zu [dir=none, penwidth=2];\n", id, link->peer->space->id);
	if (link->lower && link->lower->space != link->space)
		text_addf(out, "  n%zu -> n%zu [style=dashed];\n", id, link->lower->space->id);
	if (underlay && underlay != link->space)
		text_addf(out, "  n%zu -> n%zu [style=dotted];\n", id, underlay->id);
}

static void add_edges(const struct graph *graph, const struct graph_link *link, struct text *out) {
	const struct graph_space *underlay = link->underlay ? find_space(graph, link->underlay) : NULL;

	if (link->peer && link->id < link->peer->id)
		text_addf(out, "  n%zu -> n%zu [dir=none, penwidth=2];\n", link->id, link->peer->id);
	if (link->controller)
		text_addf(out, "  n%zu -> n%zu [dir=none];\n", link->controller->id, link->id);
	if (link->lower)
		text_addf(out, "  n%zu -> n%zu [style=dashed];\n", link->id, link->lower->id);
	if (underlay)
		text_addf(out, "  n%zu -> n%zu [style=dotted, lhead=cluster%zu];\n", link->id, underlay->id, underlay->id);
}

void graph_dot(const struct graph *graph, struct text *out) {
	text_add(out, "digraph \"");
	add_quoted(graph->topology, out);
	text_add(out, "\" {\n");
	if (is_large(graph))
		text_add(out, "  layout=sfdp; overlap=prism; overlap_scaling=-4; splines=line; outputorder=edgesfirst;\n");
	text_add(
		out,
		"  rankdir=LR; compound=true; fontname=\"sans-serif\"; ranksep=0.7; nodesep=0.08;\n"
		"  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=10, height=0.25, margin=\"0.08,0.04\"];\n"
		"  edge [color=\"#4a5568\", arrowsize=0.6];\n"
		"  graph [style=\"rounded,filled\", fillcolor=\"#f7fafc\", fontsize=11];\n");
	vec_foreach(space, &graph->spaces)
		(is_large(graph) ? add_box : add_space)(*space, out);
	vec_foreach(space, &graph->spaces)
		vec_foreach(link, &(*space)->links)
			(is_large(graph) ? add_box_edges : add_edges)(graph, *link, out);
	text_add(out, "}\n");
}
