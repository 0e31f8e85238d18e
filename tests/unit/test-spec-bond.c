/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mistakes with bonds: each is found before anything is changed, and the message says what to write. */
#include "spec-helper.h"

/* The bond `x`, whose keys stand on line 2, with the ports p and q. */
static void check_bond(const char *keys, const char *expected) {
	_cleanup_free_ char *text = xasprintf(
		"namespaces: {a: {interfaces: {x: {kind: bond, ports: [p, q],\n%s}}}, b: {}}\nlinks: [[a:p, b:e0], [a:q, b:e1]]",
		keys);

	check_diags(text, expected);
}

static void check_ports(const char *mode, const char *ports, const char *expected) {
	_cleanup_free_ char *text =
		xasprintf("namespaces: {a: {interfaces: {x: {kind: bond, miimon: 100, mode: %s, ports: \n[%s]}}}, b: {}}\n"
			  "links: [[a:p, b:e0], [a:q, b:e1]]",
			  mode, ports);

	check_diags(text, expected);
}

static void test_modes(void **state _unused_) {
	check_bond("miimon: 100, mode: active-backup", "");
	check_bond("miimon: 100, mode: 1", "f:2:20: error: 'mode' takes a word: write active-backup instead of 1");
	check_bond(
		"miimon: 100, mode: 7",
		"f:2:20: error: unknown mode '7'; it is one of: balance-rr, active-backup, balance-xor, broadcast, 802.3ad, "
		"balance-tlb, balance-alb");
	check_bond("miimon: 100, mode: lacp", "f:2:20: error: unknown mode 'lacp'; did you mean '802.3ad'?");
	/* After a wrong mode nothing is reported about keys that depend on it. */
	check_bond("miimon: 100, mode: 4, lacp-rate: fast",
		   "f:2:20: error: 'mode' takes a word: write 802.3ad instead of 4");
	check_bond("miimon: 100, lacp-rate: fast",
		   "f:2:25: error: 'lacp-rate' needs 'mode: 802.3ad'; the mode is balance-rr");
	check_bond("miimon: 100, mode: 802.3ad, primary: p",
		   "f:2:38: error: 'primary' needs 'mode: active-backup, balance-tlb or balance-alb'; the mode is 802.3ad");
	check_bond("mode: balance-xor, miimon: 100, packets-per-member: 5",
		   "f:2:53: error: 'packets-per-member' needs 'mode: balance-rr'; the mode is balance-xor");
}

static void test_monitors(void **state _unused_) {
	check_bond("mode: active-backup",
		   "f:1:31: warning: nothing checks the ports, and a failed one stays in use; write 'miimon: 100'");
	check_bond("mode: active-backup, miimon: 0", "");
	check_bond("mode: 802.3ad", ""); /* the kernel itself takes 100 */
	check_bond("mode: 802.3ad, up-delay: 200", "");
	check_bond("up-delay: 200, miimon: 0", "f:2:11: error: 'up-delay' needs 'miimon', for example miimon: 100");
	check_bond("miimon: 100ms, down-delay: 250",
		   "f:2:28: error: 'down-delay' must be a multiple of 'miimon', which is 100ms; "
		   "write 300ms");
	check_bond("miimon: 100, arp-interval: 100, arp-ip-targets: 10.0.0.1",
		   "f:2:28: error: a bond checks its ports by 'miimon' or by 'arp-interval', not by both");
	check_bond(
		"arp-interval: 100",
		"f:2:15: error: 'arp-interval' needs 'arp-ip-targets', the addresses to probe; without an answer all ports "
		"count as down");
	check_bond("arp-interval: 100, arp-ip-targets: \"fd00::1\"",
		   "f:2:36: error: 'arp-ip-targets' takes IPv4 addresses; fd00::1 belongs to 'ns-ip6-targets'");
	check_bond("arp-interval: 100, arp-ip-targets: []", "f:2:36: error: 'arp-ip-targets' takes 1 to 16 addresses");
}

static void test_words(void **state _unused_) {
	check_bond("mii-monitor-interval: 100, miimon: 100",
		   "f:2:1: error: unknown key 'mii-monitor-interval' in a bond interface; did you mean 'miimon'?");
	check_bond(
		"miimon: 100, xmit_hash_policy: layer2",
		"f:2:14: error: unknown key 'xmit_hash_policy' in a bond interface; did you mean 'transmit-hash-policy'?");
	check_bond("miimon: 100, slaves: [p]",
		   "f:2:14: error: unknown key 'slaves' in a bond interface; did you mean 'ports'?");
}

static void test_primary(void **state _unused_) {
	check_bond("miimon: 100, mode: active-backup, primary: p", "");
	check_bond("miimon: 100, mode: active-backup, primary: pp",
		   "f:2:44: error: the primary 'pp' is not a port of x; did you mean 'p'?");
	check_bond("miimon: 100, mode: active-backup, primary: b:e0",
		   "f:2:44: error: the primary 'e0' is not a port of x; list it under 'ports'");
}

static void test_ports(void **state _unused_) {
	check_ports("active-backup", "p, {name: q, priority: -5, queue-id: 3}", "");
	check_ports(
		"balance-xor", "{name: p, priority: 5}",
		"f:2:22: error: 'priority' of a port needs 'mode: active-backup, balance-tlb or balance-alb' of the bond");
	check_ports("active-backup", "{name: p, queue-id: 17}",
		    "f:2:22: error: 'queue-id' must be from 0 to 16: x has that many transmit queues ('queues')");
	check_ports("active-backup", "{name: p, queue-id: 1}, {name: q, queue-id: 1}",
		    "f:2:46: error: another port of x has the queue-id 1\nf:2:22: note: first here");
	check_ports("active-backup", "{name: p, cost: 1}", "f:2:12: error: unknown key 'cost' in a port of a bond");
	check_ports("active-backup", "{name: p, priority: high}", "f:2:22: error: 'priority' takes an integer, not 'high'");
}

static void test_addresses(void **state _unused_) {
	check_diags(
		"namespaces: {a: {interfaces: {x: {kind: bond, miimon: 100, ports: p}, p: {\naddresses: 10.0.0.1/24}}}, b: {}}\n"
		"links: [[a:p, b:e0]]",
		"f:2:12: warning: p is a port of x, which receives everything that arrives there: give 10.0.0.1/24 to x");
	check_bond(
		"miimon: 100, mode: active-backup, fail-over-mac: active,\nmac-address: \"02:00:00:00:00:01\"",
		"f:3:14: error: with this 'fail-over-mac' the bond has the MAC address of a port; leave 'mac-address' out");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),   cmocka_unit_test(test_monitors), cmocka_unit_test(test_words),
		cmocka_unit_test(test_primary), cmocka_unit_test(test_ports),    cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
