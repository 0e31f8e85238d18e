/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How qdiscs are read and heard. A first dump has all qdiscs of the namespace; a second round requests the classes and
 * filters of those that have some. The trees are put together at the end.
 */
#include "kind/link.h"
#include "kind/qdisc.h"
#include "model/change.h"
#include "model/source.h"

struct message {
	const struct nlmsghdr *nlh;
	const struct tcmsg *tcm;
	unsigned round;
	size_t request;
	bool used;
};

struct reading {
	vec(struct message) messages;
};

static struct reading *reading_of(struct source_scan *scan) {
	if (!scan->own)
		scan->own = arena_new(scan->decode.arena, struct reading);
	return scan->own;
}

static const char *kind_of(const struct message *m, const struct nlattr **ret_options) {
	const struct nlattr *tb[TCA_OPTIONS + 1];

	nl_parse(m->nlh, sizeof(*m->tcm), tb, TCA_OPTIONS);
	*ret_options = tb[TCA_OPTIONS];
	return tb[TCA_KIND] ? nl_get_text(tb[TCA_KIND]) : NULL;
}

static const struct qdisc_kind *known_kind(const struct message *m) {
	const struct nlattr *options;
	const char *name = kind_of(m, &options);

	return name ? qdisc_find_kind(name) : NULL;
}

/* Did somebody make the qdisc, or is it the kernel's default? */
static bool is_qdisc(const struct message *m) {
	return m->nlh->nlmsg_type == RTM_NEWQDISC && TC_H_MAJ(m->tcm->tcm_handle);
}

/* Requests. */

static void ask(struct nl_writer *w, uint16_t type, const struct message *qdisc) {
	(void)qdisc_begin(w, type, NLM_F_DUMP, (uint32_t)qdisc->tcm->tcm_ifindex,
			  type == RTM_GETTFILTER ? TC_H_MAJ(qdisc->tcm->tcm_handle) : 0, 0);
}

static void ask_for_parts(struct reading *reading, struct nl_writer *w) {
	vec_foreach(m, &reading->messages) {
		const struct qdisc_kind *kind = is_qdisc(m) ? known_kind(m) : NULL;

		if (kind && kind->has_classes)
			ask(w, RTM_GETTCLASS, m);
		if ((kind && kind->has_filters) || m->tcm->tcm_parent == TC_H_INGRESS)
			ask(w, RTM_GETTFILTER, m);
	}
}

/* Some defaults depend on the link's MTU, and a narrow scan does not read links. */
static void ask_for_links(const struct source_scan *scan, struct nl_writer *w) {
	for (size_t i = 0; scan->scope && i < scan->scope->n; i++) {
		const struct object *object = scan->scope->objects[i];

		if (object->kind == &kind_qdisc)
			link_put_question(w, ((const struct qdisc *)object)->dev, 0);
	}
}

static void dump(struct source_scan *scan, struct nl_writer *w) {
	if (scan->scope && !scan->concerns(scan, &class_qdisc))
		return;
	if (scan->round) {
		ask_for_parts(reading_of(scan), w);
		return;
	}
	ask_for_links(scan, w);
	(void)qdisc_begin(w, RTM_GETQDISC, NLM_F_DUMP, 0, 0, 0);
}

static void begin(struct source_scan *scan) {
	struct reading *reading = reading_of(scan);

	while (scan->restarted && reading->messages.n) {
		const struct message *last = &reading->messages.items[reading->messages.n - 1];

		if (last->round != scan->round || last->request != scan->request)
			return;
		reading->messages.n--;
	}
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	bool known = nlh->nlmsg_type == RTM_NEWQDISC || nlh->nlmsg_type == RTM_NEWTCLASS ||
		     nlh->nlmsg_type == RTM_NEWTFILTER || nlh->nlmsg_type == RTM_NEWLINK;

	if (!known || mnl_nlmsg_get_payload_len(nlh) < sizeof(struct tcmsg))
		return 0;
	const struct nlmsghdr *copy = arena_memdup(scan->decode.arena, nlh, nlh->nlmsg_len);
	const struct message m = {
		.nlh = copy, .tcm = mnl_nlmsg_get_payload(copy), .round = scan->round, .request = scan->request
	};
	if (nlh->nlmsg_type != RTM_NEWQDISC || is_qdisc(&m))
		vec_push(&reading_of(scan)->messages, m);
	return 0;
}

