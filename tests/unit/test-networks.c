/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The written-out form of networks, prefixes of links and defaults of namespaces, and mistakes in them. */
#include "expand-helper.h"

static void test_a_network(void **state _unused_) {
	check_same(
		"networks: {lan: {prefix: 10.0.0.0/24, members: [web, db, \"h[1-2]\"], bridge: \"host:br-lan\", gateway: host, "
		"nat: true}}",
		"namespaces:\n"
		"  host:\n"
		"    interfaces: {br-lan: {kind: bridge, ports: [lan-web, lan-db, lan-h1, lan-h2], addresses: 10.0.0.1/24}}\n"
		"    forwarding: ipv4\n"
		"    nat: [{action: masquerade, source: 10.0.0.0/24, destination: not 10.0.0.0/24}]\n"
		"  web: {interfaces: {eth0: {addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.1}}\n"
		"  db: {interfaces: {eth0: {addresses: 10.0.0.3/24}}, routes: {to: default, via: 10.0.0.1}}\n"
		"  h1: {interfaces: {eth0: {addresses: 10.0.0.4/24}}, routes: {to: default, via: 10.0.0.1}}\n"
		"  h2: {interfaces: {eth0: {addresses: 10.0.0.5/24}}, routes: {to: default, via: 10.0.0.1}}\n"
		"links: [[web:eth0, host:lan-web], [db:eth0, host:lan-db], [h1:eth0, host:lan-h1], [h2:eth0, host:lan-h2]]");
}

static void test_without_a_gateway(void **state _unused_) {
	check_same(
		"networks: {lan: {prefix: [10.0.0.0/24, \"fd00::/64\"], members: [a, {name: b, interface: x}], mtu: 1400}}",
		"namespaces:\n"
		"  lan: {interfaces: {br0: {kind: bridge, ports: [a, b], mtu: 1400}}}\n"
		"  a: {interfaces: {eth0: {addresses: [10.0.0.1/24, \"fd00::1/64\"]}}}\n"
		"  b: {interfaces: {x: {addresses: [10.0.0.2/24, \"fd00::2/64\"]}}}\n"
		"links: [{endpoints: [a:eth0, lan:a], mtu: 1400}, {endpoints: [b:x, lan:b], mtu: 1400}]");
	check_same("networks: {lan: {prefix: 10.0.0.0/31, members: [a, b], gateway: false}}",
		   "namespaces:\n"
		   "  lan: {interfaces: {br0: {kind: bridge, ports: [a, b]}}}\n"
		   "  a: {interfaces: {eth0: {addresses: 10.0.0.0/31}}}\n"
		   "  b: {interfaces: {eth0: {addresses: 10.0.0.1/31}}}\n"
		   "links: [[a:eth0, lan:a], [b:eth0, lan:b]]");
	check_same("networks: {lan: {prefix: 10.0.0.0/24}}",
		   "namespaces: {lan: {interfaces: {br0: {kind: bridge, ports: []}}}}");
}

/* A gateway that is a member does not count; a member with an explicit address does. */
static void test_a_gateway_among_the_members(void **state _unused_) {
	check_same(
		"networks: {lan: {prefix: [10.0.0.0/24, \"fd00::/64\"], members: [a, r, {name: b, address: 10.0.0.99}, c], gateway: r, "
		"isolated: true, nat: true}}",
		"namespaces:\n"
		"  lan: {interfaces: {br0: {kind: bridge, ports: [{name: a, isolated: true}, r, {name: b, isolated: true}, "
		"{name: c, isolated: true}]}}}\n"
		"  r:\n"
		"    forwarding: true\n"
		"    interfaces: {eth0: {addresses: [10.0.0.1/24, \"fd00::1/64\"]}}\n"
		"    nat:\n"
		"      - {action: masquerade, source: 10.0.0.0/24, destination: not 10.0.0.0/24}\n"
		"      - {action: masquerade, source: \"fd00::/64\", destination: \"not fd00::/64\"}\n"
		"  a: {interfaces: {eth0: {addresses: [10.0.0.2/24, \"fd00::2/64\"]}},\n"
		"      routes: [{to: default, via: 10.0.0.1}, {to: default, via: \"fd00::1\"}]}\n"
		"  b: {interfaces: {eth0: {addresses: [10.0.0.99/24, \"fd00::3/64\"]}},\n"
		"      routes: [{to: default, via: 10.0.0.1}, {to: default, via: \"fd00::1\"}]}\n"
		"  c: {interfaces: {eth0: {addresses: [10.0.0.4/24, \"fd00::4/64\"]}},\n"
		"      routes: [{to: default, via: 10.0.0.1}, {to: default, via: \"fd00::1\"}]}\n"
		"links: [[a:eth0, lan:a], [r:eth0, lan:r], [b:eth0, lan:b], [c:eth0, lan:c]]");
}

