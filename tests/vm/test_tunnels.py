# SPDX-License-Identifier: GPL-2.0-or-later
"""
Tunnels at work: packets go through, and the outer ones travel in the namespace of `underlay` or `dev`. CMakeLists.txt
runs this in User-Mode Linux.
"""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../netns"))

import lab  # noqa: E402
from lab import Case  # noqa: E402

# Every kind, twice by one name, in two namespaces; the underlay has an interface of that name as well.
TUNNELS = {
    "gre": "local: 10.0.0.1, remote: 10.0.0.2, key: {n}", "gretap": "remote: 10.0.0.2, key: {n}",
    "erspan": "remote: 10.0.0.2, key: {n}", "ipip": "remote: 10.0.0.{n}", "sit": "remote: 10.0.0.{n}",
    "vti": "remote: 10.0.0.{n}", "ip6gre": 'remote: "fd00::2", key: {n}', "ip6gretap": 'remote: "fd00::2", key: {n}',
    "ip6tnl": 'remote: "fd00::{n}"', "vti6": 'remote: "fd00::{n}"', "vxlan": "remote: 10.0.0.2, id: {n}",
}
SPEC = """\
namespaces:
  a: {interfaces: {x: {kind: %(kind)s, %(first)s}}}
  b: {interfaces: {x: {kind: %(kind)s, %(second)s}}}
  u: {interfaces: {d: {kind: dummy, addresses: [10.0.0.1/24, {address: "fd00::1/64", nodad: true}]}, x: {kind: dummy}}}
"""


class Tunnels(Case):
    def setUp(self):
        super().setUp()
        lab.run("modprobe", "-a", "ip_gre", "ip6_gre", "ipip", "sit", "ip6_tunnel", "ip_vti", "ip6_vti", "vxlan", "dummy")
        self.before = lab.snapshot()

    def apply(self, text):
        path = self.spec(text)
        self.topod("apply", path)
        self.topod("plan", path)  # exit 0: nothing to do
        return path

    def build(self, name):
        with open(os.path.join(HERE, f"../../specs/{name}.yaml"), encoding="utf-8") as f:
            return self.apply(f.read())

    def finish(self, path):
        self.topod("down", path)
        self.same(self.before, lab.snapshot(), "down left a trace")

    def test_spec(self):
        path = self.build("tunnels")
        lab.run("ip", "netns", "exec", "left", "ping", "-c1", "-W5", "-I", "10.8.1.1", "10.8.2.1")
        self.finish(path)

    def spec_of(self, kind, place, first=4, second=5):
        words = {key: f"{TUNNELS[kind]}{place}".replace("{n}", str(n)) for key, n in (("first", first), ("second", second))}
        return SPEC % {"kind": kind, **words}

    def underlays(self):
        shown = [re.search(r"link-netns (\S+)", lab.ip(ns, "link show x").stdout) for ns in "ab"]
        return [found and found[1] for found in shown]

    def names(self, ns):
        return {l["ifname"] for l in lab.ip_json(ns, "link show")}

    def test_underlay(self):
        for kind in TUNNELS:
            with self.subTest(kind=kind):
                path = self.apply(self.spec_of(kind, ", underlay: u"))
                self.assertEqual(["u", "u"], self.underlays())
                there = self.names("u")
                self.assertNotIn("tp", {name[:2] for name in there}, "a name for the moment is left")
                self.apply(self.spec_of(kind, ""))
                self.assertEqual([None, None], self.underlays())
                path = self.apply(self.spec_of(kind, ", dev: 'u:d'"))
                self.assertEqual(["u", "u"], self.underlays())
                self.assertEqual(there, self.names("u"))
                self.finish(path)

    def test_underlay_is_lost(self):
        """With it goes every tunnel that travels in it; all of them are made again."""
        path = self.apply(self.spec_of("gre", ", underlay: u"))
        lab.run("ip", "netns", "delete", "u")
        self.apply(self.spec_of("gre", ", underlay: u"))
        self.assertEqual(["u", "u"], self.underlays())
        path = self.spec(self.spec_of("gre", ""))
        self.assertIn("underlay u -> none", self.topod("plan", path, expect=lab.EXIT_DIFFERENCES).stdout)
        self.finish(path)


if __name__ == "__main__":
    if not os.environ.get("TOPOD_VM"):
        sys.exit("in-uml runs this: see CMakeLists.txt")
    lab.main()
