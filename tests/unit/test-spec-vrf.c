/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VRFs in a file: their ports, `vrf` of routes and rules, and the mistakes that people make with them. */
#include "spec-helper.h"

/* The VRFs `v` (table 10) and `w` (20) with the ports p and q; more keys of the namespace stand on line 2. */
static void check_vrf(const char *keys, const char *expected) {
	_cleanup_free_ char *text = xasprintf(
		"namespaces: {a: {interfaces: {v: {kind: vrf, table: 10, ports: p}, w: {kind: vrf, table: 20, ports: q}},\n%s}, "
		"b: {}}\nlinks: [[a:p, b:e0], [a:q, b:e1], [a:r, b:e2]]",
		keys);

	check_diags(text, expected);
}

static void check_interface(const char *keys, const char *expected) {
	_cleanup_free_ char *text = xasprintf(
		"namespaces: {a: {interfaces: {v: {kind: vrf,\n%s}}}, b: {}}\nlinks: [[a:p, b:e0], [a:q, b:e1]]", keys);

	check_diags(text, expected);
}

static void test_tables(void **state _unused_) {
	check_interface("table: 10", "");
	check_interface("table: blue", "");
	check_interface("ports: p", "f:1:34: error: a vrf interface needs 'table'");
	check_interface("table: main", "f:2:8: error: a VRF separates its ports from the tables main and local; give it a "
				       "table of its own, for example 10");
	check_interface(
		"table: 10}, w: {kind: vrf,\ntable: 10",
		"f:3:8: error: another VRF of a has the table 10; each needs its own, or their routes would be mixed\n"
		"f:2:8: note: first here");
	check_diags(
		"namespaces: {a: {interfaces: {v: {kind: vrf, table: 10}}}, b: {interfaces: {v: {kind: vrf, table: 10}}}}",
		"");
	check_interface("table: 10, mtu: 1279",
			"f:2:17: error: the kernel gives a VRF no 'mtu' below 1280; that of its ports may be smaller");
}

static void test_ports(void **state _unused_) {
	check_interface("table: 10, ports: [p, q]", "");
	check_interface("table: 10, ports: [{name: p}]", "");
	check_interface("table: 10, ports: [{name: p, cost: 5}]", "f:2:30: error: unknown key 'cost' in a port of a VRF");
	check_interface("table: 10, ports: lo", "f:2:19: error: 'lo' cannot be a port: it carries no Ethernet frames");
	check_interface(
		"table: 10, ports: p}, w: {kind: vrf, table: 11,\nports: [p, v]",
		"f:3:9: error: p is a port of two controllers\nf:2:19: note: first here\n"
		"f:3:12: error: v is a vrf and cannot be a port of another; connect the two by a link with one end as a port of each");
}

static void test_names(void **state _unused_) {
	check_vrf("routes: [{to: 10.1.0.0/16, dev: p, vrf: v}], rules: [{priority: 5, vrf: w}]", "");
	check_vrf(
		"routes: [{to: 10.1.0.0/16, dev: p, vrf: x}]",
		"f:2:41: error: there is no VRF 'x' in a; declare it under 'interfaces' with 'kind: vrf', or write 'table: NUMBER'");
	check_vrf("routes: [{to: 10.1.0.0/16, dev: p, vrf: p}]", "f:2:41: error: 'p' is a veth and not a VRF");
	check_vrf("rules: [{priority: 5, vrf: v, table: 10}]",
		  "f:2:28: error: 'vrf' replaces 'table'; write only one of them");
	check_vrf("routes: [{to: 10.1.0.0/16, dev: p, vrf: v, table: 10}]",
		  "f:2:41: error: 'vrf' replaces 'table'; write only one of them");
	check_vrf("routes: [{to: 10.1.0.0/16, dev: p, vrf: v}, {to: 10.1.0.0/16, dev: p, table: 10}]", "");
	check_vrf(
		"routes: [{to: 10.1.0.0/16, dev: p, vrf: v}, {to: 10.1.0.0/16, dev: q, table: 10}]",
		"f:2:45: error: a route 10.1.0.0/16 table 10 is declared twice with different values; give one a 'metric' (the "
		"smaller is preferred), or write both as 'nexthops' of one route\nf:2:10: note: first here");
	check_diags("namespaces: {a: {adopt: true, interfaces: {v: {kind: existing}}, rules: [{priority: 5,\nvrf: v}]}}",
		    "f:2:6: error: the file does not say which table the existing interface 'v' has; write 'table: NUMBER'");
}

/* Each VRF may have the same networks; gateways are looked up in its table. */
static void test_same_networks(void **state _unused_) {
#define NETS(more)                                                                                                      \
	"namespaces: {a: {interfaces: {v: {kind: vrf, table: 10, ports: p}, w: {kind: vrf, table: 20, ports: q},\n"     \
	"p: {addresses: 10.0.0.1/24}, q: {addresses: 10.0.0.1/24}, r: {addresses: 10.0.9.1/24}},\n" more                \
	"}, b: {interfaces: {e0: {addresses: 10.0.0.2/24}}}, c: {interfaces: {e1: {addresses: 10.0.0.2/24}}}, d: {}}\n" \
	"links: [[a:p, b:e0], [a:q, c:e1], [a:r, d:e2]]"
	check_diags(NETS("routes: [{to: 10.1.0.0/16, via: 10.0.0.2, vrf: v}, {to: 10.1.0.0/16, via: 10.0.0.2, vrf: w}]"),
		    "");
	check_diags(NETS("routes: [{to: 10.1.0.0/16, via: 10.0.0.2, dev: q}]"), "");
	check_diags(NETS("routes: [{to: 10.1.0.0/16, via: 10.0.0.2}]"),
		    "f:3:33: warning: no declared address of a covers the gateway 10.0.0.2");
	check_diags(
		NETS("routes: [{to: 10.1.0.0/16, via: 10.0.0.1, vrf: v}]"),
		"f:3:33: warning: the gateway 10.0.0.1 is an address of a itself, on p; write that of the router, which is another "
		"host");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_same_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
