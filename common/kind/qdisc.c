/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root qdisc of an interface as an object (qdisc.h), and the keys under which it is declared: `qdisc` and `impair` of an
 * interface, and `impair` of a link, which applies to both ends unless an end has its own qdisc.
 */
#include "kind/kinds.h"
#include "kind/qdisc.h"
#include "model/change.h"
#include "model/section.h"

/* The text as it is compared and recorded; shown, it may be too long. */
static bool tree_parse(struct parse *p, const struct field *field _unused_, const struct node *node, void *value) {
	const struct qdisc_node *root = qdisc_read(p, node, NULL);

	if (root)
		*(const char **)value = qdisc_text(p->arena, root);
	return root;
}

enum { SHOWN_MAX = 160 };

static void tree_print(const struct field *field _unused_, const void *value, struct text *out) {
	const char *text = *(const char *const *)value;
	size_t end = strcspn(text, ",}");

	if (strlen(text) <= SHOWN_MAX)
		text_add(out, text);
	else
		text_addf(out, "%.*s, ...}", (int)end, text);
}

static void tree_exact(const struct field *field _unused_, const void *value, struct text *out) {
	text_add(out, *(const char *const *)value);
}

static bool tree_equal(const void *a, const void *b) {
	return streq_ptr(*(const char *const *)a, *(const char *const *)b);
}

static const struct type type_tree = {
	.name = "qdisc",
	.size = sizeof(char *),
	.parse = tree_parse,
	.print = tree_print,
	.exact = tree_exact,
	.equal = tree_equal,
};

#define ROW(index, key, member, value_type, ...) \
	[index] = { .name = key, .type = value_type, .offset = offsetof(struct qdisc, member), __VA_ARGS__ }

static const struct field fields[QDISC_N_FIELDS] = {
	ROW(QDISC_DEV, "dev", dev, &type_link_name, .class = FIELD_KEY, .flags = FIELD_HIDDEN | FIELD_DEV),
	ROW(QDISC_INGRESS, "ingress", ingress, &type_bool, .class = FIELD_KEY, .flags = FIELD_HIDDEN),
	ROW(QDISC_MARK, "mark", marked, &type_bool, .flags = FIELD_HIDDEN | FIELD_ONE_WAY | FIELD_MARK, .doc = "its handle"),
	ROW(QDISC_TREE, "tree", text, &type_tree),
	/* The kernel does not show it. */
	ROW(QDISC_DISTRIBUTION, "distribution", distribution, &type_text, .flags = FIELD_HIDDEN | FIELD_LEDGER),
};

/* The sections. */

static void refuse_two(struct reading *r, const struct object *before, const struct node *node) {
	diag_error(
		r->parse.diags, node->position,
		"'qdisc' and 'impair' are both the interface's root qdisc: write 'qdisc: {kind: ..., children: [...]}' if both "
		"are needed, with {kind: netem} as one of them");
	diag_note(r->parse.diags, before->position, "first here");
}

static void declare(struct reading *r, const struct node *node, const struct qdisc_kind *impair, bool of_link) {
	struct qdisc *qdisc = (struct qdisc *)object_new(r->parse.arena, &kind_qdisc, r->ns->name);
	struct qdisc_node *root = node_is_null(node) ? NULL : qdisc_read(&r->parse, node, impair);

	if (node_is_null(node))
		diag_error(r->parse.diags, node->position, "'%s' has no value; leave the key out for the kernel's default",
			   impair ? "impair" : "qdisc");
	if (!root)
		return;
	qdisc->object.position = node->position;
	qdisc->object.drift = r->drift;
	qdisc->dev = object_home_link(r->link);
	qdisc->root = root;
	qdisc->text = qdisc_text(r->parse.arena, root);
	qdisc->distribution = qdisc_distributions(r->parse.arena, root);
	qdisc->marked = true;
	qdisc->of_link = of_link;
	qdisc->object.set = (field_bit(QDISC_N_FIELDS) - 1) & ~(qdisc->distribution ? 0 : field_bit(QDISC_DISTRIBUTION));
	object_seal(r->parse.arena, &qdisc->object);
	struct object *before = ns_find(r->ns, &qdisc->object);
	bool replaces = before && !of_link && ((struct qdisc *)before)->of_link;
	if (replaces)
		ns_remove(r->ns, before);
	else if (before && !of_link) {
		refuse_two(r, before, node);
		return;
	}
	reading_add(r, r->ns, &qdisc->object);
}

