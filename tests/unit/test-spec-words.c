/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of other programs, and objects that the kernel already has: the exact messages. */
#include "spec-helper.h"

#include "kind/dns.h"

/* The connected route of an address is in the table too. */
static void test_connected_routes(void **state _unused_) {
	static const struct {
		const char *route, *expected;
	} rows[] = {
		{ "{to: 10.0.0.0/24, via: 10.1.0.9}",
		  "f:2:6: error: the address 10.0.0.1/24 of x already adds a route to 10.0.0.0/24; give "
		  "this one another 'metric', or write that address as {address: 10.0.0.1/24, "
		  "noprefixroute: true}\n"
		  "f:1:95: note: the address is here" },
		{ "{to: 10.0.0.0/24, dev: x, mtu: 1400}",
		  "f:2:6: error: the address 10.0.0.1/24 of x already adds a route to 10.0.0.0/24; give "
		  "this one another 'metric', or write that address as {address: 10.0.0.1/24, "
		  "noprefixroute: true}\n"
		  "f:1:95: note: the address is here" },
		{ "{to: \"fd00::/64\", dev: z, metric: 256}",
		  "f:2:6: error: the address fd00::1/64 of x already adds a route to fd00::/64; give this "
		  "one another 'metric', or write that address as {address: fd00::1/64, noprefixroute: "
		  "true}\n"
		  "f:1:108: note: the address is here" },
		/* The same, or elsewhere. */
		{ "{to: 10.0.0.0/24, dev: x}, {to: 10.1.0.0/24, dev: z, src: 10.1.0.1}", "" },
		{ "{to: 10.0.0.0/24, via: 10.1.0.2, metric: 5}, {to: 10.0.0.0/24, via: 10.1.0.2, table: 7}, {to: 10.0.0.0/25, via: 10.1.0.2}",
		  "" },
		{ "{to: \"fd00::/64\", dev: z}, {to: 10.2.0.0/24, via: 10.1.0.2}", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = xasprintf(
			"namespaces: {b: {interfaces: {z: {addresses: 10.1.0.2/24}}}, a: {interfaces: {x: {addresses: [10.0.0.1/24, \"fd00::1/64\"]}, z: {addresses: [10.1.0.1/24, "
			"{address: 10.2.0.1/24, noprefixroute: true}]}}, routes: [\n%s]}}\nlinks: [[a:x, b:x], [a:z, b:z]]",
			rows[i].route);

		check_diags(text, rows[i].expected);
	}
}

/* For other programs' spelling, the right one is suggested. */
static void test_words_of_routes(void **state _unused_) {
	check_route("{to: \"fd05::/32\", via: \"fd00::9\", pref: high, initial-congestion-window: 9}",
		    "f:2:35: error: unknown key 'pref' in a route; did you mean 'preference'?\n"
		    "f:2:47: error: unknown key 'initial-congestion-window' in a route; did you mean 'initcwnd'?");
	check_route(
		"{to: 10.0.0.0/8, via: 10.9.0.1, from: 10.1.0.0/16}",
		"f:2:1: error: 'from' is for IPv6 routes only; for IPv4 write a rule with 'from', and the route in its table");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, preference: high}",
		    "f:2:1: error: 'preference' is for IPv6 routes only; for IPv4 write 'metric'");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, features: [ecn, sack]}",
		    "f:2:49: error: unknown word 'sack' in 'features'; possible words: ecn, tcp-usec-ts");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, hoplimit: 256}",
		    "f:2:43: error: 'hoplimit' must be from 1 to 255, not 256");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, congctl: a-very-long-name}",
		    "f:2:42: error: 'congctl' takes the name of an algorithm, for example bbr, not 'a-very-long-name'");
	check_route(
		"{to: 10.0.0.0/8, via: 10.9.0.1, encap: mpls 100/200}",
		"f:2:40: error: 'encap' is a mapping: {mpls: [100, 200]}, {seg6: {mode: encap, segments: [\"fc00::1\"]}} or "
		"{ip: {id: 5, remote: 192.0.2.1}}");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, encap: {mpls: 100/200}}",
		    "f:2:47: error: labels are written as a list: [100, 200]");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, encap: {mpls: [3, 1048576]}}",
		    "f:2:48: error: label 3 (implicit null) is never sent");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, encap: {mpls: [1048576]}}",
		    "f:2:48: error: 'mpls' must be from 0 to 1048575, not 1048576");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, encap: {mpls: 100, seg6: {segments: \"fc00::1\"}}}",
		    "f:2:40: error: 'encap' needs one of 'mpls', 'seg6' and 'ip'");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, encap: {seg6: {mode: inline, segs: \"fc00::1,fc00::2\"}}}",
		    "f:2:62: error: unknown key 'segs' in 'seg6'; did you mean 'segments'?");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, encap: {seg6: {segments: \"fc00::1,fc00::2\"}}}",
		    "f:2:58: error: segments are written as a list: [\"fc00::1\", \"fc00::2\"]");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, encap: {seg6: {mode: inline, segments: \"fc00::1\"}}}",
		    "f:2:33: error: 'mode: inline' is for IPv6 routes only; IPv4 packets need an outer one: 'encap'");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, encap: {seg6: {segments: [10.0.0.1]}}}",
		    "f:2:59: error: a segment is an IPv6 address, not 10.0.0.1");
	check_route("{to: 10.0.0.0/8, via: 10.9.0.1, encap: {ip: {id: 5, dst: 10.0.0.9, src: \"fd00::1\"}}}",
		    "f:2:53: error: unknown key 'dst' in 'ip'; did you mean 'remote'?\n"
		    "f:2:68: error: unknown key 'src' in 'ip'; did you mean 'local'?");
	check_route("{to: 10.0.0.0/8, nexthops: [{via: 10.9.0.1}, {via: 10.9.0.2}], encap: {mpls: 100}}",
		    "f:2:1: error: 'encap' belongs to the next hop itself");
	check_route("{to: 10.0.0.0/8, type: blackhole, encap: {mpls: 100}}",
		    "f:2:1: error: a route of this type has no next hop, and so no 'encap'");
}

static void test_foreign_spellings(void **state _unused_) {
	check_address("10.0.0.1/255.255.255.0",
		      "f:2:1: error: 'address' takes a prefix with its length in bits, not '10.0.0.1/255.255.255.0'; write "
		      "10.0.0.1/24");
	check_address("10.0.0.1 255.255.0.0",
		      "f:2:1: error: 'address' takes a prefix with its length in bits, not '10.0.0.1 255.255.0.0'; write "
		      "10.0.0.1/16");
	check_address("10.0.0.1/255.0.255.0",
		      "f:2:1: error: 'address' takes a prefix, not '10.0.0.1/255.0.255.0', for example "
		      "10.0.0.1/24 or \"fd00::1/64\"");
	check_address(
		"\"10.0.0.1/24, 10.0.0.2/24\"",
		"f:2:1: error: 'address' takes a prefix, not '10.0.0.1/24, 10.0.0.2/24'; a list is written [10.0.0.1/24, "
		"10.0.0.2/24]");
	check_route("default via 10.0.0.1 dev eth0 metric 5",
		    "f:2:1: error: a route must be a mapping of keys, not a string; write {to: default, via: "
		    "10.0.0.1, dev: eth0, metric: 5}");
	check_route("{to: any, via: 10.0.0.1}",
		    "f:2:6: error: 'to' takes a prefix, not 'any'; for everything write 0.0.0.0/0 or \"::/0\"");
	check_route("{to: default, gateway: 10.0.0.1}",
		    "f:2:15: error: unknown key 'gateway' in a route; did you mean 'via'?");
	check_route("{to: default, nexthops: [10.0.0.1, 10.0.0.2]}",
		    "f:2:26: error: a next hop must be a mapping of keys, not a string; write {via: 10.0.0.1}\n"
		    "f:2:36: error: a next hop must be a mapping of keys, not a string; write {via: 10.0.0.2}");
	check_route("{to: 10.0.0.0/8, type: drop}", "f:2:24: error: unknown type 'drop'; did you mean 'blackhole'?");
	check_diags(
		"namespaces: {a: {interfaces: {x: {kind: bridge, gateway4: 10.0.0.1, dhcp4: true, slaves: [q], bridge_ports: [q]}}}}",
		"f:1:49: error: unknown key 'gateway4' in a bridge interface; write routes in the "
		"namespace: routes: [{to: default, via: ADDRESS}]\n"
		"f:1:69: error: unknown key 'dhcp4' in a bridge interface; topod sets only declared "
		"addresses; for DHCP, run a client in the namespace\n"
		"f:1:82: error: unknown key 'slaves' in a bridge interface; did you mean 'ports'?\n"
		"f:1:95: error: unknown key 'bridge_ports' in a bridge interface; did you mean 'ports'?\n"
		"f:1:110: error: there is no interface 'q' in a");
	check_diags("netns: {}", "f:1:1: error: unknown key 'netns' in a topology; did you mean 'namespaces'?");
	check_diags("namespaces: {a: {dns: [1.1.1.1]}}", "f:1:23: error: 'dns' must be a mapping of keys, not a list; write "
							 "{servers: [ADDRESS]}");
	check_route(
		"{to: 10.0.0.0/255.255.255.0, via: 10.9.0.1}",
		"f:2:6: error: 'to' takes a prefix with its length in bits, not '10.0.0.0/255.255.255.0'; write 10.0.0.0/24");
}

/* Any empty section declares nothing. */
static void test_empty_sections(void **state _unused_) {
	check_objects(
		"defaults:\nlinks:\nnamespaces:\n  host:\n    interfaces:\n    routes:\n    nat:\n    sysctl:\n    dns:\n",
		"");
	check_diags("namespaces: {a: {forwarding: }}", "f:1:30: error: 'forwarding' has no value; it takes one word");
}

static void test_alternative_names(void **state _unused_) {
	check_diags(
		"namespaces: {a: {interfaces: {x: {kind: bridge, alternative-names: [e1, x, \"a/b\"]}, e1: {kind: bridge}}}}",
		"f:1:69: error: e1 is the name of another interface; an interface has one name only once\nf:1:85: note: here\nf:1:73: error: x is the name of this interface; an interface has one name only once\nf:1:31: note: here\nf:1:76: error: the alternative name 'a/b' contains '/', ':' or white space");
	check_diags(
		"namespaces: {a: {interfaces: {x: {kind: bridge, alternative-names: [up]}, e1: {kind: bridge, alternative-names: "
		"[up]}}}}",
		"f:1:114: error: another interface of a has the alternative name up\nf:1:69: note: first here");
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge, altname: up}}}}",
		    "f:1:49: error: unknown key 'altname' in a bridge interface; did you mean 'alternative-names'?");
	check_diags(
		"namespaces: {a: {interfaces: {x: {kind: bridge, gso-max-size: 600000, gso-max-segs: 0}}}}",
		"f:1:63: error: 'gso-max-size' must be from 321 to 524280, not 600000\nf:1:85: error: 'gso-max-segs' must be from 1 to 65535, not 0");
	check_diags(
		"namespaces: {a: {interfaces: {x: {kind: bridge, ports: nic-of-y, alternative-names: br}, e1: {kind: macvlan, "
		"link: \"b:up\", alternative-names: nic-of-y}}, routes: {to: 10.0.0.0/8, dev: br}}, b: {interfaces: {z: "
		"{kind: bridge, alternative-names: {name: up}}}}}",
		"");
}

