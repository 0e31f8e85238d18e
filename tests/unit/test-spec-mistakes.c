/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mistakes that the kernel would refuse later with its own message: each is an error, or a warning if some kernel may accept
 * it, with its position; similar files that are right cause none. tests/netns/test_refused.py checks that the kernel does
 * refuse it.
 */
#include "spec-helper.h"

/* Entries of `interfaces` in a namespace `a` that topod makes; they begin on line 2. */
static void check_interfaces(const char *entries, const char *expected) {
	_cleanup_free_ char *text =
		xasprintf("namespaces: {a: {interfaces: {\n%s}}, b: {}}\nlinks: [[a:e0, b:e0], [a:e1, b:e1]]", entries);

	check_diags(text, expected);
}

/* e0 has 10.0.0.1/24 and fd00::1/64, e1 10.1.0.1/24; what is behind them, in the host namespace, is unknown. */
static void check_routes(const char *entries, const char *expected) {
	_cleanup_free_ char *text =
		xasprintf("namespaces: {a: {interfaces: {e0: {addresses: [10.0.0.1/24, \"fd00::1/64\"]}, e1: {addresses: "
			  "[10.1.0.1/24]}}, routes: [\n%s]}}\nlinks: [[a:e0, host:h0], [a:e1, host:h1]]",
			  entries);

	check_diags(text, expected);
}

static void test_names(void **state _unused_) {
#define TAKEN " is reserved by the kernel for the settings of all interfaces; choose another name"
	check_interfaces("all: {kind: bridge}, default: {kind: bridge}",
			 "f:2:1: error: the interface name 'all'" TAKEN
			 "\nf:2:22: error: the interface name 'default'" TAKEN);
	check_diags("namespaces: {a: {}, b: {}}\nlinks: [[a:all, b:e0]]", "f:2:10: error: the interface name 'all'" TAKEN);
	check_interfaces("all0: {kind: bridge}, All: {kind: bridge}", "");
}

static void test_mtu_limits(void **state _unused_) {
	check_interfaces("x: {kind: bridge, mtu: 65575}", "f:2:24: error: 'mtu' must be from 68 to 65535, not 65575");
	check_interfaces("e0: {mtu: 65536}", "f:2:11: error: 'mtu' must be from 68 to 65535, not 65536");
	check_diags("namespaces: {a: {}, b: {}}\nlinks: [{endpoints: [a:x, b:x], mtu: 65536}]",
		    "f:2:38: error: 'mtu' must be from 68 to 65535, not 65536");
	check_interfaces("x: {kind: bridge, mtu: 65535}, e0: {mtu: 65535}", "");
	check_diags("namespaces: {host: {interfaces: {x: {kind: existing, mtu: 65575}}}}", "");
}

static void test_mtu_below(void **state _unused_) {
	check_interfaces("e0: {mtu: 1400},\nm: {kind: macvlan, link: e0, mtu: 1401}",
			 "f:3:35: error: 'mtu' must be at most 1400: the lower interface a:e0 has 1400\n"
			 "f:2:11: note: it is set here");
	check_interfaces("e0: {mtu: 1400}, m: {kind: macvlan, link: e0, mtu: 1400}", "");
	check_interfaces(
		"m: {kind: macvlan, link: e0, mtu: 9000}",
		"f:2:35: warning: 'mtu' must be at most 1500 unless the lower interface a:e0 gets more than 1500, the "
		"kernel's default");
	check_interfaces(
		"e0: {mtu: 9000},\nv: {kind: vxlan, id: 1, remote: 10.0.0.9, dev: e0, mtu: 8951}",
		"f:3:57: error: 'mtu' must be at most 8950: the lower interface a:e0 has 9000, less 50 for the outer headers\n"
		"f:2:11: note: it is set here");
	check_interfaces(
		"e0: {mtu: 9000},\nv: {kind: vxlan, id: 1, remote: \"fd00::9\", dev: e0, mtu: 8950}",
		"f:3:58: error: 'mtu' must be at most 8930: the lower interface a:e0 has 9000, less 70 for the outer headers\n"
		"f:2:11: note: it is set here");
	check_interfaces("e0: {mtu: 9000}, v: {kind: vxlan, id: 1, remote: 10.0.0.9, dev: e0, mtu: 8950}", "");
	/* Without a lower link its MTU has no upper limit. */
	check_interfaces("v: {kind: vxlan, id: 1, remote: 10.0.0.9, mtu: 65535}", "");
	/* Through a link in between: its own MTU, or what its lower link allows. */
	check_interfaces(
		"e0: {mtu: 2000}, v: {kind: vxlan, id: 1, remote: 10.0.0.9, dev: e0},\nm: {kind: macvlan, link: v, mtu: 1951}",
		"f:3:34: error: 'mtu' must be at most 1950: the lower interface a:v has 1950\n"
		"f:2:11: note: it is set here");
	/* A bridge has the smallest MTU of its ports, and the kernel's default without ports. */
	check_interfaces(
		"e0: {mtu: 9000}, e1: {mtu: 2000}, x: {kind: bridge, ports: [e0, e1]},\nm: {kind: macvlan, link: x, mtu: 2001}",
		"f:3:34: error: 'mtu' must be at most 2000: the lower interface a:x has 2000\n"
		"f:2:28: note: it is set here");
	check_interfaces("e0: {mtu: 9000}, x: {kind: bridge, ports: [e0]}, m: {kind: macvlan, link: x, mtu: 9000}", "");
	check_interfaces(
		"x: {kind: bridge}, m: {kind: macvlan, link: x, mtu: 9000}",
		"f:2:53: warning: 'mtu' must be at most 1500 unless the lower interface a:x gets more than 1500, the "
		"kernel's default");
	check_interfaces("x: {kind: bridge, ports: [m]}, m: {kind: macvlan, link: x, mtu: 9000}",
			 "f:2:32: error: a/m is its own lower link");
	/* About links that topod did not make, only what the file says is known, also in another namespace. */
	check_diags(
		"namespaces: {host: {interfaces: {x: {kind: existing}}}, a: {interfaces: {m: {kind: macvlan, link: host:x, mtu: 9000}}}}",
		"");
	check_diags(
		"namespaces: {host: {interfaces: {x: {kind: existing, mtu: 1500}}}, a: {interfaces: {m: {kind: macvlan, link: host:x, mtu: 9000}}}}",
		"f:1:123: error: 'mtu' must be at most 1500: the lower interface host:x has 1500\n"
		"f:1:59: note: it is set here");
}

