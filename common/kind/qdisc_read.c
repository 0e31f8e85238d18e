/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a tree of qdiscs from the file: the keys of each kind, and checks of the whole tree.
 */
#include <inttypes.h>

#include "kind/qdisc.h"
#include "model/section.h"

struct reader {
	struct parse *p;
	unsigned depth;
};

static struct qdisc_node *read_node(struct reader *r, const struct node *node, const struct qdisc_kind *kind, bool root);

/* Words that people write as a kind, and what to write instead. */
static const char *instead(const char *kind) {
	static const struct {
		const char *kind, *instead;
	} words[] = {
		{ "ingress", "incoming traffic is limited by 'police: {rate: 10mbit, burst: 100k}' on the interface" },
		{ "clsact", "incoming traffic is limited by 'police: {rate: 10mbit, burst: 100k}' on the interface" },
		{ "police", "'police' is a key of the interface: police: {rate: 10mbit, burst: 100k}" },
		{ "pfifo_fast", "this is what the kernel uses by itself; leave 'qdisc' out, or write 'pfifo' or 'prio'" },
		{ "default", "leave 'qdisc' out for the kernel's default" },
		{ "none", "write 'noqueue' for no queue at all, or leave 'qdisc' out for the kernel's default" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(words[i].kind, kind))
			return words[i].instead;
	return NULL;
}

static const struct field key_kind = { .name = "kind", .type = &type_text };

static const struct qdisc_kind *read_kind(struct parse *p, const struct node *node) {
	const char *text = parse_scalar(p, &key_kind, node);
	const struct qdisc_kind *kind = text ? qdisc_find_kind(text) : NULL;
	_cleanup_text_ struct text otherwise = {};

	if (!text || kind)
		return kind;
	if (instead(text)) {
		diag_error(p->diags, node->position, "'%s' is not a kind of qdisc here: %s", text, instead(text));
		return NULL;
	}
	struct suggestion near = suggest_for(text);
	text_add(&otherwise, "it is one of: ");
	for (const struct qdisc_kind *const *k = qdisc_kinds; *k; k++) {
		text_addf(&otherwise, "%s%s", k == qdisc_kinds ? "" : ", ", (*k)->name);
		suggest(&near, (*k)->name);
	}
	diag_unknown(p->diags, node->position, &near, otherwise.data, "unknown kind of qdisc '%s'", text);
	return NULL;
}

/* The items of a list, or a single item without brackets. */
struct items {
	size_t n;
	const struct node *const *items;
	const struct node *one;
};

static struct items items_of(struct parse *p, const char *key, const struct node *node) {
	if (!node || node_is_null(node))
		return (struct items){};
	if (node->type == NODE_SEQUENCE)
		return (struct items){ .n = node->n, .items = node->items };
	if (node->type == NODE_MAPPING)
		return (struct items){ .n = 1, .one = node };
	diag_error(p->diags, node->position, "'%s' takes a list, not a string", key);
	return (struct items){};
}

static const struct node *item(const struct items *items, size_t i) {
	return items->one ? items->one : items->items[i];
}

/* Children. */

static void read_children(struct reader *r, struct qdisc_node *node, const struct node *list) {
	struct items items = items_of(r->p, "children", list);

	if (items.n > node->kind->max_children) {
		diag_error(r->p->diags, list->position,
			   node->kind->max_children ? "%s has at most %u children" : "%s has no children", node->kind->name,
			   node->kind->max_children);
		return;
	}
	node->children = arena_newn(r->p->arena, struct qdisc_child, items.n);
	for (size_t i = 0; i < items.n; i++) {
		const struct node *at = item(&items, i);

		if (node_is_null(at) || (at->type == NODE_SCALAR && streq(at->text, "none")))
			continue;
		struct qdisc_node *child = read_node(r, at, NULL, false);
		if (child)
			node->children[node->n_children++] = (struct qdisc_child){ (uint32_t)i + 1, child };
	}
}

/* Classes. */

enum { C_ID, C_DEFAULT, C_QDISC, C_CLASSES };
static const char *const class_keys[] = { "id", "default", "qdisc", "classes", NULL };

static bool read_id(struct parse *p, const struct node *mapping, const struct node *node, uint32_t *ret) {
	uint32_t minor;
	const char *colon = node && node->type == NODE_SCALAR ? strchr(node->text, ':') : NULL;

	if (!node) {
		diag_error(p->diags, mapping->position,
			   "a class needs 'id', a number that no other class of this qdisc has");
		return false;
	}
	if (colon && parse_u32(arena_printf(p->arena, "0x%s", colon + 1), &minor) == 0) {
		diag_error(p->diags, node->position,
			   "'id' is only the number of the class, in decimal: for tc's %s write %" PRIu32, node->text,
			   minor);
		return false;
	}
	return qdisc_class_id.type->parse(p, &qdisc_class_id, node, ret);
}

static void check_class(struct parse *p, struct qdisc_class *class, const struct position *positions) {
	if (class->set & field_bit(CLASS_CEIL) && class->set & field_bit(CLASS_RATE) &&
	    class->values[CLASS_CEIL] < class->values[CLASS_RATE])
		diag_error(p->diags, positions[CLASS_CEIL],
			   "the 'ceil' of a class must be at least its 'rate': it includes what the class borrows");
	if (class->n_classes && class->leaf)
		diag_error(p->diags, class->position,
			   "a class with classes below it has no queue of its own; write 'qdisc' in those below");
	if (class->n_classes && class->is_default)
		diag_error(p->diags, class->position,
			   "a class with classes below it takes no packets; write 'default: true' in one of those below");
}

static size_t read_classes(struct reader *r, const struct node *list, uint32_t r2q, struct qdisc_class **ret) {
	struct items items = items_of(r->p, "classes", list);
	struct qdisc_class *group = arena_newn(r->p->arena, struct qdisc_class, items.n);

	*ret = group;
	if (++r->depth > QDISC_DEPTH_MAX)
		diag_error(r->p->diags, list->position, "the kernel takes at most %d classes above each other",
			   QDISC_DEPTH_MAX);
	for (size_t i = 0; i < items.n && r->depth <= QDISC_DEPTH_MAX; i++) {
		const struct node *values[ARRAY_SIZE(class_keys)] = {}, *at = item(&items, i);
		struct position positions[CLASS_N_OPTIONS] = {};
		struct qdisc_class *class = &group[i];
		uint32_t is_default = 0;

		class->position = at->position;
		if (!fields_parse(r->p, at,
				  &(struct fields_parse){ .what = "a class",
							  .fields = qdisc_class_fields,
							  .n = CLASS_N_OPTIONS,
							  .others = class_keys,
							  .values = values,
							  .base = class->values,
							  .set = &class->set,
							  .positions = positions }))
			continue;
		(void)read_id(r->p, at, values[C_ID], &class->id);
		if (values[C_DEFAULT])
			(void)type_bool.parse(r->p, &qdisc_class_default, values[C_DEFAULT], &is_default);
		class->is_default = is_default;
		if (values[C_QDISC])
			class->leaf = read_node(r, values[C_QDISC], NULL, false);
		if (values[C_CLASSES])
			class->n_classes = read_classes(r, values[C_CLASSES], r2q, &class->classes);
		check_class(r->p, class, positions);
		qdisc_round_class(class);
		if (class->values[CLASS_RATE])
			qdisc_reduce_class(class, r2q);
	}
	r->depth--;
	qdisc_sort_classes(group, items.n);
	return items.n;
}

/* Checks all classes and filters of a qdisc together. */

struct ids {
	struct diags *diags;
	vec(const struct qdisc_class *) seen;
	const struct qdisc_class *standard;
};

static void collect(struct ids *ids, const struct qdisc_class *group, size_t n) {
	for (size_t i = 0; i < n; i++) {
		const struct qdisc_class *class = &group[i];

		vec_foreach(other, &ids->seen)
			if (class->id && (*other)->id == class->id) {
				diag_error(ids->diags, class->position, "the id %" PRIu32 " is that of another class, too",
					   class->id);
				diag_note(ids->diags, (*other)->position, "first here");
			}
		if (class->is_default && ids->standard) {
			diag_error(ids->diags, class->position, "only one class can have 'default: true'");
			diag_note(ids->diags, ids->standard->position, "first here");
		}
		ids->standard = class->is_default ? class : ids->standard;
		vec_push(&ids->seen, class);
		collect(ids, class->classes, class->n_classes);
	}
}

static void check_filters(struct parse *p, const struct qdisc_node *node, const struct ids *ids) {
	for (size_t i = 0; i < node->n_filters; i++) {
		const struct qdisc_filter *filter = &node->filters[i];
		const struct qdisc_class *target = NULL;

		if (i && position_same(&node->filters[i - 1].position, &filter->position))
			continue; /* the same for the other family */
		vec_foreach(class, &ids->seen)
			if ((*class)->id == filter->class)
				target = *class;
		if (node->kind->has_classes && !target)
			diag_error(p->diags, filter->position, "there is no class with the id %" PRIu32, filter->class);
		else if (target && target->n_classes)
			diag_error(p->diags, filter->position,
				   "the class %" PRIu32 " has classes below it and takes no packets; choose one of those",
				   filter->class);
	}
}

static void check_tree(struct parse *p, const struct qdisc_node *node) {
	struct ids ids = { .diags = p->diags };

	collect(&ids, node->classes, node->n_classes);
	check_filters(p, node, &ids);
	if (node->n_classes && !ids.standard)
		diag_warning(p->diags, node->position,
			     "no class has 'default: true', so packets that no filter matches are sent at once, without a "
			     "limit");
	vec_done(&ids.seen);
}

uint32_t qdisc_default_class(const struct qdisc_node *node) {
	uint32_t found = 0;

	for (size_t i = 0; i < node->n_classes && !found; i++) {
		const struct qdisc_class *class = &node->classes[i];
		const struct qdisc_node below = { .classes = class->classes, .n_classes = class->n_classes };

		found = class->is_default ? class->id : qdisc_default_class(&below);
	}
	return found;
}

static void read_filters(struct reader *r, struct qdisc_node *node, const struct node *list) {
	struct items items = items_of(r->p, "filters", list);
	qdisc_filters filters = {};

	for (size_t i = 0; i < items.n; i++)
		(void)qdisc_read_filter(r->p, item(&items, i), &filters);
	for (size_t i = 0; i < filters.n; i++)
		filters.items[i].priority = (uint16_t)(i + 1);
	node->filters = arena_memdup(r->p->arena, filters.items, filters.n * sizeof(filters.items[0]));
	node->n_filters = filters.n;
	vec_done(&filters);
}

/* The qdisc. */

enum { N_KIND, N_CHILDREN, N_CLASSES, N_FILTERS };
static const char *const node_keys[] = { "kind", "children", "classes", "filters", NULL };

/* tc's words for things that are not keys of a qdisc here. */
static bool has_foreign_word(struct parse *p, const struct node *node) {
	static const struct {
		const char *word, *instead;
	} words[] = {
		{ "handle", "topod chooses the handles" },
		{ "parent",
		  "the place of a qdisc determines its parent: write it in the parent's 'children', or as 'qdisc' of a "
		  "class" },
		{ "default", "write 'default: true' in the class for packets that no filter matches" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (node_get(node, words[i].word)) {
			diag_error(p->diags, node_key_position(node, words[i].word), "'%s' is not a key of a qdisc: %s",
				   words[i].word, words[i].instead);
			return true;
		}
	return false;
}

static void refuse_sections(struct parse *p, const struct qdisc_kind *kind, const struct node *const *values) {
	if (values[N_CHILDREN] && !kind->max_children)
		diag_error(p->diags, values[N_CHILDREN]->position, "%s has no children%s", kind->name,
			   kind->has_classes ? "; its 'classes' have a 'qdisc' each" : "");
	if (values[N_CLASSES] && !kind->has_classes)
		diag_error(p->diags, values[N_CLASSES]->position, "%s has no classes; htb has%s", kind->name,
			   kind->max_children ? ", and 'children' are the qdiscs below this one" : "");
	if (values[N_FILTERS] && !kind->has_filters)
		diag_error(p->diags, values[N_FILTERS]->position, "%s has no filters; htb and prio have", kind->name);
}

static bool read_options(struct reader *r, struct qdisc_node *ret, const struct node *node, bool impair) {
	struct position *positions = arena_newn(r->p->arena, struct position, ret->kind->n_options + 1);
	const struct node *values[ARRAY_SIZE(node_keys)] = {};
	size_t errors = r->p->diags->n_errors;

	if (node->type == NODE_SCALAR && !impair) /* the name of the kind */
		return !ret->kind->check || ret->kind->check(r->p, ret, positions);
	if (has_foreign_word(r->p, node) ||
	    !fields_parse(r->p, node,
			  &(struct fields_parse){ .what = impair ? "impair"
								 : arena_printf(r->p->arena, "%s %s qdisc",
										indefinite_article(ret->kind->name),
										ret->kind->name),
						  .fields = ret->kind->options,
						  .n = ret->kind->n_options,
						  .others = impair ? NULL : node_keys,
						  .values = values,
						  .base = ret->values,
						  .set = &ret->set,
						  .positions = positions }) ||
	    (ret->kind->check && !ret->kind->check(r->p, ret, positions)))
		return false;
	refuse_sections(r->p, ret->kind, values);
	if (r->p->diags->n_errors == errors) {
		read_children(r, ret, values[N_CHILDREN]);
		ret->n_classes = read_classes(r, values[N_CLASSES], qdisc_r2q(ret), &ret->classes);
		read_filters(r, ret, values[N_FILTERS]);
		check_tree(r->p, ret);
	}
	return r->p->diags->n_errors == errors;
}

static struct qdisc_node *read_node(struct reader *r, const struct node *node, const struct qdisc_kind *kind, bool root) {
	const struct node *name = node->type == NODE_SCALAR ? node : node_get(node, "kind");
	struct qdisc_node *ret = arena_new(r->p->arena, struct qdisc_node);
	bool impair = kind, good;

	ret->position = node->position;
	if (!kind && (!name || node_is_null(name) || node->type == NODE_SEQUENCE)) {
		diag_error(r->p->diags, node->position, "a qdisc needs its 'kind', for example {kind: fq_codel}");
		return NULL;
	}
	if (!kind)
		kind = read_kind(r->p, name);
	if (!kind)
		return NULL;
	if (kind->only_root && !root) {
		diag_error(r->p->diags, name ? name->position : node->position,
			   "%s can only be an interface's own qdisc, not below another one", kind->name);
		return NULL;
	}
	ret->kind = kind;
	ret->name = kind->name;
	if (++r->depth > QDISC_DEPTH_MAX) {
		diag_error(r->p->diags, node->position, "the kernel takes at most %d qdiscs above each other",
			   QDISC_DEPTH_MAX);
		return NULL;
	}
	good = read_options(r, ret, node, impair);
	r->depth--;
	if (!good)
		return NULL;
	if (kind->round)
		kind->round(ret);
	qdisc_reduce(ret);
	return ret;
}

struct qdisc_node *qdisc_read(struct parse *p, const struct node *node, const struct qdisc_kind *impair) {
	struct reader r = { .p = p };

	return read_node(&r, node, impair, true);
}
