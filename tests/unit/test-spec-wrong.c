/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mistakes in a document: each with its message and position. test-spec-mistakes.c is about what the kernel would refuse. */
#include "spec-helper.h"

#include "kind/kinds.h"

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
	/* A namespace that topod makes contains nothing to take over. */
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
	/* An interface has an IPv6 address once, with any prefix length. */
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
	/* The content of a namespace that topod does not make is unknown. */
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
		cmocka_unit_test(test_wrong_top),        cmocka_unit_test(test_wrong_namespaces),
		cmocka_unit_test(test_wrong_settings),   cmocka_unit_test(test_wrong_names),
		cmocka_unit_test(test_wrong_kinds),      cmocka_unit_test(test_wrong_keys),
		cmocka_unit_test(test_wrong_references), cmocka_unit_test(test_foreign_links),
		cmocka_unit_test(test_wrong_structure),  cmocka_unit_test(test_wrong_links),
		cmocka_unit_test(test_wrong_addresses),  cmocka_unit_test(test_wrong_routes),
		cmocka_unit_test(test_warnings),         cmocka_unit_test(test_every_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