static void test_mtu_of_ipv6(void **state _unused_) {
	check_interfaces("e0: {mtu: 1279, addresses: [10.0.0.1/24,\n\"fd00::1/64\", \"fd00::2/64\"]}",
			 "f:3:1: error: fd00::1/64 needs an MTU of at least 1280, like all IPv6, but e0 has 1279\n"
			 "f:2:11: note: it comes from here");
	check_interfaces(
		"e0: {mtu: 1280, addresses: \"fd00::1/64\"}, e1: {mtu: 1000, addresses: 10.0.0.1/24}, lo: {mtu: 1000, addresses: \"fd00::1\"}",
		"");
	check_interfaces("e0: {mtu: 1279}, m: {kind: macvlan, link: e0, addresses: \"fd00::1/64\"}",
			 "f:2:58: error: fd00::1/64 needs an MTU of at least 1280, like all IPv6, but m has 1279\n"
			 "f:2:11: note: it comes from here");
	check_interfaces("e0: {mtu: 1329}, v: {kind: vxlan, id: 1, remote: 10.0.0.9, dev: e0, addresses: \"fd00::1/64\"}",
			 "f:2:80: error: fd00::1/64 needs an MTU of at least 1280, like all IPv6, but v has 1279\n"
			 "f:2:11: note: it comes from here");
	/* A bridge takes the smallest MTU of its ports, unless it declares one. */
	check_interfaces("e0: {mtu: 1279}, x: {kind: bridge, ports: [e0, e1], addresses: \"fd00::1/64\"}",
			 "f:2:64: error: fd00::1/64 needs an MTU of at least 1280, like all IPv6, but x has 1279\n"
			 "f:2:11: note: it comes from here");
	check_interfaces("e0: {mtu: 1279}, x: {kind: bridge, mtu: 1500, ports: [e0, e1], addresses: \"fd00::1/64\"}", "");
}

static void check_disabled(const char *settings, const char *address, const char *expected) {
	_cleanup_free_ char *text =
		xasprintf("namespaces: {a: {interfaces: {e0: {addresses: [\n\"%s\"]}, lo: {}}, sysctl: {\n%s}}}\n"
			  "links: [[a:e0, a:e1]]",
			  address, settings);

	check_diags(text, expected);
}

static void test_disabled_ipv6(void **state _unused_) {
#define DISABLED(name)                                                                                                     \
	"f:2:1: error: address fd00::1/64 cannot be set: sysctl net.ipv6.conf." name ".disable_ipv6 disables IPv6 on e0\n" \
	"f:3:1: note: it is disabled here"
	check_disabled("net.ipv6.conf.e0.disable_ipv6: 1", "fd00::1/64", DISABLED("e0"));
	check_disabled("net.ipv6.conf.all.disable_ipv6: 1", "fd00::1/64", DISABLED("all"));
	check_disabled("net.ipv6.conf.default.disable_ipv6: 1", "fd00::1/64", DISABLED("default"));
	check_disabled("net.ipv6.conf.e0.disable_ipv6: 1", "10.0.0.1/24", "");
	check_disabled("net.ipv6.conf.e1.disable_ipv6: 1", "fd00::1/64", "");
	check_disabled("net.ipv6.conf.e0.disable_ipv6: 0, net.ipv6.conf.all.disable_ipv6: 1", "fd00::1/64", "");
	check_disabled("net.ipv6.conf.e0.accept_ra: 1", "fd00::1/64", "");
	check_diags(
		"namespaces: {a: {interfaces: {lo: {addresses: \"fd00::1\"}}, sysctl: {net.ipv6.conf.default.disable_ipv6: 1}}}",
		"");
	check_diags(
		"namespaces: {host: {interfaces: {x: {kind: existing, addresses: \"fd00::1\"}}, sysctl: {net.ipv6.conf.default.disable_ipv6: 1}}}",
		"");
	check_diags(
		"namespaces: {a: {routes: [{to: 10.0.0.0/8, dev: e0}, {to: \"fd00:1::/64\",\ndev: e0}], sysctl: {\nnet.ipv6.conf.e0.disable_ipv6: 1}}}\n"
		"links: [[a:e0, a:e1]]",
		"f:2:6: error: route fd00:1::/64 dev e0 cannot be set: sysctl net.ipv6.conf.e0.disable_ipv6 disables IPv6 on e0\n"
		"f:3:1: note: it is disabled here");
}

