# SPDX-License-Identifier: GPL-2.0-or-later
"""
The kernel refuses what `check` calls an error: each mistake is made by hand, and the kernel must refuse the last command.
Corrected, the same topology is valid for `check`, without a warning, and for the kernel.
"""

import re
import socket
import struct

import lab
from lab import Case, HOST
from test_bad_specs import DIAGNOSTIC, unmark

# The same by hand as in the specs below.
PREPARE = """\
link add name e0 type veth peer name f0
link add name e1 type veth peer name f1
link set e0 up
link set f0 up
link set e1 up
link set f1 up
addr add 10.0.0.1/24 dev e0
addr add fd00::1/64 dev e0 nodad
addr add 10.1.0.1/24 dev e1
"""
E0 = 'e0: {addresses: [10.0.0.1/24, {address: "fd00::1/64", nodad: true}]}'
E1 = "e1: {addresses: [10.1.0.1/24]}"
DOWN = 'e1: {up: false, addresses: [10.1.0.1/24, {address: "fd05::1/64", nodad: true}]}'
PARENT = 'mac-address: "02:00:00:00:00:01"'


# Hosts behind the other ends, in the host namespace, are unknown, so there are no warnings about gateways.
def topology(interfaces, routes, sysctl):
    names = {line.split(":")[0].strip("«") for line in interfaces}
    lines = [*interfaces, *(line for line in (E0, E1) if line[:2] not in names)]
    return ("namespaces:\n  a:\n    interfaces:\n" + "".join(f"      {line}\n" for line in lines) +
            "    routes:\n" + "".join(f"      - {line}\n" for line in routes) +
            "    sysctl: {" + ", ".join(sysctl) + "}\nlinks:\n  - [a:e0, host:h0]\n  - [a:e1, host:h1]\n")


def mistake(words, by_hand, *right, interfaces=(), routes=(), sysctl=()):
    return words, by_hand, right, topology(interfaces, routes, sysctl)


