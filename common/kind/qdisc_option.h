/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the kinds of qdiscs share: rows of options, and reading and setting their values. Options are numbered in the
 * order of their table; a value has eight bytes.
 */
#pragma once

#include "kind/qdisc.h"

#define QDISC_OPTION(index, key, value_type, ...) \
	[index] = { .name = key, .type = value_type, .offset = (index) * sizeof(uint64_t), __VA_ARGS__ }
#define USEC .unit = 1000000
/* The beginning of a kind's row. */
#define QDISC_NAME(word) .name = word, .anchor = "qdisc-" word
#define QDISC_KIND(word, ...) QDISC_NAME(word), .options = __VA_ARGS__, .n_options = ARRAY_SIZE(__VA_ARGS__)

static inline uint32_t qdisc_number(const struct qdisc_node *node, size_t option) {
	uint32_t value;

	memcpy(&value, &node->values[option], sizeof(value));
	return value;
}

static inline void qdisc_set_number(struct qdisc_node *node, size_t option, uint32_t value) {
	memcpy(&node->values[option], &value, sizeof(value));
	node->set |= field_bit(option);
}

static inline void qdisc_set_wide(struct qdisc_node *node, size_t option, uint64_t value) {
	node->values[option] = value;
	node->set |= field_bit(option);
}

static inline bool qdisc_has(const struct qdisc_node *node, size_t option) {
	return node->set >> option & 1;
}

static inline bool qdisc_refuse(struct parse *p, struct position position, const char *text) {
	diag_error(p->diags, position, "%s", text);
	return false;
}

/* Attributes that are a struct. */

static inline bool qdisc_is_large(const struct nlattr *attr, size_t size) {
	return attr && mnl_attr_get_payload_len(attr) >= size;
}

/* Copies as much as there is; attr may be NULL. */
static inline void qdisc_copy(const struct nlattr *attr, void *to, size_t size) {
	if (attr)
		memcpy(to, mnl_attr_get_payload(attr), MIN(size, (size_t)mnl_attr_get_payload_len(attr)));
}

/* qdisc_rate.c */
void qdisc_put_rate64(struct nl_writer *w, uint16_t attr, uint64_t rate);
/* Does it count packets as they are, without ATM, DOCSIS or an overhead for each packet? */
bool qdisc_is_plain(const struct tc_ratespec *spec);

/* qdisc_kinds.c: the options with one attribute each, without the nest. */
void qdisc_put_attributes(struct nl_writer *w, const struct qdisc_node *node);

extern const struct qdisc_kind qdisc_bfifo, qdisc_cake, qdisc_fq, qdisc_fq_codel, qdisc_htb, qdisc_mq, qdisc_kind_netem,
	qdisc_noqueue, qdisc_pfifo, qdisc_prio, qdisc_sfq, qdisc_tbf;
