/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kinds with a queue for each flow: fq_codel, fq, cake, sfq (net/sched/sch_*.c). Most options are an attribute each.
 */
#include "kind/qdisc_option.h"

/* fq_codel. */

enum {
	CODEL_LIMIT,
	CODEL_FLOWS,
	CODEL_TARGET,
	CODEL_INTERVAL,
	CODEL_QUANTUM,
	CODEL_ECN,
	CODEL_CE,
	CODEL_MEMORY,
	CODEL_BATCH
};

static const struct field fq_codel[] = {
	QDISC_OPTION(CODEL_LIMIT, "limit", &type_integer, .min = 1, .max = INT32_MAX, .fallback = "10240",
		     .attr = TCA_FQ_CODEL_LIMIT, .doc = "How many packets may wait in all."),
	QDISC_OPTION(CODEL_FLOWS, "flows", &type_integer, .min = 1, .max = 65536, .fallback = "1024",
		     .attr = TCA_FQ_CODEL_FLOWS, .doc = "Number of queues; a change recreates the qdisc."),
	QDISC_OPTION(CODEL_TARGET, "target", &type_duration, USEC, .max = 1000000000, .fallback = "5ms",
		     .attr = TCA_FQ_CODEL_TARGET, .doc = "How long packets may wait in the long run."),
	QDISC_OPTION(CODEL_INTERVAL, "interval", &type_duration, USEC, .max = 1000000000, .fallback = "100ms",
		     .attr = TCA_FQ_CODEL_INTERVAL, .doc = "How long the wait may exceed that before packets are dropped."),
	QDISC_OPTION(CODEL_QUANTUM, "quantum", &type_size, .min = 256, .max = 1 << 20, .attr = TCA_FQ_CODEL_QUANTUM,
		     .doc = "How much a queue sends in its turn; by default a frame of the MTU."),
	QDISC_OPTION(CODEL_ECN, "ecn", &type_bool, .fallback = "true", .attr = TCA_FQ_CODEL_ECN,
		     .doc = "Whether packets with ECN are marked instead of dropped."),
	QDISC_OPTION(CODEL_CE, "ce-threshold", &type_duration, USEC, .max = 1000000000, .attr = TCA_FQ_CODEL_CE_THRESHOLD,
		     .doc = "How long packets may wait before they are marked; not at all by default."),
	QDISC_OPTION(CODEL_MEMORY, "memory-limit", &type_size, .min = 1, .fallback = "32m",
		     .attr = TCA_FQ_CODEL_MEMORY_LIMIT, .doc = "How much memory the waiting packets may take."),
	QDISC_OPTION(CODEL_BATCH, "drop-batch", &type_integer, .min = 1, .max = UINT16_MAX, .fallback = "64",
		     .attr = TCA_FQ_CODEL_DROP_BATCH_SIZE, .doc = "How many packets are dropped at once over the limit."),
};
static const enum qdisc_default fq_codel_defaults[ARRAY_SIZE(fq_codel)] = {
	[CODEL_QUANTUM] = QDISC_BY_MTU, [CODEL_CE] = QDISC_OFF
};

/* Times are kept in units of 1024 ns, and shown in microseconds: CODEL_SHIFT, include/net/codel.h. */
static uint32_t codel_keeps(uint64_t usec) {
	return (uint32_t)(((usec * 1000 >> 10) << 10) / 1000);
}

/* The time that the kernel shows, as it was most likely written: 5 ms for 4999 us. */
static uint32_t shown_codel_time(uint32_t kept) {
	return codel_keeps((uint64_t)kept + 1) == kept ? kept + 1 : kept;
}

static void each_codel_time(struct qdisc_node *node, bool keep) {
	static const uint8_t times[] = { CODEL_TARGET, CODEL_INTERVAL, CODEL_CE };

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		uint32_t usec = qdisc_number(node, times[i]);

		if (qdisc_has(node, times[i]))
			qdisc_set_number(node, times[i], shown_codel_time(keep ? codel_keeps(usec) : usec));
	}
}