static void test_lo(void **state _unused_) {
	check_interfaces("x: {kind: bridge, ports: [lo]}",
			 "f:2:27: error: 'lo' cannot be a port: it carries no Ethernet frames");
	check_interfaces("m: {kind: macvlan, link: lo}",
			 "f:2:26: error: 'lo' cannot be the parent of a macvlan: it carries no Ethernet frames");
	check_diags("namespaces: {host: {interfaces: {x: {kind: bridge, ports: lo}, m: {kind: macvlan, link: lo}}}}",
		    "f:1:59: error: 'lo' cannot be a port: it carries no Ethernet frames\n"
		    "f:1:89: error: 'lo' cannot be the parent of a macvlan: it carries no Ethernet frames");
	check_interfaces("v: {kind: vxlan, id: 1, remote: 127.0.0.1, dev: lo}", "");
}

static void test_ipvlan(void **state _unused_) {
	check_interfaces("m: {kind: ipvlan, link: e0, mode: l2},\no: {kind: ipvtap, link: e0, mode: l3}",
			 "f:3:35: error: all ipvlan and ipvtap interfaces on a:e0 must have the same 'mode'\n"
			 "f:2:35: note: first here");
	check_interfaces("m: {kind: ipvlan, link: e0, mode: l2},\no: {kind: ipvtap, link: e0, mode: l2, isolation: vepa}",
			 "");
	check_interfaces("m: {kind: ipvlan, link: e0, mac-address: \"02:00:00:00:00:09\"}",
			 "f:2:42: error: this ipvlan has the hardware address of its parent: write 'mac-address' "
			 "for a/e0 instead");
}

static void test_ipvlan_beside_others(void **state _unused_) {
#define BOTH "a:e0 has both macvlan and ipvlan interfaces on it; the kernel allows only one of the two"
	check_interfaces("m: {kind: macvlan, link: e0},\no: {kind: ipvlan, link: e0}",
			 "f:3:25: error: " BOTH "\nf:2:26: note: first here");
	check_interfaces("m: {kind: ipvtap, link: e0},\no: {kind: macvlan, link: e0}",
			 "f:3:26: error: " BOTH "\nf:2:25: note: first here");
	check_interfaces("m: {kind: ipvlan, link: lo}",
			 "f:2:25: error: 'lo' cannot be the parent of an ipvlan: it carries no Ethernet frames");
}

static void test_passthru(void **state _unused_) {
#define ALONE "a:e0 is the parent of another macvlan, and 'mode: passthru' allows only one"
	check_interfaces("m: {kind: macvlan, link: e0},\no: {kind: macvlan, link: e0, mode: passthru}",
			 "f:3:36: error: " ALONE "\nf:2:26: note: first here");
	check_interfaces("m: {kind: macvlan, link: e0, mode: passthru},\no: {kind: macvlan, link: e0}",
			 "f:3:26: error: " ALONE "\nf:2:36: note: first here");
	check_diags("namespaces: {a: {interfaces: {m: {kind: macvlan, link: e0, mode: passthru}}},\n"
		    "b: {interfaces: {m: {kind: macvlan, link: a:e0, mode: passthru}}}}\nlinks: [[a:e0, a:e1]]",
		    "f:2:55: error: " ALONE "\nf:1:66: note: first here");
	check_interfaces("m: {kind: macvlan, link: e0, mode: passthru}, o: {kind: macvlan, link: e1, mode: passthru}", "");
	check_interfaces("m: {kind: macvlan, link: e0, mode: bridge}, o: {kind: macvlan, link: e0, mode: private}", "");
}

