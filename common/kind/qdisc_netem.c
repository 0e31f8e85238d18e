/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netem (net/sched/sch_netem.c): delay, loss and other faults. Its options are a struct, followed by attributes.
 */
#include "kind/qdisc_option.h"

static const struct enum_name distributions[] = {
	{ "uniform", NETEM_UNIFORM },
	{ "normal", NETEM_NORMAL },
	{ "pareto", NETEM_PARETO },
	{ "paretonormal", NETEM_PARETONORMAL },
	{},
};

#define CORRELATION(index, key, what)                             \
	QDISC_OPTION(index, key, &type_percent, .fallback = "0%", \
		     .doc = "How much the chance of " what " depends on that of the packet before.")

const struct field qdisc_netem[NETEM_N_OPTIONS] = {
	QDISC_OPTION(NETEM_DELAY, "delay", &type_duration, USEC, .fallback = "0s",
		     .doc = "How long each packet is delayed."),
	QDISC_OPTION(NETEM_JITTER, "jitter", &type_duration, USEC, .fallback = "0s",
		     .doc = "By how much the delay varies, up or down."),
	QDISC_OPTION(NETEM_CORRELATION, "correlation", &type_percent, .fallback = "0%",
		     .doc = "How much the delay of a packet depends on that of the packet before."),
	QDISC_OPTION(NETEM_DISTRIBUTION, "distribution", &type_enum, .names = distributions, .fallback = "uniform",
		     .flags = FIELD_LEDGER, .doc = "How the delays are distributed within the jitter."),
	QDISC_OPTION(NETEM_LOSS, "loss", &type_percent, .fallback = "0%", .doc = "Share of the packets that are dropped."),
	CORRELATION(NETEM_LOSS_CORRELATION, "loss-correlation", "a loss"),
	QDISC_OPTION(NETEM_DUPLICATE, "duplicate", &type_percent, .fallback = "0%",
		     .doc = "Share of the packets that are sent twice."),
	CORRELATION(NETEM_DUPLICATE_CORRELATION, "duplicate-correlation", "a duplicate"),
	QDISC_OPTION(
		NETEM_REORDER, "reorder", &type_percent, .fallback = "0%",
		.doc = "Share of the packets that are sent at once and so overtake those that are delayed; needs `delay`."),
	CORRELATION(NETEM_REORDER_CORRELATION, "reorder-correlation", "being sent at once"),
	QDISC_OPTION(NETEM_GAP, "gap", &type_integer, .max = INT32_MAX, .fallback = "0",
		     .doc = "With `reorder`: only each packet of this number may overtake; 1 by default."),
	QDISC_OPTION(NETEM_CORRUPT, "corrupt", &type_percent, .fallback = "0%",
		     .doc = "Share of the packets in which a random bit is inverted."),
	CORRELATION(NETEM_CORRUPT_CORRELATION, "corrupt-correlation", "an error"),
	QDISC_OPTION(NETEM_RATE, "rate", &type_rate, .fallback = "none",
		     .doc = "Bandwidth: how long a packet takes by its size, in addition to the delay."),
	QDISC_OPTION(NETEM_LIMIT, "limit", &type_integer, .min = 1, .max = INT32_MAX, .fallback = "1000",
		     .doc = "How many packets are delayed at once; further ones are dropped."),
	QDISC_OPTION(NETEM_ECN, "ecn", &type_bool, .fallback = "false",
		     .doc = "Whether packets with ECN are marked instead of dropped."),
};

