/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates as the kernel keeps them, and the kind that only limits the rate: tbf (net/sched/sch_tbf.c). A burst is kept as the
 * time that it takes at the rate.
 */
#include "kind/qdisc_option.h"

/* Rates and bursts. */

/* psched_ratecfg_precompute(), net/sched/sch_generic.c: the factor has 32 bits. */
uint32_t qdisc_ticks(uint64_t rate, uint32_t size) {
	uint64_t factor = 1000000000, mult = 1;
	unsigned shift = 0;

	while (rate) {
		mult = factor / rate;
		if (mult >> 31 || factor >> 63)
			break;
		factor <<= 1;
		shift++;
	}
	return (uint32_t)MIN((uint64_t)(((unsigned __int128)size * mult) >> shift) >> 6, UINT32_MAX);
}

uint32_t qdisc_ticks_size(uint64_t rate, uint32_t ticks) {
	uint32_t size = (uint32_t)MIN((unsigned __int128)ticks * 64 * rate / 1000000000, UINT32_MAX - 64);

	for (int i = 0; i < 64 && qdisc_ticks(rate, size) < ticks; i++)
		size++;
	return size;
}

void qdisc_put_rate(struct tc_ratespec *spec, uint64_t rate) {
	spec->linklayer = TC_LINKLAYER_ETHERNET;
	spec->rate = (uint32_t)MIN(rate, UINT32_MAX);
}

void qdisc_put_rate64(struct nl_writer *w, uint16_t attr, uint64_t rate) {
	if (rate >= UINT32_MAX)
		nl_put(w, attr, &rate, sizeof(rate));
}

bool qdisc_is_plain(const struct tc_ratespec *spec) {
	return !spec->overhead && !spec->mpu && (spec->linklayer & TC_LINKLAYER_MASK) <= TC_LINKLAYER_ETHERNET;
}

/* tbf. */

enum { TBF_RATE, TBF_BURST, TBF_LIMIT, TBF_LATENCY, TBF_PEAKRATE, TBF_MTU };

static const struct field tbf[] = {
	QDISC_OPTION(TBF_RATE, "rate", &type_rate, .flags = FIELD_REQUIRED, .doc = "The average rate of outgoing packets."),
	QDISC_OPTION(TBF_BURST, "burst", &type_size, .flags = FIELD_REQUIRED, .min = 1,
		     .doc = "How much may leave at once after a pause; at least the MTU, and what the rate sends in 10 ms."),
	QDISC_OPTION(TBF_LIMIT, "limit", &type_size, .min = 1, .doc = "How much may wait; further packets are dropped."),
	QDISC_OPTION(TBF_LATENCY, "latency", &type_duration, USEC, .doc = "Instead of `limit`: how long a packet may wait."),
	QDISC_OPTION(TBF_PEAKRATE, "peakrate", &type_rate, .fallback = "none",
		     .doc = "How fast a burst leaves; needs `mtu`."),
	QDISC_OPTION(TBF_MTU, "mtu", &type_size, .fallback = "0", .doc = "With `peakrate`: the size of its burst."),
};

/* Computes the limit from the latency, as tc(8) does. */
static bool check_tbf(struct parse *p, struct qdisc_node *node, const struct position *positions) {
	uint64_t rate = node->values[TBF_RATE], peak = qdisc_has(node, TBF_PEAKRATE) ? node->values[TBF_PEAKRATE] : 0;

	if (qdisc_has(node, TBF_LIMIT) == qdisc_has(node, TBF_LATENCY))
		return qdisc_refuse(p, qdisc_has(node, TBF_LIMIT) ? positions[TBF_LATENCY] : node->position,
				    qdisc_has(node, TBF_LIMIT)
					    ? "'limit' and 'latency' are two ways to say the same; write one of them"
					    : "tbf needs 'limit' (bytes that may wait) or 'latency' (how long)");
	if ((peak != 0) != qdisc_has(node, TBF_MTU))
		return qdisc_refuse(p, positions[peak ? TBF_PEAKRATE : TBF_MTU], "'peakrate' and 'mtu' need each other");
	if (peak && peak <= rate)
		return qdisc_refuse(p, positions[TBF_PEAKRATE], "'peakrate' must be above 'rate'");
	if (qdisc_has(node, TBF_LATENCY)) {
		unsigned __int128 limit = (unsigned __int128)rate * qdisc_number(node, TBF_LATENCY) / 1000000;

		if (peak)
			limit = MIN(limit, (unsigned __int128)peak * qdisc_number(node, TBF_LATENCY) / 1000000 +
						   qdisc_number(node, TBF_MTU) -
						   MIN(qdisc_number(node, TBF_MTU), qdisc_number(node, TBF_BURST)));
		limit += qdisc_number(node, TBF_BURST);
		qdisc_set_number(node, TBF_LIMIT, (uint32_t)MIN(limit, UINT32_MAX));
		node->set &= ~field_bit(TBF_LATENCY);
	}
	return true;
}

