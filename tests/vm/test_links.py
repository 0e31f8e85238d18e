# SPDX-License-Identifier: GPL-2.0-or-later
"""
Kinds of links that the kernels of few build machines have. CMakeLists.txt runs this in a kernel that has them.

Of each kind: it is built and stays as it is; what is changed by hand is repaired; an edited field is changed in place or by
recreation; a field that leaves the file goes back to the driver's default; removal leaves no trace.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../netns"))

import lab  # noqa: E402
from lab import Case  # noqa: E402

SPEC = """\
namespaces:
  a:
    interfaces:
%s
"""


class Links(Case):
    def setUp(self):
        super().setUp()
        self.before = lab.snapshot()

    def apply(self, *entries):
        path = self.spec(SPEC % "\n".join("      " + entry for entry in entries))
        self.topod("apply", path)
        self.topod("plan", path)  # exit 0: nothing to do
        return path

    def link(self, name="x"):
        return lab.link("a", name)

    def data(self):
        return self.link()["linkinfo"].get("info_data", {})

    def repaired(self, path, command):
        """A change by hand shows as a difference, and is repaired."""
        before = self.link()
        lab.ip("a", command)
        self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertEqual(before, self.link())

    def finish(self, path):
        self.topod("down", path)
        self.same(self.before, lab.snapshot(), "down left a trace")

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


class Vrf(Case):
    """A VRF and its ports have their connected routes in a table of their own."""

    def routes(self):
        """Those of the declared addresses."""
        return sorted((r["type"], r["dst"], r["protocol"], r.get("prefsrc"), r.get("metric")) for family in (4, 6)
                      for r in lab.ip_json("a", f"-{family} route show table 10") if not r["dst"].startswith(("fe80:", "ff00:")))

    def test_connected_routes(self):
        lab.run("ip", "netns", "add", "a")
        for key in ("all", "default"):
            lab.sysctl_set("a", f"net.ipv6.conf.{key}.accept_dad", 0)
        for command in ("link add vrf0 type vrf table 10", "link set vrf0 up", "link add d0 type dummy", "link set d0 master vrf0",
                        "link set d0 up"):
            lab.ip("a", command)
        path = self.spec("namespaces: {a: {adopt: true, interfaces: {d0: {kind: existing, up: true,\n"
                         "  addresses: [10.0.0.1/24, \"fd00::1/64\"]}}}}\n")
        self.topod("apply", path)
        self.wait_until(lambda: len(self.routes()) == 5, "the kernel's routes in the table of the VRF")
        before = self.routes()
        self.topod("plan", path)
        for lost in ("route del 10.0.0.0/24 table 10 dev d0", "route del local 10.0.0.1 table 10 dev d0",
                     "-6 route del fd00::/64 table 10 dev d0", "-6 route del local fd00::1 table 10 dev d0",
                     "-4 route flush table 10"):
            lab.ip("a", lost)
            self.assertNotEqual(before, self.routes(), lost)
            self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
            self.topod("apply", path)
            self.topod("plan", path)
            self.wait_until(lambda: self.routes() == before, lost)
        self.assertEqual([], [route for route in lab.ip_json("a", "-4 route show table main")], "nothing of it is in the table main")


if __name__ == "__main__":
    if not os.environ.get("TOPOD_VM"):
        sys.exit("in-uml runs this: see CMakeLists.txt")
    lab.main()
