/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queueing disciplines: mistakes, the canonical text and back, what the kernel keeps, and netem's tables. */
#include "spec-helper.h"

#include <inttypes.h>

#include "kind/qdisc.h"

static void read_entry(struct read_spec *r, const char *entry) {
	_cleanup_free_ char *text = xasprintf("namespaces: {a: {interfaces: {e0: {kind: dummy, %s}}}}", entry);

	spec_from_text(r, text);
}

/* An entry, and the first error. */
static const char *const mistakes[][2] = {
	{ "qdisc: {kind: tbf, rate: 1mbps, burst: 32k, limit: 1k}",
	  "'rate' takes bits per second; '1mbps' means bytes to tc: write 8mbit, or 1mbit if it means bits" },
	{ "qdisc: {kind: tbf, rate: 0bit, burst: 32k, limit: 1k}",
	  "'rate' must be from 8bit to 100000000tbit, not 0bit; a rate of 0 would let nothing pass" },
	{ "qdisc: {kind: tbf, rate: 10, burst: 32k, limit: 1k}", "'rate' needs its unit: write 10bit" },
	{ "qdisc: {kind: tbf, rate: fast, burst: 32k, limit: 1k}",
	  "'rate' takes a rate, not 'fast', for example 800bit, 10mbit or 1.5gbit" },
	{ "qdisc: {kind: tbf, rate: 1mbit, burst: 32x, limit: 1k}",
	  "'burst' takes a size, not '32x', for example 1500, 32k or 2m bytes" },
	{ "qdisc: {kind: tbf, rate: 1mbit, burst: 32k, limit: 5g}", "'limit' must be from 1 to 4294967295 bytes, not 5g" },
	{ "qdisc: {kind: tbf, rate: 1mbit, limit: 1k}", "a tbf qdisc needs 'burst'" },
	{ "qdisc: {kind: tbf, rate: 1mbit, burst: 1k}", "tbf needs 'limit' (bytes that may wait) or 'latency' (how long)" },
	{ "qdisc: {kind: tbf, rate: 1mbit, burst: 1k, limit: 1k, peakrate: 1mbit, mtu: 2k}",
	  "'peakrate' must be above 'rate'" },
	{ "impair: {reorder: 5%}", "'reorder' needs 'delay': a packet overtakes by not being delayed like the others" },
	{ "impair: {jitter: 5ms}", "'jitter' needs 'delay': it is the variation of the delay" },
	{ "impair: {delay: 5ms, distribution: normal}", "'distribution' needs 'delay' and 'jitter'" },
	{ "impair: {loss: 5}", "'loss' takes a percentage: write 5%" },
	{ "impair: {loss: 101%}", "'loss' must be from 0% to 100%, not 101%" },
	{ "impair: {loss: 5%}, qdisc: pfifo",
	  "'qdisc' and 'impair' are both the interface's root qdisc: write 'qdisc: {kind: ..., children: [...]}' if "
	  "both are needed, with {kind: netem} as one of them" },
	{ "impair: 100ms", "impair must be a mapping of keys, not a string" },
	{ "qdisc: {kind: noqueue, children: [pfifo]}", "noqueue has no children" },
	{ "qdisc: {kind: tbf, rate: 1mbit, burst: 1k, limit: 1k, children: [pfifo, pfifo]}", "tbf has at most 1 children" },
	{ "qdisc: {kind: htb, children: [pfifo]}", "htb has no children; its 'classes' have a 'qdisc' each" },
	{ "qdisc: {kind: prio, classes: [{id: 1, rate: 1mbit}]}",
	  "prio has no classes; htb has, and 'children' are the qdiscs below this one" },
	{ "qdisc: {kind: prio, children: [mq]}", "mq can only be an interface's own qdisc, not below another one" },
	{ "qdisc: {kind: prio, bands: 2}", "with fewer than 3 bands write 'priomap', too: its default has band 2" },
	{ "qdisc: {kind: htb, default: 10}",
	  "'default' is not a key of a qdisc: write 'default: true' in the class for packets that no filter matches" },
	{ "qdisc: {kind: pfifo, parent: '1:1'}",
	  "'parent' is not a key of a qdisc: the place of a qdisc determines its parent: write it in the parent's "
	  "'children', or as 'qdisc' of a class" },
	{ "qdisc: {kind: htb, classes: [{id: '1:10', rate: 1mbit, default: true}]}",
	  "'id' is only the number of the class, in decimal: for tc's 1:10 write 16" },
	{ "qdisc: {kind: htb, classes: [{rate: 1mbit, default: true}]}",
	  "a class needs 'id', a number that no other class of this qdisc has" },
	{ "qdisc: {kind: htb, classes: [{id: 1, rate: 5mbit, ceil: 1mbit, default: true}]}",
	  "the 'ceil' of a class must be at least its 'rate': it includes what the class borrows" },
	{ "qdisc: {kind: htb, classes: [{id: 1, rate: 5mbit, default: true}, {id: 1, rate: 1mbit}]}",
	  "the id 1 is that of another class, too" },
	{ "qdisc: {kind: htb, classes: [{id: 1, rate: 5mbit, default: true}, {id: 2, rate: 1mbit, default: true}]}",
	  "only one class can have 'default: true'" },
	{ "qdisc: {kind: htb, classes: [{id: 1, rate: 5mbit, default: true, classes: [{id: 2, rate: 1mbit}]}]}",
	  "a class with classes below it takes no packets; write 'default: true' in one of those below" },
	{ "qdisc: {kind: htb, classes: [{id: 1, rate: 5mbit, default: true}], filters: [{fwmark: 5, class: 9}]}",
	  "there is no class with the id 9" },
	{ "qdisc: {kind: prio, filters: [{port: 5, class: 1}]}",
	  "a port belongs to a protocol: write 'protocol: tcp' or 'protocol: udp', too" },
	{ "qdisc: {kind: prio, filters: [{class: 1}]}",
	  "a filter needs something to match; packets that no filter matches go to the class with 'default: true'" },
	{ "qdisc: {kind: prio, filters: [{fwmark: 5, protocol: tcp, class: 1}]}",
	  "'fwmark' cannot be combined: let a rule of the namespace's 'filter' match the rest and set the mark ('mark')" },
	{ "qdisc: {kind: prio, filters: [{source: 10.0.0.0/8, destination: 'fd00::/8', class: 1}]}",
	  "a filter cannot match IPv4 and IPv6 at once; write two" },
	{ "qdisc: {kind: prio, filters: [{protocol: tcp, port: 5, flowid: 1}]}",
	  "unknown key 'flowid' in a filter; did you mean 'class'?" },
	{ "qdisc: {kind: ingress}",
	  "'ingress' is not a kind of qdisc here: incoming traffic is limited by 'police: {rate: 10mbit, burst: 100k}' on "
	  "the interface" },
	{ "qdisc: {kind: drr}",
	  "unknown kind of qdisc 'drr'; it is one of: bfifo, cake, fq, fq_codel, htb, mq, netem, noqueue, pfifo, "
	  "prio, sfq, tbf" },
	{ "qdisc: fq_codle", "unknown kind of qdisc 'fq_codle'; did you mean 'fq_codel'?" },
	{ "qdisc: [pfifo]", "a qdisc needs its 'kind', for example {kind: fq_codel}" },
	{ "qdisc: ~", "'qdisc' has no value; leave the key out for the kernel's default" },
	{ "qdisc: {kind: fq, buckets: 1000}", "'buckets' is a power of two: 256, 1024, 4096" },
	{ "police: {rate: 1mbit}", "police needs 'burst'" },
};

