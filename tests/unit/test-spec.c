/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a document to the desired state: what is read, what is filled in, and every mistake with its message and position.
 * test-type.c is about single values, test-nat.c about the list `nat`.
 */
#include "spec-helper.h"

#include "kind/kinds.h"
#include "kind/address.h"
#include "kind/ruleset.h"
#include "kind/route.h"
#include "kind/sysctl.h"
#include "kind/veth.h"

/* A file without mistakes. */

static void test_empty(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces: {}");
	assert_string_equal(r.spec.topology, "t");
	assert_false(r.spec.remove_on_stop);
	check_objects("namespaces: {}", "");
	check_objects("namespaces: {a: {}}", "a namespace: \na/lo link: up true\n");
	check_objects("namespaces: {host: {}}", ""); /* it exists, and has its lo */
}

static void test_top(void **state _unused_) {
	_spec_ r;

	good_spec(&r,
		  "version: 1\ntopology: office\non-stop: remove\ndrift: report\nnamespaces: {a: {}, b: {drift: ignore}}\n");
	assert_string_equal(r.spec.topology, "office");
	assert_true(r.spec.remove_on_stop);
	assert_int_equal(state_find(&r.spec.state, "a")->drift, DRIFT_REPORT);
	assert_int_equal(state_find(&r.spec.state, "b")->drift, DRIFT_IGNORE);
	assert_int_equal(state_find(&r.spec.state, "host")->drift, DRIFT_REPORT);
	assert_int_equal(get_object(&r.spec.state, "a/lo link")->drift, DRIFT_REPORT);
}

static void test_link(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces: {web: {interfaces: {eth0: {addresses: [10.0.0.11/24], mtu: 1400}}}}\n"
		      "links: [[web:eth0, host:c1]]\n");
	struct object *eth0 = get_object(&r.spec.state, "web/eth0 link"), *c1 = get_object(&r.spec.state, "host/c1 link");
	assert_ptr_equal(eth0->kind, &kind_veth);
	assert_ptr_equal(eth0->twin, c1);
	assert_ptr_equal(c1->twin, eth0);
	assert_string_equal(((struct veth *)eth0)->peer.ns, "host");
	assert_string_equal(((struct veth *)eth0)->peer.name, "c1");
	assert_string_equal(((struct link *)eth0)->alias, "topod:t");
	assert_int_equal(((struct link *)eth0)->mtu, 1400);
	assert_false(object_has(c1, LINK_MTU));
	get_object(&r.spec.state, "web/eth0 address 10.0.0.11/24");
	/* Positions: an end is where `links` connects it, a field is where it is written. */
	assert_int_equal(eth0->position.line, 2);
	assert_int_equal(eth0->position.column, 10);
	struct position mtu = object_position(eth0, &eth0->kind->fields[LINK_MTU]);
	assert_int_equal(mtu.line, 1);
	assert_int_equal(mtu.column, 72);
}

/* Later versions must derive the same addresses. */
static void test_link_within_a_namespace(void **state _unused_) {
	check_objects("namespaces: {a: {adopt: true}}\nlinks: [[a:one, a:two]]\n",
		      "a/one link: up true, mac-address 06:7c:0d:fc:54:1a\n"
		      "a/two link: up true, mac-address 8a:61:1b:3c:c3:bd\n"
		      "a namespace: \n");
}

/* An end takes precedence over the pair, and the pair over the defaults. */
static void test_precedence(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "defaults: {link: {mtu: 1300, txqueuelen: 7}, interface: {mtu: 1200, arp: false}}\n"
		      "namespaces: {a: {interfaces: {one: {mtu: 1500}, br: {kind: bridge}}}}\n"
		      "links:\n"
		      "- {endpoints: [a:one, a:two], mtu: 1400, queues: 2}\n"
		      "- [a:three, a:four]\n");
	const struct {
		const char *id;
		uint32_t mtu, line;
	} rows[] = {
		{ "a/one link", 1500, 2 },
		{ "a/two link", 1400, 4 },
		{ "a/three link", 1300, 1 },
		{ "a/br link", 1200, 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct object *object = get_object(&r.spec.state, rows[i].id);

		assert_int_equal(((struct link *)object)->mtu, rows[i].mtu);
		assert_int_equal(object_position(object, &object->kind->fields[LINK_MTU]).line, rows[i].line);
		assert_true(object_has(object, LINK_ARP));
		assert_int_equal(((struct link *)object)->arp, 0);
	}
	const struct link *two = (struct link *)get_object(&r.spec.state, "a/two link");
	assert_int_equal(two->txqueuelen, 7);
	assert_int_equal(two->queues, 2);
	assert_int_equal(two->rx_queues, 2);
	/* Defaults do not apply to links that topod does not make. */
	assert_false(object_has(get_object(&r.spec.state, "a/lo link"), LINK_MTU));
}

static void test_drift_nearest(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "drift: ignore\n"
		      "namespaces:\n"
		      "  a:\n"
		      "    drift: report\n"
		      "    interfaces: {one: {drift: restore, addresses: 10.0.0.1/24}, br: {kind: bridge}}\n"
		      "    routes: {to: 10.0.0.0/8, type: blackhole}\n"
		      "    sysctl: {net.ipv4.conf.one.rp_filter: 1}\n"
		      "links: [[a:one, a:two]]\n");
	assert_int_equal(get_object(&r.spec.state, "a/one link")->drift, DRIFT_RESTORE);
	assert_int_equal(get_object(&r.spec.state, "a/one address 10.0.0.1/24")->drift, DRIFT_RESTORE);
	assert_int_equal(get_object(&r.spec.state, "a/br link")->drift, DRIFT_REPORT);
	assert_int_equal(get_object(&r.spec.state, "a route 10.0.0.0/8")->drift, DRIFT_REPORT);
	assert_int_equal(get_object(&r.spec.state, "a namespace")->drift, DRIFT_REPORT);
}