static void round_fq_codel(struct qdisc_node *node) {
	each_codel_time(node, true);
}

static void show_fq_codel(struct qdisc_node *node) {
	each_codel_time(node, false);
}

const struct qdisc_kind qdisc_fq_codel = {
	QDISC_KIND("fq_codel", fq_codel), .doc = "A queue for each flow, kept short by dropping early.",
	.defaults = fq_codel_defaults,    .fixed_set = 1 << CODEL_FLOWS,
	.round = round_fq_codel,          .show = show_fq_codel,
};

/* fq. */

enum {
	FQ_LIMIT,
	FQ_FLOW_LIMIT,
	FQ_QUANTUM,
	FQ_INITIAL,
	FQ_PACING,
	FQ_MAXRATE,
	FQ_BUCKETS,
	FQ_ORPHAN,
	FQ_LOW,
	FQ_CE,
	FQ_HORIZON,
	FQ_HORIZON_DROP
};

static const struct field fq[] = {
	QDISC_OPTION(FQ_LIMIT, "limit", &type_integer, .min = 1, .max = INT32_MAX, .fallback = "10000",
		     .attr = TCA_FQ_PLIMIT, .doc = "How many packets may wait in all."),
	QDISC_OPTION(FQ_FLOW_LIMIT, "flow-limit", &type_integer, .min = 1, .max = INT32_MAX, .fallback = "100",
		     .attr = TCA_FQ_FLOW_PLIMIT, .doc = "How many packets of a flow may wait."),
	QDISC_OPTION(FQ_QUANTUM, "quantum", &type_size, .min = 1, .max = 1 << 20, .attr = TCA_FQ_QUANTUM,
		     .doc = "How much a flow sends in its turn; by default two frames of the MTU."),
	QDISC_OPTION(FQ_INITIAL, "initial-quantum", &type_size, .min = 1, .max = INT32_MAX, .attr = TCA_FQ_INITIAL_QUANTUM,
		     .doc = "How much a new flow sends first; by default ten frames of the MTU."),
	QDISC_OPTION(FQ_PACING, "pacing", &type_bool, .fallback = "true", .attr = TCA_FQ_RATE_ENABLE,
		     .doc = "Whether the rates that sockets request are kept."),
	QDISC_OPTION(FQ_MAXRATE, "maxrate", &type_rate, .fallback = "none", .attr = TCA_FQ_FLOW_MAX_RATE,
		     .doc = "The largest rate of a flow."),
	QDISC_OPTION(FQ_BUCKETS, "buckets", &type_integer, .min = 1, .max = 256 * 1024, .fallback = "1024",
		     .form = FORM_SHARED, .attr = TCA_FQ_BUCKETS_LOG, .doc = "Size of the table of flows, a power of two."),
	QDISC_OPTION(FQ_ORPHAN, "orphan-mask", &type_integer, .fallback = "1023", .attr = TCA_FQ_ORPHAN_MASK,
		     .doc = "The number of flows for packets without a socket, less one."),
	QDISC_OPTION(FQ_LOW, "low-rate-threshold", &type_rate, .fallback = "550kbit", .attr = TCA_FQ_LOW_RATE_THRESHOLD,
		     .doc = "Below this rate each packet is paced by itself."),
	QDISC_OPTION(FQ_CE, "ce-threshold", &type_duration, USEC, .max = 1000000000, .attr = TCA_FQ_CE_THRESHOLD,
		     .doc = "How long packets may wait before they are marked; not at all by default."),
	QDISC_OPTION(FQ_HORIZON, "horizon", &type_duration, USEC, .min = 1, .fallback = "10s", .attr = TCA_FQ_HORIZON,
		     .doc = "How far in the future a packet may ask to be sent."),
	QDISC_OPTION(FQ_HORIZON_DROP, "horizon-drop", &type_bool, .fallback = "true", .attr = TCA_FQ_HORIZON_DROP,
		     .form = FORM_U8, .doc = "Whether packets beyond the horizon are dropped, instead of sent at it."),
};
static const enum qdisc_default fq_defaults[ARRAY_SIZE(fq)] = {
	[FQ_QUANTUM] = QDISC_BY_MTU_2, [FQ_INITIAL] = QDISC_BY_MTU_10, [FQ_CE] = QDISC_OFF
};

