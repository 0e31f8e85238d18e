/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a document to the desired state: what is read, and what is filled in. test-spec-wrong.c is about mistakes, test-type.c
 * about single values, test-nat.c about the list `nat`.
 */
#include "spec-helper.h"

#include "kind/address.h"
#include "kind/kinds.h"
#include "kind/route.h"
#include "kind/sysctl.h"
#include "kind/veth.h"

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
	assert_null(find_object(&r.spec.state, "host/c1 bridge port of br0")); /* declares nothing about itself */
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