static void read_qdisc(struct reading *r, const struct section *section _unused_, const struct node *node) {
	declare(r, node, NULL, false);
}

static void read_impair(struct reading *r, const struct section *section, const struct node *node) {
	declare(r, node, qdisc_find_kind("netem"), section->place == SECTION_LINK);
}

/* For an export. */

static const struct qdisc *find_of(const struct ns_state *seen, const char *link) {
	ns_foreach(object, seen)
		if (object->kind == &kind_qdisc && streq(((const struct qdisc *)object)->dev, link))
			return (const struct qdisc *)object;
	return NULL;
}

/* The tree that the text describes; NULL: the language cannot express it. */
static const struct qdisc_node *tree_of(struct arena *arena, const struct qdisc *qdisc) {
	struct qdisc_node *root = qdisc_from_text(arena, qdisc->text);

	return root && streq(qdisc_text(arena, root), qdisc->text) ? root : NULL;
}

/* A netem without children is an impairment, and has the distribution that the ledger knows. */
static bool print_impairment(const struct qdisc *qdisc, struct text *out) {
	_cleanup_(arena_done) struct arena arena = {};
	const struct qdisc_node *root = tree_of(&arena, qdisc);
	_cleanup_text_ struct text options = {};

	if (!root || !qdisc_is_netem(root) || root->n_children || !root->set)
		return false;
	qdisc_print_options(root, &options);
	text_addf(out, "{%s", options.data + strlen(", "));
	if (qdisc->distribution && !streq(qdisc->distribution, root->kind->options[NETEM_DISTRIBUTION].fallback))
		text_addf(out, ", distribution: %s", qdisc->distribution);
	text_add(out, "}");
	return true;
}

static void print_impair(const struct ns_state *seen, const char *link, struct text *out) {
	const struct qdisc *qdisc = find_of(seen, link);

	if (qdisc)
		(void)print_impairment(qdisc, out);
}

static void print_qdisc(const struct ns_state *seen, const char *link, struct text *out) {
	_cleanup_(arena_done) struct arena arena = {};
	const struct qdisc *qdisc = find_of(seen, link);
	_cleanup_text_ struct text impairment = {};

	if (qdisc && tree_of(&arena, qdisc) && !print_impairment(qdisc, &impairment))
		text_add(out, qdisc->text);
}

static const char *left_out(struct arena *arena, const struct object *observed) {
	const struct qdisc *qdisc = (const struct qdisc *)observed;

	return tree_of(arena, qdisc)
		       ? NULL
		       : arena_printf(arena, "of %s left out: `tc qdisc show dev %s` shows it", qdisc->dev, qdisc->dev);
}

static const struct section sections[] = {
	{ .key = "qdisc",
	  .place = SECTION_INTERFACE,
	  .shape = SECTION_MAPPING,
	  .mapping = &qdisc_mapping,
	  .value = "[qdisc](#qdisc)",
	  .doc = "The queueing discipline: which packets leave the interface, and when.",
	  .print = print_qdisc,
	  .read = read_qdisc },
	{ .key = "impair",
	  .place = SECTION_INTERFACE,
	  .shape = SECTION_MAPPING,
	  .mapping = &impair_mapping,
	  .value = "[impairment](#impair)",
	  .doc = "Delay, loss and other faults of outgoing packets, as a `qdisc` of the kind netem.",
	  .print = print_impair,
	  .read = read_impair },
	{ .key = "impair",
	  .place = SECTION_LINK,
	  .shape = SECTION_MAPPING,
	  .mapping = &impair_mapping,
	  .value = "[impairment](#impair)",
	  .doc = "Delay, loss and other faults, in each direction. An end with its own `qdisc` or `impair` has only that.",
	  .print = print_impair,
	  .read = read_impair },
	{ .key = "police",
	  .place = SECTION_INTERFACE,
	  .shape = SECTION_MAPPING,
	  .mapping = &police_mapping,
	  .value = "[policer](#police)",
	  .doc = "A limit for incoming packets." },
	{},
};