static void test_up(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces: {a: {interfaces: {x: {kind: bridge, up: false}, z: {kind: bridge}, lo: {up: false}}}}");
	assert_int_equal(((struct link *)get_object(&r.spec.state, "a/x link"))->up, 0);
	assert_int_equal(((struct link *)get_object(&r.spec.state, "a/z link"))->up, 1);
	assert_int_equal(((struct link *)get_object(&r.spec.state, "a/lo link"))->up, 0);
}

static struct mac mac_of(const char *text, const char *id) {
	_spec_ r;

	good_spec(&r, text);
	struct object *object = get_object(&r.spec.state, id);
	assert_true(object_has(object, LINK_MAC));
	return ((struct link *)object)->mac;
}

static void test_stable_mac(void **state _unused_) {
	const char *text =
		"namespaces: {a: {interfaces: {x: {kind: bridge}, z: {kind: bridge}}}, b: {interfaces: {x: {kind: bridge}}}}";
	struct mac x = mac_of(text, "a/x link"), recreates = mac_of(text, "a/x link"), z = mac_of(text, "a/z link"),
		   other_ns = mac_of(text, "b/x link");
	struct mac other_topology = mac_of("topology: u\nnamespaces: {a: {interfaces: {x: {kind: bridge}}}}", "a/x link");
	struct mac given =
		mac_of("namespaces: {a: {interfaces: {x: {kind: bridge, mac-address: \"02:00:00:00:00:05\"}}}}", "a/x link");

	assert_memory_equal(&x, &recreates, sizeof(x));
	assert_memory_not_equal(&x, &z, sizeof(x));
	assert_memory_not_equal(&x, &other_ns, sizeof(x));
	assert_memory_not_equal(&x, &other_topology, sizeof(x));
	assert_int_equal(x.bytes[0] & 3, 2); /* locally administered, of one interface */
	assert_memory_equal(given.bytes, "\2\0\0\0\0\5", 6);
}

static void test_ports(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces:\n"
		      "  host:\n"
		      "    interfaces:\n"
		      "      br0: {kind: bridge, ports: [c1, {name: eth1, cost: 5, hairpin: true}]}\n"
		      "      eth1: {kind: existing}\n"
		      "  a: {}\n"
		      "links: [[a:x, host:c1]]\n");
	struct object *c1 = get_object(&r.spec.state, "host/c1 link"), *eth1 = get_object(&r.spec.state, "host/eth1 link");
	assert_string_equal(((struct link *)c1)->master, "br0");
	assert_int_equal(object_position(c1, &c1->kind->fields[LINK_MASTER]).column, 35);
	assert_ptr_equal(eth1->kind, &kind_existing);
	assert_true(eth1->external);
	assert_string_equal(((struct link *)eth1)->master, "br0");
	get_object(&r.spec.state, "host/eth1 bridge port of br0");
	assert_null(find_object(&r.spec.state, "host/c1 bridge port of br0")); /* says nothing about itself */
}

static void test_existing(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces: {host: {interfaces: {eth0: {kind: existing, mtu: 1400, addresses: 10.0.0.1/8}}}}");
	struct object *eth0 = get_object(&r.spec.state, "host/eth0 link");
	assert_true(eth0->external);
	assert_false(object_has(eth0, LINK_MAC));   /* a field that the file does not name is not changed, … */
	assert_false(object_has(eth0, LINK_ALIAS)); /* … and the link is not marked as topod's */
	assert_true(object_has(eth0, LINK_UP));
}

static void test_lo(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces: {a: {interfaces: {lo: {addresses: 10.255.0.1}}}, b: {}, c: {adopt: true}}");
	assert_true(((struct link *)get_object(&r.spec.state, "a/lo link"))->up);
	assert_true(((struct link *)get_object(&r.spec.state, "b/lo link"))->up);
	assert_null(find_object(&r.spec.state, "c/lo link"));
	assert_null(find_object(&r.spec.state, "host/lo link"));
	get_object(&r.spec.state, "a/lo address 10.255.0.1/32");
}

static void test_settings(void **state _unused_) {
	check_objects("namespaces: {host: {forwarding: true}}",
		      "host sysctl net.ipv4.ip_forward: value 1\nhost sysctl net.ipv6.conf.all.forwarding: value 1\n");
	check_objects("namespaces: {host: {forwarding: ipv4}}", "host sysctl net.ipv4.ip_forward: value 1\n");
	check_objects("namespaces: {host: {forwarding: ipv6}}", "host sysctl net.ipv6.conf.all.forwarding: value 1\n");
	check_objects("namespaces: {host: {forwarding: no}}",
		      "host sysctl net.ipv4.ip_forward: value 0\nhost sysctl net.ipv6.conf.all.forwarding: value 0\n");
	check_objects("namespaces: {host: {forwarding: ipv4, sysctl: {net/ipv4/ip_forward: 1}}}",
		      "host sysctl net.ipv4.ip_forward: value 1\n");
	check_objects("namespaces: {host: {sysctl: {net.ipv4.tcp_rmem: \"4096\\t131072   6291456 \"}}}",
		      "host sysctl net.ipv4.tcp_rmem: value 4096 131072 6291456\n");
	check_objects("namespaces: {host: {sysctl: {net.ipv4.conf.net0/10.rp_filter: 2}}}",
		      "host sysctl net.ipv4.conf.net0/10.rp_filter: value 2\n");
	check_objects("namespaces: {host: {interfaces: {eth0: {kind: existing, up: true, accept-ra: true}}}}",
		      "host/eth0 link: up true\nhost sysctl net.ipv6.conf.eth0.accept_ra: value 1\n");
}

