/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What users of other tools write: for their words topod suggests its own, for a whole file there is one message, and
 * consequences of a mistake are not shown.
 */
#include "spec-helper.h"

#include "yaml/other_words.h"

/* Every row must be reachable: a word leads to ours or to advice in each place. */
static void test_words(_unused_ void **state) {
	static const struct {
		const char *text, *expected;
	} rows[] = {
		/* the file */
		{ "name: office\nnamespaces: {}",
		  "f:1:1: error: unknown key 'name' in a topology; did you mean 'topology'?" },
		{ "interfaces: {eth0: {}}\nnamespaces: {}",
		  "f:1:1: error: unknown key 'interfaces' in a topology; it is a key of a namespace" },
		{ "bridges: {br0: {}}\nnamespaces: {}",
		  "f:1:1: error: unknown key 'bridges' in a topology; write each bridge under 'interfaces' of its namespace: NAME: "
		  "{kind: bridge, ports: …}" },
		/* a namespace */
		{ "namespaces: {a: {type: bridge}}",
		  "f:1:18: error: unknown key 'type' in a namespace; a kind belongs to an interface: interfaces: {NAME: {kind: KIND}}" },
		{ "namespaces: {a: {address: 10.0.0.1/24}}",
		  "f:1:18: error: unknown key 'address' in a namespace; addresses belong to an interface: interfaces: {NAME: "
		  "{addresses: [ADDRESS/LENGTH]}}" },
		{ "namespaces: {a: {gateway4: 10.0.0.1}}",
		  "f:1:18: error: unknown key 'gateway4' in a namespace; write a route: routes: [{to: default, via: ADDRESS}]" },
		{ "namespaces: {a: {dhcp4: true}}",
		  "f:1:18: error: unknown key 'dhcp4' in a namespace; topod sets only declared addresses; for DHCP, run a client in the "
		  "namespace" },
		{ "namespaces: {a: {links: []}}",
		  "f:1:18: error: unknown key 'links' in a namespace; it is a key of the file itself, at the top" },
		{ "namespaces: {a: {mtu: 1400}}",
		  "f:1:18: error: unknown key 'mtu' in a namespace; it is a key of an interface" },
		{ "namespaces: {a: {image: alpine}}",
		  "f:1:18: error: unknown key 'image' in a namespace; topod makes networks and starts no programs; `topod exec "
		  "NAMESPACE -- COMMAND` runs one in a namespace" },
		/* an interface */
		{ "namespaces: {a: {interfaces: {b: {type: bridge}}}}",
		  "f:1:35: error: unknown key 'type' in a bridge interface; did you mean 'kind'?" },
		{ "namespaces: {a: {interfaces: {b: {kind: bridge, name: b}}}}",
		  "f:1:49: error: unknown key 'name' in a bridge interface; the name is the key of the entry: NAME: {kind: …}" },
		{ "namespaces: {a: {interfaces: {b: {kind: bridge, interfaces: []}}}}",
		  "f:1:49: error: unknown key 'interfaces' in a bridge interface; did you mean 'ports'?" },
		{ "namespaces: {a: {interfaces: {b: {kind: bridge, address: 10.0.0.1/24}}}}",
		  "f:1:49: error: unknown key 'address' in a bridge interface; did you mean 'addresses'?" },
		{ "namespaces: {a: {interfaces: {b: {kind: bridge, macaddress: 3}}}}",
		  "f:1:49: error: unknown key 'macaddress' in a bridge interface; did you mean 'mac-address'?" },
		{ "namespaces: {a: {interfaces: {b: {kind: bridge, state: up}}}}",
		  "f:1:49: error: unknown key 'state' in a bridge interface; did you mean 'up'?" },
		{ "namespaces: {a: {interfaces: {b: {kind: bridge, master: c}}}}",
		  "f:1:49: error: unknown key 'master' in a bridge interface; list ports under their controller: ports: [NAME]" },
		{ "namespaces: {a: {interfaces: {b: {kind: bridge, peer: c}}}}",
		  "f:1:49: error: unknown key 'peer' in a bridge interface; write veth pairs under 'links': [NAMESPACE:NAME, "
		  "NAMESPACE:NAME]" },
		{ "namespaces: {a: {interfaces: {b: {kind: dummy, stp: true}}}}",
		  "f:1:48: error: unknown key 'stp' in a dummy interface; only these kinds have it: bridge" },
		{ "namespaces: {a: {interfaces: {v: {kind: vxlan, vni: 7, remote: 192.0.2.1}}}}",
		  "f:1:48: error: unknown key 'vni' in a vxlan interface; did you mean 'id'?" },
		{ "namespaces: {a: {interfaces: {b: {kind: bridge}, m: {kind: macvlan, parent: b}}}}",
		  "f:1:69: error: unknown key 'parent' in a macvlan interface; did you mean 'link'?" },
		{ "namespaces: {a: {interfaces: {b: {kind: ethernet}}}}",
		  "f:1:41: error: unknown kind 'ethernet'; did you mean 'existing'?" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_diags(rows[i].text, rows[i].expected);
}

/* One message says what the file is. */
static void check_file(const char *text, const char *place, const char *what) {
	_spec_ r;

	spec_from_text(&r, text);
	assert_false(r.good);
	assert_int_equal(r.diags.list.n, 1);
	_cleanup_free_ char *line = diag_format_line(&r.diags, &r.diags.list.items[0]);
	_cleanup_free_ char *begin = xasprintf("%s: error: this is %s, not a topology; ", place, what);
	if (!startswith(line, begin))
		fail_msg("'%s' instead of '%s'", line, begin);
}

static void test_files(_unused_ void **state) {
	check_file("# mine\nnetwork:\n  version: 2\n  ethernets:\n    eth0: {dhcp4: true}\n", "f:2:1", "a netplan file");
	check_file("network: {bridges: {br0: {interfaces: [a]}}}", "f:1:1", "a netplan file");
	check_file("version: '3'\nservices:\n  web: {image: nginx}\nnetworks: {front: {}}\n", "f:2:1", "a compose file");
	check_file("name: lab\ntopology:\n  nodes:\n    a: {kind: linux}\n  links: [{endpoints: [\"a:e1\", \"b:e1\"]}]\n",
		   "f:2:1", "a containerlab file");
	check_file("interfaces:\n  - {name: eth0, type: ethernet, state: up}\n", "f:1:1", "a file of nmstate");
	check_file("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", "f:1:1", "a Kubernetes manifest");
	check_file("- hosts: all\n  tasks: []\n", "f:1:3", "an Ansible playbook");
	check_file("[{\"ifindex\": 1, \"ifname\": \"lo\"}]", "f:1:3", "the output of `ip -json`");
	check_file("# x\n\n[Match]\nName=eth0\n\n[Network]\nAddress=10.0.0.1/24\n", "f:3:1", "a file of systemd-networkd");
	check_file("[Interface]\nPrivateKey = x\n", "f:1:1", "a file of wg-quick(8)");
	check_file("auto eth0\niface eth0 inet dhcp\n", "f:1:1", "a file of ifupdown");
	check_file("#!/usr/sbin/nft -f\nflush ruleset\n", "f:1:1", "a ruleset of nft(8)");
	check_file("table inet filter {\n}\n", "f:1:1", "a ruleset of nft(8)");
	check_file("# Generated\n*filter\n:INPUT ACCEPT [0:0]\n", "f:2:1", "a file of iptables-save(8)");
	check_file("ip netns add a\nip link add b type bridge\n", "f:1:1", "a list of commands for ip(8)");
}

/* Files that resemble them are ours. */
static void test_own_files(_unused_ void **state) {
	check_diags("#!/usr/bin/env -S topod run\nnamespaces: {}", "");
	check_diags("topology: network\nnamespaces: {services: {}, topology: {}}", "");
	check_diags("networks: {lan: {prefix: 10.0.0.0/24, members: [a, b]}}", "");
}

/* A missing space after ':' is reported wherever YAML takes the key for something else. */
static void test_missing_space(_unused_ void **state) {
	check_diags("version:1\nnamespaces: {}\n", "f:1:1: error: a space is missing after 'version:'");
	check_diags("namespaces:\n  web:{}\n", "f:2:3: error: a space is missing after 'web:'");
	check_diags("namespaces:\n  web:{interfaces: {}}\n", "f:2:3: error: a space is missing after 'web:'");
	check_diags("namespaces:\n  web:\n    interfaces:\n      b:{kind: bridge}\n",
		    "f:4:7: error: a space is missing after 'b:'");
	check_diags("namespaces:\n  web:\n    interfaces:\n      b:\n        kind:bridge\n",
		    "f:5:9: error: a space is missing after 'kind:'");
	check_diags(
		"namespaces:\n  web:\n    interfaces:\n      b:\n        kind: bridge\n        mtu:1500\n        stp: true\n",
		"f:6:9: error: a space is missing after 'mtu:'");
	check_diags("namespaces:\n  web:\n    interfaces:\n      b: {kind:bridge, mtu:1500, \"stp\": true}\n",
		    "f:4:11: error: a space is missing after 'kind:'\n"
		    "f:4:24: error: a space is missing after 'mtu:'");
	check_diags("namespaces:\n  web:\n    routes:\n      - to:default\n        via:10.0.0.1\n",
		    "f:4:9: error: a space is missing after 'to:'");
	check_diags(
		"namespaces:\n  web:\n    routes:\n      - {to:default, via:10.0.0.1, dev:x}\n    interfaces: {x: {kind: dummy}}",
		"f:4:10: error: a space is missing after 'to:'\n"
		"f:4:22: error: a space is missing after 'via:'\n"
		"f:4:36: error: a space is missing after 'dev:'");
	/* Addresses and endpoints are values with ':' in them. */
	check_diags("namespaces: {a: {}, b: {}}\nlinks: [[a:x, b:x]]\n", "");
	check_diags("namespaces: {a: {interfaces: {d: {kind: dummy, addresses: [fd00::1/64]}}}}", "");
	check_diags(
		"namespaces: {a: {routes: [2001:db8::/32 via fe80::1]}}",
		"f:1:27: error: a route must be a mapping of keys, not a string; write {to: 2001:db8::/32, via: fe80::1}");
}

/* Consequences of another mistake are not shown; everything else is. */
static void test_consequences(_unused_ void **state) {
	check_diags("namespacess: {a: {}, b: {}}\nlinks: [[a:x, b:x], [a:y, c:y]]\n",
		    "f:1:1: error: unknown key 'namespacess' in a topology; did you mean 'namespaces'?\n"
		    "f:2:27: error: there is no namespace 'c'");
	check_diags("namespaces:\n  a:\n    interfacess: {\"d[1-3]\": {kind: dummy}, b: {kind: bridge, ports: [d1, d4]}}\n",
		    "f:3:5: error: unknown key 'interfacess' in a namespace; did you mean 'interfaces'?\n"
		    "f:3:74: error: there is no interface 'd4' in a; did you mean 'd1'?");
	check_diags("namespaces: {a: {}, b: {interfaces: {x: {mtu: 1400}}}}\nlink: [[a:x, b:x]]\n",
		    "f:2:1: error: unknown key 'link' in a topology; did you mean 'links'?");
	check_diags("namespaces: {a: {}}\nlinks: [{endpoint: [a:x, a:y]}]\n",
		    "f:2:10: error: unknown key 'endpoint' in a link; did you mean 'endpoints'?");
	check_diags("namespaces: {a: {interfaces: {m: {kind: macvlan, lnk: b}, b: {kind: bridge}}}}",
		    "f:1:50: error: unknown key 'lnk' in a macvlan interface; did you mean 'link'?");
	check_diags("namespaces: {a: {routes: [{too: 10.0.0.0/33, dev: lo}]}}",
		    "f:1:28: error: unknown key 'too' in a route; did you mean 'to'?\n"
		    "f:1:33: error: 'to' takes a prefix, not '10.0.0.0/33', for example 10.0.0.0/24 or \"fd00::/64\"");
	/* The right key is there as well: the wrong one changes nothing. */
	check_diags("namespaces: {a: {interfaces: {b: {kind: bridge, mtu: 1400, mtuu: x}}}}",
		    "f:1:60: error: unknown key 'mtuu' in a bridge interface; did you mean 'mtu'?");
}

static void test_verbs(_unused_ void **state) {
	static const struct {
		const char *theirs, *ours;
	} rows[] = {
		{ "up", "apply" },  { "destroy", "down" }, { "validate", "check" },
		{ "diff", "plan" }, { "ls", "list" },      { "Validate", "check" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_true(other_word_rank(rows[i].theirs, rows[i].ours) < SIZE_MAX);
	assert_non_null(other_word_advice("start", "a verb"));
	assert_non_null(other_word_advice("stop", "a verb"));
	assert_null(other_word_advice("start", "an interface"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),         cmocka_unit_test(test_files),        cmocka_unit_test(test_own_files),
		cmocka_unit_test(test_missing_space), cmocka_unit_test(test_consequences), cmocka_unit_test(test_verbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