static void test_macvlan_addresses(void **state _unused_) {
#define MAC "mac-address: \"02:00:00:00:00:01\""
	check_interfaces("e0: {" MAC "},\nm: {kind: macvlan, link: e0, " MAC "}",
			 "f:3:43: error: the lower interface a:e0 has this MAC address; a macvlan needs its own");
	check_interfaces("m: {kind: macvlan, link: e0, " MAC "},\no: {kind: macvlan, link: e0, " MAC "}",
			 "f:3:43: error: another macvlan of a:e0 has this MAC address\nf:2:43: note: first here");
	check_interfaces("e0: {" MAC "}, m: {kind: macvlan, link: e0, mode: passthru, " MAC "}", "");
	check_interfaces("e0: {" MAC "}, m: {kind: macvlan, link: e0, up: false, " MAC "}", "");
	check_interfaces("m: {kind: macvlan, link: e0, " MAC "}, o: {kind: macvlan, link: e1, " MAC "}", "");
	check_interfaces("m: {kind: macvlan, link: e0, " MAC "}, o: {kind: macvlan, link: e0, up: false, " MAC "}", "");
}

static void test_ports(void **state _unused_) {
	check_interfaces("x: {kind: bridge, ports: [\nz]}, z: {kind: bridge}",
			 "f:3:1: error: z is a bridge and cannot be a port of another; connect the two by a link "
			 "with one end as a port of each");
	check_interfaces("x: {kind: bridge, ports: [\ne0, m]}, m: {kind: macvlan,\nlink: e0}",
			 "f:4:7: error: a:e0 is a port of x and cannot also be the parent of a macvlan: both take "
			 "its frames; did you mean 'link: x'?\n"
			 "f:3:1: note: it is a port here");
	check_interfaces("x: {kind: bridge, ports: [m]}, m: {kind: macvlan, link: e0}", "");
	check_interfaces("x: {kind: bridge, ports: [e0]}, m: {kind: macvlan, link: x}", "");
	check_interfaces("x: {kind: bridge, ports: [e0]}, v: {kind: vxlan, id: 1, remote: 10.0.0.1, dev: e0}", "");
	check_interfaces("x: {kind: bridge, ports: [e0]}, e0: {addresses: [\n10.0.0.1/24]}",
			 "f:3:1: warning: e0 is a port of x, which receives everything that arrives there: give "
			 "10.0.0.1/24 to x");
}

static void test_bridge(void **state _unused_) {
	check_interfaces("x: {kind: bridge, stp: true,\nforward-delay: 0}",
			 "f:3:16: error: with 'stp' the 'forward-delay' must be from 2s to 30s");
	check_interfaces("x: {kind: bridge, stp: true,\nforward-delay: 1s}",
			 "f:3:16: error: with 'stp' the 'forward-delay' must be from 2s to 30s");
	check_interfaces(
		"x: {kind: bridge, stp: true, forward-delay: 2s}, z: {kind: bridge, forward-delay: 0}, w: {kind: bridge, stp: false, forward-delay: 1s}",
		"");
#define NEVER \
	"a bridge never forwards 01:80:c2:00:00:00, 01 and 02 (STP, pause frames, LACP): the bits 0x7 of 'group-fwd-mask' must be 0"
	check_interfaces("x: {kind: bridge, group-fwd-mask:\n0x9}", "f:3:1: error: " NEVER);
	check_interfaces("x: {kind: bridge, group-fwd-mask:\n65535}", "f:3:1: error: " NEVER);
	check_interfaces("x: {kind: bridge, group-fwd-mask: 0xfff8}", "");
}

static void check_fdb(const char *keys, const char *expected) {
	_cleanup_free_ char *text =
		xasprintf("x: {kind: bridge, ports: [e0]}, v: {kind: vxlan, id: 1, remote: 10.0.0.9},\n%s", keys);

	check_interfaces(text, expected);
}

static void test_fdb(void **state _unused_) {
#define MAC "mac-address: \"02:00:00:00:00:01\""
#define ANY "mac-address: \"00:00:00:00:00:00\""
	check_fdb("e0: {fdb: {" MAC "}}", "");
	check_fdb("w: {kind: vxlan, id: 2, fdb: [{" MAC ", remote: 10.0.0.1}, {" ANY ", remote: 10.0.0.1}, {" ANY
		  ", remote: 10.0.0.2}]}",
		  "");
	check_fdb("e0: {fdb: [{" MAC ", vni: 5}]}",
		  "f:3:12: error: 'port', 'vni' and 'via' are about another end of a vxlan: write 'remote' as well");
	check_fdb("e0: {fdb: [{" MAC ", remote: 10.0.0.1}]}", "f:3:55: error: only a vxlan has other ends; e0 is a veth");
	check_fdb("e1: {fdb: [{" MAC "}]}", "f:3:12: error: e1 is not a port of a bridge: list it in the bridge's 'ports'");
	check_fdb("w: {kind: vxlan, id: 2, fdb: [{" MAC "}]}",
		  "f:3:31: error: w is not a port of a bridge: list it in the bridge's 'ports', or write 'remote'");
	check_fdb("e0: {fdb: [{" ANY "}]}",
		  "f:3:12: error: a bridge's table has only addresses of single hosts; with 'remote' "
		  "a vxlan's table takes this one");
	check_fdb("w: {kind: vxlan, id: 2, fdb: [{" MAC ", remote: 10.0.0.1, vlan: 5}]}",
		  "f:3:31: error: 'vlan' and 'sticky' are for a bridge's table, 'remote' for a vxlan's: write two entries");
	check_fdb("w: {kind: vxlan, id: 2,\nremote: 10.0.0.3, fdb: [{" ANY ", remote: 10.0.0.1}]}",
		  "f:4:25: error: 'remote' of w already says where frames to unknown addresses go: write all other ends as "
		  "'remotes', or declare them here and leave that key out\nf:4:9: note: here");
	check_fdb("e0: {fdb: [{" MAC ", vlan: 4095}]}", "f:3:53: error: 'vlan' must be from 1 to 4094, not 4095");
}

