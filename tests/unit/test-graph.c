/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures of topologies: what is drawn, and how each format writes it. */
#include "spec-helper.h"

#include "graph/graph.h"

#define LAB                                                                                                                     \
	"topology: lab\nnamespaces:\n"                                                                                          \
	"  host: {interfaces: {br0: {kind: bridge, ports: [c1, c2], addresses: [10.0.0.1/24, \"fd00::1/64\"]}},\n"              \
	"    nat: {action: masquerade, source: 10.0.0.0/24}}\n"                                                                 \
	"  web: {interfaces: {eth0: {addresses: 10.0.0.11/24}}, routes: {to: default, via: 10.0.0.1}}\n"                        \
	"  db: {interfaces: {mv: {kind: macvlan, link: \"web:eth0\"}, gre1: {kind: gre, remote: 192.0.2.1, underlay: host}}}\n" \
	"links: [[web:eth0, host:c1], [db:eth0, host:c2]]\n"

struct drawn {
	struct read_spec spec;
	struct graph graph;
	struct text text;
};

static void drawn_done(struct drawn *drawn) {
	graph_done(&drawn->graph);
	read_spec_done(&drawn->spec);
	text_done(&drawn->text);
}
#define _drawn_ _cleanup_(drawn_done) struct drawn

static enum graph_mark mark_of(void *userdata _unused_, const struct object *object) {
	_cleanup_text_ struct text id = {};

	object_print_id(object, &id);
	return streq(text_str(&id), "web/eth0 address 10.0.0.11/24") ? GRAPH_FAILS
	       : streq(text_str(&id), "db/mv link")                  ? GRAPH_WAITS
	       : streq(text_str(&id), "host NAT table")              ? GRAPH_DRIFTED
								     : GRAPH_WELL;
}

static void draw(struct drawn *drawn, const char *text, bool marks) {
	*drawn = (struct drawn){};
	good_spec(&drawn->spec, text);
	graph_make(&drawn->graph, drawn->spec.spec.topology, &drawn->spec.spec.state,
		   marks ? &(struct graph_marks){ NULL, mark_of } : NULL);
}

static void check_text(const char *text, bool marks, struct graph_style style, const char *expected) {
	_drawn_ d;

	draw(&d, text, marks);
	graph_text(&d.graph, &style, &d.text);
	assert_string_equal(text_str(&d.text), expected);
}

static void test_tree(void **state _unused_) {
	check_text(LAB, false, (struct graph_style){ .utf8 = true },
		   "host\n"
		   "├─ br0  bridge  10.0.0.1/24, fd00::1/64\n"
		   "│  ├─ c1 ── web:eth0\n"
		   "│  └─ c2 ── db:eth0\n"
		   "└─ masquerade source 10.0.0.0/24\n"
		   "web\n"
		   "├─ eth0 ── host:c1  10.0.0.11/24\n"
		   "└─ route default via 10.0.0.1\n"
		   "db\n"
		   "├─ eth0 ── host:c2\n"
		   "├─ mv  macvlan on web:eth0\n"
		   "└─ gre1  gre by host  remote 192.0.2.1\n");
	check_text("namespaces: {}", false, (struct graph_style){}, "");
	check_text("namespaces: {a: {interfaces: {lo: {}}}}", false, (struct graph_style){}, "a\n");
	check_text("namespaces: {a: {interfaces: {lo: {addresses: 10.1.0.1/32}}}}", false, (struct graph_style){},
		   "a\n`- lo  10.1.0.1/32\n");
}

/* Stacked links are drawn below their lower link. */
static void test_stack(void **state _unused_) {
	check_text(
		"namespaces: {a: {interfaces: {v: {kind: vlan, link: d, id: 5}, w: {kind: vlan, link: v, id: 6}, d: {kind: dummy}}}}",
		false, (struct graph_style){},
		"a\n"
		"`- d  dummy\n"
		"   `- v  vlan  id 5\n"
		"      `- w  vlan  id 6\n");
}

static void test_marks(void **state _unused_) {
	check_text(LAB, true, (struct graph_style){ .color = true, .width = 30 },
		   "\033[33mhost (drifted)\033[0m\n"
		   "|- br0  bridge  10.0.0.1/24, >\n"
		   "|  |- c1 -- web:eth0\n"
		   "|  `- c2 -- db:eth0\n"
		   "`- masquerade source 10.0.0.0>\n"
		   "\033[1mweb\033[0m\n"
		   "\033[31m|- eth0 (fails) -- host:c1  1>\033[0m\n"
		   "`- route default via 10.0.0.1\n"
		   "\033[1mdb\033[0m\n"
		   "|- eth0 -- host:c2\n"
		   "\033[36m|- mv (waits)  macvlan on web>\033[0m\n"
		   "`- gre1  gre by host  remote >\n");
}