static void test_offload(void **state _unused_) {
	check_diags(
		"namespaces: {a: {interfaces: {x: {kind: bridge, offload: {tcp-segmentation: false, gro: maybe, rx-gro-hwd: true}}}}}",
		"f:1:59: error: unknown offload 'tcp-segmentation'; did you mean 'tx-tcp-segmentation'?\nf:1:89: error: 'gro' must be true or false, not 'maybe'\nf:1:96: error: unknown offload 'rx-gro-hwd'; did you mean 'rx-gro-hw'?");
	check_diags(
		"namespaces: {a: {interfaces: {x: {kind: bridge, offload: {tso: false, tx-tcp6-segmentation: true, tx-tcp-segmentation: "
		"false}}}}}",
		"f:1:71: error: tx-tcp6-segmentation is a part of tcp-segmentation-offload, which has another value\nf:1:59: note: here");
	check_diags(
		"namespaces: {a: {interfaces: {x: {kind: bridge, offload: {gro: false, generic-receive-offload: true}}}}}",
		"f:1:71: error: a/x offload generic-receive-offload is declared twice with different values\nf:1:59: note: first here");
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge, offload: [tso]}}}}",
		    "f:1:58: error: 'offload' must be a mapping of features, not a list");
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge, offload: {tx: off, rx-udp-gro-forwarding: on, gro: no, "
		    "tx-tcp-accecn-segmentation: true}}}}}",
		    "");
}

