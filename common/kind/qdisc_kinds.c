/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of the kinds of qdiscs, and the common handling of their options: attributes and defaults. A kind is a table of
 * options with the attribute in TCA_OPTIONS (linux/pkt_sched.h) and the default in the kernel; see qdisc_fair.c. Kinds whose
 * options are a struct have functions as well.
 */
#include <net/ethernet.h>

#include "kind/qdisc_option.h"

enum { HEADER_MAX = 128, QDISC_ATTR_MAX = 31 };

const struct qdisc_kind *const qdisc_kinds[] = {
	&qdisc_bfifo,   &qdisc_cake,  &qdisc_fq,   &qdisc_fq_codel, &qdisc_htb, &qdisc_mq, &qdisc_kind_netem,
	&qdisc_noqueue, &qdisc_pfifo, &qdisc_prio, &qdisc_sfq,      &qdisc_tbf, NULL,
};

const struct qdisc_kind *qdisc_find_kind(const char *name) {
	for (const struct qdisc_kind *const *kind = qdisc_kinds; *kind; kind++)
		if (streq((*kind)->name, name))
			return *kind;
	return NULL;
}

/* Options with one attribute each. */

void qdisc_put_attributes(struct nl_writer *w, const struct qdisc_node *node) {
	for (size_t i = 0; i < node->kind->n_options; i++) {
		const struct field *field = &node->kind->options[i];

		if (!qdisc_has(node, i))
			continue;
		if (field->form == FORM_SHARED)
			nl_put_u32(w, field->attr, (uint32_t)__builtin_ctz(qdisc_number(node, i)));
		else
			field->type->put(w, field, field_of(field, node->values));
	}
}

void qdisc_put_options(struct nl_writer *w, const struct qdisc_node *node) {
	if (node->kind->put) {
		node->kind->put(w, node);
		return;
	}
	if (!node->kind->n_options)
		return;
	struct nlattr *nest = nl_nest(w, TCA_OPTIONS);
	qdisc_put_attributes(w, node);
	nl_nest_end(w, nest);
}

bool qdisc_get_options(struct qdisc_node *node, const struct nlattr *options) {
	const struct nlattr *tb[QDISC_ATTR_MAX + 1];

	if (node->kind->get)
		return node->kind->get(node, options);
	nl_parse_nested(options, tb, QDISC_ATTR_MAX);
	for (size_t i = 0; i < node->kind->n_options; i++) {
		const struct field *field = &node->kind->options[i];

		if (field->attr > QDISC_ATTR_MAX || !tb[field->attr])
			continue;
		if (field->form == FORM_SHARED)
			qdisc_set_number(node, i, 1U << (nl_get_u32(tb[field->attr], 0) & 31));
		else if (field->type->get(NULL, field, tb[field->attr], field_of(field, node->values)))
			node->set |= field_bit(i);
	}
	if (node->kind->show)
		node->kind->show(node);
	return true;
}

/* Defaults. */

static enum qdisc_default default_of(const struct qdisc_kind *kind, size_t option) {
	return kind->defaults ? kind->defaults[option] : QDISC_AS_FALLBACK;
}

static uint32_t link_default(enum qdisc_default how, uint32_t mtu, uint32_t txqueuelen) {
	uint32_t frame = mtu ? mtu + ETH_HLEN : 0;

	switch (how) {
	case QDISC_BY_MTU:
		return frame;
	case QDISC_BY_MTU_2:
		return 2 * frame;
	case QDISC_BY_MTU_10:
		return 10 * frame;
	case QDISC_BY_QUEUE:
		return mtu ? MAX(txqueuelen, 1) : 0;
	case QDISC_BY_QUEUE_MTU:
		return MAX(txqueuelen, 1) * frame;
	case QDISC_OFF:
		return mtu ? UINT32_MAX : 0;
	case QDISC_AS_FALLBACK:
		return 0;
	}
	abort();
}

/* The kernel does not show how long the header of a link is. */
static bool is_link_default(enum qdisc_default how, uint32_t mtu, uint32_t txqueuelen, uint32_t value) {
	uint32_t least = link_default(how, mtu, txqueuelen), most = least;

	if (how == QDISC_OFF)
		return value >= INT32_MAX - 1;
	if (how == QDISC_AS_FALLBACK)
		return false;
	if (!mtu)
		return true; /* not known */
	if (how != QDISC_BY_QUEUE) {
		least = least / (mtu + ETH_HLEN) * mtu;
		most = least / mtu * (mtu + HEADER_MAX);
	}
	return value >= least && value <= most;
}

static bool fallback_of(const struct qdisc_kind *kind, size_t option, uint64_t *values) {
	_cleanup_(arena_done) struct arena arena = {};
	const struct field *field = &kind->options[option];

	return field->fallback && field_from_text(&arena, NULL, field, field->fallback, values);
}

void qdisc_reduce(struct qdisc_node *node) {
	for (size_t i = 0; node->kind && i < node->kind->n_options; i++) {
		uint64_t defaults[QDISC_OPTIONS_MAX] = {};

		if (qdisc_has(node, i) && fallback_of(node->kind, i, defaults) &&
		    field_equal(&node->kind->options[i], node->values, defaults))
			node->set &= ~field_bit(i);
	}
}

void qdisc_reduce_by_link(struct qdisc_node *node, uint64_t declared, uint32_t mtu, uint32_t txqueuelen) {
	for (size_t i = 0; node->kind && i < node->kind->n_options; i++)
		if (qdisc_has(node, i) && !(declared >> i & 1) &&
		    is_link_default(default_of(node->kind, i), mtu, txqueuelen, qdisc_number(node, i)))
			node->set &= ~field_bit(i);
}

struct qdisc_node qdisc_complete(const struct qdisc_node *node, const struct qdisc_node *seen, uint32_t mtu,
				 uint32_t txqueuelen) {
	struct qdisc_node whole = *node;

	for (size_t i = 0; i < node->kind->n_options; i++) {
		uint32_t value;

		if (qdisc_has(node, i))
			continue;
		memset(&whole.values[i], 0, sizeof(whole.values[i]));
		value = seen ? link_default(default_of(node->kind, i), mtu, txqueuelen) : 0;
		if (default_of(node->kind, i) == QDISC_OFF && seen && !qdisc_has(seen, i))
			value = 0; /* it is off */
		if (value)
			qdisc_set_number(&whole, i, value);
		else if (fallback_of(node->kind, i, whole.values))
			whole.set |= field_bit(i);
	}
	return whole;
}