# The mistake at «»; the words of the error; the commands of ip(8), the last of which is refused; the correction as (old, new)
# pairs. A command that begins with "sysctl" writes a setting; one with "vxlan" makes one without ip(8), which checks some
# mistakes itself.
MISTAKES = {
    "the name all": mistake(
        "name 'all' is reserved", "link add name all type bridge", ("all", "every"), interfaces=["«all»: {kind: bridge}"]),
    "the name default": mistake(
        "name 'default' is reserved", "link set f1 down\nlink set f1 name default", ("default:", "usual:"),
        interfaces=["«default»: {kind: bridge}"]),
    "IPv6 with a small MTU": mistake(
        "MTU of at least 1280", "link add name x type bridge\nlink set dev x mtu 1279\naddr add fd01::1/64 dev x", ("1279", "1280"),
        interfaces=['x: {kind: bridge, mtu: 1279, addresses: [«{address: "fd01::1/64", nodad: true}»]}']),
    "IPv6 with a small MTU of the parent": mistake(
        "MTU of at least 1280", "link set e1 mtu 1279\nlink add name m link e1 type macvlan\naddr add fd01::1/64 dev m", ("1279", "1280"),
        interfaces=["e1: {mtu: 1279}", 'm: {kind: macvlan, link: e1, addresses: [«{address: "fd01::1/64", nodad: true}»]}']),
    "IPv6 with a small MTU of a port": mistake(
        "MTU of at least 1280.*x has 1279",
        "link set e1 mtu 1279\nlink add name x type bridge\nlink set e1 master x\naddr add fd01::1/64 dev x", ("1279", "1280"),
        interfaces=["e1: {mtu: 1279}", 'x: {kind: bridge, ports: [e1], addresses: [«{address: "fd01::1/64", nodad: true}»]}']),
    "IPv6 disabled on the interface": mistake(
        "cannot be set.*e1.disable_ipv6", "sysctl net.ipv6.conf.e1.disable_ipv6=1\naddr add fd01::1/64 dev e1", ("e1.disable_ipv6: 1", "e1.disable_ipv6: 0"),
        interfaces=['e1: {addresses: [«{address: "fd01::1/64", nodad: true}»]}'], sysctl=["net.ipv6.conf.e1.disable_ipv6: 1"]),
    "IPv6 disabled on what is made": mistake(
        "cannot be set.*default.disable_ipv6",
        "sysctl net.ipv6.conf.default.disable_ipv6=1\nlink add name x type bridge\naddr add fd01::1/64 dev x", ("disable_ipv6: 1", "disable_ipv6: 0"),
        interfaces=["e0: {}", 'x: {kind: bridge, addresses: [«{address: "fd01::1/64", nodad: true}»]}'],
        sysctl=["net.ipv6.conf.default.disable_ipv6: 1"]),
    "IPv6 disabled everywhere": mistake(
        "cannot be set.*all.disable_ipv6", "sysctl net.ipv6.conf.all.disable_ipv6=1\naddr add fd01::1/128 dev lo", ("disable_ipv6: 1", "disable_ipv6: 0"),
        interfaces=["e0: {}", 'lo: {addresses: [«"fd01::1/128"»]}'], sysctl=["net.ipv6.conf.all.disable_ipv6: 1"]),
    "an IPv6 route where it is disabled": mistake(
        "cannot be set.*e1.disable_ipv6", "sysctl net.ipv6.conf.e1.disable_ipv6=1\nroute add fd01::/64 dev e1", ("dev: e1", "dev: e0"),
        routes=['{to: "fd01::/64", dev: «e1»}'], sysctl=["net.ipv6.conf.e1.disable_ipv6: 1"]),
    "lo as a port": mistake(
        "'lo' cannot be a port", "link add name x type bridge\nlink set lo master x", ("lo", "e1"), interfaces=["x: {kind: bridge, ports: [«lo»]}", "e1: {}"]),
    "lo as a parent": mistake(
        "'lo' cannot be the parent", "link add name m link lo type macvlan", ("link: lo", "link: e1"), interfaces=["m: {kind: macvlan, link: «lo»}"]),
    "passthru, then another": mistake(
        "allows only one", "link add name m link e1 type macvlan mode passthru\nlink add name o link e1 type macvlan", ("link: e1}", "link: e0}"),
        interfaces=["m: {kind: macvlan, link: e1, mode: passthru}", "o: {kind: macvlan, link: «e1»}"]),
    "another, then passthru": mistake(
        "allows only one", "link add name m link e1 type macvlan\nlink add name o link e1 type macvlan mode passthru", ("passthru", "private"),
        interfaces=["m: {kind: macvlan, link: e1}", "o: {kind: macvlan, link: e1, mode: «passthru»}"]),
    "a bridge in a bridge": mistake(
        "is a bridge and cannot be a port", "link add name x type bridge\nlink add name z type bridge\nlink set dev z master x", ("[z]", "[e1]"),
        interfaces=["x: {kind: bridge, ports: [«z»]}", "z: {kind: bridge}", "e1: {}"]),
    "a VNI twice": mistake(
        "id 7 is taken on UDP port 4789",
        "link add name v type vxlan id 7 remote 10.0.0.2 dstport 4789\nlink add name w type vxlan id 7 remote 10.0.0.3 dstport 4789 dev e0",
        ("id: 7, remote: 10.0.0.3", "id: 8, remote: 10.0.0.3"),
        interfaces=["v: {kind: vxlan, id: 7, remote: 10.0.0.2}", "w: {kind: vxlan, id: «7», remote: 10.0.0.3, dev: e0}"]),
    "two kinds of vxlan on one port": mistake(
        "must have the same 'external', 'vni-filter' and 'gbp'",
        "link add name v type vxlan id 7 dstport 4789\nlink set dev v up\nlink add name w type vxlan external dstport 4789\nlink set dev w up",
        ("external: true", "external: true, port: 4790"),
        interfaces=["v: {kind: vxlan, id: 7}", "w: {kind: vxlan, external: «true»}"]),
    "a group without dev": mistake(
        "'group' needs 'dev'", "vxlan group=239.0.0.1", ("group: 239.0.0.1", "group: 239.0.0.1, dev: e0"),
        interfaces=["v: {kind: vxlan, id: 7, group: «239.0.0.1»}"]),
    "local and remote of two families": mistake(
        "different families", "vxlan local=fd00::1 group=10.0.0.2", ("fd00::1\", remote", "fd00::1\", remote"), ("10.0.0.2", '"fd00::2"'),
        interfaces=['v: {kind: vxlan, id: 7, local: «"fd00::1"», remote: 10.0.0.2}']),
    "a link-local remote alone": mistake(
        "must be one too", "vxlan local=fd00::1 group=fe80::2 dev=e0", ('"fd00::1", remote', '"fe80::1", remote'),
        interfaces=['v: {kind: vxlan, id: 7, local: "fd00::1", remote: «"fe80::2"», dev: e0}']),
    "a link-local local alone": mistake(
        "'remote' is not", "vxlan local=fe80::1 group=fd00::2 dev=e0", ("fd00::2", "fe80::2"),
        interfaces=['v: {kind: vxlan, id: 7, local: «"fe80::1"», remote: "fd00::2", dev: e0}']),
    "a link-local local and a wider group": mistake(
        "'group' is not", "vxlan local=fe80::1 group=ff05::1 dev=e0", ("ff05::1", "ff02::1"),
        interfaces=['v: {kind: vxlan, id: 7, local: «"fe80::1"», group: "ff05::1", dev: e0}']),
    "link-local addresses without dev": mistake(
        "needs 'dev'", "vxlan local=fe80::1 group=fe80::2", ('"fe80::2"', '"fe80::2", dev: e0'),
        interfaces=['v: {kind: vxlan, id: 7, local: «"fe80::1"», remote: "fe80::2"}']),
    "a multicast local": mistake(
        "'local' is a multicast address", "vxlan local=239.0.0.1 group=10.0.0.2", ("239.0.0.1", "10.0.0.1"),
        interfaces=["v: {kind: vxlan, id: 7, local: «239.0.0.1», remote: 10.0.0.2}"]),
    "a macvlan and its parent both ports": mistake(
        "cannot also be the parent of a macvlan",
        "link add name x type bridge\nlink add name m link e1 type macvlan\nlink set dev m master x\nlink set e1 master x", ("[e1, m]", "[m]"),
        interfaces=["x: {kind: bridge, ports: [e1, m]}", "m: {kind: macvlan, link: «e1»}", "e1: {}"]),
    "a macvlan on a port": mistake(
        "cannot also be the parent of a macvlan",
        "link add name x type bridge\nlink set e1 master x\nlink add name m link e1 type macvlan", ("link: e1", "link: x"),
        interfaces=["x: {kind: bridge, ports: [e1]}", "m: {kind: macvlan, link: «e1»}", "e1: {}"]),
    "a link-local gateway without dev": mistake(
        "link-local gateway needs 'dev'", "route add fd01::/64 via fe80::2", ('"fe80::2"', '"fe80::2", dev: e0'),
        routes=['{to: "fd01::/64", via: «"fe80::2"»}']),
    "a link-local gateway of IPv4 without dev": mistake(
        "link-local gateway needs 'dev'", "route add 10.9.0.0/24 via inet6 fe80::2", ('"fe80::2"', '"fe80::2", dev: e0'),
        routes=['{to: 10.9.0.0/24, via: «"fe80::2"»}']),
    "link-local next hops without dev": mistake(
        "link-local gateway needs 'dev'", "route add fd01::/64 nexthop via fe80::2 nexthop via fd00::3", ('"fe80::2"', '"fe80::2", dev: e0'),
        routes=['{to: "fd01::/64", nexthops: [{via: «"fe80::2"»}, {via: "fd00::3"}]}']),
    "a source that nobody has": mistake(
        "no interface of a has the address 10.0.0.7", "route add 10.9.0.0/24 via 10.0.0.2 src 10.0.0.7", ("10.0.0.7", "10.1.0.1"),
        routes=["{to: 10.9.0.0/24, via: 10.0.0.2, src: «10.0.0.7»}"]),
    "a gateway with scope link": mistake(
        "'scope: link'", "route add 10.9.0.0/24 via 10.0.0.2 scope link", ("link}", "global}"),
        routes=["{to: 10.9.0.0/24, via: 10.0.0.2, scope: «link»}"]),
    "a gateway with scope host": mistake(
        "scope host", "route add 10.9.0.0/24 via 10.0.0.2 scope host", ("host}", "site}"),
        routes=["{to: 10.9.0.0/24, via: 10.0.0.2, scope: «host»}"]),
    "a local route with a gateway": mistake(
        "scope host", "route add local 10.9.0.1 via 10.0.0.2", ("via: 10.0.0.2", "dev: e0"),
        routes=["«{to: 10.9.0.1, via: 10.0.0.2, type: local}»"]),
    "a local route with scope link": mistake(
        "'scope: host'", "route add local 10.9.0.1 dev e0 scope link", ("link}", "host}"),
        routes=["{to: 10.9.0.1, dev: e0, type: local, scope: «link»}"]),
    "IPv6 next hops without gateway": mistake(
        "needs 'via'", "route add fd01::/64 nexthop dev e0 nexthop via fd00::2", ("{dev: e0}", '{via: "fd00::3"}'),
        routes=['{to: "fd01::/64", «nexthops»: [{dev: e0}, {via: "fd00::2"}]}']),
    "an IPv6 next hop twice": mistake(
        "occurs twice", "route add fd01::/64 nexthop via fd00::2 nexthop via fd00::2 weight 5", ('fd00::2", w', 'fd00::3", w'),
        routes=['{to: "fd01::/64", «nexthops»: [{via: "fd00::2"}, {via: "fd00::2", weight: 5}]}']),
    "a gateway behind a gateway": mistake(
        "itself behind a gateway", "route add 10.9.0.0/24 via 10.0.0.2\nroute add 10.8.0.0/24 via 10.9.0.1", ("10.9.0.1", "10.0.0.2"),
        routes=["{to: 10.9.0.0/24, via: 10.0.0.2}", "{to: 10.8.0.0/24, via: «10.9.0.1»}"]),
    "an IPv6 gateway behind a gateway": mistake(
        "itself behind a gateway", "route add fd01::/64 via fd00::2\nroute add fd02::/64 via fd01::1 dev e0", ("fd01::1", "fd00::2"),
        routes=['{to: "fd01::/64", via: "fd00::2"}', '{to: "fd02::/64", via: «"fd01::1"», dev: e0}']),
    "a gateway over an interface that is kept down": mistake(
        "only e1 reaches the gateway 10.1.0.2, and has 'up: false'", "link set e1 down\nroute add 10.9.0.0/24 via 10.1.0.2", ("up: false, ", ""),
        interfaces=[DOWN], routes=["{to: 10.9.0.0/24, via: «10.1.0.2»}"]),
    "an IPv6 gateway over an interface that is kept down": mistake(
        "only e1 reaches the gateway fd05::2", "addr add fd05::1/64 dev e1 nodad\nlink set e1 down\nroute add fd01::/64 via fd05::2", ("up: false, ", ""),
        interfaces=[DOWN], routes=['{to: "fd01::/64", via: «"fd05::2"»}']),
    "one of several gateways over an interface that is kept down": mistake(
        "only e1 reaches the gateway 10.1.0.2", "link set e1 down\nroute add 10.9.0.0/24 nexthop via 10.0.0.2 nexthop via 10.1.0.2", ("up: false, ", ""),
        interfaces=[DOWN], routes=["{to: 10.9.0.0/24, «nexthops»: [{via: 10.0.0.2}, {via: 10.1.0.2}]}"]),
    "a route over an interface that is kept down": mistake(
        "over an interface that is down, and e1 has 'up: false'", "link set e1 down\nroute add 10.9.0.0/24 dev e1", ("dev: e1", "dev: e0"),
        interfaces=[DOWN], routes=["{to: 10.9.0.0/24, dev: «e1»}"]),
    "an IPv6 route over an interface that is kept down": mistake(
        "over an interface that is down", "link set e1 down\nroute add fd01::/64 dev e1", ("up: false, ", ""),
        interfaces=[DOWN], routes=['{to: "fd01::/64", dev: «e1»}']),
    "a link-local gateway on an interface that is kept down": mistake(
        "over an interface that is down", "link set e1 down\nroute add fd01::/64 via fe80::2 dev e1", ("up: false, ", ""),
        interfaces=[DOWN], routes=['{to: "fd01::/64", via: "fe80::2", dev: «e1»}']),
    "a gateway that is on-link on an interface that is kept down": mistake(
        "over an interface that is down", "link set e1 down\nroute add 10.9.0.0/24 via 192.0.2.1 dev e1 onlink", ("up: false, ", ""),
        interfaces=[DOWN], routes=["{to: 10.9.0.0/24, via: 192.0.2.1, dev: «e1», on-link: true}"]),
    "one of several next hops on an interface that is kept down": mistake(
        "over an interface that is down", "link set e1 down\nroute add 10.9.0.0/24 nexthop dev e0 nexthop dev e1", ("up: false, ", ""),
        interfaces=[DOWN], routes=["{to: 10.9.0.0/24, «nexthops»: [{dev: e0}, {dev: e1}]}"]),
    "an IPv6 local route over an interface that is kept down": mistake(
        "over an interface that is down", "link set e1 down\nroute add local fd01::1 dev e1 table 7", ("up: false, ", ""),
        interfaces=[DOWN], routes=['{to: "fd01::1", dev: «e1», type: local, table: 7}']),
    "group-fwd-mask": mistake(
        "never forwards", "link add name x type bridge\nlink set dev x type bridge group_fwd_mask 4", ("0xc", "0x8"),
        interfaces=["x: {kind: bridge, group-fwd-mask: «0xc»}"]),
    "a bridge's MTU": mistake(
        "68 to 65535", "link add name x type bridge\nlink set dev x mtu 65575", ("65575", "65535"), interfaces=["x: {kind: bridge, mtu: «65575»}"]),
    "a pair's MTU": mistake("68 to 65535", "link set e1 mtu 65536", ("65536", "65535"), interfaces=["e1: {mtu: «65536»}"]),
    "a macvlan's MTU": mistake(
        "at most 1400", "link set e1 mtu 1400\nlink add name m link e1 mtu 1401 type macvlan", ("1401", "1400"),
        interfaces=["e1: {mtu: 1400}", "m: {kind: macvlan, link: e1, mtu: «1401»}"]),
    "a VXLAN's MTU": mistake(
        "at most 1350", "link set e1 mtu 1400\nlink add name v type vxlan id 7 remote 10.0.0.2 dstport 4789 dev e1\nlink set dev v mtu 1351", ("1351", "1350"),
        interfaces=["e1: {mtu: 1400}", "v: {kind: vxlan, id: 7, remote: 10.0.0.2, dev: e1, mtu: «1351»}"]),
    "a VXLAN's MTU over IPv6": mistake(
        "at most 1330", "link set e1 mtu 1400\nlink add name v type vxlan id 7 remote fd00::2 dstport 4789 dev e1\nlink set dev v mtu 1331", ("1331", "1330"),
        interfaces=["e1: {mtu: 1400}", 'v: {kind: vxlan, id: 7, remote: "fd00::2", dev: e1, mtu: «1331»}']),
    "the parent's MAC address": mistake(
        "needs its own",
        "link set e1 address 02:00:00:00:00:01\nlink add name m link e1 address 02:00:00:00:00:01 type macvlan\nlink set dev m up",
        ('e1, mac-address: "02:00:00:00:00:01"', 'e1, mac-address: "02:00:00:00:00:02"'),
        interfaces=["e1: {" + PARENT + "}", 'm: {kind: macvlan, link: e1, mac-address: «"02:00:00:00:00:01"»}']),
    "another macvlan's MAC address": mistake(
        "has this MAC address", "link add name m link e1 address 02:00:00:00:00:01 type macvlan\nlink set dev m up\n"
        "link add name o link e1 address 02:00:00:00:00:01 type macvlan\nlink set dev o up", ("o: {kind: macvlan, link: e1", "o: {kind: macvlan, link: e0"),
        interfaces=["m: {kind: macvlan, link: e1, " + PARENT + "}", 'o: {kind: macvlan, link: e1, mac-address: «"02:00:00:00:00:01"»}']),
    "STP with a short delay": mistake(
        "from 2s to 30s", "link add name x type bridge stp_state 1\nlink set dev x type bridge forward_delay 100", ("1s", "2s"),
        interfaces=["x: {kind: bridge, stp: true, forward-delay: «1s»}"]),
    "STP without a delay": mistake(
        "from 2s to 30s", "link add name x type bridge stp_state 1\nlink set dev x type bridge forward_delay 0", ("stp: true", "stp: false"),
        interfaces=["x: {kind: bridge, stp: true, forward-delay: «0»}"]),
    "on-link without dev": mistake(
        "'on-link' needs 'dev'", "route add 10.9.0.0/24 via 192.0.2.1 onlink", ("192.0.2.1", "192.0.2.1, dev: e0"),
        routes=["{to: 10.9.0.0/24, via: 192.0.2.1, on-link: «true»}"]),
    "on-link without a gateway": mistake(
        "needs a gateway", "route add 10.9.0.0/24 dev e0 onlink", (", on-link: true", ""), routes=["{to: 10.9.0.0/24, dev: e0, on-link: «true»}"]),
}