static void check_vlans(const char *keys, const char *expected) {
	_cleanup_free_ char *text =
		xasprintf("x: {kind: bridge, vlan-filtering: true, ports: [{name: e0,\n%s}]}, e0: {}", keys);

	check_interfaces(text, expected);
}

static void test_bridge_vlans(void **state _unused_) {
	check_vlans("pvid: 10", "");
	check_vlans("pvid: none", "");
	check_vlans("pvid: 10, untagged: [11, 20-29], tagged: 30-39", "");
	check_vlans("pvid: 10, tagged: 10", "");
	check_vlans("tagged: [1-4094]", "");
	check_vlans("pvid: 4095", "f:3:7: error: 'pvid' must be from 1 to 4094, not 4095");
	check_vlans("pvid: 0", "f:3:7: error: 'pvid' must be from 1 to 4094, not 0");
	check_vlans("pvid: [10, 20]",
		    "f:3:7: error: 'pvid' is one VLAN: that of frames that arrive without a tag; write the "
		    "others as 'untagged' or 'tagged'");
#define RESERVED "a VLAN id is from 1 to 4094, not "
	check_vlans("tagged: [10, 0]", "f:3:14: error: " RESERVED "0: 0 and 4095 are reserved");
	check_vlans("tagged: 4000-4095", "f:3:9: error: " RESERVED "4095: 0 and 4095 are reserved");
#define IDS "takes VLAN ids and ranges, for example [10, 20-29], not "
	check_vlans("tagged: [29-20]", "f:3:10: error: 'tagged' " IDS "'29-20'");
	check_vlans("pvid: 5, untagged: [web]", "f:3:21: error: 'untagged' " IDS "'web'");
	check_vlans("tagged: {10: 20}", "f:3:9: error: 'tagged' takes one list of VLANs, not a mapping");
	check_vlans(
		"pvid: 10, untagged: [10, 20-25], tagged: 25-30",
		"f:3:42: error: VLAN 25 is both in 'untagged' and in 'tagged': its frames leave either without a tag or with "
		"one");
	check_vlans("untagged: [10, 11]",
		    "f:3:1: warning: frames that arrive without a tag are dropped: write 'pvid' as well, or "
		    "'pvid: none' if you want that");
	check_vlans("untagged: [10, 11], pvid: none", "");
#define IDLE "these VLANs have no effect until the bridge x has 'vlan-filtering: true'"
	check_interfaces("x: {kind: bridge, ports: [\n{name: e0, tagged: 10}]}, e0: {}", "f:3:1: warning: " IDLE);
	check_interfaces("\nx: {kind: bridge, pvid: none}", "f:3:1: warning: " IDLE);
}

static void test_vxlan_id(void **state _unused_) {
#define TWICE(where) "the VXLAN id 7 is taken on UDP port 4789 of " where ": choose another 'id' or 'port'"
	check_interfaces("v: {kind: vxlan, id: 7, remote: 10.0.0.1},\nw: {kind: vxlan, id: 7, remote: 10.0.0.2}",
			 "f:3:22: error: " TWICE("a") "\nf:2:22: note: first here");
	check_interfaces("v: {kind: vxlan, id: 7, remote: 10.0.0.1},\nw: {kind: vxlan, id: 7, remote: 10.0.0.2, dev: e0}",
			 "f:3:22: error: " TWICE("a") "\nf:2:22: note: first here");
	/* In the namespace of the lower link. */
	check_diags(
		"namespaces: {a: {interfaces: {v: {kind: vxlan, id: 7, dev: \"u:e0\"}}}, u: {interfaces: {v: {kind: vxlan, id: 7}}}}\n"
		"links: [[u:e0, u:e1]]",
		"f:1:109: error: " TWICE("u") "\nf:1:52: note: first here");
	check_interfaces(
		"v: {kind: vxlan, id: 7}, w: {kind: vxlan, id: 7, port: 4790}, u: {kind: vxlan, id: 8}, z: {kind: vxlan, id: 7, remote: \"fd00::1\"}",
		"");
	check_diags("namespaces: {a: {interfaces: {v: {kind: vxlan, id: 7}}}, u: {interfaces: {v: {kind: vxlan, id: 7}}}}",
		    "");
	check_interfaces(
		"v: {kind: vxlan, id: 7, local: \"fe80::1\", remote: \"fe80::2\", dev: e0}, w: {kind: vxlan, id: 7, local: \"fe80::1\", remote: \"fe80::2\", dev: e1}",
		"");
}

