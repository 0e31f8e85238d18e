/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A graph as a tree that fits a terminal. A namespace's links are its branches; a port is drawn below its controller, and a
 * stacked link below its lower link if that is in the same namespace. A link to another namespace shows where it leads:
 *
 *     host
 *     ├─ br-lan  bridge  10.0.0.1/24
 *     │  ├─ lan-web ── web:eth0
 *     │  └─ lan-db ── db:eth0
 *     └─ masquerade source 10.0.0.0/24
 */
#include "graph/graph.h"

struct tree {
	const struct graph *graph;
	const struct graph_style *style;
	struct text *out;
};

static const char *const colors[GRAPH_N_MARKS] = {
	[GRAPH_WAITS] = "\033[36m", [GRAPH_DRIFTED] = "\033[33m", [GRAPH_FAILS] = "\033[31m"
};

/* Adds at most `width` characters of the line; a line that is cut ends in a mark. */
static void add_cut(const struct tree *tree, const char *line) {
	unsigned cells = 0;
	const char *at = line;

	for (; tree->style->width && *at; at++)
		if ((*at & 0xc0) != 0x80 && ++cells > tree->style->width)
			break;
	if (!tree->style->width || !*at) {
		text_add(tree->out, line);
		return;
	}
	do
		at--;
	while (at > line && (*at & 0xc0) == 0x80); /* the last character makes room for the mark */
	text_addn(tree->out, line, (size_t)(at - line));
	text_add(tree->out, tree->style->utf8 ? "…" : ">");
}

static void add_line(const struct tree *tree, const char *head, const char *text, enum graph_mark mark, bool title) {
	_cleanup_text_ struct text line = {};
	const char *color = tree->style->color ? (mark ? colors[mark] : title ? "\033[1m" : NULL) : NULL;

	text_addf(&line, "%s%s", head, text);
	text_add(tree->out, color ? color : "");
	add_cut(tree, line.data);
	text_add(tree->out, color ? "\033[0m\n" : "\n");
}

/* Directly after the name, so that it is visible even if the line is cut. */
static void add_name(const char *name, enum graph_mark mark, struct text *text) {
	text_add(text, name);
	if (mark)
		text_addf(text, " (%s)", graph_mark_name(mark));
}

static void describe(const struct tree *tree, const struct graph_link *link, struct text *text) {
	add_name(link->name, link->mark, text);
	if (*link->kind)
		text_addf(text, "  %s", link->kind);
	if (link->peer)
		text_addf(text, " %s %s:%s", tree->style->utf8 ? "──" : "--", link->peer->space->name, link->peer->name);
	if (link->lower && link->lower->space != link->space)
		text_addf(text, " on %s:%s", link->lower->space->name, link->lower->name);
	if (link->underlay)
		text_addf(text, " by %s", link->underlay);
	if (*link->caption)
		text_addf(text, "  %s", link->caption);
}

static void add_branch(const struct tree *tree, const char *indent, bool last, const char *text, enum graph_mark mark) {
	_cleanup_text_ struct text head = {};

	text_addf(&head, "%s%s", indent, tree->style->utf8 ? (last ? "└─ " : "├─ ") : last ? "`- " : "|- ");
	add_line(tree, head.data, text, mark, false);
}

/* The links of a list, each with what is below it. No loop: check refuses links that are stacked in a circle. */
static void add_links(const struct tree *tree, const struct graph_link *first, const char *indent, bool last) {
	for (const struct graph_link *link = first; link; link = link->next) {
		_cleanup_text_ struct text text = {}, deeper = {};
		bool ends = last && !link->next;

		describe(tree, link, &text);
		add_branch(tree, indent, ends, text.data, link->mark);
		text_addf(&deeper, "%s%s", indent, ends ? "   " : tree->style->utf8 ? "│  " : "|  ");
		add_links(tree, link->below, deeper.data, true);
	}
}

void graph_text(const struct graph *graph, const struct graph_style *style, struct text *out) {
	const struct tree tree = { graph, style, out };

	vec_foreach(space, &graph->spaces) {
		_cleanup_text_ struct text title = {};

		add_name((*space)->name, (*space)->mark, &title);
		add_line(&tree, "", title.data, (*space)->mark, true);
		add_links(&tree, (*space)->top, "", !(*space)->notes.n);
		for (size_t i = 0; i < (*space)->notes.n; i++)
			add_branch(&tree, "", i + 1 == (*space)->notes.n, (*space)->notes.items[i], GRAPH_WELL);
	}
}