# Mistakes that some kernels accept: a warning; True if this kernel does.
DOUBTS = {
    "an address on a port": (True, "receives everything that arrives", "link add name x type bridge\nlink set e1 master x\naddr add 10.9.0.1/24 dev e1",
                             topology(["x: {kind: bridge, ports: [e1]}", "e1: {addresses: [«10.9.0.1/24»]}"], [], [])),
    "a macvlan's MTU above the default": (False, "at most 1500 unless", "link add name m link e1 mtu 1501 type macvlan",
                                          topology(["m: {kind: macvlan, link: e1, mtu: «1501»}"], [], [])),
    "an IPv6 source that nobody declares": (False, "fd00::7", "route add fd01::/64 via fd00::2 src fd00::7",
                                            topology([], ['{to: "fd01::/64", via: "fd00::2", src: «"fd00::7"»}'], [])),
    "a gateway that is nearer with scope link": (True, "'scope: link'", "route add 10.8.0.0/24 dev e0 scope host\nroute add 10.9.0.0/24 via 10.8.0.1 scope link",
                                        topology([], ["{to: 10.8.0.0/24, dev: e0, scope: host}", "{to: 10.9.0.0/24, via: 10.8.0.1, scope: «link»}"], [])),
    "a macvlan over an interface that is kept down": (True, "nothing passes over a:e1", "link set e1 down\nlink add name m link e1 type macvlan\nlink set dev m up",
                                                      topology([DOWN, "m: {kind: macvlan, link: «e1»}"], [], [])),
    "an IPv6 source that stays tentative": (False, "write 'nodad: true'", "addr add fd06::1/64 dev e1\nlink set e1 down\naddr add fd06::1/64 dev e1\nroute add fd01::/64 via fd00::2 src fd06::1",
                                            topology(['e1: {up: false, addresses: ["fd06::1/64"]}'], ['{to: "fd01::/64", via: "fd00::2", src: «"fd06::1"»}'], [])),
    "a gateway on nobody's network": (False, "covers the gateway", "route add 10.9.0.0/24 via 192.0.2.1 dev e0",
                                      topology([], ["{to: 10.9.0.0/24, via: «192.0.2.1», dev: e0}"], [])),
}