static bool check_fq(struct parse *p, struct qdisc_node *node, const struct position *positions) {
	uint32_t buckets = qdisc_number(node, FQ_BUCKETS);

	if (qdisc_has(node, FQ_BUCKETS) && (buckets & (buckets - 1)))
		return qdisc_refuse(p, positions[FQ_BUCKETS], "'buckets' is a power of two: 256, 1024, 4096");
	return true;
}

const struct qdisc_kind qdisc_fq = {
	QDISC_KIND("fq", fq),
	.doc = "A queue for each flow, sent at the rate that its socket asks for.",
	.defaults = fq_defaults,
	.check = check_fq,
};

/* cake. */

enum {
	CAKE_BANDWIDTH,
	CAKE_AUTORATE,
	CAKE_DIFFSERV,
	CAKE_FLOWS,
	CAKE_NAT,
	CAKE_WASH,
	CAKE_INGRESS_MODE,
	CAKE_ACK,
	CAKE_SPLIT,
	CAKE_RTT,
	CAKE_ATM_MODE,
	CAKE_OVERHEAD,
	CAKE_MPU_SIZE,
	CAKE_MEMORY,
	CAKE_FWMARK,
	CAKE_IS_RAW
};

/* linux/pkt_sched.h: CAKE_FLOW_*, CAKE_DIFFSERV_*, CAKE_ACK_*, CAKE_ATM_* */
static const struct enum_name cake_flows[] = {
	{ "flowblind", 0 },    { "srchost", 1 },        { "dsthost", 2 },
	{ "hosts", 3 },        { "flows", 4 },          { "dual-srchost", 5 },
	{ "dual-dsthost", 6 }, { "triple-isolate", 7 }, {},
};
static const struct enum_name cake_diffserv[] = {
	{ "diffserv3", 0 }, { "diffserv4", 1 }, { "diffserv8", 2 }, { "besteffort", 3 }, { "precedence", 4 }, {},
};
static const struct enum_name cake_ack[] = { { "none", 0 }, { "filter", 1 }, { "aggressive", 2 }, {} };
static const struct enum_name cake_atm[] = { { "noatm", 0 }, { "atm", 1 }, { "ptm", 2 }, {} };