static bool check_netem(struct parse *p, struct qdisc_node *node, const struct position *positions) {
	bool delay = qdisc_has(node, NETEM_DELAY) && qdisc_number(node, NETEM_DELAY),
	     jitter = qdisc_has(node, NETEM_JITTER) && qdisc_number(node, NETEM_JITTER);

	if (qdisc_has(node, NETEM_REORDER) && qdisc_number(node, NETEM_REORDER) && !delay)
		return qdisc_refuse(p, positions[NETEM_REORDER],
				    "'reorder' needs 'delay': a packet overtakes by not being delayed like the others");
	if (qdisc_has(node, NETEM_GAP) && qdisc_number(node, NETEM_GAP) && !qdisc_has(node, NETEM_REORDER))
		return qdisc_refuse(p, positions[NETEM_GAP], "'gap' needs 'reorder': it says which packets may overtake");
	if (jitter && !delay)
		return qdisc_refuse(p, positions[NETEM_JITTER], "'jitter' needs 'delay': it is the variation of the delay");
	if (qdisc_has(node, NETEM_CORRELATION) && !jitter)
		return qdisc_refuse(
			p, positions[NETEM_CORRELATION],
			"'correlation' is that of the delay and needs 'jitter'; others are 'loss-correlation' and so on");
	if (qdisc_has(node, NETEM_DISTRIBUTION) && qdisc_number(node, NETEM_DISTRIBUTION) && !jitter)
		return qdisc_refuse(p, positions[NETEM_DISTRIBUTION], "'distribution' needs 'delay' and 'jitter'");
	if (qdisc_has(node, NETEM_REORDER) && qdisc_number(node, NETEM_REORDER) && !qdisc_has(node, NETEM_GAP))
		qdisc_set_number(node, NETEM_GAP, 1);
	return true;
}

static void put_tail(struct nl_writer *w, const struct qdisc_node *node) {
	const struct tc_netem_corr corr = { qdisc_number(node, NETEM_CORRELATION),
					    qdisc_number(node, NETEM_LOSS_CORRELATION),
					    qdisc_number(node, NETEM_DUPLICATE_CORRELATION) };
	const struct tc_netem_reorder reorder = { qdisc_number(node, NETEM_REORDER),
						  qdisc_number(node, NETEM_REORDER_CORRELATION) };
	const struct tc_netem_corrupt corrupt = { qdisc_number(node, NETEM_CORRUPT),
						  qdisc_number(node, NETEM_CORRUPT_CORRELATION) };
	const uint64_t limit = node->values[NETEM_RATE];
	const struct tc_netem_rate rate = { .rate = (uint32_t)MIN(limit, UINT32_MAX) };
	const int64_t delay = (int64_t)qdisc_number(node, NETEM_DELAY) * 1000,
		      jitter = (int64_t)qdisc_number(node, NETEM_JITTER) * 1000;
	const struct tc_netem_slot slot = {};

	nl_put(w, TCA_NETEM_CORR, &corr, sizeof(corr));
	nl_put(w, TCA_NETEM_REORDER, &reorder, sizeof(reorder));
	nl_put(w, TCA_NETEM_CORRUPT, &corrupt, sizeof(corrupt));
	nl_put(w, TCA_NETEM_RATE, &rate, sizeof(rate));
	qdisc_put_rate64(w, TCA_NETEM_RATE64, limit);
	nl_put_u32(w, TCA_NETEM_ECN, qdisc_number(node, NETEM_ECN));
	nl_put(w, TCA_NETEM_LATENCY64, &delay, sizeof(delay));
	nl_put(w, TCA_NETEM_JITTER64, &jitter, sizeof(jitter));
	nl_put(w, TCA_NETEM_SLOT, &slot, sizeof(slot));
}

/* Everything, because the kernel keeps what a change leaves out. A distribution cannot be removed, so a uniform one is sent
 * as a table too. The attributes follow the struct without a nest. */
static void put_netem(struct nl_writer *w, const struct qdisc_node *node) {
	const struct tc_netem_qopt head = { .limit = qdisc_number(node, NETEM_LIMIT),
					    .loss = qdisc_number(node, NETEM_LOSS),
					    .gap = qdisc_number(node, NETEM_GAP),
					    .duplicate = qdisc_number(node, NETEM_DUPLICATE) };
	struct nlattr *nest = nl_nest(w, TCA_OPTIONS);

	nl_put_raw(w, &head, sizeof(head));
	put_tail(w, node);
	if (qdisc_number(node, NETEM_JITTER)) {
		int16_t values[NETEM_TABLE_SIZE];

		netem_table((enum netem_distribution)qdisc_number(node, NETEM_DISTRIBUTION), values);
		nl_put(w, TCA_NETEM_DELAY_DIST, values, sizeof(values));
	}
	nl_nest_end(w, nest);
}