RTM_NEWLINK = 16  # linux/rtnetlink.h
IFLA_IFNAME, IFLA_LINKINFO, IFLA_INFO_KIND, IFLA_INFO_DATA = 3, 18, 1, 2  # linux/if_link.h
IFLA_VXLAN = {"id": 1, "dev": 3, ("group", 4): 2, ("local", 4): 4, ("group", 6): 16, ("local", 6): 17, "port": 15}


def new_vxlan(words):
    """RTM_NEWLINK as `ip link add name v type vxlan id 7 …` would send it without its own checks. Returns the error, or 0."""
    data = lab.attribute(IFLA_VXLAN["id"], struct.pack("=I", 7)) + lab.attribute(IFLA_VXLAN["port"], struct.pack(">H", 4789))
    for key, value in (word.split("=") for word in words):
        if key == "dev":
            data += lab.attribute(IFLA_VXLAN["dev"], struct.pack("=I", socket.if_nametoindex(value)))
        else:
            family = 6 if ":" in value else 4
            packed = socket.inet_pton(socket.AF_INET6 if family == 6 else socket.AF_INET, value)
            data += lab.attribute(IFLA_VXLAN[key, family], packed)
    info = lab.attribute(IFLA_INFO_KIND, b"vxlan\0") + lab.attribute(IFLA_INFO_DATA, data)
    body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + lab.attribute(IFLA_IFNAME, b"v\0") + lab.attribute(IFLA_LINKINFO, info)
    return lab.rtnetlink(HOST, RTM_NEWLINK, lab.NLM_F_CREATE | lab.NLM_F_EXCL, body)


