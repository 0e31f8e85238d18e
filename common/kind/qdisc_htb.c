/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * htb (net/sched/sch_htb.c): its options, and those of its classes.
 */
#include "kind/qdisc_option.h"

enum { DEFAULT_BURST = 1600 }; /* tc(8)'s */

enum { HTB_R2Q };

static const struct field htb[] = {
	QDISC_OPTION(HTB_R2Q, "r2q", &type_integer, .min = 1, .fallback = "10",
		     .doc = "A class without `quantum` gets its rate in bytes divided by this, but from 1000 to 200000."),
};

uint32_t qdisc_r2q(const struct qdisc_node *node) {
	return node->kind && node->kind->has_classes && qdisc_has(node, HTB_R2Q) ? qdisc_number(node, HTB_R2Q) : 10;
}

static void put_htb(struct nl_writer *w, const struct qdisc_node *node) {
	struct tc_htb_glob init = { .version = 3, .rate2quantum = qdisc_number(node, HTB_R2Q) };
	struct nlattr *nest = nl_nest(w, TCA_OPTIONS);

	init.defcls = qdisc_default_class(node);
	nl_put(w, TCA_HTB_INIT, &init, sizeof(init));
	nl_nest_end(w, nest);
}

static bool get_htb(struct qdisc_node *node, const struct nlattr *options) {
	const struct nlattr *tb[TCA_HTB_MAX + 1];
	struct tc_htb_glob init = {};

	nl_parse_nested(options, tb, TCA_HTB_MAX);
	if (!qdisc_is_large(tb[TCA_HTB_INIT], sizeof(init)))
		return false;
	qdisc_copy(tb[TCA_HTB_INIT], &init, sizeof(init));
	qdisc_set_number(node, HTB_R2Q, init.rate2quantum);
	node->default_class = init.defcls;
	return !tb[TCA_HTB_OFFLOAD];
}

const struct field qdisc_class_fields[CLASS_N_OPTIONS] = {
	QDISC_OPTION(CLASS_RATE, "rate", &type_rate, .flags = FIELD_REQUIRED, .doc = "The rate that the class always gets."),
	QDISC_OPTION(CLASS_CEIL, "ceil", &type_rate,
		     .doc = "The rate up to which it may borrow from the class above while others do not use it; by default "
			    "its rate."),
	QDISC_OPTION(CLASS_BURST, "burst", &type_size, .min = 1,
		     .doc = "How much it may send at once at its rate; 1600 bytes by default."),
	QDISC_OPTION(CLASS_CBURST, "cburst", &type_size, .min = 1,
		     .doc = "How much it may send at once at its ceil; 1600 bytes by default."),
	QDISC_OPTION(CLASS_PRIORITY, "priority", &type_integer, .max = 7, .fallback = "0",
		     .doc = "Which classes may borrow first: those with the smallest number."),
	QDISC_OPTION(CLASS_QUANTUM, "quantum", &type_size, .min = 1, .max = INT32_MAX,
		     .doc = "How much it sends in its turn when it borrows; by default see `r2q`."),
};

static void set_class(struct qdisc_class *class, enum class_option option, uint32_t value) {
	memcpy(&class->values[option], &value, sizeof(value));
	class->set |= field_bit(option);
}

static uint32_t class_number(const struct qdisc_class *class, enum class_option option) {
	uint32_t value;

	memcpy(&value, &class->values[option], sizeof(value));
	return value;
}

/* tc(8)'s burst, and htb_change_class()'s quantum. */
static struct qdisc_class class_defaults(const struct qdisc_class *class, uint32_t r2q) {
	struct qdisc_class defaults = { .values[CLASS_CEIL] = class->values[CLASS_RATE] };
	uint64_t quantum = class->values[CLASS_RATE] / r2q, ceil = class->values[CLASS_RATE];

	if (class->set & field_bit(CLASS_CEIL))
		ceil = class->values[CLASS_CEIL];
	set_class(&defaults, CLASS_BURST,
		  qdisc_ticks_size(class->values[CLASS_RATE], qdisc_ticks(class->values[CLASS_RATE], DEFAULT_BURST)));
	set_class(&defaults, CLASS_CBURST, qdisc_ticks_size(ceil, qdisc_ticks(ceil, DEFAULT_BURST)));
	set_class(&defaults, CLASS_QUANTUM, (uint32_t)(quantum < 1000 ? 1000 : MIN(quantum, 200000)));
	return defaults;
}

