/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A graph as JSON, for programs that draw for themselves (graph.h has its shape). */
#include "graph/graph.h"

#include "report/report.h"

static json_t *place_json(const struct graph_link *link) {
	return link ? json_pack("{s:o, s:o}", "namespace", report_json_text(link->space->name), "interface",
				report_json_text(link->name))
		    : json_null();
}

static json_t *link_json(const struct graph_link *link) {
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "interface", report_json_text(link->name), "kind",
			 link->object->kind->name, "caption", report_json_text(link->caption), "state",
			 report_json_text(graph_mark_name(link->mark)), "peer", place_json(link->peer), "lower",
			 place_json(link->lower), "controller", place_json(link->controller), "underlay",
			 report_json_text(link->underlay));
}

static json_t *space_json(const struct graph_space *space) {
	json_t *links = json_array(), *notes = json_array();

	vec_foreach(link, &space->links)
		json_array_append_new(links, link_json(*link));
	vec_foreach(note, &space->notes)
		json_array_append_new(notes, report_json_text(*note));
	return json_pack("{s:o, s:o, s:o, s:o}", "namespace", report_json_text(space->name), "state",
			 report_json_text(graph_mark_name(space->mark)), "notes", notes, "interfaces", links);
}

json_t *graph_json(const struct graph *graph) {
	json_t *spaces = json_array();

	vec_foreach(space, &graph->spaces)
		json_array_append_new(spaces, space_json(*space));
	return json_pack("{s:o, s:o}", "topology", report_json_text(graph->topology), "namespaces", spaces);
}