static void test_setting_of_dotted_interface(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces: {host: {sysctl: {net.ipv4.conf.net0/10.rp_filter: 2, net.ipv4.conf.all.rp_filter: 1}}}");
	const struct sysctl *one = (struct sysctl *)get_object(&r.spec.state, "host sysctl net.ipv4.conf.net0/10.rp_filter");
	const struct sysctl *all = (struct sysctl *)get_object(&r.spec.state, "host sysctl net.ipv4.conf.all.rp_filter");
	assert_string_equal(one->path, "net/ipv4/conf/net0.10/rp_filter");
	assert_string_equal(one->dev, "net0.10");
	assert_null(all->dev);
}

static void test_same_twice_is_once(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces: {a: {adopt: true, interfaces: {x: {kind: bridge,\n"
		      "  addresses: [10.0.0.1/24, {address: 10.0.0.1/24}, \"fd00:0:0::1/64\", \"fd00::1/64\"]}},\n"
		      "  routes: [{to: 10.0.0.0/8, type: blackhole}, {to: 10.0.0.0/8, type: blackhole, table: main}]}}");
	assert_int_equal(HASH_COUNT(state_find(&r.spec.state, "a")->objects), 1 + 2 + 1 + 1);
}

/* The same address on two interfaces is two objects; an interface may have an IPv4 address with two prefix lengths. */
static void test_different_addresses(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: [10.0.0.1/24, 10.0.0.1/16]},\n"
		      "  z: {kind: bridge, addresses: [10.0.0.1/24]}}}}");
	get_object(&r.spec.state, "a/x address 10.0.0.1/24");
	get_object(&r.spec.state, "a/x address 10.0.0.1/16");
	get_object(&r.spec.state, "a/z address 10.0.0.1/24");
}

static void test_address_forms(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces: {a: {interfaces: {x: {kind: bridge, addresses:\n"
		      "  [{address: 10.0.0.1, peer: 10.0.0.2/30}, {address: 10.1.0.1/24, scope: link, label: \"x:1\",\n"
		      "    broadcast: 10.1.0.255}, {address: \"fd00::1/64\", nodad: true, noprefixroute: true}]}}}}");
	const struct address *peer = (struct address *)get_object(&r.spec.state, "a/x address 10.0.0.1 peer 10.0.0.2/30");
	assert_int_equal(peer->address.length, 30);
	const struct address *full = (struct address *)get_object(&r.spec.state, "a/x address 10.1.0.1/24");
	assert_int_equal(full->scope, 253);
	assert_string_equal(full->label, "x:1");
	assert_int_equal(full->object.positions[ADDRESS_LABEL].line, 2);
	const struct address *six = (struct address *)get_object(&r.spec.state, "a/x address fd00::1/64");
	assert_true(six->nodad && six->noprefixroute);
	assert_int_equal(six->protocol, TOPOD_PROTOCOL);
}

static void test_routes(void **state _unused_) {
	_spec_ r;
	_cleanup_text_ struct text out = {};

	good_spec(
		&r,
		"namespaces: {host: {routes: [{to: default, via: 10.0.0.1}, {to: default, via: \"fd00::1\"},\n"
		"  {to: 10.1.0.0/16, dev: eth0}, {to: 10.2.0.1, via: \"fd00::1\", metric: 5, table: blue},\n"
		"  {to: 10.3.0.0/16, nexthops: [{via: 10.0.0.3}, {via: 10.0.0.2, weight: 9}]},\n"
		"  {to: 10.4.0.0/16, nexthops: [{via: 10.0.0.4, dev: eth0}]}, {to: \"::/0\", type: blackhole, table: 77}]}}");
	print_state(&r.spec.state, &out);
	assert_string_equal(
		text_str(&out),
		"host route 0.0.0.0/0: type unicast, via 10.0.0.1, encap none, nexthops none, nexthop none, scope global\n"
		"host route ::/0: type unicast, via fd00::1, encap none, nexthops none, nexthop none\n"
		"host route 10.1.0.0/16: type unicast, via none, dev eth0, encap none, nexthops none, nexthop none, scope link\n"
		"host route 10.2.0.1/32 metric 5 table 100: type unicast, via fd00::1, encap none, nexthops none, nexthop none, scope global\n"
		"host route 10.3.0.0/16: type unicast, encap none, nexthops via 10.0.0.2 weight 9 | via 10.0.0.3 weight 1, nexthop none, scope global\n"
		"host route 10.4.0.0/16: type unicast, via 10.0.0.4, dev eth0, encap none, nexthops none, nexthop none, scope global\n"
		"host route ::/0 table 77: type blackhole\n");
	/* The kernel's metric for an IPv6 route without one. */
	assert_int_equal(((struct route *)get_object(&r.spec.state, "host route ::/0"))->metric, 1024);
}

static void test_one_without_brackets(void **state _unused_) {
	_spec_ r;

	good_spec(
		&r,
		"namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/24, ports: z}, z: {kind: vxlan, id: 1}},\n"
		"  routes: {to: 10.0.0.0/8, type: blackhole}, nat: {action: masquerade}, dns: {servers: 10.0.0.9}}}");
	get_object(&r.spec.state, "a/x address 10.0.0.1/24");
	get_object(&r.spec.state, "a route 10.0.0.0/8");
	get_object(&r.spec.state, "a NAT table");
	get_object(&r.spec.state, "a file /etc/netns/a/resolv.conf");
}

static void test_adopted(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces: {a: {adopt: true}, b: {exclusive: true}}");
	assert_true(get_object(&r.spec.state, "a namespace")->external);
	assert_false(get_object(&r.spec.state, "b namespace")->external);
	assert_true(state_find(&r.spec.state, "a")->adopt);
	assert_true(state_find(&r.spec.state, "b")->exclusive);
	assert_null(find_object(&r.spec.state, "host namespace"));
}

/* Mistakes. */

static void test_wrong_top(void **state _unused_) {
	check_diags("nonsense", "f:1:1: error: a topology must be a mapping of keys, not a string");
	check_diags("- a", "f:1:1: error: a topology must be a mapping of keys, not a list");
	check_diags("version: 2", "f:1:10: error: 'version' must be 1, not 2");
	check_diags("versoin: 1", "f:1:1: error: unknown key 'versoin' in a topology; did you mean 'version'?");
	check_diags("topology: a/b", "f:1:11: error: the topology's name 'a/b' contains '/', ':' or white space");
	check_diags("topology: ..", "f:1:11: error: the topology's name '..' begins with '.' or '-'");
	check_diags("drift: repair", "f:1:8: error: unknown drift 'repair'; it is one of: restore, report, ignore");
	check_diags("on-stop: remov", "f:1:10: error: unknown on-stop 'remov'; did you mean 'remove'?");
	check_diags("defaults: {links: {}}", "f:1:12: error: unknown key 'links' in defaults; did you mean 'link'?");
	check_diags("defaults: {link: {mtu: 12}}", "f:1:24: error: 'mtu' must be from 68 to 65535, not 12");
	check_diags("defaults: {link: {mac-address: \"02:00:00:00:00:01\"}}",
		    "f:1:19: error: 'mac-address' cannot be a default: each interface needs its own");
}

static void test_wrong_namespaces(void **state _unused_) {
	check_diags("namespaces: [a]", "f:1:13: error: 'namespaces' must be a mapping of names, not a list");
	check_diags("namespaces:\n  a:\n",
		    "f:2:5: error: a namespace must be a mapping of keys, not a string; an empty one is written {}");
	check_diags("namespaces: {a/b: {}}", "f:1:14: error: the namespace name 'a/b' contains '/', ':' or white space");
	check_diags("namespaces: {-a: {}}", "f:1:14: error: the namespace name '-a' begins with '.' or '-'");
	check_diags("namespaces: {a: {interface: {}}}",
		    "f:1:18: error: unknown key 'interface' in a namespace; did you mean 'interfaces'?");
	check_diags("namespaces: {host: {exclusive: true}}",
		    "f:1:32: error: the host namespace cannot be exclusive: topod shares it with others");
	check_diags("namespaces: {host: {dns: {servers: 10.0.0.1}}}",
		    "f:1:26: error: 'dns' is for named namespaces; the host has its own resolv.conf");
	check_diags("namespaces: {a: {adopt: maybe}}", "f:1:25: error: 'adopt' must be true or false, not 'maybe'");
	check_diags("namespaces: {a: {forwarding: both}}",
		    "f:1:30: error: unknown forwarding 'both'; it is one of: true, yes, on, ipv4, ipv6, false, no, off");
}

static void test_wrong_settings(void **state _unused_) {
	check_diags("namespaces: {a: {sysctl: {kernel.panic: 1}}}",
		    "f:1:27: error: the sysctl 'kernel.panic' is not below net.");
	check_diags("namespaces: {a: {sysctl: {net/../kernel/panic: 1}}}",
		    "f:1:27: error: the sysctl 'net/../kernel/panic' leads out of its directory");
	check_diags("namespaces: {a: {sysctl: {net.ipv4.ip_forward: [1]}}}",
		    "f:1:48: error: 'sysctl' takes one text, not a list");
	check_diags("namespaces: {web: {forwarding: false, sysctl: {net.ipv4.ip_forward: 1}}}",
		    "f:1:48: error: web sysctl net.ipv4.ip_forward is declared twice with different values\n"
		    "f:1:32: note: first here");
	check_diags("namespaces: {web: {sysctl: {net.ipv4.conf.eth0.rp_filter: 1}}}",
		    "f:1:29: error: there is no interface 'eth0' in web");
	check_diags("namespaces: {a: {dns: {server: 1.1.1.1}}}",
		    "f:1:24: error: unknown key 'server' in dns; did you mean 'servers'?");
	check_diags("namespaces: {a: {dns: {search: \"a b\"}}}", "f:1:32: error: 'a b' is not a domain name");
}

static void test_wrong_names(void **state _unused_) {
	check_diags("namespaces: {a: {interfaces: {averyveryverylongname: {kind: bridge}}}}",
		    "f:1:31: error: the interface name 'averyveryverylongname' is longer than 15 bytes");
	check_diags("namespaces: {a: {interfaces: {\"a b\": {kind: bridge}, \"a/b\": {kind: bridge}}}}",
		    "f:1:31: error: the interface name 'a b' contains '/', ':' or white space\n"
		    "f:1:54: error: the interface name 'a/b' contains '/', ':' or white space");
	check_diags("namespaces: {a: {interfaces: {no: {kind: bridge}}}}",
		    "f:1:31: error: YAML reads an unquoted 'no' as a boolean or null; write \"no\"");
	check_diags("namespaces: {a: {interfaces: {lo: {kind: bridge}}}}",
		    "f:1:31: error: 'lo' exists in every namespace and cannot be created");
	check_diags("namespaces: {a: {}}\nlinks: [[a:lo, a:x]]",
		    "f:2:10: error: 'lo' exists in every namespace and cannot be created");
}

/* The message lists all kinds. */
static void check_unknown_kind(const char *name) {
	_cleanup_free_ char *spec = xasprintf("namespaces: {a: {interfaces: {x: {kind: %s}}}}", name);
	_cleanup_text_ struct text expected = {};

	text_addf(&expected, "f:1:41: error: unknown kind '%s'; it is one of:", name);
	size_t empty = expected.size;
	for (const struct kind *const *k = kinds; *k; k++)
		if ((*k)->class == &class_link && !(*k)->unnamed)
			text_addf(&expected, "%s %s", expected.size > empty ? "," : "", (*k)->name);
	check_diags(spec, expected.data);
}

static void test_wrong_kinds(void **state _unused_) {
	check_diags("namespaces: {a: {interfaces: {x: {kind: brigde, stp: true, addresses: 10.0.0.1/33}}}}",
		    "f:1:41: error: unknown kind 'brigde'; did you mean 'bridge'?\n"
		    "f:1:71: error: 'address' takes a prefix, not '10.0.0.1/33', for example 10.0.0.1/24 or \"fd00::1/64\"");
	check_unknown_kind("carrier-pigeon");
	check_unknown_kind("other");
	check_diags("namespaces: {a: {interfaces: {x: {kind: veth}}}}",
		    "f:1:41: error: a veth pair is written under 'links': [a:x, namespace:interface]");
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge}}}}\nlinks: [[a:x, a:z]]",
		    "f:1:41: error: a:x is an end of a link and has no kind of its own\nf:2:10: note: the link is here");
	check_diags("namespaces: {web: {interfaces: {x: {}}}}",
		    "f:1:33: error: x needs a 'kind': it is not an end of a link (write 'kind: existing' if "
		    "something else moves it in)");
	check_diags("namespaces: {host: {interfaces: {x: {}}}}",
		    "f:1:34: error: x needs a 'kind': it is not an end of a link (write 'kind: existing' if "
		    "it already exists)");
	check_diags("namespaces: {web: {interfaces: {wg0: {kind: existing, addresses: 10.0.0.1/24}, wg1: {kind: bridge}}}}",
		    "");
	check_diags("namespaces: {web: {interfaces: {eht0: {kind: existing}, eth0: {kind: bridge}}}}",
		    "f:1:33: warning: nothing in the file makes eht0: it waits until something else moves it in; or did you "
		    "mean 'eth0'?");
	check_diags("namespaces: {web: {adopt: true, interfaces: {x: {kind: existing}}}}", "");
}