static const struct field cake[] = {
	QDISC_OPTION(CAKE_BANDWIDTH, "bandwidth", &type_rate, .fallback = "none", .attr = TCA_CAKE_BASE_RATE64,
		     .form = FORM_U64, .doc = "The bandwidth; without it, cake only orders the packets."),
	QDISC_OPTION(CAKE_AUTORATE, "autorate-ingress", &type_bool, .fallback = "false", .attr = TCA_CAKE_AUTORATE,
		     .doc = "Whether the bandwidth is estimated from what arrives."),
	QDISC_OPTION(CAKE_DIFFSERV, "diffserv", &type_enum, .names = cake_diffserv, .fallback = "diffserv3",
		     .attr = TCA_CAKE_DIFFSERV_MODE, .doc = "The DSCP classes by which packets are ordered."),
	QDISC_OPTION(CAKE_FLOWS, "flow-mode", &type_enum, .names = cake_flows, .fallback = "triple-isolate",
		     .attr = TCA_CAKE_FLOW_MODE, .doc = "What the bandwidth is divided between evenly."),
	QDISC_OPTION(CAKE_NAT, "nat", &type_bool, .fallback = "false", .attr = TCA_CAKE_NAT,
		     .doc = "Whether hosts are distinguished by their addresses before NAT."),
	QDISC_OPTION(CAKE_WASH, "wash", &type_bool, .fallback = "false", .attr = TCA_CAKE_WASH,
		     .doc = "Whether DSCP is cleared."),
	QDISC_OPTION(CAKE_INGRESS_MODE, "ingress", &type_bool, .fallback = "false", .attr = TCA_CAKE_INGRESS,
		     .doc = "Whether this shapes received packets: dropped packets then count too."),
	QDISC_OPTION(CAKE_ACK, "ack-filter", &type_enum, .names = cake_ack, .fallback = "none", .attr = TCA_CAKE_ACK_FILTER,
		     .doc = "Whether superfluous TCP acknowledgements are dropped."),
	QDISC_OPTION(CAKE_SPLIT, "split-gso", &type_bool, .fallback = "true", .attr = TCA_CAKE_SPLIT_GSO,
		     .doc = "Whether large segments are split into packets."),
	QDISC_OPTION(CAKE_RTT, "rtt", &type_duration, USEC, .min = 1, .fallback = "100ms", .attr = TCA_CAKE_RTT,
		     .doc = "Round-trip time of the paths."),
	QDISC_OPTION(CAKE_ATM_MODE, "atm", &type_enum, .names = cake_atm, .fallback = "noatm", .attr = TCA_CAKE_ATM,
		     .doc = "How the link below frames packets."),
	QDISC_OPTION(CAKE_OVERHEAD, "overhead", &type_signed, .form = FORM_S32, .attr = TCA_CAKE_OVERHEAD,
		     .doc = "Bytes that the link below adds to each IP packet, -64 to 256."),
	QDISC_OPTION(CAKE_MPU_SIZE, "mpu", &type_integer, .max = 256, .fallback = "0", .attr = TCA_CAKE_MPU,
		     .doc = "The minimum size of a packet on the link below."),
	QDISC_OPTION(CAKE_MEMORY, "memory-limit", &type_size, .fallback = "0", .attr = TCA_CAKE_MEMORY,
		     .doc = "How much memory the waiting packets may take; 0: as the bandwidth needs."),
	QDISC_OPTION(CAKE_FWMARK, "fwmark", &type_integer, .fallback = "0", .attr = TCA_CAKE_FWMARK,
		     .doc = "Mask of the packet's mark that chooses the class."),
	/* Shown instead of no overhead. */
	QDISC_OPTION(CAKE_IS_RAW, "raw", &type_integer, .flags = FIELD_HIDDEN, .attr = TCA_CAKE_RAW),
};

static void show_cake(struct qdisc_node *node) {
	if (qdisc_has(node, CAKE_IS_RAW))
		node->set &= ~(field_bit(CAKE_IS_RAW) | field_bit(CAKE_OVERHEAD));
}

static bool check_cake(struct parse *p, struct qdisc_node *node, const struct position *positions) {
	int32_t overhead = (int32_t)qdisc_number(node, CAKE_OVERHEAD);

	if (qdisc_has(node, CAKE_OVERHEAD) && (overhead < -64 || overhead > 256))
		return qdisc_refuse(p, positions[CAKE_OVERHEAD], "'overhead' must be from -64 to 256");
	return true;
}

/* Without an overhead, cake counts packets as they are; but the kernel shows an overhead. */
static void put_cake(struct nl_writer *w, const struct qdisc_node *node) {
	struct nlattr *nest = nl_nest(w, TCA_OPTIONS);

	qdisc_put_attributes(w, node);
	if (!qdisc_has(node, CAKE_OVERHEAD)) {
		nl_put_u32(w, TCA_CAKE_OVERHEAD, 0);
		nl_put_u32(w, TCA_CAKE_RAW, 0);
	}
	nl_nest_end(w, nest);
}

const struct qdisc_kind qdisc_cake = {
	QDISC_KIND("cake", cake), .doc = "Shapes, divides the bandwidth between hosts and flows, and keeps queues short.",
	.check = check_cake,      .put = put_cake,
	.show = show_cake,
};

/* sfq. */

enum { SFQ_LIMIT, SFQ_FLOWS, SFQ_PERTURB, SFQ_QUANTUM, SFQ_DIVISOR };

