# SPDX-License-Identifier: GPL-2.0-or-later
"""
Kinds of links that the kernels of few build machines have. CMakeLists.txt runs this in a kernel that has them.

For each kind: it is built and stays as it is; changes by hand are repaired; an edited field is changed in place or
by recreation; a field that leaves the file goes back to the driver's default; removal leaves no trace.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../netns"))

import lab  # noqa: E402
from lab import Case  # noqa: E402

SPEC = """\
namespaces:
  a:
    interfaces:
%s
"""


class Built(Case):
    def setUp(self):
        super().setUp()
        self.before = lab.snapshot()

    def link(self, name="x"):
        return lab.link("a", name)

    def data(self, name="x"):
        return self.link(name)["linkinfo"].get("info_data", {})

    def build(self, name):
        """A topology of specs/."""
        with open(os.path.join(HERE, f"../../specs/{name}.yaml"), encoding="utf-8") as f:
            path = self.spec(f.read())
        self.assertNotIn("warning", self.topod("check", path).stderr)
        self.topod("apply", path)
        self.topod("plan", path)
        return path

    def finish(self, path):
        self.topod("down", path)
        self.same(self.before, lab.snapshot(), "down left a trace")


class Links(Built):
    def apply(self, *entries):
        path = self.spec(SPEC % "\n".join("      " + entry for entry in entries))
        self.topod("apply", path)
        self.topod("plan", path)  # exit 0: nothing to do
        return path

    def repaired(self, path, command):
        """A change by hand shows as a difference, and is repaired."""
        before = self.link()
        lab.ip("a", command)
        self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertEqual(before, self.link())

    def check_plain(self, kind):
        path = self.apply(f"x: {{kind: {kind}, mtu: 1400, arp: true, txqueuelen: 50, addresses: [10.0.0.1/24]}}")
        self.assertNotIn("NOARP", self.link()["flags"])
        self.repaired(path, "link set x mtu 1300")
        self.repaired(path, "link set x arp off")
        index = self.link()["ifindex"]
        self.apply(f"x: {{kind: {kind}, mtu: 1350, addresses: [10.0.0.1/24]}}")
        self.assertEqual((index, 1350), (self.link()["ifindex"], self.link()["mtu"]))
        self.assertIn("NOARP", self.link()["flags"], "not the driver's default")
        self.finish(path)
        return path

    def test_index_in_use_where_the_message_is_sent(self):
        """Linux before 6.15 searches there for the index chosen for a namespace, and compares the lengths of MAC addresses."""
        lab.run("modprobe", "ip6_tunnel")
        before = lab.snapshot()
        free = 1 + max(link["ifindex"] for link in json.loads(lab.run("ip", "-j", "link").stdout))
        for declared in ("{}", "{interfaces: {lo: {kind: existing}}}"):
            for index in range(free, free + 8):
                lab.run("ip", "link", "add", f"i{index}", "index", str(index), "type", "ip6tnl", "remote", f"::{index}")
            path = self.spec(f"namespaces: {{a: {{}}, b: {{}}, host: {declared}}}\nlinks: [[a:x, b:x]]\n")
            self.topod("apply", path)
            self.topod("plan", path)
            self.topod("down", path)
            for index in range(free, free + 8):
                lab.run("ip", "link", "del", f"i{index}")
            self.same(before, lab.snapshot(), "down left a trace")

    def test_dummy(self):
        self.check_plain("dummy")

    def test_ifb(self):
        self.check_plain("ifb")

    def test_vlan(self):
        path = self.apply("d: {kind: dummy}", "x: {kind: vlan, link: d, id: 5, reorder-header: true, gvrp: true, loose-binding: true, "
                          "ingress-qos-map: {1: 5, 2: 6}, egress-qos-map: {10: 7}, addresses: [10.0.5.1/24]}")
        self.assertEqual(("802.1Q", 5, ["REORDER_HDR", "GVRP", "LOOSE_BINDING"]),
                         tuple(self.data()[key] for key in ("protocol", "id", "flags")))
        self.assertEqual([{"from": 1, "to": 5}, {"from": 2, "to": 6}], self.data()["ingress_qos"])
        self.assertEqual([{"from": 10, "to": 7}], self.data()["egress_qos"])
        self.repaired(path, "link set x type vlan gvrp off")
        self.repaired(path, "link set x type vlan reorder_hdr off")
        self.repaired(path, "link set x type vlan ingress-qos-map 1:4 3:3")
        self.repaired(path, "link set x type vlan egress-qos-map 10:0 11:2")
        index = self.link()["ifindex"]
        self.apply("d: {kind: dummy}", "x: {kind: vlan, link: d, id: 5, reorder-header: true, mvrp: true, ingress-qos-map: {2: 6}, "
                   "addresses: [10.0.5.1/24]}")
        self.assertEqual((index, ["REORDER_HDR", "MVRP"]), (self.link()["ifindex"], self.data()["flags"]))
        self.assertEqual([{"from": 2, "to": 6}], self.data()["ingress_qos"])
        self.assertNotIn("egress_qos", self.data())
        self.apply("d: {kind: dummy}", "x: {kind: vlan, link: d, id: 6, protocol: 802.1ad}")
        self.assertEqual(("802.1ad", 6), (self.data()["protocol"], self.data()["id"]))
        self.apply("d: {kind: dummy}", "x: {kind: vlan, link: d, id: 6}")
        self.assertEqual("802.1Q", self.data()["protocol"], "a field that left the file does not go back")
        self.finish(path)

    def test_vlan_kept_down_with_what_is_below(self):
        """The kernel does not bring it up alone, which `check` says; with loose-binding it does."""
        wrong = self.spec(SPEC % "      d: {kind: dummy, up: false}\n      x: {kind: vlan, link: d, id: 5}")
        said = self.topod("check", wrong, expect=lab.EXIT_SPEC).stderr
        self.assertIn("5:29: error: the kernel does not bring this vlan up over a:d, which has 'up: false'", said)
        path = self.apply("d: {kind: dummy, up: false}", "x: {kind: vlan, link: d, id: 5, up: false}")
        self.assertNotEqual(0, lab.ip("a", "link set x up", check=False).returncode)
        self.apply("d: {kind: dummy, up: false}", "x: {kind: vlan, link: d, id: 5, loose-binding: true}")
        self.assertIn("UP", self.link()["flags"])
        self.finish(path)

    def check_ipvlan(self, kind):
        path = self.apply("d: {kind: dummy}", f"x: {{kind: {kind}, link: d, mode: l2, isolation: bridge, addresses: [10.0.0.1/24]}}",
                          f"z: {{kind: {kind}, link: d, mode: l2}}")
        self.assertEqual(self.link("d")["address"], self.link()["address"])
        self.repaired(path, f"link set x type {kind} mode l3")
        self.repaired(path, f"link set z type {kind} private")
        indexes = self.link()["ifindex"], self.link("z")["ifindex"]
        self.apply("d: {kind: dummy}", f"x: {{kind: {kind}, link: d, mode: l3s, isolation: vepa, addresses: [10.0.0.1/24]}}",
                   f"z: {{kind: {kind}, link: d, mode: l3s, isolation: vepa}}")
        self.assertEqual(indexes, (self.link()["ifindex"], self.link("z")["ifindex"]))
        self.assertEqual(("l3s", True), (self.data()["mode"], "vepa" in str(self.data())))
        self.finish(path)

    def test_ipvlan(self):
        self.check_ipvlan("ipvlan")

    def test_ipvtap(self):
        self.check_ipvlan("ipvtap")

    def test_vlan_elsewhere(self):
        """On an interface of another namespace; traffic arrives with its tag."""
        path = self.spec("""\
namespaces:
  a: {interfaces: {x: {kind: vlan, link: "trunk:t0", id: 7, addresses: [10.0.7.1/24]}}}
  b: {interfaces: {x: {kind: vlan, link: "trunk:t1", id: 7, addresses: [10.0.7.2/24]}}}
  trunk: {}
links: [["trunk:t0", "trunk:t1"]]
""")
        self.topod("apply", path)
        self.topod("plan", path)
        lab.run("ip", "netns", "exec", "a", "ping", "-c1", "-W5", "10.0.7.2")
        self.finish(path)


if __name__ == "__main__":
    if not os.environ.get("TOPOD_VM"):
        sys.exit("in-uml runs this: see CMakeLists.txt")
    lab.main()
