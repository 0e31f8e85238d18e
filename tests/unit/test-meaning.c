/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Warnings about legal but probably wrong files, each with its text and position; and similar files that are right, which
 * must cause no warning.
 */
#include "spec-helper.h"

struct row {
	const char *text, *expected;
};

static void check_rows(const struct row *rows, size_t n) {
	for (size_t i = 0; i < n; i++)
		check_diags(rows[i].text, rows[i].expected);
}

#define LAN "host: {interfaces: {br: {kind: bridge, ports: [c1, c2], addresses: [10.0.0.1/24, \"fd00::1/64\"]}}}"
#define LINKS "}\nlinks: [[web:e, host:c1], [db:e, host:c2]]"

static void test_gateways(void **state _unused_) {
	static const struct row rows[] = {
		/* Its own address, on any interface. */
		{ "namespaces: {" LAN
		  ", db: {},\n web: {interfaces: {e: {addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.2}}" LINKS,
		  "f:2:78: warning: the gateway 10.0.0.2 is an address of web itself, on e; write that of the router, which is another "
		  "host" },
		{ "namespaces: {" LAN
		  ", db: {},\n web: {interfaces: {e: {addresses: \"fd00::2/64\"}, lo: {addresses: \"fd00:9::9\"}},\n"
		  "  routes: {to: \"::/0\", nexthops: [{via: \"fd00:9::9\", dev: e}, {via: \"fd00::1\", dev: e}]}}" LINKS,
		  "f:3:24: warning: the gateway fd00:9::9 is an address of web itself, on lo; write that of the router, which is another "
		  "host" },
		/* An address that nobody has. The message names those that exist. */
		{ "namespaces: {" LAN
		  ", db: {},\n web: {interfaces: {e: {addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.9}}" LINKS,
		  "f:2:78: warning: no host on the segment of web/e has the gateway address 10.0.0.9; give "
		  "it to the router there, or write the router's address; there are: 10.0.0.1 (host/br)" },
		{ "namespaces: {a: {interfaces: {x: {addresses: 10.0.0.2/24}}, routes: [{to: default, via: 10.0.0.1},\n"
		  "  {to: 10.7.0.0/16, via: 10.0.0.1}]}, b: {}}\nlinks: [[a:x, b:x]]",
		  "f:1:89: warning: no host on the segment of a/x has the gateway address 10.0.0.1; give "
		  "it to the router there, or write the router's address" },
		{ "namespaces: {a: {interfaces: {x: {addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.9.0.1, dev: x, on-link: true}}, b: {}}\n"
		  "links: [[a:x, b:x]]",
		  "f:1:88: warning: no host on the segment of a/x has the gateway address 10.9.0.1; give "
		  "it to the router there, or write the router's address" },
		/* A macvlan on one end of a pair is on its segment. */
		{ "namespaces: {host: {interfaces: {p: {addresses: 10.0.0.5/24}}}, lan: {interfaces: {e: {addresses: 10.0.0.1/24}}},\n"
		  " c: {interfaces: {m: {kind: macvlan, link: \"host:p\", addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.3}}}\n"
		  "links: [[host:p, lan:e]]",
		  "f:2:107: warning: no host on the segment of c/m has the gateway address 10.0.0.3; give "
		  "it to the router there, or write the router's address; there are: 10.0.0.1 (lan/e), "
		  "10.0.0.5 (host/p)" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void test_good_gateways(void **state _unused_) {
	static const struct row rows[] = {
		/* The router has it; outside the file there may be any host. */
		{ "namespaces: {" LAN
		  ", db: {},\n web: {interfaces: {e: {addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.1}}" LINKS,
		  "" },
		{ "namespaces: {host: {interfaces: {br: {kind: bridge, ports: [c1, eth0]}, eth0: {kind: existing}}},\n"
		  " web: {interfaces: {e: {addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.9}}}\nlinks: [[web:e, host:c1]]",
		  "" },
		{ "namespaces: {web: {interfaces: {e: {kind: physical, source: eth1, addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.9}}}",
		  "" },
		{ "namespaces: {host: {interfaces: {eth0: {kind: existing}}},\n web: {interfaces: {e: {kind: macvlan, link: \"host:eth0\", addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.9}}}",
		  "" },
		{ "namespaces: {web: {interfaces: {br: {kind: bridge, ports: v, addresses: 10.0.0.2/24}, v: {kind: vxlan, id: 5}},\n"
		  "  routes: {to: default, via: 10.0.0.9}}}",
		  "" },
		/* A bridge without ports may get some later. */
		{ "namespaces: {web: {interfaces: {br: {kind: bridge, addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.9}}}",
		  "" },
		/* With VLANs the file does not say which hosts share a segment. */
		{ "namespaces: {sw: {interfaces: {br: {kind: bridge, vlan-filtering: true, ports: [p, q]}}}, b: {},\n"
		  " web: {interfaces: {e: {addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.9}}}\n"
		  "links: [[web:e, sw:p], [b:e, sw:q]]",
		  "" },
		/* If the namespace is not topod's alone, the other end may get its address from somebody else. */
		{ "namespaces: {ctr: {adopt: true},\n web: {interfaces: {e: {addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.9}}}\n"
		  "links: [[web:e, ctr:e]]",
		  "" },
		{ "namespaces: {web: {interfaces: {e: {addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.9}}}\n"
		  "links: [[web:e, host:c1]]",
		  "" },
		/* A host answers ARP for the addresses of all its interfaces, and with proxy_arp for others. */
		{ "namespaces: {a: {interfaces: {x: {addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.9.0.1, dev: x, on-link: true}},\n"
		  " b: {interfaces: {lo: {addresses: 10.9.0.1}}}}\nlinks: [[a:x, b:x]]",
		  "" },
		{ "namespaces: {a: {interfaces: {x: {addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.1}},\n"
		  " b: {sysctl: {net.ipv4.conf.x.proxy_arp: 1}}}\nlinks: [[a:x, b:x]]",
		  "" },
		/* A link-local gateway has its address automatically. */
		{ "namespaces: {a: {interfaces: {x: {}}, routes: {to: \"::/0\", via: \"fe80::1\", dev: x}}, b: {}}\nlinks: [[a:x, b:x]]",
		  "" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void test_twice(void **state _unused_) {
	static const struct row rows[] = {
		{ "namespaces: {" LAN
		  ",\n web: {interfaces: {e: {addresses: 10.0.0.2/24}}},\n db: {interfaces: {e: {addresses: 10.0.0.2/16}}}" LINKS,
		  "f:3:35: warning: 10.0.0.2 is used twice on one segment, by web/e and db/e: give each host its own "
		  "address\nf:2:36: note: the other is here" },
		{ "namespaces: {" LAN ",\n web: {interfaces: {e: {addresses: \"fd00::1/64\"}}}, db: {}" LINKS,
		  "f:2:36: warning: fd00::1 is used twice on one segment, by host/br and web/e: give each host its own "
		  "address\nf:1:95: note: the other is here" },
		{ "namespaces: {a: {interfaces: {br: {kind: bridge, ports: [p, q]}}},\n"
		  " b: {interfaces: {x: {addresses: \"fd00::1/64\"}, z: {addresses: \"fd00::1/64\"}}}}\nlinks: [[a:p, b:x], [a:q, b:z]]",
		  "f:2:64: warning: fd00::1/64 on z overlaps fd00::1/64 on x\nf:2:34: note: the other is here\nf:2:64: "
		  "warning: fd00::1 is used twice on one segment, by b/x and b/z: give each host its own address\nf:2:34: "
		  "note: the other is here" },
		/* A VLAN is not the segment of the interface below it. */
		{ "namespaces: {a: {interfaces: {x: {}, v: {kind: vlan, link: x, id: 10, addresses: 10.1.0.2/24}}},\n"
		  " b: {interfaces: {x: {addresses: 10.1.0.2/24}}}}\nlinks: [[a:x, b:x]]",
		  "" },
		/* No warning: other segments; one host; hosts that do not use it; lo. */
		{ "namespaces: {a: {interfaces: {x: {addresses: 10.0.0.1/24}}}, b: {interfaces: {x: {addresses: 10.0.0.2/24}}},\n"
		  " c: {interfaces: {x: {addresses: 10.0.0.1/24}}}, d: {}}\nlinks: [[a:x, b:x], [c:x, d:x]]",
		  "" },
		{ "namespaces: {" LAN
		  ",\n web: {interfaces: {e: {addresses: {address: \"fd00::1/64\", nodad: true}}}}, db: {}" LINKS,
		  "" },
		{ "namespaces: {" LAN ",\n web: {interfaces: {e: {arp: false, addresses: 10.0.0.1/24}}}, db: {}" LINKS, "" },
		{ "namespaces: {a: {interfaces: {lo: {addresses: 10.9.9.9}}}, b: {interfaces: {lo: {addresses: 10.9.9.9}}}}\nlinks: [[a:x, b:x]]",
		  "" },
		{ "namespaces: {sw: {interfaces: {br: {kind: bridge, vlan-filtering: true, ports: [p, q]}}},\n"
		  " a: {interfaces: {e: {addresses: 10.0.0.2/24}}}, b: {interfaces: {e: {addresses: 10.0.0.2/24}}}}\n"
		  "links: [[a:e, sw:p], [b:e, sw:q]]",
		  "" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* The interface x of a, at the other end b's. */
static void check_end(const char *entry, const char *more, const char *expected) {
	_cleanup_free_ char *text = xasprintf(
		"namespaces: {b: {}, a: {interfaces: {x: {addresses: [\n%s]}}%s}}\nlinks: [[a:x, b:x]]", entry, more);

	check_diags(text, expected);
}

static void test_lengths(void **state _unused_) {
	check_end("10.0.0.2", "",
		  "f:2:1: warning: without a prefix length 10.0.0.2 is a single host (/32), and a/x "
		  "reaches no other; write the length of the network, for example 10.0.0.2/24");
	check_end("{address: \"fd00::2\", nodad: true}", "",
		  "f:2:11: warning: without a prefix length fd00::2 is a single host (/128), and a/x "
		  "reaches no other; write the length of the network, for example fd00::2/64");
	/* Intended: explicitly written, covered by another one, with a route through the link, with a peer, or borrowed from
	 * lo. */
	check_end("10.0.0.2/32", "", "");
	check_end("10.0.0.2/24, 10.0.0.100", "", "");
	check_end("10.0.0.2", ", routes: [{to: 10.0.0.1, dev: x}]", "");
	check_end("{address: 10.0.0.2, peer: 10.0.0.1}", "", "");
	check_diags(
		"namespaces: {b: {}, a: {interfaces: {x: {addresses: 10.9.9.9}, lo: {addresses: 10.9.9.9}}}}\nlinks: [[a:x, b:x]]",
		"");
	check_diags("namespaces: {host: {interfaces: {eth0: {kind: existing, addresses: 192.0.2.50}}}}", "");
	check_diags("namespaces: {a: {interfaces: {d: {kind: dummy, addresses: 10.9.9.9}}}}", "");
}

static void test_networks(void **state _unused_) {
	check_end("10.0.0.0/24", "",
		  "f:2:1: warning: 10.0.0.0/24 is the address of its network itself; a host's address is for "
		  "example 10.0.0.1/24");
	check_end("10.0.1.255/23", "",
		  "f:2:1: warning: 10.0.1.255/23 is the broadcast address of its network; a host's address is "
		  "for example 10.0.0.1/23");
	check_end("{address: \"fd00::/64\"}", "",
		  "f:2:11: warning: fd00::/64 is the address of its network, which all its routers "
		  "have; a host's address is for example fd00::1/64");
	check_end(
		"10.0.0.0/31, 10.0.0.5/31, 10.0.2.0/32, 10.0.1.255/16, 10.0.4.0/23", "",
		"f:2:55: warning: 10.0.4.0/23 is the address of its network itself; a host's address is for example 10.0.4.1/23");
	check_end("\"fd00::/127\", \"fd00::ff:ffff:ffff:ffff/64\"", "", "");
	check_end("{address: 10.0.0.255/24, broadcast: 10.0.0.127}", "", "");
	check_diags("namespaces: {a: {interfaces: {lo: {addresses: 192.0.2.0/24}}}}", "");
}

/* The host h with the network of the bridge `inside`, and the interface `out` to anywhere. */
static void check_nat(const char *entries, const char *expected) {
	_cleanup_free_ char *text =
		xasprintf("namespaces:\n"
			  "  h:\n"
			  "    interfaces: {br: {kind: bridge, ports: [p], addresses: 10.0.0.1/24},\n"
			  "      out: {kind: physical, source: eth1, addresses: 192.0.2.2/24}}\n"
			  "    routes: [{to: 10.1.0.0/16, via: 10.0.0.2}, {to: 198.51.100.0/24, via: 192.0.2.1}]\n"
			  "    nat: [\n%s]\n"
			  "  web: {interfaces: {e: {addresses: 10.0.0.2/24}, f: {addresses: 10.1.0.1/24}}}\n"
			  "  db: {interfaces: {e: {addresses: 10.1.0.2/24}}}\n"
			  "links: [[web:e, h:p], [web:f, db:e]]\n",
			  entries);

	check_diags(text, expected);
}

#define DNAT "{action: dnat, in: out, protocol: tcp, port: "

/* Rules of the chain input of `h`, which has an IPv6 address or not. */
static void check_input(const char *address, const char *rules, const char *expected) {
	_cleanup_free_ char *text = xasprintf("namespaces:\n  h:\n    interfaces: {e: {addresses: %s}}\n    filter:\n"
					      "      input: {policy: drop, rules: [%s]}\n  b: {}\nlinks: [[h:e, b:e]]\n",
					      address, rules);

	check_diags(text, expected);
}

static void test_discovery(void **state _unused_) {
	static const char dropped[] =
		"f:5:23: warning: this policy also drops IPv6 neighbour discovery, so that no neighbour can reach the namespace by "
		"IPv6; add {protocol: icmpv6, icmp-type: [nd-neighbor-solicit, nd-neighbor-advert], action: accept}";

	check_input("\"fd00::1/64\"", "", dropped);
	check_input("10.0.0.1/24", "", "");
	check_input("\"fd00::1/64\"", "{state: [established, related], action: accept}, {in: lo, action: accept}", dropped);
	check_input("\"fd00::1/64\"", "{protocol: icmpv6, icmp-type: echo-request, action: accept}", dropped);
	check_input("\"fd00::1/64\"", "{protocol: [tcp, udp], action: accept}", dropped);
	check_input("\"fd00::1/64\"",
		    "{protocol: icmpv6, icmp-type: [nd-neighbor-solicit, nd-neighbor-advert], action: accept}", "");
	check_input("\"fd00::1/64\"", "{protocol: icmpv6, icmp-type: 135, action: accept}", "");
	check_input("\"fd00::1/64\"", "{protocol: icmpv6, action: accept}", "");
	check_input("\"fd00::1/64\"", "{in: e, action: accept}", "");
	check_input("\"fd00::1/64\"", "{state: not invalid, action: accept}", "");
	/* A rule after one that matches everything. */
	check_input("10.0.0.1/24",
		    "{state: new, protocol: tcp, limit: 1/s, action: accept}, {protocol: tcp, port: 1, action: drop}", "");
	check_input("10.0.0.1/24", "{protocol: tcp, counter: true}, {protocol: tcp, port: 1, action: drop}", "");
	check_input(
		"10.0.0.1/24", "{protocol: tcp, action: accept}, {protocol: tcp, port: 1, action: drop}",
		"f:5:70: warning: this entry never matches: an earlier one matches everything first; move this one before it, or "
		"remove it\nf:5:37: note: the earlier one is here");
}

static void test_masquerade(void **state _unused_) {
	static const char everything[] =
		"f:7:1: warning: this masquerades every connection, including incoming and internal "
		"ones; restrict it with 'out' (the interface to the outside) or 'source'";

	check_nat("{action: masquerade}", everything);
	check_nat("{action: masquerade, source: 0.0.0.0/0}", everything);
	check_nat("{action: masquerade, out: out}", "");
	check_nat("{action: masquerade, source: 10.0.0.0/8}", "");
	check_nat("{action: masquerade, source: 10.0.0.0/8, destination: not 10.0.0.0/8}", "");
}

static void test_targets(void **state _unused_) {
	check_nat(DNAT "80, to: 10.0.0.9}",
		  "f:7:54: warning: no host on the segment of h/br has the target address 10.0.0.9; give "
		  "it to a host there, or write that host's address; there are: 10.0.0.1 (h/br), 10.0.0.2 "
		  "(web/e)");
	/* Behind a router that the file declares. */
	check_nat(DNAT "80, to: \"10.1.0.9:8080\"}",
		  "f:7:54: warning: no host on the segment of web/f has the target address 10.1.0.9; give "
		  "it to a host there, or write that host's address; there are: 10.1.0.1 (web/f), 10.1.0.2 "
		  "(db/e)");
	check_nat(DNAT "80, to: 10.8.0.1}",
		  "f:7:54: warning: no host has the target address 10.8.0.1, and no route of h leads to it");
	check_nat(DNAT "80, to: 10.1.7.1}",
		  "f:7:54: warning: no host has the target address 10.1.7.1, and no route of web leads to it");
	/* An address that exists, or one in a network that extends beyond the file. */
	check_nat(DNAT "80, to: 10.0.0.2}, " DNAT "81, to: 10.1.0.2}, " DNAT "82, to: 192.0.2.77}, " DNAT
		       "83, to: 198.51.100.7}",
		  "");
	check_nat(DNAT "80, to: 10.0.0.2-10.0.0.9}, " DNAT "81, to: \":8080\"}, " DNAT "82, to: 127.0.0.1}", "");
	check_diags("namespaces: {host: {nat: {action: dnat, destination: 192.0.2.1, to: 10.0.0.9}}}", "");
}

static void test_port_ranges(void **state _unused_) {
	check_nat(DNAT "8000-8003, to: \"10.0.0.2:9000-9003\"}",
		  "f:7:61: warning: port 8000 does not map to 9000, 8001 to 9001 and so on: the kernel "
		  "takes any port of the range; write an entry for each port, or leave the ports out of "
		  "'to', which keeps them");
	check_nat("{action: redirect, protocol: udp, port: [53, 8000-8003], to: \":8002-8009\"}",
		  "f:7:62: warning: port 8000 does not map to 8002, 8001 to 8003 and so on: the kernel "
		  "takes any port of the range; write an entry for each port, or leave the ports out of "
		  "'to', which keeps them");
	/* One port to any of several; ports that stay the same. */
	check_nat(DNAT "80, to: \"10.0.0.2:9000-9003\"}", "");
	check_nat(DNAT "8000-8003, to: \"10.0.0.2:8000-8003\"}", "");
	check_nat(DNAT "8000-8003, to: 10.0.0.2}", "");
	check_nat(DNAT "8000-8003, to: \"10.0.0.2:80\"}", "");
}

#define HIDDEN(place)                                                                                                         \
	"f:" place                                                                                                            \
	": warning: this entry never matches: an earlier one matches everything first; move this one before it, or remove it" \
	"\nf:7:1: note: the earlier one is here"

static void test_hidden(void **state _unused_) {
	static const struct row rows[] = {
		{ DNAT "80, to: 10.0.0.2},\n" DNAT "80, to: 10.1.0.2}", HIDDEN("8:1") },
		{ DNAT "8000-9000, to: 10.0.0.2},\n" DNAT "8080, to: 10.1.0.2}", HIDDEN("8:1") },
		{ DNAT "[80, 443], to: 10.0.0.2},\n" DNAT "443, to: 10.1.0.2}", HIDDEN("8:1") },
		{ "{action: dnat, protocol: [tcp, udp], destination: 192.0.2.0/24, to: 10.0.0.2},\n"
		  "{action: dnat, protocol: udp, source: 10.1.0.0/24, destination: 192.0.2.9, port: 53, to: 10.1.0.2}",
		  HIDDEN("8:1") },
		{ "{action: dnat, in: not br, protocol: tcp, port: 80, to: 10.0.0.2},\n" DNAT "80, to: 10.1.0.2}",
		  HIDDEN("8:1") },
		{ "{action: dnat, in: \"o*\", protocol: tcp, port: not 22, to: 10.0.0.2},\n" DNAT
		  "\"not [22, 80]\", to: 10.1.0.2}",
		  HIDDEN("8:1") },
		{ "{action: masquerade, source: 10.0.0.0/8},\n{action: snat, source: 10.1.0.0/16, out: out, to: 192.0.2.3}",
		  HIDDEN("8:1") },
		/* One of several. */
		{ DNAT "443, to: 10.0.0.2},\n" DNAT "[80, 443], to: 10.1.0.2}",
		  "f:8:51: warning: port 443 never reaches this entry: an earlier one matches it; name it "
		  "in only one of them\n"
		  "f:7:1: note: the earlier one is here" },
		{ "{action: dnat, destination: 192.0.2.2, to: 10.0.0.2},\n{action: dnat, destination: [192.0.2.3, 192.0.2.2], to: 10.1.0.2}",
		  "f:8:41: warning: destination 192.0.2.2 never reaches this entry: an earlier one matches "
		  "it; name it in only one of them\n"
		  "f:7:1: note: the earlier one is here" },
		/* No warning: the exception first; other ports, protocols, interfaces, families, chains. */
		{ DNAT "8080, to: 10.1.0.2},\n" DNAT "8000-9000, to: 10.0.0.2}", "" },
		{ DNAT "80, to: 10.0.0.2},\n" DNAT "[81, 443], to: 10.1.0.2}", "" },
		{ DNAT "80, to: 10.0.0.2},\n{action: dnat, in: out, protocol: udp, port: 80, to: 10.1.0.2}", "" },
		{ DNAT "80, to: 10.0.0.2},\n{action: redirect, in: out, protocol: tcp, port: 80}", "" },
		{ DNAT "80, to: 10.0.0.2},\n{action: dnat, in: br, protocol: tcp, port: 80, to: 10.1.0.2}", "" },
		{ DNAT "80, to: 10.0.0.2},\n{action: dnat, hook: output, protocol: tcp, port: 80, to: 10.1.0.2}", "" },
		{ "{action: redirect, protocol: tcp, source: 10.0.0.0/8, port: 80, to: \":8080\"},\n"
		  "{action: redirect, protocol: tcp, port: 80, to: \":8081\"}",
		  "" },
		{ "{action: dnat, in: not out, protocol: tcp, port: 80, to: 10.0.0.2},\n" DNAT "80, to: 10.1.0.2}", "" },
		{ "{action: dnat, protocol: tcp, port: \"not [22, 80]\", to: 10.0.0.2},\n"
		  "{action: dnat, protocol: tcp, port: not 22, to: 10.1.0.2}",
		  "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_nat(rows[i].text, rows[i].expected);
}

static void test_settings(void **state _unused_) {
	static const struct row rows[] = {
		{ "namespaces: {host: {forwarding: true, interfaces: {eth0: {kind: existing, accept-ra: true}}}}",
		  "f:1:86: warning: host/eth0 ignores router advertisements while IPv6 is forwarded: 1 means only without forwarding; write 2" },
		{ "namespaces: {host: {sysctl: {net.ipv6.conf.eth0.forwarding: 1, net.ipv6.conf.eth0.accept_ra: 1}}}",
		  "f:1:64: warning: host/eth0 ignores router advertisements while IPv6 is forwarded: 1 means only without forwarding; write 2" },
		{ "namespaces: {host: {forwarding: true, interfaces: {eth0: {kind: existing, accept-ra: 2}}}}", "" },
		{ "namespaces: {host: {forwarding: ipv4, interfaces: {eth0: {kind: existing, accept-ra: true}}}}", "" },
		{ "namespaces: {host: {forwarding: true, interfaces: {eth0: {kind: existing, accept-ra: true}},\n"
		  "  sysctl: {net.ipv6.conf.eth0.forwarding: 0}}}",
		  "" },
		{ "namespaces: {host: {forwarding: true, interfaces: {eth0: {kind: existing, accept-ra: false}}}}", "" },
		{ "namespaces: {host: {forwarding: true, interfaces: {eth0: {kind: existing}}}}", "" },
		{ "namespaces: {a: {dns: {servers: \"fe80::1%x\"}}}",
		  "f:1:33: warning: 'servers' names x, but a has no interface of that name" },
		{ "namespaces: {a: {dns: {servers: \"fe80::1%x\"}}, b: {adopt: true, dns: {servers: \"fe80::1%y\"}}}\nlinks: [[a:x, b:x]]",
		  "" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* A wrong name makes other things look wrong that are not. */
static void test_silent_beside_errors(void **state _unused_) {
	check_diags("namespaces: {" LAN
		    ", db: {},\n web: {interfaces: {e: {addresses: 10.0.0.2/24}}, routes: {to: default, via: 10.0.0.9}}}\n"
		    "links: [[web:e, host:c1], [dbb:e, host:c2]]",
		    "f:3:28: error: there is no namespace 'dbb'; did you mean 'db'?");
}

/* Random networks: bridges in a row, hosts attached to them by pairs, and macvlans on the first host's interface. Without a
 * mistake there must be no warning; with one, that warning and no other. */

enum { HOSTS_MAX = 12, NETWORKS = 300 };

enum mistake { NONE, NOBODYS_GATEWAY, OWN_GATEWAY, SAME_ADDRESS, NETWORK_ADDRESS, NOBODYS_GATEWAY_OUTSIDE, N_MISTAKES };

struct network {
	uint32_t random;
	unsigned n_bridges, n;
	enum mistake mistake;
	unsigned wrong; /* the host that has the mistake, never the first */
};

static unsigned draw(struct network *net, unsigned n) {
	net->random = net->random * 1103515245 + 12345;
	return (net->random >> 16) % n;
}

static void write_switch(struct network *net, struct text *out, struct text *links) {
	unsigned on[HOSTS_MAX];

	for (unsigned i = 0; i < net->n; i++)
		on[i] = draw(net, net->n_bridges);
	text_addf(out, "namespaces:\n  sw:\n    interfaces:\n      card: {kind: physical, source: eth9%s}\n",
		  net->mistake == NOBODYS_GATEWAY_OUTSIDE ? "" : "8");
	for (unsigned b = 0; b < net->n_bridges; b++) {
		text_addf(out, "      br%u: {kind: bridge, ports: [", b);
		for (unsigned i = 0; i < net->n; i++)
			text_addf(out, on[i] == b ? "c%u, " : "", i);
		text_addf(out, b ? "d%u, " : "", b);
		text_addf(out, b + 1 < net->n_bridges ? "u%u, " : "", b + 1);
		text_addf(out, "%s]}\n", b == 0 && net->mistake == NOBODYS_GATEWAY_OUTSIDE ? "card" : "");
		if (b)
			text_addf(links, "- [sw:u%u, sw:d%u]\n", b, b);
	}
}

static void write_host(struct network *net, unsigned i, struct text *out, struct text *links) {
	enum mistake mistake = i == net->wrong ? net->mistake : NONE;
	bool macvlan = i && draw(net, 3) == 0;
	unsigned address = mistake == SAME_ADDRESS ? 1 : mistake == NETWORK_ADDRESS ? 0 : i + 1, gateway = 1;

	if (mistake == NOBODYS_GATEWAY || mistake == NOBODYS_GATEWAY_OUTSIDE)
		gateway = 250;
	if (mistake == OWN_GATEWAY)
		gateway = address;
	text_addf(out, "  n%u:\n    interfaces:\n      e: {%saddresses: 10.0.0.%u/24}\n", i,
		  macvlan ? "kind: macvlan, link: \"n0:e\", " : "", address);
	/* A host that has the router's address takes itself for the router. */
	if (i && mistake != SAME_ADDRESS)
		text_addf(out, "    routes: {to: default, via: 10.0.0.%u}\n", gateway);
	if (macvlan)
		text_addf(out, "  x%u: {}\n", i); /* the other end of the missing port */
	text_addf(links, macvlan ? "- [x%u:e, sw:c%u]\n" : "- [n%u:e, sw:c%u]\n", i, i);
}

static void check_network(struct network *net) {
	static const char *const words[N_MISTAKES] = {
		[NOBODYS_GATEWAY] = "has the gateway address 10.0.0.250",
		[OWN_GATEWAY] = "is an address of n",
		[SAME_ADDRESS] = "10.0.0.1 is used twice on one segment",
		[NETWORK_ADDRESS] = "is the address of its network itself",
	};
	_cleanup_text_ struct text text = {}, links = {};
	_spec_ r;

	write_switch(net, &text, &links);
	for (unsigned i = 0; i < net->n; i++)
		write_host(net, i, &text, &links);
	text_addf(&text, "links:\n%s", links.data);
	good_spec(&r, text.data);
	_cleanup_free_ char *said = diags_format(&r.diags, false);
	if (r.diags.n_warnings != (words[net->mistake] ? 1 : 0) ||
	    (words[net->mistake] && !strstr(said, words[net->mistake])))
		fail_msg("mistake %d of host %u:\n%s\n%s", net->mistake, net->wrong, said, text.data);
}

static void test_random_networks(void **state _unused_) {
	for (uint32_t seed = 0; seed < NETWORKS; seed++) {
		struct network net = { .random = seed };

		net.n_bridges = 1 + draw(&net, 4);
		net.n = 2 + draw(&net, HOSTS_MAX - 2);
		net.mistake = (enum mistake)draw(&net, N_MISTAKES);
		net.wrong = 1 + draw(&net, net.n - 1);
		check_network(&net);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gateways),        cmocka_unit_test(test_good_gateways),
		cmocka_unit_test(test_twice),           cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_networks),        cmocka_unit_test(test_masquerade),
		cmocka_unit_test(test_discovery),       cmocka_unit_test(test_targets),
		cmocka_unit_test(test_port_ranges),     cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_settings),        cmocka_unit_test(test_silent_beside_errors),
		cmocka_unit_test(test_random_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