static const struct field sfq[] = {
	QDISC_OPTION(SFQ_LIMIT, "limit", &type_integer, .min = 2, .max = 65408, .fallback = "127",
		     .doc = "How many packets may wait in all."),
	QDISC_OPTION(SFQ_FLOWS, "flows", &type_integer, .min = 1, .max = 65408, .fallback = "127", .doc = "The most flows."),
	QDISC_OPTION(SFQ_PERTURB, "perturb", &type_duration, .unit = 1, .max = INT32_MAX / 1000, .fallback = "0s",
		     .doc = "How often flows are divided into queues again; 0: never."),
	QDISC_OPTION(SFQ_QUANTUM, "quantum", &type_size, .min = 1, .max = INT32_MAX,
		     .doc = "How much a flow sends in its turn; by default a frame of the MTU."),
	QDISC_OPTION(SFQ_DIVISOR, "divisor", &type_integer, .min = 1, .max = 65536, .fallback = "1024",
		     .doc = "Size of the table of flows, a power of two."),
};
static const enum qdisc_default sfq_defaults[ARRAY_SIZE(sfq)] = { [SFQ_QUANTUM] = QDISC_BY_MTU };

static bool check_sfq(struct parse *p, struct qdisc_node *node, const struct position *positions) {
	uint32_t divisor = qdisc_number(node, SFQ_DIVISOR);

	if (qdisc_has(node, SFQ_DIVISOR) && (divisor & (divisor - 1)))
		return qdisc_refuse(p, positions[SFQ_DIVISOR], "'divisor' is a power of two: 256, 1024, 4096");
	return true;
}

/* sfq_change(): at most 127 packets for each flow; and no more flows than packets, or than entries of the table. */
static void round_sfq(struct qdisc_node *node) {
	uint32_t limit = qdisc_has(node, SFQ_LIMIT) ? qdisc_number(node, SFQ_LIMIT) : 127,
		 flows = qdisc_has(node, SFQ_FLOWS) ? qdisc_number(node, SFQ_FLOWS) : 127,
		 divisor = qdisc_has(node, SFQ_DIVISOR) ? qdisc_number(node, SFQ_DIVISOR) : 1024;

	flows = MIN(flows, divisor);
	limit = MIN(limit, 127 * flows);
	qdisc_set_number(node, SFQ_LIMIT, limit);
	qdisc_set_number(node, SFQ_FLOWS, MIN(flows, limit));
}

static void put_sfq(struct nl_writer *w, const struct qdisc_node *node) {
	const struct tc_sfq_qopt sfq_options = { .quantum = qdisc_number(node, SFQ_QUANTUM),
						 .perturb_period = (int)qdisc_number(node, SFQ_PERTURB),
						 .limit = qdisc_number(node, SFQ_LIMIT),
						 .divisor = qdisc_number(node, SFQ_DIVISOR),
						 .flows = qdisc_number(node, SFQ_FLOWS) };

	nl_put(w, TCA_OPTIONS, &sfq_options, sizeof(sfq_options));
}

static bool get_sfq(struct qdisc_node *node, const struct nlattr *options) {
	struct tc_sfq_qopt_v1 all = {};

	if (!qdisc_is_large(options, sizeof(all.v0)))
		return false;
	qdisc_copy(options, &all, sizeof(all));
	qdisc_set_number(node, SFQ_LIMIT, all.v0.limit);
	qdisc_set_number(node, SFQ_FLOWS, all.v0.flows);
	qdisc_set_number(node, SFQ_PERTURB, (uint32_t)all.v0.perturb_period);
	qdisc_set_number(node, SFQ_QUANTUM, all.v0.quantum);
	qdisc_set_number(node, SFQ_DIVISOR, all.v0.divisor);
	return !all.qth_min && !all.qth_max && !all.headdrop;
}

const struct qdisc_kind qdisc_sfq = {
	QDISC_KIND("sfq", sfq),   .doc = "Queues in turn, one for each flow. A change of an option recreates the qdisc.",
	.defaults = sfq_defaults, .fixed = true,
	.round = round_sfq,       .check = check_sfq,
	.put = put_sfq,           .get = get_sfq,
};