static void check_vxlan(const char *keys, const char *expected) {
	_cleanup_free_ char *text = xasprintf("v: {kind: vxlan, id: 7,\n%s}", keys);

	check_interfaces(text, expected);
}

static void test_vxlan(void **state _unused_) {
	check_vxlan("group: 239.0.0.1", "f:3:8: error: 'group' needs 'dev': the interface on which it is joined");
	check_vxlan("group: 239.0.0.1, dev: e0", "");
	check_vxlan("local: \"fd00::1\", remote: 10.0.0.1", "f:3:8: error: 'local' and 'remote' are of different families");
	check_vxlan("local: 10.0.0.1, group: \"ff02::1\", dev: e0",
		    "f:3:8: error: 'local' and 'group' are of different families");
	check_vxlan("local: 239.0.0.1, remote: 10.0.0.1",
		    "f:3:8: error: 'local' is a multicast address; it must be an address of this machine");
	check_vxlan("local: \"fe80::1\", remote: \"fd00::1\", dev: e0",
		    "f:3:8: error: 'local' is a link-local address and 'remote' is not");
	check_vxlan("local: \"fd00::1\", remote: \"fe80::1\", dev: e0",
		    "f:3:27: error: 'remote' is a link-local address, so 'local' must be one too");
	check_vxlan("remote: \"fe80::1\", dev: e0",
		    "f:3:9: error: 'remote' is a link-local address, so 'local' must be one too");
	check_vxlan("local: \"fe80::1\", remote: \"fe80::2\"",
		    "f:3:8: error: a link-local 'local' needs 'dev': the interface that has the address");
	check_vxlan("local: \"fe80::1\", remote: \"fe80::2\", dev: e0", "");
	check_vxlan("local: \"fe80::1\", group: \"ff05::1\", dev: e0",
		    "f:3:8: error: 'local' is a link-local address and 'group' is not");
	check_vxlan("local: \"fe80::1\", group: \"ff02::1\", dev: e0", "");
	check_vxlan("local: 10.0.0.1, remote: 10.0.0.2", "");
}

static void test_next_hops(void **state _unused_) {
#define LINK_LOCAL "a link-local gateway needs 'dev': every link has such addresses"
	check_routes("{to: \"fd10::/64\", via: \"fe80::1\"}", "f:2:24: error: " LINK_LOCAL);
	check_routes("{to: 10.9.0.0/16, via: \"fe80::1\"}", "f:2:24: error: " LINK_LOCAL);
	check_routes("{to: \"fd10::/64\", nexthops: [{via: \"fe80::1\"}]}", "f:2:36: error: " LINK_LOCAL);
	check_routes("{to: \"fd10::/64\", via: \"fe80::1\", dev: e0}", "");
	check_routes("{to: 10.9.0.0/16, via: 10.0.0.2, on-link: true}",
		     "f:2:43: error: 'on-link' needs 'dev': the interface that the gateway is on");
	check_routes("{to: \"fd10::/64\", nexthops: [{via: \"fd00::2\", on-link: true}, {via: \"fd00::3\"}]}",
		     "f:2:56: error: 'on-link' needs 'dev': the interface that the gateway is on");
	check_routes("{to: 10.9.0.0/16, via: 192.0.2.1, dev: e0, on-link: true}", "");
	check_routes("{to: 10.9.0.0/16, dev: e0, on-link: true}",
		     "f:2:37: error: 'on-link' needs a gateway; write 'via', or remove it");
	check_routes("{to: 10.9.0.0/16, nexthops: [{dev: e0, on-link: true}, {dev: e1}]}",
		     "f:2:19: error: 'on-link' needs a gateway; write 'via', or remove it");
	check_routes("{to: \"fd10::/64\", dev: e0, on-link: true}", "");
	check_routes("{to: \"fd10::/64\", nexthops: [{via: \"fd00::2\"}, {dev: e1}]}",
		     "f:2:19: error: each of several IPv6 next hops needs 'via'; e1 has none");
	check_routes("{to: \"fd10::/64\", nexthops: [{dev: e1}]}", "");
	check_routes("{to: \"fd10::/64\", nexthops: [{via: \"fd00::2\"}, {via: \"fd00::2\", weight: 5}]}",
		     "f:2:19: error: the IPv6 next hop fd00::2 occurs twice; use 'weight' for a larger share");
	check_routes(
		"{to: \"fd10::/64\", nexthops: [{via: \"fd00::2\"}, {via: \"fd00::2\", dev: e0}]}",
		"f:2:19: warning: the IPv6 next hop fd00::2 occurs twice unless the one without 'dev' is reached by another interface");
	check_routes("{to: \"fd10::/64\", nexthops: [{via: \"fe80::2\", dev: e0}, {via: \"fe80::2\", dev: e1}]}", "");
	check_routes("{to: 10.9.0.0/16, nexthops: [{via: 10.0.0.2}, {via: 10.0.0.2}, {dev: e1}]}", "");
}