static void test_wrong_keys(void **state _unused_) {
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge, adresses: []}}}}",
		    "f:1:49: error: unknown key 'adresses' in a bridge interface; did you mean 'addresses'?");
	check_diags(
		"namespaces: {a: {interfaces: {x: {kind: bridge, name: eth0}}}}",
		"f:1:49: error: unknown key 'name' in a bridge interface; the name is the key of the entry: NAME: {kind: …}");
	check_diags("namespaces: {a: {interfaces: {x: {kind: vxlan}}}}",
		    "f:1:34: error: a vxlan interface needs 'id' or 'external'");
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge, accept-ra: 3}}}}",
		    "f:1:60: error: 'accept-ra' must be from 0 to 2, not 3");
	check_diags("namespaces: {host: {interfaces: {x: {kind: existing, ports: [q]}}}}",
		    "f:1:61: error: only these kinds have 'ports': bond, bridge, vrf; x is existing");
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge, ports: [{cost: 3}]}}}}",
		    "f:1:57: error: a port needs 'name'");
	check_diags("namespaces: {host: {interfaces: {x: {kind: physical, source: eth0}}}}",
		    "f:1:34: error: a physical interface is moved out of the host namespace; for one that "
		    "stays there write 'kind: existing'");
	check_diags("namespaces: {a: {interfaces: {x: {kind: physical, source: e0}, z: {kind: physical, source: e0}}}}",
		    "f:1:92: error: e0 is the source of two interfaces\nf:1:59: note: first here");
}

