# SPDX-License-Identifier: GPL-2.0-or-later
"""
A small topology with some of each kind, and another version in which some of each is added, changed or removed: for tests
that make something go wrong at every step of creating, changing and removing it.
"""

import os

from lab import HOST, edit, veth

TEXT = """\
topology: small
namespaces:
  host:
    forwarding: true
    interfaces:
      br0: {kind: bridge, ports: [{name: c1, cost: 77}], addresses: [10.0.0.1/24]}
      nic: {kind: existing, mtu: 1400, addresses: [192.0.2.1/24]}
      c1: {fdb: [{mac-address: "02:00:00:00:00:21"}]}
    rules:
      - {from: 10.0.0.12, type: blackhole, priority: 900}
    filter:
      forward: {rules: [{protocol: tcp, port: 25, action: drop, counter: true}]}
    nat:
      - {action: masquerade, source: 10.0.0.0/24, out: nic}
  web:
    dns: {servers: [10.0.0.1]}
    interfaces:
      eth0: {mtu: 1400, addresses: [10.0.0.11/24, {address: "fd00::11/64", nodad: true}], alternative-names: [uplink], offload: {tso: false}}
      mv: {kind: macvlan, link: eth0}
      vx: {kind: vxlan, id: 7, local: 10.0.0.11, remote: 10.0.0.1, qdisc: {kind: tbf, rate: 10mbit, burst: 32k, limit: 64k}}
      t0: {kind: tap, owner: 0}
      q0: {kind: ifb, qdisc: {kind: htb, classes: [{id: 1, rate: 10mbit, default: true, qdisc: pfifo}]}}
    nexthops: [{id: 7, via: 10.0.0.1, dev: eth0}, {id: 8, via: 10.0.0.2, dev: eth0}, {id: 9, group: [7, 8]}]
    rules: [{from: 10.0.0.11, table: 9, priority: 90}]
    neighbors: [{address: 10.0.0.99, dev: eth0, mac-address: "02:00:00:00:00:99"}]
    routes:
      - {to: 10.50.0.0/16, nexthop: 9}
      - {to: default, via: 10.0.0.1}
      - {to: "fd00:9::/64", via: "fd00::1"}
    sysctl: {net.ipv4.ip_default_ttl: 99}
  box:
    interfaces:
      eth0: {kind: physical, source: card, addresses: [10.3.0.1/24]}
links:
  - [web:eth0, host:c1]
"""
EDITED = edit(TEXT,
              ("  box:\n", "  more:\n    interfaces: {eth0: {addresses: [10.0.0.13/24]}}\n  box:\n"),
              ("ports: [{name: c1, cost: 77}]", "ports: [{name: c1, cost: 78}, c3]"),
              ("links:\n", "links:\n  - [more:eth0, host:c3]\n"),
              ("{mtu: 1400, addresses: [10.0.0.11/24,", "{mtu: 1350, addresses: [10.0.0.11/24, 10.0.0.12/24,"),
              ("alternative-names: [uplink], offload: {tso: false}", "alternative-names: [uplink2]"),
              ('"02:00:00:00:00:21"}', '"02:00:00:00:00:22"}'),
              ("from: 10.0.0.12, type", "from: 10.0.0.13, type"),
              ("port: 25, action: drop", "port: 25, action: reject"),
              ("rate: 10mbit, burst: 32k", "rate: 20mbit, burst: 32k"),
              ("rate: 10mbit, default: true, qdisc: pfifo", "rate: 20mbit, default: true"),
              ("t0: {kind: tap, owner: 0}", "t1: {kind: tun, ipv6-address-generation: none}"),
              (", {id: 9, group: [7, 8]}]", ", {id: 9, group: [{id: 7, weight: 2}]}]"),
              ("from: 10.0.0.11, table: 9, priority: 90", "from: 10.0.0.11, table: 8, priority: 90"),
              ('mac-address: "02:00:00:00:00:99"', 'mac-address: "02:00:00:00:00:98"'),
              ("    dns: {servers: [10.0.0.1]}\n", ""),
              ("      mv: {kind: macvlan, link: eth0}\n", ""),
              ('      - {to: "fd00:9::/64", via: "fd00::1"}\n', '      - {to: "fd00:9::/64", via: "fd00::2"}\n'),
              ("    sysctl: {net.ipv4.ip_default_ttl: 99}\n", ""),
              ("out: nic}", "out: not br0}"),
              ("      nic: {kind: existing, mtu: 1400, addresses: [192.0.2.1/24]}\n", ""))


def furnish():
    """Makes the part of the machine that is not topod's."""
    veth(HOST, "nic", HOST, "wire", "198.51.100.1/24")
    veth(HOST, "card", HOST, "socket")


def part_of(cases):
    """All of them or, with TOPOD_TEST_PART=3/20, those of the third part of twenty."""
    part, parts = (int(n) for n in os.environ.get("TOPOD_TEST_PART", "1/1").split("/"))
    return list(cases)[part - 1::parts]
