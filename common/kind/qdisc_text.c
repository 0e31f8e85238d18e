/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The canonical text of a tree of qdiscs: a mapping of the language in one line. Unknown parts are shown as a key that the
 * language does not have, so that the text differs from all declared ones.
 */
#include <inttypes.h>

#include "kind/qdisc.h"

static void print_values(const struct field *fields, size_t n, uint64_t set, const uint64_t *values, struct text *out) {
	for (size_t i = 0; i < n; i++)
		if (set >> i & 1 && !(fields[i].flags & FIELD_LEDGER)) {
			text_addf(out, ", %s: ", fields[i].name);
			field_print(&fields[i], values, out);
		}
}

static void print_node(const struct qdisc_node *node, struct text *out);

static void print_classes(const struct qdisc_class *group, size_t n, struct text *out) {
	text_add(out, n ? ", classes: [" : "");
	for (size_t i = 0; i < n; i++) {
		const struct qdisc_class *class = &group[i];

		text_addf(out, "%s{id: %" PRIu32, i ? ", " : "", class->id);
		print_values(qdisc_class_fields, CLASS_N_OPTIONS, class->set, class->values, out);
		text_add(out, class->is_default ? ", default: true" : "");
		text_add(out, class->foreign ? ", foreign: true" : "");
		if (class->leaf) {
			text_add(out, ", qdisc: ");
			print_node(class->leaf, out);
		}
		print_classes(class->classes, class->n_classes, out);
		text_add(out, "}");
	}
	text_add(out, n ? "]" : "");
}

/* Children are numbered from 1; a gap (a class with the default qdisc) is shown as none. */
static void print_children(const struct qdisc_node *node, struct text *out) {
	uint32_t next = 1;

	text_add(out, node->n_children ? ", children: [" : "");
	for (size_t i = 0; i < node->n_children; i++) {
		text_add(out, i ? ", " : "");
		for (; next < node->children[i].minor; next++)
			text_add(out, "none, ");
		print_node(node->children[i].node, out);
		next++;
	}
	text_add(out, node->n_children ? "]" : "");
}

static void print_node(const struct qdisc_node *node, struct text *out) {
	text_addf(out, "{kind: %s", node->name);
	if (node->kind)
		print_values(node->kind->options, node->kind->n_options, node->set, node->values, out);
	text_add(out, node->foreign ? ", foreign: true" : "");
	print_children(node, out);
	print_classes(node->classes, node->n_classes, out);
	text_add(out, node->n_filters ? ", filters: [" : "");
	for (size_t i = 0; i < node->n_filters; i++) {
		text_add(out, i ? ", " : "");
		qdisc_print_filter(&node->filters[i], out);
	}
	text_add(out, node->n_filters ? "]}" : "}");
}

const char *qdisc_text(struct arena *arena, const struct qdisc_node *root) {
	_cleanup_text_ struct text out = {};

	print_node(root, &out);
	return arena_strdup(arena, text_str(&out));
}

void qdisc_print_options(const struct qdisc_node *node, struct text *out) {
	print_values(node->kind->options, node->kind->n_options, node->set, node->values, out);
}

/* Distributions. */

static void add_distributions(const struct qdisc_node *node, struct text *out);

static void add_of_classes(const struct qdisc_class *group, size_t n, struct text *out) {
	for (size_t i = 0; i < n; i++) {
		if (group[i].leaf)
			add_distributions(group[i].leaf, out);
		add_of_classes(group[i].classes, group[i].n_classes, out);
	}
}

static void add_distributions(const struct qdisc_node *node, struct text *out) {
	if (qdisc_is_netem(node) && node->set >> NETEM_JITTER & 1) {
		text_add(out, out->size ? ", " : "");
		if (node->set >> NETEM_DISTRIBUTION & 1)
			field_print(&node->kind->options[NETEM_DISTRIBUTION], node->values, out);
		else
			text_add(out, node->kind->options[NETEM_DISTRIBUTION].fallback);
	}
	for (size_t i = 0; i < node->n_children; i++)
		add_distributions(node->children[i].node, out);
	add_of_classes(node->classes, node->n_classes, out);
}

const char *qdisc_distributions(struct arena *arena, const struct qdisc_node *root) {
	_cleanup_text_ struct text out = {};

	add_distributions(root, &out);
	return out.size ? arena_strdup(arena, out.data) : NULL;
}

/* Back. */

struct qdisc_node *qdisc_from_text(struct arena *arena, const char *text) {
	struct diags quiet = {};
	struct parse p = { .arena = arena, .diags = &quiet };
	uint8_t source = diags_add_source(&quiet, (struct source_text){ .name = "", .text = text, .size = strlen(text) });
	const struct node *node = yaml_read(arena, &quiet, source);
	struct qdisc_node *root = node && !quiet.n_errors ? qdisc_read(&p, node, NULL) : NULL;

	diags_done(&quiet);
	return root;
}