static void test_dns(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces: {a: {adopt: true, dns: {servers: [\"fe80::1%eth0\", 10.0.0.1], search: a.example}}}");
	const struct dns *dns = (struct dns *)get_object(&r.spec.state, "a file /etc/netns/a/resolv.conf");
	assert_string_equal(dns->content,
			    "# Written by topod; changes are undone.\nnameserver fe80::1%eth0\nnameserver 10.0.0.1\n"
			    "search a.example\n");
	check_diags("namespaces: {a: {dns: {servers: \"fd00::1%eth0\"}}}",
		    "f:1:33: error: only an address in fe80::/10 takes an interface; write fd00::1");
	check_diags("namespaces: {a: {dns: {servers: \"fe80::1%\"}}}", "f:1:33: error: the interface name '' is empty");
	check_diags("namespaces: {a: {dns: {servers: \"fe80::1\"}}}",
		    "f:1:33: warning: fe80::1 is valid on every interface: say on which one, for example fe80::1%eth0");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connected_routes),
		cmocka_unit_test(test_words_of_routes),
		cmocka_unit_test(test_foreign_spellings),
		cmocka_unit_test(test_empty_sections),
		cmocka_unit_test(test_alternative_names),
		cmocka_unit_test(test_offload),
		cmocka_unit_test(test_dns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