static void test_scopes(void **state _unused_) {
#define LINK_SCOPE "with 'scope: link' the destination is on the link itself and has no gateway; leave 'scope' out"
	check_routes("{to: 10.9.0.0/16, via: 10.0.0.2, scope: link}", "f:2:41: error: " LINK_SCOPE);
	check_routes(
		"{to: 10.9.0.0/16, via: 10.0.0.1, scope: link}",
		"f:2:24: warning: the gateway 10.0.0.1 is an address of a itself, on e0; write that of the router, which is another "
		"host\nf:2:41: warning: " LINK_SCOPE);
	check_routes("{to: 10.9.0.0/16, via: 10.8.0.1, scope: link}, {to: 10.8.0.0/16, dev: e0, scope: host}",
		     "f:2:41: warning: " LINK_SCOPE);
	check_diags("namespaces: {host: {routes: [{to: 10.9.0.0/16, via: 10.0.0.2, scope: link}]}}",
		    "f:1:70: warning: " LINK_SCOPE);
	check_routes(
		"{to: 10.9.0.0/16, via: \"fd00::2\", scope: link}, {to: 10.8.0.0/16, via: 10.0.0.2, scope: site}, {to: 10.7.0.0/16, dev: e0, scope: link}",
		"");
#define HOST_SCOPE "a route of scope host, such as a local one, cannot have a gateway or several next hops"
	check_routes("{to: 10.9.0.0/16, via: 10.0.0.2, scope: host}", "f:2:41: error: " HOST_SCOPE);
	check_routes("{to: 10.9.0.1, via: 10.0.0.2, type: local, table: local}", "f:2:1: error: " HOST_SCOPE);
	check_routes("{to: 10.9.0.1, dev: e0, type: local, scope: link}", "f:2:45: error: a local route has 'scope: host'");
	check_routes(
		"{to: 10.9.0.1, dev: e0, type: local}, {to: 10.8.0.0/16, dev: e0, scope: host}, {to: \"fd10::/64\", via: \"fd00::2\", type: local}",
		"");
}

static void test_sources(void **state _unused_) {
	check_routes("{to: 10.9.0.0/16, via: 10.0.0.2, src: 10.0.0.7}",
		     "f:2:39: error: no interface of a has the address 10.0.0.7; without it the kernel refuses the route");
	check_routes("{to: \"fd10::/64\", via: \"fd00::2\", src: \"fd00::7\"}",
		     "f:2:40: warning: no interface of a has the address fd00::7; without it the kernel refuses the route");
	check_routes(
		"{to: 10.9.0.0/16, via: 10.0.0.2, src: 10.1.0.1}, {to: \"fd10::/64\", via: \"fd00::2\", src: \"fd00::1\"}",
		"");
	check_routes("{to: 10.9.0.0/16, via: 10.0.0.2, src: 127.0.0.5}, {to: 10.8.0.0/16, type: blackhole, src: 10.7.7.7}",
		     "");
	check_routes(
		"{to: 10.9.0.0/16, via: 10.0.0.2, src: 10.60.0.9}, {to: 10.60.0.0/24, dev: lo, type: local, table: local}",
		"");
	check_routes("{to: 10.9.9.9, dev: lo, type: local, src: 10.9.9.9}", "");
	check_diags("namespaces: {host: {routes: [{to: 10.9.0.0/16, via: 10.0.0.2, src: 10.0.0.7}]}}", "");
}

