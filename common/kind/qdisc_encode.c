/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that turn one tree of qdiscs into another. Where possible, a qdisc of the same kind is changed in place and keeps
 * its handle and its queued packets. If the kernel cannot change the option, or the kind differs, it is replaced together
 * with everything below it.
 *
 * The kernel refuses to delete a class that a filter or a class below it uses. So filters and classes are deleted first, then
 * classes and their qdiscs are made, then new filters.
 */
#include "kind/qdisc.h"
#include "model/change.h"

struct writing {
	struct nl_writer *w;
	uint32_t ifindex;
	uint32_t next_handle;          /* the next one to try */
	const struct qdisc_node *seen; /* the present tree, whose handles are taken */
	uint32_t mtu, txqueuelen;
	bool remark;        /* the root gets topod's mark, and so a new handle */
	bool distributions; /* always send the tables of netem */
};

struct tcmsg *qdisc_begin(struct nl_writer *w, uint16_t type, uint16_t flags, uint32_t ifindex, uint32_t parent,
			  uint32_t handle) {
	struct tcmsg *tcm = nl_begin(w, type, flags, sizeof(*tcm));

	tcm->tcm_family = AF_UNSPEC;
	tcm->tcm_ifindex = (int)ifindex;
	tcm->tcm_parent = parent;
	tcm->tcm_handle = handle;
	return tcm;
}

/* Handles. */

static bool is_taken(const struct qdisc_node *node, uint32_t handle);

static bool is_taken_in(const struct qdisc_class *group, size_t n, uint32_t handle) {
	for (size_t i = 0; i < n; i++)
		if ((group[i].leaf && is_taken(group[i].leaf, handle)) ||
		    is_taken_in(group[i].classes, group[i].n_classes, handle))
			return true;
	return false;
}

static bool is_taken(const struct qdisc_node *node, uint32_t handle) {
	if (!node || node->handle == handle)
		return node;
	for (size_t i = 0; i < node->n_children; i++)
		if (is_taken(node->children[i].node, handle))
			return true;
	return is_taken_in(node->classes, node->n_classes, handle);
}

static uint32_t new_handle(struct writing *x) {
	while (is_taken(x->seen, x->next_handle))
		x->next_handle += QDISC_HANDLE_STEP;
	x->next_handle += QDISC_HANDLE_STEP;
	return x->next_handle - QDISC_HANDLE_STEP;
}

/* Qdiscs. */

static bool same_options(const struct qdisc_node *want, const struct qdisc_node *seen) {
	_cleanup_text_ struct text a = {}, b = {};

	qdisc_print_options(want, &a);
	qdisc_print_options(seen, &b);
	return streq(text_str(&a), text_str(&b)) && qdisc_default_class(want) == qdisc_default_class(seen);
}

static uint64_t differing(const struct qdisc_node *want, const struct qdisc_node *seen) {
	uint64_t differs = want->set ^ seen->set;

	for (size_t i = 0; i < want->kind->n_options; i++)
		if (want->set & seen->set & field_bit(i) &&
		    !field_equal(&want->kind->options[i], want->values, seen->values))
			differs |= field_bit(i);
	return differs;
}

static bool can_stay(const struct qdisc_node *want, const struct qdisc_node *seen) {
	if (!seen || seen->kind != want->kind || (seen->foreign && !want->kind->whole))
		return false;
	return want->kind->fixed ? same_options(want, seen) : !(differing(want, seen) & want->kind->fixed_set);
}

/* seen: the qdisc that is to be changed; NULL: a new one. */
static void put_qdisc(struct writing *x, const struct qdisc_node *want, const struct qdisc_node *seen, uint16_t flags,
		      uint32_t parent, uint32_t handle) {
	struct qdisc_node whole = qdisc_complete(want, seen, x->mtu, x->txqueuelen);

	if (seen)
		whole.set &= ~want->kind->fixed_set;
	(void)qdisc_begin(x->w, RTM_NEWQDISC, flags, x->ifindex, parent, handle);
	nl_put_text(x->w, TCA_KIND, want->name);
	qdisc_put_options(x->w, &whole);
	nl_set_position(x->w, want->position);
}

static void put_node(struct writing *x, const struct qdisc_node *want, const struct qdisc_node *seen, uint32_t parent);

static void delete_qdisc(struct writing *x, uint32_t parent, const struct qdisc_node *seen) {
	(void)qdisc_begin(x->w, RTM_DELQDISC, 0, x->ifindex, parent, seen->handle);
}