/* The link has gone, or the qdisc that had the classes. */
static int refused(struct source_scan *scan _unused_, int error) {
	return error_is_gone(error) || error == -EINVAL ? 0 : error;
}

/* Trees. */

/* Of one interface. */
struct building {
	struct arena *arena;
	struct message *const *messages;
	size_t n;
};

static struct qdisc_node *build_at(struct building *b, uint32_t parent, unsigned depth);

static void add_children(struct building *b, struct qdisc_node *node, unsigned depth) {
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += is_qdisc(b->messages[i]) && TC_H_MAJ(b->messages[i]->tcm->tcm_parent) == node->handle;
	node->children = arena_newn(b->arena, struct qdisc_child, n);
	for (uint32_t minor = 1, found = 0; found < n && minor < 0xffff; minor++) {
		struct qdisc_node *child = build_at(b, node->handle | minor, depth);

		if (!child)
			continue;
		node->children[node->n_children++] = (struct qdisc_child){ minor, child };
		found++;
	}
}

static size_t add_classes(struct building *b, const struct qdisc_node *node, uint32_t parent, unsigned depth,
			  struct qdisc_class **ret) {
	vec(struct qdisc_class) group = {};

	for (size_t i = 0; i < b->n; i++) {
		struct message *m = b->messages[i];
		const struct nlattr *options;
		struct qdisc_class class = { .id = TC_H_MIN(m->tcm->tcm_handle) };

		if (m->nlh->nlmsg_type != RTM_NEWTCLASS || m->used || TC_H_MAJ(m->tcm->tcm_handle) != node->handle ||
		    m->tcm->tcm_parent != parent)
			continue;
		m->used = true;
		(void)kind_of(m, &options);
		class.foreign = !qdisc_get_class(&class, options);
		class.is_default = class.id == node->default_class;
		if (depth < 2 * QDISC_DEPTH_MAX) {
			class.leaf = build_at(b, node->handle | class.id, depth + 1);
			class.n_classes = add_classes(b, node, node->handle | class.id, depth + 1, &class.classes);
		}
		if (class.values[CLASS_RATE])
			qdisc_reduce_class(&class, qdisc_r2q(node));
		vec_push(&group, class);
	}
	size_t n = group.n;
	qdisc_sort_classes(group.items, n);
	*ret = arena_memdup(b->arena, group.items, n * sizeof(group.items[0]));
	vec_done(&group);
	return n;
}

static void add_filters(struct building *b, struct qdisc_node *node) {
	qdisc_filters filters = {};
	struct qdisc_filter filter;

	for (size_t i = 0; i < b->n; i++) {
		const struct message *m = b->messages[i];

		if (m->nlh->nlmsg_type == RTM_NEWTFILTER && TC_H_MAJ(m->tcm->tcm_parent) == node->handle &&
		    qdisc_get_filter(m->nlh, &filter))
			vec_push(&filters, filter);
	}
	node->n_filters = filters.n;
	node->filters = arena_memdup(b->arena, filters.items, filters.n * sizeof(filters.items[0]));
	vec_done(&filters);
}

static struct qdisc_node *build(struct building *b, struct message *m, unsigned depth) {
	struct qdisc_node *node = arena_new(b->arena, struct qdisc_node);
	const struct nlattr *options;
	const char *name = kind_of(m, &options);