static void noun(const struct object *object _unused_, struct text *out) {
	text_add(out, "qdisc");
}

static const char *if_in_the_way(const struct object *observed _unused_) {
	return "exists and is not topod's: remove it (`tc qdisc del dev NAME root`), or take it over with 'adopt: true' on the "
	       "namespace";
}

/* The qdisc at this place of the file. */
static const struct qdisc_node *find_at(const struct qdisc_node *node, struct position position);

static const struct qdisc_node *find_in_classes(const struct qdisc_class *list, size_t n, struct position position) {
	const struct qdisc_node *found = NULL;

	for (size_t i = 0; i < n && !found; i++) {
		found = list[i].leaf ? find_at(list[i].leaf, position) : NULL;
		found = found ? found : find_in_classes(list[i].classes, list[i].n_classes, position);
	}
	return found;
}

static const struct qdisc_node *find_at(const struct qdisc_node *node, struct position position) {
	const struct qdisc_node *found = position_same(&node->position, &position) ? node : NULL;

	for (size_t i = 0; i < node->n_children && !found; i++)
		found = find_at(node->children[i].node, position);
	return found ? found : find_in_classes(node->classes, node->n_classes, position);
}

/* The words of qdisc_create(), tcf_proto_lookup_ops() and tc_action_load_ops() in the kernel. */
static void explain(struct arena *arena, struct change *change) {
	const struct qdisc *qdisc = (const struct qdisc *)change->desired;
	const struct qdisc_node *node = qdisc->root ? find_at(qdisc->root, change->position) : NULL;

	if (change->error != -ENOENT || !change->text)
		return;
	if (node && startswith(change->text, "Specified qdisc"))
		change->text = arena_printf(arena, "this kernel has no '%s' queueing discipline", node->name);
	else if (startswith(change->text, "TC classifier not found"))
		change->text = "this kernel lacks the classifier that the filter needs (u32, or fw for a mark)";
	else
		return;
	change->error = -EOPNOTSUPP; /* not -ENOENT: no object has disappeared */
}

const char *qdisc_lacking(struct arena *arena, const struct refusal *refusal, const char **ret_module) {
	const struct nlattr *tb[TCA_KIND + 1];
	const char *name, *text = refusal->text ? refusal->text : "";

	nl_parse(refusal->message, sizeof(struct tcmsg), tb, TCA_KIND);
	name = nl_get_text(tb[TCA_KIND]);
	if (refusal->error != -ENOENT || !name)
		return NULL;
	if (startswith(text, "Specified qdisc")) {
		*ret_module = arena_printf(arena, "sch_%s", name);
		return arena_printf(arena, "'%s' queueing discipline", name);
	}
	if (startswith(text, "TC classifier not found")) {
		*ret_module = arena_printf(arena, "cls_%s", name);
		return arena_printf(arena, "'%s' classifier", name);
	}
	if (!startswith(text, "Failed to load TC action module") && !startswith(text, "Specified TC action"))
		return NULL;
	*ret_module = "act_police";
	return "'police' action";
}

const struct class class_qdisc = {
	.sections = sections,
	.name = "qdisc",
	.plural = "qdiscs",
	.source = &source_qdisc,
	.part_of = &class_link,
};

const struct kind kind_qdisc = {
	.name = "qdisc",
	.class = &class_qdisc,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct qdisc),
	.fields = fields,
	.n_fields = QDISC_N_FIELDS,
	.markable = true,
	.encode = qdisc_encode,
	.lacking = qdisc_lacking,
	.explain = explain,
	.noun = noun,
	.left_out = left_out,
	.if_in_the_way = if_in_the_way,
};