static void test_wrong_references(void **state _unused_) {
	check_diags("namespaces: {web: {interfaces: {x: {kind: macvlan, link: brr0}, br0: {kind: bridge}}}}",
		    "f:1:58: error: there is no interface 'brr0' in web; did you mean 'br0'?");
	check_diags("namespaces: {web: {interfaces: {x: {kind: macvlan, link: \"db:eth0\"}}}}",
		    "f:1:58: error: there is no namespace 'db'");
	check_diags("namespaces: {web: {routes: [{to: 10.0.0.0/24, dev: z}]}}",
		    "f:1:52: error: there is no interface 'z' in web");
	check_diags("namespaces: {web: {routes: [{to: 10.0.0.0/8, nexthops: [{via: 10.9.0.1, dev: z}, {via: 10.9.0.2}]}]}}",
		    "f:1:46: error: there is no interface 'z' in web\n"
		    "f:1:46: warning: no declared address of web covers the gateway 10.9.0.1\n"
		    "f:1:46: warning: no declared address of web covers the gateway 10.9.0.2");
	check_diags("namespaces: {web: {interfaces: {x: {kind: bridge, ports: [q]}}}}",
		    "f:1:59: error: there is no interface 'q' in web");
	check_diags("namespaces: {web: {nat: [{action: masquerade, out: wan}, {action: masquerade, in: \"e*\", out: lo}]}}",
		    "f:1:52: warning: 'out' names wan, but web has no interface of that name");
	check_diags("namespaces: {host: {nat: [{action: masquerade, out: wan}]}}", "");
}