	m->used = true;
	node->name = name ? arena_strdup(b->arena, name) : "unknown";
	node->kind = name ? qdisc_find_kind(name) : NULL;
	node->handle = TC_H_MAJ(m->tcm->tcm_handle);
	node->foreign = !node->kind || !qdisc_get_options(node, options);
	qdisc_reduce(node);
	if (!node->kind || depth >= 2 * QDISC_DEPTH_MAX)
		return node;
	if (node->kind->has_classes) {
		node->n_classes = add_classes(b, node, TC_H_ROOT, depth, &node->classes);
		/* Its default class does not exist, so topod did not make this tree. */
		node->foreign |= node->default_class && node->default_class != qdisc_default_class(node);
	} else if (node->kind->max_children) {
		add_children(b, node, depth + 1);
	}
	if (node->kind->has_filters)
		add_filters(b, node);
	return node;
}

static struct qdisc_node *build_at(struct building *b, uint32_t parent, unsigned depth) {
	for (size_t i = 0; i < b->n; i++) {
		struct message *m = b->messages[i];

		if (is_qdisc(m) && !m->used && m->tcm->tcm_parent == parent)
			return build(b, m, depth);
	}
	return NULL;
}

/* Defaults that depend on the link. */

static void reduce(struct qdisc_node *node, const struct qdisc_node *declared, uint32_t mtu, uint32_t txqueuelen);

static void reduce_classes(struct qdisc_class *group, size_t n, const struct qdisc_node *declared, uint32_t mtu,
			   uint32_t txqueuelen) {
	for (size_t i = 0; i < n; i++) {
		const struct qdisc_class *wanted = declared ? qdisc_find_class(declared, group[i].id) : NULL;

		if (group[i].leaf)
			reduce(group[i].leaf, wanted ? wanted->leaf : NULL, mtu, txqueuelen);
		reduce_classes(group[i].classes, group[i].n_classes, declared, mtu, txqueuelen);
	}
}

static void reduce(struct qdisc_node *node, const struct qdisc_node *declared, uint32_t mtu, uint32_t txqueuelen) {
	qdisc_reduce_by_link(node, declared && declared->kind == node->kind ? declared->set : 0, mtu, txqueuelen);
	for (size_t i = 0; i < node->n_children; i++)
		reduce(node->children[i].node, qdisc_child_at(declared, node->children[i].minor), mtu, txqueuelen);
	reduce_classes(node->classes, node->n_classes, declared, mtu, txqueuelen);
}

static void find_link(const struct source_scan *scan, struct building *b, struct qdisc *qdisc) {
	const struct object *link = ns_find_link(scan->seen, qdisc->dev);

	if (link) {
		qdisc->mtu = ((const struct link *)link)->mtu;
		qdisc->txqueuelen = ((const struct link *)link)->txqueuelen;
		return;
	}
	for (size_t i = 0; i < b->n; i++) {
		const struct nlattr *tb[IFLA_TXQLEN + 1];

		if (b->messages[i]->nlh->nlmsg_type != RTM_NEWLINK)
			continue;
		nl_parse(b->messages[i]->nlh, sizeof(struct ifinfomsg), tb, IFLA_TXQLEN);
		qdisc->mtu = nl_get_u32(tb[IFLA_MTU], 0);
		qdisc->txqueuelen = nl_get_u32(tb[IFLA_TXQLEN], 0);
	}
}

/* Objects. */

static void add_root(struct source_scan *scan, struct building *b, struct message *m, const char *dev) {
	struct qdisc *qdisc = (struct qdisc *)object_new(b->arena, &kind_qdisc, scan->seen->name);
	uint32_t handle = TC_H_MAJ(m->tcm->tcm_handle);

	qdisc->dev = dev;
	qdisc->marked = handle >= QDISC_HANDLE_FIRST && handle <= QDISC_HANDLE_LAST;
	qdisc->object.owned = qdisc->marked;
	qdisc->object.set = field_bit(QDISC_DEV) | field_bit(QDISC_INGRESS) | field_bit(QDISC_MARK) | field_bit(QDISC_TREE);
	object_seal(b->arena, &qdisc->object);
	const struct object *wanted = scan->desired ? ns_find(scan->desired, &qdisc->object) : NULL;
	qdisc->root = build(b, m, 0);
	find_link(scan, b, qdisc);
	reduce(qdisc->root, wanted ? ((const struct qdisc *)wanted)->root : NULL, qdisc->mtu, qdisc->txqueuelen);
	qdisc->text = qdisc_text(b->arena, qdisc->root);
	scan_add(scan, &qdisc->object);
}