/* A router is a member of both networks, and has the default route of the one of which it is not the gateway. */
static void test_a_router(void **state _unused_) {
	check_same(
		"networks:\n"
		"  lan: {prefix: 10.1.0.0/24, members: [a, r], gateway: r}\n"
		"  wan: {prefix: \"fd00::/64\", members: [r, b], gateway: b}\n",
		"namespaces:\n"
		"  lan: {interfaces: {br0: {kind: bridge, ports: [a, r]}}}\n"
		"  wan: {interfaces: {br0: {kind: bridge, ports: [r, b]}}}\n"
		"  a: {interfaces: {eth0: {addresses: 10.1.0.2/24}}, routes: {to: default, via: 10.1.0.1}}\n"
		"  r: {interfaces: {eth0: {addresses: 10.1.0.1/24}, eth1: {addresses: \"fd00::2/64\"}}, forwarding: ipv4,\n"
		"      routes: {to: default, via: \"fd00::1\"}}\n"
		"  b: {interfaces: {eth0: {addresses: \"fd00::1/64\"}}, forwarding: ipv6}\n"
		"links: [[a:eth0, lan:a], [r:eth0, lan:r], [r:eth1, wan:r], [b:eth0, wan:b]]");
}

/* Entries written by hand for the same object are merged with it, and their interfaces are not used. */
static void test_beside_what_is_written(void **state _unused_) {
	check_same(
		"namespaces:\n"
		"  host: {forwarding: true, interfaces: {br0: {kind: bridge, stp: true, addresses: 10.9.0.1/24, ports: d}, lan-b: {mtu: 1300}}}\n"
		"  a: {interfaces: {eth0: {mtu: 1300}}, routes: {to: 10.5.0.0/16, via: 10.0.0.9}}\n"
		"  b: {interfaces: {eth0: {kind: bridge}}}\n"
		"  c: {}\n"
		"links: [[c:eth0, host:d]]\n"
		"networks: {lan: {prefix: 10.0.0.0/24, members: [a, b, c], bridge: \"host:br0\", gateway: host}}\n",
		"namespaces:\n"
		"  host: {forwarding: true, interfaces: {br0: {kind: bridge, stp: true, addresses: [10.9.0.1/24, 10.0.0.1/24],\n"
		"    ports: [d, lan-a, lan-b, lan-c]}, lan-b: {mtu: 1300}}}\n"
		"  a: {interfaces: {eth0: {mtu: 1300, addresses: 10.0.0.2/24}},\n"
		"      routes: [{to: 10.5.0.0/16, via: 10.0.0.9}, {to: default, via: 10.0.0.1}]}\n"
		"  b: {interfaces: {eth0: {kind: bridge}, eth1: {addresses: 10.0.0.3/24}}, routes: {to: default, via: 10.0.0.1}}\n"
		"  c: {interfaces: {eth1: {addresses: 10.0.0.4/24}}, routes: {to: default, via: 10.0.0.1}}\n"
		"links: [[c:eth0, host:d], [a:eth0, host:lan-a], [b:eth1, host:lan-b], [c:eth1, host:lan-c]]");
}

/* Names that are too long for an interface are shortened in the same way in every process, regardless of other members. */
static void test_long_names(void **state _unused_) {
	check_same("networks: {averylongnetwork: {prefix: 10.0.0.0/24, members: [a, averylongmember], bridge: \"host:b\"}}",
		   "namespaces:\n"
		   "  host: {interfaces: {b: {kind: bridge, ports: [pd07055e6, p1a0e76a6]}}}\n"
		   "  a: {interfaces: {eth0: {addresses: 10.0.0.1/24}}}\n"
		   "  averylongmember: {interfaces: {eth0: {addresses: 10.0.0.2/24}}}\n"
		   "links: [[a:eth0, host:pd07055e6], [averylongmember:eth0, host:p1a0e76a6]]");
}