static void test_gateways(void **state _unused_) {
#define BEHIND(gateway, next) \
	"the gateway " gateway " is itself behind a gateway, which the kernel refuses; the next gateway on the path is " next
	check_routes("{to: 10.9.0.0/16, via: 10.0.0.2},\n{to: 10.8.0.0/16, via: 10.9.0.1}",
		     "f:3:24: error: " BEHIND("10.9.0.1", "10.0.0.2") "\nf:2:1: note: by this route");
	check_routes("{to: \"fd10::/64\", via: \"fd00::2\"},\n{to: \"fd11::/64\", via: \"fd10::1\", dev: e0}",
		     "f:3:24: error: " BEHIND("fd10::1", "fd00::2") "\nf:2:1: note: by this route");
	check_routes("{to: 10.9.0.0/16, via: 10.0.0.2},\n{to: 10.8.0.0/16, nexthops: [{via: 10.9.0.1}, {via: 10.0.0.3}]}",
		     "f:3:19: error: " BEHIND("10.9.0.1", "10.0.0.2") "\nf:2:1: note: by this route");
	check_routes("{to: 10.9.0.0/16, via: 10.0.0.2}, {to: 10.8.0.0/16, via: 10.9.0.1, dev: e0, on-link: true}", "");
	check_routes("{to: 10.9.0.0/16, dev: e0}, {to: 10.8.0.0/16, via: 10.9.0.1}", "");
	/* The gateway is looked up in the route's table and in the main table; for a default route more would have to be
	 * known. */
	check_routes("{to: 10.9.0.0/16, dev: e0, table: 100}, {to: 10.8.0.0/16, via: 10.9.0.1, table: 100}", "");
	check_routes("{to: 10.9.0.0/16, via: 10.0.0.2, table: 100}, {to: 10.8.0.0/16, via: 10.9.0.1}",
		     "f:2:70: warning: no declared address of a covers the gateway 10.9.0.1");
	check_routes("{to: default, via: 10.0.0.2}, {to: 10.8.0.0/16, via: 10.9.0.1}",
		     "f:2:54: warning: no declared address of a covers the gateway 10.9.0.1");
	check_routes("{to: 10.9.0.0/16, type: blackhole}, {to: 10.8.0.0/16, via: 10.9.0.1}",
		     "f:2:60: warning: no declared address of a covers the gateway 10.9.0.1");
	/* Link-local IPv4 addresses are treated like others. */
	check_routes("{to: 10.8.0.0/16, via: 169.254.0.1, dev: e0}",
		     "f:2:24: warning: no declared address of a covers the gateway 169.254.0.1");
	check_diags("namespaces: {host: {routes: [{to: 10.9.0.0/16, via: 10.0.0.2}, {to: 10.8.0.0/16, via: 10.9.0.1}]}}",
		    "");
}

static void test_kept_down(void **state _unused_) {
#define ROUTES(routes)                                                                                             \
	"namespaces: {a: {interfaces: {e0: {addresses: [10.0.0.1/24]},\ne1: {up: false, addresses: [10.1.0.1/24, " \
	"\"fd01::1/64\"]}}, routes: [\n" routes "]}}\nlinks: [[a:e0, host:h0], [a:e1, host:h1]]"
#define OVER(dev) \
	"the kernel refuses a route over an interface that is down, and " dev " has 'up: false'; remove that, or the route"
#define ONLY(gateway)                          \
	"only e1 reaches the gateway " gateway \
	", and has 'up: false': the kernel refuses the route; remove that, or the route"
#define HERE "\nf:2:10: note: it is kept down here"
	check_diags(ROUTES("{to: 10.9.0.0/16, via: 10.1.0.2}"), "f:3:24: error: " ONLY("10.1.0.2") HERE);
	check_diags(ROUTES("{to: 10.9.0.0/16, via: 10.1.0.2, dev: e1}"), "f:3:39: error: " OVER("e1") HERE);
	check_diags(ROUTES("{to: 10.9.0.0/16, nexthops: [{via: 10.0.0.2}, {via: 10.1.0.2}]}"),
		    "f:3:19: error: " ONLY("10.1.0.2") HERE);
	/* Another way that is up is enough, and so is a route that leads there. */
	check_diags(ROUTES("{to: 10.1.0.2, dev: e0}, {to: 10.9.0.0/16, via: 10.1.0.2}"), "");
	check_diags(ROUTES("{to: 10.9.0.0/16, via: 10.0.0.2, src: 10.1.0.1}, {to: 10.9.9.9, dev: e1, type: local}"), "");
	check_diags(ROUTES("{to: 10.9.0.0/16, type: blackhole}"), "");
	check_diags(
		"namespaces: {host: {interfaces: {e1:\n{kind: existing, up: false}}, routes: [{to: 10.9.0.0/16, dev: e1}]}}",
		"f:2:63: error: " OVER("e1") "\nf:2:22: note: it is kept down here");
	check_interfaces(
		"x: {kind: bridge, up: false}, v: {kind: vlan, link: x, id: 7}, w: {kind: vlan, link: x, id: 8, "
		"loose-binding: true, up: false}, m: {kind: macvlan, link: x}",
		"f:2:53: error: the kernel does not bring this vlan up over a:x, which has 'up: false'; remove that, "
		"or write 'up: false' here, too\nf:2:23: note: it is kept down here\n"
		"f:2:154: warning: nothing passes over a:x below, which has 'up: false'\n"
		"f:2:23: note: it is kept down here");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),         cmocka_unit_test(test_mtu_limits),
		cmocka_unit_test(test_mtu_below),     cmocka_unit_test(test_mtu_of_ipv6),
		cmocka_unit_test(test_disabled_ipv6), cmocka_unit_test(test_lo),
		cmocka_unit_test(test_ipvlan),        cmocka_unit_test(test_ipvlan_beside_others),
		cmocka_unit_test(test_passthru),      cmocka_unit_test(test_macvlan_addresses),
		cmocka_unit_test(test_ports),         cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_bridge_vlans),  cmocka_unit_test(test_fdb),
		cmocka_unit_test(test_vxlan_id),      cmocka_unit_test(test_vxlan),
		cmocka_unit_test(test_next_hops),     cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_sources),       cmocka_unit_test(test_gateways),
		cmocka_unit_test(test_kept_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