static void add_ingress(struct source_scan *scan, struct building *b, const char *dev) {
	struct object *police = police_new(b->arena, scan->seen->name, dev);
	bool any = false;

	object_seal(b->arena, police);
	for (size_t i = 0; i < b->n; i++) {
		const struct message *m = b->messages[i];

		if (m->nlh->nlmsg_type == RTM_NEWTFILTER && TC_H_MAJ(m->tcm->tcm_parent) == TC_H_MAJ(TC_H_INGRESS)) {
			police_take(police, m->nlh);
			any = true;
		}
	}
	if (any)
		scan_add(scan, police);
}

static void add_trees(struct source_scan *scan, struct building *b) {
	for (size_t i = 0; i < b->n; i++) {
		struct message *m = b->messages[i];
		uint32_t ifindex = (uint32_t)m->tcm->tcm_ifindex;
		const char *dev = is_qdisc(m) ? scan->decode.link_name(scan->decode.userdata, ifindex) : NULL;

		if (dev && m->tcm->tcm_parent == TC_H_ROOT)
			add_root(scan, b, m, arena_strdup(b->arena, dev));
		else if (dev && m->tcm->tcm_parent == TC_H_INGRESS)
			add_ingress(scan, b, arena_strdup(b->arena, dev));
	}
}

/* By interface, those of one in the order in which they came (all are in one vector). */
static int compare_messages(const void *a, const void *b) {
	const struct message *x = *(struct message *const *)a, *y = *(struct message *const *)b;
	int32_t i = x->tcm->tcm_ifindex, k = y->tcm->tcm_ifindex;

	return i != k ? (i < k ? -1 : 1) : (x > y) - (x < y);
}

static int finish(struct source_scan *scan) {
	struct reading *reading = reading_of(scan);
	struct message **sorted;
	size_t n = 0, end;
	bool any = false;

	vec_foreach(m, &reading->messages)
		any |= is_qdisc(m);
	if (!any)
		return 0;
	if (!scan->round)
		return 1;
	sorted = arena_newn(scan->decode.arena, struct message *, reading->messages.n);
	vec_foreach(m, &reading->messages)
		sorted[n++] = m;
	qsort(sorted, n, sizeof(*sorted), compare_messages);
	for (size_t i = 0; i < n; i = end) {
		for (end = i; end < n && sorted[end]->tcm->tcm_ifindex == sorted[i]->tcm->tcm_ifindex;)
			end++;
		add_trees(scan, &(struct building){ scan->decode.arena, &sorted[i], end - i });
	}
	return 0;
}

static void done(struct source_scan *scan) {
	vec_done(&reading_of(scan)->messages);
}

/* Changes of actions (RTM_NEWACTION) name no link. */
static enum about about(const struct event *event, struct hint *ret) {
	bool action = event->message->nlmsg_type >= RTM_NEWACTION;
	const struct tcmsg *tcm = action ? NULL : event_header(event, sizeof(*tcm));

	if (!tcm && !action)
		return ABOUT_UNKNOWN;
	ret->type = action ? HINT_CLASS : HINT_PARTS;
	ret->class = &class_qdisc;
	ret->ifindex = tcm ? (uint32_t)tcm->tcm_ifindex : 0;
	return ABOUT_HINT;
}

const struct source source_qdisc = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWQDISC,
	.last = RTM_DELACTION,
	.groups = (const int[]){ RTNLGRP_TC, 0 },
	.only_if_declared = true,
	.about = about,
	.dump = dump,
	.begin = begin,
	.decode = decode,
	.refused = refused,
	.finish = finish,
	.done = done,
};