/* A link that topod did not make is changed only if its entry says so: a container's eth0 and the host's are easily
 * confused. */
#define TO_TAKE(name) " To use an existing one, write '" name ": {kind: existing}' under its 'interfaces'"

static void check_foreign(const char *entry, const char *place) {
	_cleanup_free_ char *text =
		xasprintf("namespaces: {web: {}, host: {interfaces: {\n%s}}}\nlinks: [[web:eth0, host:c1]]", entry);
	_cleanup_free_ char *wanted =
		xasprintf("%s: error: no entry declares the interface 'eth0' in host; did you mean c1, the "
			  "host's end of web:eth0?" TO_TAKE("eth0"),
			  place);

	check_diags(text, wanted);
}

static void test_foreign_links(void **state _unused_) {
	check_foreign("b: {kind: bridge, ports: [eth0]}", "f:2:27");
	check_foreign("b: {kind: bridge, ports: [c1, {name: eth0, cost: 5}]}", "f:2:31");
	check_foreign("m: {kind: macvlan, link: eth0}", "f:2:26");
	check_foreign("v: {kind: vxlan, id: 1, remote: 10.0.0.1, dev: eth0}", "f:2:48");
	check_diags(
		"namespaces: {a: {adopt: true, interfaces: {b: {kind: bridge, ports: [eth0, cc1, q]}}}, web: {\n"
		"  interfaces: {m: {kind: macvlan, link: a:wlan0}}}}\nlinks: [[web:eth0, a:c1]]",
		"f:1:70: error: no entry declares the interface 'eth0' in a; did you mean c1, a's end of web:eth0?" TO_TAKE(
			"eth0") "\n"
				"f:1:76: error: no entry declares the interface 'cc1' in a; did you mean 'c1'?" TO_TAKE(
					"cc1") "\n"
					       "f:1:81: error: no entry declares the interface 'q' in a." TO_TAKE(
						       "q") "\n"
							    "f:2:41: error: no entry declares the interface 'wlan0' in a." TO_TAKE(
								    "wlan0"));
	/* Of several ends, preferably one that is not a port yet. */
	check_diags(
		"namespaces: {web: {}, db: {}, host: {interfaces: {b: {kind: bridge, ports: [c1, eth0]}}}}\n"
		"links: [[web:eth0, host:c1], [db:eth0, host:c2]]",
		"f:1:81: error: no entry declares the interface 'eth0' in host; did you mean c2, the host's end of db:eth0?" TO_TAKE(
			"eth0"));
	/* In a namespace that topod makes there is nothing to take over. */
	check_diags(
		"namespaces: {sw: {interfaces: {b: {kind: bridge, ports: [eth0]}}}, web: {}}\nlinks: [[web:eth0, sw:c1]]",
		"f:1:58: error: there is no interface 'eth0' in sw; did you mean c1, sw's end of web:eth0?");
	/* A route and NAT do not change the link. A setting shows whose link it is; but here it may be that of the other
	 * end. */
	check_diags(
		"namespaces: {host: {routes: [{to: 10.0.0.0/8, dev: eth0}, {to: 10.0.0.0/9, nexthops: [{dev: eth0}, {dev: eth1}]}],\n"
		"  nat: [{action: masquerade, out: eth0}], sysctl: {net.ipv4.conf.eth0.rp_filter: 1, net.ipv4.conf.wan.rp_filter: 1}},\n"
		"  web: {}}\nlinks: [[web:eth0, host:c1]]",
		"f:2:52: warning: this changes the interface 'eth0' of host, which no entry declares; did you mean c1, the host's "
		"end of web:eth0?");
	check_diags("namespaces: {host: {interfaces: {eth0: {kind: existing}, b: {kind: bridge, ports: [eth0]}}}, web: {}}\n"
		    "links: [[web:eth0, host:c1]]",
		    "");
}

static void test_wrong_structure(void **state _unused_) {
	check_diags(
		"namespaces: {a: {interfaces: {x: {kind: bridge, ports: c}, b: {kind: bridge, ports: [c]}, c: {kind: vxlan, id: 1}}}}",
		"f:1:86: error: c is a port of two controllers\nf:1:56: note: first here");
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge, ports: [c, c]}, c: {kind: vxlan, id: 1}}}}",
		    "f:1:60: error: c is named twice\nf:1:57: note: first here");
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge, ports: [x]}}}}",
		    "f:1:57: error: x cannot be its own port");
	check_diags("namespaces: {a: {interfaces: {x: {kind: macvlan, link: z}, z: {kind: macvlan, link: x}}}}",
		    "f:1:31: error: a/x is its own lower link\nf:1:60: error: a/z is its own lower link");
	check_diags("namespaces: {a: {interfaces: {x: {kind: macvlan, link: x}}}}",
		    "f:1:31: error: a/x is its own lower link");
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge, ports: [z]}, z: {kind: macvlan, link: x}}}}",
		    "f:1:62: error: a/z is its own lower link");
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge, ports: [z]}, z: {kind: bridge, ports: [x]}}}}",
		    "f:1:31: error: a/x is its own lower link\n"
		    "f:1:57: error: z is a bridge and cannot be a port of another; connect the two by a link "
		    "with one end as a port of each\n"
		    "f:1:62: error: a/z is its own lower link\n"
		    "f:1:88: error: x is a bridge and cannot be a port of another; connect the two by a link "
		    "with one end as a port of each");
	check_diags("namespaces: {a: {interfaces: {b: {kind: bridge, ports: [v]}, v: {kind: vxlan, id: 1, dev: m},\n"
		    "  m: {kind: macvlan, link: b}}}}",
		    "f:1:62: error: a/v is its own lower link");
	check_diags("namespaces: {a: {interfaces: {b: {kind: bridge, ports: [v]}, v: {kind: vxlan, id: 1, dev: m},\n"
		    "  m: {kind: macvlan, link: c}, c: {kind: bridge}}}}",
		    "");
}

