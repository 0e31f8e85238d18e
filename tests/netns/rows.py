# SPDX-License-Identifier: GPL-2.0-or-later
"""
Values for each row of the field tables: what test_rows.py tries, by the names of the reference page (`topod schema --markdown`).

Of a row the table has two values that differ from the default, or the second one is the default. How it is changed is written
here and not taken from the page, so that the two check each other.
"""

import importlib.util
import os

# Where a table is tried: on this machine's own kernel, in User-Mode Linux, in Debian's own kernel; CMakeLists.txt, ../vm/CMakeLists.txt.
HERE, UML, QEMU = "Rows", "OtherRows", "RareRows"
USUAL = {"vxlan", "macvlan", "bridge", *(f"qdisc {words}" for words in (
    "tbf rate 1mbit burst 32k limit 30k", "htb", "pfifo", "bfifo"))}  # kernels of few build machines lack these

IN_PLACE, RECREATED, OTHER = "in place", "recreated", "another object"


class Row:
    """needs: other keys of the same entry. required: an entry without the key is a mistake. by_hand: whether a change behind topod's
    back is seen; not if only the ledger knows the value. stays: a value that leaves the file is kept, because nothing says what it
    was before. lacks: words that the kernel's state does not have once the first value was applied."""

    def __init__(self, key, first, second, how=IN_PLACE, needs="", required=False, by_hand=True, stays=False, lacks=""):
        self.key, self.first, self.second, self.how, self.needs = key, first, second, how, needs
        self.required, self.by_hand, self.stays = required, by_hand and how != OTHER, stays
        self.lacks = lacks


class Table:
    """mapping: as the reference page has it, or a part of a value ("route.nexthops"). text: a file in which ENTRY is the entry. base:
    keys that the entry always has. probe: what ip needs to make a link of the kind, or None: each kernel has it. shows: the parts
    of the kernel's state that show it, see view()."""

    def __init__(self, mapping, text, base, rows, probe=None, shows="link", rare=False):
        self.mapping, self.text, self.base, self.rows, self.probe, self.shows = mapping, text, base, rows, probe, shows.split()
        self.where = QEMU if rare else HERE if not probe or probe.split(" id ")[0] in USUAL else UML


X = """\
namespaces:
  a:
    interfaces:
      x: {%s}
%s
  b: {interfaces: {p: {addresses: [10.0.0.2/24, {address: "fd00::2/64", nodad: true}]}, w: {}}}
links: [["a:x", "b:p"], ["a:z", "b:w"]]
"""
ADDRESSED = 'addresses: [10.0.0.1/24, {address: "fd00::1/64", nodad: true}]'


def in_x(words):
    return X % (words, "      z: {}")


def in_a(key, words="[{ENTRY}]"):
    return X % (ADDRESSED, f"      z: {{addresses: [10.1.0.1/24]}}\n    {key}: {words}")


def truths(keys, how=IN_PLACE, **more):
    """Those whose default is false."""
    return [Row(key, "true", "false", how, **more) for key in keys]


KEYS = [f"/etc/rows/private-key-file-{i}" for i in (1, 2)]  # see Rows.setUp()
PUBLIC = ['"xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="', '"TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="']  # wg(8)