/* A cut line ends on a whole character. */
static void test_width(void **state _unused_) {
	check_text("namespaces: {a: {}, 'äöü': {}}", false, (struct graph_style){ .utf8 = true, .width = 3 }, "a\näöü\n");
	check_text("namespaces: {a: {}, 'äöüß': {}}", false, (struct graph_style){ .utf8 = true, .width = 3 }, "a\näö…\n");
}

static void test_dot(void **state _unused_) {
	_drawn_ d;

	draw(&d, LAB, true);
	graph_dot(&d.graph, &d.text);
	static const char *const parts[] = {
		"digraph \"lab\" {\n",
		"    label=\"web\"; margin=6; color=\"#4a5568\";\n",
		"[label=\"br0 (bridge)\\n10.0.0.1/24\\nfd00::1/64\", color=\"#4a5568\", fillcolor=\"#ffffff\"];\n",
		"[label=\"eth0\\n10.0.0.11/24\", color=\"#c53030\", fillcolor=\"#fff5f5\", tooltip=\"fails\", penwidth=2];\n",
		"label=\"masquerade source 10.0.0.0/24\\l\"];\n",
		"[dir=none, penwidth=2];\n",
		"[style=dashed];\n",
		"[style=dotted, lhead=cluster",
	};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!strstr(text_str(&d.text), parts[i]))
			fail_msg("missing: %s in %s", parts[i], text_str(&d.text));
}

static void test_mermaid(void **state _unused_) {
	_drawn_ d;

	draw(&d, "topology: m\nnamespaces: {a: {}, b: {}}\nlinks: [[a:x, b:y]]", false);
	graph_mermaid(&d.graph, &d.text);
	assert_string_equal(text_str(&d.text), "flowchart LR\n"
					       "  subgraph s1[\"a\"]\n"
					       "    n0[\"x\"]\n"
					       "  end\n"
					       "  subgraph s3[\"b\"]\n"
					       "    n2[\"y\"]\n"
					       "  end\n"
					       "  n0 === n2\n"
					       "  classDef waits stroke:#2b6cb0,fill:#ebf8ff\n"
					       "  classDef drifted stroke:#c05621,fill:#fffaf0\n"
					       "  classDef fails stroke:#c53030,fill:#fff5f5\n");
	text_done(&d.text);
	_drawn_ lab;
	draw(&lab, LAB, true);
	graph_mermaid(&lab.graph, &lab.text);
	assert_non_null(strstr(text_str(&lab.text), "[\"eth0<br/>10.0.0.11/24\"]:::fails\n"));
	assert_non_null(strstr(text_str(&lab.text), "-.->"));
}

static void test_json(void **state _unused_) {
	_drawn_ d;

	draw(&d, "topology: j\nnamespaces: {a: {interfaces: {x: {addresses: 10.0.0.1/24}}}, b: {}}\nlinks: [[a:x, b:y]]",
	     false);
	json_t *json = graph_json(&d.graph);
	_cleanup_free_ char *text = json_dumps(json, 0);
	json_decref(json);
	assert_string_equal(
		text,
		"{\"topology\": \"j\", \"namespaces\": [{\"namespace\": \"a\", \"state\": null, \"notes\": [], \"interfaces\": "
		"[{\"interface\": \"x\", \"kind\": \"veth\", \"caption\": \"10.0.0.1/24\", \"state\": null, \"peer\": "
		"{\"namespace\": \"b\", \"interface\": \"y\"}, \"lower\": null, \"controller\": null, \"underlay\": null}]}, "
		"{\"namespace\": \"b\", \"state\": null, \"notes\": [], \"interfaces\": [{\"interface\": \"y\", \"kind\": "
		"\"veth\", \"caption\": \"\", \"state\": null, \"peer\": {\"namespace\": \"a\", \"interface\": \"x\"}, "
		"\"lower\": null, \"controller\": null, \"underlay\": null}]}]}");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),  cmocka_unit_test(test_stack), cmocka_unit_test(test_marks),
		cmocka_unit_test(test_width), cmocka_unit_test(test_dot),   cmocka_unit_test(test_mermaid),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