static void test_wrong_links(void **state _unused_) {
	check_diags("namespaces: {web: {}, b: {}}\nlinks: [[wbe:x, b:z]]",
		    "f:2:10: error: there is no namespace 'wbe'; did you mean 'web'?");
	check_diags("namespaces: {a: {}, b: {}}\nlinks: [[a:x, b:x], [a:x, b:z]]",
		    "f:2:22: error: a:x is an end of two links\nf:2:10: note: first here");
	check_diags("namespaces: {a: {}}\nlinks: [[a:x, a:x]]",
		    "f:2:15: error: a:x is an end of two links\nf:2:10: note: first here");
	check_diags("namespaces: {a: {}}\nlinks: [[a:x]]",
		    "f:2:9: error: a link has two ends: [namespace:interface, namespace:interface]");
	check_diags("namespaces: {a: {}}\nlinks: {a: b}",
		    "f:2:8: error: 'links' is a list of [namespace:interface, namespace:interface]");
	check_diags("namespaces: {a: {}}\nlinks: [[x, a:z]]",
		    "f:2:10: error: 'x' is not an endpoint; write namespace:interface");
	check_diags("namespaces: {a: {}}\nlinks: [[22:22, a:z]]",
		    "f:2:10: error: YAML reads an unquoted '22:22' as a base-60 number; write \"22:22\"");
	check_diags("links: [{mtu: 1400}]", "f:1:9: error: a link needs 'endpoints'");
	check_diags("namespaces: {a: {}}\nlinks: [{endpoints: [a:x, a:z], mtu: 12, speed: 3}]",
		    "f:2:38: error: 'mtu' must be from 68 to 65535, not 12\nf:2:42: error: unknown key 'speed' in a link");
}

static void test_wrong_addresses(void **state _unused_) {
	check_address("0.0.0.0/8", "f:2:1: error: 0.0.0.0/8 is not a host address");
	check_address("224.0.0.1/4", "f:2:1: error: 224.0.0.1/4 is a multicast address");
	check_address("240.0.0.1/24", "f:2:1: error: 240.0.0.1/24 is reserved");
	check_address("10.0.0.1/0", "f:2:1: error: 10.0.0.1/0 has the prefix length 0");
	check_address("\"ff02::1/64\"", "f:2:1: error: ff02::1/64 is a multicast address");
	check_address("\"::/64\"", "f:2:1: error: ::/64 is not a host address");
	check_address("{address: \"fd00::1/64\", scope: link}", "f:2:25: error: 'scope' is for IPv4 addresses only");
	check_address("{address: \"fd00::1/64\", label: \"x:1\"}", "f:2:25: error: 'label' is for IPv4 addresses only");
	check_address("{address: 10.0.0.1/24, nodad: true}", "f:2:24: error: 'nodad' is for IPv6 addresses only");
	check_address("{address: 10.0.0.1/24, label: eth0}",
		      "f:2:31: error: a label is the interface's name, optionally with ':' and text after it "
		      "(x:web), at most 15 bytes");
	check_address("{address: 10.0.0.1, peer: \"fd00::1\"}",
		      "f:2:27: error: 'peer' and the address are of different families");
	check_address("{address: 10.0.0.1/24, peer: 10.0.0.2/30}",
		      "f:2:30: error: with 'peer', the prefix length belongs to the peer; write the address without one");
	check_address("{peer: 10.0.0.1}", "f:2:1: error: an address needs 'address'");
	check_address("10.0.0.1/24, {address: 10.0.0.1/24, scope: link}",
		      "f:2:14: error: a/x address 10.0.0.1/24 is declared twice with different values\n"
		      "f:2:1: note: first here");
	/* An interface has an IPv6 address once, whatever the prefix length. */
	check_address("\"fd00::1/64\", \"fd00::1/48\"",
		      "f:2:15: error: a/x address fd00::1/48 is declared twice with different values\n"
		      "f:2:1: note: first here");
}