static bool get_netem(struct qdisc_node *node, const struct nlattr *options) {
	const struct nlattr *tb[TCA_NETEM_MAX + 1];
	struct tc_netem_qopt head;
	struct tc_netem_corr corr = {};
	struct tc_netem_reorder reorder = {};
	struct tc_netem_corrupt corrupt = {};
	struct tc_netem_rate rate = {};
	struct tc_netem_slot slot = {};

	if (!qdisc_is_large(options, sizeof(head)))
		return false;
	qdisc_copy(options, &head, sizeof(head));
	nl_parse_range((const char *)mnl_attr_get_payload(options) + sizeof(head),
		       mnl_attr_get_payload_len(options) - sizeof(head), tb, TCA_NETEM_MAX);
	qdisc_copy(tb[TCA_NETEM_CORR], &corr, sizeof(corr));
	qdisc_copy(tb[TCA_NETEM_REORDER], &reorder, sizeof(reorder));
	qdisc_copy(tb[TCA_NETEM_CORRUPT], &corrupt, sizeof(corrupt));
	qdisc_copy(tb[TCA_NETEM_RATE], &rate, sizeof(rate));
	qdisc_copy(tb[TCA_NETEM_SLOT], &slot, sizeof(slot));
	uint64_t delay = nl_get_u64(tb[TCA_NETEM_LATENCY64], (uint64_t)head.latency * 64),
		 jitter = nl_get_u64(tb[TCA_NETEM_JITTER64], (uint64_t)head.jitter * 64);
	qdisc_set_number(node, NETEM_DELAY, (uint32_t)MIN((delay + 999) / 1000, UINT32_MAX));
	qdisc_set_number(node, NETEM_JITTER, (uint32_t)MIN((jitter + 999) / 1000, UINT32_MAX));
	qdisc_set_number(node, NETEM_CORRELATION, corr.delay_corr);
	qdisc_set_number(node, NETEM_LOSS, head.loss);
	qdisc_set_number(node, NETEM_LOSS_CORRELATION, corr.loss_corr);
	qdisc_set_number(node, NETEM_DUPLICATE, head.duplicate);
	qdisc_set_number(node, NETEM_DUPLICATE_CORRELATION, corr.dup_corr);
	qdisc_set_number(node, NETEM_REORDER, head.gap ? reorder.probability : 0);
	qdisc_set_number(node, NETEM_REORDER_CORRELATION, reorder.correlation);
	qdisc_set_number(node, NETEM_GAP, head.gap);
	qdisc_set_number(node, NETEM_CORRUPT, corrupt.probability);
	qdisc_set_number(node, NETEM_CORRUPT_CORRELATION, corrupt.correlation);
	qdisc_set_wide(node, NETEM_RATE, nl_get_u64(tb[TCA_NETEM_RATE64], rate.rate));
	qdisc_set_number(node, NETEM_LIMIT, head.limit);
	qdisc_set_number(node, NETEM_ECN, nl_get_u32(tb[TCA_NETEM_ECN], 0) != 0);
	return !tb[TCA_NETEM_LOSS] && !slot.min_delay && !slot.max_delay && !slot.dist_delay && !rate.packet_overhead &&
	       !rate.cell_size;
}

const struct qdisc_kind qdisc_kind_netem = {
	QDISC_KIND("netem", qdisc_netem),
	.doc = "Imitates a bad line; usually written as `impair`.",
	.max_children = 1,
	.whole = true,
	.check = check_netem,
	.put = put_netem,
	.get = get_netem,
};