static void test_mistakes(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		_spec_ r;
		const char *first = NULL;

		read_entry(&r, mistakes[i][0]);
		vec_foreach(diag, &r.diags.list)
			if (!first && diag->severity == SEVERITY_ERROR)
				first = diag->text;
		if (!first)
			fail_msg("no error: %s", mistakes[i][0]);
		assert_string_equal(first, mistakes[i][1]);
	}
}

static void test_warns_of_unlimited(void **state _unused_) {
	_spec_ r;

	read_entry(&r, "qdisc: {kind: htb, classes: [{id: 1, rate: 1mbit}]}");
	assert_int_equal(r.diags.n_errors, 0);
	assert_int_equal(r.diags.n_warnings, 1);
	assert_string_equal(r.diags.list.items[0].text,
			    "no class has 'default: true', so packets that no filter matches are sent at once, without a "
			    "limit");
}

static const struct qdisc *declared(const struct read_spec *r) {
	ns_foreach(object, state_find(&r->spec.state, "a"))
		if (object->kind == &kind_qdisc)
			return (const struct qdisc *)object;
	fail_msg("there is no qdisc");
	abort();
}

/* The declared and the canonical text: without defaults, in the units of the language. */
static const char *const texts[][2] = {
	{ "qdisc: noqueue", "{kind: noqueue}" },
	{ "qdisc: {kind: tbf, rate: 1000kbit, burst: 32768, latency: 50ms}",
	  "{kind: tbf, rate: 1mbit, burst: 32k, limit: 39018}" },
	{ "qdisc: {kind: fq_codel, target: 5000us, limit: 10240, ecn: no}", "{kind: fq_codel, ecn: false}" },
	{ "qdisc: {kind: cake, bandwidth: 0.5gbit, nat: yes, overhead: -4}",
	  "{kind: cake, bandwidth: 500mbit, nat: true, overhead: -4}" },
	{ "impair: {delay: 0.1s, loss: 0.50%, jitter: 10ms, distribution: normal}", NULL },
	{ "impair: {delay: 100ms, loss: 0.50%, jitter: 10000us, distribution: normal, rate: 1.5mbit}",
	  "{kind: netem, delay: 100ms, jitter: 10ms, loss: 0.5%, rate: 1500kbit}" },
	{ "impair: {delay: 1s, reorder: 33.3333%, correlation: 0%}", NULL },
	{ "impair: {delay: 1s, reorder: 33.3333%}", "{kind: netem, delay: 1s, reorder: 33.3333%, gap: 1}" },
	{ "qdisc: {kind: prio, children: [pfifo, none, {kind: bfifo, limit: 1k}], filters: {protocol: icmp, class: 1}}",
	  "{kind: prio, children: [{kind: pfifo}, none, {kind: bfifo, limit: 1k}], filters: [{protocol: icmp, family: ipv4, "
	  "class: 1}]}" },
	{ "qdisc: {kind: htb, classes: [{id: 2, rate: 2mbit, ceil: 2mbit, burst: 1600}, {id: 1, rate: 8mbit, default: true, "
	  "qdisc: sfq}], filters: [{fwmark: 0x13/0xf, class: 2}, {destination: '::/0', class: 1}]}",
	  "{kind: htb, classes: [{id: 1, rate: 8mbit, default: true, qdisc: {kind: sfq}}, {id: 2, rate: 2mbit}], filters: [{fwmark: "
	  "0x3/0xf, class: 2}, {family: ipv6, class: 1}]}" },
};

