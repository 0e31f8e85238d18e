/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mistakes in rules, neighbors and next hops: each is found before anything is changed, and the message says what to write. */
#include "spec-helper.h"

static void check_list(const char *section, const char *entry, const char *expected) {
	_cleanup_free_ char *text =
		xasprintf("namespaces: {a: {interfaces: {e0: {kind: dummy}}, %s: [\n{%s}]}}", section, entry);
	_cleanup_free_ char *line = *expected ? xasprintf("f:2:1: error: %s", expected) : xstrdup("");

	check_diags(text, line);
}

static void test_rules(void **state _unused_) {
	static const char *const mistakes[][2] = {
		{ "from: 10.0.0.0/8, table: 5", "" },
		{ "goto: 300, priority: 200, from: 10.0.0.0/8", "" },
		{ "goto: 300, table: 5", "'goto' replaces 'table', 'l3mdev' and 'type'; write only one of them" },
		{ "goto: 100, priority: 200", "'goto' must lead to a larger priority than the rule's own" },
		{ "from: 10.0.0.0/8", "a rule needs 'table', 'vrf', 'l3mdev: true', 'goto' or a 'type'" },
		{ "l3mdev: true, table: 5", "'l3mdev' replaces 'table'; write only one of them" },
		{ "type: blackhole, table: 5", "a rule of this type does not look in a table; remove 'table' or 'l3mdev'" },
		{ "not: true, table: 5", "'not: true' without a selector never matches" },
		{ "not: true, from: '::/0', tos: 0, fwmark: 0/0, uid-range: 0-4294967294, table: 5",
		  "'not: true' without a selector never matches" },
		{ "from: not 0.0.0.0/0, table: 5", "'not: true' without a selector never matches" },
		{ "tos: 3, table: 5", "the two lowest bits of 'tos' are for ECN and cannot be matched" },
		{ "destination-port: 80, table: 5", "a port needs an 'ip-protocol': tcp, udp or sctp" },
		{ "type: blackhole, from: 10.0.0.0/8, suppress-prefix-length: 0",
		  "a 'suppress-' key needs a rule that looks in a table" },
		{ "state: absent, from: 10.0.0.0/8, table: 5", "'state: absent' needs the rule's 'priority'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++)
		check_list("rules", mistakes[i][0], mistakes[i][1]);
}

static void test_neighbors(void **state _unused_) {
	static const char *const mistakes[][2] = {
		{ "address: 10.0.0.2, mac-address: '02:00:00:00:00:01', dev: e0", "" },
		{ "address: 10.0.0.2, proxy: true, dev: e0", "" },
		{ "address: 10.0.0.2, proxy: true, mac-address: '02:00:00:00:00:01', dev: e0",
		  "with 'proxy' this machine answers itself; remove 'mac-address' and 'state'" },
		{ "address: 10.0.0.2, dev: e0", "a neighbour needs a 'mac-address', or 'proxy: true'" },
		{ "address: 239.0.0.1, mac-address: '02:00:00:00:00:01', dev: e0",
		  "a multicast address cannot be a neighbor: the kernel computes its hardware address" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++)
		check_list("neighbors", mistakes[i][0], mistakes[i][1]);
}

static void test_nexthops(void **state _unused_) {
	static const char *const mistakes[][2] = {
		{ "id: 1, via: 10.0.0.2, dev: e0", "" },
		{ "id: 1, blackhole: true, dev: e0",
		  "a next hop has either 'dev', with or without 'via', or 'blackhole: true', or 'group'" },
		{ "id: 1, via: 10.0.0.2", "a next hop needs 'dev': the interface that the gateway is on" },
		{ "id: 1, dev: e0, on-link: true", "'on-link' needs a gateway; write 'via', or remove it" },
		{ "id: 1, via: 239.0.0.1, dev: e0", "the gateway is a multicast address" },
		{ "id: 1, via: 10.0.0.2, dev: e0, family: ipv6",
		  "'via' and 'family' contradict each other; leave 'family' out" },
		{ "id: 1, via: 10.0.0.2, dev: e0, type: resilient",
		  "'type' is for groups only; write 'group', or remove it" },
		{ "id: 1, via: 10.0.0.2, dev: e0, buckets: 8", "'buckets' and timers are for a group of 'type: resilient'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++)
		check_list("nexthops", mistakes[i][0], mistakes[i][1]);
	check_list("nexthops", "id: 2, family: ipv4, group: [{id: 1}]}, {id: 1, via: 10.0.0.2, dev: e0",
		   "a group has no 'family'; its members have one");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_neighbors),
		cmocka_unit_test(test_nexthops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