class Refused(Case):
    def command(self, line):
        """Whether the kernel accepted it."""
        word, _, rest = line.partition(" ")
        if word == "vxlan":
            return new_vxlan(rest.split()) == 0
        if word == "sysctl":
            key, _, value = rest.partition("=")
            lab.sysctl_set(HOST, key, value)
            return True
        return lab.ip(HOST, line, check=False).returncode == 0

    def by_hand(self, commands):
        for line in PREPARE.splitlines():
            lab.ip(HOST, line)
        *before, last = commands.splitlines()
        for kind, words in (("macvlan", ["link", "e0"]), ("vxlan id 1 dstport 1", []), ("bridge", [])):
            if kind.split()[0] in commands and not lab.kernel_has(kind, *words):
                self.skipTest(f"this kernel has no {kind.split()[0]}")
        for line in before:
            self.assertTrue(self.command(line), f"the kernel refuses {line!r} already")
        return self.command(last)

    def diagnostics(self, text, severity, status):
        text, places = unmark(text)
        done = self.topod("check", self.spec(text, "wrong.yaml"), expect=status)
        found = [m for m in map(DIAGNOSTIC.match, done.stderr.splitlines()) if m and m["severity"] != "note"]
        self.assertEqual([(severity, *places[0])], [(m["severity"], int(m["line"]), int(m["column"])) for m in found], done.stderr)
        return found[0]["text"]

    def right(self, text):
        path = self.spec(text, "right.yaml")
        done = self.topod("check", path)
        self.assertEqual("", done.stderr)
        self.topod("apply", path)
        self.topod("down", path)


def add_tests():
    for name, (words, commands, changes, text) in MISTAKES.items():
        def test(self, words=words, commands=commands, changes=changes, text=text):
            self.assertRegex(self.diagnostics(text, "error", lab.EXIT_SPEC), words)
            self.right(lab.edit(unmark(text)[0], *changes))
            self.assertFalse(self.by_hand(commands), "the kernel takes what `check` calls an error")
        test.__doc__ = name
        setattr(Refused, "test_" + re.sub(r"\W+", "_", name), test)
    for name, (taken, words, commands, text) in DOUBTS.items():
        def doubt(self, taken=taken, words=words, commands=commands, text=text):
            self.assertRegex(self.diagnostics(text, "warning", lab.EXIT_DONE), words)
            self.assertEqual(taken, self.by_hand(commands))
        doubt.__doc__ = name
        setattr(Refused, "test_doubt_" + re.sub(r"\W+", "_", name), doubt)


add_tests()

if __name__ == "__main__":
    lab.main()