static void test_wrong_routes(void **state _unused_) {
	check_route("{to: default}",
		    "f:2:6: error: cannot tell IPv4 from IPv6: 'default' has no gateway; write 0.0.0.0/0 or \"::/0\"");
	check_route("{via: 10.0.0.1}", "f:2:1: error: a route needs 'to'");
	check_route("{to: 10.0.0.1/24, via: 10.0.0.1}",
		    "f:2:6: error: '10.0.0.1/24' has host bits set; the prefix is 10.0.0.0/24");
	check_route("{to: 10.0.0.0/24}", "f:2:1: error: a route needs 'via', 'dev', 'nexthops' or 'nexthop'");
	check_route("{to: \"fd00::/64\", via: 10.0.0.1}", "f:2:1: error: an IPv6 destination needs an IPv6 gateway");
	check_route("{to: 10.0.0.0/24, via: 10.9.0.1, src: \"fd00::1\"}",
		    "f:2:1: error: 'src' and 'to' are of different families");
	check_route("{to: 10.0.0.0/24, type: blackhole, via: 10.0.0.1}",
		    "f:2:1: error: a route of this type has no next hop");
	check_route("{to: 10.0.0.0/24, via: 10.1.0.1, nexthops: [{via: 10.0.0.2}]}",
		    "f:2:1: error: 'nexthops' replaces 'via' and 'dev'; write only one of them");
	check_route("{to: 10.0.0.0/24, nexthops: [{weight: 3}]}", "f:2:30: error: a next hop needs 'via' or 'dev'");
	check_route("{to: 10.0.0.0/24, nexthops: []}", "f:2:29: error: 'nexthops' is a list of {via, dev, weight}");
	check_route("{to: \"fd00::/64\", via: \"fd00::1\", scope: link}", "f:2:1: error: 'scope' is for IPv4 routes only");
	check_route("{to: 10.0.0.0/8, via: 224.0.0.1}", "f:2:1: error: the gateway is a multicast address");
	check_route("{to: 10.0.0.0/8, type: blackhole}, {to: 10.0.0.0/8, type: prohibit}",
		    "f:2:36: error: host route 10.0.0.0/8 is declared twice with different values; give one a 'metric' "
		    "(the smaller is preferred)\nf:2:1: note: first here");
	check_route("{to: 10.0.0.0/8, type: blackhole}, {to: 10.0.0.0/8, type: prohibit, metric: 5}", "");
	check_route("{to: default, via: 10.0.0.1}, {to: default, via: 10.0.0.2}",
		    "f:2:31: error: host route 0.0.0.0/0 is declared twice with different values; give one a 'metric' "
		    "(the smaller is preferred), or write both as 'nexthops' of one route\nf:2:1: note: first here");
}

/* Legal, but probably a mistake. */

static void test_warnings(void **state _unused_) {
	check_diags("namespaces: {web: {routes: [{to: default, via: 10.0.0.1}]}}",
		    "f:1:48: warning: no declared address of web covers the gateway 10.0.0.1");
	/* What a namespace contains that topod does not make is unknown. */
	check_diags("namespaces: {web: {adopt: true, routes: [{to: default, via: 10.0.0.1}]}}", "");
	check_diags("namespaces: {host: {routes: [{to: default, via: 10.0.0.1}]}}", "");
	/* Reached by a route, by the link itself, or declared to be reachable. */
	check_diags("namespaces: {web: {interfaces: {x: {kind: bridge}},\n"
		    "  routes: [{to: default, via: 10.0.0.1}, {to: 10.0.0.0/24, dev: x}]}}",
		    "");
	check_diags(
		"namespaces: {web: {interfaces: {x: {kind: bridge}}, routes: [{to: default, via: \"fe80::1\", dev: x}]}}",
		"");
	check_diags("namespaces: {web: {interfaces: {x: {kind: bridge}},\n"
		    "  routes: [{to: default, via: 10.0.0.1, dev: x, on-link: true}]}}",
		    "");
	check_diags("namespaces: {web: {interfaces: {x: {kind: bridge, addresses: 10.0.0.2/24},\n"
		    "  z: {kind: bridge, addresses: 10.0.0.3/24}}, routes: {to: default, via: 10.0.0.1}}}",
		    "f:2:32: warning: 10.0.0.3/24 on z overlaps 10.0.0.2/24 on x\n"
		    "f:1:62: note: the other is here\n"
		    "f:2:74: warning: 2 interfaces of web could reach the gateway 10.0.0.1; write 'dev' to say which one");
	/* Single addresses do not overlap, nor do two on one interface. */
	check_diags("namespaces: {web: {interfaces: {x: {kind: bridge, addresses: [10.0.0.2/24, 10.0.0.3/24]},\n"
		    "  lo: {addresses: 10.0.0.9/32}}}}",
		    "");
}

/* All of them in one run, in the order of the file. */
static void test_every_mistake(void **state _unused_) {
	check_diags("versoin: 1\n"
		    "namespaces:\n"
		    "  web:\n"
		    "    interfaces:\n"
		    "      eth0: {adresses: [10.0.0.1/24], mtu: big}\n"
		    "    routes: [{to: default}]\n"
		    "links: [[web:eth0, hots:c1]]\n",
		    "f:1:1: error: unknown key 'versoin' in a topology; did you mean 'version'?\n"
		    "f:5:14: error: unknown key 'adresses' in an interface; did you mean 'addresses'?\n"
		    "f:5:44: error: 'mtu' takes an integer, not 'big'\n"
		    "f:6:19: error: cannot tell IPv4 from IPv6: 'default' has no gateway; write 0.0.0.0/0 or \"::/0\"\n"
		    "f:7:20: error: there is no namespace 'hots'; did you mean 'host'?");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_link_within_a_namespace),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_drift_nearest),
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_stable_mac),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_existing),
		cmocka_unit_test(test_lo),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_setting_of_dotted_interface),
		cmocka_unit_test(test_same_twice_is_once),
		cmocka_unit_test(test_different_addresses),
		cmocka_unit_test(test_address_forms),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_one_without_brackets),
		cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_wrong_top),
		cmocka_unit_test(test_wrong_namespaces),
		cmocka_unit_test(test_wrong_settings),
		cmocka_unit_test(test_wrong_names),
		cmocka_unit_test(test_wrong_kinds),
		cmocka_unit_test(test_wrong_keys),
		cmocka_unit_test(test_wrong_references),
		cmocka_unit_test(test_foreign_links),
		cmocka_unit_test(test_wrong_structure),
		cmocka_unit_test(test_wrong_links),
		cmocka_unit_test(test_wrong_addresses),
		cmocka_unit_test(test_wrong_routes),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_every_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