static void round_burst(struct qdisc_node *node, size_t burst, size_t rate) {
	if (qdisc_has(node, burst) && qdisc_has(node, rate))
		qdisc_set_number(
			node, burst,
			qdisc_ticks_size(node->values[rate], qdisc_ticks(node->values[rate], qdisc_number(node, burst))));
}

static void round_tbf(struct qdisc_node *node) {
	round_burst(node, TBF_BURST, TBF_RATE);
	round_burst(node, TBF_MTU, TBF_PEAKRATE);
}

static void put_tbf(struct nl_writer *w, const struct qdisc_node *node) {
	uint64_t rate = node->values[TBF_RATE], peak = node->values[TBF_PEAKRATE];
	struct tc_tbf_qopt parms = { .limit = qdisc_number(node, TBF_LIMIT),
				     .buffer = qdisc_ticks(rate, qdisc_number(node, TBF_BURST)),
				     .mtu = peak ? qdisc_ticks(peak, qdisc_number(node, TBF_MTU)) : 0 };
	struct nlattr *nest = nl_nest(w, TCA_OPTIONS);

	qdisc_put_rate(&parms.rate, rate);
	if (peak)
		qdisc_put_rate(&parms.peakrate, peak);
	nl_put(w, TCA_TBF_PARMS, &parms, sizeof(parms));
	qdisc_put_rate64(w, TCA_TBF_RATE64, rate);
	qdisc_put_rate64(w, TCA_TBF_PRATE64, peak);
	nl_put_u32(w, TCA_TBF_BURST, qdisc_number(node, TBF_BURST));
	if (peak)
		nl_put_u32(w, TCA_TBF_PBURST, qdisc_number(node, TBF_MTU));
	nl_nest_end(w, nest);
}

static bool get_tbf(struct qdisc_node *node, const struct nlattr *options) {
	const struct nlattr *tb[TCA_TBF_MAX + 1];
	struct tc_tbf_qopt parms = {};

	nl_parse_nested(options, tb, TCA_TBF_MAX);
	if (!qdisc_is_large(tb[TCA_TBF_PARMS], sizeof(parms)))
		return false;
	qdisc_copy(tb[TCA_TBF_PARMS], &parms, sizeof(parms));
	uint64_t rate = nl_get_u64(tb[TCA_TBF_RATE64], parms.rate.rate),
		 peak = nl_get_u64(tb[TCA_TBF_PRATE64], parms.peakrate.rate);
	qdisc_set_wide(node, TBF_RATE, rate);
	qdisc_set_wide(node, TBF_PEAKRATE, peak);
	qdisc_set_number(node, TBF_BURST, qdisc_ticks_size(rate, parms.buffer));
	qdisc_set_number(node, TBF_LIMIT, parms.limit);
	qdisc_set_number(node, TBF_MTU, peak ? qdisc_ticks_size(peak, parms.mtu) : 0);
	return qdisc_is_plain(&parms.rate) && qdisc_is_plain(&parms.peakrate);
}

const struct qdisc_kind qdisc_tbf = {
	QDISC_KIND("tbf", tbf), .doc = "Limits the rate.", .max_children = 1,
	.check = check_tbf,     .round = round_tbf,        .put = put_tbf,
	.get = get_tbf,
};