/* A qdisc below another one or a class. */
static void put_below(struct writing *x, const struct qdisc_node *want, const struct qdisc_node *seen, uint32_t parent) {
	if (want)
		put_node(x, want, seen, parent);
	else if (seen)
		delete_qdisc(x, parent, seen);
}

const struct qdisc_node *qdisc_child_at(const struct qdisc_node *node, uint32_t minor) {
	for (size_t i = 0; node && i < node->n_children; i++)
		if (node->children[i].minor == minor)
			return node->children[i].node;
	return NULL;
}

static void put_children(struct writing *x, const struct qdisc_node *want, const struct qdisc_node *seen, uint32_t handle) {
	for (size_t i = 0; seen && i < seen->n_children; i++)
		if (!qdisc_child_at(want, seen->children[i].minor))
			delete_qdisc(x, handle | seen->children[i].minor, seen->children[i].node);
	for (size_t i = 0; i < want->n_children; i++) {
		uint32_t minor = want->children[i].minor;

		put_below(x, want->children[i].node, qdisc_child_at(seen, minor), handle | minor);
	}
}

/* Classes. */

/* A class of the same id below the same class; *ret_parent: the latter's id, 0: none. */
static const struct qdisc_class *find_class(const struct qdisc_class *group, size_t n, uint32_t id, uint32_t parent,
					    uint32_t *ret_parent) {
	const struct qdisc_class *found = NULL;

	for (size_t i = 0; i < n && !found; i++) {
		if (group[i].id == id) {
			*ret_parent = parent;
			return &group[i];
		}
		found = find_class(group[i].classes, group[i].n_classes, id, group[i].id, ret_parent);
	}
	return found;
}

const struct qdisc_class *qdisc_find_class(const struct qdisc_node *node, uint32_t id) {
	uint32_t parent;

	return find_class(node->classes, node->n_classes, id, 0, &parent);
}

static const struct qdisc_class *counterpart(const struct qdisc_node *node, const struct qdisc_class *class,
					     uint32_t parent) {
	uint32_t there = 0;
	const struct qdisc_class *found = node ? find_class(node->classes, node->n_classes, class->id, 0, &there) : NULL;

	return found && there == parent && !found->foreign ? found : NULL;
}

/* Deletes the classes without a counterpart, after those below them. */
static void delete_classes(struct writing *x, const struct qdisc_node *want, const struct qdisc_class *group, size_t n,
			   uint32_t handle, uint32_t parent, bool all) {
	for (size_t i = 0; i < n; i++) {
		bool goes = all || !counterpart(want, &group[i], parent) || group[i].foreign;

		delete_classes(x, want, group[i].classes, group[i].n_classes, handle, group[i].id, goes);
		if (goes)
			(void)qdisc_begin(x->w, RTM_DELTCLASS, 0, x->ifindex, 0, handle | group[i].id);
	}
}

/* Do the class and all above it survive the deletions? */
static const struct qdisc_class *kept(const struct qdisc_node *seen, const struct qdisc_class *class, uint32_t parent,
				      bool above) {
	return above ? counterpart(seen, class, parent) : NULL;
}

static bool same_class(const struct qdisc_class *a, const struct qdisc_class *b) {
	for (size_t i = 0; i < CLASS_N_OPTIONS; i++)
		if ((a->set ^ b->set) & field_bit(i) ||
		    (a->set & field_bit(i) && !field_equal(&qdisc_class_fields[i], a->values, b->values)))
			return false;
	return true;
}

static void put_classes(struct writing *x, const struct qdisc_class *group, size_t n, const struct qdisc_node *want,
			const struct qdisc_node *seen, uint32_t handle, uint32_t parent, bool above) {
	uint32_t r2q = qdisc_r2q(want);

	for (size_t i = 0; i < n; i++) {
		const struct qdisc_class *class = &group[i], *there = kept(seen, class, parent, above);

		if (!there || !same_class(class, there)) {
			const struct qdisc_class whole = qdisc_complete_class(class, r2q);

			(void)qdisc_begin(x->w, RTM_NEWTCLASS, there ? 0 : NLM_F_CREATE | NLM_F_EXCL, x->ifindex,
					  parent ? handle | parent : handle, handle | class->id);
			nl_put_text(x->w, TCA_KIND, want->name);
			qdisc_put_class(x->w, &whole);
			nl_set_position(x->w, class->position);
		}
		if (!class->n_classes)
			put_below(x, class->leaf, there ? there->leaf : NULL, handle | class->id);
		put_classes(x, class->classes, class->n_classes, want, seen, handle, class->id, there);
	}
}