static void test_ranges_of_networks(void **state _unused_) {
	check_same(
		"networks: {\"n[1-2]\": {prefix: \"10.{n}.0.0/24\", members: [\"m{n}-[a-b]\", r]}}",
		"networks: {n1: {prefix: 10.1.0.0/24, members: [m1-a, m1-b, r]}, n2: {prefix: 10.2.0.0/24, members: [m2-a, m2-b, r]}}");
	check_same(
		"networks: {z: {prefix: 10.0.0.0/24, members: [{name: \"m[1-2]\", address: \"10.0.0.{n+100}\", interface: \"if{n}\"}]}}",
		"networks: {z: {prefix: 10.0.0.0/24, members: [{name: m1, address: 10.0.0.101, interface: if1}, "
		"{name: m2, address: 10.0.0.102, interface: if2}]}}");
}

static void test_wrong_networks(void **state _unused_) {
	check_diags("networks: []", "f:1:11: error: 'networks' must be a mapping of names, not a list");
	check_diags("networks: {z: {}}", "f:1:15: error: a network needs 'prefix'");
	check_diags("networks: {z: }", "f:1:15: error: a network must be a mapping of keys, not a string");
	check_diags("networks: {z: {prefix: 10.0.0.1/24}}",
		    "f:1:24: error: '10.0.0.1/24' has host bits set; the prefix is 10.0.0.0/24");
	check_diags("networks: {z: {prefix: 10.0.0.0/32}}",
		    "f:1:24: error: '10.0.0.0/32' has only one address, which is too few for a network");
	check_diags("networks: {z: {prefix: [10.0.0.0/24, 10.1.0.0/24]}}",
		    "f:1:38: error: a network has one prefix of each family; this is the second one of IPv4\n"
		    "f:1:25: note: first here");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, member: [a]}}",
		    "f:1:37: error: unknown key 'member' in a network; did you mean 'members'?");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, members: [{adress: 10.0.0.1}]}}",
		    "f:1:47: error: a member needs 'name'\n"
		    "f:1:48: error: unknown key 'adress' in a member; did you mean 'address'?");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, members: [a/b]}}",
		    "f:1:47: error: the namespace name 'a/b' contains '/', ':' or white space");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, members: [a], bridge: b}}",
		    "f:1:59: error: 'b' is not an endpoint; write namespace:interface");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, members: [a], gateway: true}}",
		    "f:1:60: error: 'gateway' is the name of a namespace, or false");
	check_diags(
		"networks: {z: {prefix: 10.0.0.0/24, members: [web], gateway: wed}}",
		"f:1:62: error: the gateway is neither a member of 'z' nor z, where its bridge is: 'wed'; did you mean 'web'?");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, members: [a], nat: true}}",
		    "f:1:56: error: 'nat' needs a 'gateway', which translates the addresses");
	check_diags(
		"networks: {z: {prefix: 10.0.0.0/24, members: [a, z]}}",
		"f:1:50: error: the bridge of 'z' is in z, which has an address only as its gateway; write 'gateway: z' (for z)");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, members: [host]}}",
		    "f:1:47: error: the host's interfaces are not known; name the new one: {name: host, interface: …} (for "
		    "host)");
}