TABLES = [
    Table("address", in_x("addresses: [{ENTRY}]"), "", [
        Row("address", "10.0.0.5/24", "10.0.0.6/24", OTHER, required=True),
        Row("peer", "10.9.0.1/32", "10.9.0.2/32", OTHER, "address: 10.0.0.5/32"),
        Row("scope", "link", "host", RECREATED, "address: 10.0.0.5/24"),
        Row("label", '"x:a"', '"x:b"', RECREATED, "address: 10.0.0.5/24"),
        Row("broadcast", "10.0.0.200", "10.0.0.201", RECREATED, "address: 10.0.0.5/24"),
        Row("nodad", "true", "false", RECREATED, 'address: "fd00::5/64"'),
        Row("noprefixroute", "true", "false", RECREATED, "address: 10.0.0.5/24")], shows="addr route"),
    Table("alternative-name", in_x("alternative-names: [{ENTRY}]"), "", [Row("name", "up0", "up1", OTHER, required=True)]),
    Table("interface", in_x("ENTRY"), "", [
        Row("up", "false", "true"), Row("mtu", "1400", "1300"), Row("mac-address", '"02:00:00:00:00:08"', '"02:00:00:00:00:09"'),
        Row("arp", "false", "true"), Row("multicast", "false", "true"), Row("promiscuous", "true", "false"), Row("txqueuelen", "50", "60"),
        Row("gso-max-size", "60000", "50000"), Row("gso-ipv4-max-size", "50000", "40000"), Row("gso-max-segs", "100", "200"),
        Row("gro-max-size", "60000", "50000"), Row("gro-ipv4-max-size", "60000", "61000"), Row("queues", "3", "4", RECREATED, stays=True),
        Row("ipv6-address-generation", "none", "random")], shows="link sizes"),
    Table("default-values", "defaults: {interface: {ENTRY}}\n" + in_x(""), "", [
        Row("up", "false", "true"), Row("mtu", "1400", "1300"), Row("arp", "false", "true"), Row("multicast", "false", "true"),
        Row("promiscuous", "true", "false"), Row("txqueuelen", "50", "60"), Row("gso-max-size", "60000", "50000"),
        Row("gso-ipv4-max-size", "50000", "40000"), Row("gso-max-segs", "100", "200"), Row("gro-max-size", "60000", "50000"),
        Row("gro-ipv4-max-size", "60000", "61000"), Row("queues", "3", "4", RECREATED, stays=True), Row("ipv6-address-generation", "none", "random")],
        shows="link sizes"),
    Table("link", "namespaces: {a: {}, b: {}}\nlinks: [{endpoints: [\"a:x\", \"b:p\"], ENTRY}]\n", "", [
        Row("mtu", "1400", "1300"), Row("queues", "3", "4", RECREATED, stays=True), Row("txqueuelen", "50", "60")]),
    Table("fdb", """\
namespaces:
  a:
    interfaces: {br: {kind: bridge, vlan-filtering: true, ports: [{name: x, pvid: 1, untagged: 1, tagged: [5, 6]}]}, x: {fdb: [{ENTRY}]}}
  b: {}
links: [["a:x", "b:p"]]
""", "", [Row("vlan", "5", "6", OTHER, 'mac-address: "02:00:00:00:00:11"')], probe="bridge vlan_filtering 1", shows="fdb"),
    Table("fdb", """\
namespaces:
  a:
    interfaces: {br: {kind: bridge, ports: [x]}, x: {fdb: [{ENTRY}]}}
  b: {}
links: [["a:x", "b:p"]]
""", "", [
        Row("mac-address", '"02:00:00:00:00:11"', '"02:00:00:00:00:12"', OTHER, required=True),
        Row("sticky", "true", "false", IN_PLACE, 'mac-address: "02:00:00:00:00:11"'),
        Row("extern-learn", "true", "false", RECREATED, 'mac-address: "02:00:00:00:00:11"')], shows="fdb"),
    Table("fdb", """\
namespaces:
  a:
    interfaces: {v: {kind: vxlan, id: 5, learning: false, fdb: [{ENTRY}]}, x: {addresses: [10.0.0.1/24]}, z: {addresses: [10.1.0.1/24]}}
  b: {}
links: [["a:x", "b:p"], ["a:z", "b:q"]]
""", 'mac-address: "02:00:00:00:00:21"', [
        Row("remote", "10.0.0.5", "10.0.0.6", required=True), Row("port", "99", "98", needs="remote: 10.0.0.5"),
        Row("vni", "7", "8", needs="remote: 10.0.0.5"), Row("via", "x", "z", needs="remote: 10.0.0.5")],
        probe="vxlan id 1 dstport 4789", shows="fdb"),
    Table("neighbor", in_a("neighbors"), "", [
        Row("dev", "x", "z", OTHER, 'address: 10.0.0.20, mac-address: "02:00:00:00:00:20"', required=True),
        Row("address", "10.0.0.20", "10.0.0.21", OTHER, 'dev: x, mac-address: "02:00:00:00:00:20"', required=True),
        Row("proxy", "true", "true", OTHER, "dev: x, address: 10.0.0.20", required=True),
        Row("mac-address", '"02:00:00:00:00:20"', '"02:00:00:00:00:21"', IN_PLACE, "dev: x, address: 10.0.0.20", required=True),
        Row("router", "true", "false", IN_PLACE, 'dev: x, address: "fd00::20", mac-address: "02:00:00:00:00:20"'),
        Row("extern-learn", "true", "false", IN_PLACE, 'dev: x, address: 10.0.0.20, mac-address: "02:00:00:00:00:20"'),
        Row("state", "noarp", "permanent", IN_PLACE, 'dev: x, address: 10.0.0.20, mac-address: "02:00:00:00:00:20"')], shows="neigh"),
    Table("nexthop", in_a("nexthops"), "", [
        Row("id", "5", "6", OTHER, "via: 10.0.0.2, dev: x", required=True),
        Row("via", "10.0.0.2", "10.0.0.3", IN_PLACE, "id: 5, dev: x"),
        Row("dev", "x", "z", IN_PLACE, "id: 5, via: 10.0.0.2, on-link: true", required=True),
        Row("on-link", "true", "false", IN_PLACE, "id: 5, via: 10.0.0.2, dev: x"),
        Row("family", "ipv6", "ipv4", RECREATED, "id: 5, dev: x"),
        Row("encap", '{seg6: {segments: ["fc00::1"]}}', '{seg6: {segments: ["fc00::2"]}}', IN_PLACE, 'id: 5, via: "fd00::2", dev: x'),
        Row("blackhole", "true", "true", IN_PLACE, "id: 5", required=True)], shows="nexthop"),
    Table("nexthop", in_a("nexthops", "[{id: 1, via: 10.0.0.2, dev: x}, {id: 2, via: 10.0.0.3, dev: x}, {ENTRY}]"), "id: 5", [
        Row("group", "[1]", "[2]", required=True),
        Row("type", "resilient", "hash-threshold", RECREATED, "group: [1, 2]"),
        Row("buckets", "8", "16", RECREATED, "group: [1, 2], type: resilient"),
        Row("idle-timer", "60s", "61s", IN_PLACE, "group: [1, 2], type: resilient, buckets: 8"),
        Row("unbalanced-timer", "10s", "11s", IN_PLACE, "group: [1, 2], type: resilient, buckets: 8")], shows="nexthop"),
    Table("nexthop.group", in_a("nexthops", "[{id: 1, via: 10.0.0.2, dev: x}, {id: 2, via: 10.0.0.3, dev: x}, {id: 5, group: [{ENTRY}]}]"), "", [
        Row("id", "1", "2", required=True), Row("weight", "3", "4", IN_PLACE, "id: 1")], shows="nexthop"),
    Table("port", """\
namespaces:
  a: {interfaces: {br: {kind: bridge, ports: [{name: x, ENTRY}]}, x: {}}}
  b: {}
links: [["a:x", "b:p"]]
""", "", [
        Row("cost", "77", "78"), Row("priority", "5", "6"), *truths(("hairpin", "isolated", "neigh-suppress", "guard", "root-block",
        "mcast-to-unicast", "proxy-arp", "locked", "vlan-tunnel")),
        *(Row(key, "false", "true") for key in ("learning", "flood", "mcast-flood", "bcast-flood")),
        Row("mcast-router", "permanent", "disabled")], shows="link vlan"),
    Table("port", """\
namespaces:
  a: {interfaces: {br: {kind: bridge, vlan-filtering: true, ports: [{name: x, ENTRY}]}, x: {}}}
  b: {}
links: [["a:x", "b:p"]]
""", "", [Row("pvid", "5", "6", needs="untagged: [5, 6]"), Row("untagged", "7", "8"), Row("tagged", "[7, 20-29]", "8")],
          probe="bridge vlan_filtering 1", shows="link vlan"),
    Table("port", """\
namespaces:
  a: {interfaces: {br: {kind: bridge, ports: [{ENTRY}]}, x: {}, z: {}}}
  b: {}
links: [["a:x", "b:p"], ["a:z", "b:q"]]
""", "", [Row("name", "x", "z", OTHER, required=True)]),
    Table("bridge", "namespaces: {a: {interfaces: {x: {kind: bridge, vlan-filtering: true, ENTRY}}}}\n", "", [
        Row("pvid", "5", "6", needs="untagged: [5, 6]"), Row("untagged", "7", "8"), Row("tagged", "[7, 20-29]", "8")], probe="bridge vlan_filtering 1", shows="vlan"),
    Table("route", in_a("routes"), "", [
        Row("to", "10.20.0.0/16", "10.21.0.0/16", OTHER, "via: 10.0.0.2", required=True),
        Row("from", '"2001:db8:1::/48"', '"2001:db8:2::/48"', OTHER, 'to: "2001:db8::/32", via: "fd00::2"'),
        Row("table", "7", "8", OTHER, "to: 10.20.0.0/16, via: 10.0.0.2"),
        Row("tos", "4", "8", OTHER, "to: 10.20.0.0/16, via: 10.0.0.2"),
        Row("metric", "7", "8", OTHER, "to: 10.20.0.0/16, via: 10.0.0.2"),
        Row("type", "blackhole", "prohibit", IN_PLACE, "to: 10.20.0.0/16", required=True),
        Row("via", "10.0.0.2", "10.0.0.3", IN_PLACE, "to: 10.20.0.0/16, dev: x"),
        Row("dev", "x", "z", IN_PLACE, "to: 10.20.0.0/16", required=True),
        Row("encap", '{seg6: {segments: ["fc00::1"]}}', '{seg6: {segments: ["fc00::2"]}}', IN_PLACE, 'to: "2001:db8::/32", via: "fd00::2", dev: x'),
        Row("nexthops", "[{via: 10.0.0.2}, {via: 10.0.0.3}]", "[{via: 10.0.0.2}, {via: 10.0.0.4}]", IN_PLACE, "to: 10.20.0.0/16", required=True),
        Row("src", "10.1.0.1", "10.0.0.1", IN_PLACE, "to: 10.20.0.0/16, via: 10.0.0.2"),
        Row("scope", "host", "link", IN_PLACE, "to: 10.20.0.0/16, dev: x"),
        Row("on-link", "true", "false", IN_PLACE, "to: 10.20.0.0/16, via: 10.0.0.2, dev: x"),
        Row("preference", "high", "low", IN_PLACE, 'to: "2001:db8::/32", via: "fd00::2"'),
        *(Row(key, first, second, IN_PLACE, "to: 10.20.0.0/16, via: 10.0.0.2") for key, first, second in (
            ("mtu", "1300", "1290"), ("advmss", "1200", "1100"), ("initcwnd", "20", "30"), ("initrwnd", "21", "31"), ("window", "30000", "40000"),
            ("hoplimit", "9", "255"), ("quickack", "true", "false"), ("rto-min", "300ms", "2s"), ("features", "ecn", "none"),
            ("congctl", "reno", "cubic")))], shows="route"),
    Table("route", in_a("nexthops", "[{id: 1, via: 10.0.0.2, dev: x}, {id: 2, via: 10.0.0.3, dev: x}]\n    routes: [{ENTRY}]"), "to: 10.20.0.0/16", [
        Row("nexthop", "1", "2", required=True)], shows="route"),
    Table("route.nexthops", in_a("routes", "[{to: 10.20.0.0/16, nexthops: [{via: 10.0.0.9}, {ENTRY}]}]"), "", [
        Row("via", "10.0.0.2", "10.0.0.3", IN_PLACE, "dev: x"), Row("dev", "x", "z", IN_PLACE, "via: 10.0.0.2, on-link: true", required=True),
        Row("weight", "3", "4", IN_PLACE, "via: 10.0.0.2"), Row("on-link", "true", "false", IN_PLACE, "via: 10.0.0.2, dev: x")], shows="route"),
    Table("route.nexthops", in_a("routes", '[{to: "2001:db8::/32", nexthops: [{via: "fd00::9"}, {ENTRY}]}]'), 'via: "fd00::2", dev: x', [
        Row("encap", '{seg6: {segments: ["fc00::1"]}}', '{seg6: {segments: ["fc00::2"]}}')], shows="route"),
    Table("route.encap", in_a("routes", '[{to: "2001:db8::/32", via: "fd00::2", dev: x, encap: {ENTRY}}]'), "", [
        Row("seg6", '{segments: ["fc00::1"]}', '{segments: ["fc00::2"]}', required=True)], shows="route"),
    Table("route.encap.seg6", in_a("routes", '[{to: "2001:db8::/32", via: "fd00::2", dev: x, encap: {seg6: {ENTRY}}}]'), "", [
        Row("segments", '["fc00::1"]', '["fc00::2", "fc00::3"]', required=True),
        Row("mode", "inline", "l2encap", IN_PLACE, 'segments: ["fc00::1"]')], shows="route"),
    Table("rule", in_a("rules"), "", [
        Row("family", "ipv6", "ipv4", OTHER, "priority: 7, fwmark: 5, table: 9"),
        Row("priority", "7", "8", OTHER, "from: 10.0.0.0/8, table: 9"), Row("from", "10.0.0.0/8", "not 10.0.0.0/9", OTHER, "priority: 7, table: 9", required=True),
        Row("to", "10.0.0.0/8", "10.0.0.0/9", OTHER, "priority: 7, table: 9", required=True),
        *(Row(key, first, second, OTHER, "priority: 7, table: 9, from: 10.0.0.0/8") for key, first, second in (
            ("iif", "x", "z"), ("oif", "x", "z"), ("fwmark", "0x10", "0x10/0xff"), ("tos", "4", "8"), ("ip-protocol", "tcp", "udp"),
            ("uid-range", "0-0", "1000-1001"), ("not", "true", "false"))),
        *(Row(key, first, second, IN_PLACE, "priority: 7, table: 9, from: 10.0.0.0/8") for key, first, second in (
            ("suppress-prefix-length", "0", "8"), ("suppress-interface-group", "7", "8"))),
        *(Row(key, "80", "100-200", OTHER, "priority: 7, table: 9, ip-protocol: tcp") for key in ("source-port", "destination-port")),
        Row("table", "9", "8", IN_PLACE, "priority: 7, from: 10.0.0.0/8", required=True),
        Row("type", "blackhole", "prohibit", IN_PLACE, "priority: 7, from: 10.0.0.0/8", required=True),
        Row("l3mdev", "true", "true", OTHER, "priority: 7, from: 10.0.0.0/8", required=True),
        Row("state", "absent", "absent", IN_PLACE, "priority: 32766, table: main", required=True, lacks="32766")], shows="rule"),
    Table("rule", in_a("rules", "[{from: 10.0.0.0/8, table: 9, priority: 70}, {from: 10.0.0.0/8, table: 9, priority: 80}, {ENTRY}]"),
          "priority: 7, from: 10.0.0.0/8", [Row("goto", "70", "80", IN_PLACE, required=True)], shows="rule"),
    Table("nat-entry", in_a("nat"), "", [
        Row("action", "snat", "dnat", IN_PLACE, "to: 10.0.0.9", required=True),
        *(Row(key, first, second, IN_PLACE, "action: masquerade") for key, first, second in (
            ("source", "10.0.0.0/8", "not 10.0.0.0/9"), ("destination", "10.0.0.0/8", "[10.0.0.0/9, 192.0.2.1]"), ("out", "x", "not z"),
            ("protocol", "tcp", "not udp"), ("fwmark", "0x10", "0x10/0xff"), ("random", "true", "false"))),
        *(Row(key, "80", "100-200", IN_PLACE, "action: masquerade, protocol: tcp") for key in ("source-port", "port")),
        Row("in", "x", "z", IN_PLACE, "action: dnat, to: 10.0.0.9"),
        Row("to", "10.0.0.9", "10.0.0.8", IN_PLACE, "action: dnat", required=True),
        Row("hook", "output", "prerouting", IN_PLACE, "action: dnat, to: 10.0.0.9"),
        Row("persistent", "true", "false", IN_PLACE, "action: snat, to: 10.0.0.2-10.0.0.9"),
        Row("hairpin", "true", "false", IN_PLACE, "action: dnat, in: z, destination: 10.1.0.1, protocol: tcp, port: 80, to: 10.0.0.9")], shows="nft"),
    Table("filter-chain", in_a("filter", "{input: {rules: [{source: 10.0.0.0/8, action: accept}], ENTRY}}"), "", [
        Row("policy", "drop", "accept")], shows="nft"),
    Table("filter-rule", in_a("filter", "{input: {rules: [{ENTRY}]}}"), "", [
        Row("action", "drop", "reject", needs="source: 10.0.0.0/8, counter: true"),
        *(Row(key, first, second, IN_PLACE, "action: accept") for key, first, second in (
            ("source", "10.0.0.0/8", "not 10.0.0.0/9"), ("destination", "10.0.0.0/8", "[10.0.0.0/9, 192.0.2.1]"), ("in", "x", "not z"),
            ("protocol", "tcp", "not udp"), ("fwmark", "0x10", "0x10/0xff"), ("state", "established", "not invalid"),
            ("limit", "10/minute", "10/minute burst 20"), ("counter", "true", "false"), ("log", "stray", "{prefix: other, level: info}"))),
        *(Row(key, "80", "100-200", IN_PLACE, "action: accept, protocol: tcp") for key in ("source-port", "port")),
        Row("icmp-type", "echo-request", "echo-reply", IN_PLACE, "action: accept, protocol: icmp"),
        Row("tcp-flags", "syn", "[syn, not ack]", IN_PLACE, "action: accept, protocol: tcp"),
        Row("mark", "5", "6/0xff", IN_PLACE, "source: 10.0.0.0/8", required=True)], shows="nft"),
    Table("filter-rule", in_a("filter", "{forward: {rules: [{ENTRY}]}}"), "", [
        Row("out", "x", "z", IN_PLACE, "action: accept"), Row("clamp-mss", "1200", "pmtu", IN_PLACE, "protocol: tcp", required=True)], shows="nft"),
    # Shaping.
    Table("qdisc-tbf", in_x("qdisc: {kind: tbf, ENTRY}"), "", [
        Row("rate", "1mbit", "2mbit", IN_PLACE, "burst: 32k, limit: 30k", required=True), Row("burst", "32k", "16k", IN_PLACE, "rate: 1mbit, limit: 30k", required=True),
        Row("limit", "30k", "40k", IN_PLACE, "rate: 1mbit, burst: 32k", required=True), Row("latency", "50ms", "60ms", IN_PLACE, "rate: 1mbit, burst: 32k", required=True),
        Row("peakrate", "5mbit", "6mbit", IN_PLACE, "rate: 1mbit, burst: 32k, limit: 30k, mtu: 3000", required=True),
        Row("mtu", "3000", "4000", IN_PLACE, "rate: 1mbit, burst: 32k, limit: 30k, peakrate: 5mbit", required=True)], shows="tc", probe="qdisc tbf rate 1mbit burst 32k limit 30k"),
    Table("qdisc-pfifo", in_x("qdisc: {kind: pfifo, ENTRY}"), "", [Row("limit", "30", "40")], shows="tc", probe="qdisc pfifo"),
    Table("qdisc-bfifo", in_x("qdisc: {kind: bfifo, ENTRY}"), "", [Row("limit", "30k", "40k")], shows="tc", probe="qdisc bfifo"),
    Table("qdisc-htb", in_x("qdisc: {kind: htb, classes: [{id: 1, rate: 100mbit}], ENTRY}"), "", [Row("r2q", "20", "30")], shows="tc", probe="qdisc htb"),
    Table("qdisc-class", in_x("qdisc: {kind: htb, classes: [{id: 1, rate: 10mbit, classes: [{ENTRY}]}]}"), "", [
        Row("rate", "1mbit", "2mbit", IN_PLACE, "id: 10", required=True), *(Row(key, first, second, IN_PLACE, "id: 10, rate: 1mbit")
        for key, first, second in (("ceil", "2mbit", "3mbit"), ("burst", "9k", "10k"), ("cburst", "9k", "10k"), ("priority", "2", "3"),
        ("quantum", "5000", "6000")))], shows="tc", probe="qdisc htb"),
    Table("qdisc-filter", in_x("qdisc: {kind: htb, classes: [{id: 1, rate: 10mbit}, {id: 2, rate: 10mbit}], filters: [{ENTRY}]}"), "", [
        *(Row(key, first, second, IN_PLACE, "class: 1, protocol: tcp") for key, first, second in (
            ("source", "10.0.0.0/8", "10.0.0.0/9"), ("destination", "10.0.0.0/8", "fd00::/8".join('""')), ("source-port", "80", "81"),
            ("port", "80", "81"), ("family", "ipv4", "ipv6"))),
        Row("protocol", "tcp", "udp", IN_PLACE, "class: 1", required=True), 
        Row("class", "1", "2", IN_PLACE, "protocol: tcp", required=True)], shows="tc", probe="qdisc htb"),
    Table("qdisc-filter", in_x("qdisc: {kind: htb, classes: [{id: 1, rate: 10mbit}], filters: [{class: 1, ENTRY}]}"), "", [
        Row("fwmark", "5", "6", required=True)], shows="tc", probe="fw"),
    Table("police", in_x("police: {ENTRY}"), "", [
        Row("rate", "1mbit", "2mbit", IN_PLACE, "burst: 10k", required=True), Row("burst", "10k", "20k", IN_PLACE, "rate: 1mbit", required=True),
        Row("mtu", "1500", "1600", IN_PLACE, "rate: 1mbit, burst: 10k")], shows="tc", probe="police"),
    Table("impair", in_x("impair: {ENTRY}"), "", [
        Row("delay", "10ms", "20ms", needs="limit: 500"), Row("jitter", "2ms", "3ms", needs="delay: 10ms"),
        Row("correlation", "25%", "26%", needs="delay: 10ms, jitter: 2ms"),
        Row("distribution", "normal", "pareto", needs="delay: 10ms, jitter: 2ms", by_hand=False),
        Row("loss", "5%", "6%", needs="limit: 500"), Row("loss-correlation", "10%", "11%", needs="loss: 5%"),
        Row("duplicate", "2%", "3%", needs="limit: 500"), Row("duplicate-correlation", "10%", "11%", needs="duplicate: 2%"),
        Row("reorder", "3%", "4%", needs="delay: 10ms"), Row("reorder-correlation", "10%", "11%", needs="delay: 10ms, reorder: 3%"),
        Row("gap", "3", "4", needs="delay: 10ms, reorder: 3%"), Row("corrupt", "4%", "5%", needs="limit: 500"),
        Row("corrupt-correlation", "10%", "11%", needs="corrupt: 4%"), Row("rate", "10mbit", "11mbit", needs="limit: 500"),
        Row("limit", "500", "600", needs="delay: 10ms"), Row("ecn", "true", "false", needs="loss: 5%")], shows="tc", probe="qdisc netem"),
    Table("qdisc-fq_codel", in_x("qdisc: {kind: fq_codel, ENTRY}"), "", [
        Row(key, first, second, how) for key, first, second, how in (
            ("limit", "100", "200", IN_PLACE), ("flows", "7", "8", IN_PLACE), ("target", "6ms", "7ms", IN_PLACE), ("interval", "90ms", "80ms", IN_PLACE),
            ("quantum", "500", "600", IN_PLACE), ("ecn", "false", "true", IN_PLACE), ("ce-threshold", "3ms", "4ms", IN_PLACE),
            ("memory-limit", "1m", "2m", IN_PLACE), ("drop-batch", "5", "6", IN_PLACE))], shows="tc", probe="qdisc fq_codel"),
    Table("qdisc-fq", in_x("qdisc: {kind: fq, ENTRY}"), "", [
        Row(key, first, second) for key, first, second in (
            ("limit", "100", "200"), ("flow-limit", "50", "60"), ("quantum", "700", "800"), ("initial-quantum", "9000", "8000"), ("pacing", "false", "true"),
            ("maxrate", "5mbit", "6mbit"), ("buckets", "512", "256"), ("orphan-mask", "511", "255"), ("low-rate-threshold", "1mbit", "2mbit"),
            ("ce-threshold", "3ms", "4ms"), ("horizon", "5s", "6s"), ("horizon-drop", "false", "true"))], shows="tc", probe="qdisc fq"),
    Table("qdisc-cake", in_x("qdisc: {kind: cake, ENTRY}"), "", [
        Row(key, first, second) for key, first, second in (
            ("bandwidth", "10mbit", "20mbit"), ("autorate-ingress", "true", "false"), ("diffserv", "diffserv4", "besteffort"), ("flow-mode", "flows", "dual-srchost"),
            ("nat", "true", "false"), ("wash", "true", "false"), ("ingress", "true", "false"), ("ack-filter", "filter", "aggressive"),
            ("split-gso", "false", "true"), ("rtt", "50ms", "30ms"), ("atm", "atm", "ptm"), ("overhead", "5", "-4"), ("mpu", "64", "65"),
            ("memory-limit", "1m", "2m"), ("fwmark", "0xf", "0xe"))], shows="tc", probe="qdisc cake"),
    Table("qdisc-prio", in_x("qdisc: {kind: prio, ENTRY}"), "", [
        Row("bands", "4", "5"), Row("priomap", "[2, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]", "[0, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]")],
        shows="tc", probe="qdisc prio"),
    Table("qdisc-sfq", in_x("qdisc: {kind: sfq, ENTRY}"), "", [
        Row(key, first, second) for key, first, second in (
            ("limit", "100", "110"), ("flows", "50", "60"), ("perturb", "5s", "6s"), ("quantum", "1700", "1800"), ("divisor", "512", "256"))],
        shows="tc", probe="qdisc sfq"),
    # Links.
    *(Table(kind, in_x(ADDRESSED).replace("  b:", "      m: {kind: %s, ENTRY}\n  b:" % kind), "", [
        Row("link", "x", "z", RECREATED, required=True), Row("mode", "private", "bridge", needs='link: x'),
        Row("sources", '["02:00:00:00:00:01"]', '["02:00:00:00:00:02", "02:00:00:00:00:03"]', needs='link: x, mode: source'),
        Row("broadcast-queue-length", "2000", "3000", needs='link: x')], probe="macvlan") for kind in ("macvlan", "macvtap")),
    *(Table(kind, in_x("").replace("  b:", "      m: {kind: %s, ENTRY}\n  b:" % kind), "", [
        Row("link", "x", "z", RECREATED, required=True), Row("mode", "l2", "l3s", needs='link: x'), Row("isolation", "private", "vepa", needs='link: x')],
        probe="ipvlan") for kind in ("ipvlan", "ipvtap")),
    Table("vlan", in_x("").replace("  b:", "      m: {kind: vlan, ENTRY}\n  b:"), "", [
        Row("link", "x", "z", RECREATED, "id: 5", required=True), Row("id", "5", "6", RECREATED, 'link: x', required=True),
        Row("protocol", "802.1ad", "802.1q", RECREATED, 'link: x, id: 5'), Row("reorder-header", "false", "true", IN_PLACE, 'link: x, id: 5'),
        *truths(("gvrp", "mvrp", "loose-binding"), needs='link: x, id: 5'),
        Row("ingress-qos-map", "{1: 5}", "{2: 5}", IN_PLACE, 'link: x, id: 5'), Row("egress-qos-map", "{5: 1}", "{5: 2}", IN_PLACE, 'link: x, id: 5')],
        probe="vlan"),
    Table("vlan", "namespaces: {a: {interfaces: {br: {kind: bridge, vlan-filtering: true}, m: {kind: vlan, link: br, id: 5, ENTRY}}}}\n", "", [
        Row("bridge-binding", "true", "false")], probe="vlan"),
    *(Table(kind, "namespaces: {a: {interfaces: {t: {kind: %s, ENTRY}}}}\n" % kind, "", [
        Row("owner", "1", "2"), Row("group", "3", "4"), Row("multi-queue", "true", "false", RECREATED),
        *truths(("packet-info", "vnet-header"))], shows="link tun") for kind in ("tun", "tap")),
    Table("vrf-port", in_x("").replace("interfaces:", "interfaces:\n      r: {kind: vrf, table: 9, ports: [{ENTRY}]}", 1), "", [
        Row("name", "x", "z", OTHER, required=True)], probe="vrf table 1"),
    Table("bond-port", in_x("").replace("interfaces:", "interfaces:\n      r: {kind: bond, miimon: 100, mode: active-backup, ports: [{ENTRY}]}", 1), "", [
        Row("name", "x", "z", OTHER, required=True), Row("priority", "5", "6", needs="name: x"), Row("queue-id", "1", "2", needs="name: x")],
        probe="bond"),
    Table("bond", in_x("").replace("interfaces:", "interfaces:\n      r: {kind: bond, miimon: 100, mode: active-backup, ports: [x, z], ENTRY}", 1), "", [
        Row("primary", "x", "z")], probe="bond"),
    Table("wireguard", "namespaces: {a: {interfaces: {w: {kind: wireguard, ENTRY}}}}\n", "", [
        Row("private-key-file", KEYS[0], KEYS[1]), Row("listen-port", "51820", "51821", stays=True), Row("fwmark", "5", "6")],
        rare=True, probe="wireguard", shows="link wg"),
    Table("peer", "namespaces: {a: {interfaces: {w: {kind: wireguard, listen-port: 51820, peers: [{ENTRY}]}}}}\n", "", [
        Row("public-key", PUBLIC[0], PUBLIC[1], OTHER, required=True), Row("preshared-key-file", KEYS[0], KEYS[1], needs=f"public-key: {PUBLIC[0]}"),
        Row("endpoint", "192.0.2.1:51820", "192.0.2.2:51820", needs=f"public-key: {PUBLIC[0]}", by_hand=False, stays=True),
        Row("allowed-ips", "10.9.0.2", "[10.9.0.3, 10.10.0.0/16]", needs=f"public-key: {PUBLIC[0]}"),
        Row("persistent-keepalive", "25", "26", needs=f"public-key: {PUBLIC[0]}")], rare=True, probe="wireguard", shows="wg"),
    Table("rule", in_x("").replace("  b:", "    rules: [{priority: 7, from: 10.0.0.0/8, ENTRY}]\n  b:").replace(
        "interfaces:", "interfaces:\n      r: {kind: vrf, table: 9}\n      s: {kind: vrf, table: 10}", 1), "", [
        Row("vrf", "r", "s", OTHER, required=True)], probe="vrf table 1", shows="rule"),
    Table("route", in_x("").replace("  b:", "    routes: [{to: 10.20.0.0/16, type: blackhole, ENTRY}]\n  b:").replace(
        "interfaces:", "interfaces:\n      r: {kind: vrf, table: 9}\n      s: {kind: vrf, table: 10}", 1), "", [
        Row("vrf", "r", "s", OTHER, required=True)], probe="vrf table 1", shows="route"),
    Table("route.encap", in_a("routes", '[{to: 10.20.0.0/16, via: 10.0.0.2, dev: x, encap: {ENTRY}}]'), "", [
        Row("mpls", "[16, 17]", "[16, 18]", required=True)], shows="route", probe="mpls"),
    Table("route.encap", in_a("routes", '[{to: 10.20.0.0/16, dev: v, encap: {ENTRY}}]').replace("      z:", "      v: {kind: vxlan, external: true}\n      z:"), "", [
        Row("ip", "{id: 5, remote: 10.0.0.2}", "{id: 5, remote: 10.0.0.3}", required=True)], shows="route", probe="vxlan id 1 dstport 4789"),
    Table("route.encap.ip", in_a("routes", '[{to: 10.20.0.0/16, dev: v, encap: {ip: {ENTRY}}}]').replace(
        "      z:", "      v: {kind: vxlan, external: true}\n      z:"), "", [
        Row("remote", "10.0.0.2", "10.0.0.3", required=True), *(Row(key, first, second, needs="remote: 10.0.0.2") for key, first, second in (
            ("id", "5", "6"), ("local", "10.0.0.1", "10.1.0.1"), ("ttl", "9", "10"), ("tos", "4", "8"), ("key", "true", "false"), ("checksum", "true", "false"),
            ("sequence", "true", "false")))], shows="route", probe="vxlan id 1 dstport 4789"),
]


