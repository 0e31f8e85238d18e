/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A graph as Mermaid's flowchart: a subgraph for each namespace, and edges as in Graphviz' language (graph_dot.c). */
#include "graph/graph.h"

/* Inside double quotes; '#' begins an entity. */
static void add_quoted(const char *piece, struct text *out) {
	for (; *piece; piece++)
		if (*piece == '"' || *piece == '#' || *piece == '<' || *piece == '>' || *piece == '&')
			text_addf(out, "#%d;", *piece);
		else
			text_addn(out, piece, 1);
}

static void add_link(const struct graph_link *link, struct text *out) {
	text_addf(out, "    n%zu[\"", link->id);
	add_quoted(link->name, out);
	if (*link->kind)
		text_addf(out, " (%s)", link->kind);
	if (*link->caption) {
		text_add(out, "<br/>");
		add_quoted(link->caption, out);
	}
	text_add(out, "\"]");
	if (link->mark)
		text_addf(out, ":::%s", graph_mark_name(link->mark));
	text_add(out, "\n");
}

static void add_space(const struct graph_space *space, struct text *out) {
	text_addf(out, "  subgraph s%zu[\"", space->id);
	add_quoted(space->name, out);
	text_add(out, "\"]\n");
	vec_foreach(link, &space->links)
		add_link(*link, out);
	if (space->notes.n || !space->links.n) {
		text_addf(out, "    n%zu[\"", space->id);
		vec_foreach(note, &space->notes) {
			text_add(out, note == space->notes.items ? "" : "<br/>");
			add_quoted(*note, out);
		}
		text_add(out, space->notes.n ? "\"]\n" : " \"]\n");
	}
	text_add(out, "  end\n");
	if (space->mark)
		text_addf(out, "  class s%zu %s\n", space->id, graph_mark_name(space->mark));
}

static void add_edges(const struct graph *graph, const struct graph_link *link, struct text *out) {
	if (link->peer && link->id < link->peer->id)
		text_addf(out, "  n%zu === n%zu\n", link->id, link->peer->id);
	if (link->controller)
		text_addf(out, "  n%zu --- n%zu\n", link->controller->id, link->id);
	if (link->lower)
		text_addf(out, "  n%zu -.-> n%zu\n", link->id, link->lower->id);
	vec_foreach(space, &graph->spaces)
		if (link->underlay && streq(link->underlay, (*space)->name))
			text_addf(out, "  n%zu -.-> s%zu\n", link->id, (*space)->id);
}

void graph_mermaid(const struct graph *graph, struct text *out) {
	text_add(out, "flowchart LR\n");
	vec_foreach(space, &graph->spaces)
		add_space(*space, out);
	vec_foreach(space, &graph->spaces)
		vec_foreach(link, &(*space)->links)
			add_edges(graph, *link, out);
	text_add(out, "  classDef waits stroke:#2b6cb0,fill:#ebf8ff\n"
		      "  classDef drifted stroke:#c05621,fill:#fffaf0\n"
		      "  classDef fails stroke:#c53030,fill:#fff5f5\n");
}