static void test_wrong_members(void **state _unused_) {
	check_diags("networks: {z: {prefix: 10.0.0.0/24, members: [a, \"[a-b]\"]}}",
		    "f:1:50: error: a is a member of 'z' twice (for a)\n"
		    "f:1:47: note: first here (for a)");
	check_diags("networks: {z: {prefix: 10.0.0.0/29, members: [\"a[1-9]\"], gateway: z}}",
		    "f:1:47: error: 'z' has 9 members, but 10.0.0.0/29 has only 5 addresses for them (for a6)\n"
		    "f:1:24: note: the prefix is here");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, members: [{name: a, address: 10.0.1.1}]}}",
		    "f:1:66: error: 10.0.1.1 is not in the network 'z', which is 10.0.0.0/24");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, members: [{name: a, address: \"fd00::1\"}]}}",
		    "f:1:66: error: the network 'z' has no IPv6 prefix");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, members: [{name: a, address: 10.0.0.255}]}}",
		    "f:1:66: error: 10.0.0.255 is the address of the network itself or its broadcast address");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, members: [{name: a, address: [10.0.0.5, 10.0.0.6]}]}}",
		    "f:1:77: error: a member has one address of each family");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, members: [a, {name: b, address: 10.0.0.1}]}}",
		    "f:1:50: error: b has the address 10.0.0.1, which a has in 'z' (for b)\n"
		    "f:1:47: note: first here (for a)");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, gateway: z, members: [{name: b, address: 10.0.0.1}]}}",
		    "f:1:59: error: b has the address 10.0.0.1, which z has in 'z' (for b)\n"
		    "f:1:46: note: first here");
	check_diags("networks: {z: {prefix: 10.0.0.0/24, gateway: b, members: [{name: b, address: 10.0.0.9}]}}",
		    "f:1:59: error: the gateway of 'z' has the first address; leave 'address' out (for b)");
	check_diags(
		"networks:\n  z: {prefix: 10.0.0.0/24, gateway: z, members: [b]}\n  m: {prefix: 10.1.0.0/24, gateway: m, members: [b]}\n",
		"f:3:50: error: b would have two default routes, by the gateways of 'z' and of 'm'; set 'gateway: false' for one of "
		"them, or make b the gateway (for b)\n"
		"f:2:37: note: the first gateway is here");
}

/* A contradiction to what is written by hand shows both places. */
static void test_contradictions(void **state _unused_) {
	check_diags("namespaces:\n  host: {forwarding: false}\n"
		    "networks:\n  z: {prefix: 10.0.0.0/24, bridge: \"host:b\", gateway: host}\n",
		    "f:4:55: error: 'forwarding' is 'ipv4' here and 'false' in another entry (for z)\n"
		    "f:2:10: note: first here");
	check_diags("namespaces:\n  host: {interfaces: {b: {kind: bridge, mtu: 1300}}}\n"
		    "networks:\n  z: {prefix: 10.0.0.0/24, bridge: \"host:b\", mtu: 1400}\n",
		    "f:4:3: error: 'mtu' is '1400' here and '1300' in another entry (for z)\n"
		    "f:2:41: note: first here");
	check_diags("namespaces:\n  host: {interfaces: {b: {kind: dummy}}}\n"
		    "networks:\n  z: {prefix: 10.0.0.0/24, bridge: \"host:b\"}\n",
		    "f:4:3: error: 'kind' is 'bridge' here and 'dummy' in another entry (for z)\n"
		    "f:2:27: note: first here");
}

static void test_prefixes_of_links(void **state _unused_) {
	check_same(
		"namespaces: {a: {interfaces: {x: {mtu: 1400}}}, b: {}}\n"
		"links: [{endpoints: [a:x, b:x], prefix: 10.0.0.0/30}, {endpoints: [a:w, b:w], prefix: [10.0.1.0/31, \"fd00::/127\"]}]",
		"namespaces: {a: {interfaces: {x: {mtu: 1400, addresses: 10.0.0.1/30}, w: {addresses: [10.0.1.0/31, \"fd00::/127\"]}}},\n"
		"  b: {interfaces: {x: {addresses: 10.0.0.2/30}, w: {addresses: [10.0.1.1/31, \"fd00::1/127\"]}}}}\n"
		"links: [[a:x, b:x], [a:w, b:w]]");
	check_same(
		"namespaces: {\"r[1-4]\": {}}\n"
		"links: [{endpoints: [\"r[1-3]:right\", \"r[2-4]:left\"], prefix: [{pool: 10.0.0.0/16, length: 30}, {pool: "
		"\"fd00::/32\", length: 64}]}]",
		"namespaces:\n"
		"  r1: {interfaces: {right: {addresses: [10.0.0.1/30, \"fd00::1/64\"]}}}\n"
		"  r2: {interfaces: {left: {addresses: [10.0.0.2/30, \"fd00::2/64\"]}, right: {addresses: [10.0.0.5/30, \"fd00:0:0:1::1/64\"]}}}\n"
		"  r3: {interfaces: {left: {addresses: [10.0.0.6/30, \"fd00:0:0:1::2/64\"]}, right: {addresses: [10.0.0.9/30, \"fd00:0:0:2::1/64\"]}}}\n"
		"  r4: {interfaces: {left: {addresses: [10.0.0.10/30, \"fd00:0:0:2::2/64\"]}}}\n"
		"links: [[r1:right, r2:left], [r2:right, r3:left], [r3:right, r4:left]]");
	check_same(
		"namespaces: {\"h[1-2]\": {}}\nlinks: [{endpoints: [\"h[1-2]:x\", \"host:c{n}\"], prefix: \"10.0.{n}.0/24\"}]",
		"namespaces: {h1: {interfaces: {x: {addresses: 10.0.1.1/24}}}, h2: {interfaces: {x: {addresses: 10.0.2.1/24}}},\n"
		"  host: {interfaces: {c1: {addresses: 10.0.1.2/24}, c2: {addresses: 10.0.2.2/24}}}}\n"
		"links: [[h1:x, host:c1], [h2:x, host:c2]]");
}