STAYS = {("vxlan", "group")}
BELOW = """\
namespaces:
  a:
    interfaces:
      d: {addresses: [10.0.0.1/24, {address: "fd00::1/64", nodad: true}]}
      x: {kind: %s, ENTRY}
  b: {}
links: [["a:d", "b:d"], ["a:d2", "b:d2"]]
"""


def kinds_of_links():
    """The tables of ../vm/test_fields.py: a row has all the others of its table beside it."""
    where = importlib.util.spec_from_file_location("vm_fields", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../vm/test_fields.py"))
    vm = importlib.util.module_from_spec(where)
    where.loader.exec_module(vm)
    for kind, tables in vm.KINDS.items():
        for fields in tables:
            text = BELOW % kind
            rows = [Row(f.key, f.first, f.second, f.how, ", ".join(f"{o.key}: {o.first}" for o in fields if o is not f),
                        stays=(kind, f.key) in STAYS, required=f.key in vm.KEPT | vm.KEPT_OF.get(kind, set()))
                    for f in fields if f.first != f.second]
            yield Table(kind, text, "", rows, probe="bridge vlan_filtering 1" if any(f.key == "vlan-filtering" for f in fields) else " ".join((kind, *vm.PROBES.get(kind, ()))),
                        rare=kind == "xfrm" or fields is vm.SIX_RD)