void qdisc_round_class(struct qdisc_class *class) {
	uint64_t rate = class->values[CLASS_RATE],
		 ceil = class->set & field_bit(CLASS_CEIL) ? class->values[CLASS_CEIL] : rate;

	if (class->set & field_bit(CLASS_BURST))
		set_class(class, CLASS_BURST, qdisc_ticks_size(rate, qdisc_ticks(rate, class_number(class, CLASS_BURST))));
	if (class->set & field_bit(CLASS_CBURST))
		set_class(class, CLASS_CBURST, qdisc_ticks_size(ceil, qdisc_ticks(ceil, class_number(class, CLASS_CBURST))));
}

void qdisc_reduce_class(struct qdisc_class *class, uint32_t r2q) {
	const struct qdisc_class defaults = class_defaults(class, r2q);

	for (size_t i = CLASS_CEIL; i < CLASS_N_OPTIONS; i++)
		if (field_equal(&qdisc_class_fields[i], class->values, defaults.values) ||
		    (class->n_classes && i >= CLASS_PRIORITY))
			class->set &= ~field_bit(i);
}

struct qdisc_class qdisc_complete_class(const struct qdisc_class *class, uint32_t r2q) {
	const struct qdisc_class defaults = class_defaults(class, r2q);
	struct qdisc_class whole = *class;

	for (size_t i = CLASS_CEIL; i < CLASS_N_OPTIONS; i++)
		if (!(class->set & field_bit(i)))
			whole.values[i] = defaults.values[i];
	return whole;
}

static int compare_classes(const void *a, const void *b) {
	uint32_t x = ((const struct qdisc_class *)a)->id, y = ((const struct qdisc_class *)b)->id;

	return x < y ? -1 : x > y;
}

void qdisc_sort_classes(struct qdisc_class *list, size_t n) {
	if (n)
		qsort(list, n, sizeof(*list), compare_classes);
}

void qdisc_put_class(struct nl_writer *w, const struct qdisc_class *whole) {
	uint64_t rate = whole->values[CLASS_RATE], ceil = whole->values[CLASS_CEIL];
	struct tc_htb_opt parms = { .buffer = qdisc_ticks(rate, class_number(whole, CLASS_BURST)),
				    .cbuffer = qdisc_ticks(ceil, class_number(whole, CLASS_CBURST)),
				    .quantum = class_number(whole, CLASS_QUANTUM),
				    .prio = class_number(whole, CLASS_PRIORITY) };
	struct nlattr *nest = nl_nest(w, TCA_OPTIONS);

	qdisc_put_rate(&parms.rate, rate);
	qdisc_put_rate(&parms.ceil, ceil);
	qdisc_put_rate64(w, TCA_HTB_RATE64, rate);
	qdisc_put_rate64(w, TCA_HTB_CEIL64, ceil);
	nl_put(w, TCA_HTB_PARMS, &parms, sizeof(parms));
	nl_nest_end(w, nest);
}

bool qdisc_get_class(struct qdisc_class *class, const struct nlattr *options) {
	const struct nlattr *tb[TCA_HTB_MAX + 1];
	struct tc_htb_opt parms = {};

	nl_parse_nested(options, tb, TCA_HTB_MAX);
	if (!qdisc_is_large(tb[TCA_HTB_PARMS], sizeof(parms)))
		return false;
	qdisc_copy(tb[TCA_HTB_PARMS], &parms, sizeof(parms));
	uint64_t rate = nl_get_u64(tb[TCA_HTB_RATE64], parms.rate.rate),
		 ceil = nl_get_u64(tb[TCA_HTB_CEIL64], parms.ceil.rate);
	class->values[CLASS_RATE] = rate;
	class->values[CLASS_CEIL] = ceil;
	class->set = field_bit(CLASS_RATE) | field_bit(CLASS_CEIL);
	set_class(class, CLASS_BURST, qdisc_ticks_size(rate, parms.buffer));
	set_class(class, CLASS_CBURST, qdisc_ticks_size(ceil, parms.cbuffer));
	set_class(class, CLASS_PRIORITY, parms.prio);
	set_class(class, CLASS_QUANTUM, parms.quantum);
	return qdisc_is_plain(&parms.rate) && qdisc_is_plain(&parms.ceil);
}

const struct qdisc_kind qdisc_htb = {
	QDISC_KIND("htb", htb), .doc = "Divides a bandwidth between classes, which may borrow from each other.",
	.has_classes = true,    .has_filters = true,
	.fixed = true,          .put = put_htb,
	.get = get_htb,
};