static void check_link_prefix(const char *prefix, const char *expected) {
	_cleanup_free_ char *text = xasprintf(
		"namespaces: {a: {}, b: {}}\nlinks: [{prefix: %s, endpoints: [\"a:x[1-5]\", \"b:x[1-5]\"]}]", prefix);

	check_diags(text, expected);
}

static void test_wrong_prefixes(void **state _unused_) {
	check_link_prefix(
		"{pool: 10.0.0.0/28, length: 30}",
		"f:2:18: error: 10.0.0.0/28 has only 4 prefixes of length 30, and there are more links (for a:x5)");
	check_link_prefix(
		"{pool: 10.0.0.0/24, length: 33}",
		"f:2:18: error: 'length' must be from 24 to 32, because the pool is 10.0.0.0/24 (for a:x1 and 4 more)");
	check_link_prefix("{pool: 10.0.0.0/24}", "f:2:18: error: the prefix of a link needs 'length' (for a:x1 and 4 more)");
	check_link_prefix("10.0.0.1/32", "f:2:18: error: the prefix of a link needs two addresses (for a:x1 and 4 more)");
	check_link_prefix("10.0.0.1/30",
			  "f:2:18: error: '10.0.0.1/30' has host bits set; the prefix is 10.0.0.0/30 (for a:x1 and 4 more)");
}

static void test_defaults(void **state _unused_) {
	check_same(
		"defaults: {namespace: {forwarding: true, sysctl: {net.core.somaxconn: 5, net.ipv4.ip_default_ttl: 9}}, link: {mtu: 1400}}\n"
		"namespaces: {host: {}, a: {}, b: {forwarding: false, sysctl: {net.core.somaxconn: 7}}}\n"
		"networks: {z: {prefix: 10.0.0.0/24, members: [a]}}\n",
		"defaults: {link: {mtu: 1400}}\n"
		"namespaces:\n"
		"  host: {}\n"
		"  a: {forwarding: true, sysctl: {net.core.somaxconn: 5, net.ipv4.ip_default_ttl: 9}}\n"
		"  b: {forwarding: false, sysctl: {net.core.somaxconn: 7, net.ipv4.ip_default_ttl: 9}}\n"
		"  z: {forwarding: true, sysctl: {net.core.somaxconn: 5, net.ipv4.ip_default_ttl: 9}}\n"
		"networks: {z: {prefix: 10.0.0.0/24, members: [a]}}\n");
	check_diags("defaults: {namespace: {forwading: true}}\nnamespaces: {host: {}, a: {}, b: {}}\n",
		    "f:1:24: error: unknown key 'forwading' in a namespace; did you mean 'forwarding'? (for a and 1 more)");
	check_diags("defaults: {namespace: [a]}\nnamespaces: {host: {}}\n",
		    "f:1:23: error: the defaults of namespaces must be a mapping of keys, not a list");
}