/* Filters. */

static bool same_filter(const struct qdisc_filter *a, const struct qdisc_filter *b) {
	_cleanup_text_ struct text x = {}, y = {};

	qdisc_print_filter(a, &x);
	qdisc_print_filter(b, &y);
	return a->priority == b->priority && streq(text_str(&x), text_str(&y));
}

static bool has_filter(const struct qdisc_node *node, const struct qdisc_filter *filter) {
	for (size_t i = 0; node && i < node->n_filters; i++)
		if (same_filter(&node->filters[i], filter))
			return true;
	return false;
}

/* All filters of a priority are deleted at once. */
static void delete_filters(struct writing *x, const struct qdisc_node *want, const struct qdisc_node *seen,
			   uint32_t handle) {
	for (size_t i = 0; seen && i < seen->n_filters; i++) {
		const struct qdisc_filter *filter = &seen->filters[i];

		if (has_filter(want, filter) || (i && seen->filters[i - 1].priority == filter->priority))
			continue;
		struct tcmsg *tcm = qdisc_begin(x->w, RTM_DELTFILTER, 0, x->ifindex, handle, 0);
		tcm->tcm_info = TC_H_MAKE((uint32_t)filter->priority << 16, htons(filter->ethertype));
	}
}

static void put_node(struct writing *x, const struct qdisc_node *want, const struct qdisc_node *seen, uint32_t parent) {
	bool root = parent == TC_H_ROOT;
	uint32_t handle;

	if (!can_stay(want, seen) || (root && x->remark)) {
		/* netem_change(): a netem that duplicates packets must be the only one in its tree, which still has the old
		 * one. */
		if (root && seen && qdisc_is_netem(want) && qdisc_is_netem(seen)) {
			delete_qdisc(x, parent, seen);
			seen = NULL;
		}
		handle = new_handle(x);
		put_qdisc(x, want, NULL,
			  NLM_F_CREATE | (seen   ? NLM_F_REPLACE
					  : root ? NLM_F_EXCL
						 : NLM_F_REPLACE),
			  parent, handle);
		seen = NULL;
	} else {
		handle = seen->handle;
		if (!same_options(want, seen) || seen->foreign || (x->distributions && qdisc_is_netem(want)))
			put_qdisc(x, want, seen, 0, parent, handle);
	}
	delete_filters(x, want, seen, handle);
	if (seen)
		delete_classes(x, want, seen->classes, seen->n_classes, handle, 0, false);
	put_children(x, want, seen, handle);
	put_classes(x, want->classes, want->n_classes, want, seen, handle, 0, true);
	for (size_t i = 0; i < want->n_filters; i++)
		if (!has_filter(seen, &want->filters[i]))
			qdisc_put_filter(x->w, x->ifindex, handle, &want->filters[i]);
}

/* The ledger has the former tree as a text. */
static const struct qdisc_node *tree_of(struct encode *encode, const struct qdisc *qdisc) {
	return qdisc->root ? qdisc->root : qdisc_from_text(encode->arena, qdisc->text);
}

int qdisc_encode(struct encode *encode, const struct change *change) {
	bool delete = change->type == CHANGE_DELETE;
	const struct qdisc *want = delete ? NULL : (const struct qdisc *)change->desired,
			   *seen = change->type == CHANGE_CREATE ? NULL : (const struct qdisc *)change->observed;
	const struct qdisc *any = want ? want : seen;
	struct writing x = { .w = encode->writer, .next_handle = QDISC_HANDLE_FIRST };

	x.ifindex = encode_ifindex(encode, any->object.ns, any->dev);
	if (!x.ifindex)
		return -ENODEV;
	if (seen) {
		x.seen = seen->root;
		x.mtu = seen->mtu;
		x.txqueuelen = seen->txqueuelen;
	}
	if (!want) {
		delete_qdisc(&x, TC_H_ROOT, seen->root);
		return 0;
	}
	const struct qdisc_node *tree = tree_of(encode, want);
	if (!tree) {
		encode->problem = "topod does not know the qdisc that was there before";
		return -EOPNOTSUPP;
	}
	x.distributions = change->fields & field_bit(QDISC_DISTRIBUTION);
	x.remark = seen && change->fields & field_bit(QDISC_MARK);
	put_node(&x, tree, seen ? seen->root : NULL, TC_H_ROOT);
	return 0;
}
