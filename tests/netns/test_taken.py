# SPDX-License-Identifier: GPL-2.0-or-later
"""
The kernel accepts what is valid for `check`: random topologies with values near a limit. test_refused.py tests the other
direction, that the kernel refuses what is an error.

TOPOD_TEST_SEEDS=1000-1999 tries others than the usual ones.
"""

import os
import random
import re

import lab
from lab import Case, HOST

SEEDS = range(1, 41)

MACS = ['mac-address: "02:00:00:00:00:0a"', 'mac-address: "02:00:00:00:00:0b"']
MTUS = ["mtu: 1279", "mtu: 1280", "mtu: 1330", "mtu: 1400", "mtu: 1450", "mtu: 1500", "mtu: 9000", "mtu: 65535"]


class Topology:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = ["e0", "e1"]
        self.addresses = 0

    def pick(self, *of):
        return self.random.choice(of)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def maybe(self, percent, *of):
        return self.pick(*of) if self.chance(percent) else ""

    def ipv6(self, percent):
        self.addresses += 1
        return [f'{{address: "fd0{self.addresses}::1/64", nodad: true}}'] if self.chance(percent) else []

    def keys(self, *keys, addresses=()):
        keys = [k for k in keys if k]
        if addresses:
            keys.append(f"addresses: [{', '.join(addresses)}]")
        return "{" + ", ".join(keys) + "}"

    def pair(self, name, ip):
        return name, self.keys(self.maybe(40, *MTUS), self.maybe(30, *MACS), addresses=[ip] + self.ipv6(50))

    def macvlan(self, name):
        parents = [n for n in self.names if n[0] != "m"]  # the kernel puts a macvlan on a macvlan onto the parent of the lower one
        mode = self.maybe(40, "mode: bridge", "mode: private", "mode: passthru")
        mac = self.maybe(30, *MACS) if "passthru" not in mode else ""  # which would be the parent's
        return name, self.keys(f"kind: macvlan, link: {self.pick(*parents)}", self.maybe(40, *MTUS), mac, self.maybe(15, "up: false"), mode,
                               addresses=self.ipv6(30))

    def vxlan(self, name):
        far = self.pick("remote: 10.0.0.9", "remote: 10.0.0.9", 'remote: "fd01::9"', 'remote: "fe80::9"', "group: 239.0.0.1", 'group: "ff05::1"', "")
        local = self.maybe(40, "local: 10.0.0.1", 'local: "fd01::1"', 'local: "fe80::1"')
        return name, self.keys(f"kind: vxlan, id: {self.pick(7, 8, 9)}", self.maybe(30, "port: 4790"), self.maybe(30, *MTUS), local, far,
                               self.maybe(60, f"dev: {self.pick(*self.names)}"), addresses=self.ipv6(20))

    def bridge(self, name):
        ports = [n for n in self.names if n != "e0" and self.chance(25)]
        return name, self.keys("kind: bridge", self.maybe(30, *MTUS), self.maybe(40, "stp: true", "stp: false"),
                               self.maybe(30, "forward-delay: 0", "forward-delay: 1s", "forward-delay: 2s", "forward-delay: 30s"),
                               self.maybe(30, "group-fwd-mask: 4", "group-fwd-mask: 8", "group-fwd-mask: 0xfff8"),
                               f"ports: [{', '.join(ports)}]" if ports else "", addresses=self.ipv6(40))

    def hop(self, ipv6):
        via = self.pick('via: "fd01::9"', 'via: "fe80::9"', "") if ipv6 else \
            self.pick("via: 10.0.0.9", "via: 10.0.0.8", "via: 10.20.0.9", 'via: "fd01::9"', "")
        return self.keys(via, self.maybe(60, f"dev: {self.pick('e0', 'e0', 'e1')}") if via else "dev: e0", self.maybe(10, "on-link: true"))

    def route(self, n):
        ipv6 = self.chance(40)
        to = f'to: "fd20:{n}::/64"' if ipv6 else f"to: 10.{20 + n}.0.0/24"
        source = self.maybe(20, 'src: "fd01::1"' if ipv6 else self.pick("src: 10.0.0.1", "src: 10.1.0.1"))
        scope = "" if ipv6 else self.maybe(15, "scope: link", "scope: host", "scope: global")
        if self.chance(30):
            return self.keys(to, f"nexthops: [{self.hop(ipv6)}, {self.hop(ipv6)}]", source, scope)
        return self.keys(to, self.hop(ipv6)[1:-1], source, scope, self.maybe(10, "type: local"), self.maybe(15, "table: 100"))

    def text(self):
        interfaces = [self.pair("e0", "10.0.0.1/24"), self.pair("e1", "10.1.0.1/24")]
        for i in range(self.random.randrange(4)):
            make = self.pick(self.macvlan, self.macvlan, self.vxlan, self.bridge)
            interfaces.append(make(f"{make.__name__[0]}{i}"))
            self.names.append(interfaces[-1][0])
        lines = ["namespaces:", "  a:", "    interfaces:", *(f"      {name}: {keys}" for name, keys in interfaces)]
        lines += ["    routes:", *(f"      - {self.route(n)}" for n in range(self.random.randrange(3)))]
        if self.chance(10):
            lines.append(f"    sysctl: {{net.ipv6.conf.{self.pick('all', 'default', 'e0', 'lo')}.disable_ipv6: {self.pick(0, 1)}}}")
        return "\n".join([*lines, "links:", "  - [a:e0, host:h0]", "  - [a:e1, host:h1]", ""])


class Taken(Case):
    def try_seed(self, seed):
        text = Topology(seed).text()
        path = self.spec(text, "drawn.yaml")
        done = self.topod("check", path, expect=(lab.EXIT_DONE, lab.EXIT_SPEC))
        if done.stderr:
            return False
        done = self.topod("apply", path, expect=(lab.EXIT_DONE, lab.EXIT_FAILED))
        self.assertEqual(lab.EXIT_DONE, done.returncode, f"seed {seed}: `check` said nothing of\n{text}\n{done.stdout}{done.stderr}")
        self.topod("down", path)
        return True

    def test_drawn_topologies(self):
        for kind, words in (("macvlan", ["link", "lo-probe"]), ("vxlan id 1 dstport 1", []), ("bridge", [])):
            if kind == "macvlan":
                lab.ip(HOST, "link add name lo-probe type veth peer name lo-peer")
            if not lab.kernel_has(kind, *words):
                self.skipTest(f"this kernel has no {kind.split()[0]}")
        seeds = SEEDS
        if "TOPOD_TEST_SEEDS" in os.environ:
            first, last = (int(n) for n in re.split("-", os.environ["TOPOD_TEST_SEEDS"]))
            seeds = range(first, last + 1)
        taken = sum(self.try_seed(seed) for seed in seeds)
        self.assertGreater(taken, 0, "check has something to say about each of them")
        print(f"{taken} of {len(seeds)} taken")


if __name__ == "__main__":
    lab.main()