static const char *content_of(const struct read_spec *r, const char *id) {
	const struct object *object = get_object(&r->spec.state, id);

	return *(const char **)field_of(&object->kind->fields[0], object);
}

#define LOCAL "# Written by topod; changes are undone.\n127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"

/* Everybody who has an address of the same network on the same segment, whether by a network or by hand. */
static void test_hosts(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "defaults: {namespace: {dns: {hosts: true}}}\n"
		      "networks:\n"
		      "  lan: {prefix: [10.0.0.0/24, \"fd00::/64\"], members: [a, b, r], gateway: r}\n"
		      "  wan: {prefix: 10.1.0.0/24, members: [r, c]}\n"
		      "namespaces:\n"
		      "  d: {interfaces: {x: {addresses: 10.1.0.9/24}}}\n" /* not on the segment */
		      "  e: {interfaces: {x: {addresses: 10.1.0.8/24}}}\n"
		      "  f: {dns: {hosts: {one: 10.9.0.1, two: [10.9.0.2, \"fd09::2\"]}}}\n"
		      "  g: {dns: {hosts: false, servers: 10.0.0.9, options: [ndots:1, timeout:2]}}\n"
		      "links: [[d:x, e:x]]\n");
	assert_string_equal(content_of(&r, "a file /etc/netns/a/hosts"),
			    LOCAL "10.0.0.2 a\n10.0.0.3 b\n10.0.0.1 r\nfd00::2 a\nfd00::3 b\nfd00::1 r\n");
	assert_ptr_equal(content_of(&r, "a file /etc/netns/a/hosts"), content_of(&r, "b file /etc/netns/b/hosts"));
	assert_string_equal(content_of(&r, "r file /etc/netns/r/hosts"), LOCAL
			    "10.0.0.2 a\n10.0.0.3 b\n10.0.0.1 r\nfd00::2 a\nfd00::3 b\nfd00::1 r\n10.1.0.1 r\n10.1.0.2 c\n");
	assert_string_equal(content_of(&r, "d file /etc/netns/d/hosts"), LOCAL "10.1.0.9 d\n10.1.0.8 e\n");
	assert_string_equal(content_of(&r, "lan file /etc/netns/lan/hosts"), LOCAL);
	assert_string_equal(content_of(&r, "f file /etc/netns/f/hosts"), LOCAL "10.9.0.1 one\n10.9.0.2 two\nfd09::2 two\n");
	assert_null(find_object(&r.spec.state, "a file /etc/netns/a/resolv.conf"));
	assert_null(find_object(&r.spec.state, "g file /etc/netns/g/hosts"));
	assert_string_equal(content_of(&r, "g file /etc/netns/g/resolv.conf"),
			    "# Written by topod; changes are undone.\nnameserver 10.0.0.9\noptions ndots:1 timeout:2\n");
}

static void test_wrong_hosts(void **state _unused_) {
	check_diags("namespaces: {a: {dns: {hosts: [b]}}}",
		    "f:1:31: error: 'hosts' is true or a mapping {NAME: ADDRESS}, not a list");
	check_diags("namespaces: {a: {dns: {hosts: some}}}", "f:1:31: error: 'hosts' must be true or false, not 'some'");
	check_diags("namespaces: {a: {dns: {hosts: {b: c}}}}",
		    "f:1:35: error: 'hosts' takes an address, not 'c', for example 10.0.0.1 or \"fd00::1\"");
	check_diags("namespaces: {a: {dns: {hosts: {\"b c\": 10.0.0.1}}}}", "f:1:32: error: 'b c' is not a host's name");
	check_diags("namespaces: {a: {dns: {options: \"a b\"}}}",
		    "f:1:33: error: 'a b' is not an option of resolv.conf(5), such as ndots:1");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_network),
		cmocka_unit_test(test_without_a_gateway),
		cmocka_unit_test(test_a_gateway_among_the_members),
		cmocka_unit_test(test_a_router),
		cmocka_unit_test(test_beside_what_is_written),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_ranges_of_networks),
		cmocka_unit_test(test_wrong_networks),
		cmocka_unit_test(test_wrong_members),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_prefixes_of_links),
		cmocka_unit_test(test_wrong_prefixes),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_wrong_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