static void test_texts(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(arena_done) struct arena arena = {};
		_spec_ r;

		read_entry(&r, texts[i][0]);
		assert_int_equal(r.diags.n_errors == 0, texts[i][1] != NULL);
		if (!texts[i][1])
			continue;
		assert_string_equal(declared(&r)->text, texts[i][1]);
		const struct qdisc_node *again = qdisc_from_text(&arena, texts[i][1]);
		assert_non_null(again);
		assert_string_equal(qdisc_text(&arena, again), texts[i][1]);
	}
}

/* An end with its own qdisc has only that. */
static void test_both_ends(void **state _unused_) {
	_spec_ r;
	size_t n = 0;

	good_spec(
		&r,
		"namespaces: {a: {interfaces: {x: {qdisc: pfifo}}}, b: {}}\n"
		"links: [{endpoints: ['a:x', 'b:x'], impair: {delay: 5ms}}, {endpoints: ['a:w', 'b:w'], impair: {loss: 1%}}]");
	state_foreach(ns, &r.spec.state)
		ns_foreach(object, ns) {
			const struct qdisc *qdisc = (const struct qdisc *)object;

			if (object->kind != &kind_qdisc)
				continue;
			assert_string_equal(qdisc->text, streq(qdisc->dev, "w")   ? "{kind: netem, loss: 1%}"
							 : streq(object->ns, "a") ? "{kind: pfifo}"
										  : "{kind: netem, delay: 5ms}");
			n++;
		}
	assert_int_equal(n, 4);
}

/* topod reads back what it writes, if the kernel keeps it; a latency is written as a limit. */
static void test_options_there_and_back(void **state _unused_) {
	for (const struct qdisc_kind *const *k = qdisc_kinds; *k; k++) {
		const struct qdisc_kind *kind = *k;
		_cleanup_(nl_writer_done) struct nl_writer w = {};
		struct qdisc_node node = { .kind = kind, .name = kind->name }, back = node;
		const struct nlattr *tb[TCA_OPTIONS + 1];
		_cleanup_text_ struct text text = {};

		/* Fallbacks, and, for options without one, a number that may be of any type. */
		for (size_t i = 0; i < kind->n_options; i++)
			if (!kind->options[i].fallback && !(kind->options[i].flags & FIELD_HIDDEN)) {
				uint32_t value = 70;

				memcpy(&node.values[i], &value, sizeof(value));
				node.set |= field_bit(i);
			}
		const struct qdisc_node whole = qdisc_complete(&node, NULL, 0, 0);
		(void)qdisc_begin(&w, RTM_NEWQDISC, 0, 1, TC_H_ROOT, QDISC_HANDLE_FIRST);
		nl_put_text(&w, TCA_KIND, kind->name);
		qdisc_put_options(&w, &whole);
		assert_false(w.overflow);
		nl_parse(w.messages.items[0], sizeof(struct tcmsg), tb, TCA_OPTIONS);
		if (!tb[TCA_OPTIONS] || streq(kind->name, "fq_codel")) /* whose times the kernel rounds */
			continue;
		assert_true(qdisc_get_options(&back, tb[TCA_OPTIONS]));
		for (size_t i = 0; i < kind->n_options; i++)
			if (node.set >> i & 1 && back.values[i] != node.values[i] &&
			    !streq(kind->options[i].name, "latency"))
				fail_msg("%s: %s is %" PRIu64, kind->name, kind->options[i].name, back.values[i]);
		qdisc_reduce(&back);
		for (size_t i = 0; i < kind->n_options; i++)
			if (back.set >> i & 1 && !(node.set >> i & 1))
				fail_msg("%s: %s is not the fallback", kind->name, kind->options[i].name);
	}
}

static void test_bursts_are_stable(void **state _unused_) {
	static const uint64_t rates[] = { 1, 100, 125000, 12500000, 1250000000, 5000000000, 50000000000 };

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		for (uint32_t size = 1; size < 10000000; size = size * 3 + 1) {
			uint32_t ticks = qdisc_ticks(rates[i], size), kept = qdisc_ticks_size(rates[i], ticks);

			if (ticks == UINT32_MAX)
				continue;
			assert_int_equal(qdisc_ticks(rates[i], kept), ticks);
			assert_true(kept <= size);
		}
}

static void test_distributions(void **state _unused_) {
	int16_t table[NETEM_TABLE_SIZE];

	for (int d = NETEM_UNIFORM; d <= NETEM_PARETONORMAL; d++) {
		double sum = 0, squares = 0;

		netem_table((enum netem_distribution)d, table);
		for (size_t i = 0; i < NETEM_TABLE_SIZE; i++) {
			assert_true(i == 0 || table[i] >= table[i - 1]);
			sum += table[i];
			squares += (double)table[i] * table[i];
		}
		/* The mean is the delay, up to what the table cuts off; the deviation is near the jitter. */
		assert_true(sum / NETEM_TABLE_SIZE > -300 && sum / NETEM_TABLE_SIZE < 300);
		assert_true(squares / NETEM_TABLE_SIZE > 4000.0 * 4000.0 && squares / NETEM_TABLE_SIZE < 9000.0 * 9000.0);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_warns_of_unlimited),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_both_ends),
		cmocka_unit_test(test_options_there_and_back),
		cmocka_unit_test(test_bursts_are_stable),
		cmocka_unit_test(test_distributions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
